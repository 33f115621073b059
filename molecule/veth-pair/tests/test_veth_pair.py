# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two namespaces on one cable, and nothing else."""

from __future__ import annotations

HOST = "-"
ENDS = {"ns0": "veth0", "ns1": "veth1"}
ADDRESSES = {"ns0": "192.168.1.98", "ns1": "192.168.1.99"}


def test_namespaces(lab):
    assert lab.namespaces() == set(ENDS)


def test_ends(lab):
    for name, interface in ENDS.items():
        links = lab.links(name)
        assert set(links) == {"lo", interface}
        assert "UP" in links["lo"]["flags"]
        assert links[interface]["linkinfo"]["info_kind"] == "veth"
        assert links[interface]["operstate"] == "UP"
        assert links[interface]["address"].startswith("02:")
        assert f"{ADDRESSES[name]}/24" in lab.addresses(name, interface)
        assert lab.default_gateways(name) == []


def test_labels(lab):
    labels = {lab.links(name)[interface].get("ifalias") for name, interface in ENDS.items()}
    assert "bridgenet:1:default:veth0" in labels
    for name in ENDS:
        assert lab.links(name)["lo"]["ifalias"].startswith(f"bridgenet:1:default:{name}")


def test_host_is_as_it_was(lab, host):
    assert set(lab.links()) == {"lo", "eth0"}
    assert host.check_output("nft list ruleset") == ""
    assert host.sysctl("net.ipv4.ip_forward") == 0


def test_both_ends_reach_each_other_and_themselves(lab):
    lab.assert_answered((name, address) for name in ENDS for address in ADDRESSES.values())


def test_nobody_else_is_reached(lab, outside):
    lab.assert_unanswered(
        (name, address) for name in ENDS for address in (outside.address, lab.uplink_address(), "192.168.1.1")
    )
    lab.assert_unanswered((HOST, address) for address in ADDRESSES.values())
    outside.assert_unanswered((HOST, address) for address in ADDRESSES.values())
