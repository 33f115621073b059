# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import hashlib
import ipaddress
import itertools
import re

import pytest
from ansible.errors import AnsibleFilterError
from jinja2 import StrictUndefined, UndefinedError

from ansible_collections.nslab.bridgenet.plugins.filter.expand import FilterModule, expand
from ansible_collections.nslab.bridgenet.plugins.module_utils._names import LABEL_BYTES

BLUE = {"bridge": "br0", "subnet": "10.10.0.0/16", "gateway": "10.10.0.1", "masquerade": True}
NETWORKS = {"blue": BLUE}
CONTAINERS = {
    "ns1": {
        "networks": {"blue": {"ipv4_address": "10.10.0.10", "interface_name": "vpeer1", "host_interface_name": "veth1"}}
    },
    "ns2": {"networks": {"blue": {"ipv4_address": "10.10.0.20"}}},
}


def digest(text, length):
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def network(**keys):
    """The networks of seed 001, with keys of theirs changed; None takes a key away."""
    return {"blue": {key: value for key, value in {**BLUE, **keys}.items() if value is not None}}


def container(**keys):
    """One container in the network of seed 001."""
    return {"ns1": {"networks": {"blue": {"ipv4_address": "10.10.0.10", **keys}}}}


def test_seed_001():
    veth2 = f"veth{digest('ns2/blue', 11)}"
    on = {"up": True, "ipv6": False}
    route = [{"to": "default", "via": "10.10.0.1"}]
    assert expand(NETWORKS, CONTAINERS) == {
        "netns": [
            {"name": "ns1", "label": "ns1", "loopback": True, "exclusive": True},
            {"name": "ns2", "label": "ns2", "loopback": True, "exclusive": True},
        ],
        "bridge": [{"name": "br0", "label": "blue", **on, "addresses": ["10.10.0.1/16"], "exclusive": True}],
        "veth": [
            {
                "name": "veth1",
                "label": "ns1/blue",
                **on,
                "exclusive": True,
                "peer": {"name": "vpeer1", "namespace": "ns1", **on, "addresses": ["10.10.0.10/16"], "routes": route},
            },
            {
                "name": veth2,
                "label": "ns2/blue",
                **on,
                "exclusive": True,
                "peer": {"name": "eth0", "namespace": "ns2", **on, "addresses": ["10.10.0.20/16"], "routes": route},
            },
        ],
        "vxlan": [],
        "bridge_port": [
            {"name": name, "master": "br0", "isolated": False, "hairpin": False} for name in ("veth1", veth2)
        ],
        "qdisc": [],
        "masquerade": [
            {"source": "10.10.0.0/16", "bridge": "br0", "backend": "auto", "label": "blue", "forwarding": True},
        ],
        "forward": [{"bridge": "br0", "label": "blue"}],
        "publish": [],
        "netns_names": [
            {
                "name": "network/blue",
                "namespaces": ["ns1", "ns2"],
                "hosts": {"10.10.0.10": ["ns1"], "10.10.0.20": ["ns2"]},
            },
            {"name": "dns", "namespaces": ["ns1", "ns2"], "host_nameservers": True},
        ],
        "netns_service": [],
        "members": {},
    }


def test_the_filter_has_its_name():
    assert FilterModule().filters() == {"expand": expand}


def test_nothing_declared():
    modules = (
        "netns",
        "bridge",
        "veth",
        "vxlan",
        "bridge_port",
        "qdisc",
        "masquerade",
        "forward",
        "publish",
        "netns_names",
        "netns_service",
    )
    empty = {**{module: [] for module in modules}, "members": {}}
    assert expand({}, {}) == expand(None) == expand({}, None) == empty


def test_arguments_are_left_as_they_are():
    networks, containers = copy.deepcopy(NETWORKS), copy.deepcopy(CONTAINERS)
    expand(networks, containers)
    assert (networks, containers) == (NETWORKS, CONTAINERS)


# --- networks ---


