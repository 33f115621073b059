# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces: a life, every option, and whose they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story


def netns(**options: Any) -> dict[str, list[dict[str, Any]]]:
    """One namespace."""
    return {"netns": [{"name": "a", **options}]}


def test_life() -> None:
    """Fresh, again, absent, absent again."""
    story = Story()
    report = story.changes(netns())
    assert report.after == [("netns", "namespace 'a'", {"name": "a", "loopback": True, "label": "a"})]
    assert snapshot.link("lo", "a")["ifalias"] == "bridgenet:1:default:a"
    story.changes(netns(), state="absent")
    assert snapshot.namespaces() == {}
    story.stays(netns(), state="absent")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({"loopback": True}, {"loopback": False}, id="loopback"),
        pytest.param(
            {"sysctls": {"net.ipv4.ip_forward": 0}}, {"sysctls": {"net.ipv4.ip_forward": 1}}, id="sysctls forwarding"
        ),
        pytest.param(
            {"sysctls": {"net/ipv4/ping_group_range": "1 0"}},
            {"sysctls": {"net/ipv4/ping_group_range": "0 2000"}},
            id="sysctls of several words",
        ),
        pytest.param(
            {"sysctls": {"net/ipv6/conf/all/forwarding": 0}},
            {"sysctls": {"net/ipv6/conf/all/forwarding": 1}},
            id="sysctls IPv6 forwarding",
        ),
        pytest.param({"label": "one"}, {"label": "two"}, id="label"),
    ],
)
def test_option(old: dict[str, Any], new: dict[str, Any]) -> None:
    """There and back."""
    story = Story()
    story.changes(netns(**old))
    first = snapshot.state()
    inode = snapshot.namespaces()
    story.changes(netns(**new))
    story.changes(netns(**old))
    assert snapshot.namespaces() == inode, "the namespace must stay the same"
    snapshot.same(first, snapshot.state())


def test_undeclared_options_stay() -> None:
    """What a task does not name is left alone."""
    story = Story()
    story.changes(netns(loopback=False, sysctls={"net/ipv4/ip_forward": 1}))
    story.stays(netns())
    assert snapshot.sysctl("net/ipv4/ip_forward", "a") == "1"


def test_sysctl_is_written_in_the_namespace_only() -> None:
    """The host keeps its own value."""
    here = snapshot.sysctl("net/ipv4/ip_forward")
    Story().changes(netns(sysctls={"net/ipv4/ip_forward": int(here == "0")}))
    assert snapshot.sysctl("net/ipv4/ip_forward") == here


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("net/ipv4/no_such_key", "this kernel has no sysctl net/ipv4/no_such_key that can be set inside"),
        ("net/ipv4/conf/eth0/no_such_key", "this kernel has no sysctl net/ipv4/conf/eth0/no_such_key"),
        ("net/core/netdev_max_backlog", "this kernel has no sysctl net/core/netdev_max_backlog"),
        ("net/netfilter/nf_conntrack_max", "this kernel has no sysctl net/netfilter/nf_conntrack_max that can be set"),
        ("net/ipv4/conf/eth0/rp_filter", "is for interface 'eth0', which is not there; correct the name"),
    ],
)
@pytest.mark.parametrize("prepare", ["", "ip netns add a; ip -n a link set dev lo up alias bridgenet:1:default:a"])
def test_sysctls_that_cannot_be_set(prepare: str, key: str, why: str) -> None:
    """Said before the first change, also in check mode, of a new namespace and of one that is there."""
    shell(prepare)
    before = snapshot.state()
    for run in (check, apply):
        with pytest.raises(BridgenetError, match=f"namespace 'a': .*{why}"):
            run(netns(sysctls={"net/ipv4/ip_forward": 1, key: 1}))
    snapshot.same(before, snapshot.state())


def test_a_sysctl_of_an_interface_that_comes_with_it() -> None:
    """It is set once the interface is there."""
    pair = {"name": "v0", "peer": {"name": "eth0", "namespace": "a"}}
    objects = {**netns(sysctls={"net.ipv4.conf.eth0.rp_filter": 2}), "veth": [pair]}
    story = Story()
    story.changes(objects)
    assert snapshot.sysctl("net/ipv4/conf/eth0/rp_filter", "a") == "2"
    story.changes({**netns(sysctls={"net/ipv4/conf/eth0/rp_filter": "1"}), "veth": [pair]})


