# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reaches whom, as a declaration promises it."""

from __future__ import annotations

import pytest

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.filter.promises import FilterModule, promises

NETWORKS = {
    "red": {"subnet": "10.71.0.0/24", "masquerade": True},
    "green": {"subnet": "10.72.0.0/24", "internal": True},
    "grey": {"subnet": "10.73.0.0/24", "icc": False},
}


def declared(networks=None, containers=None, options=None, **keys):
    """Who asks for whom and what is promised; without the host, and the gateways."""
    networks = networks or {name: {**entry, **keys.get(name, {})} for name, entry in NETWORKS.items()}
    lists = expand(networks, containers, **(options or {}))
    found = {}
    for one in promises(lists):
        assert one["title"].startswith(f"{one['from'] or 'the host'} to {one['name']}, {one['to']}")
        if one["from"] and one["name"] != "gateway":
            key = (one["from"], one["name"]) if "." in one["to"] else (one["from"], one["name"], 6)
            assert found.setdefault(key, one["expected"]) == one["expected"]
    return found


def container(*networks, **more):
    return {"networks": {name: {} for name in networks}, **more}


PAIR = {"a": container("red"), "b": container("green")}


def test_the_filter_has_its_name():
    assert FilterModule().filters() == {"promises": promises}


def test_two_containers_reach_each_other_the_gateway_and_are_reached_by_the_host():
    two = {"ns1": {"networks": {"red": {"ipv4_address": "10.71.0.10"}}}, "ns2": container("red")}
    two["ns2"]["networks"]["red"] = {"ipv4_address": "10.71.0.20"}
    found = promises(expand({"red": NETWORKS["red"]}, two))
    assert found[1] == {
        "from": "ns1",
        "to": "10.71.0.20",
        "name": "ns2",
        "expected": True,
        "title": "ns1 to ns2, 10.71.0.20",
    }
    assert [(one["from"], one["name"]) for one in found] == [
        ("ns1", "gateway"),
        ("ns1", "ns2"),
        ("ns2", "ns1"),
        ("ns2", "gateway"),
        ("", "ns1"),
        ("", "ns2"),
    ]
    assert all(one["expected"] for one in found)


def test_networks_are_kept_from_each_other():
    containers = {name + number: container(name) for name in NETWORKS for number in "12"}
    found = declared(containers=containers)
    assert len(found) == 30
    reached = {pair for pair, expected in found.items() if expected}
    assert reached == {("red1", "red2"), ("red2", "red1"), ("green1", "green2"), ("green2", "green1")}


def test_allowed_is_one_way():
    allow = {"red": {"allow": ["green"]}}
    assert declared(containers=PAIR) == {("a", "b"): False, ("b", "a"): False}
    assert declared(containers=PAIR, **allow) == {("a", "b"): True, ("b", "a"): False}
    both = {**allow, "green": {"allow": ["red"], "internal": True}}
    assert set(declared(containers=PAIR, **both).values()) == {True}


def test_where_the_host_may_not_forward_nothing_is_promised():
    found = declared(containers=PAIR, red={"allow": ["green"]}, options={"forwarding": False})
    assert found == {("b", "a"): False}


def test_without_isolation_only_internal_networks_promise():
    containers = {name: container(name) for name in ("red", "green", "blue")}
    networks = {**NETWORKS, "blue": {"subnet": "10.74.0.0/24"}}
    del networks["grey"]
    found = declared(networks, containers, {"isolation": False})
    assert set(found) == {
        pair for pair in [(one, two) for one in networks for two in networks] if pair[0] != pair[1]
    } - {
        ("red", "blue"),
        ("blue", "red"),
    }
    assert set(found.values()) == {False}


def test_who_has_no_network_reaches_nobody():
    found = declared(containers={"a": container("red"), "alone": {"network_mode": "none"}})
    assert found == {("alone", "a"): False}


def test_a_shared_namespace_is_asked_once():
    containers = {"a": container("red"), "b": container("red"), "beside": {"network_mode": "container:a"}}
    assert {pair[0] for pair in declared(containers=containers)} == {"a", "b"}


def test_an_adopted_namespace_may_have_ways_of_its_own():
    containers = {"a": container("red", adopt={"pid": 1}), "b": container("red"), "c": container("grey")}
    found = declared(containers=containers)
    assert found["a", "b"] is True
    assert ("a", "c") not in found
    assert found["c", "a"] is False


def test_an_answer_that_takes_another_way_is_not_promised():
    """b asks by red, where the other is as well, and would answer past the host."""
    containers = {"a": container("red"), "b": container("red", "green")}
    found = promises(expand({**NETWORKS, "red": {"subnet": "10.71.0.0/24", "allow": ["green"]}}, containers))
    names = {(one["from"], one["to"].rpartition(".")[0]): one["expected"] for one in found if one["name"] == "b"}
    assert names["a", "10.71.0"] is True
    assert ("a", "10.72.0") not in names


def test_of_an_external_network_only_its_own_bridge():
    networks = {"theirs": {"external": True, "bridge": "docker0", "subnet": "172.17.0.0/16"}, "red": NETWORKS["red"]}
    theirs = {number: {"networks": {"theirs": {"ipv4_address": f"172.17.0.{number}"}}} for number in ("8", "9")}
    containers = {f"c{number}": entry for number, entry in theirs.items()}
    lists = expand(networks, {**containers, "a": container("red")})
    found = promises(lists)
    assert {(one["from"], one["name"]) for one in found} == {
        ("c8", "gateway"),
        ("c9", "gateway"),
        ("c8", "c9"),
        ("c9", "c8"),
        ("a", "gateway"),
        ("", "a"),
    }


def test_both_families():
    ipv6 = {name: {"enable_ipv6": True, "ipv6_subnet": f"fd7{n}::/64"} for n, name in enumerate(NETWORKS)}
    ipv6["red"]["allow"] = ["green"]
    found = declared(containers=PAIR, **ipv6)
    assert found == {("a", "b"): True, ("a", "b", 6): True, ("b", "a"): False, ("b", "a", 6): False}


def test_pure_layer_2():
    found = promises(expand({"l2": {"subnet": "10.9.0.0/24", "gateway": False}}, {n: container("l2") for n in "ab"}))
    assert [(one["from"], one["name"], one["expected"]) for one in found] == [("a", "b", True), ("b", "a", True)]


@pytest.mark.parametrize("count", [20, 21, 250])
def test_with_many_only_a_sample(count):
    lists = expand({"red": NETWORKS["red"]}, {f"c{number:03}": container("red") for number in range(count)})
    names = sorted({one["from"] for one in promises(lists)} - {""})
    assert len(names) == (20 if count == 20 else 10)
    assert names[:2] == ["c000", "c001"]
    assert names[-1] == f"c{count - 1:03}"
    assert len({one["from"] for one in promises(lists, limit=1, sample=1)} - {""}) == 2
    assert len(promises(lists)) <= 20 * 20 + 20


def test_what_is_absent_promises_nothing():
    lists = expand({"red": {**NETWORKS["red"], "state": "absent"}}, {"a": {"state": "absent", "networks": {"red": {}}}})
    assert promises(lists) == []
    assert promises({}) == []
