# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that checks strictly by which interface a source may come (RFC 3704): all that is declared gets through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

OUTSIDE = "198.18.0.9"
PREPARE = f"""
ip netns add outside
ip link add name up0 type veth peer name out0 netns outside
ip -n outside address add {OUTSIDE}/24 dev out0
ip -n outside link set dev out0 up
ip address add 198.18.0.1/24 dev up0
ip link set dev up0 up
ip route add default via {OUTSIDE}
sysctl -qw net/ipv4/conf/all/rp_filter=1 net/ipv4/conf/default/rp_filter=1
"""
NETWORKS = {
    "red": {"subnet": "10.71.0.0/24", "masquerade": True},
    "blue": {"subnet": "10.72.0.0/24", "masquerade": True},
}
CONTAINERS = {
    "r": {"networks": {"red": {"ipv4_address": "10.71.0.10"}}},
    "b": {"networks": {"blue": {"ipv4_address": "10.72.0.10"}}},
    "both": {
        "networks": {
            "red": {"ipv4_address": "10.71.0.20"},
            "blue": {"ipv4_address": "10.72.0.20", "gw_priority": 10},
        }
    },
}


def refused() -> int:
    """How many packets the host has dropped for their source."""
    lines = Path("/proc/thread-self/net/netstat").read_text(encoding="ascii").splitlines()
    names, values = (line.split() for line in lines if line.startswith("TcpExt:"))
    return int(dict(zip(names[1:], values[1:]))["IPReversePathFilter"])


def answers(source: str, address: str) -> bool:
    """Whether a ping is answered."""
    return bool(re.search(r" 1 received", shell(f"ip netns exec {source} ping -q -c 1 -W 2 {address} || true")))


@pytest.fixture
def built() -> None:
    """The networks, on the strict host."""
    shell(PREPARE)
    apply(expand(NETWORKS, CONTAINERS))
    assert snapshot.sysctl("net/ipv4/conf/br-red/rp_filter") == "1"


@pytest.mark.usefixtures("built")
def test_what_is_declared_gets_through() -> None:
    """Out of the host, to neighbours, and to every gateway, also from several networks; nothing is dropped."""
    asked = {
        "r": [OUTSIDE, "10.71.0.1", "10.71.0.20"],
        "b": [OUTSIDE, "10.72.0.1", "10.72.0.20"],
        "both": [OUTSIDE, "10.71.0.1", "10.72.0.1", "10.71.0.10", "10.72.0.10"],
    }
    silent = [(source, one) for source, found in asked.items() for one in found if not answers(source, one)]
    assert silent == []
    assert refused() == 0


@pytest.mark.usefixtures("built")
def test_the_host_is_strict_indeed() -> None:
    """A source of one network that comes from another is dropped."""
    assert answers("r", "10.71.0.1")  # it knows the MAC address of the gateway now
    shell("ip -n r address add 10.72.0.99/32 dev eth0")
    shell("ip -n r route replace default via 10.71.0.1 src 10.72.0.99")
    assert not answers("r", OUTSIDE)
    assert refused() > 0
