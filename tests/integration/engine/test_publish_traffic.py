# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published ports, by packets: who gets through, as whom he is seen, and who must not get through.

The machines are those of test_forward_traffic: a1 and a2 on br0, b1 on br1, somebody outside with
routes to all of them. a1 has published ports.
"""

from __future__ import annotations

import itertools
import socket
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.talk import (
    IMPATIENCE,
    PATIENCE,
    arrival,
    ask,
    count,
    listening,
)
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_forward_traffic import (
    FAMILIES,
    NETWORKS,
    address,
    build,
    target,
)
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_traffic import bridge_nf

INNER = (80, 81, 82)
PROTOCOLS = ("tcp", "udp", "sctp")
LOCALHOST = "127.0.0.1"

# Where it is published -> the single port, the first of a range
ANYWHERE, ADDRESS, LOCAL = "anywhere", "host address", "localhost"
PORTS = {ANYWHERE: (8080, 9000), ADDRESS: (8180, 9100), LOCAL: (8280, 9200)}

machines = pytest.mark.parametrize(
    ("policy", "value"), list(itertools.product(["accept", "drop"], bridge_nf())), ids=str
)
few = pytest.mark.parametrize("value", bridge_nf())


def uplink(family: int) -> str:
    """The host's address towards outside."""
    return address(family, 9, 1).partition("/")[0]


def gateway(family: int) -> str:
    """Its address on br0."""
    return address(family, 1, 1).partition("/")[0]


def publications() -> list[dict[str, Any]]:
    """Every protocol, family and place, a single port and a range of each."""
    found = []
    for protocol, family, (place, (single, first)) in itertools.product(PROTOCOLS, FAMILIES, PORTS.items()):
        if place == LOCAL and family == 6:
            continue
        where = {ANYWHERE: None, ADDRESS: uplink(family), LOCAL: LOCALHOST}[place]
        base = {"protocol": protocol, "address": target("a1", family), "bridge": "br0", "host_address": where}
        found.append({**base, "host_port": single, "port": 80})
        found.append({**base, "host_port": f"{first}-{first + 2}", "port": "80-82"})
    return found


def prepare(policy: str, value: str) -> None:
    """A machine with two networks and published ports; strict about sources where it drops."""
    build(policy, value)
    shell(f"sysctl -qw net/ipv4/conf/all/rp_filter={int(policy != 'accept')}")
    hairpin = [{"name": "pa1", "master": "br0", "hairpin": True}]
    apply({"forward": NETWORKS, "publish": publications(), "bridge_port": hairpin})
    count("a1", INNER)


def said(source: str, protocol: str, to: str, port: int, inner: int) -> str:
    """As whom a1 saw the source; "" where nothing came through."""
    if protocol == "sctp":
        return "?" if arrival(source, to, port, "a1", PATIENCE) == inner else ""
    answer = ask(source, protocol, to, port, PATIENCE)
    assert not answer or answer.startswith(f"{inner} "), f"{answer}, not {inner}"
    return answer.partition(" ")[2]


def reaches(source: str, to: str, place: str, seen_as: str) -> None:
    """A single port and the last of a range, by every protocol."""
    single, first = PORTS[place]
    for protocol, (port, inner) in itertools.product(PROTOCOLS, ((single, 80), (first + 2, 82))):
        found = said(source, protocol, to, port, inner)
        what = f"from {source or 'the host'} to {to}, port {port}/{protocol}, published {place}"
        assert found in (("?",) if protocol == "sctp" else (seen_as,)), f"{what}: {found!r}, not {seen_as!r}"


def misses(source: str, to: str, *ports: int) -> None:
    """By no protocol does anything come through."""
    for protocol, port in itertools.product(PROTOCOLS, ports):
        what = f"from {source or 'the host'} to {to}, port {port}/{protocol}"
        if protocol == "sctp":
            assert not arrival(source, to, port, "a1", IMPATIENCE), what
        else:
            assert not ask(source, protocol, to, port, IMPATIENCE), what


@machines
def test_matrix(policy: str, value: str) -> None:
    """From outside, the host, the container itself, its neighbour and another network."""
    prepare(policy, value)
    with listening("a1", INNER):
        for family in FAMILIES:
            outside, host, bridge = target("out", family), uplink(family), gateway(family)
            for place in (ANYWHERE, ADDRESS):
                reaches("out", host, place, outside)
                reaches("", host, place, bridge)
                reaches("a1", host, place, bridge)
                reaches("a2", host, place, bridge)
                reaches("b1", host, place, target("b1", family))
            for source in ("", "a1", "a2"):
                reaches(source, bridge, ANYWHERE, bridge)
            misses("out", host, PORTS[LOCAL][0])
            misses("out", bridge, PORTS[ADDRESS][0])
        reaches("", LOCALHOST, ANYWHERE, gateway(4))
        reaches("", LOCALHOST, LOCAL, gateway(4))
        misses("", LOCALHOST, PORTS[ADDRESS][0])


