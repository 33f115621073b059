# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run prints, and what it draws."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.tests.benchmarks import chart, report, run, store, table
from ansible_collections.nslab.bridgenet.tests.benchmarks.results import Cell, Goal, Point
from ansible_collections.nslab.bridgenet.tests.benchmarks.sections import SECTIONS, Section
from ansible_collections.nslab.bridgenet.tests.benchmarks.store import Measured
from ansible_collections.nslab.bridgenet.tests.benchmarks.subjects import Subject


class Fast(Subject):
    name = "fast"


class Slow(Subject):
    name = "slow"
    largest = 100
    once_from = 100


class Fixed(Subject):
    name = "fixed"
    sizes = (7,)


GOALS = (
    Goal(Point("fast", 100, "fresh"), Point("slow", 100, "fresh"), 0.5),
    Goal(Point("fast", 100, "fresh"), Point("slow", 100, "fresh"), 0.1),
)
SECTION = Section("some", "Some", "containers", "ms for each", (Fast, Slow, Fixed), (10, 100, 1000), GOALS, each=True)
CELLS = [
    Cell(0, "fast", 10, {"fresh": 0.01, "absent": 0.02}),
    Cell(0, "fast", 100, {"fresh": 0.1, "absent": 0.2}),
    Cell(0, "fast", 1000, {"fresh": 1.0, "absent": 2.0}),
    Cell(0, "slow", 10, {"fresh": 0.04}),
    Cell(0, "slow", 100, {"fresh": 0.4}),
]


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "]


def test_values_are_for_each_one() -> None:
    """What was not measured is a dash."""
    assert rows(table.values(SECTION, CELLS))[:4] == [
        ["", "containers", "fast", "slow"],
        ["fresh", "10", "1", "4"],
        ["fresh", "100", "1", "4"],
        ["fresh", "1000", "1", "-"],
    ]


def test_growth_is_of_all_and_of_the_last_two() -> None:
    """With two points both are the same."""
    assert rows(table.growth(CELLS))[1:] == [["fresh", "1.00 (1.00)", "1.00"], ["absent", "1.00 (1.00)", "-"]]


def test_goals_are_judged() -> None:
    """Each with a yes or a no."""
    assert [row[-1] for row in rows(table.goals(SECTION.goals, CELLS))] == ["reached", "yes", "no"]
    assert table.goals(SECTION.goals, CELLS[:1]) == ""


@pytest.mark.parametrize(("value", "said"), [(None, "-"), (1234.5, "1234"), (0.01234, "0.0123"), (12.34, "12.3")])
def test_three_digits(value: float | None, said: str) -> None:
    """More would be noise."""
    assert table.number(value) == said


def test_every_number_takes_its_turn() -> None:
    """Slow ones once, none beyond what it can, and another subject first in each round."""
    subjects = [Fast, Slow, Fixed]
    found = [(turn, subject.name, count) for turn, subject, count in run.turns(SECTION, subjects, 2, ())]
    assert found == [
        (0, "fixed", 7),
        (0, "fast", 10),
        (0, "slow", 10),
        (0, "fast", 100),
        (0, "slow", 100),
        (0, "fast", 1000),
        (1, "fixed", 7),
        (1, "slow", 10),
        (1, "fast", 10),
        (1, "fast", 100),
        (1, "fast", 1000),
    ]
    assert [count for _turn, _subject, count in run.turns(SECTION, subjects, 1, (200,))] == [200, 200]


def test_curves_are_drawn(tmp_path: Path) -> None:
    """A panel for each phase, a line for each subject with several points; drawn where there is what draws."""
    panels = chart.panels({SECTION: CELLS})
    assert {title: set(curves) for title, curves in panels.items()} == {
        "some: fresh": {"fast", "slow"},
        "some: absent": {"fast"},
    }
    pytest.importorskip("matplotlib", reason="only `make bench` installs it")
    chart.draw(panels, tmp_path / "growth.svg")
    drawn = (tmp_path / "growth.svg").read_text(encoding="utf-8")
    assert "<svg " in drawn
    assert drawn.endswith("</svg>\n")


def test_goals_speak_of_what_is_measured() -> None:
    """Subject and number."""
    for section in SECTIONS:
        there = {(subject.name, count) for subject in section.subjects for count in run.numbers(section, subject, ())}
        for goal in section.goals:
            assert {(point.subject, point.count) for point in (goal.mine, goal.other)} <= there


def test_results_are_kept(tmp_path: Path) -> None:
    """As they were; nothing where none are."""
    path = tmp_path / "raw.json"
    assert store.load(path) == {}
    measured = {"some": Measured("one day", CELLS, ["slow, 1000: too slow"])}
    store.save(path, measured)
    assert store.load(path) == measured


def test_the_page_keeps_what_is_around_the_marks() -> None:
    """And is the same when the same is written again."""
    page = report.PAGE.read_text(encoding="utf-8")
    once = report.written(page, "table")
    assert report.written(once, "table") == once
    assert f"{report.BEGIN}\n\ntable\n\n{report.END}" in once
    assert once.startswith(page.partition(report.BEGIN)[0])
    assert once.endswith(page.partition(report.END)[2])
