# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts: names, inodes, ids, processes, holders, neighbours and forwarding databases, against what iproute2 says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _holders, _neighbours
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._info import SUBSETS, gather
from ansible_collections.nslab.bridgenet.plugins.module_utils._netlink import NeighbourRow, Socket
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.processes import process
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell


def facts(name: str, *subsets: str) -> dict[str, Any]:
    """Those of one namespace."""
    found: dict[str, Any] = gather([name], subsets)["namespaces"][0]
    return found


def network() -> None:
    """Two containers on a bridge, one of them with an id and a second name."""
    whole = blue()
    whole["netns"][0]["nsid"] = 40
    whole["netns"].append({"name": "also", "same_as": "ns1"})
    apply(whole)


def test_which_link_has_the_default_route() -> None:
    """Whoever made it: also one that a router advertised, which is no route of ours."""
    network()
    shell("ip link add up0 type veth peer name x; ip link set dev up0 up; ip link set dev x up")
    shell("ip -6 address add fd00:9::1/64 dev up0 nodad; ip -6 route add ::/0 via fd00:9::2 dev up0 proto ra")

    def found(name: str) -> dict[str, list[dict[str, str]]]:
        return {one["name"]: one["routes"] for one in facts(name, "links")["links"] if one["default_route"]}

    assert found("") == {"up0": []}
    assert found("ns1") == {"eth0": [{"to": "default", "via": "10.10.0.1"}]}


def test_names_inodes_and_ids() -> None:
    """As `ip netns list`, `ls -i` and `ip netns list-id` have them."""
    network()
    shell("ip netns add plain; ip netns add nameless; ip netns set nameless 77")
    with process("unshare", "--net") as foreign, process("nsenter", "--net=/run/netns/nameless"):
        shell("ip netns del nameless")
        apply({"netns": [{"name": "box", "adopt": {"pid": foreign.pid}}]})
        found = gather(subsets=["min"])
        by_name = {one["name"]: one for one in found["namespaces"]}
        assert list(by_name) == ["", "also", "box", "ns1", "ns2", "plain"]
        assert by_name[""]["inode"] == Path("/proc/thread-self/ns/net").stat().st_ino
        assert {name: one["inode"] for name, one in by_name.items() if name} == snapshot.namespaces()
        assert {name: one["other_names"] for name, one in by_name.items() if one["other_names"]} == {
            "also": ["ns1"],
            "ns1": ["also"],
        }
        assert [name for name, one in by_name.items() if one["adopted"]] == ["box"]
        assert by_name["box"]["label"] == "box"
        assert by_name["also"]["label"] == "ns1"
        assert "nsid" not in by_name["plain"]
        assert "links" not in by_name["ns1"]
        assert "identified" not in found
        said = {one["name"]: one["id"] for one in json.loads(shell("ip -j netns list")) if "id" in one}
        assert {name: one["nsid"] for name, one in by_name.items() if "nsid" in one} == said
        assert by_name["ns1"]["nsid"] == 40
        listed = {one["nsid"] for one in json.loads(shell("ip -j netns list-id"))}
        assert {one["id"] for one in found["ids"]} == listed
        names = {one["id"]: one["names"] for one in found["ids"]}
        assert names[40] == ["also", "ns1"]
        assert names[77] == []


