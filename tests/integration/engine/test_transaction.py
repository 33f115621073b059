# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole networks in one change: a life, what a role changes over time, and purge."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import Network, blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

OFF = "sysctl -qw net/ipv4/ip_forward=0 net/ipv6/conf/all/forwarding=0"

NS1, NS2, NS3 = (container(f"ns{number}", f"10.10.0.{number}0/16") for number in (1, 2, 3))


def test_life() -> None:
    """Fresh, again, absent, absent again: the machine is exactly as it was found."""
    story = Story(OFF)
    first = snapshot.state()
    story.changes(blue())
    shell("ip netns exec ns1 ping -c1 -W5 -q 10.10.0.20")
    story.changes(blue(), state="absent")
    snapshot.same(first, snapshot.state())
    story.stays(blue(), state="absent")


def test_the_role_s_purge_is_its_teardown() -> None:
    """Nothing declared: everything of the project goes."""
    story = Story(OFF)
    first = snapshot.state()
    story.changes(blue(), purge=True)
    story.changes({}, purge=True)
    snapshot.same(first, snapshot.state())
    story.stays({}, purge=True)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(blue(NS1, NS2, NS3), id="a container more"),
        pytest.param(blue(NS2), id="a container less"),
        pytest.param(blue(NS1, container("ns2", "10.10.0.21/16")), id="another address"),
        pytest.param(
            blue(container("ns1", "10.10.0.20/16"), container("ns2", "10.10.0.10/16")), id="swapped addresses"
        ),
        pytest.param(
            blue(container("ns1", "10.10.0.10/16", "vethns2"), container("ns2", "10.10.0.20/16", "vethns1")),
            id="swapped interface names",
        ),
        pytest.param(
            blue(container("ns1", "10.10.0.10/16", "x1"), container("ns2", "10.10.0.20/16", "vethns1")),
            id="an interface takes the name of another",
        ),
        pytest.param(
            blue(
                container("ns1", "10.10.0.10/16", gateway="10.10.0.2"),
                container("ns2", "10.10.0.20/16", gateway="10.10.0.2"),
                gateway="10.10.0.2/16",
            ),
            id="another gateway",
        ),
        pytest.param(blue(NS1, NS2, mtu=1400), id="MTU of the bridge"),
    ],
)
def test_changes_over_time(after: Network) -> None:
    """From two containers to something else, and back."""
    before = blue(NS1, NS2)
    story = Story(OFF)
    story.changes(before, purge=True)
    first = snapshot.state()
    story.changes(after, purge=True)
    if "mtu" not in after["bridge"][0]:  # undeclared again, an MTU stays
        story.changes(before, purge=True)
        snapshot.same(snapshot.portable(first), snapshot.portable(snapshot.state()))


def test_swapped_addresses_keep_the_interfaces() -> None:
    """Addresses change in place."""
    apply(blue(NS1, NS2))
    before = [snapshot.link("eth0", name)["ifindex"] for name in ("ns1", "ns2")]
    apply(blue(container("ns1", "10.10.0.20/16"), container("ns2", "10.10.0.10/16")))
    assert [snapshot.link("eth0", name)["ifindex"] for name in ("ns1", "ns2")] == before


def two_networks(*interfaces: str, gateway: str) -> Network:
    """A container with an interface in each of some networks, and its default route in one of them."""
    ends = {"eth0": ("br0", "10.10.0"), "eth1": ("br1", "10.11.0")}
    bridges = [{"name": name, "addresses": [f"{prefix}.1/24"]} for name, prefix in ends.values()]
    pairs = []
    for interface in interfaces:
        prefix = ends[interface][1]
        routes = [{"to": "default", "via": f"{prefix}.1"}] if interface == gateway else []
        peer = {"name": interface, "namespace": "ns1", "addresses": [f"{prefix}.2/24"], "routes": routes}
        pairs.append({"name": f"v{interface}", "exclusive": True, "peer": peer})
    ports = [{"name": f"v{interface}", "master": ends[interface][0]} for interface in interfaces]
    return {"netns": [{"name": "ns1"}], "bridge": bridges, "veth": pairs, "bridge_port": ports}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (two_networks("eth0", "eth1", gateway="eth0"), two_networks("eth0", "eth1", gateway="eth1")),
        (two_networks("eth0", "eth1", gateway="eth1"), two_networks("eth0", "eth1", gateway="eth0")),
        (two_networks("eth0", gateway="eth0"), two_networks("eth0", "eth1", gateway="eth1")),
        (two_networks("eth0", gateway="eth0"), two_networks("eth1", gateway="eth1")),
        (two_networks("eth0", "eth1", gateway="eth0"), two_networks("eth1", gateway="eth1")),
    ],
)
def test_default_route_moves(before: Network, after: Network) -> None:
    """From one interface to another: one that is there, comes, or goes."""
    story = Story(OFF)
    story.changes(before, purge=True)
    story.changes(after, purge=True)
    story.changes(before, purge=True)


