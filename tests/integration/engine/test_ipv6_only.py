# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks with IPv6 alone, as the role builds them: what a declaration promises, names, and nothing left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.filter.promises import promises
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_dual_stack import OUTSIDE6, PREPARE
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_policy_traffic import pairs, wrong
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_traffic import bridge_nf

NETWORKS: dict[str, dict[str, Any]] = {
    "white": {"masquerade": True, "allow": ["onyx"]},
    "onyx": {"internal": True},
    "amber": {"masquerade": True, "icc": False},
    "clear": {"gateway_mode": "routed"},
}
NAMES = list(NETWORKS)
PORTS = {"white1": ["8086:80", "5353:53/udp", "[fd00:198::1]:8087:80", "8094-8095:80-81"]}
# Written by hand, not computed: network -> the networks whose containers its own reach.
REACHED = {"white": {"white", "onyx"}, "onyx": {"onyx"}, "amber": set(), "clear": {"clear"}}


def address(network: str, last: int) -> str:
    """In its subnet."""
    return f"fd7{NAMES.index(network)}::{last}"


def lists() -> dict[str, list[dict[str, Any]]]:
    """As the role has them."""
    networks = {
        name: {
            "bridge": f"br{name}",
            "enable_ipv4": False,
            "enable_ipv6": True,
            "ipv6_subnet": f"fd7{number}::/64",
            **NETWORKS[name],
        }
        for number, name in enumerate(NAMES)
    }
    containers = {
        f"{name}{last}": {
            "networks": {name: {"ipv6_address": address(name, last + 10), "aliases": [f"alias-{name}{last}"]}},
            "ports": PORTS.get(f"{name}{last}", []),
        }
        for name in NAMES
        for last in (1, 2)
    }
    found: dict[str, list[dict[str, Any]]] = expand(networks, containers)
    return found


@pytest.mark.parametrize("value", bridge_nf())
def test_all_that_is_promised(value: str) -> None:
    """Every pair that may talk and every one that may not, who is outside, names, and the way back."""
    shell(PREPARE)
    if value != "-":
        shell(f"sysctl -qw net/bridge/bridge-nf-call-iptables={value} net/bridge/bridge-nf-call-ip6tables={value}")
    for number in range(len(NAMES)):
        shell(f"ip -n outside route add fd7{number}::/64 via fd00:198::1")
    before = snapshot.state()
    foreseen = check(lists())
    done = apply(lists())
    assert (done.after, done.actions) == (foreseen.after, foreseen.actions)
    assert not apply(lists()).changed

    asked = []
    for name in NAMES:
        for last in (1, 2):
            container = f"{name}{last}"
            asked += pairs(container, (address(name, 1),), True)
            asked += pairs("", (address(name, last + 10),), True)
            asked += pairs(container, (OUTSIDE6,), name != "onyx")
            asked += pairs("outside", (address(name, last + 10),), name == "clear")
            for other in NAMES:
                others = tuple(address(other, one + 10) for one in (1, 2) if (other, one) != (name, last))
                asked += pairs(container, others, other in REACHED[name])
    assert wrong(asked) == []
    promised = promises(lists())
    assert {one["port"] for one in promised if "port" in one} >= {80, 53, 8086, 5353, 8087, 8094, 8095}
    assert wrong(promised) == []

    for name in NAMES:
        hosts = Path(f"/etc/netns/{name}1/hosts").read_text(encoding="utf-8").splitlines()
        known = {words[0]: words[1:] for words in map(str.split, hosts) if words and not words[0].startswith("#")}
        assert known[address(name, 12)] == [f"{name}2", f"alias-{name}2"]
        assert not [one for one in known if "." in one and not one.startswith("127.")]
        assert "fd7" in shell(f"ip netns exec {name}1 getent hosts alias-{name}2")

    assert snapshot.sysctl("net/ipv4/ip_forward") == "0"
    apply(lists(), state="absent")
    snapshot.same(before, snapshot.state())
