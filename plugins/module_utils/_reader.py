# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The current state of a host: one dump of links, addresses and routes per namespace, and only what was asked for."""

from __future__ import annotations

import dataclasses
import grp
import os
import pwd
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Callable

from . import (
    _boot,
    _decode,
    _files,
    _firewall,
    _forwarding,
    _known_names,
    _listeners,
    _namespaces,
    _places,
    _sysctl,
    _systemd,
    _tun,
    _unit,
)
from ._kernel import Kernel
from ._known_names import KnownNames
from ._model import DEFAULTS, HOST, NO_IPV6_DEFAULT, Boot, Firewall, Host, Link, Namespace, Qdisc, Route, Service, Vlan
from ._netlink import Socket
from ._places import Places, Wanted
from ._touched import Touched

_SINGLY = 100  # so many links are asked for one by one; more are dumped, with all the others


@dataclass
class Scope(Wanted):
    """What has to be read."""

    everything: bool = False  # all namespaces: for purge, and to know whether anything of ours is left
    sysctls: dict[str, set[str]] = field(default_factory=dict)  # namespace -> keys
    files: set[str] = field(default_factory=set)
    forwarding: set[str] = field(default_factory=set)  # switches that may be turned on
    tuns: bool = False  # who has a tun or tap open
    vlans: bool = False  # of bridges and their ports
    qdiscs: bool = False  # of all links
    qdisc_kinds: set[str] = field(default_factory=set)  # that the kernel must have
    accounts: set[tuple[str, str]] = field(default_factory=set)  # ("user" or "group", name) whose number is needed
    firewall: _firewall.Look = field(default_factory=_firewall.Look)
    enclosed: set[str] = field(default_factory=set)  # namespaces of which all services are asked for
    services: dict[str, str] = field(default_factory=dict)  # name -> the namespace that it is to be in
    ports: set[_listeners.Port] = field(default_factory=set)  # of the host, where sockets may be in the way
    host_addresses: set[str] = field(default_factory=set)  # that the host must have
    names: bool = False  # what namespaces know by name
    lists: set[str] = field(default_factory=set)  # labels of lists of names: also the services of those who know them
    nsids: bool = False  # the ids that the host has for namespaces
    boots: set[str] = field(default_factory=set)  # projects: what brings their networks back at boot
    fresh: bool = False  # what a new namespace begins with, also where all are there

    def add_link(self, namespace: str, link: Link) -> None:
        """What has to be known before a link can be made: whether new ones speak IPv6, unless it is not to."""
        if link.ipv6 is not False:
            self.sysctls.setdefault(namespace, set()).add(NO_IPV6_DEFAULT)


class _Dump:
    """The raw rows of one namespace; of its links only some where the others are known from an earlier dump."""

    def __init__(
        self, kernel: Kernel, namespace: str, scope: Scope, known: _Dump | None = None, links: Set[str] = frozenset()
    ) -> None:
        socket = kernel.socket(namespace)
        self.name = namespace
        self.known = known
        self.rows = known.rows_but(links, socket.links_of(sorted(links))) if known else socket.links()
        self.addresses = socket.addresses()
        ipv6 = any(row.ipv6 and row.name != "lo" for row in self.rows)
        self.routes: dict[int, list[Route]] = {}
        self.defaults: set[int] = set()
        for row in socket.routes(ipv6):
            if row.managed:
                self.routes.setdefault(row.index, []).append(row.route)
            if row.route.to in DEFAULTS:
                self.defaults.add(row.index)
        self.by_index = {row.index: row for row in self.rows}
        self.vlans: dict[int, tuple[Vlan, ...]] | None = None
        if any(row.bridge and (scope.vlans or row.bridge.vlan_filtering) for row in self.rows):
            self.vlans = socket.vlans()
        self.flood = {row.index: socket.flood(row.index) for row in self.rows if row.vxlan}
        self.qdiscs: dict[int, Qdisc] | None = None
        if scope.qdiscs or any(row.qdisc in ("tbf", "netem") for row in self.rows):
            self.qdiscs = socket.qdiscs()

    def rows_but(self, names: Set[str], rows: list[_decode.LinkRow]) -> list[_decode.LinkRow]:
        """The rows, those of some names taken from `rows`, if they are there."""
        anew = {row.index for row in rows}
        return [row for row in self.rows if row.name not in names and row.index not in anew] + rows

    def same_links(self) -> Set[int]:
        """The indices of links of which this tells nothing that the dump before it has not told."""
        if self.known is None or self.vlans is not None or self.qdiscs is not None:
            return frozenset()
        same = {row.index for row in self.rows if row is self.known.by_index.get(row.index)}
        for one in (self, self.known):
            same.difference_update(one.addresses, one.routes, one.defaults, one.flood)
        return same


