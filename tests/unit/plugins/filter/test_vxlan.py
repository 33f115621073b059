# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks over several hosts: what each host gets, who its peers are, and what is refused."""

from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.filter.omitted import omitted
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._vxlan import underlay

BLUE = {"driver": "vxlan", "vni": 100, "subnet": "10.10.0.0/16"}
NETWORKS = {"blue": BLUE, "local": {"subnet": "10.20.0.0/24"}}
NONE = {"container_bridge_network_networks": None}


def host(address="", networks=None, **more):
    """The variables of a host."""
    return {"container_bridge_network_networks": networks or NETWORKS, "ansible_host": address, **more}


def hosts(**more):
    """An inventory of three, and one without such a network."""
    found = {f"h{number}": host(f"198.18.0.{number}") for number in (1, 2, 3)}
    return {**found, "other": {"ansible_host": "198.18.0.9", "container_bridge_network_networks": {"x": {}}}, **more}


def under(variables, own="h1", networks=None, address=""):
    """As the role asks for it."""
    return underlay(networks or NETWORKS, variables, variables, own, address)


def lists(variables=None, own="h1", networks=None, standing=None, containers=None, **options):
    """The lists of one host."""
    networks = networks or NETWORKS
    told = under(variables or hosts(), own, networks)
    return expand(networks, containers or {}, underlay=told, host=standing, **options)


def standing(address="198.18.0.1", mtu=1500):
    """A host with an uplink."""
    uplink = {
        "name": "eth0",
        "kind": "veth",
        "project": "",
        "label": "",
        "mtu": mtu,
        "addresses": [f"{address}/24"],
        "routes": [{"to": "default", "via": "198.18.0.254"}],
    }
    return [{"name": "", "links": [uplink]}]


def test_containers_of_the_inventory_have_no_network_of_their_own():
    """They have the variables of groups as all hosts do."""
    inherited = host("198.18.0.1")
    containers = {
        "web.h1": {**inherited, "bridgenet_host": "h1"},
        "web": {**inherited, "ansible_connection": "nslab.bridgenet.netns"},
    }
    assert under(hosts(**containers)) == under(hosts())


def test_link_and_port():
    (link,) = lists()["vxlan"]
    assert link == {
        "name": "vx-blue",
        "label": "blue",
        "vni": 100,
        "port": 4789,
        "local": "198.18.0.1",
        "learning": True,
        "peers": ["198.18.0.2", "198.18.0.3"],
        "up": True,
        "ipv6": False,
        "addresses": [],
        "routes": [],
        "exclusive": True,
    }
    assert lists()["bridge_port"] == [
        {"name": "vx-blue", "master": "br-blue", "isolated": False, "learning": True, "neigh_suppress": True}
    ]


def test_control_plane():
    """A routing daemon says who has what: nothing is learned, and whom to flood to is not ours to say."""
    networks = {"blue": {**BLUE, "control_plane": "evpn", "gateway": False}}
    found = lists(hosts(h1=host("198.18.0.1", networks), h2=NONE, h3=NONE), networks=networks)
    (link,) = found["vxlan"]
    assert link["learning"] is False
    assert "peers" not in link
    assert found["bridge_port"] == [
        {"name": "vx-blue", "master": "br-blue", "isolated": False, "learning": False, "neigh_suppress": True}
    ]


def test_gateway_is_the_same_everywhere():
    """Of one network, and of one project."""
    macs = {own: {one["name"]: one.get("mac") for one in lists(own=own)["bridge"]} for own in ("h1", "h2")}
    assert macs["h1"] == macs["h2"]
    assert macs["h1"]["br-blue"].startswith("02:")
    assert macs["h1"]["br-local"] is None
    assert {one.get("mac") for one in lists(project="else")["bridge"]} != set(macs["h1"].values())


def test_without_gateway():
    """Pure layer 2: there is nothing to keep apart."""
    networks = {"blue": {**BLUE, "gateway": False}}
    found = lists({"h1": host("198.18.0.1", networks)}, networks=networks)
    assert "mac" not in found["bridge"][0]
    assert not found["bridge_port"][0]["neigh_suppress"]


def test_peers_come_and_go():
    variables = hosts(h4=host("198.18.0.4"))
    assert lists(variables)["vxlan"][0]["peers"] == ["198.18.0.2", "198.18.0.3", "198.18.0.4"]
    variables["h2"]["container_bridge_network_networks"] = {"blue": {**BLUE, "state": "absent"}}
    variables["h3"]["container_bridge_network_state"] = "absent"
    assert lists(variables)["vxlan"][0]["peers"] == ["198.18.0.4"]
    assert lists({"h1": host("198.18.0.1"), "h2": NONE})["vxlan"][0]["peers"] == []


