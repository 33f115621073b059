# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Never cut off the person: what carries the default route, or leads to a peer of sshd, stays as it is."""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from . import _labels, _names
from ._errors import BridgenetError
from ._model import HOST, Host

_ESTABLISHED = "01"  # include/net/tcp_states.h


@dataclass(frozen=True)
class Risk:
    """A link of the host, and what would happen to it."""

    link: str
    what: str


def risks(current: Host, predicted: Host) -> list[Risk]:
    """The links of the host that would be removed, taken down, enslaved, or lose an address or route. Pure."""
    found = []
    before, after = current.namespaces[HOST], predicted.namespaces[HOST]
    if before is after:
        return []
    for name, link in before.links.items():
        new = after.links.get(name)
        if new is link:
            continue
        if new is None:
            found.append(Risk(name, "be removed"))
        elif link.up and not new.up:
            found.append(Risk(name, "be taken down"))
        elif new.master != link.master:
            found.append(Risk(name, f"become a port of {new.master}" if new.master else f"leave {link.master}"))
        elif set(link.addresses or ()) - set(new.addresses or ()):
            found.append(Risk(name, "lose an address"))
        elif set(link.routes or ()) - set(new.routes or ()):
            found.append(Risk(name, "lose a route"))
    return found


def carriers(host: Host, peers: Sequence[str]) -> dict[str, str]:
    """Interface -> why the person depends on it. Pure.

    A bridge that carries a route makes its ports carriers, too, except for those that are ours.
    """
    found: dict[str, str] = {}
    links = host.namespaces[HOST].links
    for link in links.values():
        if link.carries_default:
            found[link.name] = "it carries the default route"
    for peer in peers:
        name = _way_to(host, peer)
        if name:
            found.setdefault(name, f"the route to {peer}, which is connected to sshd, goes through it")
    for link in links.values():
        if link.master in found and _labels.parse(link.label or "") is None:
            found.setdefault(link.name, f"{link.master}, whose port it is, has to stay: {found[link.master]}")
    return found


def _way_to(host: Host, peer: str) -> str | None:
    """The interface of the longest prefix that matches."""
    address = ipaddress.ip_address(peer)
    best, length = None, -1
    for link in host.namespaces[HOST].links.values():
        networks = [_names.network_of(text) for text in link.addresses or ()]
        for route in link.routes or ():
            networks.append(ipaddress.ip_network({"default": "0.0.0.0/0"}.get(route.to, route.to)))
        for network in networks:
            if link.up and network.version == address.version and address in network and network.prefixlen > length:
                best, length = link.name, network.prefixlen
    return best


def _sshd_sockets() -> set[str]:
    """Inodes of the sockets of all sshd processes (proc_pid_fd(5))."""
    inodes = set()
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as handle:
                if not handle.read().startswith("sshd"):
                    continue
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return inodes


def _address(raw: str) -> str:
    """An address as /proc/net/tcp prints it: 32-bit words in the byte order of the host."""
    words = [int(raw[start : start + 8], 16) for start in range(0, len(raw), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    parsed = ipaddress.IPv6Address(packed)
    return str(parsed.ipv4_mapped or parsed)


def ssh_peers() -> list[str]:
    """The addresses at the other end of the established connections of sshd (proc_net_tcp(5))."""
    inodes = _sshd_sockets()
    found = set()
    for table in ("tcp", "tcp6"):
        path = f"/proc/thread-self/net/{table}"
        if not inodes or not os.path.exists(path):
            continue
        with open(path, encoding="ascii") as handle:
            next(handle)
            for line in handle:
                words = line.split()
                if words[3] == _ESTABLISHED and words[9] in inodes:
                    found.add(_address(words[2].rpartition(":")[0]))
    return sorted(found)


def check(host: Host, dangers: Sequence[Risk], peers: Sequence[str]) -> None:
    """Refuse what would cut off the person. Pure."""
    needed = carriers(host, peers)
    for risk in dangers:
        if risk.link in needed:
            raise BridgenetError(
                f"interface {risk.link!r} would {risk.what}, but {needed[risk.link]}: you could be cut off; leave "
                "it alone, or say force: true"
            )
