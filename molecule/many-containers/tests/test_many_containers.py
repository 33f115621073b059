# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hundred containers on one bridge, and beside it a network whose addresses nobody wrote."""

from __future__ import annotations

import ipaddress

HOST = "-"
GATEWAY = "172.17.0.1"
CONTAINERS = {f"c{number}": f"172.17.0.{number}" for number in range(2, 202)}
CHOSEN = ("d1", "d2")
SUBNETS = ("10.210.0.0/21", "fd9d:4e1b:62c0::/64")
SAMPLE = ("c2", "c101", "c201")


def test_namespaces(lab):
    assert lab.namespaces() == {*CONTAINERS, *CHOSEN}


def test_bridge(lab):
    links = lab.links()
    ports = lab.ports("docker0")
    assert len(ports) == len(CONTAINERS)
    assert set(links) == {"lo", "eth0", "docker0", "br-dual"} | ports | lab.ports("br-dual")
    assert lab.addresses(HOST, "docker0") == [f"{GATEWAY}/16"]
    assert {links[port]["operstate"] for port in ports} == {"UP"}
    assert {links[port]["linkinfo"]["info_slave_data"]["state"] for port in ports} == {"forwarding"}


def test_labels_and_hardware_addresses(lab):
    links = lab.links()
    ports = lab.ports("docker0")
    assert links["docker0"]["ifalias"] == "bridgenet:1:default:docker0"
    assert {links[port]["ifalias"] for port in ports} == {f"bridgenet:1:default:{name}/docker0" for name in CONTAINERS}
    addresses = [links[port]["address"] for port in ports]
    assert len(set(addresses)) == len(addresses)
    assert {address.partition(":")[0] for address in addresses} == {"02"}


def test_sample_of_containers(lab):
    for name in SAMPLE:
        links = lab.links(name)
        assert set(links) == {"lo", "eth0"}
        assert "UP" in links["lo"]["flags"]
        assert lab.addresses(name, "eth0") == [f"{CONTAINERS[name]}/16"]
        assert lab.default_gateways(name) == [GATEWAY]


def test_every_container_reaches_the_gateway(lab):
    lab.assert_answered((name, GATEWAY) for name in CONTAINERS)


def test_host_reaches_every_container(lab):
    lab.assert_answered((HOST, address) for address in CONTAINERS.values())


def test_every_container_reaches_its_neighbour_both_ways(lab):
    names = list(CONTAINERS)
    neighbours = list(zip(names, names[1:] + names[:1]))
    lab.assert_answered([(one, CONTAINERS[other]) for one, other in neighbours])
    lab.assert_answered([(other, CONTAINERS[one]) for one, other in neighbours])


def test_without_masquerade_nothing_leaves_the_host(lab, host, outside):
    assert host.sysctl("net.ipv4.ip_forward") == 0
    assert host.check_output("nft list tables") == "table inet bridgenet"  # keeps networks from each other
    outside.forget()
    lab.assert_unanswered((name, outside.address) for name in SAMPLE)
    lab.assert_unanswered((name, "172.17.0.202") for name in SAMPLE)
    assert outside.seen() == set()


def test_chosen_addresses(lab):
    gateways = ["10.210.0.1", "fd9d:4e1b:62c0::1"]
    assert lab.addresses(HOST, "br-dual")[:2] == [f"{gateways[0]}/21", f"{gateways[1]}/64"]
    found = {}
    for name in CHOSEN:
        found[name] = [ipaddress.ip_interface(address) for address in lab.addresses(name, "eth0")][:2]
        assert [str(address.network) for address in found[name]] == list(SUBNETS)
    first, second = ([str(address.ip) for address in found[name]] for name in CHOSEN)
    assert not set(first) & set(second)
    lab.assert_answered([("d1", address) for address in (*second, *gateways)])
    lab.assert_answered([("d2", address) for address in (*first, *gateways)])
    lab.assert_unanswered([("d1", CONTAINERS["c2"]), ("c2", first[0])])
