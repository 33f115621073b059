# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures in many namespaces at once: a packet socket in each (packet(7)), with the kernel's own time stamps."""

from __future__ import annotations

import ctypes
import fcntl
import selectors
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable

from . import _namespaces

_ETH_P_ALL = 0x0003
_ETHERNET, _LOOPBACK = 1, 772  # device types with an Ethernet header (linux/if_arp.h)
_SO_ATTACH_FILTER, _SO_RCVBUFFORCE, _SO_TIMESTAMPNS = 26, 33, 35  # asm-generic/socket.h
_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, _PACKET_STATISTICS, _MR_PROMISC = 263, 1, 6, 1
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1  # netdevice(7)
_PATIENCE = 1  # seconds, for what takes a millisecond
_ROOM = 4 * 1024 * 1024  # bytes that may wait to be read, in each namespace
_TIMESPEC = struct.Struct("@ll")

# Classic BPF (linux/filter.h): offsets from the network header, which is where it is on every kind of link.
_PROTOCOL, _NET = 0xFFFFF000, 0xFFF00000
_LDH, _LDB, _JEQ, _RET = 0x28, 0x30, 0x15, 0x06
_EXTENSIONS = (0, 43, 44, 60)  # headers of IPv6 behind which there may be anything


@dataclass(frozen=True)
class Frame:
    """What passed an interface."""

    namespace: str
    interface: str
    outgoing: bool
    ethernet: bool  # it begins with an Ethernet header, otherwise with IP
    time: int  # nanoseconds since 1970
    data: bytes


def _only(protocols: Iterable[int]) -> bytes:
    """The program of a filter that lets these protocols of IPv4 and IPv6 pass."""
    wanted = tuple(protocols)
    checks = ((0x0800, 9, wanted), (0x86DD, 6, (*wanted, *_EXTENSIONS)))
    code: list[tuple[int, int, int, int]] = [(_LDH, 0, 0, _PROTOCOL)]
    for kind, offset, numbers in checks:
        code.append((_JEQ, 0, len(numbers) + 3, kind))
        code.append((_LDB, 0, 0, _NET + offset))
        for position, number in enumerate(numbers):
            code.append((_JEQ, len(numbers) - position, 0, number))
        code += [(_RET, 0, 0, 0), (_RET, 0, 0, 0x40000)]
    # An unknown kind jumps behind the first two returns: to the next check, and from the last one to here.
    code.append((_RET, 0, 0, 0))
    return b"".join(struct.pack("=HBBI", *one) for one in code)


def wait_for_stamps(home: int) -> None:
    """The kernel begins to stamp packets a moment after the first socket asks for it (net_enable_timestamp,
    net/core/dev.c); until then it gives the time at which a packet is read. `home` is this thread's namespace."""
    with _namespaces.scratch(home), socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
        fcntl.ioctl(one, _SIOCSIFFLAGS, struct.pack("=16sH22x", b"lo", _IFF_UP))
        one.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        one.bind(("127.0.0.1", 0))
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            one.sendto(b"", one.getsockname())
            arrived = time.time_ns()
            if _stamp(one.recvmsg(1, 64)[1]) <= arrived:
                return


class Capture:
    """Sockets in any number of namespaces. Use it in a with block; open() is called inside each of them."""

    def __init__(self, protocols: Iterable[int]) -> None:
        self._filter = _only(protocols)
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[str, socket.socket] = {}

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._selector.close()
        # To close one waits some 10 ms, until no processor looks at it any more (packet_release): wait for all at once.
        with ThreadPoolExecutor(max_workers=64) as pool:
            list(pool.map(socket.socket.close, self._sockets.values()))

    def open(self, namespace: str, bridges: Iterable[int] = ()) -> None:
        """Listen in the namespace that this thread is in; also to what bridges only pass on, as tcpdump does."""
        one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.htons(_ETH_P_ALL))
        self._sockets[namespace] = one
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        one.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)
        code = ctypes.create_string_buffer(self._filter, len(self._filter))
        program = struct.pack("@HP", len(self._filter) // 8, ctypes.addressof(code))
        one.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
        for index in bridges:
            one.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, struct.pack("@iHH8x", index, _MR_PROMISC, 0))
        self._selector.register(one, selectors.EVENT_READ, namespace)

    def until(self, limit: float, last: Callable[[Frame], bool]) -> list[Frame]:
        """The frames until the `last` one, or until `limit` seconds have passed, in the order of time."""
        found: list[Frame] = []
        end = time.monotonic() + limit
        done = False
        while not done and (left := end - time.monotonic()) > 0:
            for frame in self._waiting(left):
                found.append(frame)
                done = done or last(frame)
        found += self._waiting(0)  # what came before the last one is there already
        return sorted(found, key=lambda frame: frame.time)

    def _waiting(self, limit: float) -> Iterator[Frame]:
        for key, _events in self._selector.select(limit):
            one: socket.socket = self._sockets[key.data]
            while True:
                try:
                    data, extras, _flags, address = one.recvmsg(65536, 64)
                except BlockingIOError:
                    break
                interface, _protocol, direction, device = address[:4]
                yield Frame(
                    namespace=key.data,
                    interface=interface,
                    outgoing=direction == socket.PACKET_OUTGOING,
                    ethernet=device in (_ETHERNET, _LOOPBACK),
                    time=_stamp(extras),
                    data=data,
                )

    def lost(self) -> int:
        """How many frames there was no room for."""
        return sum(
            struct.unpack("@II", one.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1]
            for one in self._sockets.values()
        )


def _stamp(extras: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in extras:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()
