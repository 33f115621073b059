# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The current state of a host: one dump of links, addresses and routes per namespace, and only what was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import _decode, _files, _forwarding, _namespaces, _programs, _sysctl
from ._kernel import Kernel
from ._model import DEFAULTS, HOST, NO_IPV6_DEFAULT, Firewall, Host, Link, Namespace, Route


@dataclass
class Scope:
    """What has to be read."""

    namespaces: set[str] = field(default_factory=set)  # besides the host, which is always read
    everything: bool = False  # all namespaces: for purge, and to know whether anything of ours is left
    sysctls: dict[str, set[str]] = field(default_factory=dict)  # namespace -> keys
    files: set[str] = field(default_factory=set)
    forwarding: set[str] = field(default_factory=set)  # switches that may be turned on
    backends: set[str] = field(default_factory=set)  # of the firewall: auto, nftables, iptables
    look: bool = False  # for our entries in every backend that is there

    def add_link(self, namespace: str, link: Link) -> None:
        """What has to be known before a link can be made: whether new ones speak IPv6, unless it is not to."""
        if link.ipv6 is not False:
            self.sysctls.setdefault(namespace, set()).add(NO_IPV6_DEFAULT)


class _Dump:
    """The raw rows of one namespace."""

    def __init__(self, kernel: Kernel, namespace: str) -> None:
        socket = kernel.socket(namespace)
        self.name = namespace
        self.rows = socket.links()
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


class _Ids:
    """A namespace's ids of other namespaces (RTM_GETNSID), each asked for once."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._known: dict[tuple[str, str], int] = {}

    def of(self, viewer: str, other: str) -> int:
        """The id that `viewer` has for `other`, -1 where it has none."""
        key = (viewer, other)
        if key not in self._known:
            self._known[key] = self._kernel.socket(viewer).namespace_id(self._kernel.descriptor(other))
        return self._known[key]

    def are_a_pair(self, one: tuple[str, _decode.LinkRow], other: tuple[str, _decode.LinkRow]) -> bool:
        """Whether ends that tell each other's index also tell each other's namespace; from the host's side, if any."""
        if other[0] == HOST:
            one, other = other, one
        return self.of(one[0], other[0]) == one[1].netnsid


def _peers(kernel: Kernel, dumps: Mapping[str, _Dump]) -> dict[tuple[str, int], tuple[str, str]]:
    """(namespace, index) of a veth's end -> (namespace, name) of the other, where both were read.

    Each end tells the other's index, and this namespace's id of the other's namespace. Indices
    begin anew in every namespace, so that it takes both to tell a pair.
    """
    ends: dict[tuple[int, int], list[tuple[str, _decode.LinkRow]]] = {}
    for dump in dumps.values():
        for row in dump.rows:
            if row.kind == "veth" and row.netnsid is not None:
                ends.setdefault((row.index, row.link), []).append((dump.name, row))
    ids = _Ids(kernel)
    found = {}
    for dump in dumps.values():
        for row in dump.rows:
            if row.kind != "veth":
                continue
            if row.netnsid is None:
                if row.link in dump.by_index:
                    found[dump.name, row.index] = (dump.name, dump.by_index[row.link].name)
                continue
            for other in ends.get((row.link, row.index), ()):
                if other[0] != dump.name and ids.are_a_pair((dump.name, row), other):
                    found[dump.name, row.index] = (other[0], other[1].name)
                    break
    return found


def _links(dump: _Dump, peers: Mapping[tuple[str, int], tuple[str, str]]) -> dict[str, Link]:
    found = {}
    for row in dump.rows:
        master = dump.by_index.get(row.master)
        addresses = dump.addresses.get(row.index, ())
        routes = dump.routes.get(row.index, ())
        found[row.name] = Link(
            name=row.name,
            kind=row.kind,
            mac=row.mac,
            mtu=row.mtu,
            up=row.up,
            ipv6=row.ipv6,
            label=row.alias,
            master=master.name if master else "",
            port=row.port,
            bridge=row.bridge,
            peer=peers.get((dump.name, row.index)),
            addresses=tuple(sorted(address.address for address in addresses)),
            routes=tuple(sorted(routes, key=_route_order)),
            index=row.index,
            carries_default=row.index in dump.defaults,
            lower=_lower(dump, row),
            secondary=tuple(address.address for address in addresses if address.secondary),
        )
    return found


def _lower(dump: _Dump, row: _decode.LinkRow) -> str:
    """What a link stands on in the same namespace: the parent of a VLAN or macvlan."""
    if row.kind == "veth" or row.netnsid is not None or row.link == row.index or row.link not in dump.by_index:
        return ""
    return dump.by_index[row.link].name


def _route_order(route: Route) -> tuple[str, str, int]:
    return (route.to, route.via, route.metric)


def read(kernel: Kernel, scope: Scope) -> Host:
    """The host as it is now, as far as `scope` asks."""
    published = _namespaces.published()
    names = Counter([_namespaces.inode(kernel.home), *published.values()])
    shared = {name for name, inode in published.items() if names[inode] > 1}
    wanted = [name for name in published if name in scope.namespaces or (scope.everything and name not in shared)]
    dumps = {}
    for name in [HOST, *wanted]:
        try:
            dumps[name] = _Dump(kernel, name)
        except FileNotFoundError:
            continue  # gone since it was listed, or an ordinary file
    peers = _peers(kernel, dumps)
    originals = _files.originals()
    namespaces = {}
    for name, dump in dumps.items():
        keys = sorted(scope.sysctls.get(name, ()))
        sysctls: dict[str, str] = {}
        if keys:
            with kernel.inside(name):
                sysctls = _sysctl.read_all(keys)
        if name == HOST:
            sysctls.update(_sysctl.read_all(originals))
            for switch in sorted(scope.forwarding):
                sysctls.update(_switch(switch))
        namespaces[name] = Namespace(name, _links(dump, peers), sysctls, name in shared)
    firewall = Firewall()
    if scope.backends or scope.look or scope.everything:
        firewall = _programs.firewall(kernel.home, scope.backends, scope.look or scope.everything)
    return Host(
        namespaces=namespaces,
        firewall=firewall,
        files={path: _files.read(path) for path in sorted(scope.files)},
        originals=originals,
        fresh=_fresh(kernel, scope, namespaces),
        br_netfilter=_sysctl.exists("net/bridge"),
        ipv6=_sysctl.exists("net/ipv6"),
    )


def _fresh(kernel: Kernel, scope: Scope, namespaces: Mapping[str, Namespace]) -> dict[str, str]:
    """What a namespace that is still to be made has to begin with."""
    keys = {key for name, wanted in scope.sysctls.items() if name not in namespaces for key in wanted}
    if not keys:
        return {}
    with _namespaces.scratch(kernel.home):
        return _sysctl.read_all(sorted(keys))


def _switch(switch: str) -> dict[str, str]:
    """A forwarding switch; what follows it only where it is off and may be turned on."""
    found = _sysctl.read_all([switch])
    if found.get(switch) == "0":
        interfaces = _sysctl.interfaces("ipv4" if switch == _forwarding.SWITCH4 else "ipv6")
        found.update(_sysctl.read_all(_forwarding.followers(switch, interfaces)))
        if switch == _forwarding.SWITCH6:
            found.update(_sysctl.read_all(_forwarding.router_advertisements(interfaces)))
    return found
