# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridges that speak the Spanning Tree Protocol: the kernel tells the tree's times in place of their own."""

from __future__ import annotations

from typing import Any

from ansible_collections.nslab.bridgenet.plugins.module_utils._engine import Report
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

from .waiting import until

ROOT, LEAF = "02:00:00:00:00:01", "02:00:00:00:00:02"  # the lowest MAC is the root (IEEE 802.1D, 9.2.5)


def bridges(root: dict[str, Any], leaf: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Two bridges and a pair between them."""
    return {
        "bridge": [
            {"name": "root", "mac": ROOT, "stp": True, **root},
            {"name": "leaf", "mac": LEAF, "stp": True, **leaf},
        ],
        "veth": [{"name": "v1", "peer": {"name": "v2"}}],
        "bridge_port": [{"name": "v1", "master": "root"}, {"name": "v2", "master": "leaf"}],
    }


def told(name: str, option: str) -> int:
    """What the kernel tells."""
    number: int = snapshot.link(name)["linkinfo"]["info_data"][option]
    return number


def settled(report: Report) -> list[str]:
    """It had nothing to do; what it warns of."""
    assert not report.changed
    assert report.before == report.after
    return list(report.warnings)


def shown(report: Report, name: str) -> dict[str, Any]:
    """A bridge after a task."""
    return next(view for module, what, view in report.after if (module, what) == ("bridge", f"bridge {name!r}"))


def test_the_topology_changes() -> None:
    """Meanwhile the kernel forgets sooner, and tells that; an hour is what it takes up again."""
    network = bridges({"forward_delay": 2, "ageing_time": 3600}, {})
    first = apply(network)
    until(lambda: told("root", "topology_change") == 1)
    assert told("root", "ageing_time") == 400
    for run in (check, apply):
        again = run(network)
        assert settled(again) == [
            "bridge 'root': 4 s is the ageing_time of the spanning tree, and the kernel does not tell that of the "
            "bridge; it is taken to be 3600, as declared"
        ]
        assert shown(again, "root") == shown(first, "root")
    assert not settled(apply(bridges({"ageing_time": 4}, {}))), "what is told is what is declared"
    # What is not declared may change before it is read back.
    changed = apply(bridges({"nf_call_iptables": True}, {}))
    assert changed.actions == ("ip link set dev root type bridge nf_call_iptables 1",)
    assert "ageing_time" not in shown(changed, "root")
    # Without the tree each has its own again.
    assert apply(bridges({"stp": False, "ageing_time": 1800}, {})).changed
    assert told("root", "ageing_time") == 180000
    assert not settled(apply(bridges({"stp": False, "ageing_time": 1800}, {})))


def test_another_bridge_is_the_root() -> None:
    """Its forward_delay is that of all."""
    network = bridges({"forward_delay": 2}, {"forward_delay": 15})
    apply(network)
    until(lambda: told("leaf", "forward_delay") == 200)
    assert settled(apply(network)) == [
        "bridge 'leaf': 2 s is the forward_delay of the spanning tree, and the kernel does not tell that of the "
        "bridge; it is taken to be 15, as declared"
    ]
    assert not settled(apply(bridges({"forward_delay": 2}, {"forward_delay": 2})))
    assert not settled(apply(bridges({"forward_delay": 2}, {})))
    shell("ip link set dev v1 down")
    until(lambda: told("leaf", "forward_delay") == 1500)