@pytest.mark.parametrize(
    ("name", "bridge"),
    [
        ("blue", "br-blue"),
        ("twelve-chars", "br-twelve-chars"),
        ("thirteen-char", f"br-{digest('thirteen-char', 12)}"),
        ("n" * 36, f"br-{digest('n' * 36, 12)}"),
    ],
)
def test_name_of_a_bridge(name, bridge):
    assert len(bridge) <= 15
    assert expand({name: {"subnet": "10.10.0.0/16"}})["bridge"][0]["name"] == bridge


@pytest.mark.parametrize(
    ("subnet", "gateway"),
    [("10.10.0.0/16", "10.10.0.1/16"), ("192.168.7.8/29", "192.168.7.9/29"), ("10.0.0.4/31", "10.0.0.4/31")],
)
def test_gateway_is_the_first_address(subnet, gateway):
    assert expand({"blue": {"subnet": subnet}})["bridge"][0]["addresses"] == [gateway]


def test_another_gateway():
    lists = expand(network(gateway="10.10.255.254"), CONTAINERS)
    assert lists["bridge"][0]["addresses"] == ["10.10.255.254/16"]
    assert lists["veth"][0]["peer"]["routes"] == [{"to": "default", "via": "10.10.255.254"}]


def test_without_gateway_it_is_pure_layer_2():
    lists = expand(network(gateway=False, masquerade=None), CONTAINERS)
    assert lists["bridge"][0]["addresses"] == []
    assert [veth["peer"]["routes"] for veth in lists["veth"]] == [[], []]
    assert lists["masquerade"] == []


def test_external_bridge_is_joined_and_not_touched():
    lists = expand(network(external=True, bridge="docker0"), CONTAINERS)
    assert lists["bridge"] == []
    assert {port["master"] for port in lists["bridge_port"]} == {"docker0"}
    assert lists["veth"][0]["peer"]["routes"] == [{"to": "default", "via": "10.10.0.1"}]


def test_mtu_is_that_of_bridge_and_both_ends():
    lists = expand(network(mtu=9000), CONTAINERS)
    links = [*lists["bridge"], *lists["veth"], *(veth["peer"] for veth in lists["veth"])]
    assert {link["mtu"] for link in links} == {9000}


def test_masquerade_goes_where_it_is_false_and_is_left_alone_where_nothing_is_said():
    assert expand(network(masquerade=None))["masquerade"] == []
    assert expand(network(masquerade=False))["masquerade"] == [
        {"source": "10.10.0.0/16", "bridge": "br0", "backend": "auto", "label": "blue", "state": "absent"}
    ]


def test_forwarding_and_backend_are_passed_on():
    entry = expand(NETWORKS, forwarding=False, backend="iptables")["masquerade"][0]
    assert (entry["forwarding"], entry["backend"]) == (False, "iptables")


def test_an_error_is_told_once():
    """Ansible would print its causes as well."""
    with pytest.raises(AnsibleFilterError, match=r"ipv4_address '10\.10\.0\.300' is no IPv4 address") as refused:
        expand(NETWORKS, container(ipv4_address="10.10.0.300"))
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_networks_are_kept_from_each_other():
    gone = {"bridge": "br0", "label": "blue", "state": "absent"}
    assert expand(NETWORKS)["forward"] == [{"bridge": "br0", "label": "blue"}]
    assert expand(NETWORKS, isolation=False)["forward"] == [gone]
    assert expand(network(state="absent"))["forward"] == [gone]
    closed = network(gateway=False, masquerade=None, internal=True)
    assert expand(closed)["forward"] == [{"bridge": "br0", "label": "blue", "internal": True}]
    assert expand(network(external=True))["forward"] == []


# --- containers ---


def test_a_port_of_somebody_elses_bridge_has_a_high_mac_address():
    """By which the bridge keeps its own."""
    (first, second) = (expand(network(external=True), CONTAINERS)["veth"] for _again in range(2))
    assert first == second
    assert len({one["mac"] for one in first}) == len(first)
    assert all(one["mac"].startswith("fe:") for one in first)
    assert "mac" not in expand(NETWORKS, CONTAINERS)["veth"][0]


