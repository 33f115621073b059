# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a fleet, as a controller reads it: indexes, and what each host takes. No host is connected to."""

from __future__ import annotations

import ipaddress
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT, Ansible

EXAMPLE = ROOT / "examples/fleet"
LABS = [f"lab{number}.example.com" for number in range(1, 6)]
# What the first play of site.yml computes, for a test to read.
PLAY = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: nslab.bridgenet.container_bridge_network
        tasks_from: declaration
    - ansible.builtin.copy:
        content: "{{ container_bridge_network_lists | to_json }}"
        dest: "{{ told }}/{{ inventory_hostname }}"
        mode: "0644"
      delegate_to: localhost
      connection: local
"""
# As a person has it in a playbook: the arguments of the role are checked first.
ROLE = """
- hosts: lab_hosts
  gather_facts: false
  roles: [nslab.bridgenet.container_bridge_network]
"""
# Other releases of Ansible, which `make sanity` has installed.
CORES = sorted(ROOT.glob(".cache/sanity/*/venv/bin/ansible-playbook"))


class Fleet:
    """A copy of the example, which may be changed."""

    def __init__(self, ansible: Ansible, directory: Path) -> None:
        self._ansible, self.directory, self._told = ansible, directory / "fleet", directory / "told"
        shutil.copytree(EXAMPLE, self.directory)
        self._told.mkdir()
        self._play = directory / "play.yml"
        self._play.write_text(PLAY, encoding="utf-8")
        self.file = self.directory / "group_vars/lab_hosts/host_indexes.yml"

    def run(self, playbook: str, *arguments: str, program: str = "ansible-playbook") -> tuple[int, str]:
        done = self._ansible(program, "-i", str(self.directory), playbook, *arguments)
        return done.returncode, done.stdout + done.stderr

    def allocate(self, *arguments: str) -> str:
        code, said = self.run("playbooks/allocate.yml", *arguments)
        assert code == 0
        return said

    @property
    def indexes(self) -> dict[str, int]:
        found: dict[str, int] = yaml.safe_load(self.file.read_text(encoding="utf-8"))[
            "container_bridge_network_host_indexes"
        ]
        return found

    def write(self, name: str, value: dict[str, Any]) -> None:
        (self.directory / name).write_text(yaml.safe_dump(value), encoding="utf-8")

    def hosts(self, *names: str) -> None:
        self.write("hosts.yml", {"lab_hosts": {"hosts": {name: {} for name in names}}})

    def expanded(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """What each host would be told."""
        for path in self._told.iterdir():
            path.unlink()
        code, _said = self.run(str(self._play), "--extra-vars", f"told={self._told}", *arguments)
        assert code == 0
        return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in self._told.iterdir()}


@pytest.fixture
def fleet(ansible: Ansible, tmp_path: Path) -> Fleet:
    return Fleet(ansible, tmp_path)


def test_the_example(fleet: Fleet, ansible: Ansible) -> None:
    listed = ansible("ansible-inventory", "-i", str(EXAMPLE), "--list", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true")
    assert listed.returncode == 0
    inventory = json.loads(listed.stdout)
    assert inventory["containers_in_room"]["hosts"] == [f"player.{name}" for name in LABS[3:]]
    assert inventory["containers_in_stage"]["hosts"] == ["screen.lab1.example.com"]

    before = fleet.file.read_text(encoding="utf-8")
    fleet.allocate()
    assert fleet.file.read_text(encoding="utf-8") == before

    hosts = fleet.expanded()
    assert sorted(hosts) == LABS
    pool = ipaddress.ip_network("10.20.0.0/16")
    fronts, players = [], []
    for lists in hosts.values():
        ends = [(one["label"], ipaddress.ip_interface(one["peer"]["addresses"][0])) for one in lists["veth"]]
        fronts += [{end.network for label, end in ends if label.endswith(f"/{name}")} for name in ("front", "back")]
        players += [end.ip for label, end in ends if label == "player/room"]
    subnets = [subnet for one in fronts for subnet in one]
    assert len(subnets) == len(set(subnets)) == 10
    assert all(subnet.subnet_of(pool) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(subnets, 2))
    parts = [ipaddress.ip_network(f"10.30.{128 + 4 * index}.0/22") for index in (3, 4)]
    assert all(address in part for address, part in zip(sorted(players), parts))
    # Under --limit it is the same.
    assert fleet.expanded("--limit", LABS[3]) == {LABS[3]: hosts[LABS[3]]}


def test_indexes_stay_when_hosts_come_and_go(fleet: Fleet) -> None:
    before = fleet.indexes
    fleet.hosts(*LABS[1:], "lab0.example.com")
    said = fleet.allocate("--check", "--diff")
    assert "+  lab0.example.com: 5" in said
    assert fleet.indexes == before
    fleet.allocate("--limit", LABS[2])
    assert fleet.indexes == {**before, "lab0.example.com": 5}
    fleet.hosts(*LABS[1:], "lab0.example.com", "lab6.example.com")
    fleet.allocate("--extra-vars", "allocate_prune=true")
    del before[LABS[0]]
    assert fleet.indexes == {**before, "lab0.example.com": 5, "lab6.example.com": 0}


def test_refused_before_any_host_is_touched(fleet: Fleet) -> None:
    def refused(*arguments: str, playbook: str = "site") -> str:
        code, said = fleet.run(f"playbooks/{playbook}.yml", *arguments)
        assert code == 2
        assert "unreachable=1" not in said
        return " ".join(said.split())

    fleet.write("host_vars/lab2.example.com.yml", {"container_bridge_network_host_index": 3})
    twins = "hosts 'lab2.example.com' and 'lab4.example.com' have the same container_bridge_network_host_index, 3"
    assert twins in refused("--limit", LABS[1])
    assert twins in refused(playbook="allocate")
    fleet.write("host_vars/lab2.example.com.yml", {})
    assert "container_bridge_network_host_index 4 is not one of 4 hosts" in refused(
        "--extra-vars", "container_bridge_network_host_count=4"
    )
    assert "is 256 subnets of /24, which are too few for the 512 parts of a fleet of up to 300 hosts" in refused(
        "--extra-vars", "container_bridge_network_host_count=300"
    )
    assert "there is room for 3 hosts" in refused(
        "--extra-vars", "container_bridge_network_host_count=3", playbook="allocate"
    )
    for subnet, message in (
        (
            "10.61.0.0/24",
            "subnet is 10.60.0.0/24 here, and 10.61.0.0/24 on host 'lab2.example.com', which has vni 60 as",
        ),
        ("10.60.0.0/24", "has a network with driver: vxlan, but no address by which the other hosts reach it"),
    ):
        for name, one in ((LABS[0], "10.60.0.0/24"), (LABS[1], subnet)):
            wide = {"driver": "vxlan", "vni": 60, "subnet": one}
            fleet.write(f"host_vars/{name}.yml", {"host_networks": {"wide": wide}})
        assert message in refused("--limit", LABS[0])
    fleet.hosts(*LABS, "lab6.example.com")
    without = (
        "host 'lab6.example.com' has no container_bridge_network_host_index, and container_bridge_network_host_count"
    )
    assert f"{without} is 32; run playbooks/allocate.yml, which writes one into group_vars/lab_hosts/" in refused()
    (fleet.directory / "group_vars/lab_hosts").rename(fleet.directory / "group_vars/other")
    assert "is no directory; make it" in refused(playbook="allocate")


@pytest.mark.parametrize("core", CORES, ids=lambda path: str(path.parents[2].name))
def test_without_an_index_by_any_release(core: Path, fleet: Fleet, tmp_path: Path) -> None:
    """A host that is not in host_indexes.yml yet: the error names it, the file, and the fix."""
    fleet.hosts("lab6.example.com")
    play = tmp_path / "role.yml"
    play.write_text(ROLE, encoding="utf-8")
    code, said = fleet.run(str(play), program=str(core))
    assert code == 2
    said = " ".join(said.split())
    assert "host 'lab6.example.com' has no container_bridge_network_host_index" in said
    assert "run playbooks/allocate.yml, which writes one into group_vars/lab_hosts/host_indexes.yml" in said
