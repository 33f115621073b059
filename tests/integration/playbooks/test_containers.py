# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of a host in the inventory: declared, as they stand, and tasks in each of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT, USERS, Ansible

DECLARATION = {
    "container_bridge_network_networks": {
        "blue": {"bridge": "br0", "subnet": "10.10.0.0/16", "masquerade": True},
        "red": {"subnet": "10.20.0.0/16", "gateway": False},
    },
    "container_bridge_network_containers": {
        "ns1": {"networks": {"blue": {"ipv4_address": "10.10.0.10", "interface_name": "outside"}}},
        "ns2": {"networks": {"blue": {"ipv4_address": "10.10.0.20"}, "red": {"ipv4_address": "10.20.0.20"}}},
        "ns3": {"networks": {"red": {"ipv4_address": "10.20.0.30"}}},
    },
}
CONTAINERS = ["ns1.lab1", "ns2.lab1", "ns3.lab1"]
ADMIN = {"ansible_user": "admin", "bridgenet_sudo": True}
PAGE = ROOT / "docs/namespaces.md"
# The host itself sees no interface `outside`.
DELEGATED = {"command": "cat /sys/class/net/outside/operstate", "delegate_to": "ns1.lab1"}


class Fleet:
    """One host that answers, and one that does not."""

    def __init__(self, ansible: Ansible, directory: Path, testhost: dict[str, Any]) -> None:
        self._ansible, self.directory, self.tree = ansible, directory / "inventory", directory / "tree"
        self.directory.mkdir()
        self.testhost = testhost
        self.hosts(ADMIN)

    def write(self, name: str, value: dict[str, Any]) -> None:
        (self.directory / name).write_text(json.dumps(value), encoding="utf-8")

    def hosts(self, login: dict[str, Any]) -> None:
        hosts = {"lab1": {**self.testhost, **login, **DECLARATION}, "lab2": {**self.testhost, "ansible_port": 1}}
        self.write("hosts.json", {"lab_hosts": {"hosts": hosts}})

    def containers(self, **options: Any) -> None:
        self.write("zz.bridgenet.yml", {"plugin": "nslab.bridgenet.containers", **options})

    def run(self, program: str, *arguments: str) -> Any:
        return self._ansible(program, "--inventory", str(self.directory), *arguments)

    def task(self, hosts: str, *arguments: str) -> dict[str, dict[str, Any]]:
        """The result of a task, by host."""
        for path in self.tree.glob("*"):
            path.unlink()
        self.run("ansible", hosts, "--tree", str(self.tree), *arguments)
        return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in self.tree.iterdir()}

    def listed(self) -> tuple[dict[str, Any], str]:
        done = self.run("ansible-inventory", "--list")
        assert done.returncode == 0
        return json.loads(done.stdout), done.stderr


@pytest.fixture
def fleet(ansible: Ansible, testhost: dict[str, Any], tmp_path: Path) -> Fleet:
    fleet = Fleet(ansible, tmp_path, testhost)
    prepare = f"set -e\n{USERS}ip netns add foreign\ntouch /run/netns/leftover"
    assert fleet.task("lab1", "-e", "ansible_user=root", "-m", "raw", "-a", prepare)["lab1"]["rc"] == 0
    site = ["--limit", "lab1", "--extra-vars", "lab_host_directory=/run/lab_host"]
    assert fleet.run("ansible-playbook", "playbooks/site.yml", *site).returncode == 0
    return fleet


def test_fetch_a_page_from_inside_every_container(fleet: Fleet, tmp_path: Path) -> None:
    fleet.containers()
    _task, _inventory, play = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[:3]
    (tmp_path / "play.yml").write_text(play, encoding="utf-8")
    assert fleet.run("ansible-playbook", str(tmp_path / "play.yml")).returncode == 0
    fetched = fleet.task("containers", "-m", "uri", "-a", "url=http://10.10.0.10:8000 timeout=2")
    assert sorted(fetched) == CONTAINERS
    assert {name for name, answer in fetched.items() if answer["status"] == 200} == {"ns1.lab1", "ns2.lab1"}
    assert "unreachable" in fetched["ns3.lab1"]["msg"]  # in another network, without a way out
    delegated = [{"hosts": "lab1", "gather_facts": False, "tasks": [DELEGATED]}]
    (tmp_path / "delegated.json").write_text(json.dumps(delegated), encoding="utf-8")
    assert fleet.run("ansible-playbook", str(tmp_path / "delegated.json")).returncode == 0


def test_what_stands_is_what_was_declared(fleet: Fleet) -> None:
    fleet.containers(hosts=["lab1"])
    declared, said = fleet.listed()
    assert said == ""
    fleet.containers(live=True)
    standing, said = fleet.listed()
    assert "host 'lab2' cannot be reached: " in said
    assert "Connection refused" in said
    assert sorted(standing["containers"]["hosts"]) == CONTAINERS  # neither what is foreign nor what a crash left
    for name in CONTAINERS:
        assert standing["_meta"]["hostvars"][name] == declared["_meta"]["hostvars"][name]
    for group in ("containers_in_blue", "containers_in_red", "containers_on_lab1"):
        assert sorted(standing[group]["hosts"]) == sorted(declared[group]["hosts"])
    # What goes is listed no more, whatever is declared; and a host that may not be asked says so.
    assert fleet.task("lab1", "--become", "-m", "command", "-a", "ip netns del ns3")["lab1"]["rc"] == 0
    assert sorted(fleet.listed()[0]["containers"]["hosts"]) == CONTAINERS[:2]
    fleet.hosts({**ADMIN, "bridgenet_sudo": False})
    nothing, said = fleet.listed()
    assert "containers" not in nothing
    assert "the login is not root; set bridgenet_sudo: true to ask through sudo -n" in " ".join(said.split())
