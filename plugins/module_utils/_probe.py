# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tagged packet that asks for an answer: how it is told from all others, and how it is sent."""

from __future__ import annotations

import dataclasses
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Callable

from . import _packets
from ._packets import ACK, ECHO_REPLIES, ECHO_REQUESTS, RST, SYN, Flow, Packet

REQUEST, REPLY, ERROR = "request", "reply", "error"


@dataclass(frozen=True)
class Probe:
    """A packet with a tag: the payload of ICMP and UDP begins with it, the sequence number of TCP is its first part."""

    protocol: str  # "icmp", "tcp" or "udp"
    target: str
    port: int
    tag: bytes
    source: str = ""
    source_port: int = 0

    @property
    def family(self) -> int:
        """Of the addresses."""
        return socket.AF_INET6 if ":" in self.target else socket.AF_INET

    @property
    def number(self) -> int:
        """The tag as TCP has it: 32 bits."""
        return int.from_bytes(self.tag[:4], "big")

    @property
    def flow(self) -> Flow:
        """Both ends, as it leaves."""
        return (self.source, self.source_port, self.target, self.port)

    def is_request(self, packet: Packet) -> bool:
        """Whether it is this packet, whatever a translation made of its addresses and ports."""
        if packet.protocol in ECHO_REQUESTS:
            return packet.kind == ECHO_REQUESTS[packet.protocol] and packet.body.startswith(self.tag)
        if packet.protocol == _packets.TCP:
            return packet.kind & (SYN | ACK | RST) == SYN and packet.sequence == self.number
        return packet.body.startswith(self.tag)


def new(protocol: str, target: str, port: int) -> Probe:
    """A probe with a tag of its own."""
    return Probe(protocol, target, port, os.urandom(8) + b" nslab.bridgenet")


class Recogniser:
    """Tells the request, its reply, and an error about it from everything else; packets come in the order of time.

    The reply of UDP has no tag: it goes back where a request came from, as translations on the way left it.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._protocols = {_packets.PROTOCOLS[probe.protocol]}
        if probe.protocol == "icmp":
            self._protocols.add(_packets.ICMPV6)
        self._flows: set[Flow] = {probe.flow}

    def tell(self, packet: Packet) -> str:
        """REQUEST, REPLY, ERROR, or "" for what is none of ours."""
        if packet.is_error:
            return ERROR if self._is_about_it(packet) else ""
        if packet.protocol not in self._protocols:
            return ""
        if self._is_reply(packet):
            return REPLY
        if not self._probe.is_request(packet):
            return ""
        self._flows.add(packet.flow)
        return REQUEST

    def _is_reply(self, packet: Packet) -> bool:
        if packet.protocol in ECHO_REPLIES:
            return packet.kind == ECHO_REPLIES[packet.protocol] and packet.body.startswith(self._probe.tag)
        if packet.protocol == _packets.TCP:
            acknowledged = (self._probe.number + 1) & 0xFFFFFFFF
            return bool(packet.kind & ACK and packet.kind & (SYN | RST)) and packet.acknowledged == acknowledged
        return packet.way_back in self._flows

    def _is_about_it(self, packet: Packet) -> bool:
        quoted = _packets.parse(packet.body)
        if quoted is None or quoted.protocol not in self._protocols:
            return False
        return self._probe.is_request(quoted) or (quoted.protocol == _packets.UDP and quoted.flow in self._flows)


@contextmanager
def prepared(probe: Probe) -> Iterator[tuple[Probe, Callable[[], None]]]:
    """The probe with its source address and port, reserved in this thread's namespace, and what sends it.

    OSError where there is no route.
    """
    with ExitStack() as stack:

        def opened(kind: int, protocol: int = 0) -> socket.socket:
            return stack.enter_context(socket.socket(probe.family, kind | socket.SOCK_CLOEXEC, protocol))

        way = opened(socket.SOCK_DGRAM)
        way.connect((probe.target, probe.port or 9))  # sends nothing, but chooses the source address
        source, source_port = way.getsockname()[:2]
        if probe.protocol == "udp":
            ready = dataclasses.replace(probe, source=source, source_port=source_port)
            yield ready, lambda: _sent(way.send(probe.tag))
            return
        if probe.protocol == "icmp":
            raw = opened(socket.SOCK_RAW, _packets.ICMPV6 if probe.family == socket.AF_INET6 else _packets.ICMP)
            raw.connect((probe.target, 0))
            message = _packets.echo_request(probe.family, probe.number >> 16, 1, probe.tag)
            yield dataclasses.replace(probe, source=source), lambda: _sent(raw.send(message))
            return
        reserved = opened(socket.SOCK_STREAM)  # nobody listens there: the kernel takes an answer back by RST
        reserved.bind((source, 0))
        ready = dataclasses.replace(probe, source=source, source_port=reserved.getsockname()[1])
        raw = opened(socket.SOCK_RAW, _packets.TCP)
        raw.bind((source, 0))
        raw.connect((probe.target, 0))
        yield ready, lambda: _sent(raw.send(_packets.syn(ready.flow, probe.number)))


def _sent(_bytes: int) -> None:
    return None
