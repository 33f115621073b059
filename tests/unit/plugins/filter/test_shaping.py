# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of a container: the end of the pair at which each of them stands, and what is refused."""

from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand

NETWORKS = {"blue": {"bridge": "br0", "subnet": "10.10.0.0/16"}}
ENDS = {"interface_name": "vpeer1", "host_interface_name": "veth1"}


def qdiscs(state="present", **keys):
    """The list of the module."""
    endpoint = {"ipv4_address": "10.10.0.10", **ENDS, **keys}
    return expand(NETWORKS, {"ns1": {"networks": {"blue": endpoint}, "state": state}})["qdisc"]


def test_directions():
    """What the container receives is what the host's end sends."""
    found = qdiscs(bandwidth={"ingress_rate": "10mbit", "ingress_burst": "32kb", "egress_rate": "1mbit"})
    assert found == [
        {"name": "veth1", "tbf": {"rate": "10mbit", "burst": "32kb"}},
        {"name": "vpeer1", "namespace": "ns1", "tbf": {"rate": "1mbit"}},
    ]


def test_one_direction():
    assert [one["name"] for one in qdiscs(bandwidth={"ingress_rate": "10mbit"})] == ["veth1"]
    assert [one["name"] for one in qdiscs(bandwidth={"egress_rate": "10mbit"})] == ["vpeer1"]
    assert qdiscs() == []


def test_netem():
    """It is done to what the container sends, in front of a limit."""
    found = qdiscs(bandwidth={"egress_rate": "1mbit"}, netem={"delay": "50ms", "loss": "1%"})
    assert found == [
        {"name": "vpeer1", "namespace": "ns1", "tbf": {"rate": "1mbit"}, "netem": {"delay": "50ms", "loss": "1%"}}
    ]


def test_absent():
    assert qdiscs("absent", netem={"delay": "50ms"}) == []


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"bandwidth": {}}, "bandwidth: it limits nothing; give ingress_rate, egress_rate, or both"),
        ({"bandwidth": {"rate": "1mbit"}}, "bandwidth: unknown key 'rate'; valid: ingress_rate, ingress_burst"),
        ({"bandwidth": {"ingress_burst": "1kb"}}, "ingress_burst belongs to a rate; give ingress_rate, too"),
        ({"bandwidth": {"egress_rate": "fast"}}, "bandwidth: egress: rate 'fast': write a number and one of bit"),
        ({"bandwidth": {"egress_rate": 10}}, "egress_rate 10 is a number, not text; put it in quotes"),
        ({"bandwidth": {"egress_rate": "8bit"}}, "takes more than 200 s"),
        ({"netem": {}}, "netem changes nothing; give delay, jitter, loss, duplicate, or some of them"),
        ({"netem": {"delay": "50"}}, "netem: delay '50': write a number and one of us, ms, s"),
        ({"netem": {"loss": "200%"}}, "netem: loss '200%': write a percentage from 0% to 100%"),
        ({"netem": {"jitter": "5ms"}}, "netem: jitter varies a delay; give delay, too"),
    ],
)
def test_refused(keys, message):
    with pytest.raises(AnsibleFilterError, match=re.escape(message)) as caught:
        qdiscs(**keys)
    assert str(caught.value).startswith("container 'ns1': network 'blue': ")
