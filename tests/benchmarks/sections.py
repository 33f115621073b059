# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the table: who is measured beside whom, with which numbers, and what the goals are."""

from __future__ import annotations

from dataclasses import dataclass

from . import engines, firewall, fleet, footprint, packets, peers, playbooks
from .results import Goal, Point
from .subjects import Subject


@dataclass(frozen=True)
class Section:
    """One part."""

    name: str
    title: str
    what: str  # what is counted
    unit: str  # "" where the phases name theirs
    subjects: tuple[type[Subject], ...]
    counts: tuple[int, ...]
    goals: tuple[Goal, ...] = ()
    each: bool = False  # whether a value is shown for one of `what`
    grows: bool = True  # whether its values are times that grow
    plain: tuple[str, ...] = ()  # phases that have a unit of their own
    rounds: int = 1000  # no more than that

    def scale(self, phase: str, count: int) -> float:
        """From a second to the unit."""
        if phase in self.plain:
            return 1
        factor = 1000 if self.unit.startswith("ms") else 1
        return factor / count if self.each else factor


def _engine() -> Section:
    def goal(phase: str, other: type[Subject], factor: float) -> Goal:
        mine = Point(peers.Engine.name, 500, phase)
        return Goal(mine, Point(other.name, 500, phase), factor)

    return Section(
        "engine",
        "The engine alone",
        "containers",
        "ms for each container",
        (
            peers.Engine,
            peers.C,
            peers.IpBatch,
            peers.Script,
            engines.Cni,
            engines.CniWithoutMasquerade,
            engines.Netavark,
            engines.Docker,
            engines.Mininet,
        ),
        (10, 100, 500, 1000),
        (
            goal("fresh", peers.C, 1.4),
            goal("fresh", engines.Cni, 1 / 10),
            goal("fresh", engines.Netavark, 1 / 10),
            goal("nothing to do", peers.C, 3),
            goal("nothing to do, files", peers.C, 3),
            goal("absent", engines.Cni, 1 / 20),
        ),
        each=True,
    )


def _one() -> Section:
    def goal(subject: type[Subject], phase: str) -> Goal:
        return Goal(Point(subject.name, 1000, phase), Point(subject.name, 1000, "nothing to do"), more=0.02)

    both = (peers.OneOfMany, peers.OneOfManyWithoutNames)
    return Section(
        "one",
        "One container more or less among many",
        "containers",
        "ms",
        (*both, peers.Alone),
        (1000,),
        tuple(goal(subject, phase) for subject in both for phase in ("one more", "one less")),
        grows=False,
    )


def _playbook() -> Section:
    mine = playbooks.Playbook.name
    return Section(
        "playbook",
        "The whole of ansible-playbook playbooks/site.yml",
        "containers",
        "s",
        (
            playbooks.Playbook,
            playbooks.NatScript,
            playbooks.SingleModules,
            playbooks.LoopedCommands,
            playbooks.NoOps,
        ),
        (2, 100, 500, 1000),
        (
            Goal(Point(mine, 2, "nothing to do"), Point(playbooks.NoOps.name, 2, "nothing to do"), 1.3),
            Goal(Point(mine, 500, "fresh"), Point(playbooks.NatScript.name, 500, "fresh"), 1 / 3),
        ),
    )


def _firewall() -> Section:
    mine = firewall.Engine.name
    return Section(
        "firewall",
        "The firewall of networks with ten published ports each",
        "networks",
        "ms",
        (firewall.Engine, firewall.IptablesRestore, firewall.Netavark),
        (1, 100, 1000),
        (Goal(Point(mine, 1000, "rules"), Point(mine, 1, "rules")),),
        plain=("rules", "elements"),
    )


def _packets() -> Section:
    """More is better here: of one network at most 1 / 0.95 of what there is with 1000."""
    mine = packets.Engine.name
    return Section(
        "packets",
        "Packets, with so many networks",
        "networks",
        "",
        (packets.Engine, packets.Cni),
        (1, 1000),
        tuple(Goal(Point(mine, 1, phase), Point(mine, 1000, phase), 1 / 0.95) for phase in packets.PHASES)
        + tuple(Goal(Point(packets.Cni.name, 1, phase), Point(mine, 1, phase), 1 / 0.95) for phase in packets.PHASES),
        grows=False,
    )


def _fleet() -> Section:
    mine = fleet.Playbook.name
    return Section(
        "fleet",
        "Many hosts over SSH, with 20 forks",
        "hosts",
        "",
        (fleet.Playbook, fleet.LoopedCommands),
        (10, 30),
        tuple(
            Goal(Point(mine, 30, f"{phase}, {fleet.TASKS}"), Point(mine, 10, f"{phase}, {fleet.TASKS}"))
            for phase in ("fresh", "nothing to do")
        ),
        grows=False,
        rounds=1,
    )


def _footprint() -> Section:
    return Section(
        "footprint",
        "Memory, sizes, messages, imports and tasks",
        "containers",
        "",
        (footprint.Module, footprint.Messages, footprint.Ansible),
        (1000,),
        grows=False,
    )


SECTIONS = (_engine(), _one(), _playbook(), _firewall(), _packets(), _fleet(), _footprint())
