# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One description of networks and containers, which every builder makes a real network of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """A network, as all of the engines know it."""

    name: str
    bridge: str
    subnet: str = ""
    gateway: str = ""
    subnet6: str = ""
    gateway6: str = ""
    internal: bool = False
    icc: bool = True  # its containers talk to each other

    @property
    def addresses(self) -> tuple[str, ...]:
        """Of the gateway."""
        return tuple(filter(None, (self.gateway, self.gateway6)))

    @property
    def subnets(self) -> tuple[str, ...]:
        """Of both families."""
        return tuple(filter(None, (self.subnet, self.subnet6)))


@dataclass(frozen=True)
class Port:
    """A published port, or several in a row; "" is every address of the host."""

    host: int
    container: int
    protocol: str = "tcp"
    address: str = ""
    count: int = 1

    @property
    def compose(self) -> str:
        """As `docker run --publish` and the Compose specification have it."""
        last = self.count - 1
        host, container = (f"{first}-{first + last}" if last else str(first) for first in (self.host, self.container))
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{f'{address}:' if address else ''}{host}:{container}/{self.protocol}"


@dataclass(frozen=True)
class Container:
    """A container in one network."""

    name: str
    network: str
    address: str = ""
    address6: str = ""
    ports: tuple[Port, ...] = ()

    @property
    def id(self) -> str:
        """As long as those of a container engine."""
        return self.name.encode().hex().rjust(64, "0")

    @property
    def addresses(self) -> tuple[str, ...]:
        """Of both families."""
        return tuple(filter(None, (self.address, self.address6)))


@dataclass(frozen=True)
class Specification:
    """Networks that masquerade unless they are internal, and are kept from each other, and their containers."""

    networks: tuple[Network, ...]
    containers: tuple[Container, ...]

    def network(self, container: Container) -> Network:
        """Of a container."""
        return next(one for one in self.networks if one.name == container.network)


HOST, OTHER, WORLD = "198.18.0.1", "198.18.0.3", "198.18.0.2"  # two of the host, and somebody outside
HOST6, OTHER6, WORLD6 = "fd00:198::1", "fd00:198::3", "fd00:198::2"

SPECIFICATION = Specification(
    networks=(
        Network("red", "brr", "10.71.0.0/24", "10.71.0.1"),
        Network("blue", "brb", "10.72.0.0/24", "10.72.0.1"),
        Network("green", "brg", "10.73.0.0/24", "10.73.0.1", internal=True),
        Network("grey", "bry", "10.75.0.0/24", "10.75.0.1", icc=False),
        Network("violet", "brv", "10.74.0.0/24", "10.74.0.1", "fd74::/64", "fd74::1"),
        Network("white", "brw", subnet6="fd76::/64", gateway6="fd76::1"),
        Network("onyx", "bro", subnet6="fd77::/64", gateway6="fd77::1", internal=True),
        Network("amber", "bra", subnet6="fd78::/64", gateway6="fd78::1", icc=False),
    ),
    containers=(
        Container(
            "r1",
            "red",
            "10.71.0.11",
            ports=(
                Port(8081, 80),
                Port(8081, 80, "udp"),
                Port(8082, 80, address="127.0.0.1"),
                Port(8083, 80, address=HOST),
                Port(8090, 80, count=2),
            ),
        ),
        Container("r2", "red", "10.71.0.12"),
        Container("b1", "blue", "10.72.0.11"),
        Container("g1", "green", "10.73.0.11"),
        Container("g2", "green", "10.73.0.12"),
        Container("y1", "grey", "10.75.0.11"),
        Container("y2", "grey", "10.75.0.12"),
        Container("v1", "violet", "10.74.0.11", "fd74::11", ports=(Port(8085, 80), Port(8085, 80, "udp"))),
        Container("v2", "violet", "10.74.0.12", "fd74::12"),
        Container(
            "w1",
            "white",
            address6="fd76::11",
            ports=(Port(8086, 80), Port(8086, 80, "udp"), Port(8087, 80, address=HOST6), Port(8094, 80, count=2)),
        ),
        Container("w2", "white", address6="fd76::12"),
        Container("o1", "onyx", address6="fd77::11"),
        Container("o2", "onyx", address6="fd77::12"),
        Container("a1", "amber", address6="fd78::11"),
        Container("a2", "amber", address6="fd78::12"),
    ),
)
