# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a host, desired and current, in the same frozen dataclasses.

In a desired object None means "not declared": such a field is left alone. In a
current object every field has a value. The host's own namespace is named "".
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, Union

from ._known_names import KnownNames

HOST = ""

T = TypeVar("T")


DEFAULTS = ("default", "::/0")


@dataclass(frozen=True)
class Route:
    """A unicast route of the main table out of one interface."""

    to: str  # "default", "::/0" or a network
    via: str = ""  # "" is on-link
    metric: int = 0  # the kernel's own defaults: 0 for IPv4, 1024 for IPv6


@dataclass(frozen=True)
class BridgeOptions:
    """What only a bridge has. Times are in hundredths of a second, as in linux/if_link.h (clock_t).

    The kernel tells the times that are in force. `lent` names those that are the spanning tree's: its root gives
    forward_delay to all others, and while its topology changes, ageing_time is twice that (net/bridge/br_stp.c).
    """

    stp: bool | None = None
    forward_delay: int | None = None
    ageing_time: int | None = None
    vlan_filtering: bool | None = None
    nf_call_iptables: bool | None = None
    nf_call_ip6tables: bool | None = None
    nf_call_arptables: bool | None = None
    lent: tuple[str, ...] | None = field(default=None, compare=False)  # only seen


@dataclass(frozen=True)
class PortOptions:
    """What only a bridge port has (IFLA_BRPORT_*, linux/if_link.h)."""

    isolated: bool | None = None
    hairpin: bool | None = None
    cost: int | None = None
    priority: int | None = None
    learning: bool | None = None
    bpdu_guard: bool | None = None
    neigh_suppress: bool | None = None


@dataclass(frozen=True, order=True)
class Vlan:
    """A VLAN that a bridge port, or the bridge itself, belongs to."""

    vid: int
    pvid: bool = False  # frames without a tag belong to it
    untagged: bool = False  # its frames leave without a tag


@dataclass(frozen=True)
class Tbf:
    """A token bucket filter, which limits a rate; buffer is in ticks of the kernel."""

    rate: int  # bytes per second
    buffer: int
    limit: int  # bytes that may wait


@dataclass(frozen=True)
class Netem:
    """A network emulator; times are in ticks, shares in 32 bits, as the kernel has them."""

    delay: int
    jitter: int
    loss: int
    duplicate: int
    limit: int  # packets that may wait


@dataclass(frozen=True)
class Qdisc:
    """What a link does with the packets that it sends; nothing of it is what the kernel gives by itself."""

    netem: Netem | None = None
    tbf: Tbf | None = None
    foreign: str = ""  # the kind of one that somebody else set


@dataclass(frozen=True)
class TunOptions:
    """What only a tun or tap has (IFLA_TUN_*, linux/if_link.h)."""

    mode: str | None = None  # "tun" carries IP packets, "tap" Ethernet frames
    owner: str | None = None  # the number of a user, "" for none; in check mode the name of one who is assumed
    group: str | None = None
    multi_queue: bool | None = None
    packet_info: bool | None = None
    vnet_hdr: bool | None = None


@dataclass(frozen=True)
class VxlanOptions:
    """What only a VXLAN link has, and nothing can change afterwards (IFLA_VXLAN_*, linux/if_link.h)."""

    vni: int | None = None
    local: str | None = None  # the address that it sends from and listens at
    port: int | None = None
    learning: bool | None = None
    ttl: int | None = None  # 0 is the kernel's choice


# A bridge as the kernel makes it (br_dev_setup, net/bridge/br_device.c).
NEW_BRIDGE = BridgeOptions(False, 1500, 30000, False, False, False, False)

# A port's cost follows the speed that its link tells (port_cost, net/bridge/br_if.c): 10 Gbit/s, or none that it knows.
_COSTS = {"veth": 2, "tun": 2, "vxlan": 100}


def new_port(link: Link) -> PortOptions:
    """A port as the kernel makes it (new_nbp, net/bridge/br_if.c); of other links nobody knows the cost beforehand."""
    cost = _COSTS.get(link.kind or "")
    return PortOptions(False, False, cost, 32, True, False, False)


