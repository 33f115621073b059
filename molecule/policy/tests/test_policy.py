# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks that say who may talk to whom, on a host whose policy is DROP: each pair that may, and each that may not."""

from __future__ import annotations

import itertools

import pytest

HOST = "-"
ADDRESSES = {
    "red1": "10.71.0.11",
    "green1": "10.72.0.11",
    "green2": "10.72.0.12",
    "grey1": "10.73.0.11",
    "grey2": "10.73.0.12",
    "open1": "10.74.0.11",
}
GATEWAYS = {name: address.rpartition(".")[0] + ".1" for name, address in ADDRESSES.items()}
REACHED = {("red1", "green1"), ("red1", "green2"), ("green1", "green2"), ("green2", "green1")}
OPEN = "10.74.0.0/24"


@pytest.fixture
def known_outside(lab, outside):
    """The outside knows the way to the subnet that is reached by routes, and wrongly also to the others."""
    subnets = {address.rpartition(".")[0] + ".0/24" for address in ADDRESSES.values()}
    assert OPEN in subnets
    for verb in ("add", "delete"):
        for subnet in subnets:
            outside.host.check_output(f"ip route {verb} {subnet} via {lab.uplink_address()}")
        if verb == "add":
            yield


def test_routes(lab):
    """An internal network gives none but the way back to who may ask."""
    assert lab.default_gateways("green1") == []
    (back,) = (route for route in lab.ip("green1", "route", "show") if "gateway" in route)
    assert (back["dst"], back["gateway"]) == ("10.71.0.0/24", "10.72.0.1")
    assert lab.default_gateways("open1") == ["10.74.0.1"]


def test_ports_of_neighbours_that_may_not_talk(lab):
    for network, isolated in (("grey", True), ("red", False)):
        ports = [lab.links()[name] for name in lab.ports(f"br-{network}")]
        assert {port["linkinfo"]["info_slave_data"]["isolated"] for port in ports} == {isolated}


def test_who_is_reached(lab):
    lab.assert_answered((one, ADDRESSES[other]) for one, other in REACHED)
    lab.assert_answered([("green1", "fd72::12"), ("green2", "fd72::1"), (HOST, "fd72::11")])
    lab.assert_answered(GATEWAYS.items())
    lab.assert_answered((HOST, address) for address in ADDRESSES.values())


def test_who_is_not_reached(lab):
    pairs = set(itertools.permutations(ADDRESSES, 2)) - REACHED
    lab.assert_unanswered((one, ADDRESSES[other]) for one, other in pairs)


def test_outside(lab, outside, known_outside):
    """By the host's address, by one's own, or not at all; and the same the other way round."""
    outside.forget()
    lab.assert_answered((name, outside.address) for name in ("red1", "grey1", "open1"))
    lab.assert_unanswered((name, outside.address) for name in ("green1", "green2"))
    assert outside.seen() == {(lab.uplink_address(), "icmp"), (ADDRESSES["open1"], "icmp")}
    outside.assert_answered([(HOST, ADDRESSES["open1"])])
    outside.assert_unanswered((HOST, address) for name, address in ADDRESSES.items() if name != "open1")
