# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python the role lab_host takes for Ansible's, however a person says it. It asks only where nobody knows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import Ansible

PING = {"name": "Have it discovered", "ansible.builtin.ping": {}}
# Where discovery looks, which otherwise may take the shim of a version manager for a Python.
LOCAL = {"ansible_connection": "local", "ansible_interpreter_python_fallback": ["/usr/bin/python3"]}


@pytest.mark.parametrize(
    ("variables", "before", "configured", "asks"),
    [
        pytest.param({"ansible_python_interpreter": "/usr/bin/python3"}, [], "auto", False, id="a variable"),
        pytest.param({}, [], "/usr/bin/python3", False, id="the configuration"),
        pytest.param({}, [PING], "auto_silent", False, id="discovered"),
        pytest.param({}, [], "auto_silent", True, id="not discovered yet"),
        pytest.param({"ansible_python_interpreter": "python3"}, [], "auto", True, id="a name"),
    ],
)
def test_which_python(
    variables: dict[str, Any],
    before: list[dict[str, Any]],
    configured: str,
    asks: bool,
    ansible: Ansible,
    tmp_path: Path,
) -> None:
    role = {"name": "nslab.bridgenet.lab_host", "tasks_from": "engine"}
    tasks = [
        *before,
        {"ansible.builtin.import_role": role, "vars": {"lab_host_install": False}},
        {"ansible.builtin.command": {"argv": ["{{ lab_host_python }}", "-c", "print('it runs')"]}, "register": "ran"},
        {"ansible.builtin.assert": {"that": ["ran.stdout == 'it runs'", "lab_host_found.packages is defined"]}},
    ]
    inventory, play = tmp_path / "hosts.json", tmp_path / "play.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"lab1": {**LOCAL, **variables}}}}))
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    done = ansible("ansible-playbook", "-i", str(inventory), str(play), ANSIBLE_PYTHON_INTERPRETER=configured)
    assert done.returncode == 0
    (said,) = re.findall(r"Ask which Python Ansible uses\] \**\n(\w+)", done.stdout)
    assert (said == "ok") == asks