def test_one_route_by_two_interfaces() -> None:
    """Refused before the first change; with another metric it can be had."""
    network = two_networks("eth0", "eth1", gateway="eth0")
    network["veth"][1]["peer"]["routes"] = [{"to": "default", "via": "10.11.0.1"}]
    before = snapshot.state()
    message = (
        "route to 'default' in namespace 'ns1': both 'eth0' and 'eth1' would have it; give one of them another metric"
    )
    with pytest.raises(BridgenetError, match=message):
        apply(network)
    snapshot.same(before, snapshot.state())
    network["veth"][1]["peer"]["routes"][0]["metric"] = 100
    Story(OFF).changes(network)


def test_mtu_of_ports_and_bridge() -> None:
    """A bridge whose MTU is declared keeps it when smaller ports come; one whose is not follows them."""
    small = blue(NS1, NS2)
    for pair in small["veth"]:
        pair["mtu"] = pair["peer"]["mtu"] = 1400
    story = Story(OFF)
    story.changes(small)
    assert snapshot.link("br0")["mtu"] == 1400
    held = {**small, "bridge": [{**small["bridge"][0], "mtu": 1500}]}
    story.changes(held)
    assert snapshot.link("br0")["mtu"] == 1500
    for pair in held["veth"]:
        pair["mtu"] = pair["peer"]["mtu"] = 1300
    story.changes(held)
    assert snapshot.link("br0")["mtu"] == 1500


def test_one_name_for_everything() -> None:
    """Namespaces, links and labels of the same name do not get into each other's way."""
    story = Story()
    objects: Network = {
        "netns": [{"name": "x"}, {"name": "y"}],
        "bridge": [{"name": "x"}, {"name": "x", "namespace": "y", "label": "x2"}],
        "veth": [{"name": "v", "namespace": "y", "peer": {"name": "v", "namespace": "x"}}],
        "bridge_port": [{"name": "v", "namespace": "y", "master": "x"}],
    }
    story.changes(objects)
    story.changes(objects, state="absent")


def test_states_of_their_own() -> None:
    """One list may hold present and absent objects; the task's state is their default."""
    story = Story()
    story.changes({"netns": [{"name": "a"}, {"name": "b"}]})
    mixed: Network = {"netns": [{"name": "a", "state": "absent"}, {"name": "c"}]}
    story.changes(mixed)
    assert list(snapshot.namespaces()) == ["b", "c"]
    story.changes({"netns": [{"name": "b"}, {"name": "d", "state": "present"}]}, state="absent")
    assert list(snapshot.namespaces()) == ["c", "d"]


def test_purge_takes_only_its_own_project() -> None:
    """Others' projects, unlabelled things and declared ones stay."""
    apply(
        {
            "netns": [{"name": "a"}, {"name": "b"}],
            "bridge": [{"name": "br5"}],
            "veth": [
                {"name": "v1", "peer": {"name": "p", "namespace": "a"}},
                {"name": "v2", "namespace": "b", "peer": {"name": "q", "namespace": "a"}},
            ],
            "masquerade": [
                {"source": "10.5.0.0/16", "bridge": "br5", "backend": "nftables"},
                {"source": "10.6.0.0/16", "bridge": "br5", "backend": "iptables"},
            ],
        },
        project="theirs",
    )
    shell(
        "ip netns add plain; ip link add name br6 type bridge; ip link add name w1 type veth peer name w2 netns plain"
    )
    foreign = snapshot.state()
    apply(blue(NS1, NS2))
    apply(blue(NS1, NS2), purge=True)
    report = apply({}, purge=True)
    assert report.changed
    kept = snapshot.state()
    for place in ("a", "b", "plain", ""):
        snapshot.same(foreign[place]["links"], kept[place]["links"])
    assert foreign["nft"] == kept["nft"]
    assert foreign["iptables"] == kept["iptables"]
    assert apply({}, purge=True, project="theirs").changed
    assert list(snapshot.namespaces()) == ["plain"]
    assert [one["ifname"] for one in snapshot.links()] == ["lo", "br6", "w1"]
    assert "bridgenet:" not in snapshot.nft() + snapshot.iptables()


def test_purge_of_a_label_at_the_far_end() -> None:
    """A pair that is labelled at its far end only is found as well."""
    shell(
        "ip netns add a; ip link add name v0 type veth peer name p0 netns a;"
        "ip -n a link set dev p0 alias bridgenet:1:default:x"
    )
    assert not apply(
        {"veth": [{"name": "v0", "label": "x", "peer": {"name": "p0", "namespace": "a"}, "up": False}]}, purge=True
    ).actions
    assert apply({}, purge=True).changed
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]


