# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control plane adds to the tests of the scenario vxlan, which run here as well."""

from __future__ import annotations

import json
import time

import pytest

HOST = "-"
NETWORKS = ("wide", "quiet")
CONTAINERS = {"wide": ("a", "b"), "quiet": ("q",)}
TIME_LIMIT = 20  # seconds


def wait_until(condition, what):
    limit = time.monotonic() + TIME_LIMIT
    while not condition():
        assert time.monotonic() < limit, f"not {what} after {TIME_LIMIT} s"
        time.sleep(0.2)


def frr(lab, command):
    """What FRR says in JSON."""
    return json.loads(lab.inside(HOST, "vtysh", "-c", f"show {command} json"))


def entries(lab, network):
    """The forwarding database of a VXLAN link, its own and that of its bridge port."""
    return json.loads(lab.inside(HOST, "bridge", "-json", "fdb", "show", "dev", f"vx-{network}"))


def mac(lab, container):
    return lab.ip(container, "link", "show", "dev", "eth0")[0]["address"]


def told(lab, network):
    """The MAC addresses that are elsewhere, and where."""
    return {
        (one["mac"], one["dst"])
        for one in entries(lab, network)
        if "dst" in one and "extern_learn" in one["flags"] and one["mac"] != "00:00:00:00:00:00"
    }


def test_sessions(lab, labs):
    """With the route reflectors, which are the first two, and no others."""
    by_name = {one.name: one.uplink_address() for one in labs}
    expected = {one for name, one in by_name.items() if name != lab.name}
    if lab.name == "lab3":
        expected = {by_name["lab1"], by_name["lab2"]}
    assert set(frr(lab, "bgp l2vpn evpn summary")["peers"]) == expected


@pytest.mark.parametrize("network", NETWORKS)
def test_every_host_is_told_of_all_containers(lab, labs, network):
    """Of those that have spoken, and by nobody but the control plane."""
    for one in labs:
        for container in CONTAINERS[network]:
            one.host.run(f"ip netns exec {container} ping -c 1 -W 1 10.{60 + NETWORKS.index(network)}.0.254")
    expected = {
        (mac(one, container), one.uplink_address())
        for one in labs
        if one.name != lab.name
        for container in CONTAINERS[network]
    }
    wait_until(lambda: told(lab, network) == expected, f"told of {expected}, but of {told(lab, network)}")


@pytest.mark.parametrize("network", NETWORKS)
def test_nothing_is_learned(lab, network):
    (link,) = lab.ip(HOST, "link", "show", "dev", f"vx-{network}")
    assert not link["linkinfo"]["info_data"]["learning"]
    assert not link["linkinfo"]["info_slave_data"]["learning"]
    for one in entries(lab, network):
        assert "extern_learn" in one["flags"] or one["state"] == "permanent", one


def test_forwarding_is_left_to_the_role(lab):
    """The network `wide` needs it, and FRR does not turn it off."""
    assert lab.inside(HOST, "cat", "/proc/sys/net/ipv4/ip_forward").strip() == "1"
