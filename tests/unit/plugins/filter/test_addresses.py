# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and subnets that nobody wrote, and both families."""

from __future__ import annotations

import ipaddress
import re

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand

DUAL = {"subnet": "10.71.0.0/24", "enable_ipv6": True, "ipv6_subnet": "fd71::/64", "masquerade": True}
ONLY6 = {"enable_ipv4": False, "enable_ipv6": True, "ipv6_subnet": "fd72::/64"}


def members(*names, network="blue", **keys):
    return {name: {"networks": {network: keys}} for name in names}


def link(name, **keys):
    empty = {"kind": "", "mtu": 1500, "project": "", "label": "", "addresses": [], "routes": []}
    return {"name": name, **empty, **keys}


def on_host(*links, **namespaces):
    """As netns_info tells it."""
    inside = [{"name": name, "links": found} for name, found in namespaces.items()]
    return [{"name": "", "links": list(links)}, *inside]


def standing(lists, *links):
    """The host on which what the lists say stands."""
    ports, inside = [], {one["name"]: [] for one in lists["netns"]}
    for veth in lists["veth"]:
        peer = veth["peer"]
        place = {"name": peer["name"], "namespace": peer["namespace"]}
        ports.append(link(veth["name"], kind="veth", project="default", label=veth["label"], peer=place))
        inside[peer["namespace"]].append(link(peer["name"], kind="veth", addresses=peer["addresses"]))
    bridges = [
        link(one["name"], kind="bridge", project="default", label=one["label"], addresses=one["addresses"])
        for one in lists["bridge"]
    ]
    return on_host(*links, *bridges, *ports, **inside)


def addresses(lists):
    return {veth["label"]: veth["peer"]["addresses"] for veth in lists["veth"]}


# --- addresses ---

NAMES = some.sets(some.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True), max_size=8)


@given(before=NAMES, after=NAMES, written=some.dictionaries(some.integers(2, 14), some.just(None), max_size=3))
def test_who_stays_keeps_the_address_and_nobody_shares_one(before, after, written):
    """With containers that come, go, change places, and take what others had."""
    network = {"blue": {"subnet": "10.9.0.0/27", "ip_range": "10.9.0.0/28", "aux_addresses": {"router": "10.9.0.5"}}}
    before, after = sorted(before)[:5], sorted(after, reverse=True)[:5]
    one = expand(network, members(*before))
    had = addresses(one)
    stays = {had[label][0].partition("/")[0] for label in had if label.partition("/")[0] not in after}
    given_ones = {f"Written{number}": f"10.9.0.{number}" for number in written if number != 5}
    given_ones = {name: address for name, address in given_ones.items() if address not in stays}
    declared = {**members(*after)}
    for name, address in given_ones.items():
        declared.update(members(name, ipv4_address=address))
    two = expand(network, declared, host=standing(one))
    has = addresses(two)
    for label in had.keys() & has.keys():
        if had[label][0].partition("/")[0] not in given_ones.values():
            assert has[label] == had[label]
    found = [ipaddress.ip_interface(address) for (address,) in has.values()]
    assert len(set(found)) == len(found)
    chosen = [ipaddress.ip_interface(has[f"{name}/blue"][0]).ip for name in after]
    assert all(address in ipaddress.ip_network("10.9.0.0/28") for address in chosen)
    forbidden = {ipaddress.ip_address(f"10.9.0.{number}") for number in (0, 1, 5)}
    assert not forbidden & set(chosen)
    assert addresses(expand(network, declared, host=standing(two))) == has
    gone = {tuple(had[label]) for label in had.keys() - has.keys()}
    assert not gone & {tuple(has[label]) for label in has.keys() - had.keys() if label[0].islower()}


@given(names=some.permutations([f"n{number}" for number in range(6)]))
def test_the_order_of_the_declaration_does_not_matter(names):
    assert addresses(expand({"blue": DUAL}, members(*names))) == addresses(
        expand({"blue": DUAL}, members(*sorted(names)))
    )


