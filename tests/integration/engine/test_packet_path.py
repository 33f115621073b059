# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One packet's way: bridged, routed, translated, refused, lost; its hooks, and its captures as tshark reads them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _packet_path, _programs
from ansible_collections.nslab.bridgenet.plugins.module_utils._capture import Capture
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell

from .test_traffic import OUTSIDE, PREPARE
from .test_tuntap import IFF_TUN, attached, sends
from .waiting import until

PATIENCE = 10  # seconds for an answer that comes


def path(**options: Any) -> dict[str, Any]:
    """What the module returns."""
    defaults = {"namespace": "ns1", "protocol": "icmp", "timeout": PATIENCE}
    result, warnings = _packet_path.ask(_packet_path.declare({**defaults, **options}))
    assert not warnings
    return result


def lost(**options: Any) -> dict[str, Any]:
    """The same for a packet to which no answer comes."""
    result = path(**{"timeout": 0.2, **options})
    assert not result["answered"]
    return result


def crossed(result: dict[str, Any], packet: str = "request") -> list[tuple[str, str, str]]:
    """Where and in which direction."""
    return [(hop["namespace"], hop["interface"], hop["direction"]) for hop in result["hops"] if hop["packet"] == packet]


@pytest.fixture
def network(machine: None) -> None:
    """Two containers on a bridge that masquerades, and a host outside."""
    shell("sysctl -qw net/ipv4/ip_forward=0")
    shell(PREPARE)
    both = blue(container("ns1", "10.10.0.10/16"), container("ns2", "10.10.0.20/16"))
    for pair, address in zip(both["veth"], ("fd00::10/64", "fd00::20/64")):
        pair["peer"] |= {"ipv6": True, "addresses": [*pair["peer"]["addresses"], address]}
    apply(both)


pytestmark = pytest.mark.usefixtures("network")

THERE = [
    ("ns1", "eth0", "out"),
    ("", "vethns1", "in"),
    ("", "br0", "in"),
    ("", "vethns2", "out"),
    ("ns2", "eth0", "in"),
]
BACK = [("ns2", "eth0", "out"), ("", "vethns2", "in"), ("", "br0", "in"), ("", "vethns1", "out"), ("ns1", "eth0", "in")]


@pytest.mark.parametrize("ends", [("10.10.0.10", "10.10.0.20"), ("fd00::10", "fd00::20")])
@pytest.mark.parametrize("hooks", [False, True])
def test_bridged(ends: tuple[str, str], hooks: bool) -> None:
    """Every interface in the order of time, there and back."""
    before = snapshot.state()
    result = path(to=ends[1], hooks=hooks)
    snapshot.same(before, snapshot.state())
    assert (crossed(result), crossed(result, "reply")) == (THERE, BACK)
    assert result["arrived"]
    assert result["answered"]
    assert result["answer"] == "echo reply"
    assert result["ended"].startswith(f"answered by {ends[1]} with echo reply after ")
    macs = tuple(snapshot.link("eth0", name)["address"] for name in ("ns1", "ns2"))
    for hop in result["hops"]:
        forward = slice(None) if hop["packet"] == "request" else slice(None, None, -1)
        assert (hop["source"], hop["destination"]) == ends[forward]
        assert (hop["source_mac"], hop["destination_mac"]) == macs[forward]
        assert not hop["translated"]
        assert "source_port" not in hop
    times = [hop["microseconds"] for hop in result["hops"]]
    assert times == sorted(times)
    assert times[0] == 0
    if not hooks:
        assert result["hooks"] == []
    names = [line.split()[2:4] for line in result["drawing"] if " µs " in line and " > " in line]
    assert len(names) == 10


def test_a_namespace_pings_itself() -> None:
    """Over the loopback, each packet once as sent and once as received."""
    result = path(to="10.10.0.10", namespaces=[])
    assert crossed(result) == [("ns1", "lo", "out"), ("ns1", "lo", "in")]
    assert result["answered"]


def test_from_the_host() -> None:
    """Out by the bridge and its port."""
    assert crossed(path(namespace="", to="10.10.0.20")) == [
        ("", "br0", "out"),
        ("", "vethns2", "out"),
        ("ns2", "eth0", "in"),
    ]