def test_addresses():
    """A variable before the inventory's address, before its name, before a fact."""
    facts = {"default_ipv4": {"address": "198.18.0.7"}}
    for variables, expected in (
        (host("198.18.0.4", container_bridge_network_vxlan_address="198.18.0.5"), "198.18.0.5"),
        (host("198.18.0.4", ansible_facts=facts), "198.18.0.4"),
        (host("lab.example.com", ansible_facts=facts), "198.18.0.7"),
        (host("127.0.0.1", ansible_facts=facts), "198.18.0.7"),
    ):
        assert lists({"h1": host("198.18.0.1"), "h2": variables})["vxlan"][0]["peers"] == [expected]
    assert lists({"h1": host("198.18.0.1"), "fd00::5": host(container_bridge_network_vxlan_address="198.18.0.3")})
    assert under({"h1": NONE}, address="198.18.0.6")["hosts"]["h1"]["address"] == "198.18.0.6"


def test_absent():
    networks = {"blue": {**BLUE, "state": "absent"}}
    found = expand(networks, {})
    assert found["vxlan"] == [{"name": "vx-blue", "label": "blue", "state": "absent"}]
    assert found["bridge_port"] == []
    assert under(hosts(), networks=networks) is None


def test_mtu():
    """That of the underlay less what VXLAN takes, on the bridge, the pairs and the link."""
    containers = {"a": {"networks": {"blue": {"ipv4_address": "10.10.0.10"}}}}
    found = lists(standing=standing(), containers=containers)
    for one in (found["vxlan"][0], found["bridge"][0], found["veth"][0], found["veth"][0]["peer"]):
        assert one["mtu"] == 1450
    assert lists(standing=standing(mtu=9000))["vxlan"][0]["mtu"] == 8950
    networks = {"blue": {**BLUE, "mtu": 1400}}
    assert (
        lists({"h1": host("198.18.0.1", networks)}, networks=networks, standing=standing())["vxlan"][0]["mtu"] == 1400
    )
    six = {"h1": host("fd00:198::1"), "h2": host("fd00:198::2")}
    found = lists(six, standing=standing("fd00:198::1"))["vxlan"][0]
    assert (found["mtu"], found["peers"]) == (1430, ["fd00:198::2"])


def test_the_host_is_read():
    """Whether it carries a VXLAN is seen on it, also where the MTU is written."""
    assert omitted({"blue": {**BLUE, "mtu": 1400}}) == ["network 'blue': underlay"]


def test_chosen_addresses():
    """Of the part of the subnet that is this host's, so that no two hosts choose the same one."""
    chosen = set()
    for index in range(4):
        found = lists(containers={"a": {"networks": {"blue": {}}}}, host_index=index, host_count=4)
        chosen.update(found["veth"][0]["peer"]["addresses"])
        assert found["bridge"][0]["addresses"] == ["10.10.0.1/16"]
    assert len(chosen) == 4
    with pytest.raises(AnsibleFilterError, match="shared with other hosts, and which addresses this one may give"):
        lists(containers={"a": {"networks": {"blue": {}}}})


def test_isolated():
    """Containers that may not talk do not talk by way of another host either."""
    networks = {"blue": {**BLUE, "icc": False}}
    assert lists({"h1": host("198.18.0.1", networks)}, networks=networks)["bridge_port"][0]["isolated"]


