# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reaches published ports, as a declaration promises it."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.filter.promises import promises

from .test_promises import NETWORKS, container


def connections(containers, networks=None, options=None):
    """(who asks, "address:port/protocol") -> whether it is reached; without pings."""
    lists = expand(networks or NETWORKS, containers, **(options or {}))
    return {
        (one["from"], f"{one['to']}:{one['port']}/{one['protocol']}"): one["expected"]
        for one in promises(lists)
        if "port" in one
    }


def publisher(*ports, network="red", address="10.71.0.10", **more):
    return {"networks": {network: {"ipv4_address": address}}, "ports": list(ports), **more}


def test_from_everywhere():
    """By the container's own port where its network is open, and by that of the host from whatever is not internal."""
    others = {"near": container("red"), "inner": container("green"), "grey": container("grey")}
    found = connections({"web": publisher("8081:80"), **others, "alone": {"network_mode": "none"}})
    assert found == {
        ("near", "10.71.0.10:80/tcp"): True,
        ("inner", "10.71.0.10:80/tcp"): False,
        ("grey", "10.71.0.10:80/tcp"): False,
        ("alone", "10.71.0.10:80/tcp"): False,
        ("", "10.71.0.10:80/tcp"): True,
        ("web", "10.71.0.1:8081/tcp"): True,
        ("near", "10.71.0.1:8081/tcp"): True,
        ("inner", "10.72.0.1:8081/tcp"): False,
        ("grey", "10.73.0.1:8081/tcp"): True,
        ("", "10.71.0.1:8081/tcp"): True,
        ("", "127.0.0.1:8081/tcp"): True,
    }


def test_how_it_is_asked():
    lists = expand(NETWORKS, {"web": publisher("8081:80"), "near": container("red")})
    direct, published = [one for one in promises(lists) if one["from"] == "near" and "port" in one]
    listen = {"namespace": "web", "address": "10.71.0.10", "port": 80}
    assert direct == {
        "from": "near",
        "to": "10.71.0.10",
        "protocol": "tcp",
        "port": 80,
        "name": "web",
        "expected": True,
        "title": "near to web by 10.71.0.10:80/tcp",
        "listen": listen,
    }
    assert published == {
        **direct,
        "to": "10.71.0.1",
        "port": 8081,
        "name": "8081/tcp",
        "title": "near to web by 10.71.0.1:8081/tcp",
    }


def test_at_one_address_of_the_host():
    """127.0.0.1 is for the host alone, and another one is asked as it is."""
    found = connections(
        {"web": publisher("127.0.0.1:8082:80", "10.72.0.1:8083:80"), "near": container("red"), "in": container("green")}
    )
    published = {pair: expected for pair, expected in found.items() if ":80/" not in pair[1]}
    assert published == {
        ("web", "10.71.0.1:8082/tcp"): False,
        ("near", "10.71.0.1:8082/tcp"): False,
        ("in", "10.72.0.1:8082/tcp"): False,
        ("", "127.0.0.1:8082/tcp"): True,
        ("web", "10.72.0.1:8083/tcp"): True,
        ("near", "10.72.0.1:8083/tcp"): True,
        ("in", "10.72.0.1:8083/tcp"): False,
        ("", "10.72.0.1:8083/tcp"): True,
    }


def test_another_port_at_the_address_that_is_asked():
    """What 127.0.0.1 has for the host alone is another one's elsewhere: it is not asked whether it leads there."""
    found = connections({"web": publisher("127.0.0.1:8082:80", "10.71.0.1:8082:81"), "near": container("red")})
    assert found["near", "10.71.0.1:8082/tcp"] is True


def test_protocols_and_ranges():
    """First and last of a range; a connection of SCTP would load a module."""
    found = connections({"web": publisher("5353:53/udp", "9000-9005:80-85", "7:7/sctp")})
    assert {asked for (source, asked) in found if source == "web"} == {
        "10.71.0.1:5353/udp",
        "10.71.0.1:9000/tcp",
        "10.71.0.1:9005/tcp",
    }


def test_both_families():
    ipv6 = {
        name: {**entry, "enable_ipv6": True, "ipv6_subnet": f"fd7{n}::/64"}
        for n, (name, entry) in enumerate(NETWORKS.items())
    }
    both = {"red": {"ipv4_address": "10.71.0.10", "ipv6_address": "fd70::10"}}
    found = connections({"web": {"networks": both, "ports": ["8081:80"]}, "in": container("green")}, ipv6)
    assert found["in", "fd70::10:80/tcp"] is found["in", "fd71::1:8081/tcp"] is False
    assert found["", "fd70::1:8081/tcp"] is found["web", "fd70::1:8081/tcp"] is True
    assert not any(asked.startswith("::1:") for _source, asked in found), "it leads nowhere"


def test_between_isolated_ports_it_is_up_to_a_switch_of_the_kernel():
    found = connections({"web": publisher("8081:80", network="grey", address="10.73.0.10"), "near": container("grey")})
    assert ("near", "10.73.0.1:8081/tcp") not in found
    assert ("web", "10.73.0.1:8081/tcp") not in found
    assert found["near", "10.73.0.10:80/tcp"] is False
    assert found["", "10.73.0.1:8081/tcp"] is True


def test_where_the_host_may_not_forward_only_the_host_is_promised():
    found = connections({"web": publisher("8081:80"), "grey": container("grey")}, options={"forwarding": False})
    assert {source for source, asked in found if asked.endswith("8081/tcp")} == {""}


def test_an_internal_network_reaches_what_it_is_allowed_to():
    networks = {**NETWORKS, "green": {**NETWORKS["green"], "allow": ["red"]}}
    found = connections({"web": publisher("8081:80"), "in": container("green")}, networks)
    assert found["in", "10.71.0.10:80/tcp"] is found["in", "10.72.0.1:8081/tcp"] is True


def test_without_isolation_published_ports_are_promised_still():
    found = connections(
        {"web": publisher("8081:80"), "grey": container("blue")},
        {**NETWORKS, "grey": {}, "blue": {"subnet": "10.74.0.0/24"}},
        {"isolation": False},
    )
    assert ("grey", "10.71.0.10:80/tcp") not in found
    assert found["grey", "10.74.0.1:8081/tcp"] is True


def test_an_answer_past_the_host_is_not_promised():
    """web would answer who asks from green by its own interface there."""
    networks = {**NETWORKS, "blue": {"subnet": "10.74.0.0/24"}}
    web = publisher("8081:80")
    web["networks"] = {"red": {"ipv4_address": "10.71.0.10", "gw_priority": 1}, "blue": {}}
    found = connections({"web": web, "other": container("blue")}, networks)
    assert ("other", "10.74.0.1:8081/tcp") not in found
    assert found["web", "10.71.0.1:8081/tcp"] is True


def test_an_adopted_namespace():
    """It may have ways of its own, but not to its neighbours."""
    containers = {"theirs": publisher("8081:80", adopt={"pid": 1}), "near": container("red"), "far": container("grey")}
    found = connections(containers)
    assert found["near", "10.71.0.1:8081/tcp"] is True
    assert ("far", "10.73.0.1:8081/tcp") not in found


def test_of_many_ports_only_a_sample():
    one = publisher(*(f"{8000 + number}:80" for number in range(21)))
    found = {asked for source, asked in connections({"web": one}) if source == "web"}
    assert len(found) == 10
    assert {"10.71.0.1:8000/tcp", "10.71.0.1:8020/tcp"} <= found
