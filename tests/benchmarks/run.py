# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: what it costs, beside C, `ip`, container engines, the seeds' script and looped tasks.

Every cell - one subject, one number - runs in a sandbox of its own and asserts what was built. The subjects alternate,
so that a busy machine slows all of them; a ratio is the median over the rounds of the ratio within one round. What it
prints at the end is in .cache/bench/table.md, too; beside it are raw.json and growth.svg. What is not measured this
time stays there from the last one.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence

from . import report, sandbox, store
from .peers import C
from .results import Cell
from .sections import SECTIONS, Section
from .store import Measured
from .subjects import Subject


def about(rounds: int) -> str:
    """When, where, how often."""
    versions = {name: importlib.metadata.version(name) for name in ("ansible-core", "pyroute2")}
    said = {
        "kernel": platform.release(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        **versions,
        "rounds": rounds,
        "load at the start": f"{os.getloadavg()[0]:.1f}",
    }
    return f"{time.strftime('%Y-%m-%d %H:%M')}: " + ", ".join(f"{name} {value}" for name, value in said.items()) + "."


def taking_part(section: Section, only: Sequence[str]) -> list[type[Subject]]:
    """The first one, which is ours, and those beside it that are asked for."""
    found = []
    for place, subject in enumerate(section.subjects):
        if only and place and not any(word in subject.name for word in only):
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


def measure(section: Section, options: argparse.Namespace, into: Measured) -> Iterator[None]:
    """One cell after the other."""
    rounds = min(options.rounds, section.rounds)
    subjects = taking_part(section, options.beside)
    for turn, subject, count in turns(section, subjects, rounds, options.sizes or ()):
        start = time.monotonic()
        try:
            values = sandbox.measure(subject, count)
        except sandbox.Failed as error:
            into.failed.append(str(error))
            print(f"{section.name}: {error}", flush=True)
        else:
            shown = ", ".join(f"{phase} {value:.3g}" for phase, value in values.items())
            took = time.monotonic() - start
            print(f"{section.name} {turn + 1}/{rounds}: {subject.name}, {count}: {shown} ({took:.0f} s)", flush=True)
            into.cells.append(Cell(turn, subject.name, count, values))
        yield


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Print what costs what, beside others.")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (default: 3)")
    names = [section.name for section in SECTIONS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="parts of the table")
    parser.add_argument("--sizes", nargs="+", type=int, help="other numbers than those of the table")
    parser.add_argument(
        "--beside", nargs="+", default=[], help="beside ours, only those with one of these words in their name"
    )
    parser.add_argument("--docs", action="store_true", help="write the table into docs/performance.md, too")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if os.geteuid() != 0:
        sys.exit("namespaces can only be made by root")
    os.chdir(report.ROOT)
    report.CACHE.mkdir(parents=True, exist_ok=True)
    if not C.missing():
        C.compile()
    measured = store.load(report.RESULTS)
    for section in SECTIONS:
        if section.name in options.only:
            measured[section.name] = into = Measured(about(min(options.rounds, section.rounds)))
            print(f"{section.title}. {into.about}", flush=True)
            for _cell in measure(section, options, into):
                store.save(report.RESULTS, measured)
    print(f"\n\n{report.write(measured, options.docs)}\n\nwritten: raw.json, table.md, growth.svg in {report.CACHE}")
    failed = [error for name in options.only for error in measured[name].failed]
    if failed:
        sys.exit("failed:\n" + "\n".join(failed))


if __name__ == "__main__":
    main()