def test_long_name():
    networks = {"a-network-of-many-hosts": BLUE}
    (link,) = lists({"h1": host("198.18.0.1", networks)}, networks=networks)["vxlan"]
    assert re.fullmatch("vx-[0-9a-f]{12}", link["name"])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"vni": 0}, "network 'blue': vni 0 is out of range: 1 to 16777215"),
        ({"vni": 2**24}, "vni 16777216 is out of range"),
        ({"vni": None}, "driver is vxlan, but there is no vni; write a number from 1 to 16777215"),
        ({"vxlan_port": 65536}, "vxlan_port 65536 is out of range: 1 to 65535"),
        ({"driver": "overlay"}, "driver 'overlay' is not possible; valid: bridge, vxlan"),
        ({"control_plane": "bgp"}, "control_plane 'bgp' is not possible; valid: static, evpn"),
        ({"driver": None, "vni": None, "control_plane": "evpn"}, "control_plane needs driver: vxlan"),
        ({"driver": None}, "vni needs driver: vxlan; write that, or drop vni"),
        ({"external": True}, "driver is vxlan, but external is true"),
        ({"subnet": None}, "is shared with other hosts and has no subnet; write that"),
        ({"enable_ipv6": True}, "is shared with other hosts and has no ipv6_subnet"),
    ],
)
def test_refused(keys, message):
    networks = {"blue": {**BLUE, **keys}}
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        expand(networks, {}, underlay=under({"h1": host("198.18.0.1", networks)}, networks=networks))


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"h2": host("198.18.0.2", {"blue": {**BLUE, "subnet": "10.11.0.0/16"}})},
            "network 'blue': subnet is 10.10.0.0/16 here, and 10.11.0.0/16 on host 'h2', which has vni 100 as well",
        ),
        (
            {"h2": host("198.18.0.2", {"blue": {**BLUE, "internal": True}})},
            "internal is not written here, and true on host 'h2'",
        ),
        (
            {"h2": host("198.18.0.2", {"red": BLUE})},
            "network 'blue': vni 100 is that of network 'red' on host 'h2'",
        ),
        (
            {"h2": host("198.18.0.2", {"blue": {**BLUE, "control_plane": "evpn"}})},
            "control_plane is not written here, and evpn on host 'h2'",
        ),
        ({"h2": host("lab2.example.com")}, "host 'h2' has a network with driver: vxlan, but no address"),
        ({"h1": host("lab1.example.com")}, "host 'h1' has a network with driver: vxlan, but no address"),
        ({"h2": host("fd00:198::2")}, "mix IPv4 and IPv6; set container_bridge_network_vxlan_address"),
        ({"h2": host("198.18.0.3")}, "hosts 'h2' and 'h3' both have the address 198.18.0.3"),
        ({"h2": host("198.18.0.1")}, "hosts 'h1' and 'h2' both have the address 198.18.0.1"),
    ],
)
def test_refused_among_hosts(variables, message):
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        lists(hosts(**variables))


def test_refused_with_ipv6():
    networks = {"blue": {**BLUE, "control_plane": "evpn"}}
    with pytest.raises(AnsibleFilterError, match="FRR knows hosts by IPv4 addresses only"):
        lists({"h1": host("fd00:198::1", networks)}, networks=networks)


def test_refused_beside_another_control_plane():
    """But not beside a network that is absent, or on this host only."""
    evpn = {**BLUE, "vni": 101, "subnet": "10.11.0.0/16", "control_plane": "evpn"}
    networks = {"blue": BLUE, "red": evpn}
    message = "network 'red' has control_plane: evpn, and network 'blue' has not, but FRR tells of all VXLAN links"
    with pytest.raises(AnsibleFilterError, match=message):
        lists({"h1": host("198.18.0.1", networks)}, networks=networks)
    networks = {"blue": {**BLUE, "state": "absent"}, "red": evpn, "local": {"subnet": "10.20.0.0/24"}}
    assert lists({"h1": host("198.18.0.1", networks)}, networks=networks)


def test_one_number_twice():
    networks = {"blue": BLUE, "red": {**BLUE, "subnet": "10.11.0.0/16"}}
    with pytest.raises(AnsibleFilterError, match="network 'red': vni 100 is that of network 'blue' as well"):
        lists({"h1": host("198.18.0.1", networks)}, networks=networks)


@pytest.mark.parametrize(
    ("found", "keys", "message"),
    [
        (standing(), {"mtu": 1500}, "mtu 1500 does not fit the underlay, which carries 1450 bytes in VXLAN"),
        (standing(mtu=1300), {"enable_ipv6": True, "ipv6_subnet": "fd10::/64"}, "carries 1250 bytes in VXLAN, and it"),
        (standing(mtu=100), {}, "the underlay carries 50 bytes in VXLAN, and it takes 68"),
        (standing("198.18.0.77"), {}, "the address 198.18.0.1, by which other hosts are to reach this one, is on none"),
    ],
)
def test_refused_on_this_host(found, keys, message):
    networks = {"blue": {**BLUE, **keys}}
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        lists({"h1": host("198.18.0.1", networks)}, networks=networks, standing=found)


def test_who_else_has_it_is_needed():
    with pytest.raises(AnsibleFilterError, match="it is not known who else has it; pass underlay"):
        expand(NETWORKS, {})
    with pytest.raises(AnsibleFilterError, match="underlay is not what the filter underlay gives"):
        expand(NETWORKS, {}, underlay={"hosts": ["h1"]})
