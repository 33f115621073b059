# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions that prove what a declaration promises: pings of everybody, and connections to published ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from . import _promised_ports, _standing
from ._promised import Known, plain, version
from ._promised_ports import Port

T = TypeVar("T")
Question = dict[str, Any]  # as the option `matrix` of the module reachability has it


def matrix(lists: Mapping[str, Any], limit: int, sample: int) -> list[Question]:
    """Every container to every other one, to its gateways and to published ports, and the host to all of these.

    With more than `limit` places of containers in networks, only `sample` of them ask and are asked; so with ports.
    """
    networks = _standing.networks(lists)
    members = [member for network in networks for member in network.members if member.addresses]
    chosen = members if len(members) <= limit else _neighbours(members, sample)
    known = Known(lists, networks, members)
    alone = known.alone if len(members) <= limit else known.alone[:sample]
    sources = [*dict.fromkeys(member.namespace for member in chosen), *alone]
    asked: list[Question] = []
    for source in sources:
        for member in chosen:
            if member.namespace == source:
                gateways = known.gateways[member.network]
                asked += [_question(source, "gateway", gateway, True) for gateway in gateways]
                continue
            for address in map(plain, member.addresses):
                promised = known.promised(source, member, address)
                if promised is not None:
                    asked.append(_question(source, member.container, address, promised))
    for member in chosen:
        if known.is_of_host(member):
            asked += [_question("", member.container, plain(address), True) for address in member.addresses]
    ports = _promised_ports.ports(lists, members)
    for port in ports if len(ports) <= limit else _neighbours(ports, sample):
        asked += _connections(port, ports, sources, known)
    # Several ports of the host may lead to one of a container, which is asked once.
    keys = ("from", "name", "to", "protocol", "port")
    return list({tuple(one.get(key) for key in keys): one for one in asked}.values())


def _connections(port: Port, ports: Sequence[Port], sources: Sequence[str], known: Known) -> Iterator[Question]:
    """To a port of a container, and to that of the host which leads there."""
    for source in sources:
        promised = None if source == port.member.namespace else known.promised(source, port.member, port.address)
        if promised is not None:
            yield _connection(source, port, port.address, promised)
        for by, address in known.doors(source, port.host_address, version(port.address)):
            published = _promised_ports.reached(port, by, address, ports, known)
            if published is not None:
                yield _connection(source, port, address, published, published=True)
    if known.is_of_host(port.member):
        yield _connection("", port, port.address, True)
        for address in _promised_ports.addresses_of_host(port, known):
            yield _connection("", port, address, True, published=True)


def _connection(source: str, port: Port, address: str, expected: bool, published: bool = False) -> Question:
    """By the name of the container, or by that of its published port."""
    container, number = port.member.container, port.host_number if published else port.number
    where = f"[{address}]:{number}/{port.protocol}" if ":" in address else f"{address}:{number}/{port.protocol}"
    return {
        "from": source,
        "to": address,
        "protocol": port.protocol,
        "port": number,
        "name": port.name if published else container,
        "expected": expected,
        "title": f"{source or 'the host'} to {container} by {where}",
        "listen": {"namespace": port.member.namespace, "address": port.address, "port": port.number},
    }


def _question(source: str, name: str, address: str, expected: bool) -> Question:
    return {
        "from": source,
        "to": address,
        "name": name,
        "expected": expected,
        "title": f"{source or 'the host'} to {name}, {address}",
    }


def _neighbours(values: Sequence[T], count: int) -> list[T]:
    """Pairs that follow each other, the first, the last and evenly what lies between."""
    pairs, last = max(count // 2, 1), len(values) - 2
    firsts = [round(index * last / (pairs - 1)) for index in range(pairs)] if pairs > 1 else [0]
    return [values[index] for index in sorted({index + step for index in firsts for step in (0, 1)})]
