# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one state of a host to another, as operations in an order that the kernel accepts. Pure.

What the kernel would take away silently - routes of a link that goes down, secondary
addresses of a deleted primary - is taken away explicitly before, so that undoing the
operations in reverse restores it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from . import _forwarding, _known_names, _names, _namespaces, _sysctl
from ._announcements import announcements
from ._boot_steps import boot_steps
from ._draft import IPV6_MIN_MTU, NEW_LOOPBACK, smallest_port, switched
from ._firewall_steps import firewall_steps, guarding_steps
from ._known_names import KnownNames
from ._model import (
    HOST,
    NO_IPV6_ALL,
    BridgeOptions,
    Host,
    Link,
    Namespace,
    PortOptions,
    Route,
    TunOptions,
    is_another,
    new_links_speak_ipv6,
    new_port,
    spoken,
)
from ._operation_base import Operation
from ._operations import (
    AddAddress,
    AddRoute,
    AttachNamespace,
    CreateBridge,
    CreateNamespace,
    CreateVeth,
    DelAddress,
    DeleteLinks,
    DeleteNamespace,
    DelRoute,
    LoadModule,
    RecordOriginals,
    SetBridge,
    SetLink,
    SetNsid,
    SetPort,
    SetSysctl,
    WriteFile,
)
from ._operations_names import WriteNames
from ._operations_qdisc import qdisc_steps
from ._operations_tun import CreateTun
from ._operations_vlan import vlan_steps
from ._operations_vxlan import CreateVxlan, flood_steps
from ._services import service_steps

End = tuple[str, str]  # namespace, name
RouteKey = tuple[str, str, int]  # namespace, destination, metric: what only one link can have
Ops = list[Operation]

_DISABLE_IPV6 = "net/ipv6/conf/{}/disable_ipv6"
_FIELDS = ("master", "mac", "mtu", "label", "up")


def steps(current: Host, predicted: Host, modules: list[str]) -> Ops:
    """All operations from `current` to `predicted`."""
    work = _Work(current, predicted)
    old_sysctls, new_sysctls = _sysctls(current, HOST), _sysctls(predicted, HOST)
    moved = [name for name, key in current.names.items() if predicted.names.get(name, key) != key]
    gone = [name for name in current.names if name not in predicted.names]
    record: Ops = []
    if current.originals != predicted.originals:
        record.append(
            RecordOriginals(tuple(sorted(current.originals.items())), tuple(sorted(predicted.originals.items())))
        )
    settings: Ops = [LoadModule(name) for name in modules]
    settings += [
        WriteFile(path, current.files[path], text)
        for path, text in predicted.files.items()
        if text != current.files[path]
    ]
    opened, closed, others = _by_loopback(new_sysctls)
    # Where there was none, it is one of a link that is still to come.
    later = {key: value for key, value in others.items() if key not in old_sysctls and _sysctl.of_interface(key)}
    now = {key: value for key, value in others.items() if key not in later}
    settings += _sysctl_steps(HOST, old_sysctls, now)

    # The record of what was there before goes before the first write, and goes away only after the last.
    giving_back = bool(current.originals) and not predicted.originals
    shrinks = set(predicted.originals) < set(current.originals)
    guarded, published, unguarded = guarding_steps(current.firewall, predicted.firewall)
    operations: Ops = guarded if giving_back else [*guarded, *([] if shrinks else record), *settings]
    before_links, after_links = service_steps(current, predicted)
    operations += before_links
    operations += _names_steps(current.names_known, predicted.names_known)
    operations += work.removed_first
    operations += work.given_up
    operations += [DeleteNamespace(name) for name in moved]
    operations += work.adoptions
    operations += work.builds
    operations += work.second_names
    operations += work.updates
    operations += _sysctl_steps(HOST, {}, later)
    operations += _sysctl_steps(HOST, old_sysctls, closed)
    operations += published
    operations += firewall_steps(current.firewall, predicted.firewall)
    operations += _sysctl_steps(HOST, old_sysctls, opened)
    operations += after_links
    operations += work.removed_last
    operations += [DeleteNamespace(name) for name in gone]
    operations += unguarded
    operations += boot_steps(current, predicted)
    operations += announcements(current, predicted)
    if giving_back:
        operations += settings
    if shrinks:
        operations += record
    return operations


