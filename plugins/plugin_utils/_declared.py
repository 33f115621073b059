# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a declaration says, completed: networks, containers, and the containers' places in networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union

from . import _modes
from ._hostnames import Resolution
from ._modes import Mode
from ._policy import Policy
from ._ports import Port
from ._shaping import Shaping
from ._vxlan import Overlay

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Subnet = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

FAMILIES = (4, 6)


@dataclass(frozen=True)
class Addressing:
    """The addresses that a network has of one family."""

    subnet: Subnet
    gateway: Address | None  # None where the host has no address in it
    range: Subnet  # where chosen addresses are from
    part: Subnet | None  # that of it from which this host chooses, None where it is not known
    shared: bool  # with other hosts, whose part is another one
    reserved: frozenset[Address]  # nobody's
    chosen: bool  # the subnet is from a pool


@dataclass(frozen=True)
class Network:
    """A bridge, and the addresses of those who are on it."""

    name: str
    present: bool
    bridge: str
    external: bool
    ipv4: Addressing | None
    ipv6: Addressing | None
    masquerade: bool | None  # None is left alone
    mtu: int | None
    policy: Policy = field(default_factory=Policy)
    overlay: Overlay | None = None  # None is on this host only

    def family(self, version: int) -> Addressing | None:
        """Its addresses of IPv4 or IPv6."""
        return self.ipv4 if version == 4 else self.ipv6

    @property
    def families(self) -> tuple[Addressing, ...]:
        """Its addresses, IPv4 first."""
        return tuple(filter(None, (self.ipv4, self.ipv6)))

    @property
    def shared(self) -> bool:
        """Whether other hosts have containers in it as well."""
        return any(one.shared for one in self.families)

    @property
    def gateways(self) -> tuple[str, ...]:
        """The addresses of the bridge with their prefix lengths. None is pure layer 2."""
        return tuple(f"{one.gateway}/{one.subnet.prefixlen}" for one in self.families if one.gateway)


@dataclass(frozen=True)
class Endpoint:
    """A container's place in a network: a veth pair."""

    container: str
    network: Network
    ipv4_address: Address | None
    ipv6_address: Address | None
    chosen: frozenset[int]  # the families whose address nobody wrote
    mac: str | None
    priority: int
    gw_priority: int
    aliases: tuple[str, ...]  # more names of the container
    interface: str  # in the container
    host_interface: str  # the port of the bridge
    shaping: Shaping = field(default_factory=Shaping)

    def address(self, version: int) -> Address | None:
        """Its address of IPv4 or IPv6."""
        return self.ipv4_address if version == 4 else self.ipv6_address

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Its addresses, IPv4 first."""
        return tuple(filter(None, (self.ipv4_address, self.ipv6_address)))


@dataclass(frozen=True)
class Container:
    """A namespace and its places in networks."""

    name: str
    present: bool
    endpoints: tuple[Endpoint, ...]
    mode: Mode | None = None  # None is the networks that it names
    adopt: Mapping[str, Any] | None = None  # whose namespace it is, None where it is made
    service: Mapping[str, Any] | None = None  # the options of its process, None where it has none
    resolution: Resolution = field(default_factory=Resolution)  # what it knows besides its neighbours
    sysctls: Mapping[str, str] = field(default_factory=dict)  # in its namespace, by keys in slash form
    ports: tuple[Port, ...] = ()  # that are published

    @property
    def namespace(self) -> str:
        """Where its processes are; "" is the host's own."""
        return "" if self.mode and self.mode.kind == _modes.HOST else self.name

    @property
    def owner(self) -> str:
        """The container whose namespace it shares; "" is none."""
        return self.mode.owner if self.mode else ""

    def way_out(self, version: int) -> Endpoint | None:
        """Where the default route of a family leaves: the highest gw_priority, then the first network by name."""
        candidates = []
        for endpoint in self.endpoints:
            addressing = endpoint.network.family(version)
            if addressing and addressing.gateway and not endpoint.network.policy.internal:
                candidates.append(endpoint)
        return min(candidates, key=lambda endpoint: (-endpoint.gw_priority, endpoint.network.name), default=None)

    @property
    def default_route(self) -> Endpoint | None:
        """Where the default route leaves, that of IPv4 before that of IPv6."""
        return self.way_out(4) or self.way_out(6)


@dataclass(frozen=True)
class Declaration:
    """All that was declared for one host."""

    networks: tuple[Network, ...]
    containers: tuple[Container, ...]
