# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file format of captures that Wireshark and tcpdump read (pcap(5)), with nanoseconds. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable

_NANOSECONDS = 0xA1B23C4D
_ETHERNET, _RAW = 1, 101  # link-layer header types: an Ethernet frame, or an IP packet without anything before it
_LONGEST = 262144


def content(frames: Iterable[tuple[int, bytes]], ethernet: bool) -> bytes:
    """A whole file of (time in nanoseconds since 1970, frame)."""
    parts = [struct.pack("=IHHiIII", _NANOSECONDS, 2, 4, 0, 0, _LONGEST, _ETHERNET if ethernet else _RAW)]
    for time, frame in frames:
        parts.append(struct.pack("=IIII", *divmod(time, 1_000_000_000), len(frame), len(frame)))
        parts.append(frame)
    return b"".join(parts)
