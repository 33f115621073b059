# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of a container's place in a network, from the declaration to the kernel."""

from __future__ import annotations

from typing import Any

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_qdisc import Declaration, listed

NETWORKS = {"blue": {"bridge": "br0", "subnet": "10.9.0.0/24"}}


def shaped(**keys: Any) -> Declaration:
    """A container in a network, as the role hands it over."""
    return expand(NETWORKS, {"ns1": {"networks": {"blue": {"ipv4_address": "10.9.0.2", **keys}}}})


def test_declared() -> None:
    """A limit in each direction, changed in place, and gone when nobody declares it."""
    story = Story()
    host_end = shaped()["veth"][0]["name"]
    story.changes(shaped(bandwidth={"ingress_rate": "10mbit", "ingress_burst": "32kb", "egress_rate": "1mbit"}))
    rates = [listed(*end)[0]["options"]["rate"] for end in ((host_end,), ("eth0", "ns1"))]
    assert rates == [1_250_000, 125_000]
    story.changes(shaped(bandwidth={"ingress_rate": "20mbit"}))
    assert [listed(*end)[0]["kind"] for end in ((host_end,), ("eth0", "ns1"))] == ["tbf", "noqueue"]
    story.changes(shaped())
    assert listed(host_end)[0]["kind"] == "noqueue"