def test_the_address_of_who_stays_undeclared_is_not_free():
    """Unless it is purged, or declared absent."""
    network = {"blue": {"subnet": "10.9.0.0/30"}}
    host = standing(expand(network, members("a")))
    with pytest.raises(AnsibleFilterError, match="has no address left for container 'b'"):
        expand(network, members("b"), host=host)
    taken = members("b", ipv4_address="10.9.0.2")
    message = "address '10.9.0.2' of container 'b' is that of container 'a', which stands, though nobody declares it"
    with pytest.raises(AnsibleFilterError, match=message):
        expand(network, taken, host=host)
    for declared in (members("b"), taken):
        assert addresses(expand(network, declared, host=host, purge=True)) == {"b/blue": ["10.9.0.2/30"]}
    absent = {"a": {"networks": {"blue": {}}, "state": "absent"}}
    assert expand(network, {**absent, **members("b")}, host=host)["veth"][1]["peer"]["addresses"] == ["10.9.0.2/30"]


def test_an_address_of_others_in_an_external_network_is_not_free():
    """The host's own, and that of another project's container; ours stay."""
    lan = {"lan": {"bridge": "br0", "external": True, "subnet": "10.9.0.0/24", "ip_range": "10.9.0.48/29"}}
    before = expand(lan, members("a", network="lan"))
    (mine,) = addresses(before)["a/lan"]
    others = [f"10.9.0.{number}/24" for number in range(48, 56) if mine != f"10.9.0.{number}/24"]
    host = standing(before, link("br0", kind="bridge", addresses=others[:3]))
    host.append({"name": "theirs", "links": [link("eth0", kind="veth", addresses=others[3:5])]})
    found = addresses(expand(lan, members("a", "b", "c", network="lan"), host=host))
    assert found["a/lan"] == [mine]
    assert {*found["b/lan"], *found["c/lan"]} == set(others[5:])
    with pytest.raises(AnsibleFilterError, match="has no address left for container 'd'"):
        expand(lan, members("a", "b", "c", "d", network="lan"), host=host)
    # Who goes in the same run leaves his address.
    gone = {"a": {"networks": {"lan": {}}, "state": "absent"}}
    replaced = expand(lan, {**gone, **members("b", "c", "d", network="lan")}, host=host)
    assert [mine] in addresses({**replaced, "veth": replaced["veth"][1:]}).values()
    purged = addresses(expand(lan, members("b", "c", "d", network="lan"), host=host, purge=True))
    assert [mine] in purged.values()


def test_a_written_address_may_lie_outside_the_range():
    network = {"blue": {"subnet": "10.9.0.0/24", "ip_range": "10.9.0.128/30"}}
    found = addresses(expand(network, {**members("a", ipv4_address="10.9.0.7"), **members("b", "c")}))
    assert found.pop("a/blue") == ["10.9.0.7/24"]
    assert all(ipaddress.ip_interface(one).ip in ipaddress.ip_network("10.9.0.128/30") for (one,) in found.values())


def test_what_another_project_has_is_not_ours():
    lists = expand({"blue": {"subnet": "10.9.0.0/24"}}, members("a"))
    host = standing(expand({"blue": {"subnet": "10.9.0.0/24"}}, members("a", ipv4_address="10.9.0.77")))
    for one in host[0]["links"]:
        one["project"] = "other"
    assert addresses(expand({"blue": {"subnet": "10.9.0.0/24"}}, members("a"), host=host)) == addresses(lists)


def test_an_address_of_another_subnet_does_not_stay():
    host = standing(expand({"blue": {"subnet": "10.8.0.0/24"}}, members("a")))
    (found,) = addresses(expand({"blue": {"subnet": "10.9.0.0/24"}}, members("a"), host=host)).values()
    assert found[0].startswith("10.9.0.")


# --- subnets ---


def test_subnets_come_from_the_pools_in_the_order_of_the_names():
    lists = expand({"b": {}, "a": {}, "six": {"enable_ipv4": False, "enable_ipv6": True}})
    assert {one["label"]: one["addresses"] for one in lists["bridge"]} == {
        "a": ["10.210.0.1/21"],
        "b": ["10.210.8.1/21"],
        "six": ["fd9d:4e1b:62c0::1/64"],
    }