def test_mac_address_is_in_lower_case():
    peer = expand(NETWORKS, container(mac_address="02:AB:00:00:00:0F"))["veth"][0]["peer"]
    assert peer["mac"] == "02:ab:00:00:00:0f"


def test_container_without_network():
    lists = expand({}, {"alone": {"networks": {}}})
    assert lists["netns"] == [{"name": "alone", "label": "alone", "loopback": True, "exclusive": True}]
    assert lists["veth"] == []


def in_three_networks(**keys):
    networks = {name: {"subnet": f"10.{number}.0.0/16"} for number, name in enumerate(("red", "blue", "green"))}
    networks["red"]["subnet"] = "10.3.0.0/16"
    addresses = {"red": "10.3.0.9", "blue": "10.1.0.9", "green": "10.2.0.9"}
    entries = {name: {"ipv4_address": address, **keys.get(name, {})} for name, address in addresses.items()}
    return expand(networks, {"c": {"networks": entries}})["veth"]


def routed(veths):
    return [veth["label"] for veth in veths if veth["peer"]["routes"]]


def test_interfaces_are_counted_in_the_order_of_the_networks_names():
    assert {veth["label"]: veth["peer"]["name"] for veth in in_three_networks()} == {
        "c/blue": "eth0",
        "c/green": "eth1",
        "c/red": "eth2",
    }


def test_a_counted_interface_avoids_names_that_are_given():
    veths = in_three_networks(red={"interface_name": "eth0"}, blue={"interface_name": "up"})
    assert {veth["label"]: veth["peer"]["name"] for veth in veths} == {
        "c/blue": "up",
        "c/green": "eth1",
        "c/red": "eth0",
    }


def test_default_route_by_name_of_network():
    assert routed(in_three_networks()) == ["c/blue"]


def test_default_route_by_priority():
    assert routed(in_three_networks(green={"gw_priority": 1})) == ["c/green"]
    assert routed(in_three_networks(blue={"gw_priority": -1})) == ["c/green"]
    assert routed(in_three_networks(red={"gw_priority": "7"}, green={"gw_priority": 7})) == ["c/green"]


def test_default_route_needs_a_gateway():
    networks = {"a": {"subnet": "10.1.0.0/16", "gateway": False}, "b": {"subnet": "10.2.0.0/16"}}
    entries = {"a": {"ipv4_address": "10.1.0.9", "gw_priority": 9}, "b": {"ipv4_address": "10.2.0.9"}}
    assert routed(expand(networks, {"c": {"networks": entries}})["veth"]) == ["c/b"]


def test_longest_names_fit_into_a_label():
    lists = expand(
        {"n" * 36: {"subnet": "10.0.0.0/8"}}, {"c" * 63: {"networks": {"n" * 36: {"ipv4_address": "10.0.0.9"}}}}
    )
    assert len(lists["veth"][0]["label"]) == LABEL_BYTES


# --- absent ---


def test_absent_container():
    containers = {**CONTAINERS, "ns1": {**CONTAINERS["ns1"], "state": "absent"}}
    lists = expand(NETWORKS, containers)
    assert lists["netns"][0] == {"name": "ns1", "label": "ns1", "state": "absent"}
    assert lists["veth"][0] == {"name": "veth1", "label": "ns1/blue", "state": "absent"}
    assert [port["name"] for port in lists["bridge_port"]] == [lists["veth"][1]["name"]]


def test_absent_container_needs_no_more_than_its_name():
    lists = expand(NETWORKS, {"ns1": {"state": "absent"}})
    assert lists["netns"] == [{"name": "ns1", "label": "ns1", "state": "absent"}]


def test_address_of_an_absent_container_is_free():
    containers = {"old": {**CONTAINERS["ns2"], "state": "absent"}, "new": CONTAINERS["ns2"]}
    assert len(expand(NETWORKS, containers)["bridge_port"]) == 1


