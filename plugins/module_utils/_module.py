# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Ansible and the engine: argument specs, the lists of objects, results and errors. It exists once."""

from __future__ import annotations

import copy
import platform
from collections.abc import Mapping
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from . import _names, _persistence, _report
from ._engine import Report, Task, Views, run, uncollected
from ._errors import BridgenetError
from ._purge import Named
from ._resources._base import Context, Patience
from ._resources._registry import RESOURCES

TASK = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "project": {"type": "str", "default": "default"},
    "inventory_host": {"type": "str"},
    "lock_timeout": {"type": "int", "default": 60},
    "force": {"type": "bool", "default": False},
}


def objects_spec(name: str) -> dict[str, Any]:
    """A list of objects of one kind, as an option."""
    options = copy.deepcopy(dict(RESOURCES[name].spec))
    for required in RESOURCES[name].required:
        options[required]["required"] = True
    return {"type": "list", "elements": "dict", "options": options}


def _single(name: str) -> dict[str, Any]:
    """The options of one object at the top of a task, without defaults, so that `config` can exclude them all."""
    options = copy.deepcopy(dict(RESOURCES[name].spec))
    del options["state"]
    for option in options.values():
        option.pop("default", None)
    return options


@uncollected()
def resource_module(name: str) -> None:
    """The whole of a resource module."""
    single, required = _single(name), RESOURCES[name].required
    module = AnsibleModule(
        argument_spec={"config": objects_spec(name), **single, **copy.deepcopy(TASK)},
        mutually_exclusive=[("config", option) for option in single],
        required_one_of=[(option, "config") for option in required],
        supports_check_mode=True,
    )
    objects = module.params["config"]
    if objects is None:
        objects = [{option: module.params[option] for option in single}]
    report = carry_out(module, {name: objects})
    leave(module, report, _objects_of)


def _objects_of(views: Views) -> list[dict[str, Any]]:
    return [view for _name, _what, view in views]


def context_of(params: Mapping[str, Any], patience: Patience) -> Context:
    """What holds for a whole task."""
    host = params["inventory_host"] or platform.node()
    return Context(_names.project(params["project"]), host, params["state"], patience)


def carry_out(
    module: AnsibleModule,
    objects: dict[str, list[dict[str, Any]]],
    purge: bool = False,
    patience: Patience | None = None,
    persist: bool | None = None,
    found: Mapping[str, Any] | None = None,
) -> Report:
    """The whole of a task; an error also tells what was found before."""
    params = module.params
    patience = patience or Patience()
    try:
        context = context_of(params, patience)
        resources: list[Named] = []
        for name in RESOURCES:
            resources += [(name, RESOURCES[name].declare(options, context)) for options in objects.get(name, ())]
        resources = _persistence.declare(resources, persist, context)
        task = Task(context.project, resources, purge, params["force"], params["lock_timeout"], patience)
        return run(task, module.check_mode)
    except (BridgenetError, OSError) as error:
        module.fail_json(msg=str(error), **(found or {}))
        raise  # fail_json does not return


def leave(
    module: AnsibleModule, report: Report, shown: Callable[[Views], Any], more: Mapping[str, Any] | None = None
) -> None:
    for warning in report.warnings:
        module.warn(warning)
    if report.assumed:
        module.warn(f"check mode assumes, because an earlier task would make it: {', '.join(report.assumed)}")
    result: dict[str, Any] = {
        "changed": report.changed,
        "before": shown(report.before),
        "after": shown(report.after),
        "actions": list(report.actions),
        **(more or {}),
    }
    if report.counters is not None:
        result["counters"] = shown(report.counters)
    if report.assumed:
        result["assumed"] = list(report.assumed)
    if module._diff:  # pylint: disable=protected-access
        result["diff"] = _report.diff(report)
    module.exit_json(**result)
