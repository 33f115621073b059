# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reaches whom: by ICMP and TCP, IPv4 and IPv6, expected and not."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _pings, _reachability
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell

from .talk import listening
from .test_packet_path import PATIENCE, drop, serving


def reach(*matrix: dict[str, Any], timeout: float = PATIENCE, **options: Any) -> dict[str, Any]:
    """What the module returns, whatever is expected."""
    how = {"protocol": "icmp", "expected": True}
    params = {"from": None, "to": None, "timeout": timeout, **how, **options}
    params["matrix"] = [{"from": "", **how, **one} for one in matrix]
    pairs = _reachability.declare(params)
    answers_to = _reachability.answered(pairs, timeout, options.get("unexpected_timeout"))
    return _reachability.report(pairs, answers_to)


def answers(result: dict[str, Any]) -> list[str]:
    """In the order of the questions."""
    return [one["answer"] for one in result["pairs"]]


@pytest.fixture
def network(machine: None) -> None:
    """Two containers that are isolated from each other, and one that is not; with IPv6."""
    found = blue(*(container(f"ns{number}", f"10.10.0.{number}0/16") for number in (1, 2, 3)))
    for number, pair in enumerate(found["veth"], 1):
        pair["peer"] |= {"ipv6": True, "addresses": [*pair["peer"]["addresses"], f"fd00::{number}0/64"]}
    for port in found["bridge_port"][:2]:
        port["isolated"] = True
    apply(found)


@pytest.mark.usefixtures("network")
def test_everybody_reaches_everybody_who_may() -> None:
    """Isolated ports reach the others, but not each other; nothing has changed afterwards."""
    before = snapshot.state()
    pairs = [
        {"from": f"ns{one}", "to": f"10.10.0.{other}0", "expected": {one, other} != {1, 2}}
        for one in (1, 2, 3)
        for other in (1, 2, 3)
    ]
    result = reach(*pairs, timeout=0.5)
    assert result["as_expected"]
    assert [one["reached"] for one in result["pairs"]] == [one["expected"] for one in pairs]
    assert {one["answer"] for one in result["pairs"]} == {"echo reply", "no answer"}
    assert all((one["milliseconds"] is not None) == one["reached"] for one in result["pairs"])
    head, *rows = [line.split() for line in result["drawing"]]
    assert head == ["from", "10.10.0.10", "10.10.0.20", "10.10.0.30"]
    assert [row[0] for row in rows] == ["ns1", "ns2", "ns3"]
    assert rows[0][3:] == ["no", rows[0][4], "ms"]
    snapshot.same(before, snapshot.state())


@pytest.mark.usefixtures("network")
def test_not_as_expected() -> None:
    """Both ways: reached what must not be, and not what is to be; each says so."""
    result = reach(
        {"from": "ns1", "to": "10.10.0.20", "title": "one to two"},
        {"from": "ns1", "to": "10.10.0.30", "expected": False},
        {"to": "10.10.0.30"},
        timeout=0.5,
    )
    assert not result["as_expected"]
    assert [one["as_expected"] for one in result["pairs"]] == [False, False, True]
    assert result["pairs"][0]["said"] == "one to two: no answer, but it is to be reached"
    assert result["pairs"][1]["said"].endswith(" ms, but it is not to be reached")
    assert re.fullmatch(r"the host to 10\.10\.0\.30: [\d.]+ ms", result["pairs"][2]["said"])
    assert result["drawing"] == [one["said"] for one in result["pairs"]]
    table = reach(to=["10.10.0.20", "10.10.0.30"], **{"from": ["ns1"]}, timeout=0.5)["drawing"]
    assert table[1].split()[:3] == ["ns1", "no", "!"]


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("address", ["10.10.0.30", "fd00::30"])
def test_tcp(address: str) -> None:
    """A port is reached where somebody listens; a refusal is no connection; a rule that drops is no answer."""
    with serving("ns3", address) as (port, udp):
        here = {"from": "ns1", "to": address, "protocol": "tcp"}
        ping = {"from": "ns2", "to": address}
        result = reach({**here, "port": port}, {**here, "port": udp, "expected": False}, ping)
        assert answers(result) == ["connected", "refused", "echo reply"]
        assert result["as_expected"]
        drop("ns3", "input", f"tcp dport {port} drop")
        assert answers(reach({**here, "port": port}, ping, timeout=0.5)) == ["no answer", "echo reply"]
        with inside("ns3"), socket.socket(family_of(address), socket.SOCK_DGRAM) as one:
            one.sendto(b"what the server of UDP waits for", (address, udp))


