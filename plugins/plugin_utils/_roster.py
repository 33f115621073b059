# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of a host as an inventory has them: from its declaration, or from what stands on it. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..module_utils import _labels
from . import _declaration, _declared
from ._declared import FAMILIES, Endpoint
from ._parts import Share


@dataclass(frozen=True)
class Place:
    """A container's interface in a network."""

    network: str
    interface: str
    address: str | None  # None where the interface has none, or it is not known
    ipv6_address: str | None = None

    def view(self) -> dict[str, Any]:
        """In the words of the declaration."""
        return {
            "ipv4_address": self.address,
            "ipv6_address": self.ipv6_address,
            "interface_name": self.interface,
        }


@dataclass(frozen=True)
class Container:
    """A namespace of a host, and where it is plugged in."""

    name: str
    namespace: str  # "" is the host's own
    places: tuple[Place, ...]  # that with the default route first, and then by name of network

    @property
    def address(self) -> str | None:
        """Where one reaches it first by IPv4."""
        return next((place.address for place in self.places if place.address), None)

    @property
    def ipv6_address(self) -> str | None:
        """Where one reaches it first by IPv6."""
        return next((place.ipv6_address for place in self.places if place.ipv6_address), None)

    def variables(self) -> dict[str, Any]:
        """What the inventory tells about it."""
        networks = {place.network: place.view() for place in self.places}
        return {
            "bridgenet_networks": networks,
            "bridgenet_ipv4_address": self.address,
            "bridgenet_ipv6_address": self.ipv6_address,
        }


def _ordered(places: Iterable[Place], first: str | None) -> tuple[Place, ...]:
    return tuple(sorted(places, key=lambda place: (place.interface != first, place.network)))


# --- declared ---


def declared(networks: Any, containers: Any, pools: Any = None, share: Share | None = None) -> list[Container]:
    """Those that a declaration wants; BridgenetError where it is wrong."""
    wanted = {one.name: one for one in _declaration.parse(networks, containers, pools=pools, share=share).containers}
    return [
        Container(container.name, container.namespace, _wanted_places(wanted.get(container.owner, container)))
        for container in wanted.values()
        if container.present
    ]


def _wanted_places(container: _declared.Container) -> tuple[Place, ...]:
    places = [
        Place(endpoint.network.name, endpoint.interface, *(_written(endpoint, version) for version in FAMILIES))
        for endpoint in container.endpoints
    ]
    return _ordered(places, container.default_route.interface if container.default_route else None)


def _written(endpoint: Endpoint, version: int) -> str | None:
    """An address that is declared. What is chosen depends on the host as well."""
    address = endpoint.address(version)
    return str(address) if address and version not in endpoint.chosen else None


# --- standing ---

Entry = Mapping[str, Any]  # a link, a link's addresses or a route, as `ip -json` shows them


@dataclass(frozen=True)
class Namespace:
    """What a host says of a namespace."""

    name: str
    inode: int  # of one namespace under several names it is the same
    entries: tuple[Entry, ...]


def standing(host: Iterable[Entry], namespaces: Collection[Namespace]) -> list[Container]:
    """The namespaces that carry our label, under every name that is ours."""
    ports = _links(host)
    found = []
    for namespace in sorted(namespaces, key=lambda namespace: namespace.name):
        links = _links(namespace.entries)
        label = next((_label(link) for link in links.values() if link["ifname"] == "lo"), None)
        names = label.published([other.name for other in namespaces if other.inode == namespace.inode]) if label else ()
        if namespace.name not in names:
            continue
        routed = (entry.get("dev") for entry in namespace.entries if entry.get("dst") == "default")
        places = _ordered(_places(names, links.values(), ports), next(routed, None))
        found.append(Container(namespace.name, namespace.name, places))
    return found


def _links(entries: Iterable[Entry]) -> dict[int, dict[str, Any]]:
    """The links by index, each with its addresses."""
    links: dict[int, dict[str, Any]] = {}
    for entry in entries:
        if "ifindex" in entry:
            links.setdefault(entry["ifindex"], {}).update(entry)
    return links


def _label(link: Entry) -> _labels.Label | None:
    return _labels.parse(link.get("ifalias", ""))


def _places(names: Collection[str], links: Iterable[Entry], ports: Mapping[int, Entry]) -> Iterator[Place]:
    """The ends of veth pairs whose other end, on the host, carries the label CONTAINER/NETWORK."""
    for link in links:
        port = ports.get(link.get("link_index", 0), {})
        label = _label(port)
        if label is None or port.get("link_index") != link["ifindex"]:
            continue
        container, _slash, network = label.object.partition("/")
        if container in names and network:
            yield Place(network, link["ifname"], _address(link, "inet"), _address(link, "inet6"))


def _address(link: Entry, family: str) -> str | None:
    found = (
        entry["local"]
        for entry in link.get("addr_info", ())
        if entry.get("family") == family and not ipaddress.ip_address(entry["local"]).is_link_local
    )
    return next(found, None)
