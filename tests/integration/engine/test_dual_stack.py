# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPv6 beside IPv4, and alone: a declaration as the role builds it, and what gets through."""

from __future__ import annotations

import re
import socket
import struct
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.filter.addresses import addresses
from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.module_utils._engine import Report
from ansible_collections.nslab.bridgenet.plugins.module_utils._info import gather
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell

from .waiting import until

OUTSIDE4, OUTSIDE6 = "198.18.0.9", "fd00:198::9"
ROUTER = "fe80::9"  # outside, which advertises itself
# Somebody outside, who knows no way back to the containers and counts who asks.
PREPARE = f"""
ip netns add outside
ip link add name up0 mtu 1400 type veth peer name out0 mtu 1400 netns outside
ip -n outside address add {ROUTER}/64 dev out0 nodad
ip -n outside address add {OUTSIDE4}/24 dev out0
ip -n outside address add {OUTSIDE6}/64 dev out0 nodad
ip -n outside link set dev out0 up
ip -n outside link set dev lo up
ip address add 198.18.0.1/24 dev up0
ip address add fd00:198::1/64 dev up0 nodad
ip link set dev up0 up
ip route add default via {OUTSIDE4}
sysctl -qw net/ipv4/ip_forward=0 net/ipv6/conf/all/forwarding=0 net/ipv6/conf/up0/accept_ra=1
ip netns exec outside nft -f - <<'END'
table ip6 seen {{
    counter by_host {{ }}
    counter by_others {{ }}
    chain input {{
        type filter hook input priority 0;
        icmpv6 type echo-request ip6 saddr fd00:198::1 counter name by_host
        icmpv6 type echo-request ip6 saddr != {{ fd00:198::1, fe80::/10 }} counter name by_others
    }}
}}
END
"""
NETWORKS: dict[str, dict[str, Any]] = {
    "both": {"subnet": "10.71.0.0/24", "masquerade": True, "enable_ipv6": True, "ipv6_subnet": "fd71::/64"},
    "six": {"enable_ipv4": False, "enable_ipv6": True, "masquerade": True},
    "four": {"subnet": "10.72.0.0/24"},
}
CONTAINERS: dict[str, dict[str, Any]] = {
    "a": {"networks": {"both": {}}},
    "b": {"networks": {"both": {"ipv6_address": "fd71::b"}}},
    "c": {"networks": {"six": {}}},
    "d": {"networks": {"six": {}}},
    "e": {"networks": {"four": {}}},
    "f": {"networks": {"both": {}, "six": {"gw_priority": 1}, "four": {}}, "mac_address": "02:00:00:00:00:77"},
}


def lists(containers: dict[str, dict[str, Any]] | None = None) -> dict[str, list[dict[str, Any]]]:
    """As the role has them, once it has read the host."""
    return expand(NETWORKS, CONTAINERS if containers is None else containers, host=gather()["namespaces"])


def told(report: Report) -> dict[str, dict[str, dict[str, Any]]]:
    """The addresses, as the role tells them."""
    after: dict[str, list[Any]] = {}
    for module, _what, view in report.after:
        after.setdefault(module, []).append(view)
    return addresses(after)


def answered(source: str, target: str) -> bool:
    return "1 received" in shell(f"ip netns exec {source} ping -n -c1 -W5 -q {target} || true")


def refused(source: str, target: str) -> bool:
    """It is not worth the wait."""
    return "1 received" not in shell(f"ip netns exec {source} ping -n -c1 -W0.3 -q {target} 2>&1 || true")


def counted(counter: str) -> int:
    with inside("outside"):
        found = re.search(r"packets (\d+)", shell(f"nft list counter ip6 seen {counter}"))
    assert found
    return int(found[1])


def advertise(namespace: str, interface: str, lifetime: int = 1800, source: str = ROUTER) -> None:
    """A router advertisement (RFC 4861, 4.2) to all nodes."""
    with inside(namespace), socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        raw.bind((source, 0, 0, socket.if_nametoindex(interface)))
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        raw.sendto(
            struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, lifetime, 0, 0),
            ("ff02::1", 0, 0, socket.if_nametoindex(interface)),
        )


def advertised() -> str:
    return shell("ip -6 route show default proto ra")


@pytest.fixture
def outside() -> None:
    shell(PREPARE)


