# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps its source although its network is masqueraded, IPv4 and IPv6, and what must not come in as a loopback."""

from __future__ import annotations

import re
import socket
import struct
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.talk import PATIENCE, ask, family_of, listening
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_forward_traffic import (
    FAMILIES,
    PORT,
    address,
    build,
    eventually,
    target,
)
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_traffic import bridge_nf

NETWORKS = {4: "10.1.0.0/24", 6: "fd00:1::/64"}
GATEWAYS = {family: address(family, 1, 1).partition("/")[0] for family in FAMILIES}
UPLINKS = {family: address(family, 9, 1).partition("/")[0] for family in FAMILIES}
GROUPS = {4: "239.1.2.3", 6: "ff05::123"}
families = pytest.mark.parametrize("family", FAMILIES)


def masquerade(family: int, **where: Any) -> dict[str, Any]:
    """Of the network of br0, by nftables."""
    return {"source": NETWORKS[family], "backend": "nftables", **where}


@families
@pytest.mark.parametrize("more", [False, True], ids=["by the bridge", "by its name as well"])
def test_through_the_gateway_and_back(family: int, more: bool) -> None:
    """Who asks a neighbour by way of the host is seen as himself, and by somebody outside as the host.

    Also where all that leaves by the bridge is masqueraded: another network's packets are, its own are not.
    """
    build("accept", bridge_nf()[0])
    all_of_it = {"source": "10.0.0.0/8" if family == 4 else "fd00::/16", "label": "all"}
    rules = [masquerade(family, bridge="br0", label="own")]
    rules += [masquerade(family, out_interface="br0", **all_of_it)] if more else []
    apply({"masquerade": rules})
    shell(f"ip -n a1 route add {target('a2', family)} via {GATEWAYS[family]}")
    with listening("a2", [PORT], ["udp"]), listening("out", [PORT], ["udp"]):
        assert ask("a1", "udp", target("a2", family), PORT, PATIENCE) == f"{PORT} {target('a1', family)}"
        assert ask("a1", "udp", target("out", family), PORT, PATIENCE) == f"{PORT} {UPLINKS[family]}"
        seen = GATEWAYS[family] if more else target("b1", family)
        assert ask("b1", "udp", target("a2", family), PORT, PATIENCE) == f"{PORT} {seen}"


def group(family: int, index: int) -> bytes:
    """struct ip_mreqn, struct ipv6_mreq"""
    if family == 4:
        return socket.inet_aton(GROUPS[4]) + bytes(4) + struct.pack("=i", index)
    return socket.inet_pton(socket.AF_INET6, GROUPS[6]) + struct.pack("=I", index)


@families
def test_multicast(family: int) -> None:
    """What goes to a group keeps its source, and what goes to one host does not."""
    build("accept", bridge_nf()[0])
    apply({"masquerade": [masquerade(family, out_interface="up0")]})
    kind = family_of(GROUPS[family])
    level = socket.IPPROTO_IPV6 if family == 6 else socket.IPPROTO_IP
    join = socket.IPV6_JOIN_GROUP if family == 6 else socket.IP_ADD_MEMBERSHIP
    by = socket.IPV6_MULTICAST_IF if family == 6 else socket.IP_MULTICAST_IF
    index = socket.if_nametoindex("up0")
    with inside("out"):
        listener = socket.socket(kind, socket.SOCK_DGRAM)
        listener.setsockopt(level, join, group(family, socket.if_nametoindex("eth0")))
    with listener, socket.socket(kind, socket.SOCK_DGRAM) as sender:
        listener.settimeout(PATIENCE)
        listener.bind(("", PORT))
        sender.bind((GATEWAYS[family], 0))
        sender.setsockopt(level, by, struct.pack("=I", index) if family == 6 else group(4, index))
        for to, seen in ((GROUPS[family], GATEWAYS[family]), (target("out", family), UPLINKS[family])):
            sender.sendto(b"?", (to, PORT))
            assert listener.recvfrom(10)[1][0] == seen


RESETS = """
table inet seen { counter c { }
    chain i { type filter hook prerouting priority 0; tcp flags rst counter name c; }
}
"""


@families
@pytest.mark.parametrize("where", [{"bridge": "br0"}, {"out_interface": "up0"}], ids=["bridge", "interface"])
def test_what_is_of_no_connection_does_not_leave(family: int, where: dict[str, str]) -> None:
    """NAT passes it over, and it would be seen with the container's own address. Between neighbours it passes."""
    build("accept", bridge_nf()[-1])
    for name in ("out", "a2"):
        with inside(name):
            shell(f"nft -f - <<'END'\n{RESETS}\nEND")
    with inside("a1"):
        sender = socket.socket(family_of(target("out", family)), socket.SOCK_RAW, socket.IPPROTO_TCP)
    reset = struct.pack("!HHIIBBHHH", PORT, PORT, 1, 1, 5 << 4, 0x14, 0, 0, 0)
    with sender, listening("out", [PORT], ["udp"]):
        sender.sendto(reset, (target("out", family), 0))
        eventually("ip netns exec out nft list counter inet seen c | grep -q 'packets 1 '")
        apply({"masquerade": [masquerade(family, **where)]})
        sender.sendto(reset, (target("out", family), 0))
        assert ask("a1", "udp", target("out", family), PORT, PATIENCE)  # which came behind it
        sender.sendto(reset, (target("a2", family), 0))
        eventually("ip netns exec a2 nft list counter inet seen c | grep -q 'packets 1 '")
    assert "packets 1 " in shell("ip netns exec out nft list counter inet seen c")


GUARDED = """
table ip seen_before { counter c { }
    chain i { type filter hook prerouting priority -310; iifname "br0" udp dport 7 counter name c; }
}
table ip seen_after { counter c { }
    chain i { type filter hook prerouting priority -290; iifname "br0" udp dport 7 counter name c; }
}
"""


def datagram(source: str, to: str) -> bytes:
    """IPv4 and UDP, to port 7; the kernel fills in length and checksum (raw(7))."""
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0, *map(socket.inet_aton, (source, to))
    )
    return header + struct.pack("!HHHH", 7, 7, 8, 0)


def test_nobody_comes_as_a_loopback() -> None:
    """By a bridge into which the host sends from 127.0.0.0/8, nothing from there may come in."""
    build("accept", bridge_nf()[0])
    port = {"host_port": 8080, "address": target("a1", 4), "port": 80, "bridge": "br0"}
    apply({"publish": [port]})
    shell(f"nft -f - <<'END'\n{GUARDED}\nEND")
    with inside("a1"):
        sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with sender:
        for source in ("127.9.9.9", target("a1", 4)):
            sender.sendto(datagram(source, GATEWAYS[4]), (GATEWAYS[4], 0))
    # What was sent last came last.
    eventually("nft list counter ip seen_before c | grep -q 'packets 2 '")
    eventually("nft list counter ip seen_after c | grep -q 'packets [12] '")
    assert packets("seen_after") == 1


def packets(table: str) -> int:
    """How many a counter of GUARDED has."""
    found = re.search(r"packets (\d+)", shell(f"nft list counter ip {table} c"))
    assert found
    return int(found[1])
