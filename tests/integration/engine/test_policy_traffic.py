# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What networks say of each other, by packets: every pair that may talk, and every pair that may not, IPv4 and IPv6.

Somebody outside has routes to all of it: what does not get through was not let through.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.filter.promises import promises
from ansible_collections.nslab.bridgenet.plugins.module_utils import _reachability
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_forward_traffic import POLICIES
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_packet_path import PATIENCE
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_traffic import bridge_nf

POLICY: dict[str, dict[str, Any]] = {
    "red": {"masquerade": True, "allow": ["green"]},
    "green": {"internal": True},
    "grey": {"masquerade": True, "icc": False},
    "open": {"gateway_mode": "routed"},
}
NAMES = list(POLICY)
CONTAINERS = {f"{network}{number}": network for network in NAMES for number in (1, 2)}
PORTS: dict[str, list[str]] = {
    "red1": ["8081:80", "5353:53/udp", "127.0.0.1:8082:80", "198.18.9.1:8083:81", "[fd00:198::1]:8083:81/udp"],
    "grey1": ["9000-9002:80-82"],
}
OUTSIDE = ("198.18.9.9", "fd00:198::9")
# Written by hand, not computed: network -> the networks whose containers its own reach.
REACHED = {"red": {"red", "green"}, "green": {"green"}, "grey": set(), "open": {"open"}}
ASKED_PORTS = set(itertools.product((80, 53, 81, 8081, 5353, 8082, 9000, 9002), (True, False))) | {(8083, True)}
WAY_OUT = {"red", "grey", "open"}
WAY_IN = {"open"}

Pairs = list[dict[str, Any]]


def networks(policy: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each with a subnet of either family."""
    return {
        name: {
            "bridge": f"br{name}",
            "subnet": f"10.7{number}.0.0/24",
            "enable_ipv6": True,
            "ipv6_subnet": f"fd00:7{number}::/64",
            **policy.get(name, {}),
        }
        for number, name in enumerate(NAMES)
    }


def addresses(container: str) -> tuple[str, str]:
    """Those of a container."""
    number, last = NAMES.index(CONTAINERS[container]), f"1{container[-1]}"
    return f"10.7{number}.0.{last}", f"fd00:7{number}::{last}"


def gateways(network: str) -> tuple[str, str]:
    """Those of a bridge."""
    number = NAMES.index(network)
    return f"10.7{number}.0.1", f"fd00:7{number}::1"


def lists(policy: dict[str, dict[str, Any]], **options: Any) -> dict[str, list[dict[str, Any]]]:
    """The whole declaration."""
    containers = {}
    for name, network in CONTAINERS.items():
        ipv4, ipv6 = addresses(name)
        ports = PORTS.get(name, []) if policy else []
        containers[name] = {"networks": {network: {"ipv4_address": ipv4, "ipv6_address": ipv6}}, "ports": ports}
    found: dict[str, list[dict[str, Any]]] = expand(networks(policy), containers, **options)
    return found


def build(policy: str, value: str) -> None:
    """The machine, and somebody outside who knows the way to every subnet and records who comes."""
    routes = "\n".join(
        f"ip -n out route add 10.7{n}.0.0/24 via 198.18.9.1; ip -n out route add fd00:7{n}::/64 via fd00:198::1"
        for n in range(len(NAMES))
    )
    shell(f"""
        {POLICIES[policy]}
        sysctl -qw net/ipv4/ip_forward=1 net/ipv6/conf/all/forwarding=1 net/ipv4/conf/all/rp_filter=1
        ip netns add out
        ip link add name up0 type veth peer name eth0 netns out
        ip address add 198.18.9.1/24 dev up0; ip address add fd00:198::1/64 dev up0 nodad; ip link set dev up0 up
        ip -n out address add {OUTSIDE[0]}/24 dev eth0; ip -n out address add {OUTSIDE[1]}/64 dev eth0 nodad
        ip -n out link set dev eth0 up; ip -n out link set dev lo up
        {routes}
    """)
    with inside("out"):
        shell("""nft 'table inet seen {
            set four { type ipv4_addr; flags dynamic; size 100; }
            set six { type ipv6_addr; flags dynamic; size 100; }
            chain input { type filter hook input priority 0;
                icmp type echo-request add @four { ip saddr }; icmpv6 type echo-request add @six { ip6 saddr }; }
        }'""")
    if value != "-":
        shell(f"sysctl -qw net/bridge/bridge-nf-call-iptables={value} net/bridge/bridge-nf-call-ip6tables={value}")


