# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which names containers find those on other hosts."""

from __future__ import annotations

import itertools
import re

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.filter.elsewhere import elsewhere
from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _members

WIDE = {"driver": "vxlan", "vni": 60, "subnet": "10.60.0.0/24"}
FLAT = {"shared": True, "external": True, "bridge": "lan", "subnet": "10.61.0.0/24", "ip_range": "10.61.0.0/25"}
COUNT = 4
PAIRS = list(itertools.combinations(map("c{}".format, range(12, 24)), 2))


def host(index, containers, networks=None, **more):
    """The variables of a host."""
    return {
        "container_bridge_network_networks": {"wide": WIDE} if networks is None else networks,
        "container_bridge_network_containers": containers,
        "container_bridge_network_host_index": index,
        "container_bridge_network_host_count": COUNT,
        "container_bridge_network_vxlan_address": f"198.18.0.{index + 1}",
        **more,
    }


def at(address=None, network="wide", **more):
    """A container in a network."""
    return {"networks": {network: {**({"ipv4_address": address} if address else {}), **more}}}


def expanded(variables, standing=None):
    own = variables["container_bridge_network_vxlan_address"]
    return expand(
        variables["container_bridge_network_networks"],
        variables["container_bridge_network_containers"],
        host=standing,
        host_index=variables["container_bridge_network_host_index"],
        host_count=COUNT,
        underlay={"own": "h", "hosts": {"h": {"address": own, "networks": {}}}},
    )


def known(variables, own="h0", network="wide", lists=None, standing=None):
    """Address -> names, as the containers of a host know them."""
    networks = variables[own]["container_bridge_network_networks"]
    found = elsewhere(lists or expanded(variables[own]), networks, variables, variables, own, standing)
    return {one["name"]: one["hosts"] for one in found["netns_names"] if "hosts" in one}[f"network/{network}"]


def test_every_host_knows_the_members_on_all():
    variables = {
        "h0": host(0, {"web": at("10.60.0.10")}),
        "h1": host(1, {"db": at("10.60.0.70", aliases=["sql"]), "gone": {"state": "absent"}}),
        "h2": host(2, {"cache": at("10.60.0.130")}),
    }
    everybody = {"10.60.0.10": ["web"], "10.60.0.70": ["db", "sql"], "10.60.0.130": ["cache"]}
    assert [known(variables, own) for own in variables] == [everybody] * 3


def test_containers_of_the_inventory_are_no_hosts():
    """They have the variables of groups as all hosts do."""
    own = host(0, {"web": at("10.60.0.10")})
    assert known({"h0": own, "web.h0": {**own, "bridgenet_host": "h0"}}) == {"10.60.0.10": ["web"]}


def test_what_a_host_told_counts_and_not_what_its_declaration_would_give():
    told = {"wide": {"10.60.0.99": ["db"]}, "other": {"10.99.0.9": ["x"]}}
    variables = {"h0": host(0, {"web": at("10.60.0.10")}), "h1": host(1, {"db": at()}, **{_members.FACT: told})}
    assert known(variables) == {"10.60.0.10": ["web"], "10.60.0.99": ["db"]}


