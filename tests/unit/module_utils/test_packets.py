# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets as bytes: frames that were captured by tcpdump, packets that are made, and the file format."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils import _packets, _pcap
from ansible_collections.nslab.bridgenet.plugins.module_utils._packets import Packet
from ansible_collections.nslab.bridgenet.plugins.module_utils._probe import ERROR, REPLY, REQUEST, Probe, Recogniser

TAG = bytes.fromhex("0badc0de01020304") + b" nslab.bridgenet"
MACS = "02aabbccddee" + "020102030405"


def ipv4(protocol: int, payload: bytes, source: str = "10.0.0.1", target: str = "10.0.0.2", fragment: int = 0) -> bytes:
    """A packet with a correct header."""
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, fragment, 64, protocol, 0) + ends
    return header[:10] + struct.pack("!H", _packets.checksum(header)) + header[12:] + payload


def ipv6(protocol: int, payload: bytes, source: str = "fd00::1", target: str = "fd00::2") -> bytes:
    """The same of IPv6."""
    ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + ends + payload


def frame(packet: bytes, kind: str = "0800") -> bytes:
    """An Ethernet frame, padded as short ones are."""
    return (bytes.fromhex(MACS + kind) + packet).ljust(60, b"\0")


ECHO = ipv4(1, _packets.echo_request(socket.AF_INET, 7, 1, TAG))
SYN = ipv4(6, _packets.syn(("10.0.0.1", 40000, "10.0.0.2", 80), 0x0BADC0DE))
DATAGRAM = ipv4(17, struct.pack("!HHHH", 40000, 53, 8 + len(TAG), 0) + TAG)


def test_a_captured_ping() -> None:
    """`ping -c1 -s 4`, as `tcpdump -xx` showed it; padding of a short frame is no part of the packet."""
    raw = bytes.fromhex(
        "0200 0000 0002 0200 0000 0001 0800 4500"
        "0020 fe71 4000 4001 2869 0a00 0001 0a00"
        "0002 0800 b2a6 4657 0001 ff00 0000"
    )
    assert _packets.checksum(raw[34:]) == 0
    packet = Packet(
        "10.0.0.1",
        "10.0.0.2",
        _packets.ICMP,
        kind=8,
        body=b"\xff\0\0\0",
        source_mac="02:00:00:00:00:01",
        destination_mac="02:00:00:00:00:02",
    )
    assert _packets.parse_frame(raw, True) == packet
    assert _packets.parse_frame(raw.ljust(60, b"\x55"), True) == packet


@pytest.mark.parametrize(
    ("raw", "ethernet"),
    [
        (frame(ECHO), True),
        (ECHO, False),
        (frame(bytes.fromhex("00640800") + ECHO, "8100"), True),
        (frame(bytes.fromhex("000a810000640800") + ECHO, "88a8"), True),
    ],
)
def test_link_headers(raw: bytes, ethernet: bool) -> None:
    """Ethernet with and without VLAN tags, and a tun's packets, which begin with IP."""
    packet = _packets.parse_frame(raw, ethernet)
    assert packet is not None
    assert (packet.source, packet.kind, packet.body) == ("10.0.0.1", 8, TAG)
    assert bool(packet.source_mac) == ethernet


def test_extension_headers() -> None:
    """Of IPv6: hop-by-hop and routing headers are passed over."""
    echo = _packets.echo_request(socket.AF_INET6, 7, 1, TAG)
    hop_by_hop = struct.pack("!BB6x", 43, 0) + struct.pack("!BB14x", 58, 1)
    packet = _packets.parse(ipv6(0, hop_by_hop + echo))
    assert packet is not None
    assert (packet.protocol, packet.kind, packet.body) == (58, 128, TAG)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x45",
        ECHO[:27],
        frame(ECHO, "0806"),
        b"\x02" * 13,
        ipv4(47, bytes(20)),
        ipv4(17, bytes(20), fragment=185),
    ],
)
def test_none_of_these(raw: bytes) -> None:
    """ARP, GRE, later fragments, and what is too short."""
    assert _packets.parse_frame(raw, len(raw) > 40) is None


@given(st.binary(max_size=120), st.booleans())
def test_any_bytes(raw: bytes, ethernet: bool) -> None:
    """Whatever is captured, reading it does not fail."""
    _packets.parse_frame(raw, ethernet)
    packet = _packets.parse(raw)
    if packet:
        Recogniser(Probe("udp", "10.0.0.2", 53, TAG)).tell(packet)


def test_checksums() -> None:
    """A packet with its checksum in place sums up to nothing; that of RFC 1071 is known."""
    assert _packets.checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF
    assert _packets.checksum(ECHO[20:]) == 0
    for flow in (("10.0.0.1", 40000, "10.0.0.2", 80), ("fd00::1", 40000, "fd00::2", 80)):
        segment = _packets.syn(flow, 0x0BADC0DE)
        family = socket.AF_INET6 if ":" in flow[0] else socket.AF_INET
        ends = socket.inet_pton(family, flow[0]) + socket.inet_pton(family, flow[2])
        assert _packets.checksum(ends + struct.pack("!BBH", 0, 6, len(segment)) + segment) == 0


def told(probe: Probe, *packets: bytes) -> list[str]:
    """What a probe sees in packets, one after another."""
    recogniser = Recogniser(probe)
    return [recogniser.tell(packet) for packet in map(_packets.parse, packets) if packet is not None]


