# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the queueing disciplines tbf and netem, as the kernel has them and as options. Pure.

What a declaration says goes through the kernel's own rounding, so that what is read back is what was predicted.
pyroute2's classes for these lack the exact burst and rates beyond 32 bits, hence the layouts of linux/pkt_sched.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from . import _units
from ._errors import BridgenetError
from ._model import Netem, Qdisc, Tbf

HANDLE = 0x6272  # of ours, "br" in ASCII: a queueing discipline has no other place for a label
ROOT = 0xFFFFFFFF

_NANOSECONDS = 10**9
_TICK_SHIFT = 6  # PSCHED_SHIFT: a tick is 64 ns
_U32 = 0xFFFFFFFF

_NETEM = struct.Struct("=6I")  # latency, limit, loss, gap, duplicate, jitter
_TBF = struct.Struct("=BBHhHI BBHhHI III")  # rate and peak rate (struct tc_ratespec), limit, buffer, mtu
_ATTR = struct.Struct("=HH")
_TBF_PARMS, _TBF_RATE64, _TBF_BURST = 1, 4, 6
_ETHERNET = 1  # TC_LINKLAYER_ETHERNET

Layer = Union[Netem, Tbf]


@dataclass(frozen=True)
class Row:
    """A queueing discipline as one message tells it."""

    index: int  # of the link
    handle: int
    parent: int
    kind: str
    options: bytes


def _transmission(rate: int, size: int) -> int:
    """How long some bytes take, in nanoseconds (psched_ratecfg_precompute and psched_l2t_ns)."""
    factor, shift = _NANOSECONDS, 0
    while True:
        multiplier = factor // rate
        if multiplier & 1 << 31 or factor & 1 << 63:
            return size * multiplier >> shift
        factor <<= 1
        shift += 1


def ticks(rate: int, burst: int) -> int:
    """A burst as the kernel keeps it."""
    return _transmission(rate, burst) >> _TICK_SHIFT


def burst(tbf: Tbf) -> int:
    """The fewest bytes that the kernel keeps so."""
    low, high = 0, (tbf.buffer + 1 << _TICK_SHIFT) * tbf.rate // _NANOSECONDS + 2
    while low < high:
        middle = (low + high) // 2
        if ticks(tbf.rate, middle) < tbf.buffer:
            low = middle + 1
        else:
            high = middle
    return low


def time_ticks(microseconds: int) -> int:
    """A time as the kernel tells it."""
    return microseconds * 1000 >> _TICK_SHIFT


