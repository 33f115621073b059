# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rates, sizes, times and percentages as tc writes them: read, and written in one form. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from ._errors import BridgenetError

RATES = {"bit": 1, "kbit": 10**3, "mbit": 10**6, "gbit": 10**9, "tbit": 10**12}  # bits per second
SIZES = {"b": 1, "kb": 2**10, "mb": 2**20}  # bytes
TIMES = {"us": 1, "ms": 10**3, "s": 10**6}  # microseconds

_NUMBER = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([a-z%]+)")
_WHOLE = 0xFFFFFFFF  # 100 %, as the kernel counts it


def _parsed(what: str, text: str, units: Mapping[str, int]) -> Decimal:
    match = _NUMBER.fullmatch(text.strip().lower())
    if not match or match[2] not in units:
        raise BridgenetError(f"{what} {text!r}: write a number and one of {', '.join(units)}, like 10{list(units)[1]}")
    return Decimal(match[1]) * units[match[2]]


def _whole(what: str, text: str, units: Mapping[str, int]) -> int:
    value = _parsed(what, text, units)
    if value != int(value):
        smallest = next(iter(units))
        raise BridgenetError(f"{what} {text!r} is no whole number of {smallest}; give one that is")
    return int(value)


def rate(what: str, text: str) -> int:
    """Bytes per second."""
    bits = _whole(what, text, RATES)
    if bits < 8 or bits % 8:
        raise BridgenetError(f"{what} {text!r} is no multiple of 8bit; the kernel counts bytes")
    return bits // 8


def size(what: str, text: str) -> int:
    """Bytes."""
    return _whole(what, text, SIZES)


def time(what: str, text: str) -> int:
    """Microseconds."""
    return _whole(what, text, TIMES)


def share(what: str, text: str) -> int:
    """A percentage as the kernel counts it."""
    match = _NUMBER.fullmatch(text.strip())
    if not match or match[2] != "%" or Decimal(match[1]) > 100:
        raise BridgenetError(f"{what} {text!r}: write a percentage from 0% to 100%, like 0.5%")
    return _share(match[1])


def _share(number: str) -> int:
    return round(float(number) / 100 * _WHOLE)  # as tc computes it


def _text(value: int, units: Mapping[str, int]) -> str:
    """With the largest unit of which it is a multiple."""
    unit = max((name for name, factor in units.items() if value % factor == 0), key=lambda name: units[name])
    return f"{value // units[unit]}{unit}" if value else f"0{next(iter(units))}"


def rate_text(value: int) -> str:
    """The other way round."""
    return _text(8 * value, RATES)


def size_text(value: int) -> str:
    """The other way round."""
    return _text(value, SIZES)


def time_text(value: int) -> str:
    """The other way round."""
    return _text(value, TIMES)


def share_text(value: int) -> str:
    """The shortest percentage that means the same."""
    for digits in range(12):
        number = f"{value * 100 / _WHOLE:.{digits}f}"
        if _share(number) == value:
            break
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number}%"