@dataclass(frozen=True)
class Link:
    """An interface. `peer` is (namespace, name) of a veth's other end where that is known."""

    name: str
    kind: str | None = None
    mac: str | None = None
    mtu: int | None = None
    up: bool | None = None
    ipv6: bool | None = None
    label: str | None = None
    master: str | None = None
    port: PortOptions | None = None
    bridge: BridgeOptions | None = None
    vlans: tuple[Vlan, ...] | None = None  # only where asked for, or where a bridge heeds them
    tun: TunOptions | None = None
    vxlan: VxlanOptions | None = None
    flood: tuple[str, ...] | None = None  # of a VXLAN link: who gets what is for everybody, or for nobody known
    qdisc: Qdisc | None = None  # only where asked for, or where there is a tbf or netem
    peer: tuple[str, str] | None = None
    addresses: tuple[str, ...] | None = None
    routes: tuple[Route, ...] | None = None
    # Only seen, never declared or compared:
    index: int | None = field(default=None, compare=False)
    carries_default: bool | None = field(default=None, compare=False)  # a default route of any origin leaves by it
    lower: str | None = field(default=None, compare=False)  # the parent of a VLAN or macvlan
    secondary: tuple[str, ...] | None = field(default=None, compare=False)  # IPv4 addresses that go with their primary
    persistent: bool | None = field(default=None, compare=False)  # a tun or tap outlives the process that made it
    held_by: tuple[int, ...] | None = field(default=None, compare=False)  # processes that have a tun or tap open
    default_pvid: int | None = field(default=None, compare=False)  # of a bridge, and with a port that of its bridge
    altnames: tuple[str, ...] | None = field(default=None, compare=False)  # more names by which the kernel knows it

    @property
    def vni(self) -> tuple[Any, ...] | None:
        """What only one VXLAN link of a namespace can have: its number, for each port and family."""
        if self.vxlan is None:
            return None
        return self.vxlan.vni, self.vxlan.port, 6 if ":" in (self.vxlan.local or "") else 4

    @staticmethod
    def told(values: Mapping[str, Any]) -> Link:
        """A link of all its fields: the constructor in a quarter of its time, which a thousand links need."""
        if values.keys() != UNDECLARED.keys():
            raise TypeError(f"not the fields of a link: {', '.join(sorted(values.keys() ^ UNDECLARED.keys()))}")
        new = object.__new__(Link)
        new.__dict__.update(values)
        return new

    def but(self, **changes: Any) -> Link:
        """This link with other values: dataclasses.replace() in a fifth of its time, which a new pair needs often."""
        new = object.__new__(Link)
        new.__dict__.update(self.__dict__, **changes)
        if len(new.__dict__) > len(self.__dict__):
            raise TypeError(f"a link has no {', '.join(sorted(changes.keys() - self.__dict__.keys()))}")
        return new


UNDECLARED: Mapping[str, Any] = {field.name: None for field in dataclasses.fields(Link)}


def released(link: Link) -> Link:
    """A port that has left its bridge."""
    vlans = () if link.vlans is not None and link.kind != "bridge" else link.vlans
    return link.but(master="", port=None, vlans=vlans)


def is_another(before: Link, after: Link) -> bool:
    """Whether a link of the same name is another device, so that the old one goes before the new one comes."""
    if before.kind != after.kind:
        return True
    if before.kind == "veth":
        return before.peer != after.peer
    # What `ip tuntap add` and `ip link add type vxlan` are told, and nothing can change afterwards.
    return before.tun != after.tun or before.vxlan != after.vxlan


@dataclass(frozen=True)
class Namespace:
    """A named network namespace, or the host's own."""

    name: str
    links: Mapping[str, Link] = field(default_factory=dict)
    sysctls: Mapping[str, str] = field(default_factory=dict)  # only those that somebody asked for
    nsid: int | None = None  # the id that the host's own namespace has for it, -1 is none; only where asked for
    inode: int = field(default=0, compare=False)  # what tells two namespaces apart while both exist

    @functools.cached_property
    def named_otherwise(self) -> Sequence[Link]:
        """The links that have alternative names."""
        return [link for link in self.links.values() if link.altnames]

    @property
    def label(self) -> str:
        """The alias of the loopback, which is where a namespace carries its label."""
        loopback = self.links.get("lo")
        return loopback.label or "" if loopback else ""


@dataclass(frozen=True)
class Source:
    """Where a namespace that exists is found: `pid`, `path`, `podman` or `docker`, and which."""

    kind: str
    value: str

    @property
    def text(self) -> str:
        """How a message names it."""
        return {"pid": f"process {self.value}", "path": self.value}.get(self.kind, f"{self.kind} {self.value!r}")


@dataclass(frozen=True)
class Adoptee:
    """A namespace that is to get a name: where it stands in `Host.namespaces`, and where it is found."""

    key: str
    path: str
    pid: int = 0  # 0 where it is found by path


@dataclass(frozen=True)
class Holder:
    """What keeps a namespace alive, whatever its names: a process, an open file of one, or a mount that one sees."""

    kind: str  # process, descriptor or mount
    pid: int
    command: str
    descriptor: int | None = None
    path: str = ""
    unit: str = ""  # of systemd, that the process belongs to

    @property
    def text(self) -> str:
        """How a message names it."""
        who = f"process {self.pid} ({self.command})"
        if self.kind == "descriptor":
            return f"descriptor {self.descriptor} of {who}"
        return f"the mount {self.path} that {who} sees" if self.kind == "mount" else who