_Place = tuple[str, int]  # the name and the inode of a namespace


@dataclass
class Seen:
    """What a look at the host has found. The next look takes as it is what is still here."""

    published: dict[str, int] = field(default_factory=dict)
    dumps: dict[_Place, _Dump] = field(default_factory=dict)
    namespaces: dict[_Place, Namespace] = field(default_factory=dict)
    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    names_known: KnownNames | None = None
    firewall: Firewall | None = None
    links: Set[str] | None = None  # of the host, which are asked for again; None is all

    def forget(self, what: Touched) -> None:
        """Whatever a change has touched, and what cannot be told apart from that."""
        gone = what.namespaces
        self.published = {name: inode for name, inode in self.published.items() if name not in what.names}
        self.dumps = {place: dump for place, dump in self.dumps.items() if place[0] not in gone}
        self.namespaces = {place: one for place, one in self.namespaces.items() if place[0] not in gone}
        self.ids = {pair: number for pair, number in self.ids.items() if number >= 0 and gone.isdisjoint(pair)}
        self.links = what.links if len(what.links) <= _SINGLY else None
        if what.names_known:
            self.names_known = None
        if what.firewall:
            self.firewall = None


class _Ids:
    """A namespace's ids of other namespaces (RTM_GETNSID), each asked for once."""

    def __init__(self, kernel: Kernel, known: dict[tuple[str, str], int]) -> None:
        self._kernel = kernel
        self._known = known

    def of(self, viewer: str, other: str) -> int:
        """The id that `viewer` has for `other`, -1 where it has none."""
        key = (viewer, other)
        if key not in self._known:
            self._known[key] = self._kernel.socket(viewer).ids_of([self._kernel.descriptor(other)])[0]
        return self._known[key]

    def of_all(self, others: Iterable[str]) -> None:
        """Ask for those that the host has, all at once; not for a namespace that would have to be opened again."""
        there = [other for other in others if (HOST, other) not in self._known and self._kernel.is_open(other)]
        found = self._kernel.socket(HOST).ids_of([self._kernel.descriptor(other) for other in there])
        self._known.update(((HOST, other), number) for other, number in zip(there, found))

    def are_a_pair(self, one: tuple[str, _decode.LinkRow], other: tuple[str, _decode.LinkRow]) -> bool:
        """Whether ends that tell each other's index also tell each other's namespace; from the host's side, if any."""
        if other[0] == HOST:
            one, other = other, one
        return self.of(one[0], other[0]) == one[1].netnsid

    def seen_from_host(self) -> dict[int, str]:
        """The namespaces that have been asked for, by the ids that the host has for them."""
        return {number: other for (viewer, other), number in self._known.items() if viewer == HOST and number >= 0}


def _peers(ids: _Ids, dumps: Mapping[str, _Dump]) -> dict[tuple[str, int], tuple[str, str]]:
    """(namespace, index) of a veth's end -> (namespace, name) of the other, where both were read.

    Each end tells the other's index, and this namespace's id of the other's namespace. Indices
    begin anew in every namespace, so that it takes both to tell a pair.
    """
    ids.of_all(name for name in dumps if name != HOST)
    found = _peers_of_host(ids, dumps)
    ends: dict[tuple[int, int], list[tuple[str, _decode.LinkRow]]] = {}
    for dump in dumps.values():
        for row in dump.rows:
            if row.kind != "veth" or (dump.name, row.index) in found:
                continue
            if row.netnsid is not None:
                ends.setdefault((row.index, row.link), []).append((dump.name, row))
            elif row.link in dump.by_index:
                found[dump.name, row.index] = (dump.name, dump.by_index[row.link].name)
    for (index, link), some in ends.items():
        for name, row in some:
            for other, far in ends.get((link, index), ()) if (name, index) not in found else ():
                if other != name and (other, link) not in found and ids.are_a_pair((name, row), (other, far)):
                    found[name, index], found[other, link] = (other, far.name), (name, row.name)
                    break
    return found


