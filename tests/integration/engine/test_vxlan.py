# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VXLAN links: a life, every option, whose they are, and frames between hosts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._info import gather
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._vxlan import underlay
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

from .test_undo import undoes

Shows = Callable[[dict[str, Any]], Any]
FIRST, SECOND, THIRD = "198.18.0.1", "198.18.0.2", "198.18.0.3"


def vxlan(**options: Any) -> dict[str, list[dict[str, Any]]]:
    """One link."""
    return {"vxlan": [{"name": "x0", "vni": 5, "local": FIRST, **options}]}


def data(key: str) -> Shows:
    """An option as iproute2 shows it."""
    return lambda link: link["linkinfo"]["info_data"].get(key)


def floods(namespace: str = "") -> list[str]:
    """Who gets what is for everybody."""
    with inside(namespace):
        lines = shell("bridge fdb show dev x0").splitlines()
    return sorted(line.split("dst ")[1].split()[0] for line in lines if line.startswith("00:00:00:00:00:00 "))


@pytest.mark.parametrize("namespace", ["", "a"])
@pytest.mark.parametrize(("local", "peers"), [(FIRST, [SECOND, THIRD]), ("fd00:198::1", ["fd00:198::2"])])
def test_life(local: str, peers: list[str], namespace: str) -> None:
    """Fresh, again, absent, absent again."""
    story = Story("ip netns add a")
    first = snapshot.state()
    declared = vxlan(namespace=namespace, local=local, peers=peers, addresses=["10.0.0.1/24"])
    report = story.changes(declared)
    made = snapshot.link("x0", namespace)
    assert (data("id")(made), data("port")(made), data("learning")(made)) == (5, 4789, True)
    assert made["mtu"] == (1430 if ":" in local else 1450)
    assert made["ifalias"] == "bridgenet:1:default:x0"
    assert snapshot.is_up(made)
    assert report.after[0][2]["mac"] == made["address"]
    assert made["address"].startswith("02:")
    assert floods(namespace) == peers
    story.changes(declared, state="absent")
    snapshot.same(first, snapshot.state())
    story.stays(declared, state="absent")


@pytest.mark.parametrize(
    ("option", "old", "new", "shows", "in_place"),
    [
        ("vni", 5, 16777215, data("id"), False),
        ("local", FIRST, SECOND, data("local"), False),
        ("port", 4789, 8472, data("port"), False),
        ("learning", True, False, data("learning"), False),
        ("ttl", 1, 255, data("ttl"), False),
        ("mac", "02:00:00:00:00:0a", "02:00:00:00:00:0b", lambda link: link["address"], True),
        ("mtu", 1450, 1400, lambda link: link["mtu"], True),
        ("up", True, False, snapshot.is_up, True),
        ("addresses", ["10.0.0.1/24"], ["10.0.0.2/24"], snapshot.addresses, True),
        ("peers", [THIRD], ["198.18.0.4", "198.18.0.5"], lambda link: floods(), True),
    ],
)
def test_option(option: str, old: Any, new: Any, shows: Shows, in_place: bool) -> None:
    """There and back, in place where the kernel can; what is made anew keeps its peers."""
    story = Story()
    base: dict[str, Any] = {"exclusive": True, "routes": []}
    full = {"peers": ["198.18.0.9"], **base}
    story.changes(vxlan(**{**full, option: old}))
    first = snapshot.state()
    story.changes(vxlan(**{**base, **({"peers": ["198.18.0.9"]} if option == "learning" else {}), option: new}))
    assert shows(snapshot.link("x0")) == new
    assert option == "peers" or floods() == ["198.18.0.9"]
    story.changes(vxlan(**{**base, option: old}))
    if in_place:
        snapshot.same(first, snapshot.state(), "the link must be the same one")
    else:
        snapshot.same(snapshot.portable(first), snapshot.portable(snapshot.state()))


def test_peers() -> None:
    """Added, or exact; what a routing daemon set is neither counted nor touched."""
    story = Story(
        "ip link add name x0 address 02:00:00:00:00:05 type vxlan id 5 local 198.18.0.1 dstport 4789;"
        "ip link set dev x0 mtu 1450 alias bridgenet:1:default:x0 up;"
        "bridge fdb append 02:00:00:00:00:09 dev x0 dst 198.18.0.7 self extern_learn"
    )
    story.changes(vxlan(peers=[SECOND]))
    story.changes(vxlan(peers=[THIRD]))
    story.stays(vxlan(peers=[SECOND]))
    story.stays(vxlan())
    assert floods() == [SECOND, THIRD]
    story.changes(vxlan(peers=[THIRD], exclusive=True))
    assert floods() == [THIRD]
    story.changes(vxlan(peers=[], exclusive=True))
    assert floods() == []
    assert "02:00:00:00:00:09" in shell("bridge fdb show dev x0")