def test_ping_is_recognised() -> None:
    """By its payload, whatever its addresses; an echo of another tag is another ping."""
    probe = Probe("icmp", "10.0.0.2", 0, TAG, "10.0.0.1")
    reply = ipv4(1, b"\0\0\0\0" + struct.pack("!HH", 7, 1) + TAG, "10.0.0.2", "198.51.100.1")
    other = ipv4(1, _packets.echo_request(socket.AF_INET, 7, 1, TAG[::-1]))
    assert told(probe, ECHO, reply, other, SYN) == [REQUEST, REPLY, "", ""]


def test_ping_of_ipv6_is_recognised() -> None:
    probe = Probe("icmp", "fd00::2", 0, TAG, "fd00::1")
    request = ipv6(58, _packets.echo_request(socket.AF_INET6, 7, 1, TAG))
    reply = ipv6(58, bytes([129, 0, 0, 0, 0, 7, 0, 1]) + TAG)
    unreachable = ipv6(58, bytes([1, 3, 0, 0, 0, 0, 0, 0]) + request)
    assert told(probe, request, reply, unreachable) == [REQUEST, REPLY, ERROR]


def segment(source_port: int, target_port: int, sequence: int, acknowledged: int, flags: int) -> bytes:
    """A segment of TCP."""
    return struct.pack("!HHIIBBHHH", source_port, target_port, sequence, acknowledged, 5 << 4, flags, 0, 0, 0)


def test_syn_is_recognised() -> None:
    """By its sequence number, also when a translation changed the ports; the end of the connection is none of it."""
    probe = Probe("tcp", "10.0.0.2", 80, TAG, "10.0.0.1", 40000)
    masqueraded = ipv4(6, segment(1024, 8080, 0x0BADC0DE, 0, 0x02), "198.51.100.1", "10.9.9.9")
    syn_ack = ipv4(6, segment(8080, 1024, 5, 0x0BADC0DF, 0x12), "10.9.9.9", "198.51.100.1")
    refused = ipv4(6, segment(80, 40000, 0, 0x0BADC0DF, 0x14), "10.0.0.2", "10.0.0.1")
    our_rst = ipv4(6, segment(40000, 80, 0x0BADC0DF, 0, 0x04))
    other = ipv4(6, segment(40000, 80, 1, 0, 0x02))
    assert told(probe, SYN, masqueraded, syn_ack, refused, our_rst, other) == [
        REQUEST,
        REQUEST,
        REPLY,
        REPLY,
        "",
        "",
    ]


def datagram(source: str, source_port: int, target: str, target_port: int, body: bytes) -> bytes:
    """A datagram of UDP."""
    header = struct.pack("!HHHH", source_port, target_port, 8 + len(body), 0)
    return ipv4(17, header + body, source, target)


def test_datagram_is_recognised() -> None:
    """An answer has no tag, or the same: it is one because it goes back where a request came from, behind NAT too."""
    probe = Probe("udp", "10.0.0.2", 53, TAG, "10.0.0.1", 40000)
    translated = datagram("198.51.100.1", 1024, "10.9.9.9", 5353, TAG)
    back = datagram("10.9.9.9", 5353, "198.51.100.1", 1024, b"anything")
    echoed = datagram("10.0.0.2", 53, "10.0.0.1", 40000, TAG)
    other = datagram("10.0.0.2", 53, "10.0.0.1", 40001, b"anything")
    assert told(probe, back, DATAGRAM, translated, back, echoed, other) == ["", REQUEST, REQUEST, REPLY, REPLY, ""]


@pytest.mark.parametrize(("protocol", "request_"), [("icmp", ECHO), ("tcp", SYN), ("udp", DATAGRAM)])
def test_errors(protocol: str, request_: bytes) -> None:
    """ICMP quotes the packet, of which 8 bytes behind the IP header may be all; a redirect is no end."""
    probe = Probe(protocol, "10.0.0.2", 53, TAG, "10.0.0.1", 40000)
    whole = ipv4(1, bytes([3, 1, 0, 0, 0, 0, 0, 0]) + request_, "10.0.0.254", "10.0.0.1")
    packet = _packets.parse(whole)
    assert packet is not None
    assert packet.reason == "host unreachable"
    short = ipv4(1, bytes([11, 0, 0, 0, 0, 0, 0, 0]) + request_[:28], "10.0.0.254", "10.0.0.1")
    redirect = ipv4(1, bytes([5, 1, 0, 0, 0, 0, 0, 0]) + request_, "10.0.0.254", "10.0.0.1")
    assert told(probe, whole, redirect) == [ERROR, ""]
    assert told(probe, short) == [ERROR if protocol != "icmp" else ""]  # its tag is behind those 8 bytes


def test_pcap() -> None:
    """The header of the file and of a frame, with nanoseconds."""
    written = _pcap.content([(1_700_000_000_000_000_005, b"abc")], True)
    assert struct.unpack_from("=IHHiIII", written) == (0xA1B23C4D, 2, 4, 0, 0, 262144, 1)
    assert struct.unpack_from("=IIII", written, 24) == (1_700_000_000, 5, 3, 3)
    assert written[40:] == b"abc"
    assert struct.unpack_from("=I", _pcap.content([], False), 20) == (101,)
