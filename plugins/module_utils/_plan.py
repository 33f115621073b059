# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""plan(current, resources) -> Plan. Pure: no I/O, no clock, no randomness; every decision is made here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import _guard, _names, _persistence, _sysctl
from ._draft import IPV6_MIN_MTU, Draft, smallest_port
from ._errors import BridgenetError
from ._model import DEFAULTS, HOST, Host, Link, Namespace, place
from ._operation_base import Operation
from ._resources import _masquerade, _publish
from ._resources._base import INSIDE, Resource
from ._resources._persist import Persist
from ._steps import steps

PORTS = 1023  # BR_PORT_BITS, net/bridge/br_private.h: the next one fails with EXFULL


@dataclass(frozen=True)
class Plan:
    """What will be, and the way there."""

    predicted: Host
    operations: tuple[Operation, ...]
    assumed: tuple[str, ...]  # what a real run would miss
    warnings: tuple[str, ...]
    risks: tuple[_guard.Risk, ...]  # what may cut off the person
    going: tuple[
        tuple[int, int], ...
    ]  # inode and seconds to wait of what goes, and of which nobody looked who holds it
    short: bool  # decided on less than the whole host, where the whole host matters


class Refused(BridgenetError):
    """What cannot be had, and why: one resource, or what the whole of them would make of the host."""

    def __init__(self, reasons: Sequence[str], resource: Resource | None = None, predicted: Host | None = None) -> None:
        super().__init__(reasons[0])
        self.reasons = reasons
        self.resource = resource
        self.predicted = predicted


def plan(current: Host, resources: Sequence[Resource], purge: bool = False) -> Plan:
    """Decide. With `purge`, what is stale stands among the resources as absent.

    Refused where the declaration cannot be had; nothing has been changed then.
    """
    _no_twins(resources)
    draft = Draft(current)
    draft.restore = purge or any(not resource.present for resource in resources)
    ordered = sorted(resources, key=_order)
    placed = []
    for resource in ordered:
        placed.append(resource.at(draft.present_key if resource.present else draft.key))
        try:
            placed[-1].predict(draft)
        except BridgenetError as error:
            raise Refused([str(error)], resource) from error
    if any(one is not other for one, other in zip(placed, ordered)):
        _no_twins(placed)  # two names mean the same place
    predicted = draft.finish()
    objections = [
        *_publish.objections(current.firewall.entries, predicted.firewall.entries, resources),
        *_publish.missing(current, predicted, resources),
        *_objections(current, predicted),
    ]
    refusals = [str(one) for one in objections if isinstance(one, BridgenetError)]
    if refusals:
        raise Refused(refusals, predicted=predicted)
    persist = _persistence.asked(resources)
    if persist:
        predicted, doubts = _persisted(current, predicted, resources, persist, draft.assumed)
        draft.warnings += doubts
    return Plan(
        predicted,
        tuple(steps(current, predicted, draft.modules)),
        tuple(draft.assumed),
        (*draft.warnings, *map(str, objections)),
        tuple(_guard.risks(current, predicted)),
        tuple(draft.going.items()),
        _is_short(current, predicted, draft),
    )


def _persisted(
    current: Host, predicted: Host, resources: Sequence[Resource], persist: Persist, assumed: Sequence[str]
) -> tuple[Host, tuple[str, ...]]:
    """The prediction with what brings it back at boot, and warnings."""
    boots, fresh = _persistence.part(resources), _persistence.empty(current, predicted)
    try:
        alone = plan(fresh, boots.resources)
        if alone.assumed and not assumed:
            raise _persistence.missing(alone.assumed)
    except BridgenetError as error:
        raise Refused([str(error)], persist) from error
    boot = _persistence.boot(persist.project, boots, alone.operations, fresh, alone.predicted, predicted)
    return dataclasses.replace(predicted, boots={**predicted.boots, persist.project: boot}), boots.warnings


def _order(resource: Resource) -> tuple[bool, int, int]:
    """Names first, because all else is inside of what they name.

    Then, what goes makes room for what comes; what is only taken off a link goes off the link as it will be.
    """
    return (resource.stage == INSIDE, 1 if resource.present else 0 if resource.deletes else 2, resource.stage)


def _no_twins(resources: Sequence[Resource]) -> None:
    seen: set[str] = set()
    for resource in resources:
        what = resource.what
        if what in seen:
            raise Refused([f"{what} is declared twice; say it once"], resource)
        seen.add(what)
    owners: dict[tuple[str, str], Resource] = {}
    for resource in resources:
        for key in resource.owns():
            if key in owners:
                same = f"{owners[key].what} and {resource.what} are the same {key[0]} {key[1].lstrip('/')!r}"
                raise Refused([f"{same}; give one of them another name"], resource)
            owners[key] = resource


