# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel in memory: carries out operations on a Host, as strict as the real one, and as forgetful.

It is written from the kernel's own rules, not from the engine's: what the kernel takes
away by itself is taken away here, and what it refuses is refused.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.module_utils import _nft
from ansible_collections.nslab.bridgenet.plugins.module_utils import _operations as ops
from ansible_collections.nslab.bridgenet.plugins.module_utils._announcements import Announce
from ansible_collections.nslab.bridgenet.plugins.module_utils._firewall_steps import ChangeTable
from ansible_collections.nslab.bridgenet.plugins.module_utils._known_names import KnownNames
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import (
    HOST,
    Element,
    Entry,
    Firewall,
    Host,
    Link,
    Namespace,
    Netem,
    Original,
    PortOptions,
    Qdisc,
    Route,
    Rule,
    Tbf,
    Vlan,
    overlay,
)
from ansible_collections.nslab.bridgenet.plugins.module_utils._operations_flows import ForgetFlows
from ansible_collections.nslab.bridgenet.plugins.module_utils._operations_names import WriteNames
from ansible_collections.nslab.bridgenet.plugins.module_utils._operations_qdisc import SetQdisc
from ansible_collections.nslab.bridgenet.plugins.module_utils._operations_tun import CreateTun
from ansible_collections.nslab.bridgenet.plugins.module_utils._operations_vlan import SetVlans
from ansible_collections.nslab.bridgenet.plugins.module_utils._operations_vxlan import CreateVxlan, SetFlood

IPV6_MIN_MTU = 1280
NEW_PORT = PortOptions(
    isolated=False, hairpin=False, cost=2, priority=32, learning=True, bpdu_guard=False, neigh_suppress=False
)
COST_WITHOUT_SPEED = 100  # as a VXLAN link has none
FORWARD4, FORWARD6 = "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"
LOCALNET = "net/ipv4/conf/{}/route_localnet"
FIRST_VLANS = (Vlan(1, True, True),)  # of a bridge, and of what joins one
LOOPBACK = Link(
    "lo",
    kind="",
    mac="00:00:00:00:00:00",
    mtu=65536,
    up=False,
    ipv6=True,
    label="",
    master="",
    addresses=(),
    routes=(),
    index=0,
    carries_default=False,
    secondary=(),
    vlans=(),
    qdisc=Qdisc(),
)

# The sets and maps of our table, and what the fields of their keys are.
FIELDS = {
    "accepted": ("name", "name"),
    "replies": ("name", "name"),
    "bridges": ("name",),
    "internal": ("name",),
    "routed": ("name",),
    "masquerade4": ("name", "network"),
    "masquerade6": ("name", "network"),
    "masquerade_out4": ("name", "network"),
    "masquerade_out6": ("name", "network"),
    "published4": ("protocol", "port"),
    "published6": ("protocol", "port"),
    "published_at4": ("address", "protocol", "port"),
    "published_at6": ("address", "protocol", "port"),
    "publishers4": ("name", "address"),
    "publishers6": ("name", "address"),
    "localnet": ("name",),
}
PROTOCOLS = {"6": "tcp", "17": "udp", "132": "sctp"}

_ELEMENTS = re.compile(r"^(add|delete) element inet bridgenet (\w+) \{ (.*) \}$")
_ELEMENT = re.compile(r'([^,{}]+?)(?: comment "([^"]*)")?(?: : ([^,{}]+?))?(?:, |$)')


class Refused(Exception):
    """The kernel says no."""


def is_ipv6(text: str) -> bool:
    """Whether an address or route is of IPv6."""
    return ":" in text


