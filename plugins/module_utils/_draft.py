# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host on its way from current to predicted: what the resources write on, in memory only.

What the kernel does of its own accord is done here too - a deleted bridge releases its
ports, a deleted namespace takes the other ends of its veths along - so that the
prediction is exact.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Mapping

from . import _firewalld, _forwarding, _iptables, _known_names, _labels, _names, _nft, _sysctl, _unit
from ._errors import BridgenetError
from ._known_names import KnownNames
from ._labels import Label
from ._model import (
    DEFAULTS,
    HOST,
    Bindings,
    Boot,
    Element,
    Entry,
    Firewall,
    Host,
    Link,
    Namespace,
    Original,
    Place,
    Route,
    Rule,
    Service,
    new_links_speak_ipv6,
    overlay,
    place,
    released,
    unpublished,
)

# A loopback as the kernel makes it (drivers/net/loopback.c).
NEW_LOOPBACK = Link(
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
)

IPV6_MIN_MTU = 1280  # RFC 8200; below it the kernel takes IPv6 off the interface


_LISTS = ("addresses", "routes", "flood")
_LOCALNET_DEFAULT = _sysctl.route_localnet("default")


def remaining(routes: tuple[Route, ...], old: Link, addresses: tuple[str, ...]) -> tuple[Route, ...]:
    """The routes of a link that keeps `addresses`: one whose next hop only a lost address led to goes with it."""
    if not set(old.addresses or ()) - set(addresses):
        return routes
    on_link = [_names.network_of(route.to) for route in routes if not route.via and route.to not in DEFAULTS]

    def leads(route: Route, kept: Iterable[str]) -> bool:
        hop = ipaddress.ip_address(route.via)
        return any(hop in network for network in [*on_link, *map(_names.network_of, kept)])

    return tuple(
        route for route in routes if not route.via or leads(route, addresses) or not leads(route, old.addresses or ())
    )


def switched(link: Link, ipv6: bool) -> Link:
    """A link when IPv6 is switched on or off for all of its namespace (addrconf_disable_ipv6, net/ipv6/addrconf.c)."""
    if ipv6:
        return link.but(ipv6=(link.mtu or 0) >= IPV6_MIN_MTU)
    return link.but(
        ipv6=False,
        addresses=tuple(address for address in link.addresses or () if _names.family(address) == 4),
        routes=tuple(route for route in link.routes or () if _names.family(route.to + route.via) == 4),
    )


def change(old: Link, want: Link, exclusive: bool) -> Link:
    """A link with what was declared, and with what the kernel takes away by itself.

    Lists are additive, or exact where `exclusive`. The very same object where nothing changes.
    """
    addresses, routes = old.addresses or (), old.routes or ()
    new = overlay(old, want, without=_LISTS)
    if new is not old:
        if new.mtu is not None and new.mtu < IPV6_MIN_MTU and new.ipv6:
            new = new.but(ipv6=False)
        if not new.up:
            routes = ()
        if not new.ipv6 or (old.up and not new.up):
            addresses = tuple(address for address in addresses if _names.family(address) == 4)
            routes = tuple(route for route in routes if _names.family(route.to + route.via) == 4)
    if want.flood is not None:
        flood = tuple(sorted(want.flood if exclusive else {*want.flood, *(old.flood or ())}))
        new = new if flood == new.flood else new.but(flood=flood)
    if want.addresses is not None:
        merged = set(want.addresses) if exclusive else set(addresses).union(want.addresses)
        addresses = tuple(sorted(merged))
        routes = remaining(routes, old, addresses)
    if want.routes is not None:
        by_key = {} if exclusive else {(route.to, route.metric): route for route in routes}
        by_key.update({(route.to, route.metric): route for route in want.routes})
        routes = tuple(sorted(by_key.values(), key=lambda route: (route.to, route.via, route.metric)))
    if routes and not new.up:
        raise BridgenetError(
            f"interface {new.name!r}: routes are declared, but up is false; a link that is down has no routes, drop "
            "one of the two"
        )
    if not new.ipv6 and any(_names.family(address) == 6 for address in addresses):
        why = (
            f"its MTU of {new.mtu} is below {IPV6_MIN_MTU}" if (new.mtu or 0) < IPV6_MIN_MTU else "ipv6 is false on it"
        )
        raise BridgenetError(
            f"interface {new.name!r} cannot have an IPv6 address: {why}; drop the address or change that"
        )
    if addresses == old.addresses and routes == old.routes:
        return new
    return new.but(addresses=addresses, routes=routes)