def test_masquerade() -> None:
    """Outside sees the host's address; the way back shows the other half of the translation."""
    result = path(to=OUTSIDE, protocol="tcp", port=9)
    assert result["answer"] == "RST-ACK"
    seen = {(hop["packet"], hop["interface"]): hop for hop in result["hops"]}
    request, reply = seen["request", "up0"], seen["reply", "br0"]
    assert (request["source"], request["destination"], request["destination_port"]) == ("198.51.100.1", OUTSIDE, 9)
    port = seen["request", "eth0"]["source_port"]
    assert request["translated"] == f"source was 10.10.0.10:{port}"
    assert reply["destination"] == "10.10.0.10"
    assert reply["translated"].startswith("destination was 198.51.100.1:")
    assert crossed(result)[-2:] == [("", "up0", "out"), ("outside", "out0", "in")]
    assert request["source_mac"] == snapshot.link("up0")["address"]
    assert any("source was 10.10.0.10" in line for line in result["drawing"])


@contextmanager
def serving(namespace: str, address: str) -> Iterator[tuple[int, int]]:
    """A TCP port that listens and a UDP port that answers, in a namespace."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with inside(namespace):
        tcp, udp = socket.socket(family, socket.SOCK_STREAM), socket.socket(family, socket.SOCK_DGRAM)
        tcp.bind((address, 0))
        tcp.listen()
        udp.bind((address, 0))
    udp.settimeout(PATIENCE)

    def answer() -> None:
        asked, sender = udp.recvfrom(100)
        udp.sendto(asked[:1], sender)

    thread = threading.Thread(target=answer)
    thread.start()
    with tcp, udp:
        yield tcp.getsockname()[1], udp.getsockname()[1]
        thread.join()


@pytest.mark.parametrize("address", ["10.10.0.20", "fd00::20"])
def test_tcp_and_udp(address: str) -> None:
    """Answered by who is there; refused where nobody is."""
    with serving("ns2", address) as (tcp, udp):
        opened = path(to=address, protocol="tcp", port=tcp)
        said = path(to=address, protocol="udp", port=udp)
    assert (opened["answer"], crossed(opened), crossed(opened, "reply")) == ("SYN-ACK", THERE, BACK)
    assert (said["answer"], crossed(said), crossed(said, "reply")) == ("UDP", THERE, BACK)
    assert {hop["destination_port"] for hop in opened["hops"] if hop["packet"] == "request"} == {tcp}
    assert path(to=address, protocol="tcp", port=tcp)["answer"] == "RST-ACK"
    refused = path(to=address, protocol="udp", port=udp)
    assert (refused["answered"], refused["arrived"], refused["answer"]) == (False, True, "port unreachable")
    assert crossed(refused, "error") == BACK
    assert refused["ended"].startswith(f"refused by {address} with ICMP port unreachable after ")


def drop(namespace: str, hook: str, rule: str = "meta l4proto icmp drop") -> None:
    """A rule that drops."""
    with inside(namespace):
        shell(f"nft 'table inet t {{ chain c {{ type filter hook {hook} priority 0; {rule}; }}; }}'")


def test_dropped_where_it_is_forwarded() -> None:
    """It comes in and does not leave again; the hooks name the one at fault."""
    drop("", "forward")
    without = lost(to=OUTSIDE)
    assert crossed(without)[-1] == ("", "br0", "in")
    assert without["ended"] == (
        "it came in by br0 in the host, and did not leave again within 0.2 s: no forwarding there, no route or "
        "neighbour, or a rule that drops it"
    )
    found = lost(to=OUTSIDE, hooks=True)
    assert found["ended"].endswith("a rule of the host dropped the request at the hook forward")
    assert {"namespace": "", "packet": "request", "hook": "forward", "entered": 1, "left": 0} in found["hooks"]
    assert any("forward (dropped)" in line for line in found["drawing"])


def test_dropped_where_it_arrives() -> None:
    """It arrived, and is not answered."""
    drop("ns2", "input")
    found = lost(to="10.10.0.20", hooks=True)
    assert found["arrived"]
    assert crossed(found) == THERE
    assert found["ended"].startswith("it arrived by eth0 in namespace 'ns2', which did not answer within 0.2 s; a rule")


@pytest.mark.parametrize(("target", "other"), [(2, 3), (3, 2)])  # whoever gets his copy first
def test_it_is_flooded(target: int, other: int) -> None:
    """Where the bridge has not learned who is where, others get copies; it ended where it was to go."""
    three = blue(*(container(f"ns{number}", f"10.10.0.{number}0/16") for number in (1, 2, 3)))
    for port in three["bridge_port"]:
        port["learning"] = False
    apply(three)
    shell("ip link set dev br0 type bridge fdb_flush")
    shell(f"ip netns exec ns1 ping -c 1 -W 5 10.10.0.{target}0")  # so that nothing but the request is under way
    drop(f"ns{target}", "input")
    result = lost(to=f"10.10.0.{target}0")
    assert result["arrived"]
    assert (f"ns{other}", "eth0", "in") in crossed(result)
    assert result["ended"].startswith(f"it arrived by eth0 in namespace 'ns{target}', which did not answer")


def test_dropped_where_it_leaves() -> None:
    """The kernel says so to the sender."""
    drop("ns1", "output")
    found = lost(to="10.10.0.20", hooks=True)
    assert found["hops"] == []
    assert found["ended"].startswith("namespace 'ns1' did not send it: Operation not permitted; a rule of namespace")


def test_answer_dropped() -> None:
    """On its way back, or at the very end."""
    drop("", "forward", "icmp type echo-reply drop")
    found = lost(to=OUTSIDE)
    assert found["arrived"]
    assert found["ended"].startswith("the reply came in by up0 in the host, and did not come back to namespace 'ns1'")
    shell("nft delete table inet t")
    drop("ns1", "input")
    found = lost(to=OUTSIDE, hooks=True)
    assert found["ended"].endswith("a rule of namespace 'ns1' dropped the reply at the hook input")


def test_nobody_there() -> None:
    """No neighbour, no route, no forwarding."""
    nobody = lost(to="10.10.0.77")
    assert nobody["ended"].endswith("no route, no neighbour that answers, or a rule that drops it")
    assert lost(to="10.10.0.77", hooks=True)["ended"].endswith("by no interface within 0.2 s: no neighbour answers")
    assert lost(namespace="outside", to="10.10.0.10")["ended"].endswith("did not send it: Network is unreachable")
    shell("sysctl -qw net/ipv4/ip_forward=0")
    assert lost(to=OUTSIDE)["ended"].startswith("it came in by br0 in the host, and did not leave again")


def test_beyond_what_is_seen() -> None:
    """A network whose other end is no namespace that is looked into."""
    drop("outside", "input")
    found = lost(to=OUTSIDE, namespaces=[""])
    assert found["ended"] == f"it left by up0 in the host for {OUTSIDE}, and was seen nowhere behind that within 0.2 s"
    assert {hop["namespace"] for hop in found["hops"]} == {"ns1", ""}


def test_through_a_tun() -> None:
    """A link without Ethernet: no MAC addresses, and the file says so."""
    apply({"tuntap": [{"name": "t0", "mode": "tun", "addresses": ["10.8.0.1/24"]}]})
    with attached("t0", IFF_TUN):
        until(lambda: sends("t0", ""))
        found = lost(namespace="", to="10.8.0.2", pcap_directory="/run/pcap")
    assert crossed(found) == [("", "t0", "out")]
    assert (found["hops"][0]["source_mac"], found["hops"][0]["source"]) == ("", "10.8.0.1")
    assert found["pcap_files"] == ["/run/pcap/01-host-t0.pcap"]
    assert "10.8.0.1,10.8.0.2,8" in read_by_tshark(found["pcap_files"][0])


@pytest.mark.parametrize("switch", [0, 1])
def test_bridge_nf(switch: int) -> None:
    """With bridge-nf-call-iptables a bridged ping passes the firewall of the host, each hook once; without, none."""
    if not Path("/proc/sys/net/bridge").exists():
        pytest.skip("br_netfilter is not loaded")
    shell(f"sysctl -qw net/bridge/bridge-nf-call-iptables={switch}")
    result = path(to="10.10.0.20", hooks=True)
    assert (crossed(result), crossed(result, "reply")) == (THERE, BACK)
    passed = [
        (one["namespace"], one["packet"], one["hook"]) for one in result["hooks"] if one["entered"] == one["left"] == 1
    ]
    assert len(passed) == len(result["hooks"])
    host = [(packet, hook) for namespace, packet, hook in passed if not namespace]
    bridged = ("prerouting", "forward", "postrouting")
    assert host == [(packet, hook) for packet in ("request", "reply") for hook in bridged if switch]
    assert [one for one in passed if one[0]] == [
        ("ns1", "request", "output"),
        ("ns1", "request", "postrouting"),
        ("ns1", "reply", "prerouting"),
        ("ns1", "reply", "input"),
        ("ns2", "request", "prerouting"),
        ("ns2", "request", "input"),
        ("ns2", "reply", "output"),
        ("ns2", "reply", "postrouting"),
    ]


@pytest.mark.parametrize(
    ("protocol", "address"), [("tcp", "10.10.0.20"), ("udp", "10.10.0.20"), ("tcp", "fd00::20"), ("udp", "fd00::20")]
)
def test_hooks_of_other_protocols(protocol: str, address: str) -> None:
    """The counters match the tagged packet and its answer, and nothing of the traffic beside it."""
    with serving("ns2", address) as ports:
        result = path(to=address, protocol=protocol, port=ports[protocol == "udp"], hooks=True)
        if protocol == "tcp":
            path(to=address, protocol="udp", port=ports[1])
    found = [(one["namespace"], one["packet"], one["hook"]) for one in result["hooks"] if one["namespace"] == "ns2"]
    assert found == [
        ("ns2", "request", "prerouting"),
        ("ns2", "request", "input"),
        ("ns2", "reply", "output"),
        ("ns2", "reply", "postrouting"),
    ]
    assert {one["entered"] for one in result["hooks"]} == {1}


def rulesets() -> str:
    """Of all namespaces."""
    found = []
    for name in ("", *snapshot.namespaces()):
        with inside(name):
            found.append(snapshot.nft())
    return "\n".join(found)


def test_counters_are_removed_in_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where loading them fails half way, where the capture fails, and where the process is told to end."""
    before = rulesets()
    load, loaded = _programs.nft, []

    def failing(text: str) -> None:
        loaded.append(text)
        if len(loaded) == 2:
            raise _programs.ProgramError(1, "no more of it")
        load(text)

    with monkeypatch.context() as patch:
        patch.setattr(_programs, "nft", failing)
        with pytest.raises(_programs.ProgramError):
            path(to="10.10.0.20", hooks=True)
    assert rulesets() == before

    def told_to_end(*_arguments: object) -> list[Any]:
        assert rulesets() != before
        os.kill(os.getpid(), signal.SIGTERM)
        return []

    handler = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(Capture, "until", told_to_end)
        with pytest.raises(SystemExit):
            path(to="10.10.0.20", hooks=True)
    assert rulesets() == before
    assert signal.getsignal(signal.SIGTERM) is handler


