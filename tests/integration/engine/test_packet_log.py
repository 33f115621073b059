# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log rules: a life, every option, counters that survive, lines that can be read, and what bridge-nf does to them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _programs
from ansible_collections.nslab.bridgenet.plugins.module_utils._engine import Report
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import driver, snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_undo import undoes

Declaration = dict[str, list[dict[str, Any]]]

backends = pytest.mark.parametrize("backend", ["nftables", "iptables"])
SEED = [("prerouting", "Nat-PREROUTING-1-"), ("forward", "Filter-FORWARD-1-"), ("postrouting", "Nat-POSTROUTING-1-")]
FORWARD = {"hook": "forward", "prefix": "seen: "}


def logs(*objects: dict[str, Any], **options: Any) -> Declaration:
    """Log rules."""
    return {"packet_log": [{**one, **options} for one in objects]}


def seed(backend: str, **options: Any) -> Declaration:
    """The three rules of the article."""
    return logs(
        *({"hook": hook, "prefix": prefix} for hook, prefix in SEED), protocol="icmp", backend=backend, **options
    )


def rules() -> str:
    """All rules with our comment, in every program."""
    listed = snapshot.nft() + shell("for p in iptables ip6tables; do $p -S; $p -t nat -S; done")
    return "\n".join(line.strip() for line in listed.splitlines() if "bridgenet:1:" in line)


def counted(report: Report) -> dict[str, int]:
    """Label -> packets."""
    assert report.counters is not None
    return {view["label"]: view["packets"] for _module, _what, view in report.counters}


@pytest.mark.parametrize("protocol", ["tcp", "udp", "sctp", "icmp", "icmpv6"])
@pytest.mark.parametrize("netbase", [True, False])
def test_protocols(protocol: str, netbase: bool) -> None:
    """Also where /etc/protocols, of the package netbase, is not there: then nft knows numbers only."""
    story = Story("" if netbase else "rm -f /etc/protocols")
    story.changes(logs(FORWARD, protocol=protocol, backend="nftables"))
    story.changes(logs(FORWARD, protocol=protocol, backend="nftables", state="absent"))


@backends
@pytest.mark.parametrize(
    "declared",
    [
        pytest.param({"hook": "prerouting", "prefix": "a"}, id="prerouting"),
        pytest.param({"hook": "postrouting", "prefix": "a", "out_interface": "x0"}, id="postrouting"),
        pytest.param({**FORWARD, "source": "10.0.0.0/8", "destination": "10.1.2.3/32"}, id="addresses"),
        pytest.param({**FORWARD, "source": "fd00::/64", "destination": "fd01::1/128"}, id="IPv6 addresses"),
        pytest.param({**FORWARD, "in_interface": "x0", "out_interface": "y0", "protocol": "tcp"}, id="interfaces"),
        pytest.param({**FORWARD, "protocol": "icmpv6", "group": 5}, id="icmpv6, NFLOG"),
        pytest.param({**FORWARD, "protocol": "sctp", "group": 0}, id="sctp, NFLOG group 0"),
        pytest.param({**FORWARD, "protocol": "udp", "prefix": "a (b) [c] <d> 1=2; 3,4:5/6+7*8@9#."}, id="punctuation"),
    ],
)
def test_life(backend: str, declared: dict[str, Any]) -> None:
    """Fresh, again, absent, absent again: the machine is as it was found."""
    declared = {**declared, "prefix": declared["prefix"][:29]}
    story = Story()
    first = snapshot.portable(snapshot.state())
    report = story.changes(logs(declared, backend=backend, label="blue"))
    assert report.before == []
    assert {**declared, "backend": backend, "label": "blue"}.items() <= report.after[0][2].items()
    assert counted(report) == {"blue": 0}
    story.changes(logs(declared), state="absent")
    assert rules() == ""
    snapshot.same(first, snapshot.portable(snapshot.state()))
    story.stays(logs(declared), state="absent")


