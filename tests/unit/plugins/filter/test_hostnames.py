# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which names containers find each other."""

from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand

NETWORKS = {
    "blue": {"subnet": "10.10.0.0/16"},
    "red": {
        "subnet": "10.20.0.0/16",
        "gateway": False,
        "enable_ipv6": True,
        "ipv6_subnet": "fd20::/64",
        "ipv6_gateway": False,
    },
}
SLEEP = ["sleep", "infinity"]


def blue(number, **keys):
    return {"networks": {"blue": {"ipv4_address": f"10.10.0.{number}", **keys}}}


def names(containers):
    """Its lists by their names."""
    found = expand(NETWORKS, containers)["netns_names"]
    return {one["name"]: {key: value for key, value in one.items() if key != "name"} for one in found}


def test_a_network_knows_its_members_by_name_and_alias():
    both = {"networks": {"red": {"ipv4_address": "10.20.0.9", "ipv6_address": "fd20::9"}, **blue(30)["networks"]}}
    found = names({"a": blue(10, aliases=["web", "a", "web"]), "b": blue(20, aliases="web"), "both": both})
    assert found["network/blue"] == {
        "namespaces": ["a", "b", "both"],
        "hosts": {"10.10.0.10": ["a", "web"], "10.10.0.20": ["b", "web"], "10.10.0.30": ["both"]},
    }
    assert found["network/red"] == {
        "namespaces": ["both"],
        "hosts": {"10.20.0.9": ["both"], "fd20::9": ["both"]},
    }
    assert found["dns"] == {"namespaces": ["a", "b", "both"], "host_nameservers": True}


def test_the_lists_do_not_grow_with_the_square_of_the_containers():
    found = expand(NETWORKS, {f"c{number}": {"networks": {"blue": {}}} for number in range(300)})["netns_names"]
    assert [one["name"] for one in found] == ["network/blue", "dns"]
    assert len(found[0]["hosts"]) == 300


def test_who_has_no_address_has_nothing_to_say():
    assert names({"a": {"network_mode": "none"}, "b": {"network_mode": "host"}, "c": {"state": "absent"}}) == {}
    assert names({"a": {"networks": {"red": {}}}}).keys() == {"network/red"}, "and without a way out, nobody to ask"


def test_a_host_name_of_its_own():
    found = names({"a": {**blue(10), "command": SLEEP}})
    assert "container/a" not in found, "it is in the list of the network"
    found = names({"a": {**blue(10), "command": SLEEP, "hostname": "www"}})
    assert found["container/a"] == {"namespaces": ["a"], "hosts": {"10.10.0.10": ["www"]}}
    found = names({"a": {"network_mode": "none", "command": SLEEP}})
    assert found == {"container/a": {"namespaces": ["a"], "hosts": {"127.0.1.1": ["a"]}}}


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        ({"db": "10.0.0.2"}, {"10.0.0.2": ["db"]}),
        ({"db": ["10.0.0.2", "fd00::2"]}, {"10.0.0.2": ["db"], "fd00::2": ["db"]}),
        (["db=10.0.0.2", "two:10.0.0.2", "x:[FD00::3]", "db:10.0.0.2"], {"10.0.0.2": ["db", "two"], "fd00::3": ["x"]}),
    ],
)
def test_extra_hosts(given, hosts):
    assert names({"a": {"network_mode": "none", "extra_hosts": given}})["container/a"]["hosts"] == hosts


def test_an_extra_host_may_be_its_own_name():
    found = names({"a": {"network_mode": "none", "command": SLEEP, "extra_hosts": {"a": "10.0.0.2"}}})
    assert found["container/a"]["hosts"] == {"10.0.0.2": ["a"]}


def test_name_servers():
    found = names({"a": {**blue(10), "dns": "10.0.0.1"}, "b": {**blue(20), "dns": ["FD00::1"], "dns_search": "lan"}})
    assert found["dns/a"] == {"namespaces": ["a"], "nameservers": ["10.0.0.1"]}
    assert found["dns/b"] == {"namespaces": ["b"], "nameservers": ["fd00::1"], "search": ["lan"]}
    assert "dns" not in found


def test_who_shares_a_namespace_shares_its_names():
    owner = {**blue(10), "extra_hosts": {"db": "10.0.0.2"}, "dns": "10.0.0.1"}
    side = {"network_mode": "container:a", "command": SLEEP}
    found = names({"side": side, "a": owner, "other": {**side, "dns": "10.0.0.9"}})
    assert found["network/blue"] == {"namespaces": ["a", "other", "side"], "hosts": {"10.10.0.10": ["a"]}}
    assert found["container/a"] == {"namespaces": ["a", "other", "side"], "hosts": {"10.0.0.2": ["db"]}}
    assert found["container/side"] == {"namespaces": ["side"], "hosts": {"10.10.0.10": ["side"]}}
    assert found["dns/side"]["nameservers"] == ["10.0.0.1"]
    assert found["dns/other"]["nameservers"] == ["10.0.0.9"]


REFUSED = {
    "alias: space": (blue(10, aliases=["a b"]), "aliases: 'a b' is no host name"),
    "alias: line": (blue(10, aliases=["a\n10.0.0.1 b"]), "is no host name"),
    "alias: long": (blue(10, aliases=["a" * 64]), "is no host name"),
    "alias: address": (blue(10, aliases=["10.0.0.1"]), "aliases: '10.0.0.1' as the name of a host means an address"),
    "alias: loopback": (blue(10, aliases=["localhost"]), "'localhost' as the name of a host means the loopback"),
    "alias: number": (blue(10, aliases=[1]), "aliases 1 is a number, not text"),
    "host: dns": ({"network_mode": "host", "dns": "10.0.0.1"}, "dns is for a namespace of its own"),
    "host: extra_hosts": ({"network_mode": "host", "extra_hosts": ["a=10.0.0.1"]}, "extra_hosts is for a namespace"),
    "dns": ({"network_mode": "none", "dns": "x"}, "dns: 'x' is no address"),
    "dns: line": ({"network_mode": "none", "dns": "10.0.0.1\nx"}, "is no address"),
    "dns: number": ({"network_mode": "none", "dns": [1]}, "dns 1 is a number, not text"),
    "dns_search": ({"network_mode": "none", "dns_search": "lan"}, "dns_search without dns would leave nobody to ask"),
    "dns_search: line": ({"network_mode": "none", "dns": "10.0.0.1", "dns_search": "a\nb"}, "is no host name"),
    "extra_hosts: form": (
        {"network_mode": "none", "extra_hosts": ["db"]},
        "extra_hosts 'db' is not of the form NAME=ADDRESS",
    ),
    "extra_hosts: type": ({"network_mode": "none", "extra_hosts": "db"}, "extra_hosts is neither a mapping nor a list"),
    "extra_hosts: address": (
        {"network_mode": "none", "extra_hosts": {"db": "x"}},
        "extra_hosts: db: 'x' is no",
    ),
    "extra_hosts: name": ({"network_mode": "none", "extra_hosts": {"-": "10.0.0.1"}}, "'-' is no host name"),
}


@pytest.mark.parametrize(("container", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(container, message):
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        expand(NETWORKS, {"web": container})


@pytest.mark.parametrize("name", ["a-", "a..b", "7", "localhost"])
def test_a_container_that_nobody_could_find_by_its_name(name):
    with pytest.raises(AnsibleFilterError, match=rf"container '{re.escape(name)}': its name: '{re.escape(name)}' "):
        expand(NETWORKS, {name: blue(10)})
