# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs on which host: as the exit code, the table and the file of playbooks/drift.yml tell it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import Ansible

DECLARATION = {
    "container_bridge_network_networks": {"blue": {"bridge": "br0", "subnet": "10.10.0.0/16", "masquerade": True}},
    "container_bridge_network_containers": {
        "ns1": {"networks": {"blue": {"ipv4_address": "10.10.0.10"}}},
        "ns2": {"networks": {"blue": {"ipv4_address": "10.10.0.20"}}},
    },
    "lab_host_directory": "/run/lab_host",
}
NONE, DRIFT, NOT_REACHED = 0, 2, 4
LOST = "{{ '-S none -o ProxyCommand=false' if container_bridge_network_host is defined else '' }}"


class Lab:
    """Up to four hosts: one that answers, one that is down, one of another project, and one that is lost on the way."""

    def __init__(self, ansible: Ansible, directory: Path, testhost: dict[str, Any]) -> None:
        self._ansible, self._started_in = ansible, directory
        self._inventory, self._file = directory / "hosts.json", directory / "drift.json"
        hosts = {
            "lab1": {**testhost, **DECLARATION},
            "lab2": {**testhost, **DECLARATION, "ansible_port": 1},
            "lab3": {**testhost, **DECLARATION, "container_bridge_network_project": "other"},
            "lab4": {**testhost, **DECLARATION, "ansible_ssh_extra_args": LOST},
        }
        self._inventory.write_text(json.dumps({"lab_hosts": {"hosts": hosts}}), encoding="utf-8")

    def run(self, playbook: str, limit: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._ansible(
            "ansible-playbook",
            *(f"playbooks/{playbook}.yml", "-i", str(self._inventory), "--limit", limit, *arguments),
            PWD=str(self._started_in),
        )

    def command(self, command: str) -> None:
        """On the host that answers, by somebody else."""
        done = self._ansible("ansible", "lab1", "-i", str(self._inventory), "-m", "command", "-a", command)
        assert done.returncode == 0

    def drift(self, limit: str) -> tuple[int, dict[str, Any], str]:
        """Exit code, what the file has of each host, and what a person saw."""
        self._file.unlink(missing_ok=True)
        done = self.run("drift", limit, "--extra-vars", f"drift_file={self._file.name}")
        found = json.loads(self._file.read_text(encoding="utf-8"))
        return done.returncode, {one.pop("host"): one for one in found}, done.stdout


@pytest.fixture
def lab(ansible: Ansible, testhost: dict[str, Any], tmp_path: Path) -> Lab:
    lab = Lab(ansible, tmp_path, testhost)
    assert lab.run("site", "lab1").returncode == 0
    return lab


def test_drift(lab: Lab) -> None:
    assert lab.drift("lab1")[:2] == (NONE, {"lab1": {"state": "same", "differences": []}})

    lab.command("ip -n ns2 address add 10.10.0.21/16 dev eth0")
    lab.command("ip netns delete ns1")
    code, hosts, said = lab.drift("lab1")
    assert code == DRIFT
    assert hosts["lab1"]["state"] == "differs"
    differences = [tuple(map(one.get, ("object", "option", "is", "declared"))) for one in hosts["lab1"]["differences"]]
    assert ("netns ns1", "", None, "present") in differences
    addresses = next(one for one in differences if one[1] == "peer.addresses")
    assert addresses[2:] == (["10.10.0.20/16", "10.10.0.21/16"], ["10.10.0.20/16"])
    row = f"lab1 differs {addresses[0]} peer.addresses 10.10.0.20/16, 10.10.0.21/16 10.10.0.20/16"
    assert row in " ".join(said.split())

    code, hosts, said = lab.drift("all")
    assert code == NOT_REACHED
    assert {host: one["state"] for host, one in hosts.items()} == {
        "lab1": "differs",  # still: nothing was changed
        "lab2": "not reached",
        "lab3": "not compared",
        "lab4": "not reached",
    }
    assert "belongs to project 'default', not 'other'" in hosts["lab3"]["why"]
    assert lab.drift("lab3")[0] == DRIFT

    assert lab.run("site", "lab1").returncode == 0
    assert lab.drift("lab1")[0] == NONE
