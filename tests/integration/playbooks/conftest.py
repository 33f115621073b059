# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks run on a fresh machine as well, by ansible-playbook and over the local connection."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine.conftest import machine

__all__ = ["machine"]  # an autouse fixture

ROOT = Path(__file__).parents[3]
# What the role lab_host may have written on the machine that the tests run on.
DROP_INS = ("/etc/NetworkManager/conf.d/10-nslab-bridgenet.conf", "/etc/systemd/network/10-nslab-bridgenet.network")
Playbook = Callable[..., int]


@pytest.fixture
def playbook(machine: None, tmp_path: Path) -> Playbook:
    """Run a playbook as a user does; how many tasks changed something."""
    for path in DROP_INS:
        Path(path).unlink(missing_ok=True)
    tree = tmp_path / "collections" / "ansible_collections" / "nslab"
    tree.mkdir(parents=True)
    (tree / "bridgenet").symlink_to(ROOT)
    program = Path(sys.executable).with_name("ansible-playbook")
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(tree.parents[1]),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "LC_ALL": "C.UTF-8",
    }

    def run(path: str, *arguments: str) -> int:
        done = subprocess.run(
            # /opt is the only place of the role's that is the machine's own here.
            [program, path, "--extra-vars", f"lab_host_directory={tmp_path}/lab_host", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        print(done.stdout)  # pytest shows it where the test fails
        changed = re.search(r"^localhost +: .*changed=(\d+)", done.stdout, re.MULTILINE)
        assert changed, done.stdout
        return int(changed[1])

    return run
