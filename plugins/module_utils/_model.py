# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a host, desired and current, in the same frozen dataclasses.

In a desired object None means "not declared": such a field is left alone. In a
current object every field has a value. The host's own namespace is named "".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

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
    """What only a bridge has. Times are in hundredths of a second, as in linux/if_link.h (clock_t)."""

    stp: bool | None = None
    forward_delay: int | None = None
    ageing_time: int | None = None
    vlan_filtering: bool | None = None
    nf_call_iptables: bool | None = None
    nf_call_ip6tables: bool | None = None
    nf_call_arptables: bool | None = None


@dataclass(frozen=True)
class PortOptions:
    """What only a bridge port has (IFLA_BRPORT_*, linux/if_link.h)."""

    isolated: bool | None = None
    hairpin: bool | None = None
    cost: int | None = None
    priority: int | None = None
    learning: bool | None = None
    bpdu_guard: bool | None = None


# A bridge and a port as the kernel makes them (br_dev_setup, new_nbp; net/bridge). A veth tells
# 10 Gbit/s, which is cost 2; the cost of other links follows their speed and is shown only where declared.
NEW_BRIDGE = BridgeOptions(False, 1500, 30000, False, False, False, False)
NEW_PORT = PortOptions(isolated=False, hairpin=False, cost=2, priority=32, learning=True, bpdu_guard=False)


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
    peer: tuple[str, str] | None = None
    addresses: tuple[str, ...] | None = None
    routes: tuple[Route, ...] | None = None
    # Only seen, never declared or compared:
    index: int | None = field(default=None, compare=False)
    carries_default: bool | None = field(default=None, compare=False)  # a default route of any origin leaves by it
    lower: str | None = field(default=None, compare=False)  # the parent of a VLAN or macvlan
    secondary: tuple[str, ...] | None = field(default=None, compare=False)  # IPv4 addresses that go with their primary


@dataclass(frozen=True)
class Namespace:
    """A named network namespace, or the host's own."""

    name: str
    links: Mapping[str, Link] = field(default_factory=dict)
    sysctls: Mapping[str, str] = field(default_factory=dict)  # only those that somebody asked for
    shared: bool = field(default=False, compare=False)  # it has another name, or is the host's own

    @property
    def label(self) -> str:
        """The alias of the loopback, which is where a namespace carries its label."""
        loopback = self.links.get("lo")
        return loopback.label or "" if loopback else ""


@dataclass(frozen=True)
class Masquerade:
    """One source NAT: `source` is rewritten when it leaves by `out_interface`, or by anything but `bridge`."""

    source: str
    out_interface: str = ""
    bridge: str = ""
    backend: str = "nftables"  # or "iptables"

    @property
    def text(self) -> str:
        """How a message names it."""
        where = f"out of {self.out_interface}" if self.out_interface else f"from {self.bridge} to anywhere else"
        return f"{self.source} {where}"


@dataclass(frozen=True)
class Firewall:
    """Our entries, each with its comment; `table` is the listing of our nft table, "" where there is none."""

    masquerades: Mapping[Masquerade, str] = field(default_factory=dict)
    table: str = ""
    intact: bool = True  # the table's own rules are as we load them
    foreign: bool = False  # somebody else has a table of that name
    preferred: str = "nftables"  # what backend `auto` stands for on this host


@dataclass(frozen=True)
class Original:
    """A sysctl of the host before our first write, and what we wrote."""

    before: str
    ours: str


@dataclass(frozen=True)
class Host:
    """All that the engine knows of a host. Only what a task needs is read."""

    namespaces: Mapping[str, Namespace]
    firewall: Firewall = field(default_factory=Firewall)
    files: Mapping[str, str] = field(default_factory=dict)  # path -> content, "" where there is no file
    originals: Mapping[str, Original] = field(default_factory=dict)
    fresh: Mapping[str, str] = field(default_factory=dict)  # sysctls of a new namespace, those that are asked for
    br_netfilter: bool = True  # the kernel has net/bridge/bridge-nf-call-*
    ipv6: bool = True  # the kernel speaks IPv6


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
        if isinstance(value, (BridgeOptions, PortOptions)) and mine[name] is not None:
            value = overlay(mine[name], value)
            if value == mine[name]:
                continue
        changes[name] = value
    return dataclasses.replace(current, **changes) if changes else current  # type: ignore[type-var]