def _is_short(current: Host, predicted: Host, draft: Draft) -> bool:
    """Whether the decision needs to know more than was read: the peer of a veth that goes, what of ours is left."""
    if draft.restore and current.originals:
        return True
    if draft.publishes and current.firewall.gates is None:  # a port goes with its container
        return True
    for name, namespace in current.namespaces.items():
        after = predicted.namespaces.get(name)
        if after is namespace:
            continue
        for link in namespace.links.values():
            new = after.links.get(link.name) if after else None
            if link.kind == "veth" and link.peer is None and (new is None or new.peer is not None):
                return True
    return False


def _objections(current: Host, predicted: Host) -> Iterator[BridgenetError | str]:
    """What no single resource can see: too many ports, networks that overlap. An error refuses, a text warns."""
    for name, namespace in predicted.namespaces.items():
        if namespace is current.namespaces.get(name):
            continue
        yield from _one_way(name, current, namespace)
        yield from _own_interfaces(namespace)
        ports: dict[str, list[Link]] = {}
        for link in namespace.links.values():
            if link.master:
                ports.setdefault(link.master, []).append(link)
        for bridge, members in ports.items():
            if len(members) > PORTS:
                yield BridgenetError(
                    f"bridge {bridge!r} in {place(name)} would have {len(members)} ports, the kernel allows {PORTS}; "
                    "use a second bridge"
                )
            known = current.namespaces.get(name)
            least = min(members, key=lambda link: link.mtu or 0)
            if (
                current.ipv6
                and (least.mtu or 0) < IPV6_MIN_MTU
                and (known is None or smallest_port(known.links, bridge) >= IPV6_MIN_MTU)
            ):
                yield BridgenetError(
                    f"bridge port {least.name!r} in {place(name)}: with its MTU of {least.mtu} the kernel would take "
                    f"IPv6 off bridge {bridge!r}; give it at least {IPV6_MIN_MTU}"
                )
    yield from _masquerade.overlaps(predicted.firewall.entries)
    before, after = current.namespaces[HOST], predicted.namespaces[HOST]
    for link in after.links.values():
        old = before.links.get(link.name)
        if link is old:
            continue
        for address in link.addresses or ():
            if old is None or address not in (old.addresses or ()):
                yield from _overlaps(address, link, list(after.links.values()))


def _own_interfaces(namespace: Namespace) -> Iterator[BridgenetError]:
    """A sysctl of an interface needs that interface."""
    for key in namespace.sysctls if namespace.name != HOST else ():
        interface = _sysctl.of_interface(key)
        if interface and interface not in namespace.links:
            yield BridgenetError(
                f"{place(namespace.name)}: sysctl {key} is for interface {interface!r}, which is not there; correct "
                "the name, or drop the sysctl"
            )


def _one_way(name: str, current: Host, namespace: Namespace) -> Iterator[BridgenetError]:
    """A destination can be reached by one interface only, for each metric; what was there before is not judged."""
    known = current.namespaces.get(name)
    ways: dict[tuple[str, int], list[str]] = {}
    new: set[tuple[str, int]] = set()
    for link in namespace.links.values():
        old = known.links.get(link.name) if known else None
        for route in link.routes or ():
            key = (route.to, route.metric)
            ways.setdefault(key, []).append(link.name)
            if old is None or route not in (old.routes or ()):
                new.add(key)
    for key in new:
        if len(ways[key]) > 1:
            both = " and ".join(repr(link) for link in sorted(ways[key]))
            yield BridgenetError(
                f"route to {key[0]!r} in {place(name)}: both {both} would have it; give one of them another metric"
            )


def _overlaps(address: str, link: Link, links: list[Link]) -> Iterator[BridgenetError | str]:
    """An address whose network the host already reaches in another way."""
    network = _names.network_of(address)
    if network.prefixlen == network.max_prefixlen:
        return
    for other in links:
        if other.name == link.name:
            continue
        for text in other.addresses or ():
            connected = _names.network_of(text)
            if (
                connected.version == network.version
                and connected.prefixlen < connected.max_prefixlen
                and network.overlaps(connected)
            ):
                yield BridgenetError(
                    f"address {address!r} of interface {link.name!r}: its network {network} overlaps {connected}, "
                    f"to which this host is connected by {other.name!r}; choose another subnet"
                )
        for route in other.routes or ():
            if route.to in DEFAULTS:
                continue
            routed = _names.network_of(route.to)
            if routed.version == network.version and network.overlaps(routed):
                yield (
                    f"address {address} of interface {link.name}: its network {network} overlaps {routed}, which "
                    f"this host reaches by {other.name}"
                )
