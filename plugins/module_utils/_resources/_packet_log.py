# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that log the packets that pass a hook of the host's firewall, and count them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .. import _iptables, _labels, _names, _nft_log
from .._draft import Draft
from .._errors import BridgenetError
from .._labels import Label
from .._model import Entry, Firewall, Host, Log, Rule
from .._reader import Scope
from .._shown import shown_label
from ._base import STATE, Context, Options, Resource, is_present, standing

BACKENDS = ("nftables", "iptables")
PROTOCOLS = {"tcp": 0, "udp": 0, "sctp": 0, "icmp": 4, "icmpv6": 6}  # the family that speaks it, 0 is both

SPEC: dict[str, Any] = {
    "hook": {"type": "str", "choices": ["prerouting", "forward", "postrouting"]},
    "prefix": {"type": "str"},
    "table": {"type": "str", "choices": ["nat", "filter"]},
    "source": {"type": "str"},
    "destination": {"type": "str"},
    "protocol": {"type": "str", "choices": list(PROTOCOLS)},
    "in_interface": {"type": "str"},
    "out_interface": {"type": "str"},
    "group": {"type": "int"},
    "backend": {"type": "str", "choices": ["auto", *BACKENDS], "default": "auto"},
    "label": {"type": "str"},
    **STATE,
}

_OPTIONS = ("source", "destination", "protocol", "in_interface", "out_interface", "group")
_MATCHES = {"-s": "source", "-d": "destination", "-i": "in_interface", "-o": "out_interface", "-p": "protocol"}
_TARGETS = {"LOG": "--log-prefix", "NFLOG": "--nflog-prefix"}
_IPTABLES_PROTOCOLS = {"icmpv6": "ipv6-icmp"}  # as iptables prints them
# Without it nobody may follow connections, and then nothing passes the table nat.
_FIRST = ("-m", "conntrack", "--ctstate", "NEW,RELATED")
# What iptables takes (struct xt_log_info, xt_nflog_info; linux/netfilter): the same wherever it stands.
_KERNEL_BYTES, _GROUP_BYTES = 29, 63
_PREFIX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:,;/=#+*@()<>\[\] -]*\Z")


def _families(log: Log) -> list[int]:
    said = [_names.family(one) for one in (log.source, log.destination) if one]
    said += [PROTOCOLS[log.protocol]] if PROTOCOLS.get(log.protocol) else []
    return said or [4, 6]


def _rules(log: Log) -> set[Entry]:
    """As iptables has it: one rule for each family."""
    match: list[str] = []
    for word, name in _MATCHES.items():
        value = getattr(log, name)
        if value:
            match += [word, _IPTABLES_PROTOCOLS.get(value, value)]
    match += _FIRST if log.table == "nat" else ()
    target = ["-j", "LOG", "--log-prefix", log.prefix]
    if log.group is not None:
        target = ["-j", "NFLOG", "--nflog-prefix", log.prefix]
        target += ["--nflog-group", str(log.group)] if log.group else []
    return {
        Rule(_iptables.PROGRAMS[family], log.table, log.hook.upper(), tuple(match), tuple(target), head=True)
        for family in _families(log)
    }


def entries(log: Log, backend: str) -> set[Entry]:
    """As it stands in a backend."""
    return {log} if backend == "nftables" else _rules(log)


def _of_rule(rule: Rule) -> Log | None:
    """What a rule of iptables logs, None where that is not all that it does."""
    match = rule.match[: -len(_FIRST)] if rule.match[-len(_FIRST) :] == _FIRST else rule.match
    words = dict(zip(match[::2], match[1::2]))
    target = dict(zip(rule.target[::2], rule.target[1::2]))
    prefix = target.get(_TARGETS.get(target["-j"], ""))
    if prefix is None or not words.keys() <= _MATCHES.keys():
        return None
    fields = {_MATCHES[word]: value for word, value in words.items()}
    names = {text: name for name, text in _IPTABLES_PROTOCOLS.items()}
    if "protocol" in fields:
        fields["protocol"] = names.get(fields["protocol"], fields["protocol"])
    group = int(target.get("--nflog-group", "0")) if target["-j"] == "NFLOG" else None
    log = Log(rule.chain.lower(), rule.table, prefix, group=group, **fields)
    return log if rule in _rules(log) else None


@dataclass(frozen=True)
class Found:
    """What is logged as it stands."""

    log: Log
    backend: str
    comment: str

    def options(self) -> Options:
        """In the form of the options."""
        shown: Options = {"hook": self.log.hook, "table": self.log.table, "prefix": self.log.prefix}
        for name in _OPTIONS:
            value = getattr(self.log, name)
            if value not in ("", None):
                shown[name] = value
        return {**shown, "backend": self.backend}


def found(there: Mapping[Entry, str]) -> dict[Entry, Found]:
    """All that is logged, in every backend."""
    seen: dict[Entry, Found] = {}
    for entry, comment in there.items():
        if isinstance(entry, Log):
            seen[entry] = Found(entry, "nftables", comment)
        elif isinstance(entry, Rule):
            log = _of_rule(entry)
            if log is not None:
                seen[entry] = Found(log, "iptables", comment)
    return seen


def stale(there: Mapping[Entry, str]) -> list[tuple[str, Options]]:
    """(comment, options) of what stands, for purge."""
    return [(one.comment, one.options()) for one in dict.fromkeys(found(there).values())]


