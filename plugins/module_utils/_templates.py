# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of one shape have their values at the same places: encode one, fill in the others. Pure.

Attributes are in pyroute2's notation: (name, value), and for a nest {"attrs": [...]}.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

HEADERS = {"link": 16, "address": 8, "route": 12, "nsid": 4}  # struct ifinfomsg, ifaddrmsg, rtmsg, rtgenmsg

_IP = ("IFA_LOCAL", "IFA_ADDRESS", "RTA_DST", "RTA_GATEWAY")
_MAC = "IFLA_ADDRESS"

Attrs = list[tuple[str, Any]]
Span = tuple[int, int]


def shape_of(attrs: Attrs) -> tuple[Any, ...]:
    """Names and lengths."""
    return tuple(
        (name, shape_of(value["attrs"]) if isinstance(value, dict) else len(value) if isinstance(value, str) else 0)
        for name, value in attrs
    )


def spans(data: bytes, position: int, attrs: Attrs) -> Iterator[Span]:
    """Where in an encoded message the values stand that are no nest, in order."""
    for _name, value in attrs:
        (length,) = struct.unpack_from("=H", data, position)
        if isinstance(value, dict):
            own_header = HEADERS["link"] if "index" in value else 0  # a veth's peer has one
            yield from spans(data, position + 4 + own_header, value["attrs"])
        else:
            yield position + 4, position + length
        position += (length + 3) & ~3


def _values(attrs: Attrs) -> Iterator[tuple[str, Any]]:
    for name, value in attrs:
        if isinstance(value, dict):
            yield from _values(value["attrs"])
        else:
            yield name, value


def _raw(name: str, value: Any, size: int) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(size, sys.byteorder)
    if name == _MAC:
        return bytes.fromhex(value.replace(":", ""))
    if name in _IP:
        return socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value)
    return bytes(value, "utf-8") + b"\0"


@dataclass(frozen=True)
class Template:
    """An encoded message, and where its values are."""

    data: bytes
    spans: tuple[Span, ...]

    def filled(self, attrs: Attrs) -> bytearray:
        """The message with other values of the same lengths."""
        data = bytearray(self.data)
        for (start, end), (name, value) in zip(self.spans, _values(attrs)):
            data[start:end] = _raw(name, value, end - start)
        return data
