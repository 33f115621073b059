# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight says of a host and a task: where the task would be refused, and what it meets. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from . import _firewalld, _forwarding, _labels, _names
from ._firewall_steps import AddRule, BindInterfaces, KeepRule
from ._model import HOST, Element, Host, Link
from ._operation_base import Operation
from ._operations import SetSysctl
from ._plan import PORTS
from ._resources import _masquerade
from ._resources._base import Resource
from ._resources._bridge_port import BridgePort

CONFLICT, NOTICE, OK = "conflict", "notice", "ok"

# Global, and not there in a namespace other than the machine's own.
NEIGHBOURS = {4: "net/ipv4/neigh/default/gc_thresh3", 6: "net/ipv6/neigh/default/gc_thresh3"}
BACKLOG = "net/core/netdev_max_backlog"
KEYS = (*NEIGHBOURS.values(), BACKLOG, *_forwarding.SWITCHES)

_NAMES = {
    r"docker0|docker_gwbridge|br-[0-9a-f]{12}": "Docker",
    r"(cni-)?podman\d+": "podman",
    r"virbr\d+(-nic)?|vnet\d+": "libvirt",
    r"lxdbr\d+|incusbr\d+|lxcbr\d+": "LXC",
}


@dataclass(frozen=True)
class Finding:
    """`what` was found, `why` that matters, and what is `done` about it, by the task or by the person."""

    topic: str
    severity: str
    what: str
    why: str = ""
    done: str = ""


@dataclass(frozen=True)
class Others:
    """What of others' own records was read."""

    bridges: Mapping[str, str]  # a bridge that is in the files or rules of an engine -> the engine
    managers: Mapping[int, str]  # index of a link -> the network manager that has it
    sysctls: Mapping[str, tuple[str, str]]  # key -> value, and the file that sets it at boot
    engines: frozenset[str] = frozenset()  # those that run


def refusal(topic: str, text: str, about: str = "") -> Finding:
    """An error of the engine: it ends with what to do, and mostly begins with what it is about."""
    rest, _semicolon, fix = text.rpartition("; ")
    what, _colon, why = rest.partition(": ")
    if about:
        what, why = about, rest[len(about) :].lstrip(": ") if rest.startswith(about) else rest
    return Finding(topic, CONFLICT, what, why, fix) if rest else Finding(topic, CONFLICT, text)


def warned(topic: str, text: str) -> Finding:
    """A warning of the engine."""
    what, _colon, why = text.partition(": ")
    return Finding(topic, NOTICE, what, why, "the task goes on")


# --- whose it is ---


def owner(link: Link, others: Others) -> str:
    """Who made a link that is not ours, as far as that can be told; "" where nobody is known."""
    if link.name in others.bridges:
        return others.bridges[link.name]
    by_name = next((engine for names, engine in _NAMES.items() if re.fullmatch(names, link.name)), "")
    # A name alone proves nothing: Docker's is also what a person may have chosen.
    if by_name and (by_name in others.engines or by_name == "LXC"):
        return by_name
    return others.managers.get(link.index or 0, "")


def owners(current: Host, resources: Iterable[Resource], others: Others) -> Iterator[Finding]:
    """The links in the way, and the bridges that are joined, which are somebody else's."""
    links = current.namespaces[HOST].links
    named: dict[str, str] = {}
    for resource in resources:
        for kind, key in resource.owns() if resource.present else ():
            place, _slash, name = key.partition("/")
            if kind == "link" and not place:
                named.setdefault(name, resource.what)
    for resource in resources:
        if isinstance(resource, BridgePort) and resource.present and not resource.namespace:
            if resource.master not in named:
                yield from _joined(resource, links, others)
            yield from _moved(resource, links, others)
    for name, what in named.items():
        found = links.get(name)
        if found is None:
            continue
        whose = owner(found, others)
        manager = others.managers.get(found.index or 0, "")
        if _labels.parse(found.label or "") is None and whose:
            yield Finding("owner", NOTICE, what, f"{name} belongs to {whose}", "it is changed as declared")
        elif manager and _labels.parse(found.label or "") is not None:
            why = f"{manager} manages it, and may take away what is declared"
            yield Finding("owner", NOTICE, what, why, f"tell {manager} to leave it alone; the role lab_host does that")


