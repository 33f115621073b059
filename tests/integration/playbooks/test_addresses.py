# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that nobody wrote, through the role: seen before, the same ever after, and removed again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

from .conftest import Playbook

NETWORKS = {"red": {"masquerade": True, "enable_ipv6": True}, "blue": {"subnet": "10.9.0.0/28", "gateway": False}}
BOTH: dict[str, Any] = {"networks": {"red": {}, "blue": {}}}

# The addresses as the fact has them, and the table of what stands.
PLAY = """
- hosts: lab_hosts
  gather_facts: false
  roles: [nslab.bridgenet.container_bridge_network]
  post_tasks:
    - ansible.builtin.copy:
        content: "{{ container_bridge_network_addresses | to_json }}"
        dest: "{{ told }}"
        mode: "0644"
      check_mode: false
      changed_when: false
"""

Declared = dict[str, dict[str, Any]]


class Role:
    """The role with a declaration, and what it tells of the addresses."""

    def __init__(self, playbook: Playbook, tmp_path: Path) -> None:
        self._playbook = playbook
        self._told = tmp_path / "told.json"
        self._play = tmp_path / "play.yml"
        self._play.write_text(PLAY, encoding="utf-8")

    def __call__(self, containers: Declared, *arguments: str, play: str = "") -> int:
        variables = {
            "container_bridge_network_networks": NETWORKS,
            "container_bridge_network_containers": containers,
            "container_bridge_network_purge": True,
            "told": str(self._told),
        }
        return self._playbook(play or str(self._play), "--extra-vars", json.dumps(variables), *arguments)

    @property
    def told(self) -> dict[str, dict[str, dict[str, str]]]:
        found: dict[str, dict[str, dict[str, str]]] = json.loads(self._told.read_text(encoding="utf-8"))
        return found


@pytest.fixture
def role(playbook: Playbook, tmp_path: Path) -> Role:
    return Role(playbook, tmp_path)


def test_from_the_empty_host_and_back(role: Role) -> None:
    """An uplink with an MTU of its own has a subnet of the pool."""
    shell(
        "ip link add uplink type veth peer name far; ip link set uplink mtu 1450 up; ip link set far up; "
        "ip address add 10.210.0.9/24 dev uplink; ip route add default via 10.210.0.1"
    )
    some = dict.fromkeys(("a", "b", "c"), BOTH)
    assert role(some, "--check", "--diff") == 1
    foreseen = role.told
    assert role(some) == 1
    assert role.told == foreseen
    assert role(some, play="playbooks/verify.yml") == 0
    assert "mtu 1450" in shell("ip link show br-red")
    for place in foreseen["a"].values():
        assert f" {place['ipv4_address']}/" in shell("ip -n a -4 address")
    assert "inet 10.210.8.1/21 " in shell("ip -4 address show br-red")  # the first subnet has the uplink in it
    assert f" {foreseen['b']['red']['ipv6_address']}/64 " in shell("ip -n b -6 address")
    assert foreseen["a"]["blue"]["ipv6_address"] is None

    # Others come and go, in another order.
    others: Declared = {"e": BOTH, "c": BOTH, "a": BOTH, "d": BOTH}
    assert role(others) == 1
    assert {name: role.told[name] for name in ("a", "c")} == {name: foreseen[name] for name in ("a", "c")}
    assert sorted(role.told) == ["a", "c", "d", "e"]
    assert role(others, play="playbooks/teardown.yml") == 1
    assert "masquerade" not in shell("nft list ruleset")
    assert shell("ip netns list") == ""