def _peers_of_host(ids: _Ids, dumps: Mapping[str, _Dump]) -> dict[tuple[str, int], tuple[str, str]]:
    """Both ends of the pairs between the host and another namespace: nearly all of them."""
    names = ids.seen_from_host()
    found = {}
    for row in dumps[HOST].rows:
        name = names.get(row.netnsid) if row.kind == "veth" and row.netnsid is not None else None
        far = dumps[name].by_index.get(row.link) if name and name in dumps else None
        if name and far and far.kind == "veth" and far.link == row.index:
            found[HOST, row.index] = (name, far.name)
            found[name, far.index] = (HOST, row.name)
    return found


def _links(
    dump: _Dump,
    peers: Mapping[tuple[str, int], tuple[str, str]],
    holders: Mapping[str, list[int]],
    known: Mapping[str, Link],
) -> dict[str, Link]:
    """The links of a namespace; of those of which nothing was read again the very same objects."""
    found = {}
    same = dump.same_links()
    for row in dump.rows:
        if row.index in same:
            found[row.name] = known[row.name]
            continue
        master = dump.by_index.get(row.master)
        addresses = dump.addresses.get(row.index, ())
        routes = dump.routes.get(row.index, ())
        found[row.name] = Link.told(
            {
                "name": row.name,
                "kind": row.kind,
                "mac": row.mac,
                "mtu": row.mtu,
                "up": row.up,
                "ipv6": row.ipv6,
                "label": row.alias,
                "master": master.name if master else "",
                "port": row.port,
                "bridge": row.bridge,
                "vlans": dump.vlans.get(row.index, ()) if dump.vlans is not None else None,
                "tun": row.tun,
                "vxlan": row.vxlan,
                "flood": dump.flood.get(row.index),
                "qdisc": dump.qdiscs.get(row.index, Qdisc()) if dump.qdiscs is not None else None,
                "peer": peers.get((dump.name, row.index)),
                "addresses": tuple(sorted([address.address for address in addresses])) if addresses else (),
                "routes": tuple(sorted(routes, key=_route_order)) if routes else (),
                "index": row.index,
                "carries_default": row.index in dump.defaults,
                "lower": _lower(dump, row),
                "secondary": tuple(address.address for address in addresses if address.secondary),
                "persistent": row.persistent,
                "held_by": tuple(holders.get(row.name, (0,))) if _is_open(row) else (),
                "default_pvid": (master or row).default_pvid,
                "altnames": row.altnames,
            }
        )
    return found


def _lower(dump: _Dump, row: _decode.LinkRow) -> str:
    """What a link stands on in the same namespace: the parent of a VLAN or macvlan."""
    if row.kind == "veth" or row.netnsid is not None or row.link == row.index or row.link not in dump.by_index:
        return ""
    return dump.by_index[row.link].name


def _route_order(route: Route) -> tuple[str, str, int]:
    return (route.to, route.via, route.metric)


def read(kernel: Kernel, scope: Scope, seen: Seen | None = None) -> Host:
    """The host as it is now, as far as `scope` asks. What is in `seen` is not read again, what was read is after.

    That is for a second look, at what a change has touched.
    """
    if scope.everything:
        scope.firewall.add_everything()
    seen = seen or Seen()
    if seen.firewall is None:
        with _firewall.reading(kernel.home, scope.firewall) as collect_firewall:
            host = _without_firewall(kernel, scope, seen)
            seen.firewall = collect_firewall()
    else:
        host = _without_firewall(kernel, scope, seen)
    return dataclasses.replace(host, firewall=seen.firewall)


