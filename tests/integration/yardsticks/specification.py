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
    subnet: str
    gateway: str


@dataclass(frozen=True)
class Container:
    """A container with one address in one network."""

    name: str
    network: str
    address: str

    @property
    def id(self) -> str:
        """As long as those of a container engine."""
        return self.name.encode().hex().rjust(64, "0")


@dataclass(frozen=True)
class Specification:
    """Networks that masquerade and are kept from each other, and their containers."""

    networks: tuple[Network, ...]
    containers: tuple[Container, ...]

    def network(self, container: Container) -> Network:
        """Of a container."""
        return next(one for one in self.networks if one.name == container.network)


SPECIFICATION = Specification(
    networks=(
        Network("red", "brr", "10.71.0.0/24", "10.71.0.1"),
        Network("blue", "brb", "10.72.0.0/24", "10.72.0.1"),
    ),
    containers=(
        Container("r1", "red", "10.71.0.11"),
        Container("r2", "red", "10.71.0.12"),
        Container("b1", "blue", "10.72.0.11"),
    ),
)