class Draft:
    """The predicted host while the resources work on it."""

    def __init__(self, current: Host) -> None:
        self.current = current
        self.links: dict[str, dict[str, Link]] = {name: dict(ns.links) for name, ns in current.namespaces.items()}
        self.sysctls: dict[str, dict[str, str]] = {name: dict(ns.sysctls) for name, ns in current.namespaces.items()}
        self.entries: dict[Entry, str] = dict(current.firewall.entries)  # of the firewall
        # Rules that firewalld puts back, and that do not stand: somebody flushed them.
        self.lost = {rule: text for rule, text in current.firewall.direct.items() if rule not in self.entries}
        self.forwards = False  # the task is about who may talk to whom
        self.closed: set[str] = set()  # bridges whose network is to be gone
        self.publishes = False  # it is about published ports
        self.places: dict[Place, Element] = dict(current.firewall.by_place)  # elements of maps
        self.leads: dict[tuple[str, str], str] = dict(current.firewall.leads)  # as Firewall.leads has them
        self.nsids: dict[str, int] = {}  # that are to be given
        self.names: dict[str, list[str]] = {}  # where a namespace stands -> under which names it is published
        self._keys = dict(current.names)
        for name, key in current.names.items():
            self.names.setdefault(key, []).append(name)
        self.going: dict[int, int] = {}  # inode of a namespace that goes, unless somebody holds it -> seconds to wait
        self.files: dict[str, str] = dict(current.files)
        self.hosts: dict[str, str] = dict(current.names_known.hosts)  # namespace -> its file of names
        self.resolvers: dict[str, str] = dict(current.names_known.resolvers)
        self.originals: dict[str, Original] = dict(current.originals)
        self.services: dict[str, Service] = dict(current.services)
        self.boots: dict[str, Boot] = dict(current.boots)
        self.modules: list[str] = []  # kernel modules to load
        self.restore = False  # the host's own sysctls come back where nothing of ours is left
        self.assumed: list[str] = []
        self.warnings: list[str] = []
        self.undeclared_mtu: set[tuple[str, str]] = set(current_bridges(current))

    # --- namespaces ---

    def need(self, namespace: str) -> dict[str, Link]:
        """The links of what stands there; a missing namespace is assumed empty, which only check mode accepts."""
        found = self.links.get(namespace)
        if found is None:
            self.assumed.append(f"namespace {namespace}")
            found = self.links[namespace] = {"lo": NEW_LOOPBACK}
            self.sysctls[namespace] = {}
            self.publish(namespace, namespace)
        return found

    def key(self, name: str) -> str:
        """Where the namespace of that name stands, or stood before it lost the name."""
        return self._keys.get(name, name)

    def present_key(self, name: str) -> str:
        """Where the namespace of that name stands; nowhere if it is not published."""
        if name == HOST or self.is_published(name):
            return self.key(name)
        return unpublished(name) if name in self.links else name

    def is_published(self, name: str) -> bool:
        """Whether there is a namespace under that name."""
        return name in self.names.get(self.key(name), ())

    def publish(self, name: str, namespace: str) -> None:
        """A namespace gets a name."""
        self._keys[name] = namespace
        self.names.setdefault(namespace, []).append(name)

    def withdraw(self, name: str) -> None:
        """A namespace loses a name, and lives on."""
        self.names[self.key(name)].remove(name)

    def forget_names(self, namespace: str, project: str) -> None:
        """What a namespace knows by name goes with its name; what somebody else wrote stays."""
        for files in (self.hosts, self.resolvers):
            label = _labels.parse(_known_names.label(files.get(namespace, "")))
            if label and label.project == project:
                files[namespace] = ""

    def drop_namespace(self, namespace: str) -> None:
        """A namespace goes, and with it its veths and their other ends."""
        for link in list(self.links[namespace].values()):
            self.drop(namespace, link.name)
        del self.links[namespace]
        del self.sysctls[namespace]

    def new_links_speak_ipv6(self, namespace: str) -> bool:
        """Whether a new link there speaks IPv6 by itself."""
        return new_links_speak_ipv6(self.current, namespace, self.sysctls.get(namespace, {}))

    # --- links ---

    def find(self, namespace: str, name: str) -> Link | None:
        """A link, None where it is not there."""
        return self.links.get(namespace, {}).get(name)

    def put(self, namespace: str, link: Link) -> None:
        """Add or replace a link."""
        links = self.links[namespace]
        if link.name not in links:
            self._must_be_no_altname(namespace, link.name)
        links[link.name] = link

    def _must_be_no_altname(self, namespace: str, name: str) -> None:
        """A message that names it would mean the other link, and change that."""
        known = self.current.namespaces.get(namespace)
        owner = next((one.name for one in known.named_otherwise if name in (one.altnames or ())), "") if known else ""
        if owner:
            raise BridgenetError(
                f"interface {name!r}: {name} is an alternative name of {owner!r} in {place(namespace)} already "
                f"(`ip link property`); choose another name, or declare {owner!r}"
            )

    def drop(self, namespace: str, name: str) -> None:
        """A link goes; a veth takes its peer along, a bridge releases its ports."""
        link = self.links.get(namespace, {}).pop(name, None)
        if link is None:
            return
        if link.peer:
            self.links.get(link.peer[0], {}).pop(link.peer[1], None)
        if link.kind == "bridge":
            for port in list(self.links[namespace].values()):
                if port.master == name:
                    self.put(namespace, released(port))

    def claim(self, existing: str, own: Label, what: str, take_over: bool | None) -> None:
        """An object in the way must be ours, or be handed over; None is one that cannot be."""
        label = _labels.parse(existing)
        if take_over or (label is not None and label.project == own.project):
            return
        whose = f"belongs to project {label.project!r}, not {own.project!r}" if label else "exists and is not ours"
        fix = "remove it" if take_over is None else "choose another name, remove it, or say take_over: true"
        raise BridgenetError(f"{what} {whose}; {fix}")

    def may_remove(self, existing: str, own: Label | None, what: str) -> None:
        """Absent by name removes what has the name; absent with a label only what carries it."""
        if own is not None and not own.is_of(_labels.parse(existing)):
            found = f"is labelled {existing!r}" if existing else "carries no label"
            raise BridgenetError(
                f"{what} {found} and not {str(own)!r}, so it is not removed; drop the label to remove it by name"
            )

    def need_vlans(self, what: str) -> None:
        """Bridges must be able to filter VLANs."""
        if not self.current.filters_vlans:
            raise BridgenetError(
                f"{what}: bridges of this kernel cannot filter VLANs (CONFIG_BRIDGE_VLAN_FILTERING); drop vlans and "
                "vlan_filtering, or boot a kernel that can, such as Debian's own"
            )

    # --- the host's own sysctls ---

    def set_host_sysctl(self, key: str, value: str) -> None:
        """Set one, noting down what it and its followers were before our first write."""
        values = self.sysctls[HOST]
        before = dict(values)
        _forwarding.write(values, key, value)
        # Also a follower that happens to have the new value: giving the switch back would change it.
        for name in (key, *_forwarding.effects(before, key, value)):
            first = self.originals[name].before if name in self.originals else before.get(name, values[name])
            self.originals[name] = Original(first, values[name])

    def turn_on_forwarding(self, switch: str, what: str) -> None:
        """Make the host a router; router advertisements are still heard, and what was before is noted down."""
        values = self.sysctls[HOST]
        if switch not in values:
            raise BridgenetError(f"{what}: this kernel has no {switch}; drop the IPv6 network or forwarding")
        if values[switch] != "0":
            return
        if switch == _forwarding.SWITCH6:
            for key in sorted(values):
                if key.endswith("/accept_ra") and values[key] == "1":
                    self.set_host_sysctl(key, "2")
        self.set_host_sysctl(switch, "1")

    def restore_host_sysctls(self, keys: Iterable[str]) -> None:
        """Give values back that are still ours; what somebody changed since then stays."""
        values = self.sysctls[HOST]
        mine = {key: self.originals.pop(key) for key in keys if key in self.originals}
        still = {key: original.before for key, original in mine.items() if values.get(key) == original.ours}
        stays = {key: values[key] for key in mine if key in values and key not in still}
        for key in sorted(still, key=lambda name: name not in _forwarding.SWITCHES):
            if key in _forwarding.SWITCHES:
                _forwarding.write(values, key, still[key])
        values.update(still)
        values.update(stays)

    def anything_of_ours(self) -> bool:
        """Whether an object with a label of any project is left."""
        if any(_labels.parse(comment) for comment in self.entries.values()):
            return True
        if any(_labels.parse(_unit.label(one.unit)) for one in self.services.values()):
            return True
        return any(
            _labels.parse(link.label or "")
            for namespace, links in self.links.items()
            if namespace == HOST or self.names.get(namespace)
            for link in links.values()
        )

    # --- the firewall ---

    def _anything_forwards(self) -> bool:
        ours = _nft.FORWARD + _nft.PUBLISHED
        return any(isinstance(entry, Element) and entry.set in ours for entry in self.entries)

    def _settle_gates(self) -> None:
        """The rules in chains of others: where they are needed, as long as anything of ours forwards."""
        needed = self._anything_forwards()
        gates = self.current.firewall.gates
        if needed and (gates is None or not self.forwards):
            return
        mine = {entry for entry in self.entries if isinstance(entry, Rule) and _iptables.is_gate(entry)}
        kept = {entry: comment for entry, comment in self.entries.items() if entry not in mine}
        self.entries = {**kept, **dict.fromkeys(gates or () if needed else (), _iptables.GATE_COMMENT)}

    def _settle_zones(self) -> Bindings | None:
        """The zones of firewalld: a bridge that we forward for is trusted there, as long as we do."""
        zones = self.current.firewall.zones
        if zones is None:
            return None
        before, after = _bridges(self.current.firewall.entries), _bridges(self.entries)
        gone = before | self.closed | self._lost_bridges()
        joining = self.forwards and self.current.firewall.filtering
        settled, warnings = _firewalld.settle(zones, gone - after, after if joining else ())
        self.warnings += warnings
        if self.forwards:
            self.warnings += _firewalld.doubts(settled, self.entries)
        return settled

    def _lost_bridges(self) -> set[str]:
        """Those of ours that go: whoever flushed the firewall left their zones, but not what tells them."""
        before = self.current.namespaces[HOST].links if HOST in self.current.namespaces else {}
        return {
            name
            for name, link in before.items()
            if link.kind == "bridge" and _labels.parse(link.label or "") and name not in self.links[HOST]
        }

    def _settle_direct(self) -> dict[Rule, str]:
        """What firewalld puts back."""
        before = self.current.firewall
        rules = {entry: comment for entry, comment in self.entries.items() if isinstance(entry, Rule)}
        standing = {rule: comment for rule, comment in rules.items() if _firewalld.has_place_for(rule)}
        return {**self._kept_gates(before, standing), **self._kept_rules(before, standing)}

    def _kept_gates(self, before: Firewall, standing: Mapping[Rule, str]) -> dict[Rule, str]:
        """The gates: those that stand, or stood before somebody flushed them."""
        known = {rule: comment for rule, comment in before.direct.items() if _iptables.is_gate(rule)}
        if before.zones is None or (not before.filtering and self._anything_forwards()):
            return known
        found = {rule: comment for rule, comment in standing.items() if _iptables.is_gate(rule)}
        return found if self.forwards else {rule: comment for rule, comment in found.items() if rule in known}

    def _kept_rules(self, before: Firewall, standing: Mapping[Rule, str]) -> dict[Rule, str]:
        """The other ones: those that stand, and of those that somebody flushed what no task has taken back."""
        known = {rule: comment for rule, comment in before.direct.items() if not _iptables.is_gate(rule)}
        if not before.reloads:
            return known
        found = {rule: comment for rule, comment in standing.items() if not _iptables.is_gate(rule)}
        anew = {(rule.program, comment) for rule, comment in found.items()}
        lost = {rule: text for rule, text in self.lost.items() if rule in known and (rule.program, text) not in anew}
        return {**lost, **found}

    def remove(self, entry: Entry, own: Label | None, what: str) -> None:
        """Take an entry away, if it is there, and what firewalld keeps of it."""
        comment = self.entries.get(entry) or (self.lost.get(entry) if isinstance(entry, Rule) else None)
        if comment is not None:
            self.may_remove(comment, own, what)
            self.entries.pop(entry, None)
            if isinstance(entry, Rule):
                self.lost.pop(entry, None)

    def put_element(self, element: Element, comment: str) -> None:
        """Add an element to a map, in the place of another one."""
        self.drop_element(self.places.get(element.place))
        self.entries[element] = comment
        self.places[element.place] = element

    def drop_element(self, element: Element | None) -> None:
        """Take an element of a map away, if it is there."""
        if element is not None and element in self.entries:
            del self.entries[element], self.places[element.place]

    def _settle_published(self) -> None:
        """What follows from the published ports of all projects: who has some, and whom 127.0.0.0/8 leads to."""
        elements = [entry for entry in self.entries if isinstance(entry, Element)]
        published = [one for one in elements if one.set in _nft.PUBLISHED]
        addresses = {one.value[0] for one in published}
        publishers = [Element(name, (bridge, to)) for (name, to), bridge in self.leads.items() if to in addresses]
        local = {one.value[0] for one in published if one.set == "published4" or one.key[0].startswith("127.")}
        bridges = dict.fromkeys(one.key[0] for one in publishers if one.key[1] in local)
        following = [*publishers, *(Element("localnet", (bridge,)) for bridge in bridges)]
        for one in elements:
            if one.set in _nft.FOLLOWING:
                del self.entries[one]
        self.entries.update(dict.fromkeys(following, _nft.FOLLOWING_COMMENT))
        values = self.sysctls[HOST]
        for bridge in bridges:
            key = _sysctl.route_localnet(bridge)
            # A link that is still to come begins with the default.
            if bridge in self.links[HOST] and values.setdefault(key, values.get(_LOCALNET_DEFAULT, "0")) != "1":
                self.set_host_sysctl(key, "1")

    def _close_loopback(self) -> None:
        """Bridges that the table does not guard any more, also where somebody flushed it, get their own value back."""
        before = self.current.firewall
        if before.intact and self.entries == before.entries:
            return  # it may not even have been read
        guarded = {one.key[0] for one in self.entries if isinstance(one, Element) and one.set == "localnet"}
        opened = [key for key in self.originals if key.endswith("/route_localnet")]
        self.restore_host_sysctls([key for key in sorted(opened) if _sysctl.of_interface(key) not in guarded])

    # --- the end ---

    def finish(self) -> Host:
        """The predicted host."""
        if self.publishes:
            self._settle_published()
        self._close_loopback()
        for key in list(self.originals):
            interface = _sysctl.of_interface(key)
            if interface and interface not in self.links[HOST]:  # its settings go with it
                del self.originals[key]
                self.sysctls[HOST].pop(key, None)
        if self.restore and self.originals and not self.anything_of_ours():
            self.restore_host_sysctls(list(self.originals))
        self._settle_gates()
        firewall = dataclasses.replace(
            self.current.firewall,
            entries=self.entries,
            intact=True,
            zones=self._settle_zones(),
            direct=self._settle_direct(),
        )
        self._adjust_bridge_mtus()
        namespaces = {}
        for name, links in self.links.items():
            old = self.current.namespaces.get(name)
            nsid = self.nsids.get(name, old.nsid if old else None)
            if old is not None and _same(old.links, links) and old.sysctls == self.sysctls[name] and old.nsid == nsid:
                namespaces[name] = old
            else:
                namespaces[name] = Namespace(name, links, self.sysctls[name], nsid)
        return dataclasses.replace(
            self.current,
            namespaces=namespaces,
            names={name: key for key, names in self.names.items() for name in names},
            firewall=firewall,
            files=self.files,
            names_known=KnownNames(self.hosts, self.resolvers),
            originals=self.originals,
            services=self.services,
            boots=self.boots,
        )

    def _adjust_bridge_mtus(self) -> None:
        """A bridge whose MTU nobody set follows the smallest of its ports (br_mtu_auto_adjust, net/bridge/br_if.c)."""
        for namespace, links in self.links.items():
            old = self.current.namespaces.get(namespace)
            if old is not None and _same(old.links, links):
                continue
            for bridge in [link for link in links.values() if link.kind == "bridge"]:
                if (namespace, bridge.name) not in self.undeclared_mtu:
                    continue
                smallest = smallest_port(links, bridge.name)
                if bridge.mtu != smallest and (old is None or smallest != smallest_port(old.links, bridge.name)):
                    self.put(namespace, bridge.but(mtu=smallest))


