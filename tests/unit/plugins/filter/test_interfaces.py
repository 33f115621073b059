# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interfaces that network managers keep off."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.filter.interfaces import interfaces

NETWORKS = {
    "blue": {"bridge": "br0"},
    "wide": {"driver": "vxlan", "vni": 60, "subnet": "10.60.0.0/16"},
    "lan": {"bridge": "lan", "external": True, "subnet": "10.61.0.0/16"},
    "old": {"state": "absent"},
}
CONTAINERS = {
    "a": {"networks": {"blue": {"host_interface_name": "veth1"}, "wide": {}}},
    "b": {"networks": {"lan": {"ipv4_address": "10.61.0.9"}}},
    "c": {"networks": {"blue": {}}, "state": "absent"},
}
PLACE = {"host_index": 3, "host_count": 8}


def test_they_are_those_of_the_lists():
    under = {"own": "h", "hosts": {"h": {"address": "198.18.0.1", "networks": {}}}}
    lists = expand(NETWORKS, CONTAINERS, underlay=under, **PLACE)
    found = interfaces(NETWORKS, CONTAINERS, **PLACE)
    assert found == [one["name"] for module in ("bridge", "veth", "vxlan") for one in lists[module]]
    assert {"br0", "veth1", "vx-wide", "br-old"} < set(found)
    assert "lan" not in found, "it is somebody else's"


def test_nothing_declared():
    assert interfaces({}) == interfaces({}, None) == []


def test_a_wrong_declaration_is_said():
    with pytest.raises(AnsibleFilterError, match="which addresses this one may give to container 'a' is not known"):
        interfaces(NETWORKS, CONTAINERS)