@backends
@pytest.mark.parametrize(
    "new",
    [
        {"hook": "prerouting"},
        {"prefix": "other"},
        {"source": "10.0.0.0/9"},
        {"destination": "10.9.0.0/16"},
        {"protocol": "udp"},
        {"in_interface": "x1"},
        {"out_interface": "x1"},
        {"group": 3},
        {"label": "red"},
    ],
    ids=str,
)
def test_option(backend: str, new: dict[str, Any]) -> None:
    """There and back."""
    old = {**FORWARD, "source": "10.0.0.0/8", "protocol": "tcp", "backend": backend, "label": "blue"}
    story = Story()
    story.changes(logs(old))
    first = rules()
    story.changes(logs({**old, **new}))
    assert rules() != first
    story.changes(logs(old))
    assert rules() == first


@pytest.mark.parametrize("hook", ["prerouting", "postrouting"])
def test_table(hook: str) -> None:
    """Nat, where only the first packet of a flow passes, or filter, which iptables has not at every hook."""
    story = Story()
    declared = {"hook": hook, "prefix": "a", "label": "blue"}
    story.changes(logs(declared))
    story.stays(logs(declared, table="nat"))
    story.changes(logs(declared, table="filter"))
    with pytest.raises(BridgenetError, match=f"has no chain {hook.upper()}; say table: nat, or backend: nftables"):
        apply(logs(declared, table="filter", backend="iptables"))


def test_backend() -> None:
    """From one to the other; absent does not need to know."""
    story = Story()
    story.changes(logs(FORWARD))
    assert "inet bridgenet_log" in snapshot.nft()
    story.changes(logs(FORWARD, backend="iptables"))
    assert "inet bridgenet_log" not in snapshot.nft()
    story.changes(logs(FORWARD, backend="nftables"))
    story.changes(logs(FORWARD, backend="iptables"))
    story.changes(logs(FORWARD), state="absent")
    assert rules() == ""


@backends
def test_purge(backend: str) -> None:
    """What is no longer declared goes; what is another project's stays."""
    story = Story()
    story.changes(seed(backend), purge=True)
    story.changes(logs({**FORWARD, "label": "theirs"}, backend=backend), project="theirs")
    story.changes({**logs({"hook": SEED[0][0], "prefix": SEED[0][1]}, protocol="icmp", backend=backend)}, purge=True)
    assert len(rules().splitlines()) == (2 if backend == "nftables" else 3)
    story.changes({}, purge=True)
    story.changes({}, purge=True, project="theirs")
    assert rules() == ""


@backends
def test_undo(backend: str) -> None:
    """Whichever step fails, everything is as it was, what others log among it."""
    shell("iptables -P FORWARD DROP; iptables -A FORWARD -s 10.7.0.0/16 -j LOG; iptables -t nat -A PREROUTING -j LOG")
    assert undoes({**seed(backend), "forward": [{"bridge": "br0"}], "netns": [{"name": "a"}]}) > 3
    assert undoes({**seed(backend, group=7), "netns": [{"name": "b"}]}) > 1
    assert undoes({**seed(backend), "netns": [{"name": "b"}]}, state="absent") > 1


@backends
def test_counters_survive(backend: str) -> None:
    """A rule is not made anew because another one comes or goes; check mode counts as well."""
    apply(bridged())
    shell("sysctl -qw net/ipv4/ip_forward=1")
    one, two = ({"hook": "prerouting", "prefix": name, "table": "nat"} for name in ("one", "two"))
    assert counted(apply(logs(one, source="10.10.0.10", backend=backend))) == {"nat/prerouting/one": 0}
    shell("ip netns exec ns1 ping -c1 -W5 -q 10.10.0.1")
    assert counted(check(logs(one, two, source="10.10.0.10", backend=backend))) == {"nat/prerouting/one": 1}
    report = apply(logs(one, two, source="10.10.0.10", backend=backend))
    assert report.changed
    assert counted(report) == {"nat/prerouting/one": 1, "nat/prerouting/two": 0}
    shell("ip netns exec ns1 ping -c1 -W5 -q 10.10.0.1")
    report = apply(logs(two, source="10.10.0.10", backend=backend), state="absent")
    assert report.counters == []
    report = apply(logs(one, source="10.10.0.10", backend=backend))
    assert not report.changed
    assert report.counters is not None
    assert report.counters[0][2] == {"label": "nat/prerouting/one", "packets": 2, "bytes": 168}


