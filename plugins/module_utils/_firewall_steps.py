# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one state of the firewall to another: its operations, and which of them it takes. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _firewalld, _iptables, _nft, _nft_log, _programs
from ._model import Bindings, Element, Entry, Firewall, Log, Rule
from ._operation_base import Operation, Step
from ._operations_flows import forget

if TYPE_CHECKING:
    from ._kernel import Kernel

Elements = Mapping[Element, str]

_PORTS = frozenset((*_nft.PUBLISHED, "publishers4", "publishers6"))


@dataclass(frozen=True)
class ChangeTable(Step):
    """A change of an nft table of ours in one transaction, and the transaction that takes it back."""

    text: str
    back: str

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        _programs.require("nft")

    def perform(self, kernel: Kernel) -> None:
        _programs.nft(self.text)

    def commands(self) -> tuple[str, ...]:
        return (f"printf %s {shlex.quote(self.text)} | nft -f -",)

    def guarded(self) -> tuple[str, ...]:
        return (f"nft -f - <<'END'\n{self.text}END",)

    def undo(self) -> tuple[Operation, ...]:
        return (ChangeTable(self.back, self.text),)


@dataclass(frozen=True)
class AddRule(Step):
    """A rule of iptables; `place` is where it stood before somebody took it away, 0 where it is new."""

    rule: Rule
    comment: str
    place: int = 0

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        _programs.require("iptables")

    def _argv(self) -> list[str]:
        action = "-I" if self.rule.head or self.place else "-A"
        return _iptables.argv(self.rule, self.comment, action, *([str(self.place)] if self.place else []))

    def perform(self, kernel: Kernel) -> None:
        _programs.run(self._argv())

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(self._argv()),)

    def guarded(self) -> tuple[str, ...]:
        asked = f"{shlex.join(_iptables.argv(self.rule, self.comment, '-C'))} 2>/dev/null"
        one = self.rule
        # A chain of others is there as long as they are.
        chain = f"! {shlex.join([one.program, '-w', '-t', one.table, '-S', one.chain])} >/dev/null 2>&1 || "
        return (f"{chain if _iptables.is_gate(one) else ''}{asked} || {self.commands()[0]}",)

    def undo(self) -> tuple[Operation, ...]:
        return (DelRule(self.rule, self.comment, self.place),)


@dataclass(frozen=True)
class DelRule(Step):
    """A rule of iptables less."""

    rule: Rule
    comment: str
    place: int = 0

    def _argv(self) -> list[str]:
        return _iptables.argv(self.rule, self.comment, "-D")

    def perform(self, kernel: Kernel) -> None:
        _programs.run(self._argv())

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(self._argv()),)

    def undo(self) -> tuple[Operation, ...]:
        return (AddRule(self.rule, self.comment, self.place),)


@dataclass(frozen=True)
class BindInterfaces(Step):
    """Interfaces come into the trusted zone of firewalld ("add") or leave it ("remove"), now or permanently."""

    verb: str
    interfaces: tuple[str, ...]
    permanent: bool

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        _programs.require("firewall-cmd")

    def _argv(self) -> list[str]:
        return _firewalld.argv(self.verb, self.interfaces, self.permanent)

    def perform(self, kernel: Kernel) -> None:
        _programs.run(self._argv())

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(self._argv()),)

    def undo(self) -> tuple[Operation, ...]:
        return (BindInterfaces("remove" if self.verb == "add" else "add", self.interfaces, self.permanent),)


@dataclass(frozen=True)
class KeepRule(Step):
    """firewalld puts a rule of iptables back when it reloads ("add"), or not any more ("remove")."""

    verb: str
    rule: Rule
    comment: str

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        _programs.require("firewall-cmd")

    def _argv(self) -> list[str]:
        return _firewalld.direct_argv(self.verb, self.rule, self.comment, _iptables.is_gate(self.rule))

    def perform(self, kernel: Kernel) -> None:
        _programs.run(self._argv())

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(self._argv()),)

    def undo(self) -> tuple[Operation, ...]:
        return (KeepRule("remove" if self.verb == "add" else "add", self.rule, self.comment),)


class _Table:
    """Our table on its way from one state to the next, each by one transaction."""

    def __init__(self, before: Firewall, goes: bool) -> None:
        self._before, self._goes = before, goes
        self._stands = bool(before.table) and before.intact
        self._first: Elements = _elements(before.entries)
        self._now: Elements = self._first

    def to(self, wanted: Elements) -> list[Operation]:
        earlier, self._now = self._now, wanted
        if not self._stands:
            if not wanted:
                return []
            self._stands = True
            return [ChangeTable(_nft.load(wanted, self._before.ports), _nft.restore(self._before.table))]
        if wanted == earlier:
            return []
        if not wanted and self._goes:
            as_found = earlier == self._first
            back = _nft.restore(self._before.table) if as_found else _nft.load(earlier, self._before.ports)
            return [ChangeTable(_nft.restore(""), back)]
        return [ChangeTable(_nft.change(earlier, wanted), _nft.change(wanted, earlier))]


