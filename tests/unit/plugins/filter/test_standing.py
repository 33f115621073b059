# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters that show what stands."""

from __future__ import annotations

import pytest

from ansible_collections.nslab.bridgenet.plugins.filter.pings import FilterModule as Pings
from ansible_collections.nslab.bridgenet.plugins.filter.pings import pings
from ansible_collections.nslab.bridgenet.plugins.filter.table import FilterModule as Table
from ansible_collections.nslab.bridgenet.plugins.filter.table import table


def veth(container, network, address, port, gateway=None):
    return {
        "name": port,
        "label": f"{container}/{network}",
        "mac": "02:00:00:00:00:01",
        "peer": {
            "name": "eth0",
            "namespace": container,
            "mac": "02:00:00:00:00:02",
            "addresses": [address],
            "routes": [{"to": "default", "via": gateway}] if gateway else [],
        },
    }


def standing(count=2, gateway="10.10.0.1"):
    return {
        "netns": [{"name": f"ns{number}"} for number in range(count)],
        "bridge": [{"name": "br0", "label": "blue", "addresses": [f"{gateway}/16"] if gateway else []}],
        "veth": [veth(f"ns{n}", "blue", f"10.10.1.{n}/16", f"port{n}", gateway) for n in range(count)],
        "bridge_port": [{"name": f"port{n}", "master": "br0"} for n in range(count)],
    }


def external():
    after = standing()
    del after["bridge"]
    return after


def pairs(after, **limits):
    """Who asks, who answers, and by what address; each title says the same as its pair."""
    found = []
    for ping in pings(after, **limits):
        container, _to, target, address = ping["title"].split()
        assert (container, address) == (ping["from"], ping["to"])
        found.append((container, target.rstrip(","), address))
    return found


def test_the_filters_have_their_names():
    assert Table().filters() == {"table": table}
    assert Pings().filters() == {"pings": pings}


def test_table():
    assert table(standing()).splitlines() == [
        "network blue: bridge br0, 10.10.0.1/16",
        "  container  namespace  interface  address       MAC                bridge port",
        "  ns0        ns0        eth0       10.10.1.0/16  02:00:00:00:00:02  port0",
        "  ns1        ns1        eth0       10.10.1.1/16  02:00:00:00:00:02  port1",
    ]


def test_table_of_pure_layer_2():
    assert table(standing(gateway="")).splitlines()[0] == "network blue: bridge br0, no gateway"


def test_table_of_an_external_bridge():
    assert table(external()).splitlines()[0] == "network blue: bridge br0, 10.10.0.1"


def test_table_is_capped():
    lines = table(standing(25)).splitlines()
    assert len(lines) == 2 + 20 + 1
    assert lines[-1] == "and 5 more"
    assert len(table(standing(25), limit=3).splitlines()) == 2 + 3 + 1


def test_table_of_a_network_without_containers():
    assert table(standing(0)) == "network blue: bridge br0, 10.10.0.1/16"


@pytest.mark.parametrize("after", [{}, {"bridge": [], "veth": []}])
def test_nothing_stands(after):
    assert table(after) == "nothing stands"
    assert pings(after) == []


def test_what_the_role_did_not_make_is_passed_over():
    after = {"veth": [{"name": "veth0", "label": "veth0", "peer": {"name": "veth1"}}, {"name": "veth2"}]}
    assert table(after) == "nothing stands"


def test_two_containers_ping_each_other_and_the_gateway():
    assert pings(standing())[1] == {"from": "ns0", "to": "10.10.1.1", "title": "ns0 to ns1, 10.10.1.1"}
    assert pairs(standing()) == [
        ("ns0", "gateway", "10.10.0.1"),
        ("ns0", "ns1", "10.10.1.1"),
        ("ns1", "gateway", "10.10.0.1"),
        ("ns1", "ns0", "10.10.1.0"),
    ]


def test_gateway_of_an_external_bridge_is_pinged():
    assert pairs(external()) == pairs(standing())


def test_without_gateway_only_containers_are_pinged():
    assert pairs(standing(gateway="")) == [("ns0", "ns1", "10.10.1.1"), ("ns1", "ns0", "10.10.1.0")]


def test_one_container_pings_the_gateway():
    assert pairs(standing(1)) == [("ns0", "gateway", "10.10.0.1")]


def test_up_to_the_limit_everyone_asks_and_answers():
    found = [pair for pair in pairs(standing(20)) if pair[1] != "gateway"]
    everyone = {f"ns{number}" for number in range(20)}
    assert {asks for asks, _answers, _address in found} == {answers for _asks, answers, _address in found} == everyone


def test_above_the_limit_a_sample_from_first_to_last():
    found = pairs(standing(101), sample=5)
    assert [asks for asks, target, _address in found if target == "gateway"] == ["ns0", "ns25", "ns50", "ns75", "ns100"]
    assert len(found) == 10
    assert len(pairs(standing(101))) == 20
    assert pairs(standing(21), sample=1) == [("ns0", "gateway", "10.10.0.1")]


def test_rings_keep_to_their_network():
    after = standing()
    after["bridge"].append({"name": "br1", "label": "red", "addresses": ["10.20.0.1/16"]})
    after["veth"] += [veth("ns0", "red", "10.20.1.0/16", "port2"), veth("ns9", "red", "10.20.1.9/16", "port3")]
    assert [pair for pair in pairs(after) if pair[2].startswith("10.20.")] == [
        ("ns0", "gateway", "10.20.0.1"),
        ("ns0", "ns9", "10.20.1.9"),
        ("ns9", "gateway", "10.20.0.1"),
        ("ns9", "ns0", "10.20.1.0"),
    ]


def test_both_families_are_pinged():
    after = standing()
    after["bridge"][0]["addresses"].append("fd71::1/64")
    for number, one in enumerate(after["veth"]):
        one["peer"]["addresses"].append(f"fd71::9{number}/64")
    assert pairs(after) == [
        ("ns0", "gateway", "10.10.0.1"),
        ("ns0", "gateway", "fd71::1"),
        ("ns0", "ns1", "10.10.1.1"),
        ("ns0", "ns1", "fd71::91"),
        ("ns1", "gateway", "10.10.0.1"),
        ("ns1", "gateway", "fd71::1"),
        ("ns1", "ns0", "10.10.1.0"),
        ("ns1", "ns0", "fd71::90"),
    ]
