# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts: containers behind a bridge, their default routes, and masquerade."""

from __future__ import annotations

import ipaddress
import re
import shlex

import pytest

SUBNET = ipaddress.ip_network("10.10.0.0/16")
GATEWAY = "10.10.0.1"
HOST = "-"
CONTAINERS = {
    "lab1": {"ns1": "10.10.0.10", "ns2": "10.10.0.20"},
    "lab2": {"ns1": "10.10.0.10", "ns2": "10.10.0.20", "ns3": "10.10.0.30"},
}
INTERFACES = {"ns1": "vpeer1", "ns2": "eth0", "ns3": "eth0"}


@pytest.fixture
def containers(lab):
    """Name -> address of the containers that this host has."""
    return CONTAINERS[lab.name]


def test_namespaces(lab, containers):
    assert lab.namespaces() == set(containers)


def test_interfaces_of_containers(lab, containers):
    for name, address in containers.items():
        interface = INTERFACES[name]
        links = lab.links(name)
        assert set(links) == {"lo", interface}
        assert "UP" in links["lo"]["flags"]
        assert links[interface]["operstate"] == "UP"
        assert lab.addresses(name, interface) == [f"{address}/16"]  # and no IPv6
        assert lab.default_gateways(name) == [GATEWAY]


def test_bridge(lab, containers):
    bridge = lab.links()["br0"]
    assert bridge["linkinfo"]["info_kind"] == "bridge"
    assert bridge["operstate"] == "UP"
    assert lab.addresses(HOST, "br0") == [f"{GATEWAY}/16"]
    ports = lab.ports("br0")
    assert len(ports) == len(containers)
    assert "veth1" in ports
    assert set(lab.links()) == {"lo", "eth0", "br0"} | ports
    for port in ports:
        assert lab.addresses(HOST, port) == []


def test_labels(lab, containers):
    links = lab.links()
    assert links["br0"]["ifalias"] == "bridgenet:1:default:blue"
    assert {links[port]["ifalias"] for port in lab.ports("br0")} == {
        f"bridgenet:1:default:{name}/blue" for name in containers
    }
    for name in containers:
        assert lab.links(name)["lo"]["ifalias"].startswith(f"bridgenet:1:default:{name}")
    assert "ifalias" not in links["eth0"]


def test_hardware_addresses_differ_between_clones(labs):
    ours = []
    for lab in labs:
        links = lab.links()
        ours += [links[name]["address"] for name in {"br0"} | lab.ports("br0")]
        ours += [lab.links(name)[INTERFACES[name]]["address"] for name in CONTAINERS[lab.name]]
    assert len(ours) == 2 + 2 * sum(len(containers) for containers in CONTAINERS.values())
    assert len(set(ours)) == len(ours)
    assert {address.partition(":")[0] for address in ours} == {"02"}


def test_forwarding(host):
    assert host.sysctl("net.ipv4.ip_forward") == 1


def test_only_our_own_table(host):
    assert host.check_output("nft list tables").splitlines() == ["table inet bridgenet"]
    table = host.check_output("nft list table inet bridgenet")
    assert str(SUBNET) in table
    assert "masquerade" in table


def test_containers_and_host_reach_each_other(lab, containers):
    addresses = (*containers.values(), GATEWAY)
    lab.assert_answered((name, address) for name in (*containers, HOST) for address in addresses)


def test_containers_reach_the_outside(lab, containers, outside):
    lab.assert_answered((name, address) for name in containers for address in (outside.address, lab.uplink_address()))


def test_containers_reach_only_their_own_host(lab, containers):
    """10.10.0.30 stands on lab2 alone, 10.10.0.99 nowhere; the wire between the hosts carries neither."""
    absent = {"10.10.0.30", "10.10.0.99"} - set(containers.values())
    lab.assert_unanswered((name, address) for name in (*containers, HOST) for address in absent)


def test_outside_does_not_reach_containers(outside):
    outside.assert_unanswered((HOST, address) for address in CONTAINERS["lab2"].values())


def test_outside_sees_the_host(lab, containers, outside):
    outside.forget()
    lab.assert_answered((name, outside.address) for name in containers)
    for name in containers:
        greeting = f"import socket; print(socket.create_connection(('{outside.address}', 22), 5).recv(4))"
        assert lab.inside(name, "/usr/bin/python3", "-c", greeting) == "b'SSH-'"
    seen = outside.seen()
    assert seen == {(lab.uplink_address(), "icmp"), (lab.uplink_address(), "tcp")}


def test_neighbours_see_each_other_untranslated(lab):
    """Any command runs in a namespace, a web server here."""
    fetch = "from urllib.request import urlopen; print(urlopen('http://10.10.0.10:8000/', timeout=5).status)"
    script = f"""
        cd "$(mktemp -d)" && touch log
        ip netns exec ns1 /usr/bin/python3 -u -m http.server 8000 >log 2>&1 &
        server=$!
        # The server says "Serving" once it listens.
        timeout 20 tail -f -n +1 --pid=$server log | grep -q -m 1 Serving
        ip netns exec ns2 /usr/bin/python3 -c {shlex.quote(fetch)}
        kill $server
        cat log
    """
    output = lab.host.check_output("sh -c %s", script)
    assert output.startswith("200")
    assert re.search(r"^10\.10\.0\.20 - - .*GET / ", output, re.MULTILINE)