def _by_loopback(sysctls: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Those that open and that close a way to the host's loopback, and the others.

    The interface has to be there, and as long as the way is open our guard has to stand.
    """
    found: tuple[dict[str, str], dict[str, str], dict[str, str]] = ({}, {}, {})
    for key, value in sysctls.items():
        found[2 if not key.endswith("/route_localnet") else 0 if value == "1" else 1][key] = value
    return found


def _names_steps(before: KnownNames, after: KnownNames) -> Ops:
    """One operation for all files that change."""
    found: list[tuple[str, str, str]] = []
    for path, old, new in (
        (_known_names.hosts_path, before.hosts, after.hosts),
        (_known_names.resolver_path, before.resolvers, after.resolvers),
    ):
        for namespace, text in sorted(new.items()):
            known = old.get(namespace, "")
            if text != known:
                found.append((path(namespace), known, text))
    return [WriteNames(tuple(found))] if found else []


def _sysctls(host: Host, namespace: str) -> Mapping[str, str]:
    return host.namespaces[namespace].sysctls


def _sysctl_steps(namespace: str, before: Mapping[str, str], after: Mapping[str, str]) -> Ops:
    """Switches first after what must precede them; their followers only where the kernel would set another value."""
    values = dict(before)
    found: Ops = []

    def rank(key: str) -> tuple[int, str]:
        # accept_ra is 2 as long as the host forwards: before it begins, and until it has ended.
        early = key.endswith("/accept_ra") and after[key] == "2"
        return (0 if early else 1 if key in _forwarding.SWITCHES else 2, key)

    for key in sorted(after, key=rank):
        value = after[key]
        if values.get(key) == value:
            continue
        followers = tuple((name, values[name]) for name in sorted(_forwarding.effects(values, key, value)))
        found.append(SetSysctl(namespace, key, values.get(key, value), value, followers))
        _forwarding.write(values, key, value)
    return found


def _with_each_link(links: Mapping[str, Link], changes: Ops) -> Ops:
    """Undone, the switch of IPv6 for a whole namespace gives each link its own back."""
    own = tuple((_DISABLE_IPV6.format(link.name), str(int(not link.ipv6))) for link in links.values())
    return [
        dataclasses.replace(one, followers=own) if isinstance(one, SetSysctl) and one.key == NO_IPV6_ALL else one
        for one in changes
    ]


def _at(host: Host, end: End) -> Link:
    """A link that is there."""
    return host.namespaces[end[0]].links[end[1]]


class _Work:
    """The links and namespaces: what is removed first, built, updated, removed last."""

    def __init__(self, current: Host, predicted: Host) -> None:
        self._current, self._predicted = current, predicted
        self.removed_first: Ops = []
        self.given_up: Ops = []
        self.adoptions: Ops = []
        self.second_names: Ops = []
        self.builds: Ops = []
        self.updates: Ops = []
        self.removed_last: Ops = []
        self._raise: Ops = []  # bridges come up when their ports have joined
        self._created: set[str] = set()

        gone, new, kept = self._sort()
        # What stands in the way goes first: a link of the same name, with the same route, or with the same VNI.
        needed: set[object] = {*new, *self._new_routes([*new, *kept])}
        needed.update((end[0], _at(predicted, end).vni) for end in new if _at(predicted, end).vni)
        recreated: set[End] = set()
        for end in gone:
            link = _at(current, end)
            if not needed.isdisjoint([end, link.peer, (end[0], link.vni), *_route_keys(end, link)]):
                recreated.update([end, link.peer] if link.peer else [end])
        self.removed_first = self._releases(kept, recreated) + self._deletions(gone, recreated)
        self.removed_last = self._deletions([end for end in gone if end not in recreated], None)
        self._attach()
        self._build(new)
        anew: dict[str, set[str]] = {}  # these begin with the kernel's values
        for where, link_name in new:
            anew.setdefault(where, set()).add(link_name)
        for name, namespace in predicted.namespaces.items():
            known = current.namespaces.get(name)
            if name != HOST and known is not None and known is not namespace:
                fresh = anew.get(name, set())
                stay = {key: one for key, one in known.sysctls.items() if _sysctl.of_interface(key) not in fresh}
                changed = _with_each_link(known.links, _sysctl_steps(name, stay, namespace.sysctls))
                # New links of the namespace begin as it says then.
                on = [
                    one for one in changed if isinstance(one, SetSysctl) and one.key == NO_IPV6_ALL and one.after == "0"
                ]
                self.builds[:0] = on
                self.updates += [one for one in changed if one not in on]
        # Bridges last: the kernel adjusts their MTU while ports come and go.
        changes: Ops = []
        for end in sorted(kept, key=self._is_bridge):
            if spoken(end[0]) != end[0]:  # while commands can still name it
                self.removed_first += update(end[0], _at(current, end), _at(predicted, end), current.ipv6)
                continue
            changes += update(end[0], self._released(end, recreated), _at(predicted, end), current.ipv6)
        # What a link gives up another one may take: a default route above all.
        self.given_up = [operation for operation in changes if isinstance(operation, (DelRoute, DelAddress))]
        self.updates += [operation for operation in changes if not isinstance(operation, (DelRoute, DelAddress))]
        self.updates += self._raise
        self.updates += self._held_mtus()

    def _released(self, end: End, recreated: set[End]) -> Link:
        """A link that stays, as it is when bridges that are in the way have gone, and IPv6 has been switched on."""
        link = _at(self._current, end)
        if (end[0], link.master) in recreated:
            link = link.but(master="", port=None, vlans=None)
        off, on = (_sysctls(host, end[0]).get(NO_IPV6_ALL, "0") for host in (self._current, self._predicted))
        return switched(link, ipv6=True) if off != "0" and on == "0" else link

    def _releases(self, kept: list[End], recreated: set[End]) -> Ops:
        """Their ports leave such bridges first: undone, they come back after them."""
        found: Ops = []
        for end in kept:
            link = _at(self._current, end)
            if (end[0], link.master) in recreated:
                found += update(end[0], link, link.but(master="", port=None, vlans=None), self._current.ipv6)
        return found

    @staticmethod
    def _link(host: Host, end: End) -> Link | None:
        namespace = host.namespaces.get(end[0])
        return namespace.links.get(end[1]) if namespace else None

    def _sort(self) -> tuple[list[End], list[End], list[End]]:
        """The ends that go, that come, and that stay but differ; a veth with another peer goes and comes."""
        gone: list[End] = []
        new: list[End] = []
        kept: list[End] = []
        for name, namespace in self._current.namespaces.items():
            after = self._predicted.namespaces.get(name)
            if after is namespace:
                continue
            for link in namespace.links.values():
                other = after.links.get(link.name) if after else None
                if other is link:
                    continue
                if other is None or is_another(link, other):
                    gone.append((name, link.name))
                else:
                    kept.append((name, link.name))
        for name, namespace in self._predicted.namespaces.items():
            before = self._current.namespaces.get(name)
            if before is namespace:
                continue
            for link in namespace.links.values():
                old = before.links.get(link.name) if before else None
                if old is None or (old is not link and is_another(old, link)):
                    new.append((name, link.name))
        return gone, new, kept

    def _new_routes(self, ends: list[End]) -> set[RouteKey]:
        """The routes that links get."""
        found: set[RouteKey] = set()
        for end in ends:
            before, after = self._link(self._current, end), _at(self._predicted, end)
            there = set() if before is None or is_another(before, after) else _route_keys(end, before)
            found |= _route_keys(end, after) - there
        return found

    def _is_bridge(self, end: End) -> bool:
        link = self._link(self._predicted, end)
        return bool(link and link.kind == "bridge")

    def _held_mtus(self) -> Ops:
        """A declared MTU of a bridge, again, where the kernel may have lowered it for a new port."""
        found: Ops = []
        for name, after in self._predicted.namespaces.items():
            before = self._current.namespaces.get(name)
            if before is None or before is after:
                continue
            for link in after.links.values():
                old = before.links.get(link.name)
                if link.kind != "bridge" or old is None or old.mtu != link.mtu:
                    continue
                smallest = smallest_port(after.links, link.name)
                if smallest != link.mtu and smallest != smallest_port(before.links, link.name):
                    found.append(SetLink(name, link.name, (("mtu", link.mtu),), (("mtu", link.mtu),)))
        return found

    def _deletions(self, gone: list[End], only: set[End] | None) -> Ops:
        """One deletion per pair, from the end whose namespace stays; what goes with its namespace needs none."""
        by_namespace: dict[str, list[Link]] = {}
        done: set[End] = set()
        all_gone = set(gone)
        for end in gone:
            if end in done or (only is not None and end not in only):
                continue
            chosen = end
            peer = _at(self._current, end).peer
            if peer in all_gone and peer is not None:
                done.add(peer)
                chosen = min((end, peer), key=self._handle)
            done.add(end)
            if chosen[0] in self._predicted.namespaces:
                by_namespace.setdefault(chosen[0], []).append(_at(self._current, chosen))
        found: Ops = []
        for namespace, links in by_namespace.items():
            again: Ops = []
            for link in sorted(links, key=lambda one: one.kind != "bridge"):
                again += self._again(namespace, link)
            found.append(DeleteLinks(namespace, tuple(link.name for link in links), tuple(again)))
        return found

    def _handle(self, end: End) -> tuple[bool, bool, bool]:
        """By which end to delete a pair: one whose namespace stays, in the host, with the label."""
        return (end[0] not in self._predicted.namespaces, end[0] != HOST, not _at(self._current, end).label)

    def _again(self, namespace: str, link: Link) -> Ops:
        """What makes a deleted link anew, with all that it had."""
        own = self._own_sysctls(namespace, link)
        if link.kind == "bridge":
            made = _new_bridge(namespace, link)
            return made + _raised(namespace, link, 1500, self._starts(self._current, namespace)) + own
        far = self._link(self._current, link.peer) if link.peer else None
        if link.kind == "veth" and far is not None and link.peer is not None:
            starts = (self._starts(self._current, namespace), self._starts(self._current, link.peer[0]))
            pair = _new_pair(namespace, link, link.peer[0], far, starts, self._current.ipv6)
            return pair + own + self._own_sysctls(link.peer[0], far)
        if link.tun is not None:
            return _new_tun(namespace, link, link.tun, self._starts(self._current, namespace), self._current.ipv6) + own
        if link.vxlan is not None:
            return _new_vxlan(namespace, link, self._starts(self._current, namespace), self._current.ipv6) + own
        return []

    def _own_sysctls(self, namespace: str, link: Link) -> Ops:
        """The known settings of an interface, which a new one of its name does not have."""
        sysctls = self._current.namespaces[namespace].sysctls
        return _sysctl_steps(
            namespace, {}, {key: value for key, value in sysctls.items() if _sysctl.of_interface(key) == link.name}
        )

    def _build(self, new: list[End]) -> None:
        pending = dict.fromkeys(new)  # a set in the order of the declaration
        for name in dict.fromkeys(namespace for namespace, _name in new):
            if self._predicted.namespaces[name].nsid is not None:  # before a pair has the kernel give it to another one
                self._namespace(name)
        for end in new:
            link = _at(self._predicted, end)
            if link.kind == "bridge" and link.mac and end[0] in self._current.namespaces:
                self._bridge(end, link, pending)
        for end in new:
            if end not in pending:
                continue
            link = _at(self._predicted, end)
            self._namespace(end[0])
            if link.tun is not None or link.vxlan is not None:
                pending.pop(end)
                self._need_bridge(end[0], link, pending)
                starts = self._starts(self._predicted, end[0])
                if link.tun is not None:
                    self.builds += _new_tun(end[0], link, link.tun, starts, self._current.ipv6)
                else:
                    self.builds += _new_vxlan(end[0], link, starts, self._current.ipv6)
            elif not link.mac:  # check mode assumes that an earlier task makes this link
                bare = link.but(master="", port=None, vlans=None, qdisc=None, addresses=(), routes=())
                self.updates += update(end[0], bare, link, self._current.ipv6)
            elif link.kind == "bridge":
                self._bridge(end, link, pending)
            elif link.peer:
                self._pair(end, link, link.peer, pending)

    def _pair(self, end: End, link: Link, far_end: End, pending: dict[End, None]) -> None:
        far = _at(self._predicted, far_end)
        for one in (end, far_end):
            pending.pop(one, None)
        near_end, near = end, link
        # From the host's side: from inside a namespace a command has no name for the host.
        if (near_end[0] != HOST, not near.label) > (far_end[0] != HOST, not far.label):
            near_end, near, far_end, far = far_end, far, near_end, near
        for (namespace, _name), side in ((near_end, near), (far_end, far)):
            self._namespace(namespace)
            self._need_bridge(namespace, side, pending)
        starts = (self._starts(self._predicted, near_end[0]), self._starts(self._predicted, far_end[0]))
        self.builds += _new_pair(near_end[0], near, far_end[0], far, starts, self._current.ipv6)

    def _starts(self, host: Host, namespace: str) -> bool:
        """Whether a new link in a namespace of `host` speaks IPv6 at first."""
        return new_links_speak_ipv6(self._current, namespace, host.namespaces[namespace].sysctls)

    def _need_bridge(self, namespace: str, link: Link, pending: dict[End, None]) -> None:
        """A new bridge of a new namespace has to be there before its first port."""
        if link.master and (namespace, link.master) in pending:
            self._bridge((namespace, link.master), _at(self._predicted, (namespace, link.master)), pending)

    def _bridge(self, end: End, link: Link, pending: dict[End, None]) -> None:
        pending.pop(end, None)
        self.builds += _new_bridge(end[0], link)
        mtu = smallest_port(self._predicted.namespaces[end[0]].links, link.name)
        self._raise += _raised(end[0], link, mtu, self._starts(self._predicted, end[0]))

    def _attach(self) -> None:
        """Names for what exists: those by which commands name it go first."""
        for name, key in self._predicted.names.items():
            created = key == name and key not in self._current.namespaces
            if created or self._current.names.get(name) == key:
                continue
            adoptee = self._predicted.adoptees.get(name)
            if adoptee:
                attach = AttachNamespace(name, key, adoptee.path, adoptee.pid)
            else:
                attach = AttachNamespace(name, key, _namespaces.path(key))
            (self.adoptions if key == name else self.second_names).append(attach)
        for name, after in self._predicted.namespaces.items():
            before = self._current.namespaces.get(name)
            if before is None or before is after or after.nsid is None:
                continue
            if before.nsid != after.nsid:
                self.adoptions.append(SetNsid(HOST, name, after.nsid))

    def _namespace(self, name: str) -> None:
        if name in self._current.namespaces or name in self._created:
            return
        self._created.add(name)
        namespace: Namespace = self._predicted.namespaces[name]
        loopback = namespace.links["lo"]
        if not loopback.label:
            return  # check mode assumes that an earlier task makes it
        self.builds.append(CreateNamespace(name, loopback.label or "", bool(loopback.up)))
        if namespace.nsid is not None:  # the first pair would have the kernel choose one
            self.builds.append(SetNsid(HOST, name, namespace.nsid))
        made = NEW_LOOPBACK.but(label=loopback.label, up=loopback.up, ipv6=self._current.ipv6)
        later = {key: value for key, value in namespace.sysctls.items() if _sysctl.of_interface(key)}
        now = {key: value for key, value in namespace.sysctls.items() if key not in later}
        self.builds += _sysctl_steps(name, self._current.fresh, now)
        self.updates += _sysctl_steps(name, {}, later)
        self.builds += update(name, made, loopback, self._current.ipv6)


def _route_keys(end: End, link: Link) -> set[RouteKey]:
    return {(end[0], route.to, route.metric) for route in link.routes or ()}


def _new_pair(namespace: str, near: Link, far_namespace: str, far: Link, starts: tuple[bool, bool], ipv6: bool) -> Ops:
    """A pair and all that its ends have; the far end comes up last, so that nothing is said before IPv6 is off.

    `starts` is whether each end speaks IPv6 at first, `ipv6` whether the kernel does.
    """
    made = near.but(
        ipv6=starts[0], label="", port=_after_joining(near), vlans=None, qdisc=None, addresses=(), routes=()
    )
    made_far = far.but(
        up=False, ipv6=starts[1], label="", master="", port=None, vlans=None, qdisc=None, addresses=(), routes=()
    )
    settle_near = update(namespace, made, near.but(addresses=(), routes=()), ipv6)
    rest_of_near = update(namespace, near.but(addresses=(), routes=()), near, ipv6)
    return [
        CreateVeth(namespace, near, far_namespace, far),
        *settle_near,
        *update(far_namespace, made_far, far, ipv6),
        *rest_of_near,
    ]


def _new_tun(namespace: str, link: Link, options: TunOptions, starts: bool, ipv6: bool) -> Ops:
    """A tun or tap and all that it has."""
    found: Ops = [CreateTun(namespace, link.name, options)]
    if link.mac:  # the kernel gives a tap any, which nothing can go back to
        found.append(SetLink(namespace, link.name, (("mac", link.mac),), (("mac", link.mac),)))
    bare = link.but(
        mtu=1500,
        up=False,
        ipv6=starts,
        label="",
        master="",
        port=None,
        vlans=None,
        qdisc=None,
        addresses=(),
        routes=(),
    )
    return found + update(namespace, bare, link, ipv6)


def _new_vxlan(namespace: str, link: Link, starts: bool, ipv6: bool) -> Ops:
    """A VXLAN link and all that it has."""
    bare = link.but(
        up=False, ipv6=starts, label="", master="", port=None, vlans=None, qdisc=None, flood=(), addresses=(), routes=()
    )
    return [CreateVxlan(namespace, link), *update(namespace, bare, link, ipv6)]


def _after_joining(link: Link) -> PortOptions | None:
    return new_port(link) if link.master else None


def _new_bridge(namespace: str, link: Link) -> Ops:
    found: Ops = [CreateBridge(namespace, link)]
    if link.label:
        found.append(SetLink(namespace, link.name, (("label", ""),), (("label", link.label),)))
    return found


def _raised(namespace: str, link: Link, mtu: int, starts: bool) -> Ops:
    """The rest of a new bridge, whose MTU its ports have made `mtu` and which `starts` with or without IPv6."""
    made = link.but(
        up=False, mtu=mtu, ipv6=starts, vlans=None, qdisc=None, addresses=(), routes=(), master="", port=None
    )
    return update(namespace, made, link, starts or bool(link.ipv6))


def update(namespace: str, before: Link, after: Link, kernel_ipv6: bool) -> Ops:
    """From one state of a link to another, of the same link."""
    name = after.name
    routes_before, routes_after = before.routes or (), after.routes or ()
    gone, new = _address_changes(before, after)
    fields = [field for field in _FIELDS if getattr(before, field) != getattr(after, field)]
    # Routes that the kernel would take away silently: take them away explicitly, and put them back.
    disturbed = _disturbed(before, after, gone, new)
    keep = {route for route in routes_after if _family(route) not in disturbed}
    there = {route for route in routes_before if _family(route) not in disturbed}
    found: Ops = [DelRoute(namespace, name, route) for route in _deletion_order(routes_before) if route not in keep]
    found += [DelAddress(namespace, name, address) for address in gone]
    ipv6_steps = _ipv6_steps(namespace, before, after, kernel_ipv6)
    coming_up = bool(after.up) and not before.up
    if coming_up and not after.ipv6 and (before.mtu or 0) >= IPV6_MIN_MTU:
        found += ipv6_steps  # before the first packet
        ipv6_steps = []
    if fields:
        old = tuple((field, getattr(before, field)) for field in fields)
        again: Ops = []
        if "master" in fields and before.port is not None:
            again = _option_steps(SetPort, PortOptions, namespace, name, new_port(before), before.port)
            again += vlan_steps(namespace, None, before)
        if (after.mtu or 0) < IPV6_MIN_MTU <= (before.mtu or 0):
            again += _ipv6_steps(namespace, before=after, after=before, kernel_ipv6=kernel_ipv6)
        new_values = tuple((field, getattr(after, field)) for field in fields)
        found.append(SetLink(namespace, name, old, new_values, tuple(again)))
    found += ipv6_steps
    if after.port is not None:
        base = _after_joining(after) if before.master != after.master or before.port is None else before.port
        found += _option_steps(SetPort, PortOptions, namespace, name, base, after.port)
    joins = before.master != after.master
    found += vlan_steps(namespace, None if joins else before.vlans, after)
    if after.bridge is not None and before.bridge is not None:
        found += _option_steps(SetBridge, BridgeOptions, namespace, name, before.bridge, after.bridge)
    found += qdisc_steps(namespace, before.qdisc, after)
    found += flood_steps(namespace, before.flood, after)
    # Addresses and routes come when the link is up: the far end of a veth, above all.
    first = next((address for address in new if _names.family(address) == 4), "") if 4 in disturbed else ""
    found += [AddAddress(namespace, name, address, address == first) for address in new]
    found += [AddRoute(namespace, name, route) for route in _creation_order(routes_after) if route not in there]
    return found


def _family(route: Route) -> int:
    return _names.family(route.to + route.via)


def _disturbed(before: Link, after: Link, gone: list[str], new: list[str]) -> set[int]:
    """The families of which the kernel flushes all routes of a link: when it goes down, when IPv6 is switched off,
    and when the last IPv4 address goes (fib_disable_ip, net/ipv4/fib_frontend.c), be it by the undo of the first."""
    if before.up and not after.up:
        return {4, 6}
    found = {6} if before.ipv6 and not after.ipv6 else set()
    ipv4 = {address for address in before.addresses or () if _names.family(address) == 4}
    if ipv4.issubset(gone) and (ipv4 or any(_names.family(address) == 4 for address in new)):
        found.add(4)
    return found


def _creation_order(routes: tuple[Route, ...]) -> list[Route]:
    """On-link routes first: a next hop may need one."""
    return sorted(routes, key=lambda route: bool(route.via))


def _deletion_order(routes: tuple[Route, ...]) -> list[Route]:
    return list(reversed(_creation_order(routes)))


def _address_changes(before: Link, after: Link) -> tuple[list[str], list[str]]:
    """What to delete, secondaries first, and what to add.

    Deleting a primary IPv4 address takes its secondaries along (unless promote_secondaries is 1),
    so those that stay are deleted and added, too.
    """
    old, wanted = before.addresses or (), after.addresses or ()
    gone = {address for address in old if address not in wanted}
    secondary = before.secondary or ()
    losing_ipv6 = (before.up and not after.up) or (before.ipv6 and not after.ipv6)
    for address in old:
        if _names.family(address) == 6:
            if losing_ipv6:
                gone.add(address)
        elif address in secondary and any(
            _names.family(other) == 4 and other not in wanted and _names.network_of(other) == _names.network_of(address)
            for other in old
        ):
            gone.add(address)
    ordered = sorted(gone, key=lambda address: (address not in secondary, address))
    return ordered, [address for address in wanted if address not in old or address in gone]


def _ipv6_steps(namespace: str, before: Link, after: Link, kernel_ipv6: bool) -> Ops:
    if not kernel_ipv6 or (after.mtu or 0) < IPV6_MIN_MTU:
        return []
    was = True if before.mtu and before.mtu < IPV6_MIN_MTU else bool(before.ipv6)
    if was == bool(after.ipv6):
        return []
    return [SetSysctl(namespace, _DISABLE_IPV6.format(after.name), str(int(not was)), str(int(not after.ipv6)))]


def _option_steps(operation: type, options: type, namespace: str, name: str, before: object, after: object) -> Ops:
    """One message with the options that differ."""
    old, new = before.__dict__, after.__dict__
    changed = [field for field, value in new.items() if value is not None and old[field] != value]
    if not changed:
        return []
    first = options(**{field: old[field] for field in changed})
    second = options(**{field: new[field] for field in changed})
    return [operation(namespace, name, first, second)]
