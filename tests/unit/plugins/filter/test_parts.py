# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of a fleet take from one pool and one range, without asking each other."""

from __future__ import annotations

import ipaddress

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.filter.omitted import omitted
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._parts import Share

FLAT = {"subnet": "10.9.0.0/24", "ip_range": "10.9.0.64/26", "shared": True, "bridge": "lan", "external": True}
WEB = {"web": {"networks": {"flat": {}}}}


def subnets(index, count, networks=("red", "blue"), **options):
    lists = expand({name: {"enable_ipv6": True} for name in networks}, host_index=index, host_count=count, **options)
    return [ipaddress.ip_interface(address).network for one in lists["bridge"] for address in one["addresses"]]


def address(index, count, network=None, containers=None, **options):
    lists = expand({"flat": network or FLAT}, containers or WEB, host_index=index, host_count=count, **options)
    return lists["veth"][0]["peer"]["addresses"][0]


def standing(bridge, inside):
    """A host with the bridge of a network and a container in it."""
    pair = {"namespace": "web", "name": "eth0"}
    plain = {"kind": "", "project": "default", "label": "", "mtu": 1500, "addresses": [], "routes": []}
    return [
        {
            "name": "",
            "links": [
                {**plain, "name": "br", "kind": "bridge", "label": "flat", "addresses": [bridge]},
                {**plain, "name": "port", "label": "web/flat", "peer": pair},
            ],
        },
        {"name": "web", "links": [{**plain, "name": "eth0", "addresses": [inside]}]},
    ]


@given(
    prefix=st.integers(8, 28),
    base=st.integers(0, 2**32 - 1),
    count=st.integers(1, 40),
)
def test_parts_cover_nothing_twice(prefix, base, count):
    whole = ipaddress.ip_network((base, prefix), strict=False)
    parts = [Share(index, count).of(whole) for index in range(count)]
    if None in parts:
        assert parts == [None] * count
        assert count > 1 << (32 - prefix - 1)
        return
    assert all(part.subnet_of(whole) for part in parts)
    assert all(one.broadcast_address < next_one.network_address for one, next_one in zip(parts, parts[1:]))


def test_no_two_hosts_have_one_subnet():
    found = [subnet for index in range(11) for subnet in subnets(index, 11)]
    assert len(set(found)) == 11 * 2 * 2
    assert subnets(1, 11) == [
        ipaddress.ip_network(text)
        for text in ("10.210.24.0/21", "fd9d:4e1b:62c0:1001::/64", "10.210.16.0/21", "fd9d:4e1b:62c0:1000::/64")
    ]
    assert subnets("1", "16") == subnets(1, 11)  # the next power of two
    assert subnets(0, 1) == subnets(None, None)


def test_a_host_has_no_more_than_its_part():
    subnets(1, 16)
    with pytest.raises(AnsibleFilterError, match=r"no address pool of IPv4 has a free subnet left \(10\.210\.16\.0/20"):
        subnets(1, 16, networks="abc")


def test_a_subnet_in_the_part_of_another_host_does_not_stay():
    def subnet(there, index, **network):
        host = standing(f"{there}.1/21", f"{there}.9/21")
        lists = expand(
            {"flat": network}, WEB, host=host, host_index=index, host_count=16 if index is not None else None
        )
        return lists["bridge"][0]["addresses"], lists["veth"][0]["peer"]["addresses"]

    assert subnet("10.210.16", None) == subnet("10.210.16", 1) == (["10.210.16.1/21"], ["10.210.16.9/21"])
    gateways, addresses = subnet("10.210.16", 2)
    assert gateways == ["10.210.32.1/21"]
    assert ipaddress.ip_interface(addresses[0]).network == ipaddress.ip_network("10.210.32.0/21")
    # What is from no pool is nobody else's.
    assert subnet("10.99.0", 2) == (["10.99.0.1/21"], ["10.99.0.9/21"])
    # Without a fleet, what stands does not depend on the pools.
    pools = [{"base": "10.210.18.0/24", "size": 24}]
    host = standing("10.210.16.1/21", "10.210.16.9/21")
    assert expand({"flat": {}}, host=host, pools=pools)["bridge"][0]["addresses"] == ["10.210.16.1/21"]
    # What goes is found where it is.
    absent = expand(
        {"flat": {"state": "absent", "masquerade": True}},
        host=standing("10.210.16.1/21", "10.210.16.9/21"),
        host_index=2,
        host_count=16,
    )
    assert [one["source"] for one in absent["masquerade"]] == ["10.210.16.0/21"]


def test_no_two_hosts_choose_one_address():
    found = [address(index, 8) for index in range(8)]
    for index, one in enumerate(found):
        assert ipaddress.ip_interface(one).ip in ipaddress.ip_network(f"10.9.0.{64 + 8 * index}/29")
    assert omitted({"flat": {**FLAT, "mtu": 1500}}, WEB, host_index=1, host_count=8) == [
        "container 'web', network 'flat': ipv4_address"
    ]


