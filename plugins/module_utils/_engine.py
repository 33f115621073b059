# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One change of one host: read, plan, and - at the one gate for check mode - apply or stop."""

from __future__ import annotations

import dataclasses
import gc
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from . import _firewalld, _guard, _holders, _iptables, _purge, _unit
from ._errors import BridgenetError
from ._firewall_steps import AddRule, BindInterfaces, DelRule, KeepRule
from ._kernel import Kernel
from ._lock import host_lock
from ._model import HOST, Held, Host
from ._operations import DeleteNamespace, SetSysctl
from ._plan import Plan, plan
from ._purge import Named
from ._reader import Scope, Seen, read
from ._resources._base import Patience, Resource
from ._services import StopServices
from ._touched import Touched, touched

View = tuple[str, str, dict[str, Any]]  # module, how a message names the object, the object as options
Views = list[View]


@dataclass(frozen=True)
class Task:
    """What is asked for."""

    project: str
    resources: Sequence[Named]
    purge: bool = False
    force: bool = False
    lock_timeout: float = 60
    patience: Patience = field(default_factory=Patience)  # with who holds a namespace that a purge removes


@dataclass(frozen=True)
class Setting:
    """A change that belongs to the host and not to one object: a sysctl, a rule in a chain of others."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Report:
    """What was, what is or would be, and what was or would be done."""

    changed: bool
    before: Views
    after: Views
    actions: tuple[str, ...]
    assumed: tuple[str, ...]
    warnings: tuple[str, ...]
    settings: tuple[Setting, ...]
    counters: Views | None = field(default=None, compare=False)  # as they are, also in check mode; None: none counts


def run(task: Task, check_mode: bool) -> Report:
    """Carry out a task. BridgenetError where it cannot be done; the host is then as it was before."""
    if os.geteuid() != 0:
        raise BridgenetError("networks and namespaces can only be read and changed by root; use `become: true`")
    with Kernel() as kernel, host_lock(kernel.home, task.lock_timeout):
        scope = Scope(everything=task.purge, boots={task.project})
        for _module, resource in task.resources:
            resource.widen(scope)
        seen, current, resources, decided = _decide(kernel, scope, task)
        if decided.going:
            held = _holders.wait(dict(decided.going), ending(decided), patient=not check_mode)
            if any(one.holders or one.waited for one in held.values()):  # otherwise it stands
                seen, current, resources, decided = _decide(kernel, scope, task, held)
        for refusal in dangers(kernel, current, task, decided):
            raise refusal
        before = after = _views(current, resources)
        changes = Touched()
        if decided.operations or decided.assumed:
            changes = touched(current, decided.predicted)
            after = _views_of_touched(decided.predicted, resources, before, changes)
        actions = tuple(command for operation in decided.operations for command in operation.commands())
        report = Report(
            bool(decided.operations),
            _there(before),
            _there(after),
            actions,
            decided.assumed,
            decided.warnings,
            _settings(decided),
        )
        if check_mode or not (decided.operations or decided.assumed):
            return dataclasses.replace(report, counters=_counters(current, resources))
        if decided.assumed:
            raise BridgenetError(f"missing on this host: {', '.join(decided.assumed)}; create it first")
        for refusal in unable(kernel, decided):
            raise refusal
        kernel.apply(decided.operations)
        real = _verify(kernel, scope, resources, after, seen, changes)
        return dataclasses.replace(report, counters=_counters(real, resources))


@contextmanager
def uncollected() -> Iterator[None]:
    """Nearly all that a task makes it needs to its end: looking for what is garbage takes a fifth of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _decide(
    kernel: Kernel, scope: Scope, task: Task, held: Mapping[int, Held] | None = None
) -> tuple[Seen, Host, Sequence[Named], Plan]:
    """Decide on what the task names, or on the whole host where that matters.

    An error may be one for lack of knowledge: the label of a pair may be on the end that was not read.
    """
    seen = Seen()
    current = dataclasses.replace(read(kernel, scope, seen), holders=held or {})
    resources = list(task.resources)
    if task.purge:
        resources += _purge.stale(current, task.resources, task.project, task.patience)
    else:
        resources += _purge.unplugged(current, task.resources, task.project)
    try:
        decided = plan(current, [resource for _module, resource in resources], task.purge)
    except BridgenetError:
        if scope.everything:
            raise
    else:
        if scope.everything or not (decided.short or _purge.is_short(current, task.resources)):
            return seen, current, resources, decided
    scope.everything = True
    return _decide(kernel, scope, task, held)


def ending(decided: Plan) -> set[str]:
    """The units of systemd that are stopped before the namespaces go in which they run."""
    stops = [operation for operation in decided.operations if isinstance(operation, StopServices)]
    return {_unit.name(service) for stop in stops for service in stop.services}