def test_a_subnet_stays_where_it_stands():
    before = expand({"b": {}, "c": {"gateway": False}}, members("x", network="c"))
    networks = {"a": {}, "b": {}, "c": {"gateway": False}}
    after = expand(networks, members("x", network="c"), host=standing(before))
    assert [one["addresses"] for one in after["bridge"]] == [["10.210.16.1/21"], ["10.210.0.1/21"], []]
    assert addresses(after) == addresses(before)


def test_a_subnet_overlaps_nothing():
    host = on_host(
        link("eth0", addresses=["192.0.2.7/24", "10.210.1.9/32", "fd00::7/64"], routes=[{"to": "default", "via": "x"}]),
        link("tun0", routes=[{"to": "10.210.16.0/20"}, {"to": "10.210.32.0/24", "via": "192.0.2.1"}]),
    )
    lists = expand({"a": {}, "b": {"subnet": "10.210.8.0/24"}, "c": {"state": "absent"}}, host=host)
    assert [one.get("addresses") for one in lists["bridge"]] == [["10.210.40.1/21"], ["10.210.8.1/24"], None]


def test_pools_in_turn():
    pools = [{"base": "10.1.0.0/30", "size": "30"}, {"base": "10.2.0.0/24", "size": 25}]
    lists = expand({name: {} for name in "abc"}, pools=pools)
    assert [one["addresses"] for one in lists["bridge"]] == [["10.1.0.1/30"], ["10.2.0.1/25"], ["10.2.0.129/25"]]
    with pytest.raises(
        AnsibleFilterError, match=r"network 'd': no address pool of IPv4 has a free subnet left \(10\.1"
    ):
        expand({name: {} for name in "abcd"}, pools=pools)


def test_an_absent_network_is_removed_with_the_subnet_that_it_has():
    host = standing(expand({"blue": {"masquerade": True}}))
    gone = {"blue": {"masquerade": True, "state": "absent"}}
    assert expand(gone)["masquerade"] == []
    (entry,) = expand(gone, host=host)["masquerade"]
    assert (entry["source"], entry["state"]) == ("10.210.0.0/21", "absent")


def test_an_absent_network_needs_no_more_than_its_name():
    """Whatever it was, which the host tells."""
    was = {
        "bridge": "br0",
        "masquerade": True,
        "enable_ipv6": True,
        "ipv6_subnet": "fd71::/64",
        "subnet": "10.9.0.0/24",
    }
    lists = expand({"blue": {"state": "absent"}}, host=standing(expand({"blue": was})))
    assert lists["bridge"] == [{"name": "br0", "label": "blue", "state": "absent"}]
    assert lists["forward"] == [{"bridge": "br0", "label": "blue", "state": "absent"}]
    assert [(one["source"], one["bridge"], one["state"]) for one in lists["masquerade"]] == [
        ("10.9.0.0/24", "br0", "absent"),
        ("fd71::/64", "br0", "absent"),
    ]
    assert lists["vxlan"] == []
    overlay = link("vx-blue", kind="vxlan", project="default", label="blue")
    assert expand({"blue": {"state": "absent"}}, host=on_host(overlay))["vxlan"] == [
        {"name": "vx-blue", "label": "blue", "state": "absent"}
    ]


def test_an_absent_network_takes_no_masquerade_of_others_along():
    """Of an external network; and where all is absent, what nobody wrote is left alone, as in a network that stands."""
    was = {"bridge": "br0", "subnet": "10.9.0.0/24"}
    host = standing(expand({"blue": was}))
    assert expand({"blue": {**was, "external": True, "state": "absent"}}, host=host)["masquerade"] == []
    for keys in (was, {**was, "external": True}):
        assert expand({"blue": keys}, host=host, state="absent")["masquerade"] == []
    for keys in (was, {"bridge": "br0"}, {}):
        (entry,) = expand({"blue": {**keys, "state": "absent"}}, host=host)["masquerade"]
        assert (entry["source"], entry["bridge"], entry["state"]) == ("10.9.0.0/24", "br0", "absent")


def test_a_network_of_another_name_may_take_the_bridge():
    """It is labelled anew, and stays."""
    was = {"bridge": "br0", "subnet": "10.9.0.0/24"}
    lists = expand({"blue": {"state": "absent"}, "green": was}, host=standing(expand({"blue": was})))
    assert [(one["name"], one["label"]) for one in lists["bridge"]] == [("br-blue", "blue"), ("br0", "green")]


