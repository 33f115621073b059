# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may talk to whom, by packets: on hosts that forward everything and on hosts that drop it, IPv4 and IPv6.

Two bridges, a veth without a bridge and somebody outside, all with routes to each other:
what does not get through was not let through.
"""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.talk import (
    IMPATIENCE,
    PATIENCE,
    family_of,
    listening,
)
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_traffic import bridge_nf

# Namespace -> (the host's interface, the third number of its addresses, the last one)
PLACES = {"a1": ("br0", 1, 11), "a2": ("br0", 1, 12), "b1": ("br1", 2, 11), "v1": ("v1", 5, 11), "out": ("up0", 9, 11)}
POLICIES = {
    "accept": "",
    "drop": "iptables-nft -P FORWARD DROP; ip6tables-nft -P FORWARD DROP",
    "drop by legacy": "iptables-legacy -P FORWARD DROP; ip6tables-legacy -P FORWARD DROP",
    "docker's chain": "\n".join(
        f"{program} -N DOCKER-USER; {program} -A FORWARD -j DOCKER-USER; {program} -P FORWARD DROP"
        for program in ("iptables", "ip6tables")
    ),
}
PORT = 7777
COUNT = f"""
table inet seen {{
    counter requests {{ }}
    chain input {{
        type filter hook input priority 0;
        icmp type echo-request counter name requests
        icmpv6 type echo-request counter name requests
        udp dport {PORT} counter name requests
    }}
}}
"""

FAMILIES = (4, 6)
NETWORKS = [{"bridge": "br0"}, {"bridge": "br1"}]

machines = pytest.mark.parametrize(("policy", "value"), list(itertools.product(POLICIES, bridge_nf())), ids=str)
few = pytest.mark.parametrize(("policy", "value"), [("accept", bridge_nf()[0]), ("drop", bridge_nf()[-1])])


def address(family: int, number: int, last: int) -> str:
    """An address and its prefix length."""
    return f"10.{number}.0.{last}/24" if family == 4 else f"fd00:{number}::{last}/64"


def target(name: str, family: int) -> str:
    """The address of a namespace."""
    _interface, number, last = PLACES[name]
    return address(family, number, last).partition("/")[0]


def build(policy: str, value: str) -> None:
    """The machine, before anything is declared about forwarding."""
    shell(POLICIES[policy])
    shell("sysctl -qw net/ipv4/ip_forward=1 net/ipv6/conf/all/forwarding=1")
    if value != "-":
        shell(f"sysctl -qw net/bridge/bridge-nf-call-iptables={value} net/bridge/bridge-nf-call-ip6tables={value}")
    network: dict[str, list[dict[str, Any]]] = {"netns": [], "bridge": [], "veth": [], "bridge_port": []}
    for interface, number in (("br0", 1), ("br1", 2)):
        gateways = [address(family, number, 1) for family in FAMILIES]
        network["bridge"].append({"name": interface, "addresses": gateways})
    for name, (interface, number, last) in PLACES.items():
        bridged = interface.startswith("br")
        near = f"p{name}" if bridged else interface
        gateways = [address(family, number, 1) for family in FAMILIES]
        network["netns"].append({"name": name})
        peer = {
            "name": "eth0",
            "namespace": name,
            "addresses": [address(family, number, last) for family in FAMILIES],
            "routes": [{"to": "default", "via": gateway.split("/")[0]} for gateway in gateways],
        }
        network["veth"].append({"name": near, "addresses": [] if bridged else gateways, "peer": peer})
        if bridged:
            network["bridge_port"].append({"name": near, "master": interface})
    apply(network)
    for name in PLACES:
        with inside(name):
            shell(f"nft -f - <<'END'\n{COUNT}\nEND")
        # A bridge has its carrier, and with it its IPv6 route, some time after its port.
        for gateway in gateways_of(name):
            eventually(f"ip netns exec {name} ping -c1 -W1 -q {gateway}")


def gateways_of(name: str) -> list[str]:
    """The host's addresses on the link of a namespace."""
    return [address(family, PLACES[name][1], 1).partition("/")[0] for family in FAMILIES]


def eventually(command: str) -> None:
    """Until it succeeds."""
    shell(f"n=0; until {command}; do n=$((n + 1)); test $n -lt 100; sleep 0.05; done")


def requests(name: str) -> int:
    """How many echo requests and datagrams a namespace got so far."""
    with inside(name):
        found = re.search(r"packets (\d+)", shell("nft list counter inet seen requests"))
    assert found
    return int(found[1])


def passes(source: str, name: str) -> None:
    """A ping of each family is answered."""
    for family in FAMILIES:
        shell(f"ip netns exec {source} ping -c1 -W5 -q {target(name, family)}")


