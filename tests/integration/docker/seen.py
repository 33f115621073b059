# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process sees of the network, without the names and addresses that differ from one engine to another."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORLD = "192.0.2.2"  # beyond the host, and without a way to any container

# The host, with an uplink to a world that only knows the host.
UPLINK = f"""
ip netns add world
ip link add name uplink up type veth peer name eth0 netns world
ip address add 192.0.2.1/24 dev uplink
ip -n world link set dev lo up
ip -n world address add {WORLD}/24 dev eth0
ip -n world link set dev eth0 up
ip route add default via {WORLD}
"""


@dataclass(frozen=True)
class Shape:
    """One process: its interfaces, its routes, and whom it shares its namespace with."""

    interfaces: tuple[tuple[Any, ...], ...]  # (loopback?, up?, a veth?, its number of IPv4 addresses, their prefixes)
    routes: tuple[tuple[str, bool], ...]  # (default or connected, by way of an address of the host)
    shares: tuple[str, ...]  # the processes in the same namespace, with itself


def _inside(pid: int, *command: str) -> str:
    argv = ["nsenter", "--target", str(pid), "--net", *command]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def _addresses(pid: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_inside(pid, "ip", "-json", "-details", "-4", "address", "show"))
    links = json.loads(_inside(pid, "ip", "-json", "-details", "link", "show"))
    known = {link["ifname"]: link.get("addr_info", []) for link in found}
    # A kernel may put tunnel devices into every namespace.
    return [
        {**link, "addr_info": known.get(link["ifname"], [])}
        for link in links
        if link.get("linkinfo", {}).get("info_kind") in (None, "veth", "bridge")
    ]


def _plain(pid: int) -> list[str]:
    return [one["local"] for link in _addresses(pid) for one in link["addr_info"] if one["scope"] == "global"]


def shapes(pids: Mapping[str, int]) -> dict[str, Shape]:
    """Of the processes, by their names."""
    own = set(_plain(os.getpid()))
    inodes = {name: Path(f"/proc/{pid}/ns/net").stat().st_ino for name, pid in pids.items()}
    found = {}
    for name, pid in pids.items():
        interfaces = [
            (
                link["link_type"] == "loopback",
                "UP" in link["flags"],
                link.get("linkinfo", {}).get("info_kind") == "veth",
                tuple(sorted(one["prefixlen"] for one in link["addr_info"])),
            )
            for link in _addresses(pid)
        ]
        routes = [
            ("default" if route["dst"] == "default" else "connected", route.get("gateway") in own)
            for route in json.loads(_inside(pid, "ip", "-json", "-4", "route", "show"))
        ]
        shares = sorted(other for other, inode in inodes.items() if inode == inodes[name])
        found[name] = Shape(tuple(sorted(interfaces)), tuple(sorted(routes)), tuple(shares))
    return found


def reached(pids: Mapping[str, int]) -> set[tuple[str, str]]:
    """Who gets an answer to a ping from whom: each from each by its addresses, and from the world."""
    targets = {name: _plain(pid) for name, pid in pids.items() if _plain(pid)}
    targets["world"] = [WORLD]
    targets["host"] = ["192.0.2.1"]
    asked = {
        (name, target): [
            subprocess.Popen(
                ["nsenter", "--target", str(pid), "--net", "ping", "-n", "-q", "-c", "1", "-W", "3", address],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for address in addresses
        ]
        for name, pid in pids.items()
        for target, addresses in targets.items()
    }
    return {pair for pair, pings in asked.items() if not sum(ping.wait() for ping in pings)}
