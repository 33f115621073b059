# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One network on three hosts: layer 2 between them, a gateway on each, and what stays inside."""

from __future__ import annotations

import itertools
import json

HOST = "-"
NETWORKS = {"wide": 60, "quiet": 61}


def address(lab, container):
    """The address of a container, of IPv4."""
    return lab.addresses(container, "eth0")[0].partition("/")[0]


def test_links(lab, labs):
    """Each network has its number, the others as peers, and what the underlay carries."""
    others = sorted(other.uplink_address() for other in labs if other.name != lab.name)
    assert len(others) == 2
    for network, vni in NETWORKS.items():
        (link,) = lab.ip(HOST, "link", "show", "dev", f"vx-{network}")
        data = link["linkinfo"]["info_data"]
        assert (data["id"], data["local"], link["mtu"]) == (vni, lab.uplink_address(), 1450)
        assert link["master"] == f"br-{network}"
        assert link["linkinfo"]["info_slave_data"]["neigh_suppress"]
        entries = json.loads(lab.inside(HOST, "bridge", "-json", "fdb", "show", "dev", f"vx-{network}"))
        assert sorted(one["dst"] for one in entries if one["mac"] == "00:00:00:00:00:00") == others
        assert lab.ip("a", "link", "show", "dev", "eth0")[0]["mtu"] == 1450


def test_no_address_is_chosen_twice(labs):
    found = [address(lab, container) for lab in labs for container in ("a", "b")]
    assert len(set(found)) == 6


def test_everybody_reaches_everybody(lab, labs):
    """On layer 2: a neighbour on another host has its own MAC address."""
    for container in ("a", "b"):
        lab.assert_answered((container, address(other, one)) for other in labs for one in ("a", "b"))
    lab.assert_answered(("q", address(other, "q")) for other in labs)
    for other in labs:
        if other.name == lab.name:
            continue
        (seen,) = lab.ip("a", "neigh", "show", "to", address(other, "a"))
        assert seen["lladdr"] == other.ip("a", "link", "show", "dev", "eth0")[0]["address"]


def names(lab, container):
    """Address -> names, as a container knows them; without the loopback."""
    lines = lab.inside(container, "cat", "/etc/hosts").splitlines()
    entries = [line.split() for line in lines if not line.startswith("#")]
    return {found[0]: found[1:] for found in entries if found[0] not in ("127.0.0.1", "::1")}


def test_names(lab, labs):
    """Those of all hosts, and who has the name of a container on another host is found by an alias."""
    expected = {}
    for other, one in itertools.product(labs, ("a", "b")):
        for found in (each.partition("/")[0] for each in other.addresses(one, "eth0") if not each.startswith("fe80:")):
            expected[found] = [*([one] if other.name == lab.name else []), f"{one}-of-{other.name}"]
    assert names(lab, "a") == names(lab, "b") == expected
    assert names(lab, "q") == {address(lab, "q"): ["q"]}
    for other in labs:
        lab.assert_answered([("a", f"b-of-{other.name}")])


def test_ipv6(lab, labs):
    found = [one for other in labs for one in other.addresses("a", "eth0") if one.startswith("fd60:")]
    assert len(set(found)) == 3
    lab.assert_answered(("b", one.partition("/")[0]) for one in found)
    lab.assert_answered([("a", "fd60::1")])


def test_large_packets(lab, labs):
    """What the MTU promises, the underlay carries, and not a byte more."""
    ping = ("ping", "-n", "-c", "1", "-W", "5", "-M", "do", "-s")
    for other in labs:
        lab.inside("a", *ping, str(1450 - 28), address(other, "a"))
        large = lab.host.run(f"ip netns exec a {' '.join(ping)} {1451 - 28} {address(other, 'a')}")
        assert (large.rc == 0) == (other.name == lab.name)  # to itself by its loopback


def test_each_host_is_the_gateway_of_its_own(lab, labs):
    """With one address and one MAC address, so that a container does not notice where it is."""
    macs = {one.ip(HOST, "link", "show", "dev", "br-wide")[0]["address"] for one in labs}
    assert len(macs) == 1
    for container in ("a", "b"):
        lab.inside(container, "ip", "neigh", "flush", "all")
        lab.assert_answered([(container, "10.60.0.1")])
        (gateway,) = lab.ip(container, "neigh", "show", "to", "10.60.0.1")
        assert {gateway["lladdr"]} == macs


def test_no_question_for_the_gateway_leaves_the_host(lab, labs):
    """The other hosts would answer it as well: each counts what comes to it about the gateway."""
    rules = (
        "add table bridge watch; add chain bridge watch in { type filter hook prerouting priority 0; }; "
        'add rule bridge watch in iifname "vx-wide" arp daddr ip 10.60.0.1 counter'
    )
    others = [one for one in labs if one.name != lab.name]
    for other in others:
        other.host.check_output(f"nft '{rules}'")
    try:
        lab.inside("a", "ip", "neigh", "flush", "all")
        lab.assert_answered([("a", "10.60.0.1"), *(("a", address(one, "a")) for one in others)])
        for other in others:
            assert "packets 0 " in other.host.check_output("nft list table bridge watch")
    finally:
        for other in others:
            other.host.check_output("nft delete table bridge watch")


def test_a_way_out_by_the_own_host(lab, labs):
    """With the address of that host: another host is the outside."""
    for other in labs:
        if other.name != lab.name:
            lab.assert_answered([("a", other.uplink_address()), ("b", other.uplink_address())])


def test_internal_stays_internal(lab, labs):
    """By no host a way out, in, or to the other network."""
    assert lab.default_gateways("q") == []
    addresses = [one.uplink_address() for one in labs] + [address(one, "a") for one in labs]
    lab.inside("q", "ip", "route", "add", "default", "via", "10.61.0.1")
    try:
        lab.assert_unanswered(("q", one) for one in addresses if one != lab.uplink_address())
    finally:
        lab.inside("q", "ip", "route", "del", "default")
    lab.assert_unanswered(itertools.product(["a"], [address(one, "q") for one in labs]))