def test_what_a_host_told_in_an_earlier_run_holds_until_it_tells_anew():
    def knows(hosts, told=None, project="default", **aliases):
        standing = [{"project": project, "name": "network/wide", "hosts": {"10.60.0.10": ["web"], **hosts}}]
        db, more = host(1, {"db": at(**aliases)}), {_members.FACT: told} if told else {}
        return known({"h0": host(0, {"web": at("10.60.0.10")}), "h1": {**db, **more}}, standing=standing)

    (chosen,) = knows({}).keys() - {"10.60.0.10"}  # of 10.60.0.64/26
    assert chosen != "10.60.0.99"
    assert knows({"10.60.0.99": ["db"]}) == {"10.60.0.10": ["web"], "10.60.0.99": ["db"]}
    assert knows({"10.60.0.99": ["sql"]}, aliases=["web", "sql"])["10.60.0.99"] == ["db", "sql"], "db was one of ours"
    told = {"wide": {"10.60.0.98": ["db"]}}
    assert knows({"10.60.0.99": ["db"]}, told) == {"10.60.0.10": ["web"], "10.60.0.98": ["db"]}
    for other in ({"10.60.0.140": ["db"]}, {"10.60.0.99": ["gone"]}, {"10.60.0.98": ["db"], "10.60.0.99": ["db"]}):
        assert knows(other) == {"10.60.0.10": ["web"], chosen: ["db"]}, other
    assert knows({"10.60.0.99": ["db"]}, project="theirs") == {"10.60.0.10": ["web"], chosen: ["db"]}


def test_who_met_another_stays_known():
    """Of two, who came first is known from the run in which its host told it."""
    names = next(pair for pair in PAIRS if addresses(pair)[0] != addresses(pair[::-1])[0])
    for order in (names, names[::-1]):
        real, networks = addresses(order)
        told = [{"project": "default", "name": "network/wide", "hosts": {own: [name] for name, own in real.items()}}]
        others = {name: at() for name in names}
        variables = {"h0": host(0, others, networks), "h1": host(1, {"web": at("10.60.0.40")}, networks)}
        assert known(variables, "h1") == {"10.60.0.40": ["web"]}
        assert known(variables, "h1", standing=told) == {"10.60.0.40": ["web"], **told[0]["hosts"]}


@pytest.mark.parametrize(
    "other",
    [
        host(1, {"db": at("10.60.0.70")}, container_bridge_network_state="absent"),
        host(1, {"db": at("10.60.0.70")}, {"wide": {**WIDE, "vni": 61}}),
        host(1, {"db": at("10.60.0.70")}, {"wide": {"subnet": "10.60.0.0/24"}}),
        host(1, {"db": at("10.60.0.70")}, {"wide": {"subnet": "10.60.0.0/24", "shared": True}}),
        host(1, {}, {"wide": {**WIDE, "state": "absent"}}),
        host(1, {"db": at("10.60.0.70", "tall")}, {"tall": {**WIDE, "subnet": "10.60.0.0/25"}}),
        host(1, {}),
        {},
    ],
)
def test_who_is_not_in_the_network_is_not_known(other):
    variables = {"h0": host(0, {"web": at("10.60.0.10")}), "h1": other}
    assert known(variables) == {"10.60.0.10": ["web"]}


def test_a_network_of_one_host_is_its_own():
    networks = {"blue": {"subnet": "10.10.0.0/24"}}
    variables = {name: host(0, {name: at(f"10.10.0.{10 + at_}", "blue")}, networks) for at_, name in enumerate("ab")}
    assert known(variables, "a", "blue") == {"10.10.0.10": ["a"]}


def test_a_shared_bridge_without_vxlan():
    variables = {
        "h0": host(0, {"web": at(network="flat")}, {"flat": FLAT}),
        "h1": host(1, {"db": at("10.61.0.200", "flat")}, {"flat": {**FLAT, "shared": "yes"}}),
    }
    (own,) = expanded(variables["h0"])["members"]["flat"]
    assert known(variables, "h0", "flat") == {own: ["web"], "10.61.0.200": ["db"]}


def test_a_name_is_that_of_the_own_container():
    variables = {
        "h0": host(0, {"web": at("10.60.0.10", aliases=["www"]), "one": at("10.60.0.11")}),
        "h1": host(1, {"web": at("10.60.0.70", aliases=["www", "one", "web1"]), "one": at("10.60.0.71")}),
    }
    assert known(variables) == {
        "10.60.0.10": ["web", "www"],
        "10.60.0.11": ["one"],
        "10.60.0.70": ["www", "web1"],  # an alias may have several
    }
    assert known(variables, "h1")["10.60.0.10"] == ["www"]


