# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import re

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _addresses, _declaration
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._declared import Addressing


def in_mode(mode, **keys):
    return {"network_mode": mode, **keys}


def address(lists, container):
    (found,) = (veth["peer"]["addresses"] for veth in lists["veth"] if veth["peer"]["namespace"] == container)
    return found


def test_bridge_is_the_network_default():
    lists = expand({}, {"a": in_mode("bridge"), "b": in_mode("bridge")})
    assert [(one["name"], one["addresses"]) for one in lists["bridge"]] == [("br-default", ["10.210.0.1/21"])]
    assert [one["source"] for one in lists["masquerade"]] == ["10.210.0.0/21"]
    assert {port["master"] for port in lists["bridge_port"]} == {"br-default"}
    for veth in lists["veth"]:
        assert veth["peer"]["name"] == "eth0"
        assert veth["peer"]["routes"] == [{"to": "default", "via": "10.210.0.1"}]
    assert address(lists, "a") != address(lists, "b")


def test_a_chosen_address_stays_when_others_come_and_go():
    alone = expand({}, {"a": in_mode("bridge")})
    many = expand({}, {name: in_mode("bridge") for name in "abcdefgh"})
    assert address(alone, "a") == address(many, "a")


def test_a_declared_network_default_is_used():
    networks = {"default": {"subnet": "10.9.0.0/24", "bridge": "br9"}}
    lists = expand(networks, {"a": in_mode("bridge")})
    assert [one["name"] for one in lists["bridge"]] == ["br9"]
    assert ipaddress.ip_interface(address(lists, "a")[0]).network == ipaddress.ip_network("10.9.0.0/24")


def test_a_chosen_address_is_none_that_was_given():
    """In a small network, with the gateway and a given address out of it, one is left."""
    networks = {"default": {"subnet": "10.9.0.0/29"}}
    given = {f"n{last}": {"networks": {"default": {"ipv4_address": f"10.9.0.{last}"}}} for last in (2, 3, 5, 6)}
    assert address(expand(networks, {**given, "a": in_mode("bridge")}), "a") == ["10.9.0.4/29"]


def test_the_network_default_is_used_by_name_as_well():
    lists = expand({}, {"a": {"networks": {"default": {}}}})
    assert [one["name"] for one in lists["bridge"]] == ["br-default"]


def test_the_network_default_goes_with_its_last_container():
    gone = in_mode("bridge", state="absent")
    assert expand({}, {"a": gone})["bridge"] == [{"name": "br-default", "label": "default", "state": "absent"}]
    assert expand({}, {"a": gone, "b": in_mode("bridge")})["bridge"][0]["addresses"] == ["10.210.0.1/21"]
    assert expand({}, {"b": in_mode("none")})["bridge"] == []


def test_none_has_only_a_loopback():
    lists = expand({}, {"a": in_mode("none")})
    assert lists["netns"] == [{"name": "a", "label": "a", "loopback": True, "exclusive": True}]
    assert lists["veth"] == []


def test_host_has_no_namespace():
    assert expand({}, {"a": in_mode("host")})["netns"] == []
    (container,) = _declaration.parse({}, {"a": in_mode("host")}).containers
    assert container.namespace == ""


def test_container_is_the_same_namespace():
    lists = expand({}, {"a": in_mode("none"), "b": in_mode("container:a")})
    assert lists["netns"][1] == {"name": "b", "label": "b", "exclusive": True, "same_as": "a"}
    assert lists["veth"] == []


def test_an_absent_container_needs_no_owner():
    lists = expand({}, {"b": in_mode("container:a", state="absent")})
    assert lists["netns"] == [{"name": "b", "label": "b", "state": "absent"}]


NONE = in_mode("none")
REFUSED = {
    "unknown": (
        {"a": in_mode("brigde")},
        "network_mode 'brigde' is not possible; did you mean 'bridge'? valid: bridge",
    ),
    "truth": ({"a": in_mode(False)}, "network_mode false is a truth value, not text"),
    "number": ({"a": in_mode(1)}, "network_mode 1 is a number, not text"),
    "no name": ({"a": in_mode("container:")}, "namespace name '': allowed are"),
    "bad name": ({"a": in_mode("container:../x")}, "namespace name '../x': allowed are"),
    "with networks": ({"a": in_mode("none", networks={})}, "has both networks and network_mode; drop one of the two"),
    "no owner": (
        {"a": in_mode("container:wbe"), "web": NONE},
        "container 'a': network_mode: container 'wbe' is not declared; did you mean 'web'? valid: a, web",
    ),
    "absent owner": (
        {"a": in_mode("container:web"), "web": in_mode("none", state="absent")},
        "container 'a': network_mode: container 'web' is absent, and its namespace goes with it; make both absent",
    ),
    "chain": (
        {"a": in_mode("container:b"), "b": in_mode("container:c"), "c": NONE},
        "container 'a': network_mode: container 'b' shares the namespace of 'c' itself; write container:c",
    ),
    "cycle": (
        {"a": in_mode("container:b"), "b": in_mode("container:a")},
        "container 'a': network_mode: container 'b' shares the namespace of 'a' itself",
    ),
    "itself": ({"a": in_mode("container:a")}, "container 'a' shares the namespace of 'a' itself"),
    "host as owner": (
        {"a": in_mode("container:b"), "b": in_mode("host")},
        "container 'b' has the host's namespace; write network_mode: host",
    ),
}


@pytest.mark.parametrize(("containers", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(containers, message):
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        expand({}, containers)


def test_an_absent_network_default_is_refused():
    with pytest.raises(AnsibleFilterError, match="network 'default': the network is absent, but the container is not"):
        expand({"default": {"state": "absent"}}, {"a": in_mode("bridge")})


def test_a_full_network_is_refused():
    networks = {"default": {"subnet": "10.9.0.0/30"}}
    with pytest.raises(AnsibleFilterError, match=r"network 'default': subnet 10\.9\.0\.0/30 has no address left for"):
        expand(networks, {"a": in_mode("bridge"), "b": in_mode("bridge")})


@pytest.mark.parametrize("subnet", ["10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/30", "10.0.0.0/31"])
def test_every_address_of_a_subnet_can_be_chosen(subnet):
    network = ipaddress.ip_network(subnet)
    hosts = list(network.hosts()) if network.prefixlen > 16 else []
    names = [f"n{number}" for number in range(len(hosts) or 100)]
    addressing = Addressing(network, None, network, network, shared=False, reserved=frozenset(), chosen=False)
    found = _addresses.choose(addressing, [], dict.fromkeys(names))
    assert len(set(found.values())) == len(names)
    assert not hosts or set(found.values()) == set(hosts)
