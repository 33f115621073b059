# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our rules in the chains of iptables, as words and back (iptables(8)). Pure: _programs runs the programs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from . import _firewalld, _labels, _nft
from ._model import Rule

PROGRAMS = {4: "iptables", 6: "ip6tables"}
VARIANTS = ("nft", "legacy")
TABLES = ("filter", "nat")

_COUNTERS = re.compile(r" -c \d+ \d+")
# As a policy, but as a rule: of the packages iptables-services and ufw, or a person's.
_ENDS = re.compile(r"-A FORWARD -j (DROP|REJECT)( --reject-with \S+)?$")
# Of no project: it stands there for all of them.
GATE_COMMENT = f"{_labels.MARK}forward"
_MARKED = ("-m", "mark", "--mark", f"{_nft.MARK}/{_nft.MARK}")


def argv(rule: Rule, comment: str, action: str, *place: str) -> list[str]:
    """The command that adds ("-A", "-I") or deletes ("-D") a rule; -w waits for the lock of other users of iptables."""
    words = [rule.program, "-w", "-t", rule.table, action, rule.chain, *place]
    return [*words, *rule.match, "-m", "comment", "--comment", comment, *rule.target]


def gate(program: str, chain: str) -> Rule:
    """The rule that accepts, in a chain of others, what our own chain let pass.

    An accept in our table ends only our table: a later chain may still drop the packet.
    """
    return Rule(program, "filter", chain, _MARKED, ("-j", "ACCEPT"), head=True)


@dataclass(frozen=True)
class Seen:
    """A rule of ours as it stands."""

    rule: Rule
    comment: str
    place: int  # in its chain, from 1
    packets: int
    bytes: int


def parse(program: str, table: str, saved: str) -> Iterator[Seen]:
    """The rules with a comment of ours, from `iptables -S -v`."""
    counted: dict[str, int] = {}
    for line in saved.splitlines():
        if not line.startswith("-A "):
            continue
        words = shlex.split(line)
        chain = words[1]
        counted[chain] = counted.get(chain, 0) + 1
        if "--comment" not in words:
            continue
        at = words.index("--comment")
        comment, match, rest = words[at + 1], tuple(words[2 : at - 2]), words[at + 2 :]
        # What matches on more behind the comment was not made by us.
        plain = words[at - 2 : at] == ["-m", "comment"] and rest[:1] + rest[3:4] == ["-c", "-j"]
        if plain and comment.startswith(_labels.MARK):
            rule = Rule(program, table, chain, match, tuple(rest[3:]))
            yield Seen(rule, comment, counted[chain], int(rest[1]), int(rest[2]))


def is_gate(rule: Rule) -> bool:
    """Whether a rule is one of these, in whatever chain."""
    return rule.match == _MARKED


def has_docker(saved: str) -> bool:
    """Whether Docker looks after FORWARD, by `iptables -t filter -S -v`."""
    lines = [_COUNTERS.sub("", line) for line in saved.splitlines()]
    return "-N DOCKER-USER" in lines and "-A FORWARD -j DOCKER-USER" in lines


def needed_gate(program: str, saved: str, firewalld: bool) -> Rule | None:
    """The gate that a host needs, by its `iptables -t filter -S -v`, and whether firewalld runs.

    firewalld flushes every chain when it reloads, and puts back into FORWARD what it is told to, but not into Docker's.
    """
    lines = [_COUNTERS.sub("", line) for line in saved.splitlines()]
    if any(line in _firewalld.CHAINS for line in lines) and (firewalld or not has_docker(saved)):
        return None  # it ends FORWARD with a reject itself, and lets its trusted zone pass before
    if has_docker(saved) and not firewalld:
        return gate(program, "DOCKER-USER")
    drops = "-P FORWARD DROP" in lines or any(_ENDS.match(line) for line in lines)
    return gate(program, "FORWARD") if drops else None