def test_held_namespace_goes_by_name_only() -> None:
    """A process inside keeps a namespace alive; its host end goes where that is said, too."""
    apply(blue(NS1))
    process = subprocess.Popen(
        ["ip", "netns", "exec", "ns1", "sh", "-c", "echo ready; exec sleep 1000"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        detached = blue(NS1)
        detached["netns"][0]["absent_when_held"] = "detach"
        apply(detached, state="absent")
        assert [one["ifname"] for one in snapshot.links()] == ["lo"]
        apply(blue(NS1))
        shell("ip netns exec ns1 ping -c1 -W5 -q 10.10.0.1")
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_back_at_once_after_teardown() -> None:
    """Names can be used again without waiting: the kernel destroys namespaces later."""
    for _again in range(3):
        assert apply(blue()).changed
        assert apply(blue(), state="absent").changed
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({"netns": [{"name": "a"}, {"name": "a"}]}, "namespace 'a' is declared twice; say it once"),
        ({"bridge": [{"name": "b"}, {"name": "b", "mtu": 1400}]}, "bridge 'b' is declared twice; say it once"),
        (
            {"bridge": [{"name": "b"}], "veth": [{"name": "b", "peer": {"name": "c"}}]},
            "bridge 'b' and veth 'b' are the same link 'b'; give one of them another name",
        ),
        (
            {
                "veth": [{"name": name, "peer": {"name": "eth0", "namespace": "a"}} for name in ("v1", "v2")],
                "netns": [{"name": "a"}],
            },
            "veth 'v1' and veth 'v2' are the same link 'a/eth0'; give one of them another name",
        ),
        (
            {"masquerade": [{"source": "10.0.0.0/8", "bridge": "b"}, {"source": "10.0.0.7/8", "bridge": "b"}]},
            "masquerade 10.0.0.0/8 from b to anywhere else is declared twice; say it once",
        ),
    ],
)
def test_twins(objects: Any, message: str) -> None:
    """The same object twice is refused before the first change."""
    before = snapshot.state()
    with pytest.raises(BridgenetError) as caught:
        apply(objects)
    assert str(caught.value) == message
    snapshot.same(before, snapshot.state())


def test_many_containers() -> None:
    """More than a batch, and more namespaces than stay open at once."""
    network = blue(*(container(f"ns{number}", f"10.10.{number // 250}.{number % 250 + 2}/16") for number in range(150)))
    predicted = check(network)
    report = apply(network)
    assert report == predicted
    assert not apply(network).changed
    shell("ip netns exec ns149 ping -c1 -W5 -q 10.10.0.2")
    assert apply({}, purge=True).changed
    assert snapshot.namespaces() == {}
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]


@pytest.mark.parametrize("names", [("red", "blue"), ("green", "blue"), ("red", "green")], ids="-".join)
@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_renamed_networks(names: tuple[str, str], backend: str) -> None:
    """Networks that get other names, or each other's: with purge, what is left is what a fresh host would have."""

    def lists(names: tuple[str, str]) -> Network:
        subnets = ("10.10.0", "10.20.0")
        networks = {name: {"subnet": f"{one}.0/24", "masquerade": True} for name, one in zip(names, subnets)}
        containers = {
            f"c{one}": {"networks": {name: {"ipv4_address": f"{one}.10"}}} for name, one in zip(names, subnets)
        }
        return expand(networks, containers, backend=backend)

    shell("iptables -t nat -A POSTROUTING -j RETURN; iptables -t nat -D POSTROUTING -j RETURN")  # its chain stays
    apply(lists(("blue", "red")), purge=True)
    apply(lists(names), purge=True)
    assert not apply(lists(names), purge=True).changed
    renamed = snapshot.portable(snapshot.state())
    apply({}, purge=True)
    apply(lists(names), purge=True)
    snapshot.same(snapshot.portable(snapshot.state()), renamed, "against a fresh host")


def test_networks_of_a_container_are_exact() -> None:
    """A network that a declared container left goes without a purge; what is somebody else's stays."""
    networks = {name: {"subnet": f"10.{number}.0.0/16"} for number, name in enumerate(("blue", "green"), 10)}

    def lists(*members: str) -> Network:
        places = {name: {"ipv4_address": networks[name]["subnet"].replace("0.0/16", "0.10")} for name in members}
        return expand(networks, {"c1": {"networks": places}})

    story = Story()
    story.changes(lists("blue", "green"))
    for project, name, container_ in (("default", "ours", "other"), ("elsewhere", "theirs", "c1")):
        peer = {"name": f"{name}0", "namespace": container_}
        netns = [{"name": "other"}] if container_ == "other" else []
        story.changes({"netns": netns, "veth": [{"name": name, "peer": peer}]}, project=project)
    before = {link["ifname"] for link in snapshot.links()}
    report = story.changes(lists("blue"))
    gone = before - {link["ifname"] for link in snapshot.links()}
    assert [view["name"] for module, _what, view in report.before if module == "veth" and view["name"] in gone]
    assert {link["ifname"] for link in snapshot.links("c1")} == {"lo", "eth0", "theirs0"}
    assert {"ours", "theirs", "br-green"} <= {link["ifname"] for link in snapshot.links()}