@dataclass(frozen=True)
class Held:
    """Who holds a namespace, after the time that they were given."""

    holders: tuple[Holder, ...] = ()
    waited: float | None = 0  # so many seconds; None in check mode, which waits for nobody


Place = tuple[str, tuple[str, ...]]  # a set or map, and a key of it


@dataclass(frozen=True)
class Element:
    """An element of a named set in our nft table, or of a map, where it has a value.

    The fields of both are as nft prints them, without quotes.
    """

    set: str
    key: tuple[str, ...]
    value: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """Where it stands, whatever its value."""
        return (self.set, self.key)


@dataclass(frozen=True)
class Rule:
    """A rule of ours in a chain of iptables, as `iptables -S` prints it; its comment stands before the target."""

    program: str  # iptables, ip6tables, or one of them with -nft or -legacy
    table: str
    chain: str
    match: tuple[str, ...]
    target: tuple[str, ...]
    head: bool = field(default=False, compare=False)  # it goes in front of the others


@dataclass(frozen=True)
class Log:
    """A rule that logs packets at a hook, in our second nft table; "" is whatever it may be."""

    hook: str
    table: str  # nat sees the first packet of a flow, filter every one
    prefix: str
    source: str = ""
    destination: str = ""
    in_interface: str = ""
    out_interface: str = ""
    protocol: str = ""
    group: int | None = None  # of NFLOG; None is the kernel's own log


Entry = Union[Element, Rule, Log]

Bindings = Mapping[tuple[str, bool], str]  # interface, and whether permanently -> its zone of firewalld


@dataclass(frozen=True)
class Firewall:
    """Our entries, each with its comment; `table` is the listing of our nft table, "" where there is none."""

    entries: Mapping[Entry, str] = field(default_factory=dict)
    table: str = ""
    intact: bool = True  # the table's own rules are as we load them
    foreign: bool = False  # somebody else has a table of that name
    foreign_log: bool = False  # and of that of the second one
    preferred: str = "nftables"  # what backend `auto` stands for on this host
    gates: tuple[Rule, ...] | None = None  # what lets forwarded packets through chains of others; None is not read
    obstacles: tuple[str, ...] = ()  # chains of others that we cannot open, and what a person can do about it
    zones: Bindings | None = None  # None where firewalld does not run, or nobody asked
    filtering: bool = True  # the rules of firewalld stand, where it runs
    direct: Mapping[Rule, str] = field(default_factory=dict)  # what firewalld puts back when it reloads, with comments
    reloads: bool = (
        False  # firewalld runs, and a reload of it flushes what it does not put back; only where that matters
    )
    docker: bool = False  # its chains stand in iptables
    ports: bool = True  # whether this host's nft can publish any
    # Only seen, never compared:
    places: Mapping[Rule, int] = field(default_factory=dict, compare=False)  # of each rule in its chain, from 1
    counters: Mapping[Entry, tuple[int, int]] = field(default_factory=dict, compare=False)  # packets, bytes
    log_table: str = field(default="", compare=False)  # the listing of our second nft table, with its counters

    @functools.cached_property
    def by_comment(self) -> Mapping[str, Sequence[Entry]]:
        """Comment -> the entries that carry it."""
        found: dict[str, list[Entry]] = {}
        for entry, comment in self.entries.items():
            found.setdefault(comment, []).append(entry)
        return found

    @functools.cached_property
    def by_place(self) -> Mapping[Place, Element]:
        """The elements of maps, each by what there is only one of."""
        return {one.place: one for one in self.entries if isinstance(one, Element) and one.value}

    @functools.cached_property
    def leads(self) -> Mapping[tuple[str, str], str]:
        """The bridges that lead to containers with published ports, by their set and the container's address."""
        elements = [one for one in self.entries if isinstance(one, Element)]
        return {(one.set, one.key[1]): one.key[0] for one in elements if one.set.startswith("publishers")}


@dataclass(frozen=True)
class Listener:
    """A socket of the host that gets what comes to a port."""

    protocol: str
    address: str  # 0.0.0.0 or :: is any of them
    port: int
    process: str = ""  # how a message names whose it is, "" where that is not known


@dataclass(frozen=True)
class Service:
    """A systemd unit with the name that ours have."""

    name: str
    unit: str  # its file, "" where there is none
    active: bool
    placed: bool  # its process is in the namespace that the unit names, as that is now