def family_of(address: str) -> int:
    """Of a socket."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@pytest.mark.usefixtures("network")
def test_what_is_in_the_way() -> None:
    """The words of the kernel and of ICMP."""
    drop("", "input", "ip daddr 10.10.0.1 icmp type echo-request reject with icmp type admin-prohibited")
    drop("ns3", "output")
    result = reach(
        {"from": "ns1", "to": "10.10.0.1"},
        {"from": "ns3", "to": "10.10.0.10"},
        {"from": "ns1", "to": "fd99::1"},
        {"from": "ns1", "to": "fd99::1", "protocol": "tcp", "port": 80},
        {"from": "ns2", "to": "10.10.0.2", "protocol": "tcp", "port": 80},
    )
    assert answers(result) == [
        "administratively prohibited",
        "operation not permitted",
        "network is unreachable",
        "network is unreachable",
        "no route to host",
    ]


@pytest.mark.usefixtures("network")
def test_named() -> None:
    """One cell for all addresses of a name, and a mark where it is not as expected."""
    asked = [("ns1", 2, False), ("ns1", 3, True), ("ns2", 3, False), ("ns3", 1, True)]
    matrix = [
        {"from": source, "to": address.format(number), "expected": expected, "name": f"c{number}"}
        for source, number, expected in asked
        for address in ("10.10.0.{}0", "fd00::{}0")
    ]
    drop("ns3", "input", "ip6 daddr fd00::30 icmpv6 type echo-request drop")
    result = reach(*matrix, unexpected_timeout=0.5, timeout=1)
    assert [line.split() for line in result["drawing"]] == [
        ["from", "c2", "c3", "c1"],
        ["ns1", "no", "partly", "!", "-"],
        ["ns2", "-", "partly", "!", "-"],
        ["ns3", "-", "-", "yes"],
    ]
    assert result["pairs"][3]["said"] == "ns1 to c3: no answer, but it is to be reached"


def at(address: str, number: int, protocol: str = "tcp", name: str = "ns3") -> dict[str, Any]:
    """A port of a container at which the module itself listens."""
    listen = {"namespace": name, "address": address, "port": number}
    return {"from": "ns1", "to": address, "port": number, "protocol": protocol, "listen": listen}


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("address", ["10.10.0.30", "fd00::30"])
def test_listening(address: str) -> None:
    """Where nobody listens, the module does for as long as it asks; what a rule drops does not arrive."""
    before = snapshot.state()
    asked = [at(address, 80), at(address, 53, "udp"), {**at(address, 80), "from": "ns2"}]
    for _again in range(2):  # no port stays occupied
        result = reach(*asked)
        assert answers(result) == ["connected", "answered", "connected"]
        assert result["as_expected"]
    assert [one["protocol"] for one in result["pairs"]] == ["tcp", "udp", "tcp"]
    with inside("ns3"):
        assert shell("ss -Htuan") == "", "nobody is left"
    snapshot.same(before, snapshot.state())
    drop("ns3", "input", "tcp dport 80 drop")
    drop("ns1", "output", "udp dport 53 drop")
    result = reach(*asked, timeout=0.5)
    assert answers(result) == ["no answer", "operation not permitted", "no answer"]
    assert not result["as_expected"]
    assert reach(*({**one, "expected": False} for one in asked), timeout=0.5)["as_expected"]


@pytest.mark.usefixtures("network")
def test_a_program_that_listens_there_keeps_its_port() -> None:
    """Of TCP it is asked as it is, and of UDP it is not asked; at another port of its, the module listens beside it."""
    asked = [at("10.10.0.30", 80), at("10.10.0.30", 80, "udp"), at("10.10.0.30", 81, "udp")]
    with listening("ns3", (80,)):
        for expected in (True, False):
            result = reach(*({**one, "expected": expected, "name": "web"} for one in asked))
            assert answers(result) == [
                "connected",
                "not asked, as a program listens at 10.10.0.30:80/udp already",
                "answered",
            ]
            assert [one["reached"] for one in result["pairs"]] == [True, None, True]
            assert [one["as_expected"] for one in result["pairs"]] == [expected, True, expected]
        assert result["pairs"][1]["said"].startswith("ns1 to web: not asked")
        assert [line.split() for line in result["drawing"]] == [["from", "web"], ["ns1", "yes", "!"]]


@pytest.mark.usefixtures("network")
def test_somebody_else_answers() -> None:
    """At another container is not at this one, also where one connects."""
    elsewhere = {**at("10.10.0.30", 80), "listen": at("10.10.0.20", 80, name="ns2")["listen"]}
    ours = at("10.10.0.30", 80)
    assert answers(reach(elsewhere, ours)) == ["somebody else answers", "connected"]
    assert answers(reach({**elsewhere, "protocol": "udp"}, {**ours, "protocol": "udp"})) == [
        "somebody else answers",
        "answered",
    ]
    assert answers(reach({**elsewhere, "protocol": "udp"}, elsewhere)) == ["refused", "refused"]


@pytest.mark.usefixtures("network")
def test_where_its_address_is_gone() -> None:
    """Nothing arrives at an address that nobody has."""
    result = reach({**at("10.10.0.30", 80), "listen": at("10.10.0.99", 80)["listen"]})
    assert not result["as_expected"]
    assert answers(result) == ["refused"]


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_where_its_address_is_gone_and_somebody_else_answers(protocol: str) -> None:
    """Who cannot listen where it should is not reached, whoever else is."""
    question = at("10.10.0.30", 80)
    with listening("ns3", [80], [protocol]):
        result = reach({**question, "protocol": protocol, "listen": at("10.10.0.99", 80)["listen"]}, timeout=1)
    assert not result["as_expected"]
    assert answers(result) in (["somebody else answers"], ["no answer"])


def test_an_address_that_is_on_any_link() -> None:
    """It would be asked by whichever the kernel takes."""
    for options in (
        {"to": "fe80::1"},
        {"to": "10.10.0.30", "protocol": "tcp", "port": 80, "listen": {"namespace": "ns3", "address": "fe80::1"}},
    ):
        with pytest.raises(BridgenetError, match="address 'fe80::1' is on any link; write one to which a route leads"):
            reach(options)


def refusing(number: int) -> Callable[..., socket.socket]:
    """In place of what makes a socket of TCP."""
    make = socket.socket

    def refused(family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, *more: int) -> socket.socket:
        if family == socket.AF_INET and kind & 0xF == socket.SOCK_STREAM:
            raise OSError(number, os.strerror(number))
        return make(family, kind, *more)

    return refused


@pytest.mark.usefixtures("network")
def test_too_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be asked is no answer, least of all the one that is expected."""
    monkeypatch.setattr(_pings.socket, "socket", refusing(errno.EMFILE))
    with pytest.raises(BridgenetError, match=r"1 questions at once are too many for this host .*; ask in parts, or"):
        reach({"to": "10.10.0.30", "protocol": "tcp", "port": 80, "expected": False})


