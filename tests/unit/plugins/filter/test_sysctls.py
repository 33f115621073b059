# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container's sysctls."""

from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand


def containers(value, **keys):
    return {"web": {**(keys or {"network_mode": "none"}), "sysctls": value}}


@pytest.mark.parametrize(
    "value",
    [
        {"net.ipv4.ip_unprivileged_port_start": 0},
        {"net/ipv4/ip_unprivileged_port_start": "0"},
        ["net.ipv4.ip_unprivileged_port_start=0"],
        ["net/ipv4/ip_unprivileged_port_start= 0 "],
    ],
)
def test_every_form(value):
    (found,) = expand({}, containers(value))["netns"]
    assert found["sysctls"] == {"net/ipv4/ip_unprivileged_port_start": "0"}


def test_without():
    (found,) = expand({}, {"web": {"network_mode": "none"}})["netns"]
    assert "sysctls" not in found


def test_several_words():
    (found,) = expand({}, containers(["net.ipv4.ping_group_range=0  2000"]))["netns"]
    assert found["sysctls"] == {"net/ipv4/ping_group_range": "0\t2000"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (containers("net.ipv4.ip_forward=1"), "sysctls is neither a mapping nor a list; write a mapping, or a list"),
        (containers(["net.ipv4.ip_forward"]), "sysctls 'net.ipv4.ip_forward' is not of the form KEY=VALUE"),
        (containers({"net.ipv4.ip_forward": None}), "net.ipv4.ip_forward has the value None"),
        (containers({"net.ipv4.ip_forward": 0.5}), "net.ipv4.ip_forward has the value 0.5"),
        (containers({"net.ipv4.ip_forward": ""}), "net.ipv4.ip_forward has the value ''"),
        (containers({"net.ipv4.ip_forward": [1]}), "net.ipv4.ip_forward has the value [1]"),
        (
            containers({"net.ipv4.ip_forward": 1, "net/ipv4/ip_forward": 0}),
            "sysctls: net/ipv4/ip_forward is given twice; say it once",
        ),
        (containers({"kernel.hostname": "x"}), "sysctl 'kernel.hostname': only keys below net are a namespace's own"),
        (containers({"net.ipv4.neigh.default.gc_thresh3": 1}), "all namespaces of a host share this one"),
        (containers({"net.ipv4.ip_forward": 1}, network_mode="host"), "network_mode makes it that of the host"),
        (
            {"db": {"network_mode": "none"}, **containers({"net.ipv4.ip_forward": 1}, network_mode="container:db")},
            "network_mode makes it that of container 'db'",
        ),
    ],
)
def test_refused(given, message):
    with pytest.raises(AnsibleFilterError, match=f"container 'web': .*{re.escape(message)}"):
        expand({}, given)
