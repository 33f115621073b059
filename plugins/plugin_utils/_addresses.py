# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses for those that have none: chosen from the declaration alone, and the same on every run."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable

from ..module_utils._errors import BridgenetError


def choose(
    subnet: ipaddress.IPv4Network, taken: Iterable[ipaddress.IPv4Address | None], names: Iterable[str]
) -> dict[str, ipaddress.IPv4Address]:
    """An address for each name: from a hash of it to the next that is free, in the order of the names."""
    whole = subnet.prefixlen >= 31  # RFC 3021: both addresses are hosts
    first = int(subnet.network_address) + (0 if whole else 1)
    room = subnet.num_addresses - (0 if whole else 2)
    used = {int(address) for address in taken if address is not None}
    found = {}
    for name in sorted(names):
        start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        candidates = (first + (start + step) % room for step in range(room))
        number = next((candidate for candidate in candidates if candidate not in used), None)
        if number is None:
            raise BridgenetError(f"subnet {subnet} has no address left for container {name!r}; choose a larger one")
        used.add(number)
        found[name] = ipaddress.IPv4Address(number)
    return found


def check_inside(key: str, address: ipaddress.IPv4Address, subnet: ipaddress.IPv4Network) -> None:
    """An address that a host can have in the subnet."""
    first, last = subnet[0], subnet[-1]
    if subnet.prefixlen < 31:  # RFC 3021: in a /31 both addresses are hosts
        first, last = first + 1, last - 1
    wrong = None
    if address not in subnet:
        wrong = f"is outside subnet {subnet}"
    elif address < first:
        wrong = f"is the network address of {subnet}"
    elif address > last:
        wrong = f"is the broadcast address of {subnet}"
    if wrong:
        raise BridgenetError(f"{key} '{address}' {wrong}; choose one from {first} to {last}")
