# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets as bytes: what a captured frame says, and the packets that ask for an answer. Pure.

IPv4 (RFC 791), IPv6 (RFC 8200), ICMP (RFC 792, 4443), TCP (RFC 9293), UDP (RFC 768).
"""

from __future__ import annotations

import dataclasses
import socket
import struct
from dataclasses import dataclass

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
PROTOCOLS = {"icmp": ICMP, "tcp": TCP, "udp": UDP}

ECHO_REQUESTS, ECHO_REPLIES = {ICMP: 8, ICMPV6: 128}, {ICMP: 0, ICMPV6: 129}
_IPV4, _IPV6, _VLANS = 0x0800, 0x86DD, (0x8100, 0x88A8)
_EXTENSIONS = (0, 43, 60)  # hop-by-hop, routing, destination options: a length in units of 8 bytes
SYN, RST, ACK = 0x02, 0x04, 0x10

_REASONS = {
    (ICMP, 3, 0): "network unreachable",
    (ICMP, 3, 1): "host unreachable",
    (ICMP, 3, 2): "protocol unreachable",
    (ICMP, 3, 3): "port unreachable",
    (ICMP, 3, 4): "packet too big",
    (ICMP, 3, 9): "network administratively prohibited",
    (ICMP, 3, 10): "host administratively prohibited",
    (ICMP, 3, 13): "administratively prohibited",
    (ICMP, 11, 0): "time to live exceeded",
    (ICMPV6, 1, 0): "no route",
    (ICMPV6, 1, 1): "administratively prohibited",
    (ICMPV6, 1, 3): "address unreachable",
    (ICMPV6, 1, 4): "port unreachable",
    (ICMPV6, 1, 5): "source address failed policy",
    (ICMPV6, 1, 6): "route rejected",
    (ICMPV6, 2, 0): "packet too big",
    (ICMPV6, 3, 0): "hop limit exceeded",
}
_ERRORS = {ICMP: (3, 11, 12), ICMPV6: (1, 2, 3, 4)}

Flow = tuple[str, int, str, int]  # source address and port, destination address and port


@dataclass(frozen=True)
class Packet:
    """An IP packet with ICMP, TCP or UDP inside, as far as its bytes go."""

    source: str
    destination: str
    protocol: int
    source_port: int = 0
    destination_port: int = 0
    kind: int = 0  # the type of ICMP, the flags of TCP
    code: int = 0  # of ICMP
    sequence: int = 0  # of TCP
    acknowledged: int = 0
    body: bytes = b""  # behind the header of ICMP or UDP; for an error of ICMP the packet that it is about
    source_mac: str = ""
    destination_mac: str = ""

    @property
    def flow(self) -> Flow:
        """Both ends, as it goes."""
        return (self.source, self.source_port, self.destination, self.destination_port)

    @property
    def way_back(self) -> Flow:
        """Both ends, as an answer goes."""
        return (self.destination, self.destination_port, self.source, self.source_port)

    @property
    def is_error(self) -> bool:
        """Whether it is ICMP's message about another packet."""
        return self.kind in _ERRORS.get(self.protocol, ())

    @property
    def reason(self) -> str:
        """What an error of ICMP says."""
        return _REASONS.get((self.protocol, self.kind, self.code), f"ICMP type {self.kind} code {self.code}")


def parse_frame(data: bytes, ethernet: bool) -> Packet | None:
    """What a captured frame carries; None where that is nothing of these. Without `ethernet` it begins with IP."""
    if not ethernet:
        return parse(data)
    if len(data) < 14:
        return None
    position, (kind,) = 14, struct.unpack_from("!H", data, 12)
    while kind in _VLANS and len(data) >= position + 4:
        (kind,) = struct.unpack_from("!H", data, position + 2)
        position += 4
    if kind not in (_IPV4, _IPV6):
        return None
    packet = parse(data[position:])
    if packet is None:
        return None
    return dataclasses.replace(packet, source_mac=data[6:12].hex(":"), destination_mac=data[:6].hex(":"))


def parse(data: bytes) -> Packet | None:
    """An IP packet, of which an error of ICMP may have kept only the beginning."""
    version = data[0] >> 4 if data else 0
    if version == 4 and len(data) >= 20:
        if struct.unpack_from("!H", data, 6)[0] & 0x1FFF:
            return None  # not the first fragment
        end = max(struct.unpack_from("!H", data, 2)[0], 20)
        protocol, start = data[9], (data[0] & 0x0F) * 4
        ends = (socket.inet_ntop(socket.AF_INET, data[12:16]), socket.inet_ntop(socket.AF_INET, data[16:20]))
    elif version == 6 and len(data) >= 40:
        end = 40 + struct.unpack_from("!H", data, 4)[0]
        protocol, start = data[6], 40
        while protocol in _EXTENSIONS and len(data) >= start + 8:
            protocol, start = data[start], start + 8 * (data[start + 1] + 1)
        ends = (socket.inet_ntop(socket.AF_INET6, data[8:24]), socket.inet_ntop(socket.AF_INET6, data[24:40]))
    else:
        return None
    rest = data[start:end]  # a short frame is padded behind the packet
    if len(rest) < 8:
        return None
    if protocol in ECHO_REQUESTS:
        return _icmp(*ends, protocol, rest)
    source_port, destination_port = struct.unpack_from("!HH", rest)
    if protocol == UDP:
        return Packet(*ends, protocol, source_port, destination_port, body=rest[8:])
    if protocol == TCP:
        (sequence,) = struct.unpack_from("!I", rest, 4)
        # An error of ICMP may have kept no more than the sequence number; it is about a SYN, then.
        acknowledged, flags = struct.unpack_from("!IxB", rest, 8) if len(rest) >= 14 else (0, SYN)
        return Packet(*ends, protocol, source_port, destination_port, flags, 0, sequence, acknowledged)
    return None


def parse_icmp(data: bytes, family: int) -> Packet | None:
    """What a raw socket of ICMP receives: an IPv4 packet, or of IPv6 only what is in it (raw(7), RFC 3542)."""
    if family == socket.AF_INET:
        return parse(data)
    return _icmp("", "", ICMPV6, data) if len(data) >= 8 else None


def _icmp(source: str, destination: str, protocol: int, message: bytes) -> Packet:
    return Packet(source, destination, protocol, kind=message[0], code=message[1], body=message[8:])


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += bytes(len(data) % 2)
    total = int(sum(struct.unpack(f"!{len(data) // 2}H", data)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo_request(family: int, identifier: int, sequence: int, body: bytes) -> bytes:
    """An ICMP echo request; that of IPv6 without the checksum, which the kernel fills in (RFC 3542)."""
    protocol = ICMP if family == socket.AF_INET else ICMPV6
    message = struct.pack("!BBHHH", ECHO_REQUESTS[protocol], 0, 0, identifier, sequence) + body
    if protocol == ICMPV6:
        return message
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def syn(flow: Flow, sequence: int) -> bytes:
    """The first segment of a TCP connection."""
    source, source_port, destination, destination_port = flow
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    segment = struct.pack("!HHIIBBHHH", source_port, destination_port, sequence, 0, 5 << 4, SYN, 64240, 0, 0)
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    pseudo = ends + struct.pack("!II", len(segment), TCP)  # the same sum for IPv4, whose pseudo header is shorter
    return segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
