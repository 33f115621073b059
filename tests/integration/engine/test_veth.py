# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Veth pairs: a life, every option of both ends, recreation, and whose they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

Pair = dict[str, list[dict[str, Any]]]
Shows = Callable[[dict[str, Any]], Any]

NAMESPACES = "ip netns add a; ip netns add b"


def veth(peer: dict[str, Any] | None = None, **options: Any) -> Pair:
    """One pair, the far end in a namespace."""
    return {"veth": [{"name": "v0", "peer": {"name": "p0", "namespace": "a", **(peer or {})}, **options}]}


def ends() -> list[tuple[str, str]]:
    """(namespace, name) of all veths."""
    places = ["", *snapshot.namespaces()]
    return [
        (where, one["ifname"])
        for where in places
        for one in snapshot.links(where)
        if one.get("linkinfo", {}).get("info_kind") == "veth"
    ]


@pytest.mark.parametrize(
    ("near", "far"),
    [
        pytest.param("", "a", id="host and namespace"),
        pytest.param("a", "", id="namespace and host"),
        pytest.param("a", "b", id="two namespaces"),
        pytest.param("a", "a", id="one namespace"),
        pytest.param("", "", id="host"),
    ],
)
def test_life(near: str, far: str) -> None:
    """Fresh, again, absent, absent again, wherever the ends are."""
    pair = veth({"namespace": far}, namespace=near)
    story = Story(NAMESPACES)
    story.changes(pair)
    assert sorted(ends()) == sorted([(near, "v0"), (far, "p0")])
    for where, name in ends():
        one = snapshot.link(name, where)
        assert snapshot.is_up(one)
        assert one["address"].startswith("02:")
    assert snapshot.link("v0", near)["ifalias"] == "bridgenet:1:default:v0"
    story.changes(pair, state="absent")
    assert ends() == []
    story.stays(pair, state="absent")


CHANGES = [
    (
        "mac",
        "02:00:00:00:00:0A",
        "02:00:00:00:00:0b",
        lambda link: link["address"],
        ["02:00:00:00:00:0a", "02:00:00:00:00:0b"],
    ),
    ("mtu", 1500, 9000, lambda link: link["mtu"], [1500, 9000]),
    ("mtu", 1400, 1280, lambda link: link["mtu"], [1400, 1280]),
    ("up", True, False, snapshot.is_up, [True, False]),
    (
        "addresses",
        ["10.0.0.1/24"],
        ["10.0.0.2/24", "10.1.0.0/31"],
        lambda link: sorted(snapshot.addresses(link)),
        [["10.0.0.1/24"], ["10.0.0.2/24", "10.1.0.0/31"]],
    ),
    ("addresses", ["fd00::1/64"], [], snapshot.addresses, [["fd00::1/64"], []]),
]


@pytest.mark.parametrize("end", ["near", "far"])
@pytest.mark.parametrize(("option", "old", "new", "shows", "shown"), CHANGES)
def test_option(option: str, old: Any, new: Any, shows: Shows, shown: list[Any], end: str) -> None:
    """There and back, on either end; the pair stays the same."""

    def pair(value: Any) -> Pair:
        options = {option: value}
        return veth(options, exclusive=True) if end == "far" else veth(exclusive=True, **options)

    where = ("p0", "a") if end == "far" else ("v0", "")
    story = Story(NAMESPACES)
    story.changes(pair(old))
    first = snapshot.state()
    assert shows(snapshot.link(*where)) == shown[0]
    story.changes(pair(new))
    assert shows(snapshot.link(*where)) == shown[1]
    story.changes(pair(old))
    snapshot.same(first, snapshot.state())


def test_label() -> None:
    """Another label, the same pair."""
    story = Story(NAMESPACES)
    story.changes(veth(label="one"))
    first, index = snapshot.state(), snapshot.link("v0")["ifindex"]
    story.changes(veth(label="two"))
    assert snapshot.link("v0")["ifalias"] == "bridgenet:1:default:two"
    story.changes(veth(label="one"))
    snapshot.same(first, snapshot.state())
    assert snapshot.link("v0")["ifindex"] == index


def test_ipv6() -> None:
    """Off on both ends before the first packet, and on again."""
    story = Story(NAMESPACES)
    off = veth({"ipv6": False}, ipv6=False)
    story.changes(off)
    assert snapshot.sysctl("net/ipv6/conf/v0/disable_ipv6") == "1"
    assert snapshot.sysctl("net/ipv6/conf/p0/disable_ipv6", "a") == "1"
    story.changes(veth({"ipv6": True, "addresses": ["fd00::2/64"]}, ipv6=True))
    assert snapshot.addresses(snapshot.link("p0", "a")) == ["fd00::2/64"]
    story.changes(off)
    assert snapshot.addresses(snapshot.link("p0", "a")) == []


