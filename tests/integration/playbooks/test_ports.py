# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published ports of a declaration, as the role builds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.nslab.bridgenet.tests.integration.engine.talk import IMPATIENCE, PATIENCE, ask, listening

from .conftest import Ansible, Playbook
from .test_playbooks import HOSTS, given_back, kept, said

__all__ = ["kept"]  # a fixture

RED = {
    "bridge": "brr",
    "subnet": "10.71.0.0/24",
    "masquerade": True,
    "enable_ipv6": True,
    "ipv6_subnet": "fd71::/64",
}


def declared(*ports: Any) -> tuple[str, str]:
    """Arguments that declare one container with ports, and a neighbour."""
    addresses = {"ipv4_address": "10.71.0.10", "ipv6_address": "fd71::10"}
    container = {"networks": {"red": addresses}, "ports": list(ports)}
    variables = {
        "container_bridge_network_networks": {"red": RED},
        "container_bridge_network_containers": {"r1": container, "r2": {"networks": {"red": {}}}},
    }
    return "-e", json.dumps(variables)


def test_ports(playbook: Playbook, ansible: Ansible, kept: Path) -> None:
    ports = ("8081:80", "127.0.0.1:8082:80", "5353:53/udp", {"target": 80, "published": 8083, "host_ip": "10.71.0.1"})
    site = "playbooks/site.yml"
    with given_back(kept, HOSTS["a host"]):
        assert playbook(site, *declared(*ports)) > 0
        assert playbook(site, *declared(*ports)) == 0
        with listening("r1", (80, 53)):
            for address in ("127.0.0.1", "10.71.0.1", "fd71::1"):
                assert ask("", "tcp", address, 8081, PATIENCE), address
                assert ask("", "udp", address, 5353, PATIENCE), address
            assert ask("", "tcp", "127.0.0.1", 8082, PATIENCE)
            for caller in ("r1", "r2"):
                assert ask(caller, "tcp", "10.71.0.1", 8083, PATIENCE), caller
                assert not ask(caller, "tcp", "10.71.0.1", 8082, IMPATIENCE), caller
            # A port that is taken out of the list goes.
            assert playbook(site, *declared(*ports[:2])) == 1
            assert not ask("", "tcp", "10.71.0.1", 8083, IMPATIENCE)
            assert ask("", "tcp", "10.71.0.1", 8081, PATIENCE)
        with listening("", (8084,)):
            done = ansible("ansible-playbook", site, "--tags", "preflight", *declared("8084:80"))
            assert done.returncode == 2
            assert "port 8084/tcp is in use on this host: process" in said(done)
        assert playbook("playbooks/teardown.yml", *declared()) > 0
