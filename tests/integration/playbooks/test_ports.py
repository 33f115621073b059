# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published ports of a declaration, as the role builds them."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
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


GREEN = {"bridge": "brg", "subnet": "10.72.0.0/24", "internal": True}


def declared(*ports: Any) -> tuple[str, str]:
    """Arguments that declare one container with ports, a neighbour, and one in an internal network."""
    addresses = {"ipv4_address": "10.71.0.10", "ipv6_address": "fd71::10"}
    container = {"networks": {"red": addresses}, "ports": list(ports)}
    variables = {
        "container_bridge_network_networks": {"red": RED, "green": GREEN},
        "container_bridge_network_containers": {
            "r1": container,
            "r2": {"networks": {"red": {}}},
            "g1": {"networks": {"green": {}}},
        },
    }
    return "-e", json.dumps(variables)


PROOF = """\
from      gateway  r1        r2   g1     8081/tcp  127.0.0.1:8082/tcp  5353/udp  10.71.0.1:8083/tcp
r1        yes      -         yes  yes !  no !      no                  yes       no !
r2        yes      partly !  -    no     no !      no                  yes       no !
g1        yes      partly !  no   -      no        no                  no        -
the host  -        partly !  yes  yes    no !      no !                yes       no !
"""
# Nothing comes to port 80 of r1; and by a way of its own, past the host, g1 reaches what it must not.
BROKEN = """
    ip netns exec r1 nft 'table inet broken { chain input { type filter hook input priority 0; tcp dport 80 drop; }; }'
    ip link add name past netns g1 type veth peer name past netns r1
    for name in g1 r1; do ip -n $name link set dev past up; done
    source=$(ip -n g1 -o -4 address show dev eth0 | grep -o '10.72.0.[0-9]*' | head -1)
    ip -n g1 route add 10.71.0.10 dev past src $source
    ip -n r1 route add 10.72.0.0/24 dev past
"""
MENDED = "ip netns exec r1 nft delete table inet broken; ip -n g1 link del dev past"


def test_ports(playbook: Playbook, ansible: Ansible, kept: Path) -> None:
    ports = ("8081:80", "127.0.0.1:8082:80", "5353:53/udp", {"target": 80, "published": 8083, "host_ip": "10.71.0.1"})
    site = "playbooks/site.yml"
    with given_back(kept, HOSTS["a host"]):
        assert playbook(site, *declared(*ports)) > 0
        shell(BROKEN)
        done = ansible("ansible-playbook", "playbooks/verify.yml", *declared(*ports))
        shell(MENDED)
        assert done.returncode == 2
        assert textwrap.indent(PROOF, 8 * " ") in done.stdout
        assert "r2 to r1 by 10.71.0.10:80/tcp: no answer, but it is to be reached" in said(done)
        assert re.search(r"g1 to r1, 10\.71\.0\.10: [0-9.]+ ms, but it is not to be reached", said(done))
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
