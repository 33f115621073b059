# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sockets of this thread's namespace get what comes to a port, and whose they are (proc_pid_net(5)).

The kernel could be asked by netlink as well (sock_diag(7)), but that loads modules on a host that is only looked at.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Collection, Container, Iterable, Iterator

from ._model import Listener

_TABLES = ("tcp", "tcp6", "udp", "udp6")
_STATES = {"tcp": "0A", "udp": "07"}  # TCP_LISTEN, TCP_CLOSE (net/tcp_states.h): not connected
_SCTP_LISTENING = "10"  # SCTP_SS_LISTENING (net/sctp/constants.h)

Port = tuple[str, int]  # protocol, number


def find(ports: Collection[Port]) -> tuple[Listener, ...]:
    """The sockets at these ports."""
    found = [one for table in _TABLES for one in _sockets(table, ports)]
    if any(protocol == "sctp" for protocol, _number in ports):
        found += _sctp_sockets(ports)
    processes = _processes({inode for inode, _listener in found}) if found else {}
    named = {(one.protocol, one.address, one.port): processes.get(inode, "") for inode, one in found}
    return tuple(Listener(*key, process) for key, process in sorted(named.items()))


def missing(addresses: Iterable[str], local: Container[str]) -> frozenset[str]:
    """Those of some addresses that are none of this host's, where nobody could listen.

    `local` are those of its interfaces. What else is its own the kernel tells: by a route of the type local, or as
    net.ipv4.ip_nonlocal_bind leaves it to a person, such as one whose address comes by VRRP.
    """
    return frozenset(address for address in addresses if address not in local and not _can_be_had(address))


def _can_be_had(address: str) -> bool:
    """By a socket that nobody hears of."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return False
        raise
    return True


def _sockets(table: str, ports: Collection[Port]) -> Iterator[tuple[str, Listener]]:
    """(inode, socket) of one table."""
    protocol = table[:3]
    wanted = {f"{number:04X}": number for name, number in ports if name == protocol}
    if not wanted:
        return
    try:
        with open(f"/proc/thread-self/net/{table}", encoding="ascii") as handle:
            lines = handle.readlines()[1:]
    except FileNotFoundError:
        return  # a kernel without IPv6
    for line in lines:
        words = line.split()
        address, _colon, port = words[1].partition(":")
        if port in wanted and words[3] == _STATES[protocol]:
            yield words[9], Listener(protocol, _address(address), wanted[port])


def _sctp_sockets(ports: Collection[Port]) -> list[tuple[str, Listener]]:
    """Of SCTP; without its module there is none."""
    try:
        with open("/proc/thread-self/net/sctp/eps", encoding="ascii") as handle:
            return endpoints(handle.read(), ports)
    except FileNotFoundError:
        return []


def endpoints(table: str, ports: Collection[Port]) -> list[tuple[str, Listener]]:
    """(inode, socket) of a table of SCTP (net/sctp/proc.c): one with several addresses is several."""
    wanted = {str(number): number for name, number in ports if name == "sctp"}
    found = []
    for line in table.splitlines()[1:]:
        _endpoint, _socket, _style, state, _hash, port, _user, inode, *addresses = line.split()
        if port in wanted and state == _SCTP_LISTENING:
            plain = [str(ipaddress.ip_address(address.lstrip("*"))) for address in addresses]
            found += [(inode, Listener("sctp", address, wanted[port])) for address in plain]
    return found


def _address(text: str) -> str:
    """As these tables print it: words of 32 bits in the order of the machine."""
    raw = b"".join(int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8))
    parsed = ipaddress.ip_address(raw)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _processes(inodes: Collection[str]) -> dict[str, str]:
    """Inode of a socket -> the process that has it open."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[str, str] = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                inode = wanted.get(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
                if inode is not None and inode not in found:
                    with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as handle:
                        found[inode] = f"process {pid} ({handle.read().strip()})"
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended, or closed it, meanwhile; or a container may not look into it
    return found