def test_peers_of_a_routing_daemon() -> None:
    """They are left alone where none are declared, and do not follow to another network."""
    story = Story()
    story.changes(vxlan(learning=False))
    shell("bridge fdb append 00:00:00:00:00:00 dev x0 dst 198.18.0.8 self permanent")
    declared = vxlan(learning=False, exclusive=True)
    assert not apply(declared).changed
    assert floods() == ["198.18.0.8"]
    apply(vxlan(learning=False, exclusive=True, ttl=3))
    assert floods() == []
    shell("bridge fdb append 00:00:00:00:00:00 dev x0 dst 198.18.0.8 self permanent extern_learn")
    assert not apply(vxlan(peers=[], exclusive=True, learning=False)).changed
    assert floods() == ["198.18.0.8"]


def test_refused() -> None:
    """Before the first change."""
    Story(
        "ip link add name x1 type vxlan id 5 local 198.18.0.9 dstport 4789; ip link add name br0 type bridge;"
        "ip link add name x2 type vxlan id 9 group 239.0.0.1 dev br0 dstport 4789"
    )
    before = snapshot.state()
    for options, said in (
        ({}, r"vxlan 'x0': vni 5 is that of interface 'x1' in the host already; choose another vni"),
        ({"vni": 6, "peers": ["fd00::2"]}, r"peer 'fd00::2' and the local address '198.18.0.1' mix IPv4 and IPv6"),
        ({"name": "br0"}, r"interface 'br0' in the host exists and is a bridge, not a vxlan"),
        ({"name": "x2", "vni": 9, "take_over": True}, r"is a vxlan with a group, a device or external, which are not"),
        ({"name": "x1"}, r"vxlan 'x1' exists and is not ours.*take_over: true"),
    ):
        with pytest.raises(BridgenetError, match=said):
            apply(vxlan(**options))
    snapshot.same(before, snapshot.state())


def test_another_family_has_its_own() -> None:
    """The same number once for IPv4 and once for IPv6, and at another port."""
    story = Story()
    story.changes(
        {
            "vxlan": [
                {"name": "x0", "vni": 5, "local": FIRST},
                {"name": "x1", "vni": 5, "local": "fd00:198::1"},
                {"name": "x2", "vni": 5, "local": FIRST, "port": 8472},
            ]
        }
    )


def test_numbers_change_hands() -> None:
    """One link goes, and another one gets its VNI, in one task."""
    story = Story()
    story.changes(vxlan(peers=[SECOND]))
    gone = {"name": "x0", "state": "absent"}
    story.changes({"vxlan": [gone, {"name": "x1", "vni": 5, "local": FIRST, "peers": [SECOND]}]})


