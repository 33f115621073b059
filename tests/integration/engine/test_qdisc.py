# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queueing disciplines: a life, every option, whose they are, and what becomes of packets."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._netlink import Socket
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.features import need
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_undo import undoes

Declaration = dict[str, list[dict[str, Any]]]

PAIR = (
    "ip link add name x0 address 02:00:00:00:00:01 type veth peer name y0 address 02:00:00:00:00:02;"
    "ip link set dev x0 up; ip link set dev y0 up"
)
INSIDE = f"ip netns add a; ip netns exec a sh -ec '{PAIR}'"
TBF = {"rate": "1mbit", "burst": "10kb", "latency": "50ms"}
NETEM = {"delay": "10ms", "jitter": "2ms", "loss": "0.5%", "duplicate": "1%", "limit": 500}


def qdisc(**options: Any) -> Declaration:
    """That of one link."""
    return {"qdisc": [{"name": "x0", **options}]}


def listed(name: str = "x0", namespace: str = "") -> list[dict[str, Any]]:
    """What tc tells of a link, with its counters."""
    with inside(namespace):
        found: list[dict[str, Any]] = json.loads(shell(f"tc -s -j qdisc show dev {name}"))
    return found


@pytest.fixture
def netem(machine: None) -> None:
    """A kernel with netem."""
    need("netem", "tc qdisc add dev lo root netem")


@pytest.mark.parametrize("namespace", ["", "a"])
def test_life(namespace: str) -> None:
    """Fresh, again, absent, absent again."""
    story = Story(INSIDE if namespace else PAIR)
    first = snapshot.portable(snapshot.state())
    report = story.changes(qdisc(namespace=namespace, tbf=TBF))
    assert report.after[0][2]["tbf"] == {"rate": "1mbit", "burst": "10kb", "limit": "16490b"}
    (found,) = listed(namespace=namespace)
    assert (found["kind"], found["handle"], found["options"]["rate"]) == ("tbf", "6272:", 125000)
    story.changes(qdisc(namespace=namespace), state="absent")
    snapshot.same(first, snapshot.portable(snapshot.state()))
    story.stays(qdisc(namespace=namespace), state="absent")


def test_options_of_tbf() -> None:
    """Each of them changes in place, also where a rate takes more than 32 bits, or a burst several seconds."""
    story = Story(PAIR)
    for changed in (
        {"rate": "999kbit", "burst": "2000b"},
        {"rate": "8kbit", "burst": "9999b", "latency": "5s"},
        {"rate": "80gbit", "burst": "1mb", "latency": "1ms"},
        {"rate": "10mbit"},
        {"rate": "10mbit", "limit": "1mb"},
    ):
        story.changes(qdisc(tbf=changed))


def test_undo() -> None:
    """Whichever step fails, the limits are as they were, also of a link that goes."""
    shell(PAIR)
    assert undoes({**qdisc(tbf=TBF), "netns": [{"name": "a"}]}) > 1
    assert undoes({**qdisc(tbf={"rate": "2mbit"}), "netns": [{"name": "b"}]}) > 1
    assert undoes({"veth": [{"name": "x0"}], "netns": [{"name": "b"}]}, state="absent") > 1


def test_of_others() -> None:
    """What somebody else set is refused, and no absence removes it."""
    shell(PAIR + "; tc qdisc add dev x0 root tbf rate 5mbit burst 10kb latency 50ms")
    first = listed()
    with pytest.raises(BridgenetError, match="qdisc of 'x0' is a tbf that somebody else set; remove it: `tc qdisc del"):
        apply(qdisc(tbf=TBF))
    assert not apply(qdisc(), state="absent").changed
    assert listed()[0]["handle"] == first[0]["handle"]


def test_exclusive_namespace() -> None:
    """Where a task declares everything inside, a limit at either end that it does not name goes; others stay."""
    network = blue(container("ns1", "10.10.0.10/16"))
    network["netns"][0]["exclusive"] = True
    limits = {"qdisc": [{"name": "vethns1", "tbf": TBF}, {"name": "eth0", "namespace": "ns1", "tbf": TBF}]}
    apply({**network, **limits})
    shell(PAIR)
    apply(qdisc(tbf=TBF))
    assert not apply({**network, **limits}).changed
    assert apply({**network, "qdisc": limits["qdisc"][:1]}).actions == (
        "tc -n ns1 qdisc del dev eth0 root handle 6272:",
    )
    assert apply(network).actions == ("tc qdisc del dev vethns1 root handle 6272:",)
    assert listed()[0]["kind"] == "tbf"
    apply({**network, **limits})
    apply({**network, **limits}, purge=True)
    assert listed("vethns1")[0]["kind"] == "tbf"


