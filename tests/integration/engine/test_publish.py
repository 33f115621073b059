# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published ports: a life, every option, ports in use, what is not ours, undo, and rules that stay as many."""

from __future__ import annotations

import re
import socket
from contextlib import closing
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _programs
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._findings import CONFLICT
from ansible_collections.nslab.bridgenet.plugins.module_utils._inspection import inspect
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check, task
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_forward import gates, saved
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_undo import undoes

Declaration = dict[str, list[dict[str, Any]]]

OFF = "sysctl -qw net/ipv4/ip_forward=0 net/ipv6/conf/all/forwarding=0"
BRIDGES = f"""
{OFF}
ip address add 192.0.2.1/32 dev lo; ip address add fd00::1/128 dev lo
for n in 0 1; do ip link add name br$n address 02:00:00:00:00:0$n type bridge; ip link set dev br$n up; done
"""
WEB = {"host_port": 8080, "address": "10.10.0.10", "port": 80, "bridge": "br0"}
WEB6 = {**WEB, "address": "fd00:10::10"}
NAMES = {**WEB, "protocol": "udp", "host_port": "53", "port": "53"}
ANY = "0.0.0.0"  # noqa: S104
ROUTE_LOCALNET = "net/ipv4/conf/br0/route_localnet"


def publish(*objects: dict[str, Any], **options: Any) -> Declaration:
    """Ports."""
    return {"publish": [{**one, **options} for one in objects]}


