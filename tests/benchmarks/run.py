# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: what it costs, beside C, `ip`, container engines, the seeds' script and looped tasks.

Every cell - one subject, one number - runs in a sandbox of its own and asserts what was built. The subjects alternate,
so that a busy machine slows all of them; a ratio is the median over the rounds of the ratio within one round. What it
prints at the end is in .cache/bench/table.md, too; beside it are results.json and growth.svg.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from . import chart, sandbox, table
from .peers import C
from .results import Cell
from .sections import SECTIONS, Section
from .subjects import Subject

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(".cache/bench")


def machine() -> dict[str, Any]:
    versions = {name: importlib.metadata.version(name) for name in ("ansible-core", "pyroute2")}
    return {
        "kernel": platform.release(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        **versions,
        "load": os.getloadavg()[0],
    }


def taking_part(section: Section, only: Sequence[str]) -> list[type[Subject]]:
    found = []
    for subject in section.subjects:
        if only and not any(word in subject.name for word in only):
            continue
        why = subject.missing()
        if why:
            print(f"skipped: {section.name}: {subject.name}: {why}", flush=True)
        else:
            found.append(subject)
    return found


def numbers(section: Section, subject: type[Subject], chosen: Sequence[int]) -> list[int]:
    return [count for count in chosen or subject.sizes or section.counts if count <= subject.largest]


def turns(
    section: Section, subjects: Sequence[type[Subject]], rounds: int, chosen: Sequence[int]
) -> Iterator[tuple[int, type[Subject], int]]:
    """(round, subject, number): all with the same number one after the other, and another one first in each round."""
    for turn in range(rounds):
        first = turn % max(len(subjects), 1)
        order = [*subjects[first:], *subjects[:first]]
        everything = [(count, subject) for subject in order for count in numbers(section, subject, chosen)]
        for count in sorted({count for count, _subject in everything}):
            for subject in order:
                if (count, subject) in everything and (turn == 0 or count < subject.once_from):
                    yield turn, subject, count


def measure(section: Section, options: argparse.Namespace) -> tuple[list[Cell], list[str]]:
    """The cells, and what failed."""
    cells, failed = [], []
    rounds = min(options.rounds, section.rounds)
    subjects = taking_part(section, options.beside)
    for turn, subject, count in turns(section, subjects, rounds, options.sizes or ()):
        start = time.monotonic()
        try:
            values = sandbox.measure(subject, count)
        except sandbox.Failed as error:
            failed.append(str(error))
            print(f"{section.name}: {error}", flush=True)
            continue
        shown = ", ".join(f"{phase} {value:.3g}" for phase, value in values.items())
        took = time.monotonic() - start
        print(f"{section.name} {turn + 1}/{rounds}: {subject.name}, {count}: {shown} ({took:.0f} s)", flush=True)
        cells.append(Cell(section.name, turn, subject.name, count, values))
    return cells, failed


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Print what costs what, beside others.")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (default: 3)")
    names = [section.name for section in SECTIONS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="parts of the table")
    parser.add_argument("--sizes", nargs="+", type=int, help="other numbers than those of the table")
    parser.add_argument("--beside", nargs="+", default=[], help="only those with one of these words in their name")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if os.geteuid() != 0:
        sys.exit("namespaces can only be made by root")
    os.chdir(ROOT)
    CACHE.mkdir(parents=True, exist_ok=True)
    if not C.missing():
        C.compile()
    about = {"started": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "rounds": options.rounds, "machine": machine()}
    said = ", ".join(f"{name} {value}" for name, value in about["machine"].items())
    print(said)
    measured: dict[Section, list[Cell]] = {}
    failures = []
    for section in SECTIONS:
        if section.name in options.only:
            measured[section], failed = measure(section, options)
            failures += failed
            cells = [dataclasses.asdict(cell) for found in measured.values() for cell in found]
            (CACHE / "results.json").write_text(
                json.dumps({**about, "failed": failures, "cells": cells}, indent=1) + "\n"
            )
    pages = "\n\n".join([said, *(table.page(section, cells) for section, cells in measured.items() if cells)])
    (CACHE / "table.md").write_text(pages + "\n")
    print(f"\n\n{pages}\n")
    panels = chart.panels(measured)
    if panels:
        chart.draw(panels, CACHE / "growth.svg")
    print(f"written: table.md, results.json{' and growth.svg' if panels else ''} in {CACHE}")
    if failures:
        sys.exit("failed:\n" + "\n".join(failures))


if __name__ == "__main__":
    main()
