# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses for those that have none: what stands stays, and others are chosen, the same on every run."""

from __future__ import annotations

import collections
import dataclasses
import functools
import hashlib
import ipaddress
import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..module_utils._errors import BridgenetError
from . import _readers as read
from ._declared import FAMILIES, Address, Addressing, Container, Endpoint, Subnet
from ._occupied import Host
from ._parts import COUNT, INDEX


def bounds(subnet: Subnet) -> tuple[int, int]:
    """The first and the last address that a host can have."""
    first, last = int(subnet[0]), int(subnet[-1])
    if subnet.prefixlen >= subnet.max_prefixlen - 1:  # RFC 3021, RFC 6164: both addresses are hosts
        return first, last
    return first + 1, last - (subnet.version == 4)


def check_inside(key: str, address: Address, subnet: Subnet) -> None:
    """An address that a host can have in the subnet."""
    first, last = bounds(subnet)
    wrong = None
    if address not in subnet:
        wrong = f"is outside subnet {subnet}"
    elif int(address) < first:
        wrong = f"is the network address of {subnet}"
    elif int(address) > last:
        wrong = f"is the broadcast address of {subnet}"
    if wrong:
        raise BridgenetError(
            f"{key} '{address}' {wrong}; choose one from {_address(first, subnet)} to {_address(last, subnet)}"
        )


def settle(containers: Sequence[Container], host: Host | None, purge: bool) -> list[Container]:
    """An address for every place that has none, out of those that are free in its network."""
    declared = {container.name for container in containers}
    members: dict[str, list[Endpoint]] = {}
    for container in containers:
        for endpoint in container.endpoints if container.present else ():
            members.setdefault(endpoint.network.name, []).append(endpoint)
    chosen: dict[tuple[str, str, int], Address] = {}
    stay = {} if host is None or purge else {key: one for key, one in host.addresses.items() if key[0] not in declared}
    for name, places in members.items():
        with read.at(f"network {name!r}"):
            for addressing in places[0].network.families:
                for container_name, address in _settled(name, addressing, places, host, stay).items():
                    chosen[container_name, name, address.version] = address

    def settled(endpoint: Endpoint) -> Endpoint:
        four, six = (chosen.get((endpoint.container, endpoint.network.name, version)) for version in FAMILIES)
        return dataclasses.replace(
            endpoint, ipv4_address=endpoint.ipv4_address or four, ipv6_address=endpoint.ipv6_address or six
        )

    return [
        dataclasses.replace(container, endpoints=tuple(map(settled, container.endpoints))) if chosen else container
        for container in containers
    ]


def _settled(
    network: str,
    addressing: Addressing,
    members: Sequence[Endpoint],
    host: Host | None,
    stay: Mapping[tuple[str, str, int], Address],
) -> dict[str, Address]:
    """For the members of one network that have no address of one family; nobody declares those who `stay`."""
    version = addressing.subnet.version
    taken, wanting = _asked(addressing, members)
    standing = {address: container for (container, where, _version), address in stay.items() if where == network}
    for member in members:
        address = member.address(version)
        if version not in member.chosen and address in standing:
            raise BridgenetError(
                f"address '{address}' of container {member.container!r} is that of container {standing[address]!r}, "
                "which stands, though nobody declares it any more; declare that absent, purge, or choose another "
                "address"
            )
    taken |= standing.keys()
    known = {} if host is None else host.addresses
    if host and members[0].network.external:  # others give out addresses as well
        own = {str(address) for key, address in known.items() if key[1] == network and key not in stay}
        taken |= {ipaddress.ip_address(address) for address in host.everywhere - own}
    return choose(addressing, taken, {name: known.get((name, network, version)) for name in wanting})


def _asked(addressing: Addressing, members: Iterable[Endpoint]) -> tuple[set[Address | None], list[str]]:
    """What nobody can be given, and the names of those whose address nobody wrote."""
    version = addressing.subnet.version
    taken = {addressing.gateway, *addressing.reserved}
    wanting = []
    for member in members:
        if version in member.chosen:
            wanting.append(member.container)
        else:
            taken.add(member.address(version))
    return taken, wanting


def certain(addressing: Addressing, members: Sequence[Endpoint]) -> set[str]:
    """Of those whose address is chosen, who has the same one whichever of them came first.

    That is whom no other one meets on the way from its hash to the next free address.
    """
    taken, wanting = _asked(addressing, members)
    used = {int(address) for address in taken if address is not None}
    found = {member.container: member.address(addressing.subnet.version) for member in members}
    ways: dict[str, list[int]] = {}
    for name in wanting:
        address = found[name]
        if address is None or addressing.part is None:
            continue
        own = int(address)
        search = _search(name, addressing.subnet, addressing.part)
        before = itertools.takewhile(functools.partial(operator.ne, own), search)
        ways[name] = [number for number in (*before, own) if number not in used]
    met = collections.Counter(itertools.chain.from_iterable(ways.values()))
    return {name for name, way in ways.items() if met[way[0]] == 1}


def choose(
    addressing: Addressing, taken: Iterable[Address | None], names: Mapping[str, Address | None]
) -> dict[str, Address]:
    """An address for each name: the one that it has, or from a hash of the name to the next that is free.

    Names are served in alphabetical order, and those that have one already before all others.
    """
    subnet = addressing.subnet
    used = {int(address) for address in taken if address is not None}
    found = {}
    for name, address in sorted(names.items()):
        if address is not None and _may_stay(address, addressing) and int(address) not in used:
            used.add(int(address))
            found[name] = address
    wanting = sorted(names.keys() - found.keys())
    if not wanting:
        return found
    part = addressing.part
    if part is None:
        raise BridgenetError(
            f"is shared with other hosts, and which addresses this one may give to container {wanting[0]!r} is not "
            f"known; write {INDEX} and {COUNT}, or the address"
        )
    for name in wanting:
        number = next((candidate for candidate in _search(name, subnet, part) if candidate not in used), None)
        if number is None:
            what = "subnet" if part == subnet else "range"
            raise BridgenetError(f"{what} {part} has no address left for container {name!r}; choose a larger one")
        used.add(number)
        found[name] = _address(number, subnet)
    return found


def _search(name: str, subnet: Subnet, part: Subnet) -> Iterator[int]:
    """All addresses of a part that a host can have, beginning with the one that a hash of the name tells."""
    first, last = bounds(subnet)
    first, last = max(first, int(part[0])), min(last, int(part[-1]))
    room = last - first + 1
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return (first + (start + step) % room for step in range(room))


def _may_stay(address: Address, addressing: Addressing) -> bool:
    """Whether a container may keep what it has; in a shared network that may be another host's by now."""
    first, last = bounds(addressing.subnet)
    mine = addressing.part if addressing.shared else addressing.subnet
    return mine is not None and address in mine and first <= int(address) <= last


def _address(number: int, subnet: Subnet) -> Address:
    return ipaddress.IPv6Address(number) if subnet.version == 6 else ipaddress.IPv4Address(number)
