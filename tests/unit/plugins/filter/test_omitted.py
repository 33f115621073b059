# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left to be chosen, and what came of it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.filter.addresses import FilterModule as Addresses
from ansible_collections.nslab.bridgenet.plugins.filter.addresses import addresses
from ansible_collections.nslab.bridgenet.plugins.filter.omitted import FilterModule as Omitted
from ansible_collections.nslab.bridgenet.plugins.filter.omitted import omitted

BLUE = {"subnet": "10.9.0.0/24", "mtu": 1500}


def test_the_filters_have_their_names():
    assert Omitted().filters() == {"omitted": omitted}
    assert Addresses().filters() == {"addresses": addresses}


def test_nothing_is_left_out():
    containers = {
        "a": {"networks": {"blue": {"ipv4_address": "10.9.0.9"}}},
        "b": {"network_mode": "none"},
        "c": {"networks": {"blue": {}}, "state": "absent"},
    }
    assert omitted({"blue": BLUE}, containers) == omitted({}) == []


def test_what_is_left_out():
    networks = {
        "blue": {**BLUE, "enable_ipv6": True},
        "green": {"subnet": "10.8.0.0/24"},
        "red": {"state": "absent", "masquerade": True},
    }
    assert omitted(networks, {"a": {"networks": {"blue": {}}}}) == [
        "network 'blue': ipv6_subnet",
        "network 'green': mtu",
        "network 'red': what stands of it",
        "container 'a', network 'blue': ipv4_address",
        "container 'a', network 'blue': ipv6_address",
    ]
    assert omitted({}, {"a": {"network_mode": "bridge"}}) == [
        "network 'default': subnet",
        "network 'default': mtu",
        "container 'a', network 'default': ipv4_address",
    ]


def test_a_bad_declaration_is_refused():
    with pytest.raises(AnsibleFilterError, match="unknown key 'subnets'"):
        omitted({"blue": {"subnets": "10.9.0.0/24"}})


def test_addresses():
    def veth(label, *found):
        peer = {"name": "eth0", "namespace": "a", "mac": "02:00:00:00:00:01", "addresses": list(found), "routes": []}
        return {"name": f"port-{label}", "label": label, "peer": peer}

    seen = addresses({"veth": [veth("a/blue", "10.9.0.9/24", "fd71::9/64"), veth("a/red"), {"name": "of others"}]})
    common = {"mac_address": "02:00:00:00:00:01", "interface_name": "eth0"}
    assert seen == {
        "a": {
            "blue": {
                "ipv4_address": "10.9.0.9",
                "ipv6_address": "fd71::9",
                **common,
                "host_interface_name": "port-a/blue",
            },
            "red": {"ipv4_address": None, "ipv6_address": None, **common, "host_interface_name": "port-a/red"},
        }
    }
