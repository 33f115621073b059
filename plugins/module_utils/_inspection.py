# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task looked at without carrying it out: every reason to refuse it, and what it would meet and do."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass

from . import _engine, _findings, _holders, _others, _purge
from ._engine import Task
from ._errors import BridgenetError
from ._findings import Finding
from ._kernel import Kernel
from ._model import HOST, Host
from ._operation_base import Operation
from ._plan import Plan, Refused, plan
from ._purge import Named
from ._reader import Scope, read
from ._resources._base import Resource

_MOST = 20  # each further refusal is one more plan


@dataclass(frozen=True)
class Verdict:
    """What a plan would make of the host, as far as it can be had, and what cannot."""

    predicted: Host
    operations: tuple[Operation, ...]
    refused: tuple[Refused, ...]
    plan: Plan | None = None


def judge(current: Host, resources: Sequence[Resource], purge: bool = False) -> Verdict:
    """Every refusal, by the engine's own rules: what is refused is left out until the rest can be had. Pure."""
    left, refused = list(resources), list[Refused]()
    while len(refused) < _MOST:
        try:
            decided = plan(current, left, purge)
        except Refused as error:
            refused.append(error)
            if error.resource is None:
                return Verdict(error.predicted or current, (), tuple(refused))
            left = [one for one in left if one is not error.resource]
        except BridgenetError as error:
            return Verdict(current, (), (*refused, Refused([str(error)])))
        else:
            return Verdict(decided.predicted, decided.operations, tuple(refused), decided)
    return Verdict(current, (), tuple(refused))


def inspect(task: Task, check_mode: bool = False) -> list[Finding]:
    """All that is to be said of a task and this host, conflicts first. Nothing is changed.

    What only a change needs, such as pyroute2, is in nobody's way in check mode: it may be about to be installed.
    """
    if os.geteuid() != 0:
        raise BridgenetError("networks and namespaces can only be read by root; use `become: true`")
    with Kernel() as kernel:
        scope = Scope(everything=True, sysctls={HOST: set(_findings.KEYS)}, boots={task.project})
        for _module, resource in task.resources:
            resource.widen(scope)
        current = read(kernel, scope)
        named = _whole(current, task)
        resources = [resource for _module, resource in named]
        verdict = judge(current, resources, task.purge)
        if verdict.plan and verdict.plan.going:
            held = _holders.wait(dict(verdict.plan.going), _engine.ending(verdict.plan), patient=False)
            current = dataclasses.replace(current, holders=held)
            verdict = judge(current, resources, task.purge)
        found = [_findings.refusal(topic, text, about) for topic, text, about in _refusals(verdict, named)]
        if verdict.plan:
            for error in _engine.dangers(kernel, current, task, verdict.plan):
                found.append(_findings.refusal("access", str(error)))
            for error in _engine.unable(kernel, verdict.plan):
                unable = _findings.refusal("host", str(error))
                found.append(dataclasses.replace(unable, severity=_findings.NOTICE) if check_mode else unable)
            found += [_findings.warned(_topic(current, text), text) for text in verdict.plan.warnings]
        others = _others.read(current)
    found += _findings.owners(current, resources, others)
    found += _findings.firewall(current, verdict.predicted, verdict.operations)
    found += _findings.forwarding(current, verdict.predicted, verdict.operations, others)
    found += _findings.capacity(verdict.predicted)
    return _findings.merged(found)


def _whole(current: Host, task: Task) -> list[Named]:
    """What is declared, and what goes because it is not any more."""
    if task.purge:
        return [*task.resources, *_purge.stale(current, task.resources, task.project, task.patience)]
    return [*task.resources, *_purge.unplugged(current, task.resources, task.project)]


def _refusals(verdict: Verdict, named: Sequence[Named]) -> list[tuple[str, str, str]]:
    """(topic, text, what it is about)"""
    modules = {id(resource): module for module, resource in named}
    return [
        (modules.get(id(one.resource), "host"), text, one.resource.what if one.resource else "")
        for one in verdict.refused
        for text in one.reasons
    ]


def _topic(current: Host, warning: str) -> str:
    if warning in current.firewall.obstacles:
        return "firewall"
    return "firewalld" if "of firewalld" in warning else "host"
