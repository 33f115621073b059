# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A declaration in which the keys of networks and containers meet, on a host: what stands, and what gets through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.module_utils._info import gather
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_dual_stack import (
    OUTSIDE4,
    OUTSIDE6,
    PREPARE,
    answered,
    refused,
    told,
)
from ansible_collections.nslab.bridgenet.tests.unit.plugins.filter.test_whole_declaration import CONTAINERS, NETWORKS


def lists() -> dict[str, list[dict[str, Any]]]:
    """As the role has them, once it has read the host."""
    return expand(NETWORKS, CONTAINERS, host=gather()["namespaces"])


def test_from_the_empty_host_and_back() -> None:
    shell(PREPARE)
    before = snapshot.state()
    foreseen = check(lists())
    done = apply(lists())
    assert (done.after, done.actions) == (foreseen.after, foreseen.actions)
    assert not apply(lists()).changed

    seen = told(done)
    red, green = seen["both"]["red"], seen["both"]["green"]
    assert red["mac_address"] == "02:00:00:00:00:77"
    assert snapshot.sysctl("net/ipv4/ip_unprivileged_port_start", "both") == "0"
    assert "web" in Path("/etc/netns/both/hosts").read_text(encoding="utf-8").split()
    for address in (red["ipv4_address"], red["ipv6_address"], OUTSIDE4, OUTSIDE6, "10.71.0.1", "fd71::1"):
        assert answered("r1", address)
    assert answered("both", OUTSIDE6)
    for address in ("10.72.0.1", green["ipv4_address"]):
        assert answered("g1", address)
    for address in (OUTSIDE4, seen["r1"]["red"]["ipv4_address"]):
        assert refused("g1", address)
    assert refused("r1", seen["g1"]["green"]["ipv4_address"])

    apply(lists(), state="absent")
    snapshot.same(before, snapshot.state())