def microseconds(ticks_: int) -> int:
    """The fewest microseconds that the kernel tells so."""
    return -((-ticks_ << _TICK_SHIFT) // 1000)


# --- layers: netem at the root and tbf inside of it, or one of them at the root ---


def layers(qdisc: Qdisc) -> list[Layer]:
    """From the root inwards."""
    return [layer for layer in (qdisc.netem, qdisc.tbf) if layer is not None]


def is_ours(qdisc: Qdisc | None) -> bool:
    """Whether there is anything of ours."""
    return qdisc is not None and bool(layers(qdisc))


def kind(layer: Layer) -> str:
    """Its name in the kernel and in tc."""
    return "netem" if isinstance(layer, Netem) else "tbf"


def place(depth: int) -> tuple[int, int]:
    """(handle, parent) of a layer."""
    return ((HANDLE + depth) << 16, (HANDLE << 16) + 1 if depth else ROOT)


def read(rows: Iterable[Row]) -> Qdisc:
    """The state of one link. Handle 0 is what the kernel gives by itself."""
    by_parent = {row.parent: row for row in rows}
    root = by_parent.get(ROOT)
    if root is None or root.handle == 0:
        return Qdisc()
    if root.handle != HANDLE << 16 or root.kind not in ("netem", "tbf"):
        return Qdisc(foreign=root.kind)
    if root.kind == "tbf":
        return Qdisc(tbf=_decode_tbf(root.options))
    inner = by_parent.get((HANDLE << 16) + 1)
    tbf = _decode_tbf(inner.options) if inner and inner.kind == "tbf" else None
    return Qdisc(_decode_netem(root.options), tbf)


# --- the kernel's form ---


def encode(layer: Layer) -> bytes:
    """TCA_OPTIONS."""
    if isinstance(layer, Netem):
        return _NETEM.pack(layer.delay, layer.limit, layer.loss, 0, layer.duplicate, layer.jitter)
    rate = min(layer.rate, _U32)
    parms = _TBF.pack(0, _ETHERNET, 0, 0, 0, rate, 0, 0, 0, 0, 0, 0, layer.limit, layer.buffer, 0)
    found = _ATTR.pack(4 + len(parms), _TBF_PARMS) + parms
    found += _ATTR.pack(8, _TBF_BURST) + struct.pack("=I", burst(layer))
    if layer.rate > _U32:
        found += _ATTR.pack(12, _TBF_RATE64) + struct.pack("=Q", layer.rate)
    return found


def _decode_netem(data: bytes) -> Netem:
    delay, limit, loss, _gap, duplicate, jitter = _NETEM.unpack_from(data)
    return Netem(delay, jitter, loss, duplicate, limit)


def _decode_tbf(data: bytes) -> Tbf:
    found = {}
    position = 0
    while position + 4 <= len(data):
        length, number = _ATTR.unpack_from(data, position)
        found[number & 0x3FFF] = data[position + 4 : position + length]
        position += max(length + 3 & ~3, 4)
    fields = _TBF.unpack_from(found[_TBF_PARMS])
    rate = struct.unpack("=Q", found[_TBF_RATE64])[0] if _TBF_RATE64 in found else fields[5]
    return Tbf(rate, fields[13], fields[12])


# --- as options ---

SPEC: dict[str, Any] = {
    "tbf": {
        "type": "dict",
        "options": {
            "rate": {"type": "str", "required": True},
            "burst": {"type": "str"},
            "latency": {"type": "str"},
            "limit": {"type": "str"},
        },
    },
    "netem": {
        "type": "dict",
        "options": {
            "delay": {"type": "str"},
            "jitter": {"type": "str"},
            "loss": {"type": "str"},
            "duplicate": {"type": "str"},
            "limit": {"type": "int", "default": 1000},
        },
    },
}

_LATENCY = 50_000  # microseconds
_LEAST_BURST = 16 * 1024
_LONGEST = 200_000_000  # microseconds: the kernel tells times in 32 bits of ticks


def tbf(what: str, options: Mapping[str, Any]) -> Tbf:
    """The suboptions of `tbf`."""
    rate = _units.rate(f"{what}: rate", options["rate"])
    given = options.get("burst")
    size = _units.size(f"{what}: burst", given) if given else max(rate // 100, _LEAST_BURST)
    if not ticks(rate, size) or _transmission(rate, size) > _LONGEST * 1000:
        raise BridgenetError(
            f"{what}: burst {_units.size_text(size)!r} takes more than {_LONGEST // 10**6} s, or no time at all, at "
            f"{_units.rate_text(rate)}; give another one"
        )
    if options.get("latency") and options.get("limit"):
        raise BridgenetError(f"{what}: latency and limit say the same in two ways; give one of them")
    if options.get("limit"):
        limit = _units.size(f"{what}: limit", options["limit"])
    else:
        latency = _units.time(f"{what}: latency", options["latency"]) if options.get("latency") else _LATENCY
        limit = rate * latency // 10**6 + size
    if not size <= limit <= _U32:
        raise BridgenetError(
            f"{what}: a limit of {_units.size_text(limit)!r} is out of range: from the burst, "
            f"{_units.size_text(size)}, to 4095mb are possible"
        )
    return Tbf(rate, ticks(rate, size), limit)


def netem(what: str, options: Mapping[str, Any]) -> Netem:
    """The suboptions of `netem`."""
    delay, jitter = (_delay(what, name, options.get(name)) for name in ("delay", "jitter"))
    if jitter and not delay:
        raise BridgenetError(f"{what}: jitter varies a delay; give delay, too")
    loss, duplicate = (
        _units.share(f"{what}: {name}", options[name]) if options.get(name) else 0 for name in ("loss", "duplicate")
    )
    limit = options.get("limit")
    limit = 1000 if limit is None else limit
    if not 0 < limit <= _U32:
        raise BridgenetError(f"{what}: limit {limit} is out of range: 1 to {_U32} packets are possible")
    return Netem(delay, jitter, loss, duplicate, limit)


def _delay(what: str, name: str, text: str | None) -> int:
    found = _units.time(f"{what}: {name}", text) if text else 0
    if found > _LONGEST:
        raise BridgenetError(f"{what}: {name} {text!r} is out of range: up to {_LONGEST // 10**6}s is possible")
    return time_ticks(found)


def shown(layer: Layer) -> dict[str, Any]:
    """In the form of the suboptions."""
    if isinstance(layer, Tbf):
        return {
            "rate": _units.rate_text(layer.rate),
            "burst": _units.size_text(burst(layer)),
            "limit": _units.size_text(layer.limit),
        }
    return {
        "delay": _units.time_text(microseconds(layer.delay)),
        "jitter": _units.time_text(microseconds(layer.jitter)),
        "loss": _units.share_text(layer.loss),
        "duplicate": _units.share_text(layer.duplicate),
        "limit": layer.limit,
    }


def words(layer: Layer) -> list[str]:
    """As tc takes it."""
    found = shown(layer)
    if isinstance(layer, Tbf):
        return [word for name in ("rate", "burst", "limit") for word in (name, found[name])]
    said = ["limit", str(layer.limit)]
    said += ["delay", found["delay"], *([found["jitter"]] if layer.jitter else [])] if layer.delay else []
    for name in ("loss", "duplicate"):
        said += [name, found[name]] if getattr(layer, name) else []
    return said