def test_nothing_to_ask() -> None:
    """A network without containers."""
    assert reach() == {"as_expected": True, "pairs": [], "drawing": []}


def test_many_names() -> None:
    """What is too wide for one table goes into another one below."""
    apply(blue(container("a", "10.10.0.10/16")))
    result = reach(*({"to": "10.10.0.10", "name": f"n{number:02}"} for number in range(30)))
    assert [len(line.split()) for line in result["drawing"]] == [25, 2 + 24, 0, 7, 2 + 6]


def test_many_at_once() -> None:
    """Everybody asks everybody, and gets the answer that is meant for him."""
    count = 30
    apply(blue(*(container(f"n{number}", f"10.10.1.{number}/16") for number in range(1, count + 1))))
    names = [f"n{number}" for number in range(1, count + 1)]
    result = reach(to=[f"10.10.1.{number}" for number in range(1, count + 1)], **{"from": names})
    assert len(result["pairs"]) == count**2
    assert result["as_expected"]
    assert len(result["drawing"]) == count**2, "too wide for a table"


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ({"to": "web"}, "address 'web'"),
        ({"to": "10.0.0.1", "from": "gone"}, "namespace 'gone' does not exist on this host; name one that"),
        ({"to": "10.0.0.1", "from": "a b"}, "namespace name 'a b'"),
        ({"to": "10.0.0.1", "protocol": "tcp"}, "from '' to 10.0.0.1: TCP needs a port; say port, or protocol: icmp"),
        ({"to": "10.0.0.1", "port": 80}, "ICMP has no ports; drop port, or say protocol: tcp"),
        ({"to": "10.0.0.1", "port": 70000, "protocol": "tcp"}, "port 70000 is out of range"),
        ({"to": "10.0.0.1", "protocol": "udp"}, "UDP needs a port; say port"),
        ({"to": "10.0.0.1", "protocol": "udp", "port": 53}, "of UDP nobody knows what answers; say listen"),
        ({**at("10.0.0.1", 80), "from": "", "listen": {**at("10.0.0.1", 0)["listen"]}}, "port 0 is out of range"),
        ({**at("10.0.0.1", 80), "from": "", "listen": {**at("web", 80)["listen"]}}, "address 'web'"),
        ({**at("10.0.0.1", 80), "from": ""}, "namespace 'ns3' does not exist on this host"),
        ({**at("10.0.0.1", 80), "protocol": "icmp", "port": None}, "listen is for ports, which ICMP does not have"),
    ],
)
def test_refused(one: dict[str, Any], message: str) -> None:
    with pytest.raises(BridgenetError, match=message):
        reach(one)
    with pytest.raises(BridgenetError, match="timeout 0 is out of range"):
        reach({"to": "10.0.0.1"}, timeout=0)
    with pytest.raises(BridgenetError, match="unexpected_timeout 3601 is out of range"):
        reach({"to": "10.0.0.1"}, unexpected_timeout=3601)