def network(*more: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """A bridge with a VXLAN port, and a link in a namespace."""
    return {
        "netns": [{"name": "b"}],
        "bridge": [{"name": "br0", "addresses": ["10.10.0.1/16"]}],
        "vxlan": [
            {"name": "x0", "vni": 5, "local": FIRST, "peers": [SECOND, THIRD]},
            {"name": "x0", "namespace": "b", "label": "other", "vni": 5, "local": SECOND, "ipv6": False},
            *more,
        ],
        "bridge_port": [{"name": "x0", "master": "br0", "neigh_suppress": True, "learning": False}],
    }


@pytest.mark.parametrize("cost", [2, 100])
def test_cost_of_its_port(cost: int) -> None:
    """A VXLAN link tells no speed: its port begins with 100, and not with the 2 of a veth."""
    story = Story()
    declared = network()
    declared["bridge_port"][0]["cost"] = cost
    story.changes(declared)
    assert snapshot.link("x0")["linkinfo"]["info_slave_data"]["cost"] == cost


def test_in_a_transaction() -> None:
    """With its bridge and namespace, and purged with them."""
    story = Story("ip link add name theirs address 02:00:00:00:00:08 type vxlan id 9 local 198.18.0.1 dstport 4789")
    first = snapshot.state()
    story.changes(network({"name": "x2", "vni": 7, "local": FIRST}), purge=True)
    assert snapshot.link("br0")["mtu"] == 1450, "a bridge follows its smallest port"
    story.changes(network(), purge=True)
    assert "x2" not in [one["ifname"] for one in snapshot.links()]
    story.changes({}, purge=True)
    snapshot.same(first, snapshot.state())


def test_undo() -> None:
    """Fresh, changed, made anew, and deleted: whichever operation fails."""
    assert undoes(network()) > 10
    changed = network()
    changed["vxlan"][0] |= {"vni": 8, "peers": ["198.18.0.4"], "exclusive": True}
    changed["vxlan"][1] |= {"peers": [FIRST], "learning": False}
    assert undoes(changed) > 5
    assert undoes(changed, state="absent") > 1


UPLINK = (
    "ip link add name up0 address 02:00:00:00:00:a1 type veth peer name up1 address 02:00:00:00:00:a2;"
    "ip address add 198.18.0.1/24 dev up0; ip link set dev up0 up"
)


def of_the_role(**keys: Any) -> dict[str, list[dict[str, Any]]]:
    """A network with two containers, as the role has it on a host with one other."""
    networks = {"blue": {"subnet": "10.10.0.0/24", **keys}}
    variables = {
        name: {"ansible_host": address, "container_bridge_network_networks": networks}
        for name, address in (("h1", FIRST), ("h2", SECOND))
    }
    containers = {
        name: {"networks": {"blue": {"ipv4_address": f"10.10.0.{last}"}}} for name, last in (("a", 2), ("b", 3))
    }
    told = underlay(networks, variables, variables, "h1")
    return expand(networks, containers, host=gather()["namespaces"], underlay=told)


def vxlans() -> list[str]:
    """The VXLAN links of the host."""
    return [one["ifname"] for one in snapshot.links() if one.get("linkinfo", {}).get("info_kind") == "vxlan"]


def test_a_network_that_no_longer_reaches_over_hosts() -> None:
    """Its port goes without a purge, also where it is taken away at once; those of others stay."""
    story = Story(
        f"{UPLINK}; ip link add name theirs address 02:00:00:00:00:a3 type vxlan id 9 local 198.18.0.1 dstport 4789;"
        "ip link add name x9 address 02:00:00:00:00:a4 type vxlan id 8 local 198.18.0.1 dstport 4789;"
        "ip link set dev x9 alias bridgenet:1:other:blue; ip link set dev theirs alias blue"
    )
    first = snapshot.state()
    wide, narrow = {"driver": "vxlan", "vni": 5}, {"driver": "bridge"}
    story.changes(of_the_role(**wide))
    assert vxlans() == ["theirs", "x9", "vx-blue"]
    report = story.changes(of_the_role(**narrow))
    assert [one[2]["name"] for one in report.before if one[0] == "vxlan"] == ["vx-blue"]
    assert vxlans() == ["theirs", "x9"]
    story.changes(of_the_role(**wide))
    story.changes(of_the_role(**narrow), state="absent")
    assert vxlans() == ["theirs", "x9"]
    snapshot.same(snapshot.portable(first), snapshot.portable(snapshot.state()))


def test_another_control_plane_under_a_ping() -> None:
    """There and back: the port is made anew, and the containers of the host do not notice."""
    wide: dict[str, Any] = {"driver": "vxlan", "vni": 5}
    shell(UPLINK)
    apply(of_the_role(**wide))
    shell("ip netns exec a ping -n -i 0.02 10.10.0.3 >/run/along 2>&1 & echo $! >/run/along.pid")
    try:
        for keys, learning in (
            ({"control_plane": "evpn"}, False),
            ({}, True),
            ({"driver": "bridge"}, None),
            ({}, True),
        ):
            apply(of_the_role(**(keys if learning is None else {**wide, **keys})))
            assert vxlans() == ([] if learning is None else ["vx-blue"])
            if learning is not None:
                assert data("learning")(snapshot.link("vx-blue")) == learning
    finally:
        shell("kill -INT $(cat /run/along.pid); while kill -0 $(cat /run/along.pid) 2>/dev/null; do sleep 0.05; done")
    sent, received = map(int, re.findall(r"(\d+) packets transmitted, (\d+) received", shell("cat /run/along"))[0])
    assert received > 5
    assert sent - received <= 1, "but what was still on its way"
