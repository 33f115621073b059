# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands, from the lists that the module transaction takes and returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_COLUMNS = ("container", "namespace", "interface", "address", "MAC", "bridge port")


@dataclass(frozen=True)
class Member:
    """A veth that the role made, labelled CONTAINER/NETWORK."""

    container: str
    network: str
    namespace: str
    interface: str
    addresses: tuple[str, ...]
    mac: str
    port: str
    bridge: str
    routes: tuple[Mapping[str, Any], ...]

    @property
    def view(self) -> dict[str, Any]:
        """In the words of the declaration."""
        plain = [address.partition("/")[0] for address in self.addresses]
        return {
            "ipv4_address": next((address for address in plain if ":" not in address), None),
            "ipv6_address": next((address for address in plain if ":" in address), None),
            "mac_address": self.mac,
            "interface_name": self.interface,
            "host_interface_name": self.port,
        }

    @property
    def row(self) -> tuple[str, ...]:
        """The cells of the table."""
        return self.container, self.namespace, self.interface, ", ".join(self.addresses), self.mac, self.port


@dataclass(frozen=True)
class Network:
    """The members of a network, and the addresses that they reach the host by."""

    name: str
    bridge: str
    gateways: tuple[str, ...]  # with prefix length where they are the bridge's
    members: tuple[Member, ...]


def networks(after: Mapping[str, Any]) -> list[Network]:
    """The networks that stand, in the order of the lists."""
    masters = {port["name"]: port.get("master", "") for port in after.get("bridge_port", ())}
    bridges = {
        bridge.get("label", bridge["name"]): bridge
        for bridge in after.get("bridge", ())
        if bridge.get("state") != "absent"
    }
    members: dict[str, list[Member]] = {name: [] for name in bridges}
    hops: dict[str, list[str]] = {}
    for veth in after.get("veth", ()):
        container, _slash, network = str(veth.get("label", "")).partition("/")
        peer = veth.get("peer")
        if not network or not peer:
            continue
        members.setdefault(network, []).append(_member(container, network, veth, peer, masters))
        hops.setdefault(network, []).extend(str(route["via"]) for route in peer.get("routes", ()) if route.get("via"))
    found = []
    for name, inside in members.items():
        bridge = bridges.get(name)
        gateways = bridge["addresses"] if bridge else dict.fromkeys(hops.get(name, ()))  # the other is external
        found.append(
            Network(
                name=name,
                bridge=str(bridge["name"]) if bridge else inside[0].bridge,
                gateways=tuple(str(gateway) for gateway in gateways),
                members=tuple(inside),
            )
        )
    return found


def _member(
    container: str, network: str, veth: Mapping[str, Any], peer: Mapping[str, Any], masters: Mapping[str, str]
) -> Member:
    return Member(
        container=container,
        network=network,
        namespace=str(peer.get("namespace", "")),
        interface=str(peer["name"]),
        addresses=tuple(str(address) for address in peer.get("addresses", ())),
        mac=str(peer.get("mac", "")),
        port=str(veth["name"]),
        bridge=masters.get(veth["name"], ""),
        routes=tuple(peer.get("routes", ())),
    )


def addresses(found: Iterable[Network]) -> dict[str, dict[str, dict[str, Any]]]:
    """Container -> network -> what it has there."""
    seen: dict[str, dict[str, dict[str, Any]]] = {}
    for network in found:
        for member in network.members:
            seen.setdefault(member.container, {})[network.name] = member.view
    return seen


def table(found: Sequence[Network], limit: int) -> str:
    """One table for each network, with at most `limit` containers in all."""
    shown = [(network, member) for network in found for member in network.members][:limit]
    lines: list[str] = []
    for network in found[:limit]:
        rows = [member.row for owner, member in shown if owner is network]
        lines.append(f"network {network.name}: bridge {network.bridge}, {', '.join(network.gateways) or 'no gateway'}")
        lines += _aligned([_COLUMNS, *rows] if rows else [])
    rest = sum(len(network.members) for network in found) - len(shown)
    if rest:
        lines.append(f"and {rest} more")
    return "\n".join(lines) or "nothing stands"


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
