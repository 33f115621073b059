# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interfaces that somebody else makes: a life, and every option."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

PAIR = (
    "ip link add name x0 address 02:00:00:00:00:03 type veth peer name y0 address 02:00:00:00:00:04;"
    "ip link set dev x0 up; ip link set dev y0 up; ip address add 10.9.0.1/24 dev x0"
)
PREPARE = f"{PAIR}; ip netns add a; ip netns exec a sh -e <<'END'\n{PAIR}\nEND\n"
ROUTE = {"to": "10.98.0.0/16", "via": "10.0.0.9"}


def interface(**options: Any) -> dict[str, list[dict[str, Any]]]:
    """One interface."""
    return {"interface": [{"name": "x0", **options}]}


@pytest.mark.parametrize("namespace", ["", "a"])
def test_life(namespace: str) -> None:
    """Fresh, again, absent, absent again; the link and what was not declared stay."""
    story = Story(PREPARE)
    first = snapshot.state()
    declared = interface(namespace=namespace, addresses=["10.0.0.1/24", "fd00::1/64"], routes=[ROUTE])
    story.changes(declared)
    assert set(snapshot.addresses(snapshot.link("x0", namespace))) == {"10.9.0.1/24", "10.0.0.1/24", "fd00::1/64"}
    assert not snapshot.link("x0", namespace).get("ifalias"), "it is not ours, so it carries no label"
    story.changes(declared, state="absent")
    snapshot.same(first, snapshot.state())
    story.stays(declared, state="absent")


def test_absent_of_what_is_not_there() -> None:
    """No such link, no such namespace."""
    story = Story()
    story.stays(interface(addresses=["10.0.0.1/24"]), state="absent")
    story.stays(interface(namespace="gone", addresses=["10.0.0.1/24"]), state="absent")


@pytest.mark.parametrize(
    ("option", "old", "new", "shows"),
    [
        ("mac", "02:00:00:00:00:03", "02:00:00:00:00:0c", lambda link: link["address"]),
        ("mtu", 1500, 1400, lambda link: link["mtu"]),
        ("mtu", 1500, 600, lambda link: link["mtu"]),
        ("up", True, False, snapshot.is_up),
        ("addresses", ["10.9.0.1/24"], ["10.9.0.2/24", "10.9.0.3/24"], snapshot.addresses),
        ("addresses", ["10.9.0.1/24"], [], snapshot.addresses),
    ],
)
@pytest.mark.parametrize("namespace", ["", "a"])
def test_option(option: str, old: Any, new: Any, shows: Callable[[dict[str, Any]], Any], namespace: str) -> None:
    """From what is there to something else, and back."""
    story = Story(PREPARE)
    first = snapshot.state()
    story.stays(interface(namespace=namespace, exclusive=True, **{option: old}))
    story.changes(interface(namespace=namespace, exclusive=True, **{option: new}))
    assert shows(snapshot.link("x0", namespace)) == new
    back = {"ipv6": True} if (option, new) == ("mtu", 600) else {}  # below 1280 bytes there is none
    story.changes(interface(namespace=namespace, exclusive=True, **{option: old}, **back))
    snapshot.same(first, snapshot.state())


def test_ipv6() -> None:
    """Off and on."""
    story = Story(PREPARE)
    story.stays(interface(ipv6=True))
    story.changes(interface(ipv6=False))
    story.changes(interface(ipv6=True))


@pytest.mark.parametrize("exclusive", [False, True])
def test_routes(exclusive: bool) -> None:
    """Added, or exact."""
    story = Story(PREPARE + "ip route add 10.97.0.0/16 via 10.9.0.7 proto static")
    base = {"addresses": ["10.0.0.1/24", "10.9.0.1/24"], "exclusive": exclusive}
    story.changes(interface(**base, routes=[ROUTE]))
    gateways = {route["dst"] for route in snapshot.routes() if "gateway" in route}
    assert gateways == ({"10.98.0.0/16"} if exclusive else {"10.97.0.0/16", "10.98.0.0/16"})
    story.changes(interface(**base, routes=[{**ROUTE, "metric": 50}]))
    story.changes(interface(routes=[{**ROUTE, "metric": 50}]), state="absent")


def test_exclusive_addresses_put_kept_routes_back() -> None:
    """Removing an address costs the routes that hang on it: those that stay are put back."""
    story = Story(PREPARE)
    story.changes(interface(addresses=["10.0.0.1/24"], routes=[ROUTE]))
    story.changes(interface(addresses=["10.0.0.1/24"], exclusive=True))
    assert [route["dst"] for route in snapshot.routes() if "gateway" in route] == ["10.98.0.0/16"]


def test_routes_go_with_the_address_that_their_next_hop_needs() -> None:
    """Those that another address, or a route, still leads to, stay."""
    story = Story(PREPARE)
    addresses = ["10.9.0.1/24", "10.0.0.1/24", "10.0.0.2/16", "fd00::1/64"]
    routes = [
        ROUTE,  # by 10.0.0.2/16, too
        {"to": "10.97.0.0/16", "via": "10.9.0.7"},
        {"to": "10.96.0.0/16", "via": "10.95.0.1"},
        {"to": "10.95.0.1/32"},
        {"to": "fd01::/64", "via": "fd00::9"},
    ]
    story.changes(interface(addresses=addresses, routes=routes))
    story.changes(interface(addresses=["10.0.0.2/16"], exclusive=True))
    assert sorted(route["dst"] for route in snapshot.routes() if route["protocol"] == "static") == [
        "10.95.0.1",
        "10.96.0.0/16",
        "10.98.0.0/16",
    ]
    story.changes(interface(addresses=["10.0.0.2/16"]), state="absent")


def test_secondaries_of_somebody_else() -> None:
    """Absent takes a primary away; its secondaries, which the kernel would take along, stay."""
    story = Story(PREPARE + "ip address add 10.9.0.2/24 dev x0; ip address add 10.9.0.3/24 dev x0")
    story.changes(interface(addresses=["10.9.0.1/24"]), state="absent")
    assert snapshot.addresses(snapshot.link("x0")) == ["10.9.0.2/24", "10.9.0.3/24"]


def test_loopback() -> None:
    """Addresses on a loopback, those that the kernel gives left alone."""
    story = Story()
    story.changes({"interface": [{"name": "lo", "addresses": ["10.255.0.1/32", "fd00::1/128"], "exclusive": True}]})
    assert "127.0.0.1" in shell("ip address show dev lo")
    with pytest.raises(BridgenetError, match="a loopback has no MAC address"):
        apply({"interface": [{"name": "lo", "mac": "02:00:00:00:00:01"}]})


def test_bridge_mtu_by_interface() -> None:
    """The MTU of a bridge can be set as that of any link, and it stays when a smaller port joins."""
    story = Story(PREPARE + "ip link add name br0 address 02:00:00:00:00:09 type bridge; ip link set dev x0 mtu 1300")
    story.changes({"interface": [{"name": "br0", "mtu": 1450}]})
    story.changes({"bridge_port": [{"name": "x0", "master": "br0"}]})
    assert snapshot.link("br0")["mtu"] == 1450


def test_routes_that_others_made_stay() -> None:
    """Routes of a routing daemon or of DHCP are not touched unless exclusive."""
    story = Story(PREPARE + "ip route add 10.96.0.0/16 via 10.9.0.8 proto dhcp metric 100")
    story.changes(interface(addresses=["10.0.0.1/24"]))
    assert [route["protocol"] for route in snapshot.routes() if "gateway" in route] == ["dhcp"]
