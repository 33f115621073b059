# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridges: a life, every option, and whose they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

Shows = Callable[[dict[str, Any]], Any]

ROUTE = {"to": "10.99.0.0/16", "via": "10.0.0.9"}


def bridge(**options: Any) -> dict[str, list[dict[str, Any]]]:
    """One bridge."""
    return {"bridge": [{"name": "br0", **options}]}


def data(key: str) -> Shows:
    """An option of a bridge as iproute2 shows it."""
    return lambda link: link["linkinfo"]["info_data"][key]


def test_life() -> None:
    """Fresh, again, absent, absent again."""
    story = Story()
    report = story.changes(bridge())
    made = snapshot.link("br0")
    assert made["ifalias"] == "bridgenet:1:default:br0"
    assert made["address"].startswith("02:")
    assert snapshot.is_up(made)
    assert report.after[0][2]["mac"] == made["address"]
    story.changes(bridge(), state="absent")
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]
    story.stays(bridge(), state="absent")


CHANGES = [
    (
        "mac",
        "02:00:00:00:00:0A",
        "02:00:00:00:00:0b",
        lambda link: link["address"],
        ["02:00:00:00:00:0a", "02:00:00:00:00:0b"],
    ),
    ("mtu", 1500, 1400, lambda link: link["mtu"], [1500, 1400]),
    ("up", True, False, snapshot.is_up, [True, False]),
    ("addresses", ["10.0.0.1/24"], ["10.0.0.2/24"], snapshot.addresses, [["10.0.0.1/24"], ["10.0.0.2/24"]]),
    (
        "addresses",
        ["fd00::1/64"],
        ["fd00::2/64", "10.0.0.1/32"],
        snapshot.addresses,
        [["fd00::1/64"], ["10.0.0.1/32", "fd00::2/64"]],
    ),
    ("stp", False, True, data("stp_state"), [0, 1]),
    ("forward_delay", 15, 2, data("forward_delay"), [1500, 200]),
    ("ageing_time", 300, 0, data("ageing_time"), [30000, 0]),
    ("nf_call_iptables", False, True, data("nf_call_iptables"), [0, 1]),
    ("nf_call_ip6tables", False, True, data("nf_call_ip6tables"), [0, 1]),
    ("nf_call_arptables", False, True, data("nf_call_arptables"), [0, 1]),
    ("label", "one", "two", lambda link: link["ifalias"], ["bridgenet:1:default:one", "bridgenet:1:default:two"]),
]


@pytest.mark.parametrize("namespace", ["", "a"])
@pytest.mark.parametrize(("option", "old", "new", "shows", "shown"), CHANGES)
def test_option(option: str, old: Any, new: Any, shows: Shows, shown: list[Any], namespace: str) -> None:
    """There and back, on the host and in a namespace."""
    where = {"namespace": namespace} if namespace else {}
    story = Story("ip netns add a")
    story.changes(bridge(exclusive=True, **where, **{option: old}))
    first = snapshot.state()
    assert shows(snapshot.link("br0", namespace)) == shown[0]
    story.changes(bridge(exclusive=True, **where, **{option: new}))
    assert shows(snapshot.link("br0", namespace)) == shown[1]
    story.changes(bridge(exclusive=True, **where, **{option: old}))
    snapshot.same(first, snapshot.state(), "the bridge must be the same one")


@pytest.mark.parametrize("option", ["stp", "nf_call_iptables", "nf_call_ip6tables", "nf_call_arptables"])
def test_new_with_an_option(option: str) -> None:
    """Created with what is not a new bridge's default."""
    Story().changes(bridge(**{option: True}))
    assert data({"stp": "stp_state"}.get(option, option))(snapshot.link("br0")) == 1