@pytest.mark.usefixtures("outside")
def test_who_reaches_whom() -> None:
    foreseen = told(check(lists()))
    report = apply(lists())
    seen = told(report)
    assert foreseen == seen
    assert not apply(lists()).changed
    for source, target, network in (("a", "b", "both"), ("b", "a", "both"), ("c", "d", "six"), ("f", "c", "six")):
        assert answered(source, seen[target][network]["ipv6_address"])
    assert answered("a", seen["b"]["both"]["ipv4_address"])
    for source in "abcdf":
        before = counted("by_host")
        assert answered(source, OUTSIDE6)
        assert counted("by_host") == before + 1
    assert counted("by_others") == 0
    assert answered("a", OUTSIDE4)
    assert answered("c", snapshot.addresses(snapshot.link("br-six"))[0].partition("/")[0])
    # Networks are kept from each other by IPv6 as well.
    assert refused("a", seen["c"]["six"]["ipv6_address"])
    assert refused("d", seen["b"]["both"]["ipv6_address"])
    # And nobody comes in, even who knows the way.
    shell("ip -n outside route add fd71::/64 via fd00:198::1; ip -n outside route add 10.71.0.0/24 via 198.18.0.1")
    assert refused("outside", seen["b"]["both"]["ipv6_address"])
    gone = apply(lists(), state="absent")
    assert gone.changed
    assert snapshot.sysctl("net/ipv6/conf/all/forwarding") == "0"
    assert snapshot.sysctl("net/ipv6/conf/up0/accept_ra") == "1"


@pytest.mark.usefixtures("outside")
def test_interfaces() -> None:
    """IPv6 is on where there is an address, and off elsewhere; everything has the uplink's MTU."""
    apply(lists())
    for name, on in (("br-both", True), ("br-six", True), ("br-four", False)):
        assert snapshot.sysctl(f"net/ipv6/conf/{name}/disable_ipv6") == str(int(not on))
    ports = [one["ifname"] for one in snapshot.links() if one.get("master", "").startswith("br-")]
    assert len(ports) == 8
    assert {snapshot.sysctl(f"net/ipv6/conf/{name}/disable_ipv6") for name in ports} == {"1"}
    assert snapshot.sysctl("net/ipv6/conf/eth0/disable_ipv6", "e") == "1"
    assert snapshot.sysctl("net/ipv6/conf/eth0/disable_ipv6", "c") == "0"
    assert {snapshot.link("eth0", name)["mtu"] for name in "abcde"} == {1400}
    assert " nodad" in shell("ip -n c -6 address show dev eth0 scope global")
    # f: eth0 is in both, eth1 in four, eth2 in six.
    assert "dev eth0" in shell("ip -n f -4 route show default")
    assert "dev eth2" in shell("ip -n f -6 route show default")
    assert snapshot.link("eth0", "f")["address"] == "02:00:00:00:00:77"


@pytest.mark.usefixtures("outside")
def test_nobody_is_renumbered() -> None:
    before = told(apply(lists()))
    order = ["z", *reversed(CONTAINERS), "0a"]
    grown = {name: CONTAINERS.get(name, {"networks": {"six": {}, "both": {}}}) for name in order if name != "b"}
    after = told(apply(lists(grown), purge=True))
    assert {name: after[name] for name in "acdef"} == {name: before[name] for name in "acdef"}
    assert "b" not in after
    assert len({place["ipv6_address"] for one in after.values() for place in one.values()} - {None}) == 9


@pytest.mark.usefixtures("outside")
def test_the_advertised_default_route_survives() -> None:
    """A host that forwards IPv6 has it still, and hears the next advertisement too."""
    until(lambda: "tentative" not in shell("ip -6 address show dev up0"))
    advertise("outside", "out0")
    until(lambda: ROUTER in advertised())
    apply(lists())
    assert snapshot.sysctl("net/ipv6/conf/all/forwarding") == "1"
    assert ROUTER in advertised()
    advertise("outside", "out0", lifetime=0)
    until(lambda: not advertised())
    advertise("outside", "out0")
    until(lambda: ROUTER in advertised())


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(("isolation", "forwarding"), [(True, False), (True, True), (False, True)])
def test_no_container_is_a_router_of_the_host(isolation: bool, forwarding: bool) -> None:
    """Its neighbour hears the advertisement, so it was sent."""
    apply(
        expand(
            {"both": NETWORKS["both"]},
            CONTAINERS | {key: {"state": "absent"} for key in "cdef"},
            forwarding=forwarding,
            isolation=isolation,
        )
    )
    shell(f"ip -n a address add {ROUTER}/64 dev eth0 nodad; sysctl -qw net/ipv6/conf/br-both/accept_ra_defrtr=1")
    advertise("a", "eth0")
    until(lambda: ROUTER in shell("ip -n b -6 route show default proto ra"))
    assert not advertised()