def _without_firewall(kernel: Kernel, scope: Scope, seen: Seen) -> Host:
    """All but what programs tell: they take their time meanwhile."""
    places = _places.find(kernel, scope, seen.published)
    seen.published = dict(places.published)
    for key, path in places.paths.items():
        kernel.locate(key, path)
    inodes = {HOST: _namespaces.inode(kernel.home), **dict(_places.asked(places, scope, scope.everything))}
    dumps = _dumps(kernel, inodes, scope, seen)
    ids = _Ids(kernel, seen.ids)
    peers = _peers(ids, dumps)
    originals = _files.originals()
    holders = (
        _tun.holders() if scope.tuns and any(_is_open(row) for dump in dumps.values() for row in dump.rows) else {}
    )
    wanted = _sysctls_by_place(scope, places)
    namespaces = {}
    for name, dump in dumps.items():
        known = seen.namespaces.get((name, inodes[name]))
        if known is not None and name != HOST:
            namespaces[name] = known
            continue
        keys = sorted(wanted.get(name, ()))
        sysctls: dict[str, str] = {}
        if keys:
            with kernel.inside(name):
                sysctls = _sysctl.read_all(keys) if name == HOST else _sysctl.read_settable(keys)
        if name == HOST:
            sysctls.update(_sysctl.read_all(originals))
            for switch in sorted(scope.forwarding):
                sysctls.update(_switch(switch))
        nsid = ids.of(HOST, name) if scope.nsids else None
        links = _links(dump, peers, holders, known.links if known else {})
        namespaces[name] = Namespace(name, links, sysctls, nsid, inodes[name])
        seen.namespaces[name, inodes[name]] = namespaces[name]
    if seen.names_known is None:
        seen.names_known = _names_known() if scope.names or scope.everything else KnownNames()
    enclosed = scope.enclosed.union(*(seen.names_known.members(label) for label in scope.lists))
    return Host(
        namespaces=namespaces,
        names={name: key for name, key in places.names.items() if key in namespaces},
        adoptees=places.adoptees,
        nsids=_known_ids(kernel, ids, places.names.values()) if scope.nsids else {},
        files={path: _files.read(path) for path in sorted(scope.files)},
        names_known=seen.names_known,
        originals=originals,
        listeners=_listeners.find(scope.ports) if scope.ports else (),
        addresses_missing=_missing_addresses(kernel, scope.host_addresses),
        boots={project: _boot_of(project) for project in sorted(scope.boots)},
        fresh=_fresh(kernel, wanted, {} if scope.fresh else namespaces),
        accounts=_accounts(scope.accounts),
        br_netfilter=_sysctl.exists("net/bridge"),
        filters_vlans=not scope.vlans or _filters_vlans(kernel, dumps),
        qdiscs_missing=_missing_qdiscs(kernel, scope.qdisc_kinds),
        ipv6=_sysctl.exists("net/ipv6"),
        services=_services(kernel, scope, enclosed, places.published),
        systemd=_systemd.is_there(),
    )


def _dumps(kernel: Kernel, inodes: Mapping[str, int], scope: Scope, seen: Seen) -> dict[str, _Dump]:
    found = {}
    for name, inode in inodes.items():
        known = seen.dumps.get((name, inode))
        if known is None or name == HOST:
            try:
                known = _Dump(kernel, name, scope, *((known, seen.links) if known and seen.links is not None else ()))
            except FileNotFoundError:
                continue  # gone since it was listed, or an ordinary file
        found[name] = seen.dumps[name, inode] = known
    return found


def _services(kernel: Kernel, scope: Scope, enclosed: Set[str], published: Mapping[str, int]) -> dict[str, Service]:
    """The services that are asked for, or all that are there."""
    there = _systemd.installed() if scope.everything or enclosed else ()
    inside = [name for name in there if _unit.namespace(_files.read(_unit.path(name))) in enclosed]
    names = sorted({*scope.services, *(there if scope.everything else inside)})
    states = _systemd.states(names) if _systemd.is_there() else {}
    found = {}
    for name in names:
        unit = _files.read(_unit.path(name))
        state = states.get(name, _systemd.STOPPED)
        inode = published.get(_unit.namespace(unit)) if _unit.namespace(unit) else _namespaces.inode(kernel.home)
        found[name] = Service(
            name=name,
            unit=unit,
            active=state.active,
            placed=state.active and _namespaces.inode_of_process(state.pid) == inode,
        )
    return found


