# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rates, sizes and times through the kernel's rounding, and the way from one queueing to another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils import _qdisc, _units
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import Link, Netem, Qdisc, Tbf
from ansible_collections.nslab.bridgenet.plugins.module_utils._operations_qdisc import SetQdisc, qdisc_steps

tbfs = st.builds(
    lambda rate, burst, limit: Tbf(rate, _qdisc.ticks(rate, burst), limit),
    st.integers(125, 10**11),
    st.integers(1514, 20_000),
    st.integers(1, 2**32 - 1),
).filter(lambda tbf: tbf.buffer)  # so fast that it takes no time is refused
netems = st.builds(Netem, *[st.integers(0, 2**32 - 1)] * 4, st.integers(1, 2**32 - 1))
qdiscs = st.builds(Qdisc, st.none() | netems, st.none() | tbfs)


@given(qdiscs)
def test_as_the_kernel_has_it(qdisc: Qdisc) -> None:
    """Encoded and read back it is the same."""
    rows = [
        _qdisc.Row(1, *_qdisc.place(depth), _qdisc.kind(layer), _qdisc.encode(layer))
        for depth, layer in enumerate(_qdisc.layers(qdisc))
    ]
    assert _qdisc.read(rows) == qdisc


@given(tbfs)
def test_as_options(tbf: Tbf) -> None:
    """Shown and declared it is the same; the burst is the smallest that the kernel keeps so."""
    assert _qdisc.tbf("x", {**_qdisc.shown(tbf), "limit": "4095mb"}) == Tbf(tbf.rate, tbf.buffer, 4095 << 20)
    assert _qdisc.ticks(tbf.rate, _qdisc.burst(tbf) - 1) < tbf.buffer == _qdisc.ticks(tbf.rate, _qdisc.burst(tbf))


@given(st.integers(0, 200_000_000), st.integers(0, 2**32 - 1))
def test_times_and_shares(microseconds: int, share: int) -> None:
    """There and back."""
    assert _qdisc.microseconds(_qdisc.time_ticks(microseconds)) == microseconds
    assert _units.time("x", _units.time_text(microseconds)) == microseconds
    assert _units.share("x", _units.share_text(share)) == share


@given(qdiscs, qdiscs)
def test_from_any_to_any_other(old: Qdisc, new: Qdisc) -> None:
    """What is planned gives what is declared; undone in reverse, what was there."""
    standing: list[Any] = list(_qdisc.layers(old))

    def run(one: Any) -> None:
        assert isinstance(one, SetQdisc)
        assert (standing[one.depth] if one.depth < len(standing) else None) == one.before
        if one.after is None:
            assert one.depth == len(standing) - 1
            standing.pop()
        elif one.before is None:
            assert one.depth == len(standing)
            assert one.depth == 0 or isinstance(standing[0], Netem)
            standing.append(one.after)
        else:
            assert type(one.before) is type(one.after)
            standing[one.depth] = one.after

    operations = qdisc_steps("", old, Link("x0", qdisc=new))
    assert bool(operations) == (old != new)
    for operation in operations:
        run(operation)
    assert standing == _qdisc.layers(new)
    for operation in reversed(operations):
        for back in operation.undo():
            run(back)
    assert standing == _qdisc.layers(old)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"rate": "10mbit"}, {"rate": "10mbit", "burst": "16kb", "limit": "78884b"}),
        ({"rate": "100Mbit"}, {"rate": "100mbit", "burst": "125000b", "limit": "750000b"}),
        ({"rate": "0.5mbit", "burst": "2kb", "latency": "1s"}, {"rate": "500kbit", "burst": "2kb", "limit": "64548b"}),
        ({"rate": "1600bit", "burst": "2000b", "limit": "2mb"}, {"rate": "1600bit", "burst": "2000b", "limit": "2mb"}),
    ],
)
def test_written_in_one_form(options: dict[str, str], shown: dict[str, str]) -> None:
    """As tc writes it, with what is left out."""
    assert _qdisc.shown(_qdisc.tbf("x", options)) == shown


def test_commands() -> None:
    """As tc has them."""
    new = Qdisc(Netem(_qdisc.time_ticks(50_000), 0, _units.share("x", "0.5%"), 0, 1000), Tbf(125000, 1280000, 16490))
    assert [one.commands()[0] for one in qdisc_steps("a", Qdisc(tbf=Tbf(1000, 1, 1)), Link("x0", qdisc=new))] == [
        "tc -n a qdisc del dev x0 root handle 6272:",
        "tc -n a qdisc add dev x0 root handle 6272: netem limit 1000 delay 50ms loss 0.5%",
        "tc -n a qdisc add dev x0 parent 6272:1 handle 6273: tbf rate 1mbit burst 10kb limit 16490b",
    ]