@machines
def test_not_published(policy: str, value: str) -> None:
    """Other ports of the host, and the container's own address by a route; within its network all is well."""
    prepare(policy, value)
    with listening("a1", INNER):
        for family in FAMILIES:
            misses("out", uplink(family), 80, 8081, 8999, 9003)
            misses("out", target("a1", family), 80)
            misses("b1", target("a1", family), 80)
            assert ask("a2", "tcp", target("a1", family), 80, PATIENCE) == f"80 {target('a2', family)}"
            assert ask("", "udp", target("a1", family), 80, PATIENCE)


@few
def test_localhost_of_ipv6(value: str) -> None:
    """It is refused at once, and not left hanging."""
    prepare("accept", value)
    with listening("a1", INNER), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as caller:
        caller.settimeout(PATIENCE)
        with pytest.raises(ConnectionRefusedError):
            caller.connect(("::1", PORTS[ANYWHERE][0]))


@few
def test_internal(value: str) -> None:
    """From an internal network nothing is reached that is published on another one."""
    prepare("accept", value)
    apply({"forward": [{"bridge": "br1", "internal": True}]})
    with listening("a1", INNER):
        for family in FAMILIES:
            misses("b1", uplink(family), PORTS[ANYWHERE][0], PORTS[ADDRESS][0])
            misses("b1", address(family, 2, 1).partition("/")[0], PORTS[ANYWHERE][0])


@few
def test_loopback_stays_the_hosts(value: str) -> None:
    """Neither a container nor somebody outside reaches 127.0.0.1 of the host, or what is published there."""
    prepare("accept", value)
    for name in ("a1", "out"):
        with inside(name):
            shell(
                "sysctl -qw net/ipv4/conf/eth0/route_localnet=1;"
                "ip address del 127.0.0.1/8 dev lo 2>/dev/null || true;"
                f"ip route add 127.0.0.1 via {gateway(4) if name == 'a1' else uplink(4)}"
            )
    assert snapshot.sysctl("net/ipv4/conf/br0/route_localnet") == "1"
    with listening("", (7000,)), listening("a1", INNER):
        assert ask("", "udp", LOCALHOST, 7000, PATIENCE)
        for name in ("a1", "out"):
            for port in (7000, PORTS[LOCAL][0], PORTS[ANYWHERE][0]):
                assert not ask(name, "udp", LOCALHOST, port, IMPATIENCE), f"from {name}, port {port}"
                assert not ask(name, "tcp", LOCALHOST, port, IMPATIENCE), f"from {name}, port {port}"


@pytest.mark.parametrize("family", FAMILIES)
def test_flows_begin_anew(family: int) -> None:
    """A sender of UDP that never changes its port is sent where the port leads now."""
    build("accept", bridge_nf()[0])
    web = {"host_port": 5353, "port": 80, "protocol": "udp", "bridge": "br0", "label": "names"}
    with inside("out"):
        caller = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, socket.SOCK_DGRAM)
    with caller, listening("a1", (80,)), listening("a2", (81,)):
        caller.settimeout(PATIENCE)
        caller.bind(("", 40000))

        def asks() -> bytes:
            """Not connected: what the host refuses at first is no error."""
            caller.sendto(b"?", (uplink(family), 5353))
            return caller.recv(100)[:2]

        caller.settimeout(IMPATIENCE)
        with pytest.raises(TimeoutError):
            asks()
        caller.settimeout(PATIENCE)
        apply({"publish": [{**web, "address": target("a1", family)}]})
        assert asks() == b"80"
        apply({"publish": [{**web, "address": target("a2", family), "port": 81}]})
        assert asks() == b"81"
        apply({"publish": [{**web, "address": target("a2", family)}]}, state="absent")
        caller.settimeout(IMPATIENCE)
        with pytest.raises(TimeoutError):
            asks()


def test_removing_one_protocol_leaves_the_other() -> None:
    """Of the same port."""
    build("accept", bridge_nf()[0])
    web = {"host_port": 8080, "address": target("a1", 4), "port": 80, "bridge": "br0"}
    udp = {**web, "protocol": "udp"}
    apply({"publish": [web, udp]})
    with listening("a1", (80,)):
        assert ask("out", "tcp", uplink(4), 8080, PATIENCE)
        apply({"publish": [web]}, state="absent")
        assert not ask("out", "tcp", uplink(4), 8080, IMPATIENCE)
        assert ask("out", "udp", uplink(4), 8080, PATIENCE)
