# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One change of one host: read, plan, and - at the one gate for check mode - apply or stop."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import _guard, _purge
from ._errors import BridgenetError
from ._kernel import Kernel
from ._lock import host_lock
from ._model import HOST, Host
from ._netlink import require_pyroute2
from ._operations import (
    CreateBridge,
    CreateNamespace,
    CreateVeth,
    DeleteLinks,
    DeleteNamespace,
    NetlinkOperation,
    SetSysctl,
)
from ._plan import Plan, plan
from ._purge import Named
from ._reader import Scope, read

Views = list[tuple[str, str, dict[str, Any]]]  # module, how a message names the object, the object as options


@dataclass(frozen=True)
class Task:
    """What is asked for."""

    project: str
    resources: Sequence[Named]
    purge: bool = False
    force: bool = False
    lock_timeout: float = 60


@dataclass(frozen=True)
class Report:
    """What was, what is or would be, and what was or would be done."""

    changed: bool
    before: Views
    after: Views
    actions: tuple[str, ...]
    assumed: tuple[str, ...]
    warnings: tuple[str, ...]
    settings: tuple[SetSysctl, ...]  # sysctls of the host itself


def run(task: Task, check_mode: bool) -> Report:
    """Carry out a task. BridgenetError where it cannot be done; the host is then as it was before."""
    if os.geteuid() != 0:
        raise BridgenetError("networks and namespaces can only be read and changed by root; use `become: true`")
    with Kernel() as kernel, host_lock(kernel.home, task.lock_timeout):
        scope = Scope(everything=task.purge)
        for _module, resource in task.resources:
            resource.widen(scope)
        current, resources, decided = _decide(kernel, scope, task)
        if decided.risks and not task.force:
            _guard.check(current, decided.risks, _ways(kernel, current))
        before = _views(current, resources)
        after = _views(decided.predicted, resources) if decided.operations or decided.assumed else before
        actions = tuple(command for operation in decided.operations for command in operation.commands())
        report = Report(
            bool(decided.operations), before, after, actions, decided.assumed, decided.warnings, _settings(decided)
        )
        if check_mode or not (decided.operations or decided.assumed):
            return report
        if decided.assumed:
            raise BridgenetError(f"missing on this host: {', '.join(decided.assumed)}; create it first")
        _able(kernel, decided)
        kernel.apply(decided.operations)
        _verify(kernel, scope, resources, after)
        return report


def _decide(kernel: Kernel, scope: Scope, task: Task) -> tuple[Host, Sequence[Named], Plan]:
    """Decide on what the task names, or on the whole host where that matters.

    An error may be one for lack of knowledge: the label of a pair may be on the end that was not read.
    """
    current = read(kernel, scope)
    resources = list(task.resources)
    if task.purge:
        resources += _purge.stale(current, task.resources, task.project)
    try:
        decided = plan(current, [resource for _module, resource in resources], task.purge)
    except BridgenetError:
        if scope.everything:
            raise
    else:
        if scope.everything or not decided.short:
            return current, resources, decided
    scope.everything = True
    return _decide(kernel, scope, task)


def _ways(kernel: Kernel, current: Host) -> dict[str, str]:
    """Peer of sshd -> the interface of the host by which the kernel reaches it."""
    names = {link.index: link.name for link in current.namespaces[HOST].links.values()}
    found = {peer: names.get(kernel.socket(HOST).way_to(peer)) for peer in _guard.ssh_peers()}
    return {peer: name for peer, name in found.items() if name}


def _settings(decided: Plan) -> tuple[SetSysctl, ...]:
    """What changes in the host's own sysctls; disable_ipv6 of a link is shown with the link."""
    known = decided.predicted.namespaces[HOST].sysctls
    found = [operation for operation in decided.operations if isinstance(operation, SetSysctl)]
    return tuple(operation for operation in found if operation.namespace == HOST and operation.key in known)


def _views(host: Host, resources: Sequence[Named]) -> Views:
    found = []
    for module, resource in resources:
        view = resource.view(host)
        if view is not None:
            found.append((module, resource.what, view))
    return found


def _able(kernel: Kernel, decided: Plan) -> None:
    """Whether this host can do it at all, before the first change: pyroute2, and the kinds of device."""
    withdrawn = sum(isinstance(operation, DeleteNamespace) for operation in decided.operations)
    if withdrawn > kernel.room - 4:
        raise BridgenetError(
            f"{withdrawn} namespaces at once need as many file descriptors, and this process may have {kernel.room}; "
            "remove them in parts, or raise the limit (`ulimit -Hn`)"
        )
    messages = (NetlinkOperation, CreateNamespace, DeleteLinks)
    if not any(isinstance(operation, messages) for operation in decided.operations):
        return
    require_pyroute2()
    wanted = set()
    if any(isinstance(operation, CreateBridge) for operation in decided.operations):
        wanted.add("bridge")
    if any(isinstance(operation, CreateVeth) for operation in decided.operations):
        wanted.add("veth")
    socket = kernel.socket(HOST)
    for kind in sorted(wanted):
        if not socket.knows(kind):
            raise BridgenetError(
                f"this kernel cannot make a {kind}; install a kernel with the module {kind}, or load it: "
                f"`modprobe {kind}`"
            )


def _verify(kernel: Kernel, scope: Scope, resources: Sequence[Named], expected: Views) -> None:
    """Read back what was set: the kernel ignores what it does not know, and others change things, too."""
    try:
        real = _views(read(kernel, scope), resources)
    except (OSError, BridgenetError) as error:
        left = kernel.undo()
        raise BridgenetError(
            f"after the change the host could not be read: {error}; {left or 'the change was undone'}"
        ) from error
    if real == expected:
        return
    differences = [f"{what} is {found}, not {wanted}" for (what, wanted), found in _differences(expected, real)]
    left = kernel.undo()
    raise BridgenetError(
        f"after the change the host is not as planned: {'; '.join(differences)}; {left or 'the change was undone'}"
    )


def _differences(expected: Views, real: Views) -> list[tuple[tuple[str, Any], Any]]:
    found = {(module, what): view for module, what, view in real}
    wanted = {(module, what): view for module, what, view in expected}
    keys = [*wanted, *(key for key in found if key not in wanted)]
    return [((key[1], wanted.get(key)), found.get(key)) for key in keys if wanted.get(key) != found.get(key)]