def test_absent_network():
    lists = expand(network(state="absent"), {"ns1": {**CONTAINERS["ns1"], "state": "absent"}})
    assert lists["bridge"] == [{"name": "br0", "label": "blue", "state": "absent"}]
    assert lists["masquerade"] == [
        {"source": "10.10.0.0/16", "bridge": "br0", "backend": "auto", "label": "blue", "state": "absent"}
    ]


def test_absent_network_needs_no_more_than_its_name():
    assert expand({"blue": {"state": "absent"}})["bridge"] == [{"name": "br-blue", "label": "blue", "state": "absent"}]


def test_subnet_of_an_absent_network_is_free():
    networks = {"old": {"subnet": "10.0.0.0/8", "state": "absent"}, "new": {"subnet": "10.0.0.0/8"}}
    assert len(expand(networks)["bridge"]) == 2


# --- what templates make of values ---


def test_values_from_templates():
    networks = network(masquerade="True", mtu="1400", external="no", state="present")
    assert expand(networks, forwarding="false") == expand(network(masquerade=True, mtu=1400), forwarding=False)
    assert expand(network(gateway="False", masquerade=None)) == expand(network(gateway=False, masquerade=None))


def test_empty_values_are_not_given():
    networks = {"blue": {"subnet": "10.10.0.0/16", "bridge": None, "gateway": None, "mtu": None, "state": None}}
    assert expand(networks) == expand({"blue": {"subnet": "10.10.0.0/16"}})


class Text(str):
    """What Ansible's own text types are: a str that is more than that."""


class Mapping(dict):
    """Likewise."""


