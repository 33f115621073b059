# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a declaration says, completed: networks, containers, and the containers' places in networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import _modes
from ._modes import Mode


@dataclass(frozen=True)
class Network:
    """A bridge and its subnet."""

    name: str
    present: bool
    bridge: str
    external: bool
    subnet: ipaddress.IPv4Network | None  # None only where absent
    gateway: ipaddress.IPv4Address | None  # None is pure layer 2
    masquerade: bool | None  # None is left alone
    mtu: int | None


@dataclass(frozen=True)
class Endpoint:
    """A container's place in a network: a veth pair."""

    container: str
    network: Network
    address: ipaddress.IPv4Address | None  # None only where absent
    mac: str | None
    gw_priority: int
    interface: str  # in the container
    host_interface: str  # the port of the bridge


@dataclass(frozen=True)
class Container:
    """A namespace and its places in networks."""

    name: str
    present: bool
    endpoints: tuple[Endpoint, ...]
    mode: Mode | None = None  # None is the networks that it names
    adopt: Mapping[str, Any] | None = None  # whose namespace it is, None where it is made
    service: Mapping[str, Any] | None = None  # the options of its process, None where it has none
    sysctls: Mapping[str, str] = field(default_factory=dict)  # in its namespace, by keys in slash form

    @property
    def namespace(self) -> str:
        """Where its processes are; "" is the host's own."""
        return "" if self.mode and self.mode.kind == _modes.HOST else self.name

    @property
    def owner(self) -> str:
        """The container whose namespace it shares; "" is none."""
        return self.mode.owner if self.mode else ""

    @property
    def default_route(self) -> Endpoint | None:
        """Where the default route leaves: the highest gw_priority, then the first network by name."""
        candidates = [endpoint for endpoint in self.endpoints if endpoint.network.gateway]
        return min(candidates, key=lambda endpoint: (-endpoint.gw_priority, endpoint.network.name), default=None)


@dataclass(frozen=True)
class Declaration:
    """All that was declared for one host."""

    networks: tuple[Network, ...]
    containers: tuple[Container, ...]