@pytest.mark.parametrize("ipv6", [True, False])
def test_mtu_below_that_of_ipv6(ipv6: bool) -> None:
    """Below 1280 bytes the kernel takes IPv6 off an interface; above, it is back."""
    story = Story(NAMESPACES)
    story.changes(veth({"ipv6": ipv6, "mtu": 1500, "addresses": ["10.0.0.2/24"]}))
    story.changes(veth({"mtu": 1000}))
    assert snapshot.addresses(snapshot.link("p0", "a")) == ["10.0.0.2/24"]
    story.changes(veth({"ipv6": ipv6, "mtu": 1500}))
    story.changes(veth({"mtu": 68}))


def test_new_below_the_mtu_of_ipv6() -> None:
    """A pair that never speaks IPv6."""
    story = Story(NAMESPACES)
    story.changes(veth({"mtu": 576, "ipv6": False}, mtu=576))
    story.changes(veth({"mtu": 576}, mtu=576, ipv6=False), state="absent")


ROUTE = {"to": "default", "via": "10.0.0.1"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param([ROUTE], [{**ROUTE, "via": "10.0.0.3"}], id="another next hop"),
        pytest.param([ROUTE], [{**ROUTE, "metric": 10}], id="another metric"),
        pytest.param([ROUTE], [], id="none"),
        pytest.param([{"to": "default"}], [ROUTE], id="on-link default"),
        pytest.param([{"to": "default", "via": "fd00::1"}], [{"to": "fd09::/16", "via": "fd00::1"}], id="IPv6"),
    ],
)
def test_routes(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    """There and back, in the namespace."""
    base = {"addresses": ["10.0.0.2/24", "fd00::2/64"]}
    story = Story(NAMESPACES)
    story.changes(veth({**base, "routes": old}, exclusive=True))
    first = snapshot.state()
    story.changes(veth({**base, "routes": new}, exclusive=True))
    story.changes(veth({**base, "routes": old}, exclusive=True))
    snapshot.same(first, snapshot.state())


def test_additive() -> None:
    """Lists add to what is there, on both ends."""
    story = Story(NAMESPACES)
    story.changes(veth({"addresses": ["10.0.0.2/24"]}, addresses=["10.0.0.1/24"]))
    story.changes(veth({"addresses": ["10.0.0.3/24"], "routes": [ROUTE]}, addresses=["10.0.1.1/24"]))
    assert snapshot.addresses(snapshot.link("p0", "a")) == ["10.0.0.2/24", "10.0.0.3/24"]
    assert snapshot.addresses(snapshot.link("v0")) == ["10.0.0.1/24", "10.0.1.1/24"]


def test_down_takes_the_routes_along() -> None:
    """Routes of a link that goes down go, its IPv4 addresses stay."""
    story = Story(NAMESPACES)
    story.changes(veth({"addresses": ["10.0.0.2/24", "fd00::2/64"], "routes": [ROUTE]}))
    story.changes(veth({"up": False}))
    assert snapshot.addresses(snapshot.link("p0", "a")) == ["10.0.0.2/24"]
    assert snapshot.routes("a") == []
    story.changes(veth({"up": True, "routes": [ROUTE]}))


@pytest.mark.parametrize(
    ("new", "there"),
    [
        pytest.param({"name": "p1"}, [("", "v0"), ("a", "p1")], id="peer name"),
        pytest.param({"namespace": "b"}, [("", "v0"), ("b", "p0")], id="peer namespace"),
        pytest.param({"namespace": ""}, [("", "v0"), ("", "p0")], id="peer to the host"),
    ],
)
def test_another_peer(new: dict[str, Any], there: list[tuple[str, str]]) -> None:
    """The pair is recreated; what the task does not name stays as it was on both ends."""
    prepare = f"{NAMESPACES}; ip link add name br0 address 02:00:00:00:00:01 type bridge"
    story = Story(prepare)
    story.changes(
        {
            **veth(
                {"addresses": ["10.0.0.2/24"], "routes": [{**ROUTE, "to": "10.9.0.0/16"}], "mtu": 1400},
                mtu=1400,
                ipv6=False,
            ),
            "bridge_port": [{"name": "v0", "master": "br0", "isolated": True}],
        }
    )
    story.changes(veth(new))
    assert sorted(ends()) == sorted(there)
    moved = snapshot.link(new.get("name", "p0"), new.get("namespace", "a"))
    assert snapshot.addresses(moved) == ["10.0.0.2/24"]
    assert moved["mtu"] == 1400
    near = snapshot.link("v0")
    assert near["master"] == "br0"
    assert near["linkinfo"]["info_slave_data"]["isolated"]
    story.changes(veth())
    assert sorted(ends()) == [("", "v0"), ("a", "p0")]


def test_near_end_elsewhere() -> None:
    """The near end in another namespace is another pair that takes the far end over."""
    story = Story(NAMESPACES)
    story.changes(veth({"addresses": ["10.0.0.2/24"]}, label="x"))
    story.changes(veth(namespace="b", label="x"))
    assert sorted(ends()) == [("a", "p0"), ("b", "v0")]
    assert snapshot.addresses(snapshot.link("p0", "a")) == ["10.0.0.2/24"]


def test_another_name() -> None:
    """Renamed on the host: the pair with the same far end is made anew."""
    story = Story(NAMESPACES)
    story.changes(veth({"addresses": ["10.0.0.2/24"]}, label="x"))
    renamed = veth(label="x")
    renamed["veth"][0]["name"] = "v1"
    story.changes(renamed)
    assert sorted(ends()) == [("", "v1"), ("a", "p0")]
    assert snapshot.addresses(snapshot.link("p0", "a")) == ["10.0.0.2/24"]


def test_take_over() -> None:
    """Somebody else's pair is left alone, unless it is handed over."""
    story = Story(
        f"{NAMESPACES}; ip link add name v0 address 02:00:00:00:00:01"
        " type veth peer name p0 address 02:00:00:00:00:02 netns a"
    )
    before = snapshot.state()
    with pytest.raises(BridgenetError, match=r"veth 'v0' exists and is not ours.*take_over: true"):
        apply(veth())
    snapshot.same(before, snapshot.state())
    story.changes(veth(take_over=True))
    assert snapshot.link("v0")["address"] == "02:00:00:00:00:01"
    story.stays(veth())


def test_far_end_in_the_way() -> None:
    """Also the far end's name may be somebody else's."""
    Story(f"{NAMESPACES}; ip -n a link add name p0 type veth peer name q0")
    before = snapshot.state()
    with pytest.raises(BridgenetError, match="interface 'p0' in namespace 'a' exists and is not ours"):
        apply(veth())
    snapshot.same(before, snapshot.state())
    shell("ip -n a link del dev p0; ip -n a link add name p0 type bridge")
    with pytest.raises(BridgenetError, match="interface 'p0' in namespace 'a' exists and is no veth"):
        apply(veth(take_over=True))


def test_far_end_of_another_pair_taken_over() -> None:
    """Handed over, the pair in the way goes, with both its ends."""
    story = Story(
        f"{NAMESPACES}; ip -n a link add name p0 address 02:00:00:00:00:01"
        " type veth peer name q0 address 02:00:00:00:00:02 netns b"
    )
    story.changes(veth(take_over=True))
    assert sorted(ends()) == [("", "v0"), ("a", "p0")]


def test_labelled_at_either_end() -> None:
    """The label on the far end owns the pair as well."""
    story = Story(
        f"{NAMESPACES}; ip link add name v0 address 02:00:00:00:00:01"
        " type veth peer name p0 address 02:00:00:00:00:02 netns a;"
        "ip -n a link set dev p0 alias bridgenet:1:default:v0; ip link set dev v0 up; ip -n a link set dev p0 up"
    )
    story.stays(veth())
    with pytest.raises(BridgenetError, match="is labelled 'bridgenet:1:default:v0'"):
        apply(veth(label="other"), state="absent")
    story.changes(veth(label="v0"), state="absent")


@pytest.mark.parametrize("options", [{"name": "v0"}, {"name": "p0", "namespace": "a"}])
def test_absent_by_either_end(options: dict[str, Any]) -> None:
    """One end is enough to name a pair."""
    story = Story(NAMESPACES)
    story.changes(veth())
    story.changes({"veth": [options]}, state="absent")
    assert ends() == []


def test_many_go_at_once() -> None:
    """More than one is deleted by way of a group."""
    pairs = {
        "veth": [
            {"name": f"v{number}", "peer": {"name": f"p{number}", "namespace": "a" if number % 2 else "b"}}
            for number in range(5)
        ]
    }
    story = Story(NAMESPACES)
    story.changes(pairs)
    assert len(ends()) == 10
    story.changes(pairs, state="absent")
    assert ends() == []


def test_same_indices() -> None:
    """Two pairs whose ends have the same numbers are told apart by the kernel's namespace ids."""
    story = Story(
        "for name in a b c d; do ip netns add $name; done;"
        "ip -n a link add name v0 index 100 address 02:00:00:00:00:01 type veth"
        " peer name p0 index 200 address 02:00:00:00:00:02 netns b;"
        "ip -n c link add name v0 index 100 address 02:00:00:00:00:03 type veth"
        " peer name p0 index 200 address 02:00:00:00:00:04 netns d"
    )
    pairs = {
        "veth": [
            {
                "name": "v0",
                "namespace": near,
                "take_over": True,
                "peer": {"name": "p0", "namespace": far},
                "label": near,
            }
            for near, far in (("a", "b"), ("c", "d"))
        ]
    }
    macs = [snapshot.link("p0", where)["address"] for where in "bd"]
    story.changes(pairs)
    assert [snapshot.link("p0", where)["address"] for where in "bd"] == macs, "nothing had to be recreated"


def test_label_on_an_end_that_no_task_names() -> None:
    """Found all the same: the other end is in a namespace that this task does not mention."""
    story = Story(NAMESPACES)
    story.changes(veth({"namespace": ""}, namespace="a"))
    story.changes({"veth": [{"name": "x0", "label": "v0", "peer": {"name": "p0"}}]})
    assert sorted(ends()) == [("", "p0"), ("", "x0")]
    story.changes(veth({"namespace": ""}, namespace="b", label="v0"))
    story.changes({"veth": [{"name": "p0", "label": "v0"}]}, state="absent")