def test_both_families():
    networks = {"wide": {**WIDE, "enable_ipv6": True, "ipv6_subnet": "fd60::/64"}}
    variables = {
        "h0": host(0, {"web": at("10.60.0.10", ipv6_address="fd60::10")}, networks),
        "h1": host(1, {"db": at("10.60.0.70", ipv6_address="fd60::70")}, networks),
    }
    assert list(known(variables)) == ["10.60.0.10", "fd60::10", "10.60.0.70", "fd60::70"]


def test_two_with_one_address_are_refused():
    variables = {"h0": host(0, {"web": at("10.60.0.10")}), "h1": host(1, {"db": at("10.60.0.10")})}
    message = (
        "container 'web', network 'wide': the address 10.60.0.10 is that of container 'db' on host 'h1' as well; "
        "choose another"
    )
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        known(variables)
    third = {**variables, "h2": host(2, {"cache": at("10.60.0.130")})}
    assert known(third, "h2") == {"10.60.0.130": ["cache"], "10.60.0.10": ["web"]}, "it is not that host's mistake"


def test_a_wrong_declaration_elsewhere_is_said_and_does_no_harm(monkeypatch):
    warnings = []
    monkeypatch.setattr("ansible.utils.display.Display.warning", lambda _self, text: warnings.append(text))
    variables = {
        "h0": host(0, {"web": at("10.60.0.10")}),
        "h1": host(1, {"db": at("10.99.0.70")}),
        "h2": host(2, {"x": at("10.60.0.70")}, {"wide": {**WIDE, "shared": "perhaps"}}),
        "h3": host(3, {"cache": at("10.60.0.200")}),
    }
    assert known(variables) == {"10.60.0.10": ["web"], "10.60.0.200": ["cache"]}
    assert [text[:60] for text in warnings] == [
        f"who is on host {name!r} is not known by name, because its declar" for name in ("h1", "h2")
    ]
    assert "is outside subnet" in warnings[0]


def addresses(order):
    """What a host chooses where its containers came one after the other."""
    networks = {"wide": {**WIDE, "subnet": "10.60.0.0/25"}}  # 32 for each host
    links, inside = [], []
    plain = {"kind": "veth", "project": "default", "label": "", "mtu": 1500, "addresses": [], "routes": []}
    links.append({**plain, "name": "eth0", "addresses": ["198.18.0.1/24"]})
    lists = {}
    for count in range(1, len(order) + 1):
        containers = {name: at() for name in order[:count]}
        lists = expanded(host(0, containers, networks), [{"name": "", "links": links}, *inside])
        name = order[count - 1]
        (link,) = [one for one in lists["veth"] if one["peer"]["namespace"] == name]
        peer = {"namespace": name, "name": "eth0"}
        links.append({**plain, "name": link["name"], "label": f"{name}/wide", "peer": peer})
        inside.append({"name": name, "links": [{**plain, "name": "eth0", "addresses": link["peer"]["addresses"]}]})
    return {names[0]: address for address, names in lists["members"]["wide"].items()}, networks


@given(names=st.lists(st.integers(0, 60).map("c{}".format), min_size=1, max_size=12, unique=True), data=st.data())
def test_what_is_known_without_the_host_is_so_whoever_came_first(names, data):
    order = data.draw(st.permutations(names))
    real, networks = addresses(order)
    told = expanded(host(0, {name: at() for name in names}, networks))["members"]["wide"]
    assert {own[0]: address for address, own in told.items()}.items() <= real.items()


def test_only_those_that_met_are_not_known():
    found = []
    for pair in PAIRS:
        one, other = addresses(pair), addresses(pair[::-1])
        told = expanded(host(0, {name: at() for name in pair}, one[1]))["members"]["wide"]
        assert bool(told) == (one[0] == other[0]), pair
        found.append(len(told))
    assert set(found) == {0, 2}, "the names were chosen so that some meet"