@dataclass(frozen=True)
class Boot:
    """What brings the network of a project back at boot: a script, and the unit that starts it; "" is no file."""

    script: str = ""
    unit: str = ""
    enabled: bool = False


@dataclass(frozen=True)
class Original:
    """A sysctl of the host before our first write, and what we wrote."""

    before: str
    ours: str


_FORMER = " (former)"


def former(name: str) -> str:
    """The key of the namespace that `name` stands for, where that name is to become another one's."""
    return name + _FORMER


def spoken(key: str) -> str:
    """A key as a command names it, as long as the name has not changed hands."""
    return key[: -len(_FORMER)] if key.endswith(_FORMER) else key


def place(namespace: str) -> str:
    """How a message names a namespace."""
    return f"namespace {namespace!r}" if namespace else "the host"


def unpublished(name: str) -> str:
    """A key that stands for no namespace: for a name under which none is published, though one was or will be."""
    return f"{name} (unpublished)"


@dataclass(frozen=True)
class Host:
    """All that the engine knows of a host. Only what a task needs is read.

    A namespace stands once in `namespaces`, whatever its names: mostly under its only one.
    """

    namespaces: Mapping[str, Namespace]
    firewall: Firewall = field(default_factory=Firewall)
    files: Mapping[str, str] = field(default_factory=dict)  # path -> content, "" where there is no file
    names_known: KnownNames = field(default_factory=KnownNames)  # what is in /etc/netns
    originals: Mapping[str, Original] = field(default_factory=dict)
    listeners: tuple[Listener, ...] = ()  # at the ports that are to be published
    addresses_missing: frozenset[str] = frozenset()  # at which no program could listen; only of those asked for
    services: Mapping[str, Service] = field(default_factory=dict)  # by name, also those asked for that are not there
    boots: Mapping[str, Boot] = field(default_factory=dict)  # by project; only of those asked for
    fresh: Mapping[str, str] = field(default_factory=dict)  # sysctls of a new namespace, those that are asked for
    accounts: Mapping[tuple[str, str], str] = field(default_factory=dict)  # ("user" or "group", name) -> number
    br_netfilter: bool = True  # the kernel has net/bridge/bridge-nf-call-*
    filters_vlans: bool = True  # its bridges can; only where asked for
    qdiscs_missing: frozenset[str] = frozenset()  # kinds that the kernel lacks; only of those asked for
    ipv6: bool = True  # the kernel speaks IPv6
    systemd: bool = False  # it runs this host
    names: Mapping[str, str] = field(default_factory=dict)  # published name -> where it stands in `namespaces`
    adoptees: Mapping[str, Adoptee] = field(default_factory=dict)  # name that is to be published -> what it is for
    nsids: Mapping[int, str] = field(default_factory=dict)  # id -> a name of that namespace, "" where none is known
    holders: Mapping[int, Held] = field(default_factory=dict)  # inode -> who holds it; only of those that go

    def link(self, namespace: str, name: str) -> Link | None:
        """A link, None where it is not there."""
        place = self.namespaces.get(namespace)
        return place.links.get(name) if place else None

    def key(self, name: str) -> str:
        """Where the namespace of that name stands; nowhere if it is not published."""
        return self.names.get(name) or (unpublished(name) if name and name in self.namespaces else name)


NO_IPV6_DEFAULT, NO_IPV6_ALL = "net/ipv6/conf/default/disable_ipv6", "net/ipv6/conf/all/disable_ipv6"


def new_links_speak_ipv6(host: Host, namespace: str, sysctls: Mapping[str, str]) -> bool:
    """Whether a link that comes into a namespace with these sysctls speaks IPv6 before anybody says otherwise.

    Writing `all` sets `default`, too (addrconf_disable_ipv6, net/ipv6/addrconf.c).
    """
    if not host.ipv6:
        return False
    known = {} if namespace in host.namespaces else host.fresh
    for key in (NO_IPV6_DEFAULT, NO_IPV6_ALL):
        if key in sysctls:
            return sysctls[key] == "0"
    return known.get(NO_IPV6_DEFAULT, "0") == "0"


def overlay(current: T, declared: Any, without: Container[str] = ()) -> T:
    """`current` with every field that `declared` names; the very same object where nothing differs."""
    changes = {}
    mine = current.__dict__
    for name, value in declared.__dict__.items():
        if value is None or mine[name] == value or name in without:
            continue
        if isinstance(value, (BridgeOptions, PortOptions, TunOptions, VxlanOptions)) and mine[name] is not None:
            value = overlay(mine[name], value)
            if value == mine[name]:
                continue
        changes[name] = value
    if not changes:
        return current
    if isinstance(current, Link):
        return current.but(**changes)  # type: ignore[return-value]
    return dataclasses.replace(current, **changes)  # type: ignore[type-var]