def _joined(port: BridgePort, links: Mapping[str, Link], others: Others) -> Iterator[Finding]:
    """A bridge that nobody declares here."""
    bridge, link = links.get(port.master), links.get(port.name)
    if bridge is None or _labels.parse(bridge.label or "") is not None:
        return
    severity = OK if link is not None and link.master == port.master else NOTICE
    why = f"it joins {port.master}, which belongs to {owner(bridge, others) or 'somebody else'}"
    yield Finding("owner", severity, port.what, why, "the bridge itself is neither labelled nor changed")


def _moved(port: BridgePort, links: Mapping[str, Link], others: Others) -> Iterator[Finding]:
    """A port that leaves the bridge of somebody else."""
    link = links.get(port.name)
    former = links.get(link.master or "") if link is not None and link.master != port.master else None
    if link is None or former is None or _labels.parse(link.label or "") is not None:
        return
    why = f"it is a port of {former.name}, which belongs to {owner(former, others) or 'somebody else'}"
    yield Finding("owner", NOTICE, port.what, why, f"it is taken out there, and joins {port.master}")


# --- the firewall ---


def firewall(current: Host, predicted: Host, operations: Sequence[Operation]) -> Iterator[Finding]:
    """Where the host drops what is declared, and which entry of ours in its own chains lets it pass."""
    entries = predicted.firewall.entries
    forwards = any(isinstance(entry, Element) and entry.set in ("accepted", "bridges") for entry in entries)
    masquerades = bool(_masquerade.found(entries))
    new = {operation.rule: operation for operation in operations if isinstance(operation, AddRule)}
    for gate in current.firewall.gates or ():
        what = f"{gate.program}: chain {gate.chain}"
        why = "Docker has its users' rules there" if gate.chain == "DOCKER-USER" else "drops what the host forwards"
        if gate in new:
            done = f"one rule with our comment goes there, and goes with the last network: {new[gate].commands()[0]}"
            yield Finding("firewall", NOTICE, what, why, done)
        elif gate in entries:
            yield Finding("firewall", OK, what, why, "our rule stands there")
        elif masquerades and not forwards:
            done = "nothing: masquerade alone opens no way; declare forward entries (in the role: isolation)"
            yield Finding("firewall", NOTICE, what, why, done)
    if current.firewall.zones is not None:
        yield from _zones(current, predicted, operations, masquerades and not forwards)
    for kept in (one for one in operations if isinstance(one, KeepRule) and one.verb == "add"):
        what = f"firewalld runs: {kept.rule.program}, chain {kept.rule.chain}"
        why = "by default its reload flushes all of iptables"
        yield Finding("firewalld", NOTICE, what, why, f"it puts our rule back: {kept.commands()[0]}")


def _zones(current: Host, predicted: Host, operations: Sequence[Operation], closed: bool) -> Iterator[Finding]:
    joining = [one for one in operations if isinstance(one, BindInterfaces) and one.verb == "add"]
    why = "it rejects what comes from an interface of no zone"
    for one in joining:
        names = ", ".join(one.interfaces)
        what = f"firewalld runs: {names} {'permanently' if one.permanent else 'now'}"
        yield Finding("firewalld", NOTICE, what, why, f"they join its zone {_firewalld.ZONE}: {one.commands()[0]}")
    if closed:
        done = "nothing: masquerade alone opens no way; declare forward entries (in the role: isolation)"
        yield Finding("firewalld", NOTICE, "firewalld runs", why, done)
    elif not joining:
        yield Finding("firewalld", OK, "firewalld runs", "", f"no bridge has to join its zone {_firewalld.ZONE}")