def test_gate_behind_the_log() -> None:
    """What the rule in a chain of others accepts, a rule that logs there has seen before, whichever came first."""
    shell("iptables -P FORWARD DROP")
    network = {"forward": [{"bridge": "br0"}]}
    for first, second in (
        (logs(FORWARD, backend="iptables"), network),
        (network, logs(FORWARD, backend="iptables")),
    ):
        apply(first)
        apply(second)
        targets = [line.split(" -j ")[1].split()[0] for line in shell("iptables -S FORWARD").splitlines()[1:]]
        assert targets == ["LOG", "ACCEPT"]
        apply({**first, **second}, state="absent")
    apply({**network, **logs(FORWARD, backend="iptables")})
    assert shell("iptables -S FORWARD").splitlines()[1].split(" -j ")[1].startswith("LOG")


def test_of_others() -> None:
    """Nobody else's rules, nor a table of that name that is not ours."""
    shell("nft add table inet bridgenet_log; iptables -A FORWARD -j LOG --log-prefix 'seen: '")
    with pytest.raises(BridgenetError, match="table inet bridgenet_log exists and is not ours; remove it, or say back"):
        apply(logs(FORWARD, backend="nftables"))
    first = snapshot.iptables()
    apply(logs(FORWARD, backend="iptables"))
    with pytest.raises(BridgenetError, match=r"packet_log .* belongs to project 'default', not 'ours'; remove it"):
        apply(logs(FORWARD, backend="iptables"), project="ours")
    with pytest.raises(BridgenetError, match="so it is not removed"):
        apply(logs(FORWARD, label="x"), state="absent")
    apply(logs(FORWARD), state="absent")
    assert snapshot.iptables() == first


@backends
def test_repaired(backend: str) -> None:
    """A rule that somebody took away or changed comes back."""
    declared = seed(backend)
    apply(declared)
    whole = rules()
    if backend == "nftables":
        chain = next(
            line.split()[1] for line in shell("nft list table inet bridgenet_log").splitlines() if "forward_" in line
        )
        scripts = [
            f"nft flush chain inet bridgenet_log {chain}",
            f"nft add rule inet bridgenet_log {chain} accept",
            "nft delete table inet bridgenet_log",
        ]
    else:
        scripts = ["iptables -D FORWARD 1", "iptables -F FORWARD; iptables -t nat -F"]
    for script in scripts:
        shell(script)
        assert check(declared).changed
        report = apply(declared)
        assert report.before != report.after
        assert sorted(rules().splitlines()) == sorted(whole.splitlines())
        assert not apply(declared).changed


def test_without_nft(monkeypatch: pytest.MonkeyPatch) -> None:
    """Auto takes what is there; where nothing is, the error says what helps."""
    find = _programs.find
    monkeypatch.setattr(_programs, "find", lambda name: None if name == "nft" else find(name))
    assert apply(logs(FORWARD)).after[0][2]["backend"] == "iptables"
    monkeypatch.setattr(_programs, "find", lambda name: None)
    with pytest.raises(BridgenetError, match="the program nft is missing on this host; install it"):
        apply(logs(FORWARD))


# --- what is logged ---

_SUBSYSTEM, _PACKET, _CONFIG = 4 << 8, 0, 1  # linux/netfilter/nfnetlink_log.h
_CFG_CMD, _CFG_MODE, _CFG_QTHRESH, _PREFIX = 1, 2, 5, 10


