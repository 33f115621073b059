# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from . import results
from .results import Cell, Goal, Judged, Point
from .sections import Section

NOTHING = "-"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """The first row is the head; cells are padded, so that it can be read as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return NOTHING
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def values(section: Section, cells: Sequence[Cell]) -> str:
    subjects = results.subjects(cells)
    rows = [["", section.what, *subjects]]
    for phase in results.phases(cells):
        for count in results.counts(cells):
            found = [results.median(cells, Point(subject, count, phase)) for subject in subjects]
            if any(value is not None for value in found):
                scaled = [value if value is None else value * section.scale(phase, count) for value in found]
                rows.append([phase, str(count), *map(number, scaled)])
    return markdown(rows)


def growth(cells: Sequence[Cell]) -> str:
    """Of all numbers, and in brackets of the last two."""
    subjects = results.subjects(cells)
    rows = [["grows as N^x, x", *subjects]]
    for phase in results.phases(cells):
        curves = [results.curve(cells, subject, phase) for subject in subjects]
        if any(len(curve) > 1 for curve in curves):
            rows.append([phase, *map(_exponents, curves)])
    return markdown(rows) if len(rows) > 1 else ""


def _exponents(curve: dict[int, float]) -> str:
    whole, last = results.exponent(curve), results.exponent(dict(sorted(curve.items())[-2:]))
    if whole is None or last is None:
        return NOTHING
    return f"{whole:.2f} ({last:.2f})" if len(curve) > 2 else f"{whole:.2f}"


def goals(wanted: Sequence[Goal], cells: Sequence[Cell]) -> str:
    judged = [found for goal in wanted if (found := results.judge(cells, goal))]
    head = ["what", "beside", "ratio", "difference", "goal", "reached"]
    return markdown([head, *map(_judged, judged)]) if judged else ""


def _judged(found: Judged) -> list[str]:
    goal = found.goal
    limit = f"<= {goal.factor:.3g}" + (f" and {goal.more:g} more" if goal.more else "")
    measured = [number(found.ratio), number(found.difference)]
    return [_said(goal.mine), _said(goal.other), *measured, limit, "yes" if found.reached else "no"]


def _said(point: Point) -> str:
    return f"{point.subject}, {point.phase}, {point.count}"


def page(section: Section, cells: Sequence[Cell]) -> str:
    """All that there is to say of a section."""
    title = f"### {section.title}" + (f", {section.unit} (median)" if section.unit else "")
    parts = [title, values(section, cells), growth(cells) if section.grows else "", goals(section.goals, cells)]
    return "\n\n".join(filter(None, parts))