def test_all_of_it_is_absent():
    """What has to be right only where something is to stand does not matter then."""
    networks = {"blue": {"driver": "vxlan", "vni": 60, "subnet": "10.60.0.0/24", "masquerade": True}}
    underlay = {"own": "h", "hosts": {"h": {"address": "192.0.2.1", "networks": networks}}}
    lists = expand(networks, members("a"), host=on_host(), underlay=underlay, state="absent")
    assert {one["state"] for module in ("netns", "bridge", "veth", "vxlan") for one in lists[module]} == {"absent"}
    assert (lists["bridge_port"], lists["publish"], lists["members"]) == ([], [], {})
    with pytest.raises(
        AnsibleFilterError, match=r"the address 192\.0\.2\.1, by which other hosts are to reach this one"
    ):
        expand(networks, members("a"), host=on_host(), underlay=underlay)


# --- both families ---


def test_dual_stack():
    lists = expand({"blue": DUAL}, members("a", ipv6_address="fd71::9"))
    (bridge,), (veth,) = lists["bridge"], lists["veth"]
    assert (bridge["ipv6"], bridge["addresses"]) == (True, ["10.71.0.1/24", "fd71::1/64"])
    assert (veth["ipv6"], veth["peer"]["ipv6"]) == (False, True)
    assert veth["peer"]["addresses"][1] == "fd71::9/64"
    assert veth["peer"]["routes"] == [{"to": "default", "via": "10.71.0.1"}, {"to": "default", "via": "fd71::1"}]
    assert [(one["source"], one["forwarding"]) for one in lists["masquerade"]] == [
        ("10.71.0.0/24", True),
        ("fd71::/64", True),
    ]


def test_ipv6_only():
    lists = expand({"blue": ONLY6}, members("a", "b"))
    for veth in lists["veth"]:
        (address,) = veth["peer"]["addresses"]
        assert ipaddress.ip_interface(address).network == ipaddress.ip_network("fd72::/64")
        assert veth["peer"]["routes"] == [{"to": "default", "via": "fd72::1"}]
    assert lists["bridge"][0]["addresses"] == ["fd72::1/64"]


def test_without_a_gateway_the_bridge_speaks_no_ipv6():
    lists = expand({"blue": {**ONLY6, "ipv6_gateway": False}}, members("a"))
    assert (lists["bridge"][0]["ipv6"], lists["bridge"][0]["addresses"]) == (False, [])
    assert (lists["veth"][0]["peer"]["ipv6"], lists["veth"][0]["peer"]["routes"]) == (True, [])


def test_one_way_out_for_each_family():
    networks = {"a": {"subnet": "10.1.0.0/24"}, "b": DUAL, "c": ONLY6}
    lists = expand(networks, {"x": {"networks": {"a": {}, "b": {}, "c": {"gw_priority": 1}}}})
    routes = {veth["label"]: [one["via"] for one in veth["peer"]["routes"]] for veth in lists["veth"]}
    assert routes == {"x/a": ["10.1.0.1"], "x/b": [], "x/c": ["fd72::1"]}


# --- MAC addresses and MTUs ---


@pytest.mark.parametrize(
    ("places", "where"),
    [
        ({"a": {}, "b": {}}, "a"),
        ({"a": {}, "b": {"gw_priority": 1}}, "b"),
        ({"a": {"priority": 1}, "b": {"gw_priority": 1}}, "a"),
        ({"a": {}, "b": {"priority": "2"}}, "b"),
    ],
)
def test_where_the_mac_address_of_a_container_goes(places, where):
    networks = {"a": {"subnet": "10.1.0.0/24"}, "b": {"subnet": "10.2.0.0/24"}}
    lists = expand(networks, {"x": {"networks": places, "mac_address": "02:00:00:00:00:77"}})
    assert {veth["label"]: veth["peer"].get("mac") for veth in lists["veth"]}[f"x/{where}"] == "02:00:00:00:00:77"


def uplink(mtu, metric=0):
    return link(f"eth{metric}", mtu=mtu, routes=[{"to": "default", "via": "192.0.2.1", "metric": metric}])


