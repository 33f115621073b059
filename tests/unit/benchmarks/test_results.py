# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Medians, ratios within one round, and exponents."""

from __future__ import annotations

import pytest

from ansible_collections.nslab.bridgenet.tests.benchmarks import results
from ansible_collections.nslab.bridgenet.tests.benchmarks.results import Cell, Goal, Point


def cell(subject: str, seconds: float, turn: int = 0, count: int = 10, phase: str = "fresh") -> Cell:
    return Cell(turn, subject, count, {phase: seconds})


def test_median_is_of_the_rounds() -> None:
    """Of one phase of one subject with one number."""
    cells = [cell("a", 1), cell("a", 9, 1), cell("a", 3, 2), cell("a", 100, count=20), cell("b", 7)]
    assert results.median(cells, Point("a", 10, "fresh")) == 3
    assert results.median(cells, Point("a", 10, "absent")) is None


def test_a_ratio_is_taken_within_a_round() -> None:
    """A round in which everything takes ten times as long changes nothing; one without the other does not count."""
    cells = [cell("a", 1), cell("b", 2), cell("a", 10, 1), cell("b", 20, 1), cell("a", 50, 2)]
    judged = results.judge(cells, Goal(Point("a", 10, "fresh"), Point("b", 10, "fresh"), 0.6))
    assert judged is not None
    assert (judged.ratio, judged.reached) == (0.5, True)
    other = results.judge(cells, Goal(Point("a", 10, "fresh"), Point("b", 10, "fresh"), 0.4))
    assert other is not None
    assert not other.reached
    assert results.judge(cells, Goal(Point("a", 10, "fresh"), Point("c", 10, "fresh"))) is None


@pytest.mark.parametrize(("more", "reached"), [(0.02, True), (0.005, False)])
def test_a_goal_may_allow_more(more: float, reached: bool) -> None:
    """Beside what the other takes."""
    cells = [Cell(0, "a", 1000, {"nothing to do": 0.1, "one more": 0.11})]
    wanted = Goal(Point("a", 1000, "one more"), Point("a", 1000, "nothing to do"), more=more)
    judged = results.judge(cells, wanted)
    assert judged is not None
    assert judged.reached == reached
    assert judged.difference == pytest.approx(0.01)


@pytest.mark.parametrize("power", [0, 0.5, 1, 2])
def test_exponent(power: float) -> None:
    """It does not depend on the unit."""
    assert results.exponent({count: 7 * count**power for count in (10, 100, 500, 1000)}) == pytest.approx(power)


def test_one_point_has_no_exponent() -> None:
    """Neither has none."""
    assert results.exponent({10: 1.0}) is None
    assert results.exponent({}) is None
