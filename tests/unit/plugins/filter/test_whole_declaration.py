# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A declaration in which the keys of networks and containers meet."""

from __future__ import annotations

import ipaddress

import yaml

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.filter.omitted import omitted

DECLARATION = yaml.safe_load("""
networks:
  red:   {bridge: brr, subnet: 10.71.0.0/24, gateway: 10.71.0.1, masquerade: true, enable_ipv6: true, ipv6_subnet: "fd71::/64", ipv6_gateway: "fd71::1"}
  green: {bridge: brg, subnet: 10.72.0.0/24, gateway: 10.72.0.1, internal: true}
  grey:  {bridge: bry, subnet: 10.73.0.0/24, gateway: 10.73.0.1, icc: false}
containers:
  r1:   {networks: {red: {aliases: [web]}}, ports: ["8081:80", "127.0.0.1:8082:80", "5353:53/udp"]}
  g1:   {networks: {green: {}}}
  both: {networks: {red: {gw_priority: 10}, green: {}}, mac_address: "02:00:00:00:00:77", sysctls: {net.ipv4.ip_unprivileged_port_start: 0}}
""")  # noqa: E501
NETWORKS, CONTAINERS = DECLARATION["networks"], DECLARATION["containers"]


def test_bridges():
    lists = expand(NETWORKS, CONTAINERS)
    assert {one["name"]: (one["addresses"], one["ipv6"]) for one in lists["bridge"]} == {
        "brr": (["10.71.0.1/24", "fd71::1/64"], True),
        "brg": (["10.72.0.1/24"], False),
        "bry": (["10.73.0.1/24"], False),
    }
    assert [one["source"] for one in lists["masquerade"] if "state" not in one] == ["10.71.0.0/24", "fd71::/64"]
    assert [one["bridge"] for one in lists["forward"] if one.get("internal")] == ["brg"]


def test_containers():
    lists = expand(NETWORKS, CONTAINERS)
    peers = {one["label"]: one["peer"] for one in lists["veth"]}
    assert set(peers) == {"r1/red", "g1/green", "both/red", "both/green"}
    ways_out = {label: [route["via"] for route in peer["routes"]] for label, peer in peers.items()}
    assert ways_out == {
        "r1/red": ["10.71.0.1", "fd71::1"],
        "g1/green": [],
        "both/red": ["10.71.0.1", "fd71::1"],
        "both/green": [],
    }
    assert {label: peer.get("mac") for label, peer in peers.items() if "mac" in peer} == {
        "both/red": "02:00:00:00:00:77"
    }
    for label, peer in peers.items():
        subnets = ("10.71.0.0/24", "fd71::/64") if label.endswith("red") else ("10.72.0.0/24",)
        assert tuple(str(ipaddress.ip_interface(one).network) for one in peer["addresses"]) == subnets
    sysctls = {one["name"]: one["sysctls"] for one in lists["netns"] if "sysctls" in one}
    assert sysctls == {"both": {"net/ipv4/ip_unprivileged_port_start": "0"}}


def test_ports():
    published = {(one["protocol"], one["host_port"], one["port"]) for one in expand(NETWORKS, CONTAINERS)["publish"]}
    assert published == {("tcp", "8081", "80"), ("tcp", "8082", "80"), ("udp", "5353", "53")}


def test_names():
    lists = {one["name"]: one for one in expand(NETWORKS, CONTAINERS)["netns_names"]}
    assert {tuple(names) for names in lists["network/red"]["hosts"].values()} == {("r1", "web"), ("both",)}


def test_what_depends_on_the_host():
    assert len(omitted(NETWORKS, CONTAINERS)) == 3 + 4 + 2  # MTUs, and addresses of IPv4 and IPv6