def plain(value):
    if isinstance(value, dict):
        return value.__class__ is dict and all(plain(item) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return value.__class__ is list and all(plain(item) for item in value)
    return value.__class__ in (str, int, bool)


def tagged(value):
    if isinstance(value, dict):
        return Mapping((tagged(key), tagged(inner)) for key, inner in value.items())
    return Text(value) if isinstance(value, str) else value


def test_only_plain_values_come_out():
    networks, containers = tagged(network(mtu="1400", state="present")), tagged(CONTAINERS)
    containers["ns1"]["networks"]["blue"][Text("mac_address")] = Text("02:00:00:00:00:01")
    lists = expand(networks, containers, backend=Text("nftables"))
    assert plain(lists)
    assert not plain(networks)


# --- many ---


def many(count, first="10.10.1.0"):
    start = ipaddress.IPv4Address(first)
    return {f"c{number}": {"networks": {"blue": {"ipv4_address": str(start + number)}}} for number in range(count)}


def test_as_many_ports_as_a_bridge_has():
    lists = expand(NETWORKS, many(1023))
    names = [link["name"] for link in itertools.chain(lists["veth"], lists["bridge"])]
    assert len(set(names)) == 1024


def test_networks_as_a_list():
    networks = {name: {"subnet": f"10.7{number}.0.0/24"} for number, name in enumerate(("red", "green", "default"))}
    for names in (["red", "green"], [], ["default"]):
        by_name = dict.fromkeys(names)
        assert expand(networks, {"a": {"networks": names}}) == expand(networks, {"a": {"networks": by_name}})
    for names, message in (
        (["red", "red"], "container 'a': networks names 'red' twice; name it once"),
        (["blue"], "container 'a': network 'blue' is not declared"),
        ([{"red": {}}], "networks: network name .* is a mapping, not text"),
    ):
        with pytest.raises(AnsibleFilterError, match=message):
            expand(networks, {"a": {"networks": names}})


# --- what is refused: the value, the rule and the fix are in the message ---

LONG = "c" * 64
REFUSED = {
    # names of networks
    "network: slash": ({"a/b": BLUE}, {}, "network 'a/b': allowed are 1 to 36 letters, digits"),
    "network: space": ({"a b": BLUE}, {}, "network 'a b': allowed are"),
    "network: dots": ({"..": BLUE}, {}, "network '..': allowed are"),
    "network: empty": ({"": BLUE}, {}, "network '': allowed are"),
    "network: line": ({"blue\n": BLUE}, {}, "network 'blue\\n': allowed are"),
    "network: long": ({"n" * 37: BLUE}, {}, "allowed are 1 to 36"),
    "network: number": ({1: BLUE}, {}, "network name 1 is a number, not text; put it in quotes"),
    "network: truth": ({True: BLUE}, {}, "network name true is a truth value, not text; put it in quotes"),
    # names of containers
    "container: slash": (NETWORKS, {"../x": CONTAINERS["ns1"]}, "container '../x': namespace name '../x': allowed are"),
    "container: dots": (NETWORKS, {"..": CONTAINERS["ns1"]}, "namespace name '..': allowed are"),
    "container: space": (NETWORKS, {"n s": CONTAINERS["ns1"]}, "namespace name 'n s': allowed are"),
    "container: quote": (NETWORKS, {"n's": CONTAINERS["ns1"]}, 'namespace name "n\'s": allowed are'),
    "container: percent": (NETWORKS, {"n%d": CONTAINERS["ns1"]}, "namespace name 'n%d': allowed are"),
    "container: dash": (NETWORKS, {"-n": CONTAINERS["ns1"]}, "namespace name '-n': allowed are"),
    "container: empty": (NETWORKS, {"": CONTAINERS["ns1"]}, "namespace name '': allowed are"),
    "container: umlaut": (NETWORKS, {"nö": CONTAINERS["ns1"]}, "namespace name 'nö': allowed are"),
    "container: long": (NETWORKS, {LONG: CONTAINERS["ns1"]}, "has 64 characters, at most 63 are allowed; shorten it"),
    "container: number": (NETWORKS, {7: CONTAINERS["ns1"]}, "container name 7 is a number, not text; put it in quotes"),
    # names of interfaces
    "bridge: long": (
        network(bridge="b" * 16),
        {},
        "network 'blue': interface name 'bbbbbbbbbbbbbbbb' has 16 characters, at most 15",
    ),
    "bridge: slash": (network(bridge="br/0"), {}, "interface name 'br/0': allowed are"),
    "bridge: colon": (network(bridge="br:0"), {}, "interface name 'br:0': allowed are"),
    "bridge: empty": (network(bridge=""), {}, "interface name '': allowed are"),
    "bridge: number": (network(bridge=0), {}, "bridge 0 is a number, not text; put it in quotes"),
    "bridge: loopback": (network(bridge="lo"), {}, "interface name 'lo' is the kernel's own; choose another"),
    "interface: long": (NETWORKS, container(interface_name="e" * 16), "has 16 characters, at most 15"),
    "interface: percent": (
        NETWORKS,
        container(interface_name="eth%d"),
        "container 'ns1': network 'blue': interface name 'eth%d'",
    ),
    "interface: loopback": (NETWORKS, container(interface_name="lo"), "interface name 'lo' is the kernel's own"),
    "interface: all": (NETWORKS, container(interface_name="all"), "interface name 'all' is the kernel's own"),
    "port: long": (NETWORKS, container(host_interface_name="v" * 16), "has 16 characters, at most 15"),
    "port: quote": (NETWORKS, container(host_interface_name='v"'), "interface name 'v\"': allowed are"),
    "port: loopback": (NETWORKS, container(host_interface_name="lo"), "interface name 'lo' is the kernel's own"),
    # keys
    "key: misspelt in a network": (
        network(subnets="10.0.0.0/8"),
        {},
        "network 'blue': unknown key 'subnets'; did you mean 'subnet'? "
        "valid: bridge, enable_ipv4, subnet, gateway, ip_range, enable_ipv6, ipv6_subnet, ipv6_gateway, ipv6_range, "
        "aux_addresses, masquerade, internal, icc, allow, gateway_mode, mtu, driver, vni, vxlan_port, "
        "control_plane, external, shared, state",
    ),
    "key: misspelt in a container": (
        NETWORKS,
        {"ns1": {"network": {}}},
        "container 'ns1': unknown key 'network'; did you mean 'networks'? valid: networks, network_mode,",
    ),
    "key: misspelt in a container's network": (
        NETWORKS,
        container(ip4_address="10.10.0.10"),
        "container 'ns1': network 'blue': unknown key 'ip4_address'; did you mean 'ipv4_address'? "
        "valid: ipv4_address, ipv6_address, aliases, mac_address, priority, gw_priority, interface_name, "
        "host_interface_name, bandwidth, netem",
    ),
    "key: like no other": (network(zzz=1), {}, "unknown key 'zzz'; valid: bridge"),
    "key: number": (network(), {"ns1": {1: 2}}, "unknown key 1; valid: networks, network_mode"),
    "network: misspelt": (
        NETWORKS,
        {"ns1": {"networks": {"bleu": {"ipv4_address": "10.10.0.10"}}}},
        "container 'ns1': network 'bleu' is not declared; did you mean 'blue'? valid: blue",
    ),
    "network: none declared": ({}, CONTAINERS, "container 'ns1': network 'blue' is not declared; valid: none"),
    # subnets
    "subnet: missing beside a gateway": (
        network(subnet=None),
        {},
        "network 'blue': gateway without subnet is in no subnet that you know; write subnet as well",
    ),
    "subnet: missing in an external network": (
        network(subnet=None, gateway=None, external=True),
        {},
        "network 'blue': is external and has no subnet; write that of the bridge, like 10.10.0.0/16",
    ),
    "subnet: no prefix length": (network(subnet="10.10.0.0"), {}, "subnet '10.10.0.0' has no prefix length"),
    "subnet: host bits": (
        network(subnet="10.10.0.1/16"),
        {},
        "subnet '10.10.0.1/16' has bits set behind its prefix length; write 10.10.0.0/16",
    ),
    "subnet: nonsense": (network(subnet="10.10.0/16"), {}, "subnet '10.10.0/16' is no IPv4 network"),
    "subnet: prefix length": (network(subnet="10.10.0.0/33"), {}, "subnet '10.10.0.0/33' is no IPv4 network"),
    "subnet: IPv6": (network(subnet="fd00::/64"), {}, "subnet 'fd00::/64' is no IPv4 network"),
    "subnet: no room": (
        network(subnet="10.10.0.1/32"),
        {},
        "has no room for a container; write one that ends in /31 or less",
    ),
    "subnet: multicast": (network(subnet="239.0.0.0/8", gateway=None), {}, "overlaps 224.0.0.0/4 (multicast)"),
    "subnet: loopback": (network(subnet="127.1.0.0/16", gateway=None), {}, "overlaps 127.0.0.0/8 (loopback)"),
    "subnet: everything": (network(subnet="0.0.0.0/0", gateway=None), {}, "overlaps 0.0.0.0/8 (this network)"),
    "subnet: list": (network(subnet=["10.10.0.0/16"]), {}, "subnet ['10.10.0.0/16'] is a list, not text"),
    "subnet: overlap": (
        {**NETWORKS, "red": {"subnet": "10.10.5.0/24"}},
        {},
        "network 'red': subnet '10.10.5.0/24' overlaps '10.10.0.0/16' of network 'blue'; choose another",
    ),
    "subnet: twice": ({**NETWORKS, "red": {"subnet": "10.10.0.0/16"}}, {}, "overlaps '10.10.0.0/16' of network"),
    "subnet: overlap behind another": (
        {"a": {"subnet": "10.0.0.0/8"}, "b": {"subnet": "10.1.0.0/16"}, "c": {"subnet": "10.2.0.0/16"}},
        {},
        "overlaps '10.0.0.0/8' of network 'a'",
    ),
    # gateways
    "gateway: outside": (
        network(gateway="10.11.0.1"),
        {},
        "gateway '10.11.0.1' is outside subnet 10.10.0.0/16; choose one from 10.10.0.1 to 10.10.255.254",
    ),
    "gateway: network address": (
        network(gateway="10.10.0.0"),
        {},
        "gateway '10.10.0.0' is the network address of 10.10.0.0/16",
    ),
    "gateway: broadcast address": (
        network(gateway="10.10.255.255"),
        {},
        "gateway '10.10.255.255' is the broadcast address",
    ),
    "gateway: true": (network(gateway=True), {}, "gateway true is not possible; write an address, or false for none"),
    "gateway: number": (network(gateway=10), {}, "gateway 10 is neither true nor false"),
    "gateway: prefix length": (
        network(gateway="10.10.0.1/16"),
        {},
        "gateway '10.10.0.1/16' has a prefix length; write 10.10.0.1",
    ),
    "gateway: masquerade without": (network(gateway=False), {}, "masquerade is true, but gateway is false"),
    # addresses
    "address: missing in an external network": (
        network(external=True),
        {"ns1": {"networks": {"blue": None}}},
        "network 'blue': has no ipv4_address, and which addresses of an external network are free is not known here; "
        "write one of 10.10.0.0/16, or ip_range in the network",
    ),
    "address: outside": (
        NETWORKS,
        container(ipv4_address="10.11.0.5"),
        "ipv4_address '10.11.0.5' is outside subnet 10.10.0.0/16; choose one from 10.10.0.1",
    ),
    "address: gateway": (
        NETWORKS,
        container(ipv4_address="10.10.0.1"),
        "ipv4_address '10.10.0.1' is the gateway of the network; choose another",
    ),
    "address: network address": (
        NETWORKS,
        container(ipv4_address="10.10.0.0"),
        "is the network address of 10.10.0.0/16",
    ),
    "address: broadcast address": (
        NETWORKS,
        container(ipv4_address="10.10.255.255"),
        "is the broadcast address of 10.10.0.0/16",
    ),
    "address: prefix length": (
        NETWORKS,
        container(ipv4_address="10.10.0.9/16"),
        "has a prefix length; write 10.10.0.9",
    ),
    "address: nonsense": (
        NETWORKS,
        container(ipv4_address="10.10.0.999"),
        "ipv4_address '10.10.0.999' is no IPv4 address",
    ),
    "address: IPv6": (NETWORKS, container(ipv4_address="fd00::9"), "ipv4_address 'fd00::9' is no IPv4 address"),
    "address: number": (NETWORKS, container(ipv4_address=9), "ipv4_address 9 is a number, not text"),
    "address: empty": (NETWORKS, container(ipv4_address=""), "ipv4_address '' is no IPv4 address"),
    "address: twice": (
        NETWORKS,
        {"ns1": CONTAINERS["ns2"], "ns2": CONTAINERS["ns2"]},
        "container 'ns2', network 'blue': ipv4_address '10.10.0.20' is used by container 'ns1' as well; choose another",
    ),
    # MAC addresses
    "MAC: multicast": (
        NETWORKS,
        container(mac_address="01:00:5e:00:00:01"),
        "MAC address '01:00:5e:00:00:01' is multicast",
    ),
    "MAC: broadcast": (NETWORKS, container(mac_address="ff:ff:ff:ff:ff:ff"), "is multicast"),
    "MAC: zero": (NETWORKS, container(mac_address="00:00:00:00:00:00"), "is all zero"),
    "MAC: short": (NETWORKS, container(mac_address="02:00:00:00:01"), "MAC address '02:00:00:00:01' is not six pairs"),
    "MAC: nonsense": (NETWORKS, container(mac_address="02:00:00:00:00:0g"), "is not six pairs of hexadecimal digits"),
    # YAML 1.1 reads 52:54:00:12:34:56 as a number to the base of 60
    "MAC: number": (
        NETWORKS,
        container(mac_address=41135385296),
        "mac_address 41135385296 is a number, not text; put it in quotes",
    ),
    "MAC: twice": (
        NETWORKS,
        {
            "ns1": {"networks": {"blue": {"ipv4_address": "10.10.0.10", "mac_address": "02:00:00:00:00:0a"}}},
            "ns2": {"networks": {"blue": {"ipv4_address": "10.10.0.20", "mac_address": "02:00:00:00:00:0A"}}},
        },
        "container 'ns2', network 'blue': mac_address '02:00:00:00:00:0a' is used by container 'ns1' as well",
    ),
    # MTUs
    "MTU: low": (network(mtu=67), {}, "network 'blue': MTU 67 is out of range: 68 to 65535"),
    "MTU: high": (network(mtu=65536), {}, "MTU 65536 is out of range"),
    "MTU: word": (network(mtu="big"), {}, "mtu 'big' is not a whole number"),
    "MTU: fraction": (network(mtu=1400.5), {}, "mtu 1400.5 is not a whole number"),
    "MTU: truth": (network(mtu=True), {}, "mtu true is not a whole number"),
    # declared twice
    "bridge: twice": (
        {**NETWORKS, "red": {"subnet": "10.9.0.0/16", "bridge": "br0"}},
        {},
        "network 'red': bridge 'br0' is used by network 'blue' as well; choose another name",
    ),
    "port: twice": (
        NETWORKS,
        {"ns1": CONTAINERS["ns1"], "ns2": CONTAINERS["ns1"]},
        "container 'ns2', network 'blue': host_interface_name 'veth1' is used by container 'ns1'",
    ),
    "port: named like a bridge": (
        NETWORKS,
        container(host_interface_name="br0"),
        "container 'ns1', network 'blue': host_interface_name 'br0' is used by network 'blue' as well",
    ),
    "interface: twice": (
        {**NETWORKS, "red": {"subnet": "10.9.0.0/16"}},
        {
            "ns1": {
                "networks": {
                    "blue": {"ipv4_address": "10.10.0.10", "interface_name": "up"},
                    "red": {"ipv4_address": "10.9.0.10", "interface_name": "up"},
                }
            }
        },
        "container 'ns1': interface_name 'up' is given twice; choose another name",
    ),
    # states
    "state: misspelt": (network(state="abesnt"), {}, "state 'abesnt' is not possible; did you mean 'absent'?"),
    "state: of a container": (
        NETWORKS,
        {"ns1": {"state": "gone"}},
        "container 'ns1': state 'gone' is not possible; valid: present, absent",
    ),
    "state: absent network with a member": (
        network(state="absent"),
        CONTAINERS,
        "container 'ns1': network 'blue': the network is absent, but the container is not",
    ),
    # types
    "type: networks": (["blue"], {}, "networks are a list, not a mapping; write them as NAME: {...}"),
    "type: containers": (NETWORKS, "ns1", "containers are text, not a mapping"),
    "type: network": (
        {"blue": "10.10.0.0/16"},
        {},
        "network 'blue': '10.10.0.0/16' is text, not a mapping; valid keys: bridge",
    ),
    "type: container": (NETWORKS, {"ns1": ["blue"]}, "container 'ns1': ['blue'] is a list, not a mapping"),
    "type: networks of a container": (
        NETWORKS,
        {"ns1": {"networks": "blue"}},
        "container 'ns1': networks are text, not a mapping",
    ),
    "type: network of a container": (
        NETWORKS,
        {"ns1": {"networks": {"blue": "10.10.0.10"}}},
        "'10.10.0.10' is text, not a mapping; valid keys: ipv4_address",
    ),
    "type: truth": (network(masquerade="maybe"), {}, "masquerade 'maybe' is neither true nor false"),
    "type: external": (network(external=2), {}, "external 2 is neither true nor false"),
    "type: priority": (NETWORKS, container(gw_priority="high"), "gw_priority 'high' is not a whole number"),
    # the rest
    "networks: missing": (
        NETWORKS,
        {"ns1": {}},
        "container 'ns1': has neither networks nor network_mode; write networks:",
    ),
    "ports: too many": (
        NETWORKS,
        many(1024),
        "network 'blue': 1024 containers, but a bridge has at most 1023 ports; spread them",
    ),
}


@pytest.mark.parametrize(("networks", "containers", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(networks, containers, message):
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        expand(networks, containers)


def test_an_undefined_variable_is_named():
    with pytest.raises(UndefinedError, match="'missing' is undefined"):
        expand(StrictUndefined(name="missing"))


def test_forwarding_is_a_truth_value():
    with pytest.raises(AnsibleFilterError, match="forwarding 'perhaps' is neither true nor false"):
        expand(NETWORKS, forwarding="perhaps")