def test_links_only_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody walks through /proc, or asks for neighbours, unless that is wanted."""
    network()
    monkeypatch.setattr(_holders, "_pids", lambda: pytest.fail("not asked for"))
    monkeypatch.setattr(Socket, "neighbours", lambda *_: pytest.fail("not asked for"))
    found = gather()["namespaces"][0]
    assert [one["name"] for one in found["links"]][:2] == ["lo", "br0"]
    assert not {"pids", "holders", "neighbours", "fdb"}.intersection(found)
    assert "netns_names" not in gather()


def test_names() -> None:
    """Of all projects; what somebody else wrote is not ours to tell."""
    network()
    Path("/etc/netns/ns9").mkdir(parents=True)
    Path("/etc/netns/ns9/hosts").write_text("10.9.9.9 theirs\n", encoding="ascii")
    hosts = {"10.10.0.10": ["ns1", "web"], "fd00::20": ["ns2"]}
    members = {"name": "network/blue", "namespaces": ["ns1", "ns2"], "hosts": hosts}
    servers = {"name": "dns", "namespaces": ["ns1"], "nameservers": ["192.0.2.53"], "search": ["lab.example"]}
    more = {"name": "more", "hosts": {"10.10.0.1": ["out"]}}
    apply({"netns_names": [members, servers]})
    apply({"netns_names": [{**more, "namespaces": ["other"]}], "netns": [{"name": "other"}]}, project="theirs")
    found = gather(["ns1"], ["min", "names"])["netns_names"]
    assert sorted(found, key=lambda one: one["name"]) == [
        {"project": "default", **servers},
        {"project": "theirs", "namespaces": ["other"], **more},
        {"project": "default", **members},
    ]
    shell("sed -i s/10.10.0.10/10.10.0.11/ /etc/netns/ns2/hosts")
    (changed,) = [one for one in gather([], ["names"])["netns_names"] if one["name"] == "network/blue"]
    assert changed["differing"] == {"ns2": {"hosts": {"10.10.0.11": ["ns1", "web"], "fd00::20": ["ns2"]}}}


def test_pids_and_which_namespace_a_pid_is_in() -> None:
    """As `ip netns pids` and `ip netns identify` have them."""
    network()
    with process("nsenter", "--net=/run/netns/ns1") as running:
        assert facts("ns1", "pids")["pids"] == [{"pid": running.pid, "command": "sleep"}]
        assert shell("ip netns pids ns1").split() == [str(running.pid)]
        assert facts("also", "pids") == {**facts("ns1", "pids"), "name": "also", "other_names": ["ns1"]}
        assert facts("ns2", "pids")["pids"] == []
        found = gather([], pid=running.pid)
        assert found["namespaces"] == []
        inode = snapshot.namespaces()["ns1"]
        expected = {"pid": running.pid, "command": "sleep", "inode": inode, "names": ["also", "ns1"]}
        assert found["identified"] == expected
        assert gather([], pid=os.getpid())["identified"]["names"] in ([""], [])
    with process("unshare", "--net") as foreign:
        assert gather([], pid=foreign.pid)["identified"]["names"] == []
    with process() as here:
        assert gather([], pid=here.pid)["identified"]["names"] == [""]
        assert {"pid": here.pid, "command": "sleep"} in facts("", "pids")["pids"]
    with pytest.raises(BridgenetError, match="pid 4194304: there is no such process; name one that runs"):
        gather([], pid=4194304)


def test_holders() -> None:
    """A process, an open file and a mount; the names in /run/netns are none."""
    network()
    shell("touch /run/kept; mount --bind /run/netns/ns1 /run/kept")
    with process("nsenter", "--net=/run/netns/ns1") as running:
        with process(script="exec 7</run/netns/ns1; exec sleep 1000") as other:
            found = facts("ns1", "holders")["holders"]
            assert {"kind": "process", "pid": running.pid, "command": "sleep"} in found
            assert {"kind": "descriptor", "pid": other.pid, "command": "sleep", "descriptor": 7} in found
            assert [one["path"] for one in found if one["kind"] == "mount"] == ["/run/kept"]
            assert len(found) == 3
        assert facts("ns2", "holders")["holders"] == []


def test_neighbours_and_fdb_before_and_after_a_ping() -> None:
    """Nobody knows anybody; then both know the other's MAC, and the bridge behind which port they are."""
    apply(blue(container("ns1", "10.10.0.10/16"), container("ns2", "10.10.0.20/16")))
    macs = {name: snapshot.link("eth0", name)["address"] for name in ("ns1", "ns2")}

    def known() -> tuple[dict[str, dict[str, str]], dict[str, str]]:
        found = {one["name"]: one for one in gather(subsets=["neighbours", "fdb"])["namespaces"]}
        tables = {
            name: {one["address"]: one["mac"] for one in found[name]["neighbours"] if one["link"] == "eth0"}
            for name in ("ns1", "ns2")
        }
        learned = {one["mac"]: one["link"] for one in found[""]["fdb"] if one["kind"] == "learned"}
        return tables, learned

    assert known() == ({"ns1": {}, "ns2": {}}, {})
    shell("ip netns exec ns1 ping -c1 -W5 -q 10.10.0.20")
    expected = {"ns1": {"10.10.0.20": macs["ns2"]}, "ns2": {"10.10.0.10": macs["ns1"]}}
    assert known() == (expected, {macs["ns1"]: "vethns1", macs["ns2"]: "vethns2"})

    neighbour = facts("ns1", "neighbours")["neighbours"][0]
    with inside("ns1"):
        said = json.loads(shell("ip -j -s neighbour show"))[0]
    assert neighbour["address"] == said["dst"]
    assert neighbour["mac"] == said["lladdr"]
    assert neighbour["link"] == said["dev"]
    assert neighbour["state"] in ("reachable", "delay", "stale", "probe")
    assert not neighbour["router"]
    assert isinstance(neighbour["updated"], int)
    permanent = {
        (one["mac"], one["link"], one["bridge"]) for one in facts("", "fdb")["fdb"] if one["kind"] == "permanent"
    }
    bridged = {
        (one["mac"], one["ifname"], one.get("master", ""))
        for one in json.loads(shell("bridge -j fdb show"))
        if one.get("state") == "permanent" and not one["mac"].startswith(("33:33", "01:00"))
    }
    assert permanent == bridged
    shell("bridge fdb add 02:00:00:00:00:07 dev vethns1 master static")
    one = next(one for one in facts("", "fdb")["fdb"] if one["mac"] == "02:00:00:00:00:07")
    assert (one["kind"], one["link"], one["bridge"], one["flags"]) == ("static", "vethns1", "br0", [])


