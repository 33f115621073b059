# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks on twenty hosts, of which one is down and another one fails half-way."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
HOSTS = [f"lab{number:02}" for number in range(1, 21)]
DOWN, FAILS = "lab03", "lab07"
NOT_REACHED = 4
PLAIN = {"ANSIBLE_FORCE_COLOR": "false", "ANSIBLE_NOCOLOR": "true"}  # Molecule asks for colours
WELL = [name for name in HOSTS if name not in (FAILS, DOWN)]


class Fleet:
    """All hosts, as one person works with them."""

    def __init__(self, inventory: str) -> None:
        self._inventory = inventory

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [program, "--inventory", self._inventory, *arguments],
            cwd=PROJECT,
            env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), **PLAIN},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)  # pytest shows it where the test fails
        return done

    def playbook(self, name: str, *arguments: str) -> tuple[int, str]:
        done = self._run("ansible-playbook", f"playbooks/{name}.yml", *arguments)
        return done.returncode, done.stdout

    def command(self, hosts: str, command: str) -> dict[str, str]:
        """What a shell says on each of the hosts, by somebody who is not the collection."""
        with tempfile.TemporaryDirectory() as tree:
            self._run("ansible", hosts, "--tree", tree, "--module-name", "shell", "--args", command)
            found = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in Path(tree).iterdir()}
        assert all(answer["rc"] == 0 for answer in found.values())
        return {host: answer["stdout"] for host, answer in found.items()}

    def subnets(self) -> dict[str, str]:
        return self.command("lab_hosts", "ip -4 -br address show br-blue | awk '{print $3}'")


def outcome(said: str) -> dict[str, str]:
    """The table at the end: the state of each host."""
    rows = re.findall(r"^ *- ['\"]?(lab\d+)  (changed|same|failed|not reached)\b", said, re.MULTILINE)
    return dict(rows)


@pytest.fixture(scope="module")
def fleet(pytestconfig: pytest.Config) -> Fleet:
    return Fleet(pytestconfig.option.ansible_inventory)


def test_a_host_that_fails_and_one_that_is_down_hurt_nobody(fleet: Fleet) -> None:
    """Then they are repaired, one after the other, and nobody else is touched."""
    port = {"ansible_port": f"{{{{ 1 if inventory_hostname == '{DOWN}' else 22 }}}}"}
    down = ("--extra-vars", json.dumps(port))
    fleet.command(FAILS, "ip link add br-blue type bridge")
    code, said = fleet.playbook("site", *down)
    assert code == NOT_REACHED
    assert outcome(said) == {**dict.fromkeys(WELL, "changed"), FAILS: "failed", DOWN: "not reached"}
    assert said.count("=> (item=containers: 2, networks: 1)") == len(WELL)

    # A batch in which nobody is reached does not keep the next one from its turn.
    fleet.command(FAILS, "ip link del br-blue")
    one_by_one = ("--extra-vars", "container_bridge_network_serial=1")
    code, said = fleet.playbook("site", "--limit", f"{FAILS},{DOWN}", *down, *one_by_one)
    assert code == NOT_REACHED
    assert outcome(said) == {FAILS: "changed", DOWN: "not reached"}
    assert said.count("PLAY [Build the networks]") == 2

    code, said = fleet.playbook("site", "--limit", f"{FAILS},{DOWN}")
    assert code == 0
    assert outcome(said) == {FAILS: "same", DOWN: "changed"}
    subnets = fleet.subnets()
    assert subnets == {name: f"10.40.{8 * index}.1/24" for index, name in enumerate(HOSTS)}


def test_reset(fleet: Fleet) -> None:
    """What was changed by hand is put right; what is somebody else's goes when it is told so."""
    mess = "ip netns del a; ip -n b address add 10.40.0.77/24 dev eth0; ip netns add s1; ip netns add theirs"
    fleet.command("lab01", f"{mess}; ip -n b link add inside type bridge")
    code, said = fleet.playbook("reset", "--limit", "lab01")
    assert code == 0
    assert outcome(said) == {"lab01": "changed"}
    here = "ip netns list | awk '{print $1}' | sort | xargs; "
    seen = fleet.command("lab01", f"{here} ip -n b -br address show eth0; ip -n b -br link show type bridge")["lab01"]
    assert seen.startswith("a b s1 theirs")
    assert "10.40.0.77" not in seen
    assert "inside" in seen  # the engine does not look at it

    anew: dict[str, Any] = {"reset_anew": True, "reset_namespaces": ["s[0-9]+"]}
    assert fleet.playbook("reset", "--limit", "lab01", "--extra-vars", json.dumps(anew))[0] == 0
    seen = fleet.command("lab01", f"{here} ip -n b -br link show type bridge")["lab01"]
    assert seen.startswith("a b theirs")
    assert "inside" not in seen