def elements(name: str) -> int:
    """How many a set or map has."""
    found = re.search(rf"\t(?:set|map) {name} {{\n(.*?)\n\t}}", snapshot.nft(), re.DOTALL)
    assert found
    return found[1].count("comment")


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param(WEB, id="port"),
        pytest.param(
            {**WEB6, "host_port": "9000-9010", "port": "80-90", "protocol": "udp"}, id="range of udp and IPv6"
        ),
        pytest.param({**WEB, "host_address": "192.0.2.1", "protocol": "sctp"}, id="host address and sctp"),
        pytest.param({**WEB, "host_address": "127.0.0.1"}, id="localhost"),
        pytest.param({**WEB6, "host_address": "fd00::1"}, id="host address of IPv6"),
    ],
)
def test_life(declared: dict[str, Any]) -> None:
    """Fresh, again, absent, absent again: the machine is as it was found."""
    story = Story(BRIDGES)
    first = snapshot.state()
    report = story.changes(publish(declared, label="web", forwarding=True))
    assert report.before == []
    assert {key: str(value) for key, value in declared.items()}.items() <= report.after[0][2].items()
    assert report.warnings == ()
    assert gates() == []
    ipv6 = ":" in declared["address"]
    local = declared.get("host_address", "127.0.0.1") == "127.0.0.1" and not ipv6
    assert snapshot.sysctl(ROUTE_LOCALNET) == str(int(local))
    switches = [snapshot.sysctl(key) for key in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")]
    assert switches == [str(int(not ipv6)), str(int(ipv6))]
    story.changes(publish(declared), state="absent")
    snapshot.same(first, snapshot.state())
    story.stays(publish(declared), state="absent")


def test_options() -> None:
    """Each of them changed, one after the other, and all of them back."""
    story = Story(BRIDGES)
    web = {**WEB, "label": "web"}
    story.changes(publish(web))
    first = snapshot.nft()
    for changed in (
        {"host_port": "8080-8084", "port": "80-84"},
        {"host_port": "8078-8082", "port": "78-82"},
        {"host_port": 8079},
        {"port": 81},
        {"protocol": "udp"},
        {"protocol": "udp", "address": "10.10.0.11"},
        {"host_address": "192.0.2.1"},
        {"host_address": "127.0.0.1"},
        {"bridge": "br1"},
        {},
    ):
        before = snapshot.nft()
        story.changes(publish({**web, **changed}))
        assert snapshot.nft() != before
    assert snapshot.nft() == first


def test_one_of_several_goes() -> None:
    """Removing tcp leaves udp, and what both stand on; with the last port of 127.0.0.1 the way there is closed."""
    story = Story(BRIDGES)
    udp, dual = {**WEB, "protocol": "udp"}, {**WEB6, "label": "any:8080/tcp"}
    story.changes(publish(WEB, udp, dual, {**WEB, "host_port": 81, "host_address": "192.0.2.1"}))
    story.changes(publish(WEB), state="absent")
    assert elements("published4") == 1
    assert elements("published6") == 1
    assert elements("publishers4") == 1
    assert snapshot.sysctl(ROUTE_LOCALNET) == "1"
    story.changes(publish(udp), state="absent")
    assert elements("publishers4") == 1
    assert elements("localnet") == 0
    assert snapshot.sysctl(ROUTE_LOCALNET) == "0"


def test_a_way_that_was_open_stays_open() -> None:
    """What somebody else set, and what somebody changed since, is theirs."""
    story = Story(BRIDGES + f"sysctl -qw {ROUTE_LOCALNET}=1")
    story.changes(publish(WEB))
    story.changes(publish(WEB), state="absent")
    assert snapshot.sysctl(ROUTE_LOCALNET) == "1"


def test_with_its_network() -> None:
    """Everything at once: the bridge is made by the same task, and the sysctl after it."""
    story = Story(OFF)
    first = snapshot.state()
    ports = publish(WEB, {**NAMES, "host_port": "5000-5003", "port": "5000-5003"}, forwarding=True)
    whole = {**blue(), **ports}
    story.changes(whole)
    assert snapshot.sysctl(ROUTE_LOCALNET) == "1"
    story.changes({}, purge=True)
    snapshot.same(first, snapshot.state())


def test_undo() -> None:
    """Whichever step fails, all is as it was."""
    shell(f"{OFF}; iptables -P FORWARD DROP")
    first = saved()
    bridge = {"bridge": [{"name": "br0", "addresses": ["10.10.0.1/16"]}]}
    assert undoes({**bridge, **publish(WEB, NAMES, forwarding=True)}) > 6
    assert gates() == ["iptables -A FORWARD"]
    assert undoes({}, purge=True) > 5
    assert saved() == first


def test_purge() -> None:
    """What is no longer declared goes, and its port is free for another at once; another project's stays."""
    story = Story(BRIDGES)
    story.changes(publish({**WEB, "label": "a"}, {**WEB6, "label": "a"}, {**NAMES, "label": "b"}), purge=True)
    story.changes(publish({**WEB, "address": "10.10.0.11", "label": "c"}), purge=True)
    assert [elements(name) for name in ("published4", "published6", "publishers4", "publishers6")] == [1, 0, 1, 0]
    story.changes(publish({**WEB, "host_port": 9}), project="theirs")
    story.changes({}, purge=True)
    assert elements("published4") == 1
    story.changes({}, purge=True, project="theirs")


def test_ports_go_with_their_container() -> None:
    """What is published with a label that begins with its name is all declared, or goes; so where it is absent."""
    story = Story(f"{OFF}; iptables -P FORWARD DROP")
    first = saved()
    whole = blue(container("ns1", "10.10.0.10/16"))
    whole["netns"] = [{"name": "ns1", "exclusive": True}]
    web, names = {**WEB, "label": "ns1/8080/tcp"}, {**NAMES, "label": "ns1/53/udp"}
    other = {**WEB, "host_port": 81, "label": "ns11/81/tcp"}
    story.changes({**whole, **publish(web, names, other)})
    story.changes({**whole, **publish(web)})
    assert elements("published4") == 2
    story.changes(whole)
    assert elements("published4") == 1
    story.changes({**whole, **publish(web, names)})
    story.changes({"netns": [{"name": "ns1"}]}, state="absent")
    assert elements("published4") == 1
    story.changes({}, purge=True)
    assert saved() == first


def test_two_for_one_port() -> None:
    """A port has one owner, and an address of the host takes part in all of them."""
    with pytest.raises(BridgenetError, match="are the same published port 'tcp/8080 IPv4'"):
        apply(publish({**WEB, "label": "a"}, {**WEB, "label": "b", "host_port": "8079-8081", "port": "1-3"}))
    with pytest.raises(BridgenetError, match=r"publish 8080/tcp \(IPv4\) is declared twice"):
        apply(publish({**WEB, "label": "a"}, {**WEB, "label": "b"}))
    with pytest.raises(BridgenetError, match="are the same publish label"):
        apply(publish(WEB, NAMES, label="x"))
    shell(BRIDGES)
    with pytest.raises(BridgenetError, match=r"127\.0\.0\.1:8080/tcp: that port is published at all addresses"):
        apply(publish(WEB, {**WEB, "host_address": "127.0.0.1"}))
    with pytest.raises(BridgenetError, match=r"10\.10\.0\.10 is said to be behind another bridge than 'br0'"):
        apply(publish(WEB, {**NAMES, "bridge": "br1"}))
    apply(publish(WEB, label="web"))
    other = {**WEB, "address": "10.10.0.11", "label": "other"}
    with pytest.raises(BridgenetError, match=r"8080/tcp \(IPv4\) is there already, with label 'web'; make that absent"):
        apply(publish(other))
    with pytest.raises(BridgenetError, match="belongs to project 'default', not 'mine'"):
        apply(publish(other), project="mine")
    apply(publish({**WEB, "label": "web", "state": "absent"}, other))
    assert not apply(publish(WEB, label="web"), state="absent").changed, "it is another's now"
    assert elements("published4") == 1


def listening(family: socket.AddressFamily, kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    """A socket of this host."""
    one = socket.socket(family, kind)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind((address, port))
    if kind == socket.SOCK_STREAM:
        one.listen()
    return one


@pytest.mark.parametrize(
    ("address", "declared", "clash"),
    [
        (ANY, WEB, True),
        ("127.0.0.1", WEB, True),
        ("127.0.0.2", {**WEB, "host_address": "127.0.0.1"}, False),
        ("127.0.0.1", {**WEB, "host_address": "127.0.0.1", "host_port": "8079-8081", "port": "79-81"}, True),
        (ANY, {**WEB, "host_address": "127.0.0.1"}, True),
        (ANY, {**WEB, "host_port": 8081}, False),
        (ANY, WEB6, False),
        ("::", WEB6, True),
        ("::", WEB, True),
        ("::1", WEB6, False),
        ("fd00::9", {**WEB6, "host_address": "fd00::9"}, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_port_in_use(address: str, declared: dict[str, Any], clash: bool, protocol: str) -> None:
    """Said before the first change, with who it is; what already stands is not judged."""
    shell(BRIDGES + "ip address add fd00::9/128 dev lo nodad")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    before = snapshot.state()
    with closing(listening(family, kind, address, 8080)):
        if clash:
            shown = f"[{address}]" if ":" in address else address
            who = rf"port 8080/{protocol} is in use on this host: process \d+ \(.*\) listens on {re.escape(shown)}:8080"
            for run in (apply, check):
                with pytest.raises(BridgenetError, match=who):
                    run(publish(declared, protocol=protocol))
            snapshot.same(before, snapshot.state())
        other = "udp" if protocol == "tcp" else "tcp"
        apply(publish(declared, protocol=other))
        if not clash:
            apply(publish(declared, protocol=protocol, label="x"))
    apply(publish(declared, protocol=protocol, label="x"))
    with closing(listening(family, kind, address, 8080)):
        assert not apply(publish(declared, protocol=protocol, label="x")).changed


@pytest.mark.parametrize(
    ("declared", "way"),
    [
        ({**WEB, "host_address": "192.0.2.9"}, "ip address add 192.0.2.9/32 dev lo"),
        ({**WEB, "host_address": "192.0.2.9"}, "ip route add local 192.0.2.0/24 dev lo"),
        ({**WEB, "host_address": "192.0.2.9"}, "sysctl -qw net/ipv4/ip_nonlocal_bind=1"),
        ({**WEB6, "host_address": "fd00::9"}, "ip address add fd00::9/128 dev lo"),
        ({**WEB6, "host_address": "fd00::9"}, "sysctl -qw net/ipv6/ip_nonlocal_bind=1"),
    ],
    ids=["address", "local route", "nonlocal bind", "IPv6 address", "IPv6 nonlocal bind"],
)
def test_address_that_the_host_has_not(declared: dict[str, Any], way: str) -> None:
    """Said before the first change, as a container engine refuses it, unless a person says that it is the host's."""
    shell(BRIDGES)
    before = snapshot.state()
    wanted = publish(WEB, {**declared, "host_port": 81})
    for run in (apply, check):
        with pytest.raises(BridgenetError, match=f"this host has no address {declared['host_address']}; name one that"):
            run(wanted)
    findings = [one for one in inspect(task(wanted)) if one.severity == CONFLICT]
    assert [declared["host_address"] in one.what + one.why for one in findings] == [True]
    snapshot.same(before, snapshot.state())
    shell(way)
    assert apply(wanted).changed
    assert not apply(wanted).changed


def test_address_that_comes_or_went() -> None:
    """In the same task it may come; one that went later is not judged again."""
    shell(BRIDGES)
    port = publish({**WEB, "host_address": "10.10.0.1"})
    assert apply({"bridge": [{"name": "br0", "addresses": ["10.10.0.1/24"], "take_over": True}], **port}).changed
    shell("ip address del 10.10.0.1/24 dev br0")
    assert not apply(port).changed


def test_bridge_that_is_missing() -> None:
    """Check mode assumes it, a real run says so."""
    report = check(publish(WEB))
    assert report.assumed == ("interface br0",)
    with pytest.raises(BridgenetError, match="missing on this host: interface br0; create it first"):
        apply(publish(WEB))
    assert not apply(publish(WEB), state="absent").changed


@pytest.mark.parametrize("name", ["published4", "publishers4", "localnet"])
def test_a_lost_element_comes_back(name: str) -> None:
    """Whatever is missing."""
    shell(BRIDGES)
    declared = publish({**WEB, "host_port": "8080-8082", "port": "80-82"})
    apply(declared)
    whole = snapshot.nft()
    shell(f"nft flush {'map' if name == 'published4' else 'set'} inet bridgenet {name}")
    assert check(declared).changed
    apply(declared)
    assert snapshot.nft() == whole
    shell("nft delete element inet bridgenet published4 '{ tcp . 8081 }'")
    assert check(declared).changed
    apply(declared)
    assert snapshot.nft() == whole


def test_after_flush() -> None:
    """`nft flush ruleset` takes all of it away; the next run brings it back exactly."""
    shell(BRIDGES)
    declared = publish(WEB, WEB6, {**NAMES, "host_address": "127.0.0.1"})
    apply(declared)
    whole = snapshot.nft()
    shell("nft flush ruleset")
    assert apply(declared).changed
    assert snapshot.nft() == whole
    assert not apply(declared).changed


@pytest.mark.parametrize("then", ["less", "nothing", "another"])
def test_no_bridge_is_open_without_its_guard(then: str) -> None:
    """After a flush: the port is taken out, all ports are, or another task puts the table back."""
    shell(BRIDGES)
    apply(publish(WEB, {**NAMES, "host_address": "192.0.2.1"}) if then == "less" else publish(WEB))
    assert snapshot.sysctl(ROUTE_LOCALNET) == "1"
    shell("nft flush ruleset")
    if then == "another":
        apply({"forward": [{"bridge": "br9"}]})
    else:
        gone = {**publish({**WEB, "state": "absent"}), "forward": [{"bridge": "br9"}]}
        apply(publish({**NAMES, "host_address": "192.0.2.1"}) if then == "less" else gone, purge=then == "less")
    assert snapshot.sysctl(ROUTE_LOCALNET) == "0"


def test_foreign_table() -> None:
    """A table of that name which is not ours stays untouched."""
    shell(BRIDGES + "nft add table inet bridgenet")
    with pytest.raises(BridgenetError, match="the nftables table inet bridgenet exists and is not ours; remove it"):
        apply(publish(WEB))


def test_without_nft(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is named, and where it comes from."""
    shell(BRIDGES)
    find = _programs.find
    monkeypatch.setattr(_programs, "find", lambda name: None if name == "nft" else find(name))
    with pytest.raises(BridgenetError, match=r"the program nft is missing on this host; install it \(Debian: `apt"):
        apply(publish(WEB))
    assert not apply(publish(WEB), state="absent").changed


def test_rules_are_constant() -> None:
    """However many networks, containers and ports there are."""
    shell(BRIDGES)

    def rules() -> int:
        return len(re.findall(r"^\t\t(?!type |elements|\s)\S", snapshot.nft(), re.MULTILINE))

    apply({**publish(WEB), "forward": [{"bridge": "br0"}]})
    one = rules()
    assert one > 20
    ports = [
        {"host_port": f"{number}100-{number}199", "address": f"10.10.0.{number}", "bridge": f"br{number % 2}"}
        for number in range(1, 40)
    ]
    apply({**publish(WEB, *ports, WEB6), "forward": [{"bridge": f"br{number}"} for number in range(50)]})
    assert elements("published4") == 39 * 100 + 1
    assert rules() == one
