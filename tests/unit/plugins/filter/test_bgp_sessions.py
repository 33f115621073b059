# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who speaks BGP with whom, and what is refused."""

from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.filter.bgp_sessions import bgp_sessions

HOSTS = ("h1", "h2", "h3", "h4")


def hosts(**more):
    """The variables of four hosts."""
    return {**{name: {"ansible_host": f"198.18.0.{name[1]}"} for name in HOSTS}, **more}


def test_the_first_two_reflect():
    assert bgp_sessions(hosts(), HOSTS, "h1") == {
        "address": "198.18.0.1",
        "reflector": True,
        "reflectors": ["198.18.0.2"],
        "clients": ["198.18.0.3", "198.18.0.4"],
    }
    assert bgp_sessions(hosts(), HOSTS, "h4") == {
        "address": "198.18.0.4",
        "reflector": False,
        "reflectors": ["198.18.0.1", "198.18.0.2"],
        "clients": [],
    }


def test_chosen_reflectors():
    found = bgp_sessions(hosts(), HOSTS, "h3", ["h3"])
    assert (found["reflectors"], found["clients"]) == ([], ["198.18.0.1", "198.18.0.2", "198.18.0.4"])
    assert bgp_sessions(hosts(), HOSTS, "h1", ["h3"])["reflectors"] == ["198.18.0.3"]


def test_every_session_has_two_ends():
    addresses = {name: f"198.18.0.{name[1]}" for name in HOSTS}
    for reflectors in ([], ["h2"], ["h4", "h2", "h1"], list(HOSTS)):
        found = {name: bgp_sessions(hosts(), HOSTS, name, reflectors) for name in HOSTS}
        ends = {(addresses[name], to) for name, one in found.items() for to in one["reflectors"] + one["clients"]}
        assert ends == {(to, own) for own, to in ends}


def test_who_leaves():
    """Another one reflects in its place."""
    variables = hosts(h1={"ansible_host": "198.18.0.1", "evpn_state": "absent"})
    found = bgp_sessions(variables, HOSTS, "h3")
    assert (found["reflectors"], found["clients"]) == (["198.18.0.2"], ["198.18.0.4"])
    assert bgp_sessions(variables, HOSTS, "h2")["clients"] == ["198.18.0.4"]


def test_one_host():
    assert bgp_sessions(hosts(), ["h1"], "h1", address="198.18.0.9") == {
        "address": "198.18.0.9",
        "reflector": True,
        "reflectors": [],
        "clients": [],
    }


@pytest.mark.parametrize(
    ("variables", "told", "message"),
    [
        ({"h3": {"ansible_host": "lab3.example.com"}}, [], "host 'h3' has no address by which the other hosts reach"),
        ({"h3": {"ansible_host": "fd00:198::3"}}, [], "host 'h3' has the address fd00:198::3, but FRR knows hosts by"),
        ({"h3": {"ansible_host": "198.18.0.2"}}, [], "hosts 'h2' and 'h3' both have the address 198.18.0.2"),
        ({}, ["h9"], "evpn_reflectors names 'h9', which is not among the hosts"),
        ({"h3": {"evpn_state": "absent"}}, ["h3"], "evpn_reflectors names 'h3', which is not among"),
        ({"h3": {"container_bridge_network_vxlan_address": "x"}}, [], "host 'h3': address 'x':"),
    ],
)
def test_refused(variables, told, message):
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        bgp_sessions(hosts(**variables), HOSTS, "h1", told)


def test_a_host_outside():
    with pytest.raises(AnsibleFilterError, match="host 'h4' is not among the hosts that have the control plane"):
        bgp_sessions(hosts(), HOSTS[:3], "h4")
