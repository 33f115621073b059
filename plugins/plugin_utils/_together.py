# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What networks and containers may not share: names, subnets, addresses, and the ports of a bridge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..module_utils._errors import BridgenetError
from . import _modes, _subnets
from . import _readers as read
from ._declared import Container, Endpoint, Network

PORTS = 1023  # of one bridge: BR_MAX_PORTS, net/bridge/br_private.h


def check_owners(containers: Sequence[Container]) -> None:
    """A shared namespace has an owner that is there."""
    owners = {container.name: (container.present, container.mode) for container in containers}
    for container in containers:
        if container.owner and container.present:
            with read.at(f"container {container.name!r}"):
                _modes.check_owner(container.owner, owners)


def check_links(networks: Iterable[Network], containers: Iterable[Container]) -> None:
    """On the host every bridge and every port has a name of its own."""
    owners: dict[str, str] = {}

    def claim(name: str, owner: str, key: str) -> None:
        if name in owners:
            raise BridgenetError(f"{owner}: {key} {name!r} is used by {owners[name]} as well; choose another name")
        owners[name] = owner

    for network in networks:
        claim(network.bridge, f"network {network.name!r}", "bridge")
        if network.overlay is not None:
            claim(network.overlay.link, f"network {network.name!r}", "VXLAN link")
    for container in containers:
        for endpoint in container.endpoints:
            claim(
                endpoint.host_interface,
                f"container {container.name!r}, network {endpoint.network.name!r}",
                "host_interface_name",
            )


def check_subnets(networks: Iterable[Network]) -> None:
    """No address belongs to two networks. In this order, one that overlaps any other overlaps its neighbour."""
    found = sorted(
        (one.subnet.version, int(one.subnet[0]), one.subnet.prefixlen, network.name, one.subnet)
        for network in networks
        if network.present
        for one in network.families
    )
    for (*_order, name, subnet), (*_other_order, other_name, other) in zip(found, found[1:]):
        if _subnets.overlap(subnet, other):
            raise BridgenetError(
                f"network {other_name!r}: subnet '{other}' overlaps '{subnet}' of network {name!r}; choose another"
            )


def check_members(network: str, members: list[Endpoint]) -> None:
    """What the containers of one network may not share, and how many there can be."""
    if len(members) > PORTS:
        raise BridgenetError(
            f"network {network!r}: {len(members)} containers, but a bridge has at most {PORTS} ports; "
            "spread them over several networks"
        )
    for key, values in (
        ("ipv4_address", [str(member.ipv4_address) if member.ipv4_address else None for member in members]),
        ("ipv6_address", [str(member.ipv6_address) if member.ipv6_address else None for member in members]),
        ("mac_address", [member.mac for member in members]),
    ):
        owners: dict[str, str] = {}
        for member, value in zip(members, values):
            if value is None:
                continue
            if value in owners:
                raise BridgenetError(
                    f"container {member.container!r}, network {network!r}: {key} {value!r} is used by "
                    f"container {owners[value]!r} as well; choose another"
                )
            owners[value] = member.container
