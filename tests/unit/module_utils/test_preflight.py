# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module preflight takes what transaction takes; what a transaction saw first is told with its error, too."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
import yaml

from ansible_collections.nslab.bridgenet.plugins.module_utils import _module
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.modules import preflight, transaction


def test_the_same_lists() -> None:
    lists = [
        {
            name
            for name in yaml.safe_load(module.DOCUMENTATION)["extends_documentation_fragment"]
            if name.endswith(".list")
        }
        for module in (preflight, transaction)
    ]
    assert lists[0] == lists[1]


class Failed(Exception):
    """What a module says as it fails."""


class Module:
    """The part of an AnsibleModule that a task needs to fail."""

    check_mode = False
    params = {"inventory_host": "lab1", "project": "default", "state": "present", "force": False, "lock_timeout": 60}

    def fail_json(self, **said: Any) -> NoReturn:
        raise Failed(said)


def test_an_error_tells_what_was_found_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_task: object) -> NoReturn:
        raise BridgenetError("it does not stand")

    monkeypatch.setattr(_module, "run", run)
    for found in ({"findings": ["a notice"], "drawing": ["it"]}, {}):
        with pytest.raises(Failed) as failed:
            _module.carry_out(Module(), {}, found=found)  # type: ignore[arg-type]
        assert failed.value.args == ({"msg": "it does not stand", **found},)
