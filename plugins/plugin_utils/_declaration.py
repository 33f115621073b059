# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of networks and containers: read, completed and checked as far as a controller can.

What comes out are plain values, whatever subclasses of str and dict Ansible passed in.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

from . import _addresses, _containers, _modes, _networks, _policy, _pools, _ports, _processes, _together, _vxlan
from . import _readers as read
from ._declared import Container, Declaration, Endpoint
from ._occupied import Host
from ._parts import Share
from ._vxlan import Underlay


def parse(
    networks: Any,
    containers: Any,
    host: Host | None = None,
    pools: Any = None,
    purge: bool = False,
    share: Share | None = None,
    under: Underlay | None = None,
    gone: bool = False,
) -> Declaration:
    """The whole declaration; BridgenetError where it is wrong.

    What is left to be chosen is chosen as on an empty host, where it is not known what stands on the `host`. All of it
    is absent where it is `gone`.
    """
    everywhere = {"state": "absent"} if gone else {}
    given = {
        name: {**_containers.given(name, value), **everywhere} for name, value in read.named("container", containers)
    }
    keys = {
        name: {**_absent(_networks.given(name, value)), **everywhere} for name, value in read.named("network", networks)
    }
    default = None if _modes.DEFAULT in keys else _modes.default_network(given.values())
    if default is not None:
        keys[_modes.DEFAULT] = default
    subnets = _pools.subnets(keys, host, _pools.pools(pools, share))
    to_stand = {name: entry for name, entry in keys.items() if entry.get("state") != "absent"}
    taken = {entry.get("bridge", _networks.default_bridge(name)) for name, entry in to_stand.items()}
    by_name = {
        name: _networks.network(name, entry, subnets[name], host, share, under, taken) for name, entry in keys.items()
    }
    found = [_containers.container(name, entry, by_name) for name, entry in given.items()]
    found = _addresses.settle(found, host, purge)
    _together.check_owners(found)
    found = [_with_service(container, given[container.name]) for container in found]
    _together.check_links(by_name.values(), found)
    _together.check_subnets(by_name.values())
    _policy.check(by_name)
    _vxlan.check(by_name.values(), keys, under)
    _ports.check(found)
    members: dict[str, list[Endpoint]] = {name: [] for name in by_name}
    for endpoint in itertools.chain.from_iterable(container.endpoints for container in found if container.present):
        members[endpoint.network.name].append(endpoint)
    for name, endpoints in members.items():
        _together.check_members(name, endpoints)
    return Declaration(tuple(by_name.values()), tuple(found))


def _absent(keys: dict[str, Any]) -> dict[str, Any]:
    """A network that a person makes absent takes its masquerade along, whether that is written or not."""
    return {"masquerade": False, **keys} if keys.get("state") == "absent" and not keys.get("external") else keys


def _with_service(container: Container, given: Mapping[str, Any]) -> Container:
    """Its process."""
    if not container.present:
        return container
    with read.at(f"container {container.name!r}"):
        service = _processes.service(container.name, container.namespace, given)
    return dataclasses.replace(container, service=service) if service else container