def test_without_a_range_it_is_the_subnet_that_is_parted():
    network = {"subnet": "10.9.0.0/28", "shared": True, "gateway": "10.9.0.14"}
    last = {"a": {"networks": {"flat": {}}}, "b": {"networks": {"flat": {}}}}
    found = expand({"flat": network}, last, host_index=3, host_count=4)["veth"]
    assert sorted(one["peer"]["addresses"][0] for one in found) == ["10.9.0.12/28", "10.9.0.13/28"]
    assert ipaddress.ip_interface(address(0, 4, network)).ip in ipaddress.ip_network("10.9.0.0/30")


def test_an_address_in_the_part_of_another_host_does_not_stay():
    def kept(inside, network):
        return address(1, 8, network, host=standing("10.9.0.1/24", inside)) == inside

    assert kept("10.9.0.75/24", FLAT)
    assert not kept("10.9.0.80/24", FLAT)
    assert not kept("10.9.0.9/24", FLAT)
    assert kept("10.9.0.9/24", {**FLAT, "shared": False})


def test_what_is_written_needs_no_index():
    written = {"web": {"networks": {"flat": {"ipv4_address": "10.9.0.80"}}}}
    assert address(None, None, FLAT, written) == "10.9.0.80/24"
    whole = {"subnet": "10.9.0.0/24", "shared": True}
    assert address(1, 8, whole, written) == "10.9.0.80/24"
    outside = {"web": {"networks": {"flat": {"ipv4_address": "10.9.0.9"}}}}
    assert address(1, 8, FLAT, outside) == "10.9.0.9/24"


def test_a_pool_from_which_nobody_takes_may_be_too_small():
    assert address(40, 64) == address(40, 64, pools=[{"base": "10.8.0.0/23", "size": 24}])


REFUSED = {
    "a pool too small for the fleet": (
        {"flat": {}},
        {},
        (0, 33),
        "network 'flat': address pool 1: 10.210.0.0/16 is 32 subnets of /21, which are too few for the 64 parts of a "
        "fleet of up to 33 hosts; write a larger base, smaller subnets, or a smaller "
        "container_bridge_network_host_count",
    ),
    "a range too small for the fleet": (
        {"flat": {**FLAT, "ip_range": "10.9.0.64/30"}},
        WEB,
        (0, 5),
        "network 'flat': 10.9.0.64/30 has no address for each of 5 hosts; write a larger one, or a smaller "
        "container_bridge_network_host_count",
    ),
    "an index behind the last": (
        {},
        {},
        (8, 8),
        "container_bridge_network_host_index 8 is not one of 8 hosts; write one from 0 to 7, or a larger "
        "container_bridge_network_host_count",
    ),
    "an index before the first": ({}, {}, (-1, 8), "container_bridge_network_host_index -1 is not one of 8 hosts"),
    "an index in words": ({}, {}, ("two", 8), "container_bridge_network_host_index 'two' is not a whole number"),
    "no hosts": ({}, {}, (0, 0), "container_bridge_network_host_count 0 is no number of hosts; write 1 or more"),
    "an index of how many": (
        {},
        {},
        (1, None),
        "container_bridge_network_host_index is 1, but of how many is not known",
    ),
    "a host without index": (
        {},
        {},
        (None, 8),
        "this host has no container_bridge_network_host_index, and container_bridge_network_host_count is 8; run "
        "playbooks/allocate.yml, which writes one into group_vars/lab_hosts/host_indexes.yml beside the inventory, or "
        "write one into its host_vars, and to no two hosts the same",
    ),
    "a shared network without index": (
        {"flat": FLAT},
        WEB,
        (None, None),
        "network 'flat': is shared with other hosts, and which addresses this one may give to container 'web' is not "
        "known; write container_bridge_network_host_index and container_bridge_network_host_count, or the address",
    ),
    "a shared network without subnet": (
        {"flat": {"shared": True}},
        {},
        (0, 8),
        "network 'flat': is shared with other hosts and has no subnet; write that which all of them have, like "
        "10.10.0.0/16",
    ),
    "an external network whose free addresses nobody knows": (
        {"flat": {**FLAT, "ip_range": None}},
        WEB,
        (0, 8),
        "which addresses of an external network are free is not known here",
    ),
    "an address of another host": (
        {"flat": FLAT},
        {"web": {"networks": {"flat": {"ipv4_address": "10.9.0.80"}}}},
        (1, 8),
        "container 'web': network 'flat': ipv4_address '10.9.0.80' is in the part of ip_range 10.9.0.64/26 from which "
        "another host chooses; write one in 10.9.0.72/29, which is this host's, or outside ip_range",
    ),
}


@pytest.mark.parametrize(("networks", "containers", "share", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(networks, containers, share, message):
    with pytest.raises(AnsibleFilterError) as caught:
        expand(networks, containers, host_index=share[0], host_count=share[1])
    assert message in str(caught.value)
