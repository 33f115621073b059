# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may talk to whom, from the declaration to the modules' lists."""

from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand

SUBNETS = {name: f"10.7{number}.0.0/24" for number, name in enumerate(("red", "green", "grey"))}
IPV6 = {name: f"fd7{number}::/64" for number, name in enumerate(SUBNETS)}
V6_GATEWAYS = {name: f"fd7{number}::1" for number, name in enumerate(SUBNETS)}


def networks(ipv6=False, **keys):
    """Three networks, some with more keys."""
    found = {name: {"bridge": f"br{name}", "subnet": subnet} for name, subnet in SUBNETS.items()}
    for name, entry in found.items():
        if ipv6:
            entry.update(enable_ipv6=True, ipv6_subnet=IPV6[name], ipv6_gateway=V6_GATEWAYS[name])
        entry.update(keys.get(name, {}))
    return found


def container(*places, **priorities):
    return {"networks": {name: {"gw_priority": priorities.get(name, 0)} for name in places}}


def entry(lists, name):
    (found,) = [one for one in lists["forward"] if one["label"] == name]
    return found


def routes(declared, joined):
    """Network -> (to, via) of a container's interfaces."""
    lists = expand(declared, {"c": joined})
    return {
        veth["label"].partition("/")[2]: [(route["to"], route["via"]) for route in veth["peer"]["routes"]]
        for veth in lists["veth"]
    }


def test_nothing_said():
    lists = expand(networks(), {"c": container("red")})
    assert entry(lists, "red") == {"bridge": "brred", "label": "red"}
    assert expand(networks(red={"internal": False, "icc": True, "allow": [], "gateway_mode": "nat"})) == expand(
        networks()
    )


def test_internal():
    declared = networks(green={"internal": True})
    lists = expand(declared)
    assert entry(lists, "green") == {"bridge": "brgreen", "label": "green", "internal": True}
    assert entry(expand(declared, isolation=False), "green") == entry(lists, "green")
    assert routes(declared, container("green")) == {"green": []}
    assert routes(declared, container("green", "red", green=9)) == {
        "green": [],
        "red": [("default", "10.70.0.1")],
    }
    assert [(one["label"], one["state"]) for one in lists["masquerade"]] == [("green", "absent")]


def test_neighbours_that_may_not_talk():
    lists = expand(networks(grey={"icc": False}), {"a": container("grey"), "b": container("red")})
    assert entry(lists, "grey") == {"bridge": "brgrey", "label": "grey", "icc": False}
    assert {port["master"]: port["isolated"] for port in lists["bridge_port"]} == {"brgrey": True, "brred": False}
    theirs = {"external": True, "subnet": "10.1.0.0/24", "ip_range": "10.1.0.128/25"}
    lists = expand({"theirs": theirs}, {"a": container("theirs")})
    assert "isolated" not in lists["bridge_port"][0]


def test_routed():
    lists = expand(networks(ipv6=True, red={"gateway_mode": "routed"}))
    assert entry(lists, "red") == {
        "bridge": "brred",
        "label": "red",
        "routed": True,
        "forwarding": True,
        "forwarding_ipv6": True,
    }
    assert {(one["source"], one["state"]) for one in lists["masquerade"]} == {
        ("10.70.0.0/24", "absent"),
        ("fd70::/64", "absent"),
    }
    assert "forwarding" not in entry(expand(networks(red={"gateway_mode": "routed"}), forwarding=False), "red")


def test_allowed():
    lists = expand(networks(red={"allow": ["grey", "green"]}, grey={"allow": ["red"]}))
    assert entry(lists, "red")["allow"] == ["brgrey", "brgreen"]
    assert entry(lists, "red")["forwarding"] is True
    assert entry(lists, "grey")["allow"] == ["brred"]
    assert "allow" not in entry(lists, "green")


def test_a_route_where_the_default_route_does_not_lead():
    declared = networks(ipv6=True, red={"allow": ["green"]}, green={"internal": True})
    assert routes(declared, container("red"))["red"] == [("default", "10.70.0.1"), ("default", "fd70::1")]
    # An answer needs a way, too.
    assert routes(declared, container("green")) == {"green": [("10.70.0.0/24", "10.71.0.1"), ("fd70::/64", "fd71::1")]}
    # The default route leaves by a network that may not ask.
    assert routes(declared, container("red", "grey", grey=1)) == {
        "grey": [("default", "10.72.0.1"), ("default", "fd72::1")],
        "red": [("10.71.0.0/24", "10.70.0.1"), ("fd71::/64", "fd70::1")],
    }
    # Who is in both needs none.
    assert routes(declared, container("red", "green"))["green"] == []


