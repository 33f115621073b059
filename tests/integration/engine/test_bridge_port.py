# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridge ports: a life, and every option."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

PREPARE = (
    "ip link add name br0 address 02:00:00:00:00:01 type bridge;"
    "ip link add name br1 address 02:00:00:00:00:02 type bridge;"
    "ip link add name v0 address 02:00:00:00:00:03 mtu 1400 type veth peer name p0 address 02:00:00:00:00:04"
)
INSIDE = "ip netns add a; ip netns exec a sh -e <<'END'\n" + PREPARE + "\nEND\n"


def port(**options: Any) -> dict[str, list[dict[str, Any]]]:
    """One port."""
    return {"bridge_port": [{"name": "v0", "master": "br0", **options}]}


@pytest.mark.parametrize("namespace", ["", "a"])
def test_life(namespace: str) -> None:
    """Fresh, again, absent, absent again."""
    story = Story(INSIDE if namespace else PREPARE)
    first = snapshot.portable(snapshot.state())
    story.changes(port(namespace=namespace))
    assert snapshot.link("v0", namespace)["master"] == "br0"
    assert snapshot.link("br0", namespace)["mtu"] == 1400, "a bridge follows its smallest port"
    story.changes(port(namespace=namespace), state="absent")
    snapshot.same(first, snapshot.portable(snapshot.state()))
    story.stays(port(namespace=namespace), state="absent")


@pytest.mark.parametrize(
    ("option", "word", "old", "new"),
    [
        ("isolated", "isolated", False, True),
        ("hairpin", "hairpin", False, True),
        ("learning", "learning", True, False),
        ("bpdu_guard", "guard", False, True),
        ("neigh_suppress", "neigh_suppress", False, True),
        ("cost", "cost", 2, 65535),
        ("cost", "cost", 100, 1),
        ("priority", "priority", 32, 63),
        ("priority", "priority", 8, 0),
    ],
)
def test_option(option: str, word: str, old: Any, new: Any) -> None:
    """There and back, without leaving the bridge."""
    story = Story(PREPARE)
    story.changes(port(**{option: old}))
    first = snapshot.state()
    assert snapshot.link("v0")["linkinfo"]["info_slave_data"][word] == old
    story.changes(port(**{option: new}))
    assert snapshot.link("v0")["linkinfo"]["info_slave_data"][word] == new
    story.stays(port())
    story.changes(port(**{option: old}))
    snapshot.same(first, snapshot.state())


def test_master() -> None:
    """To another bridge the options do not follow; the first bridge's MTU goes back."""
    story = Story(PREPARE)
    story.changes(port(isolated=True))
    story.changes(port(master="br1"))
    assert snapshot.link("v0")["master"] == "br1"
    assert not snapshot.link("v0")["linkinfo"]["info_slave_data"]["isolated"]
    assert [snapshot.link(name)["mtu"] for name in ("br0", "br1")] == [1500, 1400]
    story.changes(port(isolated=True, cost=5))


def test_absent_of_another_bridge() -> None:
    """A port of another bridge than the one named stays."""
    story = Story(PREPARE)
    story.changes(port(master="br1"))
    story.stays(port(), state="absent")
    story.changes({"bridge_port": [{"name": "v0"}]}, state="absent")


def test_several() -> None:
    """Everything at once, on two ports of two bridges."""
    story = Story(PREPARE)
    two = {
        "bridge_port": [port(hairpin=True, cost=7)["bridge_port"][0], {"name": "p0", "master": "br1", "isolated": True}]
    }
    story.changes(two)
    two["bridge_port"][1]["master"] = "br0"
    story.changes(two)


def test_addresses_stay() -> None:
    """Joining a bridge does not touch what the link has."""
    story = Story(PREPARE + "; ip link set dev v0 up; ip link set dev p0 up; ip address add 10.0.0.1/24 dev v0")
    story.changes(port())
    assert snapshot.addresses(snapshot.link("v0")) == ["10.0.0.1/24"]
    assert snapshot.is_up(snapshot.link("v0"))


def test_no_bridge() -> None:
    """What is no bridge has no ports."""
    Story(PREPARE)
    with pytest.raises(BridgenetError, match="interface 'p0' in the host is no bridge"):
        apply(port(master="p0"))