def test_small_burst() -> None:
    """A burst below a frame would drop every full one."""
    shell(PAIR)
    with pytest.raises(BridgenetError, match="burst '1513b' is smaller than a frame of 1514 bytes"):
        apply(qdisc(tbf={"rate": "1mbit", "burst": "1513b"}))
    apply(qdisc(tbf={"rate": "1mbit", "burst": "1514b"}))


@pytest.mark.parametrize("lacking", ["tbf", "netem"])
def test_kernel_without_a_kind(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that lacks one is found out before the first change, also by check mode."""
    shell(PAIR)
    monkeypatch.setattr(Socket, "knows_qdisc", lambda self, kind: kind != lacking)
    before = snapshot.state()
    for run in (check, apply):
        with pytest.raises(
            BridgenetError, match=f"this kernel has no {lacking} .CONFIG_NET_SCH_{lacking.upper()}.; drop it"
        ):
            run(qdisc(tbf=TBF, netem=NETEM))
    snapshot.same(before, snapshot.state())


def test_no_link() -> None:
    """Assumed by check mode, refused by a real run."""
    assert check(qdisc(tbf=TBF)).assumed == ("interface x0",)
    with pytest.raises(BridgenetError, match="missing on this host: interface x0"):
        apply(qdisc(tbf=TBF))


def test_limit() -> None:
    """More than fits through waits, and more than may wait is dropped; without a limit nothing is."""
    apply(blue(container("ns1", "10.10.0.10/16")))
    limit = {"qdisc": [{"name": "vethns1", "tbf": {"rate": "8kbit", "burst": "2000b", "limit": "4000b"}}]}
    datagram = b"x" * 1000

    def flood() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _number in range(20):
                sender.sendto(datagram, ("10.10.0.10", 9))

    mac = snapshot.link("eth0", "ns1")["address"]
    shell(f"ip neighbour replace 10.10.0.10 lladdr {mac} dev br0")
    before = shell("ip -n ns1 -s link show dev eth0")
    flood()
    assert _received(shell("ip -n ns1 -s link show dev eth0")) - _received(before) >= 20
    apply(limit)
    before = shell("ip -n ns1 -s link show dev eth0")
    flood()
    (found,) = listed("vethns1")
    assert found["overlimits"] > 0
    assert found["drops"] >= 10
    assert _received(shell("ip -n ns1 -s link show dev eth0")) - _received(before) < 10


def _received(text: str) -> int:
    """The packets that came in, as `ip -s link` tells them."""
    match = re.search(r"RX:.*\n\s*\d+\s+(\d+)", text)
    assert match
    return int(match[1])


@pytest.mark.vm
@pytest.mark.usefixtures("netem")
def test_netem() -> None:
    """Alone, with a tbf inside, and back; each option."""
    story = Story(PAIR)
    report = story.changes(qdisc(netem=NETEM))
    assert report.after[0][2]["netem"] == NETEM
    story.changes(qdisc(netem={"delay": "1us", "loss": "100%", "duplicate": "33.3%"}))
    story.changes(qdisc(netem=NETEM, tbf=TBF))
    assert [one["kind"] for one in listed()] == ["netem", "tbf"]
    story.changes(qdisc(tbf=TBF))
    assert [one["kind"] for one in listed()] == ["tbf"]


@pytest.mark.vm
@pytest.mark.usefixtures("netem")
def test_undo_of_netem() -> None:
    """Both come back as they were."""
    shell(PAIR)
    assert undoes({**qdisc(netem=NETEM, tbf=TBF), "netns": [{"name": "a"}]}) > 2
    assert undoes(qdisc(tbf=TBF)) > 2


@pytest.mark.vm
@pytest.mark.usefixtures("netem")
def test_loss() -> None:
    """Everything lost lets nothing through, nothing lost everything."""
    apply(blue(container("ns1", "10.10.0.10/16")))
    ping = "ip netns exec ns1 ping -q -c5 -i0.2 -W{} 10.10.0.1"
    for loss in ("0%", "100%"):
        apply({"qdisc": [{"name": "vethns1", "netem": {"loss": loss}}]})
        if loss == "0%":
            assert "5 received" in shell(ping.format(20))
        else:
            with pytest.raises(AssertionError, match=r"5 packets transmitted, 0 received"):
                shell(ping.format(1))