def test_a_route_by_who_may_ask():
    """Two ways to one network: by the one that may begin to talk."""
    declared = networks(red={"allow": ["green"], "internal": True}, green={"allow": ["grey"]}, grey={"internal": True})
    assert routes(declared, container("red", "grey", grey=9)) == {
        "grey": [],
        "red": [("10.71.0.0/24", "10.70.0.1")],
    }


EXTERNAL = {"external": True, "bridge": "docker0"}
REFUSED = {
    "internal: word": ({"red": {"internal": "perhaps"}}, "network 'red': internal 'perhaps' is neither true nor false"),
    "icc: word": ({"red": {"icc": 7}}, "network 'red': icc 7 is neither true nor false"),
    "mode: word": ({"red": {"gateway_mode": "route"}}, "gateway_mode 'route' is not possible; did you mean 'routed'?"),
    "mode: number": ({"red": {"gateway_mode": 1}}, "gateway_mode 1 is a number, not text"),
    "allow: text": ({"red": {"allow": "green"}}, "allow 'green' is not a list; write it like allow: [NETWORK]"),
    "allow: number": ({"red": {"allow": [1]}}, "allow: network name 1 is a number, not text"),
    "allow: twice": ({"red": {"allow": ["green", "green"]}}, "allow names 'green' twice; name it once"),
    "allow: itself": (
        {"red": {"allow": ["red"]}},
        "network 'red': allow names 'red' itself; drop it, or say icc: true",
    ),
    "allow: unknown": ({"red": {"allow": ["gren"]}}, "allow: network 'gren' is not declared; did you mean 'green'?"),
    "allow: absent": (
        {"red": {"allow": ["green"]}, "green": {"state": "absent"}},
        "allow: network 'green' is absent; take it out of the list",
    ),
    "allow: external": ({"red": {"allow": ["green"]}, "green": EXTERNAL}, "allow: network 'green' is external"),
    "allow: layer 2": ({"red": {"allow": ["green"]}, "green": {"gateway": False}}, "'green' has gateway: false"),
    "allow: from layer 2": ({"red": {"allow": ["green"], "gateway": False}}, "allow needs the host as a router"),
    "allow: from external": ({"red": {"allow": ["green"], **EXTERNAL}}, "external is true, so allow is up to whose"),
    "internal: external": ({"red": {"internal": True, **EXTERNAL}}, "external is true, so internal is up to whose"),
    "icc: external": ({"red": {"icc": False, **EXTERNAL}}, "external is true, so icc is up to whose bridge it is"),
    "routed: external": ({"red": {"gateway_mode": "routed", **EXTERNAL}}, "so gateway_mode is up to whose bridge"),
    "routed: internal": ({"red": {"gateway_mode": "routed", "internal": True}}, "but internal is true, so nothing"),
    "routed: masquerade": ({"red": {"gateway_mode": "routed", "masquerade": True}}, "but gateway_mode is routed"),
    "routed: layer 2": (
        {"red": {"gateway_mode": "routed", "gateway": False}},
        "gateway_mode: routed needs the host as",
    ),
    "internal: masquerade": (
        {"red": {"internal": True, "masquerade": True}},
        "network 'red': masquerade is true, but internal is true, so nothing leaves; drop one of the two",
    ),
}


@pytest.mark.parametrize(("keys", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(keys, message):
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        expand(networks(**keys))


@pytest.mark.parametrize("keys", [{"icc": False}, {"allow": ["green"]}, {"gateway_mode": "routed"}])
def test_without_isolation_there_is_no_exception(keys):
    with pytest.raises(AnsibleFilterError, match=r"network 'red': .* needs networks that are kept from each other"):
        expand(networks(red=keys), isolation=False)


def test_an_absent_network_may_say_what_it_likes():
    assert expand(networks(red={"state": "absent", "allow": ["gone"], "internal": True}))["forward"][0] == {
        "bridge": "brred",
        "label": "red",
        "state": "absent",
    }