def test_a_neighbour_that_does_not_answer() -> None:
    """It has no MAC address."""
    apply(blue(container("ns1", "10.10.0.10/16")))
    shell("ip netns exec ns1 ping -c1 -W1 -q 10.10.0.99 || true")
    found = facts("ns1", "neighbours")["neighbours"]
    assert [(one["address"], one["mac"]) for one in found] == [("10.10.0.99", "")]
    assert found[0]["state"] in ("incomplete", "failed")
    shell("ip -n ns1 neighbour replace 10.10.0.99 lladdr 02:00:00:00:00:09 dev eth0 nud permanent")
    found = facts("ns1", "neighbours")["neighbours"]
    assert [(one["mac"], one["state"]) for one in found] == [("02:00:00:00:00:09", "permanent")]


def test_an_entry_of_a_vxlan() -> None:
    """With the host to which it sends, and what the kernel does not tell left out."""
    row = NeighbourRow(7, 0x82, 0x12, "192.0.2.7", "02:00:00:00:00:01", 10, 42, 3, None)
    assert _neighbours.forwarding([row], {7: "vx0", 3: "br0"}) == [
        {
            "mac": "02:00:00:00:00:01",
            "link": "vx0",
            "bridge": "br0",
            "kind": "permanent",
            "flags": ["self", "extern_learn"],
            "vlan": 10,
            "destination": "192.0.2.7",
            "vni": 42,
        }
    ]
    assert _neighbours.forwarding([row], {3: "br0"}) == []


def test_everything_of_a_missing_namespace() -> None:
    """It is not returned."""
    assert gather(["none"], SUBSETS)["namespaces"] == []