def test_mtu_is_that_of_the_route_out():
    def mtu(*links, **keys):
        return expand({"blue": {"subnet": "10.1.0.0/24", **keys}}, host=on_host(*links))["bridge"][0].get("mtu")

    bridge = link("br-blue", kind="bridge", mtu=1400, project="default", label="blue")
    assert mtu() is None
    assert mtu(uplink(1500), link("other", mtu=9000)) is None
    assert mtu(uplink(1500), bridge) == 1500
    assert mtu(uplink(1450)) == 1450
    assert mtu(uplink(1450, 100), uplink(9000, 50)) == 9000
    assert mtu(uplink(1450), mtu=1500) == 1500
    advertised = link("eth1", mtu=1400, default_route=True)
    assert mtu(advertised, link("lo", mtu=65536, default_route=True)) == 1400
    assert mtu(advertised, link("eth2", mtu=1380, default_route=True)) == 1380, "the packets of both ways fit"
    assert mtu(advertised, uplink(1450)) == 1450, "what somebody set comes first"
    assert mtu(uplink(1000), enable_ipv6=True) == 1280


def test_mtu_of_an_external_network_is_that_of_its_bridge():
    network = {"blue": {"subnet": "10.1.0.0/24", "external": True, "bridge": "docker0"}}
    host = on_host(uplink(9000), link("docker0", kind="bridge", mtu=1400))
    assert expand(network, members("a", ipv4_address="10.1.0.9"), host=host)["veth"][0]["mtu"] == 1400


# --- what is refused ---

A = {"subnet": "10.1.0.0/24"}
REFUSED = {
    "no family": ({"blue": {"enable_ipv4": False}}, {}, "enable_ipv4 and enable_ipv6 are both false"),
    "IPv6 key without IPv6": (
        {"blue": {**A, "ipv6_subnet": "fd71::/64"}},
        {},
        "network 'blue': ipv6_subnet needs IPv6; write enable_ipv6: true, or drop ipv6_subnet",
    ),
    "IPv4 key without IPv4": ({"blue": {**ONLY6, "gateway": False}}, {}, "gateway needs IPv4; write enable_ipv4: true"),
    "IPv6 address without IPv6": (
        {"blue": A},
        members("a", ipv6_address="fd71::9"),
        "container 'a': network 'blue': ipv6_address 'fd71::9' needs IPv6, which the network has not; give it",
    ),
    "IPv4 address without IPv4": ({"blue": ONLY6}, members("a", ipv4_address="10.1.0.9"), "needs IPv4, which the"),
    "IPv4 in IPv6": ({"blue": DUAL}, members("a", ipv6_address="10.1.0.9"), "'10.1.0.9' is no IPv6 address"),
    "subnet of IPv4 in IPv6": ({"blue": {**ONLY6, "ipv6_subnet": "10.1.0.0/24"}}, {}, "is no IPv6 network"),
    "gateway of IPv4 in IPv6": ({"blue": {**DUAL, "ipv6_gateway": "10.1.0.1"}}, {}, "ipv6_gateway '10.1.0.1' is no"),
    "IPv6 gateway outside": ({"blue": {**DUAL, "ipv6_gateway": "fd72::1"}}, {}, "is outside subnet fd71::/64; choose"),
    "IPv6 gateway is the network": ({"blue": {**DUAL, "ipv6_gateway": "fd71::"}}, {}, "is the network address"),
    "link-local": ({"blue": {**DUAL, "ipv6_subnet": "fe80::/64"}}, {}, "overlaps fe80::/10 (link-local)"),
    "IPv6 host bits": ({"blue": {**DUAL, "ipv6_subnet": "fd71::1/64"}}, {}, "write fd71::/64"),
    "IPv6 overlap": (
        {"a": DUAL, "b": {**ONLY6, "ipv6_subnet": "fd71::/56"}},
        {},
        "network 'a': subnet 'fd71::/64' overlaps 'fd71::/56' of network 'b'; choose another",
    ),
    "range outside": (
        {"blue": {**A, "ip_range": "10.2.0.0/25"}},
        {},
        "ip_range '10.2.0.0/25' is not within subnet '10.1.0.0/24'; choose a part of it",
    ),
    "range larger": ({"blue": {**A, "ip_range": "10.0.0.0/8"}}, {}, "is not within subnet"),
    "range without subnet": ({"blue": {"ip_range": "10.2.0.0/25"}}, {}, "ip_range without subnet is in no subnet"),
    "range exhausted": (
        {"blue": {**A, "ip_range": "10.1.0.4/31"}},
        members("a", "b", "c"),
        "network 'blue': range 10.1.0.4/31 has no address left for container 'c'",
    ),
    "address reserved": (
        {"blue": {**A, "aux_addresses": {"printer": "10.1.0.9"}}},
        members("a", ipv4_address="10.1.0.9"),
        "ipv4_address '10.1.0.9' is in aux_addresses of the network; choose another",
    ),
    "gateway reserved": (
        {"blue": {**A, "gateway": "10.1.0.9", "aux_addresses": {"printer": "10.1.0.9"}}},
        {},
        "gateway '10.1.0.9' is 'printer' of aux_addresses; choose another",
    ),
    "reserved outside": ({"blue": {**A, "aux_addresses": {"x": "10.2.0.9"}}}, {}, "aux_addresses: 'x' '10.2.0.9' is"),
    "reserved of no family": ({"blue": {**A, "aux_addresses": {"x": "fd71::9"}}}, {}, "but there is no IPv6; drop it"),
    "reserved twice": (
        {"blue": {**A, "aux_addresses": {"x": "10.1.0.9", "y": "10.1.0.9"}}},
        {},
        "aux_addresses: 'y' and 'x' are both '10.1.0.9'",
    ),
    "reserved in no subnet": (
        {"blue": {"aux_addresses": {"x": "10.210.0.9"}}},
        {},
        "aux_addresses without subnet is in",
    ),
    "reserved as a list": ({"blue": {**A, "aux_addresses": ["10.1.0.9"]}}, {}, "not a mapping; write it as {NAME:"),
    "address without subnet": (
        {"blue": {}},
        members("a", ipv4_address="10.210.0.9"),
        "ipv4_address '10.210.0.9' is in no subnet that you know; give the network a subnet",
    ),
    "masquerade without gateway": ({"blue": {**DUAL, "gateway": False, "ipv6_gateway": False}}, {}, "nothing leaves"),
    "MTU below that of IPv6": ({"blue": {**DUAL, "mtu": 1279}}, {}, "mtu 1279 is too small for IPv6; write 1280"),
    "MAC without network": ({}, {"a": {"networks": {}, "mac_address": "02:00:00:00:00:01"}}, "and it has none; drop"),
    "MAC twice": (
        {"blue": A},
        {"a": {"networks": {"blue": {"mac_address": "02:00:00:00:00:01"}}, "mac_address": "02:00:00:00:00:02"}},
        "is for its interface in network 'blue', which has '02:00:00:00:00:01'; drop one of the two",
    ),
}


