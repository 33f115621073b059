# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VLANs of bridge ports and of bridges: a life, every change, and who can talk to whom."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine import driver, snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.features import need
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_undo import undoes

pytestmark = pytest.mark.vm

Vlans = list[dict[str, Any]]

PREPARE = (
    "ip link add name br0 address 02:00:00:00:00:01 type bridge vlan_filtering 1;"
    "ip link add name br1 address 02:00:00:00:00:02 type bridge vlan_filtering 1 vlan_default_pvid 7;"
    "ip link add name v0 address 02:00:00:00:00:03 type veth peer name p0 address 02:00:00:00:00:04;"
)
INSIDE = "ip netns add a; ip netns exec a sh -e <<'END'\n" + PREPARE + "\nEND\n"
FIRST = {"vid": "1", "pvid": True, "untagged": True}


@pytest.fixture(autouse=True)
def filtering(machine: None) -> None:
    """A kernel whose bridges filter VLANs."""
    need("VLAN filtering of bridges", "ip link add name br0 type bridge vlan_filtering 1")


def port(vlans: Vlans | None = None, **options: Any) -> dict[str, Vlans]:
    """One port."""
    return {"bridge_port": [{"name": "v0", "master": "br0", "vlans": vlans, **options}]}


def shown(name: str, namespace: str = "") -> list[str]:
    """The VLANs of a link as iproute2 tells them: `10`, and `10*` where frames without a tag belong to it, `10-` where
    they leave without one."""
    with inside(namespace):
        found = json.loads(shell("bridge -j vlan show"))
    vlans = next((one["vlans"] for one in found if one["ifname"] == name), [])
    return [
        f"{one['vlan']}{'*' * ('PVID' in one.get('flags', ()))}{'-' * ('Egress Untagged' in one.get('flags', ()))}"
        for one in vlans
    ]


@pytest.mark.parametrize("namespace", ["", "a"])
def test_life(namespace: str) -> None:
    """Fresh, again, absent, absent again."""
    story = Story(INSIDE if namespace else PREPARE)
    declared = port([{"vid": "10", "pvid": True, "untagged": True}, {"vid": "20-22"}], namespace=namespace)
    first = snapshot.portable(snapshot.state())
    report = story.changes(declared)
    assert report.after[0][2]["vlans"] == [
        {"vid": "1", "pvid": False, "untagged": True},
        {"vid": "10", "pvid": True, "untagged": True},
        {"vid": "20-22", "pvid": False, "untagged": False},
    ]
    assert shown("v0", namespace) == ["1-", "10*-", "20", "21", "22"]
    story.stays(port(namespace=namespace))
    story.changes(declared, state="absent")
    snapshot.same(first, snapshot.portable(snapshot.state()))


def test_exclusive() -> None:
    """From some VLANs to exactly others; a unit test goes from any to any."""
    story = Story(PREPARE)
    for declared, after in (
        ([{"vid": "4", "pvid": True}, {"vid": "5"}], ["4*", "5"]),
        ([{"vid": "4"}, {"vid": "5", "pvid": True, "untagged": True}], ["4", "5*-"]),
        ([{"vid": "3-5", "untagged": True}, {"vid": "4093-4094"}], ["3-", "4-", "5-", "4093", "4094"]),
        ([], []),
    ):
        story.changes(port(declared, exclusive=True))
        assert shown("v0") == after


def test_additive() -> None:
    """Without `exclusive` VLANs are added, and the one that is declared gets the flags that are declared."""
    shell(PREPARE)
    apply(port([{"vid": "5"}]))
    apply(port([{"vid": "6", "pvid": True}]))
    assert shown("v0") == ["1-", "5", "6*"]
    apply(port([{"vid": "6"}, {"vid": "1"}]))
    assert shown("v0") == ["1", "5", "6"]
    assert not apply(port([])).changed


def test_of_the_bridge() -> None:
    """A bridge belongs to VLANs itself: there its own addresses are. Here all is made at once."""
    story = Story()
    bridge = {"name": "br0", "vlan_filtering": True}
    story.changes(
        {
            "bridge": [{**bridge, "vlans": [{"vid": "5"}]}],
            "netns": [{"name": "a"}],
            "veth": [{"name": "v0", "peer": {"name": "eth0", "namespace": "a"}}],
            **port([{"vid": "3", "pvid": True, "untagged": True}], exclusive=True),
        }
    )
    assert shown("br0") == ["1*-", "5"]
    assert shown("v0") == ["3*-"]
    story.changes({"bridge": [{**bridge, "vlans": [{"vid": "6-8"}, {"vid": "9", "pvid": True}], "exclusive": True}]})
    assert shown("br0") == ["6", "7", "8", "9*"]