class NfLog:
    """A reader of one NFLOG group of this namespace."""

    def __init__(self, group: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)  # NETLINK_NETFILTER
        self._socket.settimeout(5)
        self._socket.bind((0, 0))
        for kind, value in ((_CFG_CMD, b"\1"), (_CFG_MODE, b"\0\0\0\0\1\0"), (_CFG_QTHRESH, b"\0\0\0\1")):
            attribute = struct.pack("=HH", 4 + len(value), kind) + value.ljust(-(-len(value) // 4) * 4, b"\0")
            body = struct.pack("=BB", 0, 0) + struct.pack(">H", group) + attribute
            header = struct.pack("=IHHII", 16 + len(body), _SUBSYSTEM | _CONFIG, 1 | 4, 1, 0)  # request, ack
            self._socket.send(header + body)
            answer = self._socket.recv(4096)
            assert struct.unpack_from("=i", answer, 16)[0] == 0, "the kernel has no NFLOG"

    def line(self) -> str:
        """The prefix of the next packet."""
        data = self._socket.recv(65536)
        assert struct.unpack_from("=H", data, 4)[0] == _SUBSYSTEM | _PACKET
        at, end = 20, struct.unpack_from("=I", data)[0]
        while at < end:
            length, kind = struct.unpack_from("=HH", data, at)
            if kind == _PREFIX:
                return data[at + 4 : at + length].rstrip(b"\0").decode()
            at += -(-length // 4) * 4
        raise AssertionError("a packet without a prefix")

    def close(self) -> None:
        """Give the group back."""
        self._socket.close()


@contextmanager
def listening(group: int) -> Iterator[NfLog]:
    """A reader for the duration of a block."""
    reader = NfLog(group)
    try:
        yield reader
    finally:
        reader.close()


def bridged() -> Declaration:
    """A bridge with two containers."""
    network = blue(container("ns1", "10.10.0.10/16"), container("ns2", "10.10.0.20/16"))
    del network["masquerade"]
    return network


@backends
def test_lines(backend: str) -> None:
    """The lines can be read, each with its prefix, in the order of the hooks."""
    apply(bridged())
    shell("ip link add name x0 type veth peer name y0; ip address add 10.66.0.1/24 dev x0; ip link set dev x0 up")
    shell("ip link set dev y0 up; ip neighbour add 10.66.0.2 lladdr 02:00:00:00:00:09 dev x0")
    shell("sysctl -qw net/ipv4/ip_forward=1")
    with listening(5) as reader, listening(6) as other:
        apply(seed(backend, group=5))
        apply(logs({**FORWARD, "protocol": "icmp"}, group=6, backend=backend))
        shell("ip netns exec ns1 ping -c1 -W0.1 -q 10.66.0.2 || true")
        assert [reader.line() for _hook in SEED] == [prefix for _hook, prefix in SEED]
        assert other.line() == "seen: "


@backends
def test_bridge_nf(backend: str) -> None:
    """Five bridged pings: unseen with 0, all seen with 1, and with 0 again all seen where the bridge says so itself.

    In nat only the first packet of a flow is seen, and the five are one flow; in filter all ten are, answers included.
    """
    if not driver.host().br_netfilter:
        pytest.skip("br_netfilter is not loaded")
    apply(bridged())
    declared = seed(backend)
    labels = ["nat/prerouting/Nat-PREROUTING-1", "filter/forward/Filter-FORWARD-1", "nat/postrouting/Nat-POSTROUTING-1"]
    seen = [1, 10, 1]
    if backend == "nftables":
        every = {"prefix": "all", "table": "filter", "protocol": "icmp"}
        declared["packet_log"] += [{**every, "hook": hook} for hook in ("prerouting", "postrouting")]
        labels += ["filter/prerouting/all", "filter/postrouting/all"]
        seen += [10, 10]
    nothing, once = dict.fromkeys(labels, 0), dict(zip(labels, seen))

    shell("sysctl -qw net/bridge/bridge-nf-call-iptables=0")
    assert counted(apply(declared)) == nothing
    ping()
    assert counted(apply(declared)) == nothing
    shell("sysctl -qw net/bridge/bridge-nf-call-iptables=1")
    ping()
    assert counted(apply(declared)) == once
    shell("sysctl -qw net/bridge/bridge-nf-call-iptables=0")
    ping()
    assert counted(apply(declared)) == once
    apply({"bridge": [{"name": "br0", "label": "blue", "nf_call_iptables": True}]})
    ping()
    assert counted(apply(declared)) == {label: 2 * count for label, count in once.items()}


def ping() -> None:
    """Five, as in the article."""
    shell("ip netns exec ns1 ping -c5 -i0.01 -W5 -q 10.10.0.20")
