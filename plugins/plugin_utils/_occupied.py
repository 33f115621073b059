# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has already, as the module netns_info tells it: addresses that stay, and those to keep away from."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..module_utils import _names
from ..module_utils._errors import BridgenetError
from ._declared import FAMILIES, Address, Subnet

_ETHERNET = 1500

Interface = Any  # an address with its network, of either family
Link = Mapping[str, Any]


@dataclass(frozen=True)
class Host:
    """What stands. Ours is what carries the labels of the project."""

    subnets: Mapping[tuple[str, int], Subnet]  # network and family -> that of our bridge
    addresses: Mapping[tuple[str, str, int], Address]  # container, network and family -> that of our container
    taken: tuple[Subnet, ...]  # all that is connected or routed
    uplink_mtu: int
    bridge_mtus: Mapping[str, int]
    mtus: Mapping[str, int] = field(default_factory=dict)  # address -> of the link that has it
    links: Mapping[tuple[str, str], str] = field(default_factory=dict)  # kind and network -> the name of our link
    everywhere: frozenset[str] = frozenset()  # all addresses of its namespaces, whosever

    def mtu(self, bridge: str, external: bool) -> int | None:
        """The default for a network: of its bridge where that is not ours, else of the route out; None is 1500."""
        now = self.bridge_mtus.get(bridge, _ETHERNET)
        wanted = now if external else self.uplink_mtu
        return None if wanted == now == _ETHERNET else wanted


def read(namespaces: Any, project: str) -> Host:
    """From the list that netns_info returns."""
    try:
        return _read(namespaces, project)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BridgenetError(
            f"host is not the list namespaces of netns_info ({type(error).__name__}: {error}); pass that"
        ) from error


def _read(namespaces: Iterable[Mapping[str, Any]], project: str) -> Host:
    links = {str(one["name"]): {str(link["name"]): link for link in one["links"]} for one in namespaces}
    host = links[""]
    subnets: dict[tuple[str, int], Subnet] = {}
    addresses: dict[tuple[str, str, int], Address] = {}
    for link in host.values():
        if link["project"] == project and link["kind"] == "bridge":
            for one in _addresses(link):
                subnets.setdefault((str(link["label"]), one.version), one.network)
    for container, network, link in _endpoints(links, project):
        for one in _addresses(link):
            addresses.setdefault((container, network, one.version), one.ip)
            subnets.setdefault((network, one.version), one.network)
    return Host(
        subnets=subnets,
        addresses=addresses,
        taken=tuple(subnet for link in host.values() for subnet in _taken(link)),
        uplink_mtu=_uplink_mtu(host.values()),
        mtus={str(one.ip): int(link["mtu"]) for link in host.values() for one in _addresses(link)},
        bridge_mtus={name: int(link["mtu"]) for name, link in host.items() if link["kind"] == "bridge"},
        links={
            (str(link["kind"]), str(link["label"])): name for name, link in host.items() if link["project"] == project
        },
        everywhere=frozenset(
            str(address).partition("/")[0]
            for found in links.values()
            for link in found.values()
            for address in link["addresses"]
        ),
    )


def _endpoints(links: Mapping[str, Mapping[str, Link]], project: str) -> Iterator[tuple[str, str, Link]]:
    """Container, network, and the end of the pair that is in the container."""
    for link in links[""].values():
        container, _slash, network = str(link["label"]).partition("/")
        peer = link.get("peer")
        if link["project"] == project and network and peer:
            inside = links.get(peer["namespace"], {}).get(peer["name"])
            if inside is not None:
                yield container, network, inside


def _addresses(link: Link) -> Iterable[Interface]:
    return [ipaddress.ip_interface(str(address)) for address in link["addresses"]]


def _taken(link: Link) -> Iterator[Subnet]:
    yield from (address.network for address in _addresses(link))
    for route in link["routes"]:
        if not _is_default(route):
            yield _names.network_of(str(route["to"]))


def _is_default(route: Mapping[str, Any]) -> bool:
    return route["to"] in ("default", "::/0")


def _uplink_mtu(links: Collection[Link]) -> int:
    """That of the link by which the default route leaves: one that somebody set, else one that a router advertised."""
    out = [
        (FAMILIES.index(4 if route["to"] == "default" else 6), int(route.get("metric", 0)), int(link["mtu"]))
        for link in links
        for route in link["routes"]
        if _is_default(route)
    ]
    advertised = [int(link["mtu"]) for link in links if link.get("default_route") and link["name"] != "lo"]
    return min(out)[-1] if out else min(advertised, default=_ETHERNET)