def dangers(kernel: Kernel, current: Host, task: Task, decided: Plan) -> Iterator[BridgenetError]:
    """What of a plan would cut off the person."""
    if decided.risks and not task.force:
        yield from _guard.dangers(current, decided.risks, _ways(kernel, current))


def _ways(kernel: Kernel, current: Host) -> dict[str, str]:
    """Peer of sshd -> the interface of the host by which the kernel reaches it."""
    names = {link.index: link.name for link in current.namespaces[HOST].links.values()}
    peers = _guard.ssh_peers().items()
    found = {peer: name or names.get(kernel.socket(HOST).way_to(peer)) for peer, name in peers}
    return {peer: name for peer, name in found.items() if name}


def _settings(decided: Plan) -> tuple[Setting, ...]:
    """What changes on the host itself; disable_ipv6 of a link is shown with the link."""
    known = decided.predicted.namespaces[HOST].sysctls
    found = []
    for one in decided.operations:
        if isinstance(one, SetSysctl) and one.namespace == HOST and one.key in known and one.before != one.after:
            found.append(Setting(f"sysctl {one.key}", one.before, one.after))
        if isinstance(one, (AddRule, DelRule)) and _iptables.is_gate(one.rule):
            states = ("none", one.comment) if isinstance(one, AddRule) else (one.comment, "none")
            found.append(Setting(f"rule of {one.rule.program} in {one.rule.chain}", *states))
        if isinstance(one, KeepRule):
            states = ("none", one.comment) if one.verb == "add" else (one.comment, "none")
            found.append(Setting(f"permanent rule of {one.rule.program} in {one.rule.chain} in firewalld", *states))
        if isinstance(one, BindInterfaces):
            states = ("none", _firewalld.ZONE) if one.verb == "add" else (_firewalld.ZONE, "none")
            kind = "permanent zone" if one.permanent else "zone"
            found += [Setting(f"{kind} of {name} in firewalld", *states) for name in one.interfaces]
    return tuple(found)


def _views(host: Host, resources: Sequence[Named]) -> list[View | None]:
    return [_view(host, module, resource) for module, resource in resources]


def _view(host: Host, module: str, resource: Resource) -> View | None:
    view = resource.at(host.key).view(host)
    return None if view is None else (module, resource.what, view)


def _views_of_touched(
    host: Host, resources: Sequence[Named], known: Sequence[View | None], what: Touched
) -> list[View | None]:
    """The views where only `what` differs from when they were `known`."""
    return [
        _view(host, module, resource) if resource.is_touched(what) else view
        for (module, resource), view in zip(resources, known)
    ]


def _there(views: Iterable[View | None]) -> Views:
    return [view for view in views if view is not None]


def _counters(host: Host, resources: Sequence[Named]) -> Views | None:
    counting = [(module, resource) for module, resource in resources if resource.counts]
    if not counting:
        return None
    found = [(module, resource.what, resource.counters(host)) for module, resource in counting]
    return [(module, what, counters) for module, what, counters in found if counters is not None]


def unable(kernel: Kernel, decided: Plan) -> Iterator[BridgenetError]:
    """What this host cannot do at all, before the first change: descriptors, pyroute2, kinds of device."""
    withdrawn = sum(isinstance(operation, DeleteNamespace) for operation in decided.operations)
    if withdrawn > kernel.room - 4:
        yield BridgenetError(
            f"{withdrawn} namespaces at once need as many file descriptors, and this process may have {kernel.room}; "
            "remove them in parts, or raise the limit (`ulimit -Hn`)"
        )
    for one_of_each in {type(operation): operation for operation in decided.operations}.values():
        try:
            one_of_each.require(kernel)
        except BridgenetError as refusal:
            yield refusal


def _verify(
    kernel: Kernel,
    scope: Scope,
    resources: Sequence[Named],
    expected: Sequence[View | None],
    seen: Seen,
    changes: Touched,
) -> Host:
    """Read back what was set: the kernel ignores what it does not know, and others change things, too."""
    seen.forget(changes)
    try:
        host = read(kernel, scope, seen)
        real = _views_of_touched(host, resources, expected, changes)
    except (OSError, BridgenetError) as error:
        left = kernel.undo()
        raise BridgenetError(
            f"after the change the host could not be read: {error}; {left or 'the change was undone'}"
        ) from error
    if real == expected:
        return host
    differences = [
        f"{what} is {found}, not {wanted}" for (what, wanted), found in _differences(_there(expected), _there(real))
    ]
    left = kernel.undo()
    raise BridgenetError(
        f"after the change the host is not as planned: {'; '.join(differences)}; {left or 'the change was undone'}"
    )


def _differences(expected: Views, real: Views) -> list[tuple[tuple[str, Any], Any]]:
    found = {(module, what): view for module, what, view in real}
    wanted = {(module, what): view for module, what, view in expected}
    keys = [*wanted, *(key for key in found if key not in wanted)]
    return [((key[1], wanted.get(key)), found.get(key)) for key in keys if wanted.get(key) != found.get(key)]
