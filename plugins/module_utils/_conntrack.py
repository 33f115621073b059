# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel remembers of flows: decoding a dump of it (linux/netfilter/nfnetlink_conntrack.h)."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

NEW, GET, DELETE = 0x100, 0x101, 0x102  # NFNL_SUBSYS_CTNETLINK << 8
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}

_ATTR = struct.Struct("=HH")  # length, type
_TYPE_MASK = 0x3FFF
_GENMSG = struct.Struct("=16xB3x")  # the header, and struct nfgenmsg: family, version, resource
_TUPLE_ORIG, _ID, _ZONE = 1, 12, 18  # CTA_*
_IP, _PROTO = 1, 2  # CTA_TUPLE_*
_DESTINATIONS = (2, 4)  # CTA_IP_V4_DST, CTA_IP_V6_DST
_NUMBER, _PORT = 1, 3  # CTA_PROTO_NUM, CTA_PROTO_DST_PORT


@dataclass(frozen=True)
class Flow:
    """A flow as it began, before any translation; `key` are the attributes by which the kernel finds it."""

    family: int
    protocol: int
    destination: str
    port: int
    key: bytes


def request(family: int) -> bytes:
    """The header of a message about flows of one family, AF_INET or AF_INET6."""
    return struct.pack("=BBH", family, 0, 0)


def flows(dump: Sequence[bytes]) -> Iterator[Flow]:
    """All flows of a dump that have ports."""
    for data in dump:
        attrs = dict(_attrs(data, _GENMSG.size, len(data)))
        at = dict(_attrs(data, *_inner(attrs[_TUPLE_ORIG])))
        addresses, protocol = dict(_attrs(data, *_inner(at[_IP]))), dict(_attrs(data, *_inner(at[_PROTO])))
        if _PORT not in protocol:
            continue
        (address,) = (span for kind, span in addresses.items() if kind in _DESTINATIONS)
        yield Flow(
            family=_GENMSG.unpack_from(data)[0],
            protocol=data[_inner(protocol[_NUMBER])[0]],
            destination=str(ipaddress.ip_address(data[slice(*_inner(address))])),
            port=int.from_bytes(data[slice(*_inner(protocol[_PORT]))], "big"),
            key=b"".join(data[slice(*attrs[kind])] for kind in (_TUPLE_ORIG, _ID, _ZONE) if kind in attrs),
        )


def _attrs(data: bytes, start: int, end: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Type -> where the attribute begins and ends, with its header and without its padding."""
    while start + _ATTR.size <= end:
        length, kind = _ATTR.unpack_from(data, start)
        yield kind & _TYPE_MASK, (start, start + length)
        start += (length + 3) & ~3


def _inner(span: tuple[int, int]) -> tuple[int, int]:
    """What is behind the header."""
    return span[0] + _ATTR.size, span[1]