@pytest.mark.parametrize(("namespace", "new"), [("", "1"), ("", "0"), ("a", "1")])
def test_router_advertisements(namespace: str, new: str) -> None:
    """Never, whatever new interfaces get; always; and the next bridge of that name begins anew."""
    where = {"namespace": namespace} if namespace else {}
    story = Story(f"ip netns add a; sysctl -qw net/ipv6/conf/default/accept_ra={new}")
    for value in (0, 2, 0):
        story.changes(bridge(accept_ra=value, **where))
        assert snapshot.sysctl("net/ipv6/conf/br0/accept_ra", namespace) == str(value)
    story.changes(bridge(**where), state="absent")
    story.changes(bridge(**where))
    assert snapshot.sysctl("net/ipv6/conf/br0/accept_ra", namespace) == new
    story.changes(bridge(accept_ra=2, **where))
    story.changes(bridge(accept_ra=0, **where), state="absent")
    story.changes(bridge(accept_ra=0, mtu=1280, **where))
    for mtu in (1279, 68):
        with pytest.raises(BridgenetError, match=f"its MTU {mtu} is below 1280; drop accept_ra"):
            apply(bridge(accept_ra=0, mtu=mtu, **where))


def test_router_advertisements_and_forwarding() -> None:
    """The host's own interfaces hear them also when it forwards, and the bridge does not."""
    links = "ip link add name x0 address 02:00:00:00:00:01 type bridge"
    story = Story(f"{links}; sysctl -qw net/ipv6/conf/all/forwarding=0 net/ipv6/conf/x0/accept_ra=1")
    whole = {
        **bridge(accept_ra=0, addresses=["fd00::1/64"]),
        "masquerade": [{"source": "fd00::/64", "bridge": "br0", "forwarding": True}],
    }
    story.changes(whole)
    assert snapshot.sysctl("net/ipv6/conf/br0/accept_ra") == "0"
    assert snapshot.sysctl("net/ipv6/conf/x0/accept_ra") == "2"
    story.changes(whole, state="absent")
    assert snapshot.sysctl("net/ipv6/conf/x0/accept_ra") == "1"