def blocked(source: str, name: str) -> None:
    """A ping of each family does not even arrive."""
    before = requests(name)
    pings = [f"ip netns exec {source} ping -c1 -W0.2 -q {target(name, family)}" for family in FAMILIES]
    assert "1 received" not in shell("\n".join(f"{ping} &" for ping in pings) + "\nwait")
    assert requests(name) == before, f"from {source} to {name}"


def judged(expected: str, source: str, name: str) -> None:
    """Which of the two."""
    (passes if expected == "passes" else blocked)(source, name)


@machines
def test_nothing_declared(policy: str, value: str) -> None:
    """The host's own policy, which is what the other tests stand on."""
    build(policy, value)
    host = "passes" if policy == "accept" else "blocked"
    for source, name in (("a1", "b1"), ("a1", "out"), ("out", "a1"), ("v1", "out"), ("out", "v1")):
        judged(host, source, name)
    # Between ports of one bridge the host has no say, unless bridged packets pass its firewall.
    judged("blocked" if policy != "accept" and value == "1" else "passes", "a1", "a2")


@machines
def test_networks(policy: str, value: str) -> None:
    """Within a network, out, and back; not between networks, nor in."""
    build(policy, value)
    apply({"forward": NETWORKS})
    for source, name in (("a1", "a2"), ("a2", "a1"), ("a1", "out"), ("b1", "out")):
        passes(source, name)
    for source, name in (("a1", "b1"), ("b1", "a1"), ("out", "a1"), ("out", "b1"), ("v1", "a1")):
        blocked(source, name)
    # Whom nobody declared: as before.
    for source, name in (("v1", "out"), ("out", "v1")):
        judged("passes" if policy == "accept" else "blocked", source, name)
    # The host itself is none of its business.
    for family, gateway in zip(FAMILIES, gateways_of("a1")):
        shell(f"ip netns exec a1 ping -c1 -W5 -q {gateway}; ping -c1 -W5 -q {target('b1', family)}")


@machines
def test_internal(policy: str, value: str) -> None:
    """No way out, none in; within it and to its gateway all is well."""
    build(policy, value)
    apply({"forward": [NETWORKS[0], {"bridge": "br1", "internal": True}]})
    for source, name in (("b1", "out"), ("out", "b1"), ("a1", "b1"), ("b1", "a1"), ("b1", "v1")):
        blocked(source, name)
    passes("a1", "out")
    for gateway in gateways_of("b1"):
        shell(f"ip netns exec b1 ping -c1 -W5 -q {gateway}")
    apply({"forward": [{"bridge": "br0", "internal": True}]})
    passes("a1", "a2")
    blocked("a1", "out")


@machines
def test_pair(policy: str, value: str) -> None:
    """A pair opens: both ways, or one way and the replies. It closes nothing that the host lets pass."""
    build(policy, value)
    pair = {"interface": "v1", "other": "up0"}
    host = "passes" if policy == "accept" else "blocked"
    apply({"forward": [pair]})
    passes("v1", "out")
    passes("out", "v1")
    apply({"forward": [{**pair, "both_ways": False}]})
    passes("v1", "out")
    judged(host, "out", "v1")
    judged(host, "a1", "out")
    apply({"forward": [{"interface": "up0", "other": "v1", "both_ways": False}]})
    passes("out", "v1")
    judged(host, "v1", "out")
    apply({"forward": [pair]}, state="absent")
    judged(host, "v1", "out")


@few
def test_pair_of_networks(policy: str, value: str) -> None:
    """A pair goes before isolation: one network may ask the other, which may only answer."""
    build(policy, value)
    pair = {"interface": "br0", "other": "br1", "both_ways": False}
    apply({"forward": [*NETWORKS, pair]})
    passes("a1", "b1")
    blocked("b1", "a1")
    apply({"forward": [{"bridge": "br1", "internal": True}]})
    passes("a1", "b1")
    blocked("b1", "a1")
    blocked("b1", "out")
    apply({"forward": [{**pair, "both_ways": True}]})
    passes("b1", "a1")
    apply({"forward": [pair]}, state="absent")
    blocked("a1", "b1")


@dataclass(frozen=True)
class Talk:
    """A flow of each family that stands for connection tracking, because it was answered once."""

    name: str  # of the namespace that answers
    callers: tuple[socket.socket, ...]

    def goes_on(self) -> None:
        """Each gets another answer."""
        for caller in self.callers:
            caller.settimeout(PATIENCE)
            caller.send(b"?")
            assert caller.recv(100)

    def is_cut(self) -> None:
        """What is sent does not even arrive."""
        before = requests(self.name)
        for caller in self.callers:
            caller.send(b"?")
        for caller in self.callers:
            caller.settimeout(IMPATIENCE)
            with pytest.raises(TimeoutError):
                caller.recv(100)
        assert requests(self.name) == before


