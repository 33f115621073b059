# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An address moves to another MAC address, and those who talked to it follow at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _steps
from ansible_collections.nslab.bridgenet.plugins.module_utils._announcements import announcements
from ansible_collections.nslab.bridgenet.plugins.module_utils._engine import Report
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import HOST, Host, Link, Namespace
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

Objects = dict[str, list[dict[str, Any]]]

IPV4, IPV6 = ("10.10.0.1", "10.10.0.10", "10.10.0.30"), ("fd10::1", "fd10::10", "fd10::30")


def member(name: str, addresses: tuple[str, ...], **options: Any) -> Objects:
    """A container on the bridge."""
    peer = {"name": "eth0", "namespace": name, "addresses": [_long(one) for one in addresses], "ipv6": True, **options}
    pair = {"name": f"v{name}", "ipv6": False, "exclusive": True, "peer": peer}
    return {"netns": [{"name": name}], "veth": [pair], "bridge_port": [{"name": f"v{name}", "master": "br0"}]}


def _long(address: str) -> str:
    return f"{address}/64" if ":" in address else f"{address}/24"


def network(*members: Objects, gateway: tuple[str, ...] = (IPV4[0], IPV6[0]), **bridge: Any) -> Objects:
    """A bridge and who is on it."""
    bridges = [{"name": "br0", "addresses": [_long(one) for one in gateway], "exclusive": True, **bridge}]
    whole: Objects = {"bridge": bridges}
    for one in members:
        for module, objects in one.items():
            whole.setdefault(module, []).extend(objects)
    return whole


NEIGHBOUR = member("n", (IPV4[2], IPV6[2]))
HOLDER = member("a", (IPV4[1], IPV6[1]))


def talk() -> None:
    """The neighbour asks for the addresses of the holder, and of the gateway, and knows them now."""
    shell("\n".join(f"ip netns exec n ping -q -c 1 -W 5 {one}" for one in (*IPV4[:2], *IPV6[:2])))
    known = {one["dst"] for one in json.loads(shell("ip -j -n n neighbour show"))}
    assert {*IPV4[:2], *IPV6[:2]} <= known


def answers(address: str) -> bool:
    """Whether one packet, that is sent to the MAC address that the neighbour knows, is answered."""
    return "1 received" in shell(f"ip netns exec n ping -q -c 1 -W 2 {address} || true")


GONE = {"netns": [{"name": "a", "state": "absent"}], "veth": [{"name": "va", "state": "absent"}]}
MOVES = {
    "to a new container": network(NEIGHBOUR, GONE, member("b", (IPV4[1], IPV6[1]))),
    "to another MAC address": network(NEIGHBOUR, member("a", (IPV4[1], IPV6[1]), mac="02:00:00:00:00:99")),
}


@pytest.mark.parametrize("after", MOVES.values(), ids=MOVES)
def test_neighbours_follow(after: Objects) -> None:
    """By IPv4 and IPv6."""
    before = network(NEIGHBOUR, HOLDER)
    Story().changes(before)
    talk()
    report = apply(after)
    assert any("arp_notify" in action for action in report.actions)
    assert answers(IPV4[1])
    assert answers(IPV6[1])


def test_a_container_that_was_there_takes_an_address_over() -> None:
    """Of one that gets another instead."""
    other = ("10.10.0.20", "fd10::20")
    story = Story()
    story.changes(network(NEIGHBOUR, HOLDER, member("b", other)))
    talk()
    story.changes(network(NEIGHBOUR, member("a", other), member("b", (IPV4[1], IPV6[1]))))
    assert answers(IPV4[1])
    assert answers(IPV6[1])


def test_the_neighbours_of_a_gateway_follow() -> None:
    """A bridge gets another MAC address."""
    apply(network(NEIGHBOUR, HOLDER))
    talk()
    apply(network(NEIGHBOUR, HOLDER, mac="02:00:00:00:00:98"))
    assert answers(IPV4[0])
    assert answers(IPV6[0])


def test_without_it_they_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tests above show something."""
    apply(network(NEIGHBOUR, HOLDER))
    talk()
    monkeypatch.setattr(_steps, "announcements", lambda _current, _predicted: [])
    apply(MOVES["to a new container"])
    assert not answers(IPV4[1])
    assert not answers(IPV6[1])


def told(report: Report) -> list[str]:
    """In which namespaces the kernel is asked to announce."""
    return [action.split()[3] for action in report.actions if "arp_notify=1" in action]


def test_an_address_that_comes_back_in_a_later_run() -> None:
    """Elsewhere, and nobody here had it in between: those who were on the bridge follow at once."""
    story = Story()
    story.changes(network(NEIGHBOUR, HOLDER))
    talk()
    story.changes(network(NEIGHBOUR, GONE))
    assert told(story.changes(network(NEIGHBOUR, member("b", (IPV4[1], IPV6[1]))))) == ["b"]
    assert answers(IPV4[1])
    assert answers(IPV6[1])


@pytest.mark.parametrize(("count", "announced"), [(90, True), (110, False)])
def test_not_to_a_crowd(count: int, announced: bool) -> None:
    """Each announcement goes to every port: a hundred on a hundred are too many, and decided before it happens."""
    mine = {"name": "br0", "kind": "bridge", "mac": "02:00:00:00:00:01", "mtu": 1500, "up": True, "ipv6": True}
    common = {"mtu": 1500, "up": True, "ipv6": True, "label": "", "master": "", "routes": ()}
    bridge = Link(**{**common, **mine}, addresses=("10.10.0.1/16",))
    ports = {
        f"v{n}": Link(
            f"v{n}", "veth", "02:00:00:00:01:00", **{**common, "master": "br0"}, addresses=(), peer=(f"n{n}", "e")
        )
        for n in range(count)
    }
    inside = {
        f"n{n}": Namespace(
            f"n{n}",
            {
                "e": Link(
                    "e",
                    "veth",
                    f"02:00:00:00:02:{n:02x}",
                    **common,
                    addresses=(f"10.10.1.{n + 1}/16",),
                    peer=("", f"v{n}"),
                )
            },
        )
        for n in range(count)
    }
    before = Host({HOST: Namespace(HOST, {"br0": bridge})})
    after = Host({HOST: Namespace(HOST, {"br0": bridge, **ports}), **inside})
    assert len(announcements(before, after)) == (count if announced else 0)
    assert not announcements(Host({HOST: Namespace(HOST, {})}), after), "nobody was there"


def test_nobody_is_told_of_what_is_new() -> None:
    """Where the bridge comes with it, nobody remembers; settings stay."""
    story = Story()
    assert not told(story.changes(network(NEIGHBOUR)))
    assert told(story.changes(network(NEIGHBOUR, HOLDER))) == ["a"]
    assert told(story.changes(MOVES["to another MAC address"])) == ["a"]
    assert snapshot.sysctl("net/ipv4/conf/eth0/arp_notify", "a") == "0"
    assert snapshot.sysctl("net/ipv6/conf/eth0/ndisc_notify", "a") == "0"