def network(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The network that an address is connected to."""
    return ipaddress.ip_interface(address).network


def split(entries: Mapping[Entry, str]) -> tuple[dict[Element, str], dict[Rule, str]]:
    """What stands in our table, and what in the chains of iptables."""
    table = {entry: comment for entry, comment in entries.items() if isinstance(entry, Element)}
    return table, {entry: comment for entry, comment in entries.items() if isinstance(entry, Rule)}


def listing(entries: Mapping[Element, str]) -> str:
    """Our table, as far as anything here reads it; "" where there is none."""
    blocks = []
    for name, fields in FIELDS.items():
        elements = []
        for element, comment in entries.items():
            if element.set == name:
                key = " . ".join(f'"{one}"' if kind == "name" else one for one, kind in zip(element.key, fields))
                value = f" : {' . '.join(element.value)}" if element.value else ""
                elements.append(f'{key} comment "{comment}"{value}')
        inner = f"\n\t\telements = {{ {', '.join(elements)} }}" if elements else ""
        blocks.append(f"\tset {name} {{\n\t\ttype x{inner}\n\t}}\n")
    return f"table inet bridgenet {{\n{''.join(blocks)}}}\n"


def as_begun(link: Link) -> Link:
    """With VLANs and queueing as the kernel gives them where nobody said anything of them."""
    if link.vlans is None:
        link = link.but(vlans=FIRST_VLANS if link.master or link.kind == "bridge" else ())
    return link.but(qdisc=Qdisc()) if link.qdisc is None else link


def _there(files: Mapping[str, str]) -> dict[str, str]:
    return {namespace: text for namespace, text in files.items() if text}


class MemoryKernel:
    """The state of a host, changed by operations."""

    def __init__(self, host: Host) -> None:
        self.ipv6 = host.ipv6
        self.places: dict[str, dict[str, Link]] = {name: dict(one.links) for name, one in host.namespaces.items()}
        self.sysctls: dict[str, dict[str, str]] = {name: dict(one.sysctls) for name, one in host.namespaces.items()}
        self.names = dict(host.names)
        self.withdrawn: dict[str, str] = {}
        self.held: dict[str, tuple[dict[str, Link], dict[str, str]]] = {}
        self.fresh = dict(host.fresh)
        self.files = dict(host.files)
        self.known: dict[str, dict[str, str]] = {
            "hosts": _there(host.names_known.hosts),
            "resolv.conf": _there(host.names_known.resolvers),
        }
        self.forgotten: set[tuple[str, ...]] = set()  # ports whose flows are
        self.originals = dict(host.originals)
        nft, self.rules = split(host.firewall.entries)
        self.table: dict[Element, str] | None = nft if host.firewall.table else None
        self.own_mtu = {  # bridges whose MTU somebody set
            (place, link.name)
            for place, links in self.places.items()
            for link in links.values()
            if link.kind == "bridge" and link.mtu != self._smallest(place, link.name)
        }

    # --- looking ---

    def host(self, like: Host) -> Host:
        """The state as the engine would read it, with what is no state taken from another host."""
        return dataclasses.replace(
            like,
            namespaces={
                name: Namespace(name, dict(links), dict(self.sysctls[name])) for name, links in self.places.items()
            },
            names=dict(self.names),
            firewall=dataclasses.replace(
                like.firewall,
                entries={**(self.table or {}), **self.rules},
                table=listing(self.table) if self.table is not None else "",
            ),
            files=dict(self.files),
            names_known=KnownNames(dict(self.known["hosts"]), dict(self.known["resolv.conf"])),
            originals=dict(self.originals),
        )

    def state(self) -> dict[str, Any]:
        """All that is compared."""
        return {
            "links": {place: dict(links) for place, links in self.places.items()},
            "names": dict(self.names),
            "sysctls": {place: dict(values) for place, values in self.sysctls.items()},
            "entries": {**(self.table or {}), **self.rules},
            "table": self.table is not None,
            "files": dict(self.files),
            "known": {name: dict(files) for name, files in self.known.items()},
            "originals": dict(self.originals),
        }

    def _smallest(self, place: str, bridge: str) -> int:
        return min((link.mtu or 0 for link in self.places[place].values() if link.master == bridge), default=1500)

    def link(self, place: str, name: str) -> Link:
        """A link that has to be there."""
        if place not in self.places:
            raise Refused(f"no namespace {place}")
        if name not in self.places[place]:
            raise Refused(f"no {name} in {place!r}")
        return self.places[place][name]

    # --- changing ---

    def run(self, operations: Iterable[ops.Operation]) -> None:
        """Carry out operations."""
        for operation in operations:
            name = type(operation).__name__
            if name in ("AddRule", "DelRule"):
                self._iptables(name, operation)
            else:
                getattr(self, f"_{name}")(operation)

    def finish(self) -> None:
        """The run is over: what was held is destroyed, and with it the other ends of its veths."""
        for name, (links, _sysctls) in self.held.items():
            for link in links.values():
                if link.peer and link.peer[0] in self.places:
                    self._remove(*link.peer)
            del name
        self.held = {}

    def _put(self, place: str, link: Link, **changes: Any) -> None:
        self.places[place][link.name] = dataclasses.replace(link, **changes)

    def _follow(self, place: str, bridge: str) -> None:
        """br_mtu_auto_adjust"""
        if bridge and bridge in self.places[place] and (place, bridge) not in self.own_mtu:
            self._set_mtu(place, bridge, self._smallest(place, bridge))

    def _set_mtu(self, place: str, name: str, mtu: int) -> None:
        link = self.link(place, name)
        ipv6 = link.ipv6
        if mtu < IPV6_MIN_MTU:
            ipv6 = False
        elif (link.mtu or 0) < IPV6_MIN_MTU:
            ipv6 = self.ipv6
        self._put(place, link, mtu=mtu)
        self._set_ipv6(place, name, bool(ipv6))

    def _set_ipv6(self, place: str, name: str, ipv6: bool) -> None:
        link = self.link(place, name)
        if ipv6:
            self._put(place, link, ipv6=True)
        else:
            self._put(place, self._without_ipv6(link), ipv6=False)

    @staticmethod
    def _without_ipv6(link: Link) -> Link:
        return dataclasses.replace(
            link,
            addresses=tuple(one for one in link.addresses or () if not is_ipv6(one)),
            routes=tuple(one for one in link.routes or () if not is_ipv6(one.to + one.via)),
        )

    def _remove(self, place: str, name: str) -> None:
        link = self.places[place].pop(name)
        self.own_mtu.discard((place, name))
        if link.master:
            self._follow(place, link.master)
        if link.kind == "bridge":
            for port in list(self.places[place].values()):
                if port.master == name:
                    self._put(place, port, master="", port=None, vlans=())
            self.sysctls[place].pop(LOCALNET.format(name), None)
        if link.peer:
            links = self.places.get(link.peer[0]) or self.held[link.peer[0]][0]
            if link.peer[1] in links:
                other = links.pop(link.peer[1])
                if other.master and links is self.places.get(link.peer[0]):
                    self._follow(link.peer[0], other.master)

    # --- namespaces ---

    def _CreateNamespace(self, one: ops.CreateNamespace) -> None:  # noqa: N802
        if one.name in self.places:
            raise Refused(f"namespace {one.name} exists")
        self.places[one.name] = {"lo": dataclasses.replace(LOOPBACK, label=one.label, up=one.loopback, ipv6=self.ipv6)}
        self.sysctls[one.name] = dict(self.fresh)
        self.names[one.name] = one.name

    def _AttachNamespace(self, one: ops.AttachNamespace) -> None:  # noqa: N802
        if one.namespace not in self.places or one.name in self.names:
            raise Refused(f"no namespace {one.namespace}, or {one.name} exists")
        self.names[one.name] = one.namespace

    def _DeleteNamespace(self, one: ops.DeleteNamespace) -> None:  # noqa: N802
        if one.name not in self.names:
            raise Refused(f"no namespace {one.name}")
        place = self.names.pop(one.name)
        self.withdrawn.setdefault(one.name, place)  # the one that was there first: undo brings that back
        if place not in self.names.values():
            self.held[place] = (self.places.pop(place), self.sysctls.pop(place))

    def _PublishNamespace(self, one: ops.PublishNamespace) -> None:  # noqa: N802
        place = self.names[one.name] = self.withdrawn.pop(one.name)
        if place in self.held:
            self.places[place], self.sysctls[place] = self.held.pop(place)

    # --- links ---

    def _free(self, place: str, name: str) -> None:
        if place not in self.places:
            raise Refused(f"no namespace {place}")
        if name in self.places[place]:
            raise Refused(f"{name} exists in {place!r}")

    def _CreateVeth(self, one: ops.CreateVeth) -> None:  # noqa: N802
        self._free(one.namespace, one.near.name)
        self._free(one.far_namespace, one.far.name)
        made = dataclasses.replace(LOOPBACK, kind="veth")
        near = dataclasses.replace(
            made,
            name=one.near.name,
            mac=one.near.mac,
            up=one.near.up,
            mtu=one.near.mtu,
            ipv6=self.ipv6 and (one.near.mtu or 0) >= IPV6_MIN_MTU,
            peer=(one.far_namespace, one.far.name),
        )
        far = dataclasses.replace(
            made,
            name=one.far.name,
            mac=one.far.mac,
            mtu=one.far.mtu,
            ipv6=self.ipv6 and (one.far.mtu or 0) >= IPV6_MIN_MTU,
            peer=(one.namespace, one.near.name),
        )
        self.places[one.far_namespace][far.name] = far
        self.places[one.namespace][near.name] = near
        if one.near.master:
            self._join(one.namespace, near.name, one.near.master)

    def _join(self, place: str, name: str, master: str) -> None:
        if self.link(place, master).kind != "bridge":
            raise Refused(f"{master} is no bridge")
        if not self.link(place, name).mac:
            raise Refused(f"{name} carries no Ethernet frames")
        link = self.link(place, name)
        port = dataclasses.replace(NEW_PORT, cost=COST_WITHOUT_SPEED) if link.kind == "vxlan" else NEW_PORT
        self._put(place, link, master=master, port=port, vlans=FIRST_VLANS)
        self._follow(place, master)

    def _CreateBridge(self, one: ops.CreateBridge) -> None:  # noqa: N802
        self._free(one.namespace, one.link.name)
        self.places[one.namespace][one.link.name] = dataclasses.replace(
            LOOPBACK,
            name=one.link.name,
            kind="bridge",
            mac=one.link.mac,
            mtu=1500,
            ipv6=self.ipv6,
            bridge=overlay(ops.NEW_BRIDGE, one.link.bridge),
            vlans=FIRST_VLANS,
        )
        if LOCALNET.format("default") in self.sysctls[one.namespace]:
            values = self.sysctls[one.namespace]
            values[LOCALNET.format(one.link.name)] = values[LOCALNET.format("default")]

    def _CreateTun(self, one: CreateTun) -> None:  # noqa: N802
        self._free(one.namespace, one.name)
        mac = "da:00:00:00:00:01" if one.options.mode == "tap" else ""
        self.places[one.namespace][one.name] = dataclasses.replace(
            LOOPBACK, name=one.name, kind="tun", mac=mac, mtu=1500, ipv6=self.ipv6, tun=one.options, persistent=True
        )

    def _CreateVxlan(self, one: CreateVxlan) -> None:  # noqa: N802
        self._free(one.namespace, one.link.name)
        for other in self.places[one.namespace].values():
            if other.vxlan and other.vxlan.vni == one.link.vxlan.vni and other.vxlan.port == one.link.vxlan.port:
                raise Refused(f"vni of {other.name}")  # all of one family here
        ipv6 = self.ipv6 and (one.link.mtu or 0) >= IPV6_MIN_MTU
        made = dataclasses.replace(LOOPBACK, name=one.link.name, kind="vxlan", mac=one.link.mac, mtu=one.link.mtu)
        made = dataclasses.replace(made, ipv6=ipv6, vxlan=one.link.vxlan, flood=())
        self.places[one.namespace][made.name] = made

    def _SetFlood(self, one: SetFlood) -> None:  # noqa: N802
        link = self.link(one.namespace, one.link)
        if (one.peer in (link.flood or ())) == one.comes:
            raise Refused(f"{one.peer}: {one.comes}")
        others = [peer for peer in link.flood or () if peer != one.peer]
        self._put(one.namespace, link, flood=tuple(sorted([*others, one.peer] if one.comes else others)))

    def _DeleteLinks(self, one: ops.DeleteLinks) -> None:  # noqa: N802
        for name in one.names:
            self.link(one.namespace, name)
            self._remove(one.namespace, name)

    def _SetLink(self, one: ops.SetLink) -> None:  # noqa: N802
        place = one.namespace
        values = dict(one.after)
        if "mac" in values:
            self._put(place, self.link(place, one.link), mac=values["mac"])
        if "mtu" in values:
            self._set_mtu(place, one.link, values["mtu"])
            if self.link(place, one.link).kind == "bridge":
                self.own_mtu.add((place, one.link))
            self._follow(place, self.link(place, one.link).master or "")
        if "label" in values:
            self._put(place, self.link(place, one.link), label=values["label"])
        if "master" in values:
            left = self.link(place, one.link).master
            self._put(place, self.link(place, one.link), master="", port=None, vlans=())
            self._follow(place, left or "")
            if values["master"]:
                self._join(place, one.link, values["master"])
        if "up" in values:
            link = self.link(place, one.link)
            if link.up and not values["up"]:
                link = dataclasses.replace(self._without_ipv6(link), routes=())
            self._put(place, link, up=values["up"])

    def _SetBridge(self, one: ops.SetBridge) -> None:  # noqa: N802
        link = self.link(one.namespace, one.link)
        self._put(one.namespace, link, bridge=overlay(link.bridge, one.after))

    def _SetPort(self, one: ops.SetPort) -> None:  # noqa: N802
        link = self.link(one.namespace, one.link)
        if link.port is None:
            raise Refused(f"{one.link} is no port")
        self._put(one.namespace, link, port=overlay(link.port, one.after))

    def _SetVlans(self, one: SetVlans) -> None:  # noqa: N802
        """Whoever is the PVID takes that from another one; one that is told without it gives it up."""
        link = self.link(one.namespace, one.link)
        if not (link.kind == "bridge" if one.own else link.master):
            raise Refused(f"{one.link} has no VLANs")
        there = {vlan.vid: vlan for vlan in link.vlans or ()}
        if not one.after:
            if any(vlan.vid not in there for vlan in one.before):
                raise Refused(f"{one.link} has not {one.before}")
            for vlan in one.before:
                del there[vlan.vid]
        if len({vlan.untagged for vlan in one.after}) > 1 or (len(one.after) > 1 and one.after[0].pvid):
            raise Refused(f"{one.after} is no range")
        for vlan in one.after:
            if vlan.pvid:
                there = {vid: dataclasses.replace(other, pvid=False) for vid, other in there.items()}
            there[vlan.vid] = vlan
        self._put(one.namespace, link, vlans=tuple(sorted(there.values())))

    def _SetQdisc(self, one: SetQdisc) -> None:  # noqa: N802
        """A layer stands inside another one, and goes with it."""
        link = self.link(one.namespace, one.link)
        layers = [layer for layer in ((link.qdisc or Qdisc()).netem, (link.qdisc or Qdisc()).tbf) if layer is not None]
        known = layers[one.depth] if one.depth < len(layers) else None
        if known != one.before or one.depth > len(layers):
            raise Refused(f"{one.link} has {layers}")
        if one.before is not None and one.after is not None and type(one.before) is not type(one.after):
            raise Refused("a queueing discipline does not change its kind")
        layers[one.depth :] = [] if one.after is None else [one.after, *layers[one.depth + 1 :]]
        kinds = [type(layer) for layer in layers]
        if kinds not in ([], [Netem], [Tbf], [Netem, Tbf]):
            raise Refused(f"{kinds} cannot stand inside each other")
        netem, tbf = (next((layer for layer in layers if isinstance(layer, kind)), None) for kind in (Netem, Tbf))
        self._put(one.namespace, link, qdisc=Qdisc(netem, tbf))  # type: ignore[arg-type]

    # --- addresses and routes ---

    def _AddAddress(self, one: ops.AddAddress) -> None:  # noqa: N802
        link = self.link(one.namespace, one.link)
        if one.address in (link.addresses or ()):
            raise Refused(f"{one.address} is there")
        if is_ipv6(one.address) and not link.ipv6:
            raise Refused(f"IPv6 is off on {one.link}")
        primaries = [other for other in link.addresses or () if other not in (link.secondary or ())]
        same = any(network(other) == network(one.address) for other in primaries)
        secondary = (link.secondary or ()) + ((one.address,) if same and not is_ipv6(one.address) else ())
        addresses = tuple(sorted([*(link.addresses or ()), one.address]))
        self._put(one.namespace, link, addresses=addresses, secondary=secondary)

    def _DelAddress(self, one: ops.DelAddress) -> None:  # noqa: N802
        link = self.link(one.namespace, one.link)
        if one.address not in (link.addresses or ()):
            raise Refused(f"{one.address} is not there")
        gone = {one.address}
        if not is_ipv6(one.address) and one.address not in (link.secondary or ()):
            gone |= {other for other in link.secondary or () if network(other) == network(one.address)}
        addresses = tuple(other for other in link.addresses or () if other not in gone)
        routes = link.routes or ()
        if not is_ipv6(one.address) and not any(not is_ipv6(other) for other in addresses):
            routes = tuple(route for route in routes if is_ipv6(route.to + route.via))
        secondary = tuple(other for other in link.secondary or () if other not in gone)
        self._put(one.namespace, link, addresses=addresses, routes=routes, secondary=secondary)

    def _AddRoute(self, one: ops.AddRoute) -> None:  # noqa: N802
        link = self.link(one.namespace, one.link)
        if not link.up:
            raise Refused(f"{one.link} is down")
        key = (one.route.to, one.route.metric)
        if any(
            key == (route.to, route.metric)
            for other in self.places[one.namespace].values()
            for route in other.routes or ()
        ):
            raise Refused(f"a route to {one.route.to} is there")
        if one.route.via and not self._reaches(link, one.route.via):
            raise Refused(f"no way to {one.route.via} by {one.link}")
        if is_ipv6(one.route.to + one.route.via) and not link.ipv6:
            raise Refused(f"IPv6 is off on {one.link}")
        routes = sorted([*(link.routes or ()), one.route], key=lambda route: (route.to, route.via, route.metric))
        self._put(one.namespace, link, routes=tuple(routes))

    @staticmethod
    def _reaches(link: Link, via: str) -> bool:
        hop = ipaddress.ip_address(via)
        on_link = [ipaddress.ip_network(route.to) for route in link.routes or () if not route.via and "/" in route.to]
        return any(hop in one for one in [*map(network, link.addresses or ()), *on_link])

    def _DelRoute(self, one: ops.DelRoute) -> None:  # noqa: N802
        link = self.link(one.namespace, one.link)
        if one.route not in (link.routes or ()):
            raise Refused(f"no route {one.route}")
        self._put(one.namespace, link, routes=tuple(route for route in link.routes or () if route != one.route))

    # --- sysctls, modules, files ---

    def _SetSysctl(self, one: ops.SetSysctl) -> None:  # noqa: N802
        parts = one.key.split("/")
        if parts[-1] == "disable_ipv6":
            if (self.link(one.namespace, parts[3]).mtu or 0) < IPV6_MIN_MTU or not self.ipv6:
                raise Refused(f"there is no {one.key}")
            self._set_ipv6(one.namespace, parts[3], one.after == "0")
            return
        values = self.sysctls[one.namespace]
        if parts[-1] == "route_localnet" and parts[3] != "default":
            self.link(one.namespace, parts[3])
        values[one.key] = one.after
        if one.key == FORWARD4:
            for name in values:
                if name.startswith("net/ipv4/conf/") and name.endswith("/forwarding"):
                    values[name] = one.after
            if "net/ipv4/conf/all/accept_redirects" in values:
                values["net/ipv4/conf/all/accept_redirects"] = str(int(one.after == "0"))
        if one.key == FORWARD6:
            for name in values:
                if name.startswith("net/ipv6/conf/") and name.endswith("/forwarding"):
                    values[name] = one.after

    def _RestoreSysctl(self, one: ops.RestoreSysctl) -> None:  # noqa: N802
        if one.key in self.sysctls[one.namespace]:
            self.sysctls[one.namespace][one.key] = one.value

    def _Announce(self, one: Announce) -> None:  # noqa: N802
        assert self.link(one.namespace, one.link).mac == one.mac

    def _LoadModule(self, one: ops.LoadModule) -> None:  # noqa: N802
        raise AssertionError(f"{one} is no part of any state here")

    def _WriteFile(self, one: ops.WriteFile) -> None:  # noqa: N802
        self.files[one.path] = one.after

    def _WriteNames(self, one: WriteNames) -> None:  # noqa: N802
        for path, before, after in one.files:
            _empty, _etc, _netns, namespace, name = path.split("/")
            files = self.known[name]
            if files.pop(namespace, "") != before:
                raise Refused(f"{path} is another one")
            if after:
                files[namespace] = after

    def _ForgetFlows(self, one: ForgetFlows) -> None:  # noqa: N802
        for ports in one.ports:
            for number in range(ports.first, ports.first + ports.count):
                self.forgotten.add((str(ports.family), ports.protocol, ports.address, str(number)))

    def _RecordOriginals(self, one: ops.RecordOriginals) -> None:  # noqa: N802
        self.originals: dict[str, Original] = dict(one.after)

    # --- firewall ---

    def _ChangeTable(self, one: ChangeTable) -> None:  # noqa: N802
        """Only the language that _nft speaks."""
        block = ""
        for line in one.text.splitlines():
            words = _ELEMENTS.match(line)
            if words:
                self._elements(*words.groups())
            elif line == "add table inet bridgenet":
                self.table = self.table if self.table is not None else {}
            elif line == "delete table inet bridgenet":
                if self.table is None:
                    raise Refused("no table")
                self.table = None
            elif line.startswith("table inet bridgenet {"):
                self.table, block = {}, line + "\n"
            elif line:
                block += line + "\n"
        if self.table is not None and block:
            self.table = {**_nft.parse(block), **self.table}

    def _elements(self, verb: str, name: str, body: str) -> None:
        if self.table is None:
            raise Refused("no table")
        if name not in FIELDS:
            raise Refused(f"no set {name}")
        there = {element.place: element for element in self.table}
        for key, comment, value in _ELEMENT.findall(body):
            words = [word.strip('"') for word in key.split(" . ")]
            if len(words) != len(FIELDS[name]):
                raise Refused(f"{words} are not the fields of {name}")
            words = [PROTOCOLS[word] if kind == "protocol" else word for word, kind in zip(words, FIELDS[name])]
            element = Element(name, tuple(words), tuple(value.split(" . ")) if value else ())
            if verb == "delete":
                if element.place not in there:
                    raise Refused(f"no element {element}")
                del self.table[there.pop(element.place)]
            elif element.place in there:
                raise Refused(f"{element} is there")  # the kernel would keep its old comment, or refuse another value
            else:
                self.table[element] = comment
                there[element.place] = element

    def _iptables(self, name: str, one: Any) -> None:
        if name == "AddRule":
            self.rules[one.rule] = one.comment
        elif self.rules.get(one.rule) != one.comment:
            raise Refused(f"no rule {one.rule}")
        else:
            del self.rules[one.rule]


def empty_host() -> Host:
    """A machine on which nothing was ever done."""
    namespace = Namespace(HOST, {"lo": dataclasses.replace(LOOPBACK, up=True)}, {FORWARD4: "0", FORWARD6: "0"})
    return Host({HOST: namespace}, Firewall())


def route(to: str, via: str = "", metric: int = 0) -> Route:
    """A route, with the metric that IPv6 has where none is given."""
    return Route(to, via, metric or (1024 if is_ipv6(to) else 0))
