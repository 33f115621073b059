# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters that show what stands."""

from __future__ import annotations

import pytest

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


def test_the_filter_has_its_name():
    assert Table().filters() == {"table": table}


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


def test_what_the_role_did_not_make_is_passed_over():
    after = {"veth": [{"name": "veth0", "label": "veth0", "peer": {"name": "veth1"}}, {"name": "veth2"}]}
    assert table(after) == "nothing stands"