@dataclass(frozen=True)
class PacketLog(Resource):
    """One thing to log."""

    counts: ClassVar[bool] = True

    log: Log
    label: Label
    backend: str
    labelled: bool = False

    @property
    def what(self) -> str:
        return f"packet_log {self.label.object}"

    def widen(self, scope: Scope) -> None:
        scope.firewall.tables.add(self.log.table)
        scope.firewall.tables.update(_iptables.TABLES)  # it may stand in the other one
        if self.present:
            scope.firewall.backends.add(self.backend)

    def owns(self) -> list[tuple[str, str]]:
        return [("packet_log label", str(self.label)), ("packet_log", repr(self.log))]

    def _found(self, firewall: Firewall, draft: Draft | None = None) -> dict[Entry, Found]:
        """The very same rule in any backend, and what carries its label."""
        places: list[Entry] = [self.log, *_rules(self.log)]
        return found(standing(firewall, self.label, places, draft))

    def predict(self, draft: Draft) -> None:
        seen = self._found(draft.current.firewall, draft)
        if not self.present:
            mine = self.label if self.labelled else None
            gone = [entry for entry, one in seen.items() if self.backend in ("auto", one.backend)]
            for entry in (*gone, *(_rules(self.log) if self.backend != "nftables" else ())):
                draft.remove(entry, mine, self.what)
            return
        firewall = draft.current.firewall
        backend = firewall.preferred if self.backend == "auto" else self.backend
        if backend == "nftables" and firewall.foreign_log:
            raise BridgenetError(
                f"{self.what}: the nftables table {_nft_log.TABLE} exists and is not ours; remove it, or say "
                "backend: iptables"
            )
        if backend == "iptables" and self.log.table == "filter" and self.log.hook != "forward":
            raise BridgenetError(
                f"{self.what}: the table filter of iptables has no chain {self.log.hook.upper()}; say table: nat, or "
                "backend: nftables"
            )
        wanted = entries(self.log, backend)
        for entry, one in seen.items():
            if entry in wanted:
                draft.claim(one.comment, self.label, self.what, None)
            elif one.comment == str(self.label) or self._is_the_project_s(one):
                del draft.entries[entry]  # the same object, with another rule, backend or label
        for entry in sorted(wanted, key=repr):
            draft.entries[entry] = str(self.label)

    def _is_the_project_s(self, one: Found) -> bool:
        label = _labels.parse(one.comment)
        return label is not None and label.project == self.label.project

    def _standing(self, host: Host) -> Found | None:
        """The whole of it, preferably the declared rule: where a rule is missing, it is not there."""
        there = host.firewall.entries
        seen = dict.fromkeys(self._found(host.firewall).values())
        for one in sorted(seen, key=lambda one: (one.log != self.log, self.backend not in ("auto", one.backend))):
            if all(there.get(entry) == one.comment for entry in entries(one.log, one.backend)):
                return one
        return None

    def view(self, host: Host) -> Options | None:
        one = self._standing(host)
        return {**one.options(), "label": shown_label(one.comment, self.label.project)} if one else None

    def counters(self, host: Host) -> Options | None:
        one = self._standing(host)
        if one is None:
            return None
        counts = [host.firewall.counters.get(entry, (0, 0)) for entry in entries(one.log, one.backend)]
        packets, size = (sum(column) for column in zip(*counts))
        return {"label": shown_label(one.comment, self.label.project), "packets": packets, "bytes": size}


def declare(options: Mapping[str, Any], context: Context) -> PacketLog:
    """From the options of one object."""
    hook, group = options["hook"], options.get("group")
    prefix = _prefix(options["prefix"], group)
    table = options.get("table") or ("filter" if hook == "forward" else "nat")
    what = f"packet_log {prefix!r}"
    if (hook, table) not in _nft_log.PLACES:
        raise BridgenetError(f"{what}: the hook {hook} has no table {table}; say table: filter")
    if group is not None and not 0 <= group < 2**16:
        raise BridgenetError(f"{what}: group {group} is out of range: 0 to 65535 are possible")
    log = Log(
        hook=hook,
        table=table,
        prefix=prefix,
        source=_network(what, "source", options),
        destination=_network(what, "destination", options),
        in_interface=_names.interface(options["in_interface"]) if options.get("in_interface") else "",
        out_interface=_names.interface(options["out_interface"]) if options.get("out_interface") else "",
        protocol=options.get("protocol") or "",
        group=group,
    )
    for name, wrong in (("in_interface", "postrouting"), ("out_interface", "prerouting")):
        if hook == wrong and options.get(name):
            raise BridgenetError(f"{what}: {name} is not known at the hook {hook}; drop it, or choose another hook")
    if len(set(_families(log))) > 1 and (log.source or log.destination):
        raise BridgenetError(f"{what}: source, destination and protocol mix IPv4 and IPv6; declare one for each")
    backend = options.get("backend") or "auto"
    name = re.sub(r"[^A-Za-z0-9_.:/-]+", "-", prefix).strip("-")
    return PacketLog(
        present=is_present(options, context),
        log=log,
        label=context.label(options.get("label"), f"{table}/{hook}/{name}"),
        backend=backend,
        labelled=options.get("label") is not None,
    )


def _network(what: str, name: str, options: Mapping[str, Any]) -> str:
    """An option that is a network; every address is none."""
    if not options.get(name):
        return ""
    network = _names.subnet(options[name])
    if network.endswith("/0"):
        raise BridgenetError(f"{what}: {name} {network} is every address; leave it out")
    return network


def _prefix(value: str, group: int | None) -> str:
    """What begins each line: nothing that nft, iptables or a shell would read as something else."""
    limit = _KERNEL_BYTES if group is None else _GROUP_BYTES
    if not _PREFIX.match(value) or len(value) > limit:
        raise BridgenetError(
            f"packet_log prefix {value!r}: allowed are 1 to {limit} letters, digits, spaces and _ . : , ; / = # + * @ "
            "( ) < > [ ] -, the first of them a letter, digit or _; choose such a prefix"
        )
    return value
