# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the engine as a module does, but for Ansible's own argument handling."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.module_utils import _persistence
from ansible_collections.nslab.bridgenet.plugins.module_utils._engine import Report, Task, run
from ansible_collections.nslab.bridgenet.plugins.module_utils._kernel import Kernel
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import HOST, Host
from ansible_collections.nslab.bridgenet.plugins.module_utils._reader import Scope, read
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._base import Context
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._registry import RESOURCES

_FILES = (
    "/etc/sysctl.d/90-nslab-bridgenet.conf",
    "/etc/udev/rules.d/90-nslab-bridgenet.rules",
    "/etc/modules-load.d/nslab-bridgenet.conf",
)

Objects = Mapping[str, Sequence[Mapping[str, Any]]]  # module -> objects in the form of their options


def task(
    objects: Objects, state: str = "present", project: str = "default", persist: bool | None = None, **options: Any
) -> Task:
    """What a module asks the engine for."""
    context = Context(project, "host1", state)
    resources = [(name, RESOURCES[name].declare(one, context)) for name in RESOURCES for one in objects.get(name, ())]
    return Task(project, _persistence.declare(resources, persist, context), **options)


def apply(objects: Objects, **options: Any) -> Report:
    """A real run."""
    return run(task(objects, **options), check_mode=False)


def check(objects: Objects, **options: Any) -> Report:
    """A run in check mode."""
    return run(task(objects, **options), check_mode=True)


def host() -> Host:
    """All that the engine can read of this machine."""
    kept = [Path("/proc/sys/net/bridge").glob("bridge-nf-call-*"), Path("/proc/sys/net").glob("ipv?/conf/*/[af]*")]
    kept.append(Path("/proc/sys/net").glob("ipv4/conf/*/route_localnet"))
    keys = {str(path.relative_to("/proc/sys")) for paths in kept for path in paths}
    return _read(Scope(sysctls={HOST: {"net/ipv4/ip_forward", *keys}}, files=set(_FILES)))


def host_for(asked: Task) -> Host:
    """The whole machine, with those sysctls that a task looks at."""
    scope = Scope()
    for _module, resource in asked.resources:
        resource.widen(scope)
    return _read(scope)


def _read(scope: Scope) -> Host:
    scope.everything = True
    with Kernel() as kernel:
        return read(kernel, scope)


def without_record(found: Host) -> Host:
    """A host but for the record of its original sysctls, which no command writes."""
    return dataclasses.replace(found, originals={})
