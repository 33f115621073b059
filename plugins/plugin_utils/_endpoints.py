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
from . import _addresses, _hostnames, _link_names, _shaping, _subnets
from . import _readers as read
from ._declared import Address, Endpoint, Network

_ENDPOINT: Mapping[str, read.Reader] = {
    "ipv4_address": read.address,
    "ipv6_address": read.ipv6_address,
    "aliases": _hostnames.aliases,
    "mac_address": read.text,
    "priority": read.whole,
    "gw_priority": read.whole,
    "interface_name": read.text,
    "host_interface_name": read.text,
    "bandwidth": _shaping.bandwidth,
    "netem": _shaping.netem,
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


def endpoint(container: str, network: Network, keys: Mapping[str, Any], present: bool, interface: str) -> Endpoint:
    """A place in a network; its addresses are chosen later where nobody wrote them."""
    with read.at(f"network {network.name!r}"):
        if present and not network.present:
            raise BridgenetError(
                "the network is absent, but the container is not; make both absent, "
                "or take the network out of the container's networks"
            )
        if present:
            for words in _subnets.WORDS:
                _check(network, words, keys.get(words.address))
        host_interface = keys.get("host_interface_name")
        if host_interface is None:
            host_interface = f"veth{_link_names.digest(f'{container}/{network.name}', 11)}"
        missing = {
            words.version
            for words in _subnets.WORDS
            if network.family(words.version) and keys.get(words.address) is None
        }
        return Endpoint(
            container=container,
            network=network,
            ipv4_address=keys.get("ipv4_address"),
            ipv6_address=keys.get("ipv6_address"),
            chosen=frozenset(missing if present else ()),
            mac=_names.mac(keys["mac_address"]) if "mac_address" in keys else None,
            priority=keys.get("priority", 0),
            gw_priority=keys.get("gw_priority", 0),
            aliases=keys.get("aliases", ()),
            interface=_link_names.checked(interface),
            host_interface=_link_names.checked(host_interface),
            shaping=_shaping.shaping(keys),
        )


def _check(network: Network, words: _subnets.Words, address: Address | None) -> None:
    """An address that a person wrote, or left to us."""
    addressing = network.family(words.version)
    if addressing is None:
        if address:
            raise BridgenetError(
                f"{words.address} '{address}' needs IPv{words.version}, which the network has not; give it "
                f"{words.enable}: true, or drop the address"
            )
    elif address is None:
        if network.external and addressing.range == addressing.subnet:
            raise BridgenetError(
                f"has no {words.address}, and which addresses of an external network are free is not known here; "
                f"write one of {addressing.subnet}, or {words.range} in the network"
            )
    elif addressing.chosen:
        raise BridgenetError(
            f"{words.address} '{address}' is in no subnet that you know; give the network a {words.subnet}"
        )
    else:
        _addresses.check_inside(words.address, address, addressing.subnet)
        part, chosen_from = addressing.part, addressing.range
        if part and chosen_from != addressing.subnet and address in chosen_from and address not in part:
            raise BridgenetError(
                f"{words.address} '{address}' is in the part of {words.range} {chosen_from} from which another host "
                f"chooses; write one in {part}, which is this host's, or outside {words.range}"
            )
        if address == addressing.gateway:
            raise BridgenetError(f"{words.address} '{address}' is the gateway of the network; choose another")
        if address in addressing.reserved:
            raise BridgenetError(f"{words.address} '{address}' is in aux_addresses of the network; choose another")
