# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured: medians over the rounds, ratios within one round, and how it grows."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One subject with one number in one round."""

    round: int
    subject: str
    count: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Point:
    """What a goal speaks of: one phase of a subject with one number."""

    subject: str
    count: int
    phase: str


@dataclass(frozen=True)
class Goal:
    """`mine` is at most `factor` times `other` in the same round, and `more` beyond that."""

    mine: Point
    other: Point
    factor: float = 1
    more: float = 0


@dataclass(frozen=True)
class Judged:
    """A goal, beside what was measured."""

    goal: Goal
    mine: float
    other: float
    ratio: float
    difference: float
    reached: bool


def by_round(cells: Sequence[Cell], point: Point) -> dict[int, float]:
    return {
        cell.round: cell.values[point.phase]
        for cell in cells
        if cell.subject == point.subject and cell.count == point.count and point.phase in cell.values
    }


def median(cells: Sequence[Cell], point: Point) -> float | None:
    values = by_round(cells, point)
    return statistics.median(values.values()) if values else None


def judge(cells: Sequence[Cell], goal: Goal) -> Judged | None:
    """None where one of both was not measured in the same round."""
    mine, other = by_round(cells, goal.mine), by_round(cells, goal.other)
    both = sorted(mine.keys() & other.keys())
    if not both:
        return None
    beyond = statistics.median(mine[turn] - goal.factor * other[turn] for turn in both)
    return Judged(
        goal,
        statistics.median(mine[turn] for turn in both),
        statistics.median(other[turn] for turn in both),
        statistics.median(mine[turn] / other[turn] for turn in both),
        statistics.median(mine[turn] - other[turn] for turn in both),
        beyond <= goal.more,
    )


def subjects(cells: Sequence[Cell]) -> list[str]:
    """In the order in which they were first measured."""
    return list(dict.fromkeys(cell.subject for cell in cells))


def phases(cells: Sequence[Cell]) -> list[str]:
    return list(dict.fromkeys(phase for cell in cells for phase in cell.values))


def counts(cells: Sequence[Cell]) -> list[int]:
    return sorted({cell.count for cell in cells})


def curve(cells: Sequence[Cell], subject: str, phase: str) -> dict[int, float]:
    """Number -> median."""
    found = {count: median(cells, Point(subject, count, phase)) for count in counts(cells)}
    return {count: value for count, value in found.items() if value}


def exponent(points: Mapping[int, float]) -> float | None:
    """The x of value ~ number ** x: the slope of the line through the logarithms; None for less than two points."""
    if len(points) < 2:
        return None
    logarithms = [(math.log(count), math.log(value)) for count, value in points.items()]
    return statistics.linear_regression(*zip(*logarithms)).slope