def test_a_sysctl_of_an_interface_that_is_made_anew() -> None:
    """It is set again, and also where that is undone."""
    sysctls = netns(sysctls={"net.ipv4.conf.eth0.rp_filter": 2})
    objects, renamed = (
        {**sysctls, "veth": [{"name": name, "label": "v", "peer": {"name": "eth0", "namespace": "a"}}]}
        for name in ("v0", "v1")
    )
    story = Story()
    story.changes(objects)
    fails = {"name": "y0", "peer": {"name": "y1", "routes": [{"to": "default", "via": "10.9.0.1"}]}}
    with pytest.raises(BridgenetError, match="what this run had done was undone"):
        apply({**renamed, "veth": [*renamed["veth"], fails]}, purge=True)
    assert snapshot.sysctl("net/ipv4/conf/eth0/rp_filter", "a") == "2"
    story.changes(renamed, purge=True)
    assert snapshot.sysctl("net/ipv4/conf/eth0/rp_filter", "a") == "2"


def test_a_declared_nsid_is_not_given_to_another_namespace() -> None:
    """The kernel gives the lowest one that is free to whatever a pair leads to."""
    objects = {
        "netns": [{"name": "a"}, {"name": "b", "nsid": 0}],
        "veth": [{"name": f"v{name}", "peer": {"name": "eth0", "namespace": name}} for name in "ab"],
    }
    Story().changes(objects)
    assert "0 (iproute2 netns name: b)" in shell("ip netns list-id").replace("nsid ", "")


def test_take_over() -> None:
    """Somebody else's namespace is left alone, unless it is handed over."""
    story = Story(
        "ip netns add a; ip -n a link add name x address 02:00:00:00:00:01"
        " type veth peer name y address 02:00:00:00:00:02"
    )
    before = snapshot.state()
    with pytest.raises(BridgenetError, match=r"namespace 'a' exists and is not ours.*take_over: true"):
        apply(netns())
    snapshot.same(before, snapshot.state())
    story.changes(netns(take_over=True))
    assert snapshot.link("lo", "a")["ifalias"] == "bridgenet:1:default:a"
    assert snapshot.link("x", "a")
    story.stays(netns())


def test_another_project() -> None:
    """Another project's namespace is named as such."""
    apply(netns(), project="theirs")
    with pytest.raises(BridgenetError, match="belongs to project 'theirs', not 'ours'"):
        apply(netns(), project="ours")


def test_absent_by_name_and_by_label() -> None:
    """Absent takes what has the name; with a label only what carries it."""
    story = Story("ip netns add a")
    with pytest.raises(BridgenetError, match="carries no label and not 'bridgenet:1:default:mine'"):
        apply(netns(label="mine"), state="absent")
    story.changes(netns(), state="absent")


def test_absent_takes_the_far_ends_along() -> None:
    """A veth's end on the host goes with the namespace, and its bridge's MTU follows."""
    story = Story(
        "ip netns add a; ip link add name br0 address 02:00:00:00:00:01 type bridge;"
        "ip link add name v0 address 02:00:00:00:00:02 mtu 1400 master br0 up type veth"
        " peer name p0 address 02:00:00:00:00:03 netns a"
    )
    assert snapshot.link("br0")["mtu"] == 1400
    story.changes(netns(), state="absent")
    assert [one["ifname"] for one in snapshot.links()] == ["lo", "br0"]
    assert snapshot.link("br0")["mtu"] == 1500


def test_absent_of_a_second_name() -> None:
    """A namespace with two names only loses one; what is in it stays."""
    story = Story("ip netns add b; touch /run/netns/a; mount --bind /run/netns/b /run/netns/a")
    story.changes(netns(), state="absent")
    assert list(snapshot.namespaces()) == ["b"]


def test_leftover_of_a_crash() -> None:
    """An ordinary file in /run/netns is what a killed `ip netns add` leaves: it is used."""
    Path("/run/netns/a").touch()
    apply(netns())
    assert shell("ip netns exec a true") == ""


def test_an_exclusive_namespace_loses_a_pair_that_is_labelled_elsewhere() -> None:
    """Of a pair only the near end carries the label, and that may be in a namespace that the task does not name."""
    pair = {"name": "v0", "namespace": "b", "peer": {"name": "eth0", "namespace": "a"}}
    story = Story()
    story.changes({"netns": [{"name": "a"}, {"name": "b"}], "veth": [pair]})
    story.stays(netns())
    story.changes(netns(exclusive=True))
    assert [[link["ifname"] for link in snapshot.links(name)] for name in ("a", "b")] == [["lo"], ["lo"]]
