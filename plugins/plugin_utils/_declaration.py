# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of networks and containers: read, completed and checked as far as a controller can.

What comes out are plain values, whatever subclasses of str and dict Ansible passed in.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import itertools
from collections.abc import Mapping
from typing import Any

from . import _addresses, _containers, _modes, _networks, _processes, _together
from . import _readers as read
from ._declared import Container, Declaration, Endpoint, Network


def parse(networks: Any, containers: Any) -> Declaration:
    """The whole declaration; BridgenetError where it is wrong."""
    given = {name: _containers.given(name, value) for name, value in read.named("container", containers)}
    by_name = {name: _networks.network(name, value) for name, value in read.named("network", networks)}
    default = None if _modes.DEFAULT in by_name else _modes.default_network(given.values())
    if default is not None:
        by_name[_modes.DEFAULT] = _networks.network(_modes.DEFAULT, default)
    found = [_containers.container(name, keys, by_name) for name, keys in given.items()]
    found = _with_addresses(found)
    _together.check_owners(found)
    places = {container.name: container.endpoints for container in found}
    found = [_with_service(container, given[container.name], places) for container in found]
    _together.check_links(by_name.values(), found)
    _together.check_subnets(by_name.values())
    members: dict[str, list[Endpoint]] = {name: [] for name in by_name}
    for endpoint in itertools.chain.from_iterable(container.endpoints for container in found if container.present):
        members[endpoint.network.name].append(endpoint)
    for name, endpoints in members.items():
        _together.check_members(name, endpoints)
    return Declaration(tuple(by_name.values()), tuple(found))


def _with_addresses(containers: list[Container]) -> list[Container]:
    """An address for every place that has none, out of those that are free in its network."""
    wanted: dict[str, list[str]] = {}
    taken: dict[str, list[ipaddress.IPv4Address | None]] = {}
    networks: dict[str, Network] = {}
    for container in containers:
        for endpoint in container.endpoints if container.present else ():
            network = endpoint.network
            networks[network.name] = network
            taken.setdefault(network.name, [network.gateway]).append(endpoint.address)
            if endpoint.address is None:
                wanted.setdefault(network.name, []).append(container.name)
    chosen = {}
    for name, members in wanted.items():
        subnet = networks[name].subnet
        if subnet:
            with read.at(f"network {name!r}"):
                chosen[name] = _addresses.choose(subnet, taken[name], members)

    def settled(endpoint: Endpoint) -> Endpoint:
        address = chosen.get(endpoint.network.name, {}).get(endpoint.container)
        return dataclasses.replace(endpoint, address=address) if address else endpoint

    return [
        dataclasses.replace(container, endpoints=tuple(map(settled, container.endpoints))) for container in containers
    ]


def _with_service(
    container: Container, given: Mapping[str, Any], places: Mapping[str, tuple[Endpoint, ...]]
) -> Container:
    """Its process, which finds its own name at the addresses of the container whose namespace it is in."""
    if not container.present:
        return container
    endpoints = places[container.owner or container.name]
    addresses = [str(endpoint.address) for endpoint in endpoints if endpoint.address]
    with read.at(f"container {container.name!r}"):
        service = _processes.service(container.name, container.namespace, addresses, given)
    return dataclasses.replace(container, service=service) if service else container
