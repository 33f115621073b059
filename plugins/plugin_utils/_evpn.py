# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who speaks BGP with whom: each host with the route reflectors, and these with all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..module_utils import _names
from ..module_utils._errors import BridgenetError
from . import _readers as read
from . import _vxlan

_DEFAULT_REFLECTORS = 2
_VARIABLE = "container_bridge_network_vxlan_address"


def sessions(
    variables: Mapping[str, Mapping[str, Any]],
    hosts: Iterable[str],
    own: str,
    reflectors: Iterable[str] = (),
    address: str = "",
) -> dict[str, Any]:
    """The address of a host, whether it is a reflector, and the addresses of those it has sessions with."""
    present = [host for host in hosts if host == own or variables[host].get("evpn_state") != "absent"]
    if own not in present:
        raise BridgenetError(
            f"host {own!r} is not among the hosts that have the control plane ({', '.join(present) or 'none'}); add it "
            "to the group that evpn_group names, or to evpn_hosts"
        )
    chosen = _reflectors(present, list(reflectors))
    addresses = _addresses(present, variables, {own: address} if address else {})
    others = {host: found for host, found in addresses.items() if host != own}
    reflects = own in chosen
    return {
        "address": addresses[own],
        "reflector": reflects,
        "reflectors": [others[host] for host in chosen if host != own],
        "clients": [found for host, found in others.items() if reflects and host not in chosen],
    }


def _reflectors(hosts: Sequence[str], told: Sequence[str]) -> list[str]:
    for host in told:
        if host not in hosts:
            raise BridgenetError(
                f"evpn_reflectors names {host!r}, which is not among the hosts that have the control plane "
                f"({', '.join(hosts)}); name some of these, or add it to them"
            )
    return list(dict.fromkeys(told)) or list(hosts[:_DEFAULT_REFLECTORS])


def _addresses(
    hosts: Iterable[str], variables: Mapping[str, Mapping[str, Any]], told: Mapping[str, str]
) -> dict[str, str]:
    """Those of the VXLAN links: a host is known by the address that its frames come from."""
    found: dict[str, str] = {}
    for host in hosts:
        known = told.get(host) or _vxlan.known_address(host, variables[host])
        if not known:
            raise BridgenetError(
                f"host {host!r} has no address by which the other hosts reach it; set {_VARIABLE} for it"
            )
        with read.at(f"host {host!r}"):
            address = _names.target(known)
        if _names.family(address) != 4:
            raise BridgenetError(
                f"host {host!r} has the address {address}, but FRR knows hosts by IPv4 addresses only; set {_VARIABLE} "
                "to one"
            )
        if address in found:
            raise BridgenetError(
                f"hosts {found[address]!r} and {host!r} both have the address {address}; set {_VARIABLE} to an address "
                "of its own for each"
            )
        found[address] = host
    return {host: address for address, host in found.items()}