def seen() -> str:
    """Whom the outside saw so far."""
    with inside("out"):
        return shell("nft list set inet seen four; nft list set inet seen six")


def pairs(source: str, targets: tuple[str, ...], expected: bool) -> Pairs:
    """Questions from one place."""
    return [{"from": source, "to": target, "expected": expected} for target in targets]


def wrong(asked: Pairs) -> list[str]:
    """What is not as expected."""
    how = {"protocol": "icmp"}
    params = {"from": None, "to": None, "timeout": PATIENCE, "matrix": [{**how, **one} for one in asked]}
    questions = _reachability.declare(params)
    report = _reachability.report(questions, _reachability.answered(questions, PATIENCE, 0.5))
    assert len(report["pairs"]) == len(asked)
    return [one["said"] for one in report["pairs"] if not one["as_expected"]]


def between_containers() -> Pairs:
    """Everybody and everybody else."""
    return [
        question
        for (one, network), (other, away) in itertools.permutations(CONTAINERS.items(), 2)
        for question in pairs(one, addresses(other), away in REACHED[network])
    ]


def with_the_rest() -> Pairs:
    """Gateways, the host, and outside."""
    found: Pairs = []
    for name, network in CONTAINERS.items():
        found += pairs(name, gateways(network), True)
        found += pairs("", addresses(name), True)
        found += pairs(name, OUTSIDE, network in WAY_OUT)
        found += pairs("out", addresses(name), network in WAY_IN)
    return found


machines = list(itertools.product(("accept", "drop"), bridge_nf()))


@pytest.mark.parametrize(("policy", "value"), machines, ids=str)
def test_who_may_talk_to_whom(policy: str, value: str) -> None:
    """All of it, and what the declaration promises is the same; nor does it help to bring routes of one's own."""
    build(policy, value)
    declared = lists(POLICY)
    apply(declared)
    between = between_containers()
    assert wrong([*between, *with_the_rest()]) == []

    promised = promises(declared)
    pings = {(one["from"], one["to"]): one["expected"] for one in promised if "port" not in one}
    assert {(one["from"], one["to"]): one["expected"] for one in between}.items() <= pings.items()
    assert {(one["port"], one["expected"]) for one in promised if "port" in one} >= ASKED_PORTS
    assert wrong(promised) == []

    found = seen()
    assert all(address in found for address in ("198.18.9.1", "fd00:198::1", *addresses("open1")))
    assert not any(gateway[:-1] in found for network in ("red", "grey") for gateway in gateways(network))

    for name, network in (("grey1", "grey"), ("green1", "green")):
        via4, via6 = gateways(network)
        around4, around6 = addresses("grey2")
        with inside(name):
            shell(f"ip route replace default via {via4}; ip -6 route replace default via {via6}")
            shell(f"ip route add {around4}/32 via {via4}; ip -6 route add {around6}/128 via {via6}")
    tricks = pairs("grey1", addresses("grey2"), False) + pairs("green1", (*OUTSIDE, *addresses("red1")), False)
    assert wrong(tricks) == []


def test_without_a_policy_all_of_it_passes() -> None:
    """What the other test stands on: nothing else is in the way."""
    build("accept", bridge_nf()[0])
    apply(lists({}, isolation=False))
    asked = [*between_containers(), *with_the_rest()]
    assert wrong([{**one, "expected": True} for one in asked]) == []
    apply(lists(POLICY))
    assert wrong(asked) == []


def test_a_container_in_two_networks() -> None:
    """Its default route leads elsewhere: by a route of its own it asks, and by another one the answer comes back."""
    build("drop", bridge_nf()[-1])
    policy = {"red": {"allow": ["green"]}, "green": {"internal": True}, "open": {"gateway_mode": "routed"}}
    priority = {"gw_priority": 1}
    both = {"both": {"networks": {"red": {}, "open": priority}}, "green1": {"networks": {"green": {}}}}
    declared = expand(networks(policy), both)
    apply(declared)
    asked = [{key: one[key] for key in ("from", "to", "expected", "name")} for one in promises(declared)]
    assert wrong(asked) == []
    reached = {(one["from"], one["name"]) for one in asked if one["expected"]}
    assert ("both", "green1") in reached
    assert ("green1", "both") not in reached
    with inside("both"):
        assert "via 10.70.0.1" in shell(f"ip route get {asked_for(asked, 'green1')}")


def asked_for(asked: Pairs, name: str) -> str:
    """The IPv4 address that a name stands for."""
    return next(str(one["to"]) for one in asked if one["name"] == name and "." in one["to"])