@pytest.mark.parametrize(("networks", "containers", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(networks, containers, message):
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        expand(networks, containers)


BAD_POOLS = {
    "no list": ({"base": "10.0.0.0/8", "size": 24}, "address pools are no list; write one like"),
    "no size": ([{"base": "10.0.0.0/8"}], "address pool 1: has no size"),
    "too small": ([{"base": "10.0.0.0/24", "size": 16}], "size 16 is no prefix length of subnets of 10.0.0.0/24"),
    "no room": ([{"base": "10.0.0.0/24", "size": 31}], "write one from 24 to 30"),
    "unknown key": ([{"bass": "10.0.0.0/8"}], "unknown key 'bass'; did you mean 'base'?"),
    "no network": ([{"base": "10.0.0.1/8", "size": 24}], "base '10.0.0.1/8' has bits set"),
    "none": ([], "no address pool of IPv4 has a free subnet left (none); write subnet, or add a pool"),
}


@pytest.mark.parametrize(("pools", "message"), BAD_POOLS.values(), ids=BAD_POOLS)
def test_refused_pools(pools, message):
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        expand({"blue": {}}, pools=pools)


@pytest.mark.parametrize("host", ["lab1", [], [{"name": ""}], [{"name": "", "links": [{}]}]])
def test_a_host_that_is_none(host):
    with pytest.raises(AnsibleFilterError, match="host is not the list namespaces of netns_info"):
        expand({}, host=host)