def read_by_tshark(file: str) -> list[str]:
    """Source, destination and type of what is in a file, with the type of its link checked by tshark."""
    if not shutil.which("tshark"):
        if os.environ.get("CI"):
            pytest.fail("not installed: tshark")
        pytest.skip("not installed: tshark")
    fields = " ".join(f"-e {name}" for name in ("ip.src", "ip.dst", "icmp.type"))
    warned = " -Y '!_ws.malformed'"
    return shell(f"tshark -n -r {file} {warned} -T fields -E separator=, {fields} 2>/dev/null").splitlines()


def test_captures() -> None:
    """A file for every interface in the order of the path; again, it replaces them."""
    for _time in range(2):
        result = path(to="10.10.0.20", pcap_directory="/run/pcap")
    files = ["01-ns1-eth0", "02-host-vethns1", "03-host-br0", "04-host-vethns2", "05-ns2-eth0"]
    assert result["pcap_files"] == [f"/run/pcap/{name}.pcap" for name in files]
    assert sorted(Path("/run/pcap").iterdir()) == [Path(name) for name in result["pcap_files"]]
    for name in result["pcap_files"]:
        assert stat.S_IMODE(Path(name).stat().st_mode) == 0o644
        assert read_by_tshark(name) == ["10.10.0.10,10.10.0.20,8", "10.10.0.20,10.10.0.10,0"]


