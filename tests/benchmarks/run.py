# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: the engine beside C, `ip -batch` and the script of seed 001, and the whole playbook beside the script.

Every cell - one peer, one number of containers - runs in a network and mount namespace of its own, which
also asserts what was built. The peers alternate, so that a busy machine slows all of them; a ratio is the
median over the rounds of the ratio within one round. Raw results: .cache/bench/results.json.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peers

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(".cache/bench")

# A role may write to /etc, and everybody to /run: both are private and go with the sandbox.
SANDBOX = """
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/lock /run/etc /run/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
ip link set lo up
exec "$@"
"""

Cell = dict[str, Any]  # section, round, peer, count, seconds


@dataclass(frozen=True)
class Section:
    """One table: the first peer is the one that is measured against the second."""

    name: str
    title: str
    peers: tuple[type[peers.Peer], ...]
    counts: tuple[int, ...]
    goals: dict[tuple[int, str], float]  # (count, phase) -> the highest ratio that will do
    unit: str
    per_endpoint: bool


SECTIONS = (
    Section(
        "engine",
        "Engine only, per endpoint",
        (peers.Engine, peers.C, peers.IpBatch, peers.Script),
        (100, 500),
        {(count, phase): goal for count in (100, 500) for phase, goal in (("fresh", 1.7), ("nothing to do", 5.0))},
        "ms",
        True,
    ),
    Section(
        "one",
        "Engine only, one container more or less",
        (peers.OneOfMany, peers.OneOfManyWithoutNames),
        (1000,),
        {},
        "ms",
        False,
    ),
    Section(
        "playbook",
        "The whole of ansible-playbook playbooks/site.yml",
        (peers.Playbook, peers.NatScript),
        (2, 100, 500),
        {(500, "fresh"): 1.0},
        "s",
        False,
    ),
)


def machine() -> dict[str, Any]:
    versions = {name: importlib.metadata.version(name) for name in ("ansible-core", "pyroute2")}
    return {
        "kernel": platform.release(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        **versions,
        "load": os.getloadavg()[0],
    }


def run_cell(peer: type[peers.Peer], count: int) -> dict[str, float]:
    cell = [sys.executable, str(Path(__file__).with_name("cell.py")), peer.__name__, str(count)]
    command = ["unshare", "--net", "--mount", "--", "sh", "-ec", SANDBOX, "sh", *cell]
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"{peer.name}, {count} containers: failed")
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def measure(section: Section, taking_part: list[type[peers.Peer]], rounds: int) -> list[Cell]:
    cells = []
    for turn in range(rounds):
        for count in section.counts:
            first = turn % len(taking_part)
            for peer in taking_part[first:] + taking_part[:first]:
                seconds = run_cell(peer, count)
                shown = ", ".join(f"{phase} {value:.3f} s" for phase, value in seconds.items())
                print(f"round {turn + 1}/{rounds}  {count:3} containers  {peer.name:10} {shown}", flush=True)
                cells.append({"round": turn, "peer": peer.name, "count": count, "seconds": seconds})
    return cells


def by_round(cells: list[Cell], peer: str, count: int, phase: str) -> dict[int, float]:
    return {
        cell["round"]: cell["seconds"][phase]
        for cell in cells
        if cell["peer"] == peer and cell["count"] == count and phase in cell["seconds"]
    }


def row(section: Section, cells: list[Cell], count: int, phase: str) -> list[str]:
    scale = 1000 / count if section.per_endpoint else 1
    measured = [by_round(cells, peer.name, count, phase) for peer in section.peers]
    medians = [f"{statistics.median(values.values()) * scale:.2f}" if values else "-" for values in measured]
    mine, other = measured[:2]
    ratios = [mine[turn] / other[turn] for turn in mine if turn in other]
    goal = section.goals.get((count, phase))
    if not ratios:
        return [str(count), phase, *medians, "-", "-", "-"]
    ratio = statistics.median(ratios)
    judged = ["-", "-"] if goal is None else [f"<= {goal:g}", "yes" if ratio <= goal else "no"]
    return [str(count), phase, *medians, f"{ratio:.2f}", *judged]


def table(section: Section, cells: list[Cell]) -> str:
    first, second = section.peers[:2]
    rows = [["containers", "phase", *(peer.name for peer in section.peers), f"{first.name}/{second.name}"]]
    rows[0] += ["goal", "reached"]
    for count in section.counts:
        for phase in ("fresh", "nothing to do", "nothing to do, files", "absent"):
            if by_round(cells, first.name, count, phase):
                rows.append(row(section, cells, count, phase))
    return laid_out(f"{section.title}, {section.unit} (median)", rows)


def laid_out(title: str, rows: list[list[str]]) -> str:
    widths = [max(len(line[column]) for line in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths)).rstrip() for line in rows]
    return "\n".join([title, "", *lines])


BEYOND = 20  # ms, that one container may take beside what it takes to find nothing to do


def beyond(section: Section, cells: list[Cell]) -> str:
    """What a change of one container takes beside nothing to do, in the same round."""
    rows = [["containers", "peer", "phase", "ms", "beyond nothing", "goal", "reached"]]
    for count in section.counts:
        for peer in section.peers:
            idle = by_round(cells, peer.name, count, "nothing to do")
            for phase in ("nothing to do", "one more", "one less"):
                measured = by_round(cells, peer.name, count, phase)
                line = [str(count), peer.name, phase, f"{statistics.median(measured.values()) * 1000:.0f}"]
                if phase != "nothing to do":
                    more = statistics.median(measured[turn] - idle[turn] for turn in measured) * 1000
                    line += [f"{more:.0f}", f"<= {BEYOND}", "yes" if more <= BEYOND else "no"]
                else:
                    line += ["-", "-", "-"]
                rows.append(line)
    return laid_out(f"{section.title}, {section.unit} (median)", rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Print how fast the engine and the playbook are, beside others.")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (default: 5)")
    parser.add_argument("--only", choices=[section.name for section in SECTIONS], help="one of the tables")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("namespaces can only be made by root")

    os.chdir(ROOT)
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ["PYTHONPATH"] = str(ROOT / ".cache/collections")
    CACHE.mkdir(parents=True, exist_ok=True)
    if not peers.C.missing():
        peers.C.compile()
    results: dict[str, Any] = {"started": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "machine": machine()}
    print(", ".join(f"{name} {value}" for name, value in results["machine"].items()))
    tables = []
    for section in SECTIONS:
        if options.only not in (None, section.name):
            continue
        taking_part = []
        for peer in section.peers:
            why = peer.missing()
            if why:
                print(f"skipped: {peer.name}: {why}")
            else:
                taking_part.append(peer)
        results[section.name] = cells = measure(section, taking_part, options.rounds)
        tables.append(beyond(section, cells) if section.name == "one" else table(section, cells))
        (CACHE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    print("", *tables, sep="\n\n")


if __name__ == "__main__":
    main()
