# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Neighbours before and after a ping, its path, and whether that path leads through the host's firewall."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

HOST = "-"
ADDRESSES = {"ns1": "10.244.1.2", "ns2": "10.244.1.4"}
OTHER = {"ns1": "ns2", "ns2": "ns1"}
INSIDE = {"ns1": "veth1a", "ns2": "veth2a"}
PORTS = {"ns1": "veth1b", "ns2": "veth2b"}
WAY = ["veth1a", "veth1b", "br0", "veth2b", "veth2a"]
PINGS = 5
# The table nat sees the first packet of a flow, the table filter all of them, there and back.
PASSED = {"PREROUTING": 1, "FORWARD": 2 * PINGS, "POSTROUTING": 1}


def counters(lab):
    """(program, hook) -> packets that the log rules have counted."""
    found = {}
    for table, chain in (("nat", "PREROUTING"), ("filter", "FORWARD"), ("nat", "POSTROUTING")):
        listing = lab.inside(HOST, "iptables", "-t", table, "-nvxL", chain)
        (line,) = [line for line in listing.splitlines() if "LOG" in line]
        found["iptables", chain] = int(line.split()[0])
    for entry in json.loads(lab.inside(HOST, "nft", "-j", "list", "table", "inet", "bridgenet_log"))["nftables"]:
        expressions = entry.get("rule", {}).get("expr", [])
        logs = [one["log"]["prefix"] for one in expressions if "log" in one]
        counts = [one["counter"]["packets"] for one in expressions if "counter" in one]
        if logs:
            found["nft", re.fullmatch("Nft-(.*)-1-", logs[0])[1]] = counts[0]
    assert len(found) == 2 * len(PASSED)
    return found


def counted(lab):
    """What the rules count of five pings from one port of the bridge to the other."""
    before = counters(lab)
    lab.inside("ns1", "ping", "-q", "-c", str(PINGS), "-i", "0.2", "-W", "5", ADDRESSES["ns2"])
    return {key: packets - before[key] for key, packets in counters(lab).items()}


@contextmanager
def bridge_nf(lab, value) -> Iterator[None]:
    """The other position of bridge-nf-call-iptables."""
    lab.host.check_output(f"sysctl -qw net.bridge.bridge-nf-call-iptables={value}")
    try:
        yield
    finally:
        lab.host.check_output("sysctl -qw net.bridge.bridge-nf-call-iptables=1")


def test_bridge_without_an_address(lab):
    assert lab.ports("br0") == set(PORTS.values())
    assert lab.addresses(HOST, "br0") == []
    assert {f"{ADDRESSES[name]}/24" for name in INSIDE} == {
        address for name, link in INSIDE.items() for address in lab.addresses(name, link) if ":" not in address
    }


def test_neighbours_and_fdb_before_and_after_a_ping(lab):
    for name in INSIDE:
        lab.inside(name, "ip", "neigh", "flush", "all")
        assert lab.ip(name, "neigh", "show") == []
    lab.assert_answered([("ns1", ADDRESSES["ns2"])])
    fdb = {(entry["mac"], entry["ifname"]) for entry in json.loads(lab.inside(HOST, "bridge", "-json", "fdb", "show"))}
    for name, other in OTHER.items():
        (neighbour,) = lab.ip(name, "-4", "neigh", "show")
        assert (neighbour["dst"], neighbour["dev"]) == (ADDRESSES[other], INSIDE[name])
        assert neighbour["lladdr"] == lab.links(other)[INSIDE[other]]["address"]
        assert (neighbour["lladdr"], PORTS[other]) in fdb, "the bridge did not learn who is behind the port"


def test_firewall_passed(lab):
    assert counted(lab) == {(program, hook): PASSED[hook] for program in ("iptables", "nft") for hook in PASSED}


def test_firewall_not_passed(lab):
    with bridge_nf(lab, 0):
        assert set(counted(lab).values()) == {0}


def test_firewall_passed_for_this_bridge_alone(lab):
    lab.host.check_output("ip link set dev br0 type bridge nf_call_iptables 1")
    try:
        with bridge_nf(lab, 0):
            assert counted(lab) == {(program, hook): PASSED[hook] for program in ("iptables", "nft") for hook in PASSED}
    finally:
        lab.host.check_output("ip link set dev br0 type bridge nf_call_iptables 0")


@pytest.mark.parametrize(("value", "hooks"), [(1, {"prerouting", "forward", "postrouting"}), (0, set())])
def test_path(lab, value, hooks):
    """Every interface in the order of the article, a capture of each, and the hooks."""
    options = {"namespace": "ns1", "to": ADDRESSES["ns2"], "hooks": True, "pcap_directory": f"/tmp/path{value}"}
    with bridge_nf(lab, value):
        answer = lab.host.ansible("nslab.bridgenet.packet_path", json.dumps(options), check=False)
    assert answer["answered"], answer
    request = [hop["interface"] for hop in answer["hops"] if hop["packet"] == "request"]
    assert list(dict.fromkeys(request)) == WAY
    assert {hook["hook"] for hook in answer["hooks"] if hook["namespace"] == "" and hook["entered"]} == hooks
    assert len(answer["pcap_files"]) == len(WAY)
    for path in answer["pcap_files"]:
        assert "ICMP echo request" in lab.inside(HOST, "tcpdump", "-nn", "-r", path)
