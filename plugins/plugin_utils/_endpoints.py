# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container's places in networks: their keys read, completed and checked."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from ..module_utils import _names
from ..module_utils._errors import BridgenetError
from . import _addresses, _link_names
from . import _readers as read
from ._declared import Endpoint, Network

_ENDPOINT: Mapping[str, read.Reader] = {
    "ipv4_address": read.address,
    "mac_address": read.text,
    "gw_priority": read.whole,
    "interface_name": read.text,
    "host_interface_name": read.text,
}


def given(value: Any) -> dict[str, Any]:
    """The keys of one place, each by itself."""
    return read.fields(value, _ENDPOINT)


def interfaces(endpoints: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The name of each interface in the container: as given, else the next free ethN by name of network."""
    names: dict[str, str] = {}
    for network, entry in endpoints.items():
        name = entry.get("interface_name")
        if name is not None:
            if name in names.values():
                raise BridgenetError(f"interface_name {name!r} is given twice; choose another name")
            names[network] = name
    free = (name for name in map("eth{}".format, itertools.count()) if name not in set(names.values()))
    names.update({network: next(free) for network in sorted(set(endpoints) - set(names))})
    return names


def endpoint(
    container: str, network: Network, keys: Mapping[str, Any], present: bool, interface: str, chosen: bool
) -> Endpoint:
    """A place in a network; its address is `chosen` later where nobody could give one."""
    with read.at(f"network {network.name!r}"):
        if present and not network.present:
            raise BridgenetError(
                "the network is absent, but the container is not; make both absent, "
                "or take the network out of the container's networks"
            )
        address = keys.get("ipv4_address")
        if present and address is None and not chosen:
            raise BridgenetError(f"has no ipv4_address; write one of {network.subnet}")
        if present and address and network.subnet:
            _addresses.check_inside("ipv4_address", address, network.subnet)
            if address == network.gateway:
                raise BridgenetError(f"ipv4_address '{address}' is the gateway of the network; choose another")
        host_interface = keys.get("host_interface_name")
        if host_interface is None:
            host_interface = f"veth{_link_names.digest(f'{container}/{network.name}', 11)}"
        return Endpoint(
            container=container,
            network=network,
            address=address,
            mac=_names.mac(keys["mac_address"]) if "mac_address" in keys else None,
            gw_priority=keys.get("gw_priority", 0),
            interface=_link_names.checked(interface),
            host_interface=_link_names.checked(host_interface),
        )
