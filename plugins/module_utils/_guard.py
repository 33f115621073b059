# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Never cut off the person: what carries the default route, or leads to a peer of sshd, stays as it is."""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from . import _labels
from ._errors import BridgenetError
from ._model import DEFAULTS, HOST, Host, Link, is_another

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
        elif is_another(link, new):
            found.append(Risk(name, "be made anew"))
        elif link.up and not new.up:
            found.append(Risk(name, "be taken down"))
        elif new.master != link.master:
            found.append(Risk(name, f"become a port of {new.master}" if new.master else f"leave {link.master}"))
        elif link.mac != new.mac:
            found.append(Risk(name, "get another MAC address"))
        elif link.ipv6 and not new.ipv6:
            found.append(Risk(name, "lose IPv6"))
        elif set(link.addresses or ()) - set(new.addresses or ()):
            found.append(Risk(name, "lose an address"))
        elif set(link.routes or ()) - set(new.routes or ()):
            found.append(Risk(name, "lose a route"))
    return found + _overtaken(before.links, after.links)


def _overtaken(before: Mapping[str, Link], after: Mapping[str, Link]) -> list[Risk]:
    """Default routes that a new one of a lower metric would take the traffic from."""
    found = []
    for name, link in after.items():
        old = before.get(name)
        added = set(link.routes or ()) - set((old.routes if old else None) or ())
        for route in added:
            if route.to not in DEFAULTS:
                continue
            for carrier in before.values():
                metrics = [other.metric for other in carrier.routes or () if other.to == route.to]
                if carrier.name != name and carrier.carries_default and metrics and route.metric < min(metrics):
                    found.append(Risk(carrier.name, f"lose its traffic to {name}"))
    return found


def carriers(host: Host, ways: Mapping[str, str]) -> dict[str, str]:
    """Interface -> why the person depends on it. Pure. `ways` is peer of sshd -> interface of the route to it.

    A bridge that carries a route makes its ports carriers, too, except for those that are ours; a VLAN its parent.
    """
    found: dict[str, str] = {}
    links = host.namespaces[HOST].links
    for link in links.values():
        if link.carries_default:
            found[link.name] = "it carries the default route"
    for peer, name in ways.items():
        found.setdefault(name, f"the route to {peer}, which is connected to sshd, goes through it")
    waiting = list(found)
    while waiting:
        upper = waiting.pop()
        for link in links.values():
            port = link.master == upper and _labels.parse(link.label or "") is None
            if (port or links[upper].lower == link.name) and link.name not in found:
                found[link.name] = f"{upper}, which stands on it, has to stay: {found[upper]}"
                waiting.append(link.name)
    return found


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
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended meanwhile, or is nobody's whom a container may look at
    return inodes


def _address(raw: str) -> str:
    """An address as /proc/net/tcp prints it: 32-bit words in the byte order of the host."""
    words = [int(raw[start : start + 8], 16) for start in range(0, len(raw), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    parsed = ipaddress.IPv6Address(packed)
    return str(parsed.ipv4_mapped or parsed)


def _link_local() -> dict[str, list[str]]:
    """Our IPv6 link-local addresses and the interfaces that have them (if_inet6, net/ipv6/addrconf.c)."""
    found: dict[str, list[str]] = {}
    path = "/proc/thread-self/net/if_inet6"
    if os.path.exists(path):
        with open(path, encoding="ascii") as handle:
            for address, _index, _length, _scope, _flags, name in map(str.split, handle):
                found.setdefault(str(ipaddress.IPv6Address(bytes.fromhex(address))), []).append(name)
    return found


def ssh_peers() -> dict[str, str]:
    """The addresses at the other end of the established connections of sshd (proc_net_tcp(5)).

    With the interface where the address is a link-local one, which no route tells; else with "".
    """
    inodes = _sshd_sockets()
    found = {}
    for table in ("tcp", "tcp6"):
        path = f"/proc/thread-self/net/{table}"
        if not inodes or not os.path.exists(path):
            continue
        with open(path, encoding="ascii") as handle:
            next(handle)
            for line in handle:
                words = line.split()
                if words[3] != _ESTABLISHED or words[9] not in inodes:
                    continue
                own, peer = (_address(word.rpartition(":")[0]) for word in words[1:3])
                if ipaddress.ip_address(peer).is_link_local and ":" in peer:
                    found.update({f"{peer}%{name}": name for name in _link_local().get(own, ())})
                else:
                    found[peer] = ""
    return dict(sorted(found.items()))


def dangers(host: Host, taken: Sequence[Risk], ways: Mapping[str, str]) -> Iterator[BridgenetError]:
    """What would cut off the person. Pure."""
    needed = carriers(host, ways)
    for risk in taken:
        if risk.link in needed:
            yield BridgenetError(
                f"interface {risk.link!r} would {risk.what}, but {needed[risk.link]}: you could be cut off; leave it "
                "alone, or say force: true"
            )
