# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole playbooks, and the shell script that does the same."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import network
from .peers import Script
from .subjects import Builder


class NatScript(Script):
    """The same, with forwarding and masquerade, as the playbook does it."""

    programs = ("ip", "iptables")
    masquerade = True

    def absent(self, count: int) -> float | None:
        return None


class Playbook(Builder):
    """The whole of `ansible-playbook playbooks/site.yml`, on this host by a local connection.

    With this Python, which has pyroute2: the role could not install one, a sandbox has no way out.
    """

    name = "playbook"
    programs = ("ip", "ansible-playbook", "nft")
    complete = True
    path = Path("playbooks/site.yml")

    @classmethod
    def missing(cls) -> str:
        return super().missing() or ("" if cls.path.exists() else f"{cls.path} is not there")

    def _run(self, count: int) -> tuple[float, int]:
        networks, containers = network.declaration(count, masquerade=True)
        variables = {
            "container_bridge_network_networks": networks,
            "container_bridge_network_containers": containers,
            "ansible_python_interpreter": sys.executable,
        }
        with tempfile.NamedTemporaryFile("w", suffix=".json") as extra:
            json.dump(variables, extra)
            extra.flush()
            command = ["ansible-playbook", str(self.path), "--extra-vars", f"@{extra.name}"]
            start = time.perf_counter()
            result = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
            seconds = time.perf_counter() - start
        recap = re.search(r"\bchanged=(\d+)", result.stdout)
        if result.returncode or recap is None:
            raise AssertionError(f"ansible-playbook failed:\n{result.stdout[-3000:]}")
        return seconds, int(recap[1])

    def fresh(self, count: int) -> float:
        return self._run(count)[0]

    def nothing(self, count: int) -> float:
        seconds, changed = self._run(count)
        if changed:
            raise AssertionError(f"a second run changed {changed}")
        return seconds
