# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hosts differ from their declarations, as data and as a table."""

from __future__ import annotations

from typing import Any

from ansible_collections.nslab.bridgenet.plugins.filter.drift import drift

SAME = {"changed": False, "before": {"netns": [{"name": "a"}]}, "after": {"netns": [{"name": "a"}]}, "settings": []}


def result(before: dict[str, Any], after: dict[str, Any], *settings: dict[str, str]) -> dict[str, Any]:
    """What a transaction returned that would change something."""
    return {"result": {"changed": True, "before": before, "after": after, "settings": settings}}


def test_states() -> None:
    """Also of hosts that did not answer, or answered with an error."""
    found = drift({"a": {"result": SAME}, "b": {}, "c": {"result": {"msg": "no"}, "why": "no nft"}, "d": {"why": ""}})
    assert [(one["host"], one["state"], one.get("why")) for one in found["hosts"]] == [
        ("a", "same", None),
        ("b", "not reached", None),
        ("c", "not compared", "no nft"),
        ("d", "not compared", "its comparison did not end"),
    ]
    assert found["table"] == [
        "host  state         object                      what  is  declared",
        "a     same",
        "b     not reached",
        "c     not compared  no nft",
        "d     not compared  its comparison did not end",
    ]


def test_differences() -> None:
    """Of objects, of their options, also those of a peer, and of the host itself."""
    before = {
        "netns": [{"name": "old"}],
        "veth": [{"name": "v1", "up": False, "peer": {"name": "eth0", "addresses": ["10.0.0.2/24"]}}],
        "interface": [{"name": "eth0", "namespace": "a", "mtu": 1500}],
    }
    after = {
        "bridge": [{"name": "br0", "label": "blue"}],
        "veth": [{"name": "v1", "up": True, "peer": {"name": "eth0", "addresses": []}}],
        "interface": [{"name": "eth0", "namespace": "a", "mtu": 1400}],
    }
    setting = {"what": "sysctl net/ipv4/ip_forward", "before": "0", "after": "1"}
    found = drift({"a": result(before, after, setting)})
    assert [tuple(one.values()) for one in found["hosts"][0]["differences"]] == [
        ("netns old", "", "present", None),
        ("veth v1", "up", False, True),
        ("veth v1", "peer.addresses", ["10.0.0.2/24"], []),
        ("interface eth0 in a", "mtu", 1500, 1400),
        ("bridge br0", "", None, "present"),
        ("sysctl net/ipv4/ip_forward", "", "0", "1"),
    ]
    assert found["table"][1:4] == [
        "a     differs  netns old                                   present      -",
        "a     differs  veth v1                     up              no           yes",
        "a     differs  veth v1                     peer.addresses  10.0.0.2/24  none",
    ]


def test_objects_of_one_label() -> None:
    """IPv4 and IPv6 of one network are two."""
    before = {"masquerade": [{"source": "10.0.0.0/24", "label": "blue"}, {"source": "fd00::/64", "label": "blue"}]}
    after = {"masquerade": [before["masquerade"][1]]}
    assert drift({"a": result(before, after)})["hosts"][0]["differences"] == [
        {"object": "masquerade blue 10.0.0.0/24", "option": "", "is": "present", "declared": None}
    ]


def test_a_port_is_published_by_both_families_with_one_label() -> None:
    """Which of them is missing."""
    common = {"label": "web/8080/tcp", "protocol": "tcp", "host_port": "8080"}
    both = [{**common, "address": address} for address in ("10.1.0.10", "fd71::10")]
    for there, missing in ((both[1:], ""), (both[:1], " by IPv6")):
        assert drift({"a": result({"publish": there}, {"publish": both})})["hosts"][0]["differences"] == [
            {"object": f"publish web/8080/tcp tcp 8080{missing}", "option": "", "is": None, "declared": "present"}
        ]


def test_the_table_ends_somewhere() -> None:
    """A host that lost everything is not a thousand lines."""
    many = {"netns": [{"name": f"ns{number}"} for number in range(12)]}
    assert drift({"a": result({}, many)}, limit=2)["table"][-1] == "a     differs  and 10 more"