@contextmanager
def talking(source: str, name: str) -> Iterator[Talk]:
    """From one namespace to another."""
    with ExitStack() as stack:
        stack.enter_context(listening(name, [PORT], ["udp"]))
        callers = []
        for family in FAMILIES:
            with inside(source):
                caller = socket.socket(family_of(target(name, family)), socket.SOCK_DGRAM)
            callers.append(stack.enter_context(caller))
            caller.connect((target(name, family), PORT))
        talk = Talk(name, tuple(callers))
        talk.goes_on()
        yield talk


@few
def test_connections_that_stand(policy: str, value: str) -> None:
    """They are asked for before all else, and yet what is declared later counts for them as well."""
    build(policy, value)
    one_way = {"interface": "br0", "other": "br1", "both_ways": False}
    apply({"forward": [*NETWORKS, one_way]})
    with talking("a1", "out") as outward, talking("a1", "b1") as across, talking("a1", "a2") as within:
        apply({"forward": [{"bridge": "br0", "internal": True}]})
        outward.is_cut()
        across.goes_on()
        within.goes_on()
        apply({"forward": [{"bridge": "br0", "internal": False}]})
        outward.goes_on()
        apply({"forward": [one_way]}, state="absent")
        across.is_cut()
        outward.goes_on()
        within.goes_on()
        apply({"forward": [one_way]})
        across.goes_on()


@few
def test_connections_into_a_network(policy: str, value: str) -> None:
    """From outside, and from an interface that is nobody's network: cut only where the network becomes internal."""
    build(policy, value)
    apply({"forward": [{"bridge": "br0", "routed": True}]})
    for source in ("out", "v1"):
        with talking(source, "a1") as talk:
            apply({"forward": [{"bridge": "br0", "routed": False}]})
            blocked(source, "a1")
            talk.goes_on()
            apply({"forward": [{"bridge": "br0", "internal": True}]})
            talk.is_cut()
            apply({"forward": [{"bridge": "br0", "routed": True, "internal": False}]})
            talk.goes_on()


def test_connections_from_before() -> None:
    """Two networks that talked to each other while nothing was declared end that with their isolation."""
    build("accept", bridge_nf()[0])
    with talking("a1", "b1") as talk:
        apply({"forward": NETWORKS})
        talk.is_cut()
        apply({"forward": NETWORKS}, state="absent")
        talk.goes_on()


@few
def test_uplink_that_is_a_bridge(policy: str, value: str) -> None:
    """A bridge of somebody else is no way out that we open; an entry for it is."""
    build(policy, value)
    host = "passes" if policy == "accept" else "blocked"
    shell("ip link add name uplink type bridge; ip link set dev uplink up; ip link set dev up0 master uplink")
    for family in FAMILIES:
        nodad = "nodad" if family == 6 else ""
        shell(
            f"ip address del {address(family, 9, 1)} dev up0; ip address add {address(family, 9, 1)} dev uplink {nodad}"
        )
    for gateway in gateways_of("out"):
        eventually(f"ip netns exec out ping -c1 -W1 -q {gateway}")
    apply({"forward": NETWORKS})
    judged(host, "a1", "out")
    blocked("out", "a1")
    pair = {"interface": "br0", "other": "uplink", "both_ways": False}
    apply({"forward": [pair]})
    passes("a1", "out")
    blocked("out", "a1")
    apply({"forward": [pair]}, state="absent")
    apply({"forward": [{"bridge": "br0", "routed": True}]})
    passes("out", "a1")  # an answer passes there as well
    judged(host, "a1", "out")


def test_a_last_rule_that_rejects() -> None:
    """A host that drops by a rule in place of a policy: the same one rule lets pass what is declared, and no more."""
    build("accept", bridge_nf()[-1])
    shell("for program in iptables ip6tables; do $program -A FORWARD -j REJECT; done")
    blocked("a1", "out")
    apply({"forward": NETWORKS})
    for source, name in (("a1", "a2"), ("a1", "out")):
        passes(source, name)
    for source, name in (("out", "a1"), ("a1", "b1"), ("v1", "out")):
        blocked(source, name)
    apply({"forward": NETWORKS}, state="absent")
    blocked("a1", "out")


@few
def test_after_teardown(policy: str, value: str) -> None:
    """Without the entries it is as if they had never been."""
    build(policy, value)
    apply({"forward": NETWORKS})
    apply({"forward": NETWORKS}, state="absent")
    for source, name in (("a1", "b1"), ("a1", "out"), ("out", "a1")):
        judged("passes" if policy == "accept" else "blocked", source, name)
