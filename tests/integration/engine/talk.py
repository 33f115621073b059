# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who listens in a namespace and tells each caller as whom he is seen, and those who call.

TCP and UDP are spoken by sockets, and so is SCTP where the kernel has it. Where it need not, its first packet, INIT, is
sent raw, and who gets it only counts.
"""

from __future__ import annotations

import re
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from .sandbox import inside, shell

PATIENCE = 5.0  # seconds, for what must come
IMPATIENCE = 0.2  # for what must not

_IPPROTO_SCTP = 132
_KINDS = {
    "tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    "sctp": (socket.SOCK_STREAM, _IPPROTO_SCTP),
}
_EVERYBODY = {4: "0.0.0.0", 6: "::"}  # noqa: S104


def family_of(address: str) -> socket.AddressFamily:
    """AF_INET or AF_INET6."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@contextmanager
def listening(namespace: str, ports: Iterable[int], protocols: Iterable[str] = ("tcp", "udp")) -> Iterator[None]:
    """Answer at these ports, to IPv4 and IPv6, with the port and the address of who asks."""
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for address in _EVERYBODY.values():
            for protocol in protocols:
                for port in ports:
                    selector.register(
                        stack.enter_context(_socket(namespace, address, protocol, port)), selectors.EVENT_READ
                    )
        ours, theirs = socket.socketpair()
        stack.enter_context(ours)
        selector.register(stack.enter_context(theirs), selectors.EVENT_READ)
        thread = threading.Thread(target=_answer, args=(selector, theirs))
        thread.start()
        try:
            yield
        finally:
            ours.close()
            thread.join()


def _socket(namespace: str, address: str, protocol: str, port: int) -> socket.socket:
    with inside(namespace):
        one = socket.socket(family_of(address), *_KINDS[protocol])
    if ":" in address:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((address, port))
    if one.type == socket.SOCK_STREAM:
        one.listen()
    return one


def _answer(selector: selectors.DefaultSelector, end: socket.socket) -> None:
    while True:
        for key, _events in selector.select():
            one = key.fileobj
            assert isinstance(one, socket.socket)
            if one is end:
                return
            port = one.getsockname()[1]
            if one.type == socket.SOCK_STREAM:
                connection, who = one.accept()
                with connection:
                    connection.sendall(f"{port} {who[0]}".encode())
            else:
                _data, who = one.recvfrom(100)
                one.sendto(f"{port} {who[0]}".encode(), who)


def ask(namespace: str, protocol: str, address: str, port: int, patience: float) -> str:
    """The answer: at which port, and as whom one was seen; "" is none."""
    with inside(namespace):
        caller = socket.socket(family_of(address), *_KINDS[protocol])
    with caller:
        caller.settimeout(patience)
        try:
            caller.connect((address, port))
            if protocol == "udp":
                caller.send(b"?")
            return caller.recv(100).decode()
        except (TimeoutError, ConnectionError, OSError):
            return ""


# --- SCTP without sockets ---


def count(namespace: str, ports: Iterable[int]) -> None:
    """Count the first packets of SCTP that come to these ports."""
    counters = "\n".join(f"counter p{port} {{ }}" for port in ports)
    rules = "\n".join(f"sctp dport {port} sctp chunk init exists counter name p{port}" for port in ports)
    chain = f"chain arriving {{\ntype filter hook input priority 0\n{rules}\n}}"
    with inside(namespace):
        shell(f"nft -f - <<'END'\ntable inet seen_sctp {{\n{counters}\n{chain}\n}}\nEND")


def counted(namespace: str) -> dict[int, int]:
    """Port -> how many came so far."""
    with inside(namespace):
        listed = shell("nft list counters table inet seen_sctp")
    found = re.findall(r"counter p(\d+) {\s+packets (\d+)", listed)
    return {int(port): int(packets) for port, packets in found}


def arrival(namespace: str, address: str, port: int, at: str, patience: float) -> int:
    """At which port of the namespace `at` the first packet of a new association arrives; 0 is none."""
    before = counted(at)
    init(namespace, address, port)
    end = time.monotonic() + patience
    while True:
        found = [one for one, packets in counted(at).items() if packets != before[one]]
        if found or time.monotonic() > end:
            return found[0] if found else 0


_source = 20000


def init(namespace: str, address: str, port: int) -> None:
    """The first packet of an association (RFC 9260, 3.3.2), each from another port."""
    global _source
    _source += 1
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 0x01020304, 65535, 1, 1, 1)
    bare = struct.pack("!HHII", _source, port, 0, 0) + chunk
    packet = bare[:8] + struct.pack("<I", _crc32c(bare)) + bare[12:]
    with inside(namespace):
        sender = socket.socket(family_of(address), socket.SOCK_RAW, _IPPROTO_SCTP)
    with sender:
        try:
            sender.sendto(packet, (address, 0))
        except OSError:
            return  # a chain of nftables on the way out drops it


def _crc32c(data: bytes) -> int:
    """RFC 9260, appendix A."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _bit in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF
