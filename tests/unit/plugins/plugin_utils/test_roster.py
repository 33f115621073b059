# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of a host, declared and standing."""

from __future__ import annotations

import json

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _asking
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._roster import Container, Namespace, Place, declared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._roster import standing as stand

NETWORKS = {
    "back": {"subnet": "10.2.0.0/24", "gateway": False},
    "front": {"subnet": "10.1.0.0/24", "masquerade": True},
}


def member(**networks: str) -> dict:
    return {"networks": {name: {"ipv4_address": address} for name, address in networks.items()}}


def test_declared_the_way_out_comes_first():
    (web,) = declared(NETWORKS, {"web": member(back="10.2.0.5", front="10.1.0.5")})
    assert web.places == (Place("front", "eth1", "10.1.0.5"), Place("back", "eth0", "10.2.0.5"))
    assert web.variables() == {
        "bridgenet_ipv4_address": "10.1.0.5",
        "bridgenet_ipv6_address": None,
        "bridgenet_networks": {
            "back": {"ipv4_address": "10.2.0.5", "ipv6_address": None, "interface_name": "eth0"},
            "front": {"ipv4_address": "10.1.0.5", "ipv6_address": None, "interface_name": "eth1"},
        },
    }


def test_declared_absent_and_alone():
    containers = {"gone": {**member(back="10.2.0.6"), "state": "absent"}, "alone": {"networks": {}}}
    assert declared(NETWORKS, containers) == [Container("alone", "alone", ())]
    assert declared(NETWORKS, containers)[0].address is None


def test_declared_modes():
    containers = {
        "web": member(front="10.1.0.5"),
        "side": {"network_mode": "container:web"},
        "quiet": {"network_mode": "none"},
        "metal": {"network_mode": "host"},
    }
    places = (Place("front", "eth0", "10.1.0.5"),)
    assert declared(NETWORKS, containers) == [
        Container("web", "web", places),
        Container("side", "side", places),
        Container("quiet", "quiet", ()),
        Container("metal", "", ()),
    ]


def test_a_bad_declaration_is_refused():
    with pytest.raises(BridgenetError, match=r"10\.9\.9\.9"):
        declared(NETWORKS, {"web": member(front="10.9.9.9")})


LO = {"ifindex": 1, "ifname": "lo"}
OURS = {**LO, "ifalias": "bridgenet:1:default:web"}


def port(index: int, peer: int, label: str) -> dict:
    return {"ifindex": index, "ifname": f"veth{index}", "link_index": peer, "ifalias": f"bridgenet:1:default:{label}"}


def inside(index: int, peer: int, *addresses: str) -> list[dict]:
    link = {"ifindex": index, "ifname": f"eth{index}", "link_index": peer}
    ipv6 = {"family": "inet6", "local": "fe80::1"}
    return [link, {**link, "addr_info": [ipv6, *({"family": "inet", "local": address} for address in addresses)]}]


def test_standing():
    host = [LO, port(10, 2, "web/front"), port(11, 3, "web/back"), port(12, 9, "other/front"), {"ifname": "no index"}]
    route = {"dst": "default", "dev": "eth2", "gateway": "10.1.0.1"}
    entries = (OURS, *inside(2, 10, "10.1.0.5"), *inside(3, 11), *inside(4, 12, "10.3.0.1"), {}, route)
    places = (Place("front", "eth2", "10.1.0.5"), Place("back", "eth3", None))
    assert stand(host, [Namespace("web", 77, entries)]) == [Container("web", "web", places)]


def test_standing_under_two_names_and_not_ours():
    host = [port(10, 2, "web/front")]
    entries = ({**LO, "ifalias": "bridgenet:1:default:web=web,side"}, *inside(2, 10, "10.1.0.5"))
    namespaces = [Namespace(name, 77, entries) for name in ("web", "side", "of others")]
    places = (Place("front", "eth2", "10.1.0.5"),)
    assert stand(host, [*namespaces, Namespace("foreign", 78, (LO,))]) == [
        Container("side", "side", places),
        Container("web", "web", places),
    ]


def test_the_answer_of_a_host():
    answer = f'{json.dumps([LO])}\n"a" 77 {json.dumps([OURS])}\n[]\n[ ]\n"b" 78 [{{}}]\n'
    assert _asking._parsed(answer) == ([LO], [Namespace("a", 77, (OURS,)), Namespace("b", 78, ({},))])
    with pytest.raises(json.JSONDecodeError):
        _asking._parsed("Welcome!\n[]")


def test_declared_a_chosen_address_is_not_known():
    networks = {"both": {"enable_ipv6": True}}
    containers = {"a": {"networks": {"both": {}}}}
    assert declared(networks, containers) == [Container("a", "a", (Place("both", "eth0", None, None),))]
    assert declared(networks, containers)[0].ipv6_address is None


def test_standing_both_families():
    host = [port(10, 2, "web/front")]
    entries = (OURS, *inside(2, 10, "10.1.0.5"))
    entries[-1]["addr_info"].append({"family": "inet6", "local": "fd71::5", "scope": "global"})
    (web,) = stand(host, [Namespace("web", 77, entries)])
    assert web.places == (Place("front", "eth2", "10.1.0.5", "fd71::5"),)
    assert web.variables()["bridgenet_ipv6_address"] == "fd71::5"
