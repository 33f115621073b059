# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module preflight: what a transaction would meet on this host. It changes nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from . import _persistence
from ._engine import Task
from ._errors import BridgenetError
from ._findings import CONFLICT, Finding, drawing, merged, refusal
from ._inspection import inspect
from ._module import context_of, transaction_spec
from ._purge import Named
from ._resources import RESOURCES
from ._resources._base import Context, Patience


def preflight_module() -> None:
    """The whole of the module `preflight`."""
    module = AnsibleModule(
        argument_spec={**transaction_spec(), "assert": {"type": "bool", "default": True}},
        supports_check_mode=True,
    )
    params = module.params
    try:
        patience = Patience(params["absent_when_held"], params["wait"])
        context = context_of(params, patience)
        resources, refused = declared(params, context)
        resources = _persistence.declare(resources, params["persist"], context)
        task = Task(context.project, resources, params["purge"], params["force"], patience=patience)
        found = merged([*refused, *inspect(task, module.check_mode)])
    except (BridgenetError, OSError) as error:
        module.fail_json(msg=str(error))
        raise  # fail_json does not return
    lines = drawing(found)
    result = {"findings": [dataclasses.asdict(one) for one in found], "drawing": lines}
    conflicts = drawing(one for one in found if one.severity == CONFLICT)
    if conflicts and params["assert"]:
        module.fail_json(msg="\n".join(["This host and what is declared do not fit:", *conflicts]), **result)
    module.exit_json(changed=False, **result)


def declared(params: Mapping[str, Any], context: Context) -> tuple[list[Named], list[Finding]]:
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