def test_one_namespace_of_two_names() -> None:
    """Is looked into once."""
    shell("touch /run/netns/again; mount --bind /run/netns/ns2 /run/netns/again")
    assert len(crossed(path(to="10.10.0.20"))) == len(THERE)
    shell("umount /run/netns/again; rm /run/netns/again")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "web"}, "address 'web': .* write it like 10.10.0.20"),
        ({"to": "224.0.0.1"}, "multicast"),
        ({"to": "fe80::1%eth0"}, "has a % part"),
        ({"to": "10.0.0.1", "port": 80}, "port 80: ICMP has no ports; drop it, or say protocol: tcp or udp"),
        ({"to": "10.0.0.1", "protocol": "tcp", "port": 0}, "port 0 is out of range: 1 to 65535"),
        ({"to": "10.0.0.1", "protocol": "udp", "port": 65536}, "port 65536 is out of range"),
        ({"to": "10.0.0.1", "timeout": 0}, "timeout 0 is out of range"),
        ({"to": "10.0.0.1", "namespace": "../x"}, "namespace name '../x'"),
        ({"to": "10.0.0.1", "namespace": "gone"}, "namespace 'gone' does not exist on this host; name one that"),
        ({"to": "10.0.0.1", "namespaces": ["", "gone"]}, "namespace 'gone' does not exist on this host"),
        ({"to": "10.0.0.1", "pcap_directory": "here"}, "pcap_directory 'here' is not an absolute path"),
    ],
)
def test_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BridgenetError, match=message):
        path(**options)