def _names_known() -> KnownNames:
    """The files of all namespaces that have some."""
    namespaces = sorted(os.listdir(_known_names.DIRECTORY)) if os.path.isdir(_known_names.DIRECTORY) else ()
    return KnownNames(_contents(namespaces, _known_names.hosts_path), _contents(namespaces, _known_names.resolver_path))


def _contents(namespaces: Iterable[str], path: Callable[[str], str]) -> dict[str, str]:
    """What is in one file of each namespace; neighbours mostly have the same, which is decoded and kept once."""
    found = {}
    last, text = b"", ""
    same: dict[bytes, str] = {}
    for namespace in namespaces:
        data = _files.read_bytes(path(namespace))
        if data != last:
            last, text = data, same.setdefault(data, _files.decoded(data))
        if data:
            found[namespace] = text
    return found


def _boot_of(project: str) -> Boot:
    """What brings the network of a project back at boot."""
    script, unit = _files.read(_boot.script_path(project)), _files.read(_boot.unit_path(project))
    return Boot(script, unit, enabled=_systemd.wanted(_boot.name(project)))


def _is_open(row: _decode.LinkRow) -> bool:
    """Whether a process has a tun or tap open: only then it has a carrier (tun_attach, drivers/net/tun.c)."""
    return row.tun is not None and row.carrier


def _accounts(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The numbers of users and groups of this host, those that are there."""
    found = {}
    for kind, name in wanted:
        try:
            number = pwd.getpwnam(name).pw_uid if kind == "user" else grp.getgrnam(name).gr_gid
        except KeyError:
            continue
        found[kind, name] = str(number)
    return found


def _sysctls_by_place(scope: Scope, places: Places) -> dict[str, set[str]]:
    """The sysctls that are asked for; under whichever names, a namespace is read once."""
    found: dict[str, set[str]] = {}
    for name, keys in scope.sysctls.items():
        adoptee = places.adoptees.get(name)
        place = adoptee.key if adoptee else places.names.get(name, name)
        found.setdefault(place, set()).update(keys)
    return found


def _known_ids(kernel: Kernel, ids: _Ids, places: Iterable[str]) -> dict[int, str]:
    """All ids that the host has for namespaces, and under which name one stands."""
    found = dict.fromkeys(kernel.socket(HOST).namespace_ids(), "")
    for place in dict.fromkeys(places):
        try:
            number = ids.of(HOST, place)
        except FileNotFoundError:
            continue  # gone since it was listed
        if number >= 0:
            found[number] = place
    return found


def _fresh(kernel: Kernel, wanted: Mapping[str, set[str]], namespaces: Mapping[str, Namespace]) -> dict[str, str]:
    """What a namespace that is still to be made has to begin with."""
    keys = {key for name, asked in wanted.items() if name != HOST and name not in namespaces for key in asked}
    if not keys:
        return {}
    with _namespaces.scratch(kernel.home):
        return _sysctl.read_settable(sorted(keys))


def _filters_vlans(kernel: Kernel, dumps: Mapping[str, _Dump]) -> bool:
    """Whether bridges of this kernel can filter VLANs: any bridge shows it, or else one that is made for it."""
    for dump in dumps.values():
        for row in dump.rows:
            if row.bridge:
                return row.default_pvid is not None
    return kernel.can("filter VLANs", Socket.can_filter_vlans)


def _missing_addresses(kernel: Kernel, asked: Set[str]) -> frozenset[str]:
    return _listeners.missing(asked, kernel.socket(HOST).local_addresses()) if asked else frozenset()


def _missing_qdiscs(kernel: Kernel, kinds: Iterable[str]) -> frozenset[str]:
    """Of some kinds of queueing disciplines, those that this kernel lacks."""
    return frozenset(kind for kind in kinds if not kernel.can(kind, partial(Socket.knows_qdisc, kind=kind)))


def _switch(switch: str) -> dict[str, str]:
    """A forwarding switch; what follows it only where it is off and may be turned on."""
    found = _sysctl.read_all([switch])
    if found.get(switch) == "0":
        interfaces = _sysctl.interfaces("ipv4" if switch == _forwarding.SWITCH4 else "ipv6")
        found.update(_sysctl.read_all(_forwarding.followers(switch, interfaces)))
        if switch == _forwarding.SWITCH6:
            found.update(_sysctl.read_all(_forwarding.router_advertisements(interfaces)))
    return found