def _bridges(entries: Mapping[Entry, str]) -> set[str]:
    """Whose networks have a forward entry of ours, of whichever project."""
    return {
        entry.key[0]
        for entry, comment in entries.items()
        if isinstance(entry, Element) and entry.set == "bridges" and _labels.parse(comment)
    }


def _same(old: Mapping[str, Link], new: Mapping[str, Link]) -> bool:
    """Whether nothing was put or dropped: an untouched link is the very same object."""
    return len(old) == len(new) and all(new.get(name) is link for name, link in old.items())


def smallest_port(links: Mapping[str, Link], bridge: str) -> int:
    """The smallest MTU of a bridge's ports; 1500 where it has none (br_mtu_min, net/bridge/br_if.c)."""
    return min((link.mtu for link in links.values() if link.master == bridge and link.mtu), default=1500)


def current_bridges(current: Host) -> list[tuple[str, str]]:
    """Bridges whose MTU follows their ports, as far as one can see from outside."""
    found = []
    for namespace, state in current.namespaces.items():
        bridges = [link for link in state.links.values() if link.kind == "bridge"]
        if not bridges:
            continue
        smallest: dict[str, int] = {}
        for link in state.links.values():
            if link.master and link.mtu:
                smallest[link.master] = min(link.mtu, smallest.get(link.master, link.mtu))
        found += [(namespace, bridge.name) for bridge in bridges if bridge.mtu == smallest.get(bridge.name, 1500)]
    return found
