# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin as ansible-inventory runs it, on inventories of its own. No host is connected to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[4]
HOSTS: dict[str, Any] = {
    "lab": {
        "hosts": {"lab1.example.com": {"number": 1}, "lab2": {"number": 2, "ansible_host": "192.0.2.2"}},
        "vars": {"ansible_user": "admin", "bridgenet_sudo": True},
    },
    "elsewhere": {"hosts": {"lab3": {}}},
}
ALL = """
container_bridge_network_networks:
  front: {subnet: "10.{{ number }}.0.0/24", masquerade: true}
  back-end: {subnet: "10.{{ number }}.1.0/24", gateway: false}
"""
LAB = """
container_bridge_network_containers:
  web: {networks: {front: {ipv4_address: "10.{{ number }}.0.10"}, back-end: {ipv4_address: "10.{{ number }}.1.10"}}}
  db: {networks: {back-end: {ipv4_address: "10.{{ number }}.1.11", interface_name: data}}}
  old: {networks: {}, state: absent}
"""


class Inventory:
    """A directory of inventory files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "inventory"
        tree = directory / "collections" / "ansible_collections" / "nslab"
        tree.mkdir(parents=True)
        (tree / "bridgenet").symlink_to(ROOT)
        (directory / "ansible.cfg").touch()
        self.environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(tree.parents[1]),
            "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
            "ANSIBLE_HOME": str(directory / "home"),
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
            "COLUMNS": "2000",
            "LC_ALL": "C.UTF-8",
        }
        self.write("hosts.yml", yaml.safe_dump(HOSTS))
        self.write("group_vars/all.yml", ALL)
        self.write("group_vars/lab.yml", LAB)

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def plugin(self, name: str = "zz.bridgenet.yml", **options: Any) -> None:
        self.write(name, yaml.safe_dump({"plugin": "nslab.bridgenet.containers", **options}))

    def listed(self) -> tuple[int, str, str]:
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-inventory"), "--inventory", self.directory, "--list"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, " ".join(done.stderr.split())

    def read(self) -> dict[str, Any]:
        status, output, errors = self.listed()
        assert status == 0, errors
        found: dict[str, Any] = json.loads(output)
        return found

    def refused(self) -> str:
        status, _output, errors = self.listed()
        assert status != 0
        return errors


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    return Inventory(tmp_path)


def test_hosts_groups_and_variables(inventory: Inventory) -> None:
    inventory.plugin()
    found = inventory.read()
    first, second = ["web.lab1.example.com", "db.lab1.example.com"], ["web.lab2", "db.lab2"]
    assert found["containers"]["hosts"] == first + second
    assert found["containers_in_front"]["hosts"] == [first[0], second[0]]
    assert found["containers_in_back_end"]["hosts"] == first + second
    assert found["containers_on_lab1_example_com"]["hosts"] == first
    assert found["lab"]["hosts"] == ["lab1.example.com", "lab2"]
    variables = found["_meta"]["hostvars"]["web.lab1.example.com"]
    own = {key: value for key, value in variables.items() if not key.startswith("container_bridge_network_")}
    assert own == {
        "ansible_connection": "nslab.bridgenet.netns",
        "ansible_host": "lab1.example.com",
        "ansible_user": "admin",
        "bridgenet_host": "lab1.example.com",
        "bridgenet_ipv4_address": "10.1.0.10",
        "bridgenet_ipv6_address": None,
        "bridgenet_namespace": "web",
        "bridgenet_networks": {
            "front": {"ipv4_address": "10.1.0.10", "ipv6_address": None, "interface_name": "eth1"},
            "back-end": {"ipv4_address": "10.1.1.10", "ipv6_address": None, "interface_name": "eth0"},
        },
        "bridgenet_sudo": True,
        "bridgenet_transport": "ssh",
    }
    assert found["_meta"]["hostvars"]["db.lab2"]["ansible_host"] == "192.0.2.2"


def test_a_template_of_the_host_is_evaluated_for_the_host(inventory: Inventory) -> None:
    inventory.write("host_vars/lab2.yml", "ansible_port: '{{ 2200 + number }}'\nansible_remote_tmp: /tmp/plain\n")
    inventory.plugin(hosts=["lab2"])
    variables = inventory.read()["_meta"]["hostvars"]["web.lab2"]
    assert variables["ansible_port"] == "{{ hostvars['lab2']['ansible_port'] }}"
    assert variables["ansible_remote_tmp"] == "/tmp/plain"
    message = [Path(sys.executable).with_name("ansible"), "web.lab2", "-i", inventory.directory, "-m", "debug"]
    done = subprocess.run(
        [*message, "-a", "msg={{ ansible_port }}"],
        env=inventory.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "2202" in done.stdout


def test_chosen_hosts_and_local_ones(inventory: Inventory) -> None:
    inventory.write("host_vars/lab2.yml", "ansible_connection: ansible.builtin.local\n")
    inventory.plugin(hosts=["elsewhere", "lab2"])
    found = inventory.read()
    assert found["containers"]["hosts"] == ["web.lab2", "db.lab2"]
    assert found["_meta"]["hostvars"]["web.lab2"]["bridgenet_transport"] == "local"
    assert found["_meta"]["hostvars"]["web.lab2"]["ansible_connection"] == "nslab.bridgenet.netns"


def test_two_files_add_to_each_other(inventory: Inventory) -> None:
    """And what the first has added is no host with containers for the second, though group_vars say so."""
    inventory.write("host_vars/lab2.yml", "container_bridge_network_containers: {metal: {network_mode: host}}")
    inventory.write("group_vars/all.yml", ALL + LAB.strip("\n"))
    inventory.plugin("y.bridgenet.yaml", hosts=["lab2"])
    inventory.plugin(hosts=["lab1.example.com", "containers"])
    found = inventory.read()
    assert found["containers"]["hosts"] == ["metal.lab2", "web.lab1.example.com", "db.lab1.example.com"]
    metal = found["_meta"]["hostvars"]["metal.lab2"]
    assert metal["bridgenet_host"] == "lab2"
    assert "ansible_connection" not in metal  # it is the host itself


@pytest.mark.parametrize(
    ("files", "options", "said"),
    [
        ({}, {"hosts": ["lap"]}, "hosts: 'lap' is neither a group nor a host; did you mean 'lab'?"),
        ({}, {"name": "containers.yml"}, "reads files whose names end with bridgenet.yml or bridgenet.yaml"),
        ({}, {"name": "a.bridgenet.yml"}, "no host is known yet; let this file come after those that define the hosts"),
        ({}, {"lvie": True}, "lvie"),
        ({"more.yml": "all: {hosts: {db.lab2: {}}}"}, {}, "container 'db' of host 'lab2' would be the host 'db.lab2'"),
        (
            {"host_vars/lab1.example.com.yml": LAB.replace("0.10", "9.10")},
            {},
            "host 'lab1.example.com': container 'web': network 'front': ipv4_address '10.1.9.10' is outside subnet",
        ),
        (
            {"host_vars/lab2.yml": "container_bridge_network_containers: '{{ ansible_facts.containers }}'"},
            {},
            "host 'lab2': container_bridge_network_containers cannot be evaluated",
        ),
        (
            {"host_vars/lab2.yml": "ansible_connection: community.docker.docker"},
            {},
            "host 'lab2': ansible_connection 'community.docker.docker' cannot carry tasks into a namespace",
        ),
    ],
)
def test_what_is_refused(inventory: Inventory, files: dict[str, str], options: dict[str, Any], said: str) -> None:
    for name, text in files.items():
        inventory.write(name, text)
    inventory.plugin(**options)
    assert said in inventory.refused()


def test_files_of_others_are_left_to_them(inventory: Inventory) -> None:
    inventory.plugin()
    inventory.write("more.yml", "all: {hosts: {plugin: {}}}")
    inventory.environment["ANSIBLE_INVENTORY_ENABLED"] = "nslab.bridgenet.containers,yaml"
    assert "plugin" in inventory.read()["ungrouped"]["hosts"]
