# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network on two hosts, of which only one is there: what site.yml makes of the other's variables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

from .conftest import ROOT, Playbook
from .test_playbooks import HOSTS, given_back, kept

__all__ = ["kept"]  # a fixture

UPLINK = """
    ip link add name uplink type veth peer name cable
    ip address add 198.18.0.1/24 dev uplink
    ip link set dev uplink up
    ip link set dev cable up
"""
SITE = "playbooks/site.yml"


def inventory(path: Path, **other: Any) -> Path:
    """This machine, and another one with a container that leaves its address to be chosen."""
    here = yaml.safe_load((ROOT / "inventory/hosts.yml").read_text(encoding="utf-8"))["lab_hosts"]["hosts"]["localhost"]
    member = {"networks": {"wide": {}}}
    path.write_text(
        json.dumps(
            {
                "lab_hosts": {
                    "hosts": {
                        "localhost": {
                            **here,
                            "container_bridge_network_vxlan_address": "198.18.0.1",
                            "container_bridge_network_host_index": 0,
                            "container_bridge_network_containers": {"a": member},
                        },
                        "there": {
                            "container_bridge_network_vxlan_address": "198.18.0.2",
                            "container_bridge_network_host_index": 1,
                            "container_bridge_network_containers": {"b": member},
                            **other,
                        },
                    },
                    "vars": {
                        "container_bridge_network_networks": {
                            "wide": {"driver": "vxlan", "vni": 60, "subnet": "10.60.0.0/24", "masquerade": True}
                        },
                        "container_bridge_network_host_count": 2,
                    },
                }
            }
        ),
        encoding="utf-8",
    )
    return path


def test_one_host_of_a_network_on_two(playbook: Playbook, kept: Path, tmp_path: Path) -> None:
    both = inventory(tmp_path / "both.json")
    alone = inventory(tmp_path / "alone.json", container_bridge_network_state="absent")
    moved = {"b": {"networks": {"wide": {"ipv4_address": "10.60.0.200", "aliases": ["web"]}}}}
    other = inventory(tmp_path / "other.json", container_bridge_network_containers=moved)

    def run(path: str, hosts: Path) -> int:
        return playbook(path, "--limit", "localhost", "-i", str(hosts))

    def names() -> list[str]:
        found = shell("ip netns exec a getent hosts b || true").split()
        return found[:1] + sorted(found[1:])

    with given_back(kept, HOSTS["a host"]):
        shell(UPLINK)
        assert run(SITE, both) > 0
        assert "dst 198.18.0.2" in shell("bridge fdb show dev vx-wide")
        address, name = names()
        assert name == "b"
        assert 128 < int(address.split(".")[3]) < 255, "of the other host's half"
        assert run(SITE, both) == 0
        assert run(SITE, other) == 1
        assert names() == ["10.60.0.200", "b", "web"]
        assert run(SITE, alone) == 1
        assert names() == []
        assert "198.18.0.2" not in shell("bridge fdb show dev vx-wide")
        assert run("playbooks/teardown.yml", alone) > 0
        shell("ip link del dev uplink")
