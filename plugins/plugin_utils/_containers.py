# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One container of a declaration: its keys read, completed and checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ..module_utils import _names
from ..module_utils._errors import BridgenetError
from . import _endpoints, _hostnames, _modes, _ports, _processes, _sysctls
from . import _readers as read
from ._declared import Container, Network
from ._modes import Mode


def _by_name(key: str, value: Any) -> Any:
    """A reader of networks, which Compose has as a list of names, too: those without any key."""
    if not isinstance(value, (list, tuple)):
        return value
    names = [read.text(f"{key}: network name", name) for name in value]
    for name in names:
        if names.count(name) > 1:
            raise BridgenetError(f"{key} names {name!r} twice; name it once")
    return {name: {} for name in names}


_CONTAINER: Mapping[str, read.Reader] = {
    "networks": _by_name,
    "network_mode": _modes.mode,
    "adopt": _modes.adopt,
    "sysctls": _sysctls.sysctls,
    "ports": _ports.ports,
    "mac_address": read.text,
    **_hostnames.KEYS,
    **_processes.KEYS,
    "state": read.state,
}


def given(name: str, value: Any) -> dict[str, Any]:
    """The keys of a container, each by itself."""
    with read.at(f"container {name!r}"):
        _names.namespace(name)
        return read.fields(value, _CONTAINER)


def container(name: str, keys: Mapping[str, Any], networks: Mapping[str, Network]) -> Container:
    """A container, from its keys."""
    with read.at(f"container {name!r}"):
        present = keys.get("state") != "absent"
        mode: Mode | None = keys.get("network_mode")
        if mode and "networks" in keys:
            raise BridgenetError("has both networks and network_mode; drop one of the two")
        if mode and "adopt" in keys:
            raise BridgenetError("has both adopt and network_mode; drop one of the two")
        if present and not mode and "networks" not in keys and "adopt" not in keys:
            raise BridgenetError(
                "has neither networks nor network_mode; write networks: {NAME: {}}, or network_mode: "
                "bridge, host, none or container:NAME"
            )
        if "sysctls" in keys:
            _sysctls.check_namespace(mode)
        if keys.get("ports"):
            _ports.check_mode(mode)
        endpoints = {}
        for network, entry in _places(keys, mode):
            if network not in networks:
                raise BridgenetError(f"network {network!r} is not declared; {read.choices(network, networks)}")
            with read.at(f"network {network!r}"):
                endpoints[network] = _endpoints.given(entry)
        interfaces = _endpoints.interfaces(endpoints)
        found = Container(
            name=name,
            present=present,
            endpoints=tuple(
                _endpoints.endpoint(name, networks[network], entry, present, interfaces[network])
                for network, entry in endpoints.items()
            ),
            mode=mode,
            adopt=keys.get("adopt"),
            resolution=_hostnames.resolution(keys, mode),
            sysctls=keys.get("sysctls", {}),
            ports=keys.get("ports", ()),
        )
        return _with_mac(found, _names.mac(keys["mac_address"])) if "mac_address" in keys else found


def _with_mac(container: Container, mac: str) -> Container:
    """Its own MAC address goes to the place with the highest priority, and among equals to the way out."""
    out = container.default_route
    place = min(container.endpoints, key=lambda one: (-one.priority, one is not out, one.network.name), default=None)
    if place is None:
        raise BridgenetError(f"mac_address {mac!r} is for an interface, and it has none; drop one of the two")
    if place.mac:
        raise BridgenetError(
            f"mac_address {mac!r} is for its interface in network {place.network.name!r}, which has {place.mac!r}; "
            "drop one of the two"
        )
    settled = dataclasses.replace(place, mac=mac)
    endpoints = tuple(settled if one is place else one for one in container.endpoints)
    return dataclasses.replace(container, endpoints=endpoints)


def _places(keys: Mapping[str, Any], mode: Mode | None) -> Iterable[tuple[str, Any]]:
    """Which networks it is in."""
    if mode and mode.kind == _modes.BRIDGE:
        return [(_modes.DEFAULT, {})]
    return read.named("network", keys.get("networks"))