def guarding_steps(before: Firewall, after: Firewall) -> tuple[list[Operation], list[Operation], list[Operation]]:
    """The changes of our table before links come, when they have come, and after those that go went.

    What it forbids, and the exceptions from that, come first and go last, and so does what it translates for those who
    are on their way out. Ports are published when there is somebody behind them. Its sets have names of links, which
    may be there or not.
    """
    old, new = _elements(before.entries), _elements(after.entries)
    forgets = forget(set(old) ^ set(new))
    if not new and not before.intact:
        damaged: list[Operation] = [ChangeTable(_nft.restore(""), _nft.restore(before.table))] if before.table else []
        return [], [], [*damaged, *forgets]
    table = _Table(before, goes=not new)
    if not new:
        return [], [*table.to(_without_ports(old)), *forgets], table.to(new)
    lasting = _lasting(old, new)
    ports = {one: comment for one, comment in old.items() if one.set in _PORTS}
    first = table.to({**lasting, **_without_ports(new), **ports})
    return first, [*table.to({**lasting, **new}), *forgets], table.to(new)


def _without_ports(elements: Elements) -> Elements:
    return {one: comment for one, comment in elements.items() if one.set not in _PORTS}


def _lasting(old: Elements, new: Elements) -> Elements:
    """What goes only when the links have gone: without it more gets through, or with another source."""
    gone = {one: comment for one, comment in old.items() if one not in new}
    isolated = {one.key[0] for one in gone if one.set == "bridges"}
    renewed = {(one.set, one.key[0]) for one in new if one not in old}  # intervals of one interface must not overlap
    return {
        one: comment
        for one, comment in gone.items()
        if one.set in _nft.FORBIDDING
        or (one.set == "accepted" and one.key[0] == one.key[1] and one.key[0] in isolated)
        or (one.set.startswith("masquerade") and (one.set, one.key[0]) not in renewed)
    }


def firewall_steps(before: Firewall, after: Firewall) -> list[Operation]:
    """The operations of all else: what is logged, rules of iptables, and firewalld."""
    found: list[Operation] = []
    old_logs, new_logs = _logs(before.entries), _logs(after.entries)
    if new_logs != old_logs:
        found.append(ChangeTable(_nft_log.change(old_logs, new_logs), _nft_log.restore(before.log_table)))
    old_rules, new_rules = _rules(before.entries), _rules(after.entries)
    gone = [rule for rule, comment in old_rules.items() if new_rules.get(rule) != comment]
    # From the end, so that undoing finds each place as it was.
    gone.sort(key=lambda rule: before.places.get(rule, 0), reverse=True)
    found += [DelRule(rule, old_rules[rule], before.places.get(rule, 0)) for rule in gone]
    new_ones = [(rule, comment) for rule, comment in new_rules.items() if old_rules.get(rule) != comment]
    new_ones.sort(key=lambda one: not _iptables.is_gate(one[0]))
    found += [AddRule(rule, comment, _behind_logs(rule, before.places, gone)) for rule, comment in new_ones]
    for verb, these, others in (("remove", before, after), ("add", after, before)):
        kept = [(rule, comment) for rule, comment in these.direct.items() if others.direct.get(rule) != comment]
        kept.sort(key=lambda one: (one[0].program, one[0].table, one[1], one[0].match))
        found += [KeepRule(verb, rule, comment) for rule, comment in kept]
    return found + _binding_steps(before.zones or {}, after.zones or {})


def _binding_steps(before: Bindings, after: Bindings) -> list[Operation]:
    """One operation for many interfaces: firewall-cmd takes half a second to start."""
    found: list[Operation] = []
    for verb, these, others in (("remove", before, after), ("add", after, before)):
        for permanent in (False, True):
            names = tuple(sorted(name for name, kept in these.keys() - others.keys() if kept == permanent))
            if names:
                found.append(BindInterfaces(verb, names, permanent))
    return found


def _behind_logs(rule: Rule, places: Mapping[Rule, int], gone: list[Rule]) -> int:
    """Where a gate goes: what it accepts, a rule that logs has to see before. 0 is where any rule goes."""
    if not _iptables.is_gate(rule):
        return 0
    chain = {other: place for other, place in places.items() if _chain(other) == _chain(rule)}
    last = max((place for other, place in chain.items() if other not in gone), default=0)
    return last + 1 - sum(chain[other] < last for other in gone if other in chain) if last else 0


def _chain(rule: Rule) -> tuple[str, str, str]:
    return (rule.program, rule.table, rule.chain)


def _elements(entries: Mapping[Entry, str]) -> dict[Element, str]:
    return {entry: comment for entry, comment in entries.items() if isinstance(entry, Element)}


def _logs(entries: Mapping[Entry, str]) -> dict[Log, str]:
    return {entry: comment for entry, comment in entries.items() if isinstance(entry, Log)}


def _rules(entries: Mapping[Entry, str]) -> dict[Rule, str]:
    return {entry: comment for entry, comment in entries.items() if isinstance(entry, Rule)}
