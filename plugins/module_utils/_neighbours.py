# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Neighbour tables and forwarding databases in the words of iproute2 (ip-neighbour(8), bridge(8)). Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from ._netlink import NeighbourRow

# linux/neighbour.h
_STATES = {
    0x01: "incomplete",
    0x02: "reachable",
    0x04: "stale",
    0x08: "delay",
    0x10: "probe",
    0x20: "failed",
    0x80: "permanent",
}
_NOARP, _PERMANENT = 0x40, 0x80
_ROUTER = 0x80
_FLAGS = {0x02: "self", 0x04: "master", 0x10: "extern_learn", 0x20: "offload", 0x40: "sticky"}


def _age(row: NeighbourRow) -> dict[str, int]:
    return {} if row.updated is None else {"updated": row.updated // os.sysconf("SC_CLK_TCK")}


def neighbours(rows: Iterable[NeighbourRow], links: Mapping[int, str]) -> list[dict[str, Any]]:
    """What `ip neighbour` shows: without what needs no resolution, as on a loopback and for multicast."""
    found = [
        {
            "address": row.address,
            "link": links[row.index],
            "mac": row.mac,
            "state": next((word for bit, word in _STATES.items() if row.state & bit), "none"),
            "router": bool(row.flags & _ROUTER),
            **_age(row),
        }
        for row in rows
        if row.index in links and not row.state & _NOARP
    ]
    return sorted(found, key=lambda one: (one["link"], ":" in one["address"], one["address"]))


def _is_multicast(mac: str) -> bool:
    return bool(mac) and bool(int(mac[:2], 16) & 1)


def forwarding(rows: Iterable[NeighbourRow], links: Mapping[int, str]) -> list[dict[str, Any]]:
    """What `bridge fdb` shows, without the multicast groups that every link is in."""
    found: list[dict[str, Any]] = []
    for row in rows:
        if row.index not in links or _is_multicast(row.mac):
            continue
        kind = "permanent" if row.state & _PERMANENT else "static" if row.state & _NOARP else "learned"
        one: dict[str, Any] = {
            "mac": row.mac,
            "link": links[row.index],
            "bridge": links.get(row.master, ""),
            "kind": kind,
            "flags": [word for bit, word in _FLAGS.items() if row.flags & bit],
            **_age(row),
        }
        if row.vlan is not None:
            one["vlan"] = row.vlan
        if row.address:
            one["destination"] = row.address
        if row.vni is not None:
            one["vni"] = row.vni
        found.append(one)
    return sorted(found, key=lambda one: (one["bridge"], one["link"], one["mac"], one.get("vlan", 0)))