def test_ipv6() -> None:
    """Off, there is no address of IPv6, not even the kernel's own; on again it comes back."""
    story = Story()
    story.changes(bridge(ipv6=False, addresses=["10.0.0.1/24"]))
    assert snapshot.sysctl("net/ipv6/conf/br0/disable_ipv6") == "1"
    assert all(one["family"] == "inet" for one in snapshot.link("br0")["addr_info"])
    story.changes(bridge(ipv6=True, addresses=["fd00::1/64"]))
    story.changes(bridge(ipv6=False))
    assert snapshot.addresses(snapshot.link("br0")) == ["10.0.0.1/24"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param([ROUTE], [{**ROUTE, "via": "10.0.0.8"}], id="another next hop"),
        pytest.param([ROUTE], [{**ROUTE, "metric": 7}], id="another metric"),
        pytest.param([ROUTE], [], id="none"),
        pytest.param([{"to": "10.98.0.0/16"}], [{"to": "10.97.0.0/16"}], id="on-link"),
        pytest.param([{"to": "default", "via": "10.0.0.9"}], [{"to": "0.0.0.0/0", "via": "10.0.0.7"}], id="default"),
        pytest.param([{"to": "default", "via": "fd00::9"}], [{"to": "::/0", "via": "fd00::8"}], id="default of IPv6"),
        pytest.param([{"to": "fd01::/64"}], [{"to": "fd01::/64", "metric": 5}], id="on-link IPv6"),
        pytest.param(
            [{"to": "10.77.0.5/32"}, {"to": "10.66.0.0/16", "via": "10.77.0.5"}],
            [{"to": "10.66.0.0/16", "via": "10.0.0.9"}],
            id="next hop behind another route",
        ),
    ],
)
def test_routes(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    """There and back."""
    base = {"addresses": ["10.0.0.1/24", "fd00::1/64"], "exclusive": True}
    story = Story()
    story.changes(bridge(**base, routes=old), force=True)
    first = snapshot.routes()
    story.changes(bridge(**base, routes=new), force=True)
    story.changes(bridge(**base, routes=old), force=True)
    assert snapshot.routes() == first


def test_additive() -> None:
    """Lists add, and are exact only when told."""
    story = Story()
    story.changes(bridge(addresses=["10.0.0.1/24"], routes=[ROUTE]))
    story.changes(bridge(addresses=["10.0.0.2/24"], routes=[{**ROUTE, "to": "10.98.0.0/16"}]))
    assert snapshot.addresses(snapshot.link("br0")) == ["10.0.0.1/24", "10.0.0.2/24"]
    assert {route["dst"] for route in snapshot.routes() if "gateway" in route} == {"10.99.0.0/16", "10.98.0.0/16"}
    story.changes(bridge(addresses=["10.0.0.2/24"], routes=[], exclusive=True))
    assert snapshot.addresses(snapshot.link("br0")) == ["10.0.0.2/24"]
    assert not [route for route in snapshot.routes() if "gateway" in route]


def test_secondary_becomes_primary() -> None:
    """Without its primary a secondary would go: it is put back."""
    story = Story()
    story.changes(bridge(addresses=["10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24"], routes=[ROUTE], exclusive=True))
    story.changes(bridge(addresses=["10.0.0.2/24", "10.0.0.3/24"], routes=[ROUTE], exclusive=True))
    assert snapshot.addresses(snapshot.link("br0")) == ["10.0.0.2/24", "10.0.0.3/24"]
    assert [route["dst"] for route in snapshot.routes() if "gateway" in route] == ["10.99.0.0/16"]


def test_down_loses_and_up_gains() -> None:
    """A link that goes down keeps its IPv4 addresses, loses those of IPv6 and its routes."""
    story = Story()
    story.changes(bridge(addresses=["10.0.0.1/24", "fd00::1/64"], routes=[ROUTE]))
    story.changes(bridge(up=False))
    assert snapshot.addresses(snapshot.link("br0")) == ["10.0.0.1/24"]
    story.changes(bridge(up=True))
    assert snapshot.addresses(snapshot.link("br0")) == ["10.0.0.1/24"]


def test_mac_stays_when_ports_come() -> None:
    """A bridge without a MAC of its own would take its lowest port's."""
    story = Story("ip link add name v0 address 00:00:00:00:00:02 type veth peer name p0 address 00:00:00:00:00:03")
    story.changes(bridge())
    before = snapshot.link("br0")["address"]
    story.changes({**bridge(), "bridge_port": [{"name": "v0", "master": "br0"}]})
    assert snapshot.link("br0")["address"] == before


def test_take_over() -> None:
    """Somebody else's bridge is left alone, unless it is handed over; its ports stay either way."""
    story = Story(
        "ip link add name br0 address 02:00:00:00:00:01 type bridge;"
        "ip link add name v0 address 02:00:00:00:00:02 master br0 type veth peer name p0 address 02:00:00:00:00:03"
    )
    before = snapshot.state()
    with pytest.raises(BridgenetError, match=r"bridge 'br0' exists and is not ours.*take_over: true"):
        apply(bridge())
    snapshot.same(before, snapshot.state())
    story.changes(bridge(take_over=True))
    assert snapshot.link("v0")["master"] == "br0"
    story.stays(bridge())


def test_in_the_way() -> None:
    """A name that something else has, is refused."""
    Story("ip link add name br0 type veth peer name p0")
    with pytest.raises(BridgenetError, match="interface 'br0' in the host exists and is a veth, not a bridge"):
        apply(bridge(take_over=True))
    with pytest.raises(BridgenetError, match="exists and is a veth, not a bridge"):
        apply(bridge(), state="absent")


def test_absent_releases_ports() -> None:
    """Ports stay as links."""
    story = Story("ip link add name v0 address 02:00:00:00:00:02 type veth peer name p0 address 02:00:00:00:00:03")
    both = {**bridge(), "bridge_port": [{"name": "v0", "master": "br0", "isolated": True}]}
    story.changes(both)
    story.changes(bridge(), state="absent")
    assert "master" not in snapshot.link("v0")


def test_absent_with_a_label() -> None:
    """With a label it refuses what does not carry it."""
    story = Story()
    story.changes(bridge(label="mine"))
    with pytest.raises(
        BridgenetError, match="is labelled 'bridgenet:1:default:mine' and not 'bridgenet:1:default:yours'"
    ):
        apply(bridge(label="yours"), state="absent")
    story.changes(bridge(label="mine"), state="absent")
