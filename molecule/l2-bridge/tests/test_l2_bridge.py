# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bridge that forwards frames and has no part in anything above them."""

from __future__ import annotations

import re

HOST = "-"
CONTAINERS = {"ns1": "10.244.1.2", "ns2": "10.244.1.4"}
INTERFACES = {"ns1": "veth1a", "ns2": "veth2a"}
PORTS = {"ns1": "veth1b", "ns2": "veth2b"}


def test_namespaces(lab):
    assert lab.namespaces() == set(CONTAINERS)


def test_interfaces_of_containers(lab):
    for name, address in CONTAINERS.items():
        interface = INTERFACES[name]
        links = lab.links(name)
        assert set(links) == {"lo", interface}
        assert "UP" in links["lo"]["flags"]
        assert links[interface]["operstate"] == "UP"
        assert links[interface]["address"].startswith("02:")
        assert lab.addresses(name, interface) == [f"{address}/24"]
        assert lab.default_gateways(name) == []


def test_bridge_has_ports_and_no_address(lab):
    ports = set(PORTS.values())
    assert set(lab.links()) == {"lo", "eth0", "br0"} | ports
    assert lab.ports("br0") == ports
    for link in {"br0"} | ports:
        assert lab.links()[link]["operstate"] == "UP"
        assert lab.addresses(HOST, link) == []


def test_labels(lab):
    links = lab.links()
    assert links["br0"]["ifalias"] == "bridgenet:1:default:plain"
    for name, port in PORTS.items():
        assert links[port]["ifalias"] == f"bridgenet:1:default:{name}/plain"
        assert lab.links(name)["lo"]["ifalias"].startswith(f"bridgenet:1:default:{name}")


def test_no_nat_and_no_forwarding(host):
    """The firewall only knows who is on the bridge, for hosts where bridged packets pass it."""
    listed = host.check_output("nft list ruleset")
    assert re.findall(r"^table (.*) \{$", listed, re.MULTILINE) == ["inet bridgenet"]
    assert set(re.findall(r"(?:set|map) (\w+) \{[^{}]*elements = ", listed)) == {"accepted", "bridges", "internal"}
    assert host.sysctl("net.ipv4.ip_forward") == 0


def test_containers_reach_each_other(lab):
    lab.assert_answered((name, address) for name in CONTAINERS for address in CONTAINERS.values())


def test_nobody_else_is_reached(lab, outside):
    beyond = (outside.address, lab.uplink_address(), "10.244.1.1")
    lab.assert_unanswered((name, address) for name in CONTAINERS for address in beyond)
    lab.assert_unanswered((HOST, address) for address in CONTAINERS.values())


def test_outside_sees_nothing(lab, outside):
    outside.forget()
    lab.assert_unanswered((name, outside.address) for name in CONTAINERS)
    assert outside.seen() == set()
