# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published ports as the modules' lists have them, and who reaches them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..module_utils import _names
from ._promised import Known, is_loopback, plain, version
from ._standing import Member

_PROTOCOLS = ("tcp", "udp")  # a socket of SCTP would load its module, which a test must not
_LOCALHOST = "127.0.0.1"  # that of IPv6 leads nowhere


@dataclass(frozen=True)
class Port:
    """A port of a container, and that of the host which leads there."""

    name: str  # of the port of the host, or the range that it is of
    member: Member
    protocol: str
    address: str
    number: int
    host_address: str  # "" is any
    host_number: int
    forwarded: bool  # the host forwards to it what comes from elsewhere


def ports(lists: Mapping[str, Any], members: Iterable[Member]) -> list[Port]:
    """Of a range the first and the last; none that leads to a container that is not in the lists."""
    places = {(member.bridge, plain(address)): member for member in members for address in member.addresses}
    found = []
    for entry in lists.get("publish", ()):
        member = places.get((entry.get("bridge"), entry.get("address")))
        if entry.get("state") == "absent" or member is None or entry["protocol"] not in _PROTOCOLS:
            continue
        host_first, count = _names.ports("host_port", str(entry["host_port"]))
        first, _count = _names.ports("port", str(entry.get("port", entry["host_port"])))
        found += [
            Port(
                name=str(entry["label"]).partition("/")[2],
                member=member,
                protocol=entry["protocol"],
                address=entry["address"],
                number=first + offset,
                host_address=entry.get("host_address", ""),
                host_number=host_first + offset,
                forwarded=bool(entry.get("forwarding")),
            )
            for offset in sorted({0, count - 1})
        ]
    return found


def reached(port: Port, by: Member, address: str, others: Iterable[Port], known: Known) -> bool | None:
    """Whether a member reaches a port at an address of the host, or must not."""
    if is_loopback(port.host_address or address):
        # At the address by which a container asks, the number may be another port's.
        meant = {(port.protocol, port.host_number, where) for where in ("", address)}
        return None if any((one.protocol, one.host_number, one.host_address) in meant for one in others) else False
    return known.published(by, port.member, version(port.address), port.forwarded)


def addresses_of_host(port: Port, known: Known) -> list[str]:
    """Those by which the host itself asks for a port."""
    if port.host_address:
        return [port.host_address]
    found = [one for one in known.gateways[port.member.network] if version(one) == version(port.address)]
    return [*found, *([_LOCALHOST] if version(port.address) == 4 else [])]