# --- forwarding ---


def forwarding(current: Host, predicted: Host, operations: Sequence[Operation], others: Others) -> Iterator[Finding]:
    """Whether the host forwards, who else says so, and what the task writes."""
    written = {one.key: one for one in operations if isinstance(one, SetSysctl) and one.namespace == HOST}
    for key in _forwarding.SWITCHES:
        value = predicted.namespaces[HOST].sysctls.get(key)
        if value in (None, "0"):
            continue
        if key in written:
            done = f"{written[key].commands()[0]}; it comes back with the removal of the last object"
            yield Finding("forwarding", NOTICE, f"{key} is {written[key].before}", "networks need it", done)
        boot, path = others.sysctls.get(key, ("", ""))
        if boot == "0" and (key in written or key in current.originals):
            why = f"{path} sets it to 0 at boot, and whenever sysctl.d is read again"
            yield Finding("forwarding", NOTICE, key, why, "it is set for now; take that line out, or run again then")
        elif key not in written:
            yield Finding("forwarding", OK, f"{key} is {value}")


# --- capacity ---


def capacity(predicted: Host) -> Iterator[Finding]:
    """Whether the kernel's limits suffice for what will be."""
    host = predicted.namespaces[HOST]
    ports: dict[str, int] = {}
    for link in host.links.values():
        if link.master:
            ports[link.master] = ports.get(link.master, 0) + 1
    bridge, most = max(ports.items(), key=lambda one: one[1], default=("", 0))
    if most > PORTS * 9 // 10:
        why = f"the kernel allows {PORTS}"
        yield Finding("capacity", NOTICE, f"bridge {bridge!r} has {most} ports", why, "use a second bridge in time")
    elif most:
        yield Finding("capacity", OK, f"bridge {bridge!r} has {most} of {PORTS} ports")
    backlog = _number(host.sysctls.get(BACKLOG))
    if backlog and most > backlog:
        why = f"a broadcast queues a packet for each at once, and {BACKLOG} is {backlog}: the rest is lost"
        done = f"nothing, it is the machine's own; `sysctl -w {BACKLOG}={2 * most}`"
        yield Finding("capacity", NOTICE, f"bridge {bridge!r} has {most} ports", why, done)
    for family, key in NEIGHBOURS.items():
        limit, needed = _number(host.sysctls.get(key)), _addresses(predicted, family)
        if limit and needed > limit * 3 // 4:
            why = f"the host may know each of them as a neighbour, and {key} is {limit}: beyond that connections fail"
            done = f"nothing, it is the machine's own; `sysctl -w {key}={4 * needed}`"
            what = f"{needed} IPv{family} addresses of containers"
            yield Finding("capacity", NOTICE, what, why, done)


def _addresses(host: Host, family: int) -> int:
    """Those inside of namespaces."""
    return sum(
        _names.family(address) == family
        for name, namespace in host.namespaces.items()
        if name != HOST
        for link in namespace.links.values()
        if link.name != "lo"
        for address in link.addresses or ()
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


# --- together ---


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Conflicts first; who owns what is in the way is said with the refusal where there is one."""
    found = list(dict.fromkeys(findings))
    refused = {one.what for one in found if one.severity == CONFLICT}
    whose = {one.what: one.why for one in found if one.topic == "owner"}
    kept = [
        replace(one, why=f"{one.why}: {whose[one.what]}") if one.severity == CONFLICT and one.what in whose else one
        for one in found
        if one.topic != "owner" or one.what not in refused
    ]
    return sorted(kept, key=lambda one: (CONFLICT, NOTICE, OK).index(one.severity))


def drawing(findings: Iterable[Finding]) -> list[str]:
    """Lines for a person: what is a conflict or worth a notice."""
    lines = []
    for one in findings:
        if one.severity != OK:
            why = f": {one.why}" if one.why else ""
            lines += [f"{one.severity}  {one.what}{why}", *([f"          {one.done}"] if one.done else [])]
    return lines