def test_another_bridge() -> None:
    """A port that joins begins with that bridge's own VLAN."""
    shell(PREPARE)
    apply(port([{"vid": "5"}]))
    apply(port([{"vid": "6"}], master="br1"))
    assert shown("v0") == ["6", "7*-"]


def test_without_filtering() -> None:
    """VLANs of a port whose bridge does not heed them are told to do nothing."""
    shell("ip link add name br0 type bridge; ip link add name v0 type veth peer name p0")
    report = apply(port([{"vid": "5"}]))
    assert report.warnings == (
        "bridge port 'v0': bridge 'br0' does not filter VLANs, so its vlans do nothing; give it vlan_filtering: true",
    )
    assert shown("v0") == ["1*-", "5"]


def test_undo() -> None:
    """Whichever step fails, the VLANs are as they were, also where the task does not name them."""
    both: dict[str, Vlans] = {
        "bridge": [{"name": "br0", "vlan_filtering": True, "vlans": [{"vid": "5"}]}],
        "veth": [{"name": "v0", "peer": {"name": "p0"}}],
        "bridge_port": [
            {"name": "v0", "master": "br0", "vlans": [{"vid": "10", "pvid": True, "untagged": True}, {"vid": "20-22"}]},
        ],
    }
    assert undoes(both) > 6
    shell(
        "ip link add name v1 master br0 type veth peer name p1;"
        "bridge vlan add dev v1 vid 30-33 untagged; bridge vlan del dev v1 vid 1"
    )
    moved = port([{"vid": "11", "pvid": True}, {"vid": "21", "untagged": True}], exclusive=True)
    moved["bridge_port"].append({"name": "v1", "state": "absent"})
    assert undoes({**moved, "netns": [{"name": "a"}]}) > 4
    shell("ip link set dev v1 master br0; bridge vlan add dev v1 vid 30-33 untagged; bridge vlan del dev v1 vid 1")
    assert undoes({"veth": both["veth"][:1], "bridge": both["bridge"]}, state="absent") > 1


def test_traffic() -> None:
    """Neighbours of one VLAN reach each other, and nobody of another one; a trunk carries tags."""
    containers = {"a": ("10", "10.5.0.1/24"), "b": ("10", "10.5.0.2/24"), "c": ("20", "10.5.0.3/24")}
    declared: dict[str, Vlans] = {
        "bridge": [{"name": "br0", "vlan_filtering": True}],
        "netns": [{"name": name} for name in (*containers, "trunk")],
        "veth": [
            {"name": f"v{name}", "peer": {"name": "eth0", "namespace": name, "addresses": [address]}}
            for name, (_vid, address) in containers.items()
        ],
        "bridge_port": [
            {
                "name": f"v{name}",
                "master": "br0",
                "vlans": [{"vid": vid, "pvid": True, "untagged": True}],
                "exclusive": True,
            }
            for name, (vid, _address) in containers.items()
        ],
    }
    declared["veth"].append({"name": "vtrunk", "peer": {"name": "eth0", "namespace": "trunk"}})
    declared["bridge_port"].append({"name": "vtrunk", "master": "br0", "vlans": [{"vid": "10"}, {"vid": "20"}]})
    apply(declared)
    shell(
        "ip -n trunk link add link eth0 name eth0.20 type vlan id 20; ip -n trunk link set dev eth0.20 up;"
        "ip -n trunk address add 10.5.0.9/24 dev eth0.20"
    )
    ping = "ip netns exec {} ping -c1 -q -W{} {}"
    shell(ping.format("a", 20, "10.5.0.2"))
    shell(ping.format("c", 20, "10.5.0.9"))
    for here, there in (("a", "10.5.0.3"), ("c", "10.5.0.2"), ("trunk", "10.5.0.1")):
        with pytest.raises(AssertionError, match="exit status 1"):
            shell(ping.format(here, 1, there))


def test_read() -> None:
    """What is read is what iproute2 tells, for many VLANs, too."""
    shell(PREPARE + "ip link set dev v0 master br0")
    shell("for n in $(seq 2 3 200); do echo vlan add dev v0 vid $n-$((n + 1)); done | bridge -batch -")
    shell("bridge vlan add dev v0 vid 1000-4094 untagged")
    task = driver.task(port([]))
    found = driver.host_for(task).namespaces[""].links["v0"].vlans
    assert found is not None
    marks = [f"{one.vid}{'*' * one.pvid}{'-' * one.untagged}" for one in found]
    assert marks == shown("v0")
