# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that take the lists of all others: transaction makes them one change, preflight looks at it only."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from . import _persistence
from ._engine import Task, Views, uncollected
from ._errors import BridgenetError
from ._findings import CONFLICT, Finding, drawing, merged, refusal
from ._inspection import inspect
from ._module import TASK, carry_out, context_of, leave, objects_spec
from ._purge import Named
from ._resources._base import Context, Patience
from ._resources._registry import RESOURCES


def _spec(option: str, default: bool) -> dict[str, Any]:
    """The options of both modules, and the one that is a module's own."""
    return {
        **{name: objects_spec(name) for name in RESOURCES},
        "persist": {"type": "bool"},
        "purge": {"type": "bool", "default": False},
        "absent_when_held": {"type": "str", "choices": ["fail", "detach"], "default": "fail"},
        "wait": {"type": "int", "default": 0},
        option: {"type": "bool", "default": default},
        **copy.deepcopy(TASK),
    }


@uncollected()
def transaction_module() -> None:
    """The whole of the module `transaction`."""
    module = AnsibleModule(argument_spec=_spec("preflight", False), supports_check_mode=True)
    params = module.params
    found = _look(module, refuse=True) if params["preflight"] else {}
    patience = Patience(params["absent_when_held"], params["wait"])
    objects = {name: params[name] or [] for name in RESOURCES}
    report = carry_out(module, objects, params["purge"], patience, params["persist"], found)
    leave(module, report, _by_module, {"settings": [dataclasses.asdict(one) for one in report.settings], **found})


@uncollected()
def preflight_module() -> None:
    """The whole of the module `preflight`."""
    module = AnsibleModule(argument_spec=_spec("assert", True), supports_check_mode=True)
    module.exit_json(changed=False, **_look(module, refuse=module.params["assert"]))


def _by_module(views: Views) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name, _what, view in views:
        found.setdefault(name, []).append(view)
    return found


def _look(module: AnsibleModule, refuse: bool) -> dict[str, Any]:
    """What is in the way of a task, as results of a module, and whether that is an error."""
    params = module.params
    try:
        patience = Patience(params["absent_when_held"], params["wait"])
        context = context_of(params, patience)
        resources, refused = _declared(params, context)
        resources = _persistence.declare(resources, params["persist"], context)
        task = Task(context.project, resources, params["purge"], params["force"], patience=patience)
        found = merged([*refused, *inspect(task, module.check_mode)])
    except (BridgenetError, OSError) as error:
        module.fail_json(msg=str(error))
        raise  # fail_json does not return
    result = {"findings": [dataclasses.asdict(one) for one in found], "drawing": drawing(found)}
    conflicts = drawing(one for one in found if one.severity == CONFLICT)
    if conflicts and refuse:
        module.fail_json(msg="\n".join(["This host and what is declared do not fit:", *conflicts]), **result)
    return result


def _declared(params: Mapping[str, Any], context: Context) -> tuple[list[Named], list[Finding]]:
    """What is asked for, and what cannot even be declared."""
    resources: list[Named] = []
    refused = []
    for name in RESOURCES:
        for options in params[name] or ():
            try:
                resources.append((name, RESOURCES[name].declare(options, context)))
            except BridgenetError as error:
                refused.append(refusal(name, str(error)))
    return resources, refused
