# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker's five modes, by what is in each namespace and by who gets an answer from whom."""

from __future__ import annotations

import shlex

import pytest

HOST = "-"
GIVEN = {"red1": "10.77.0.11", "red2": "10.77.0.12", "blue1": "10.78.0.11"}
NETWORKS = {"default": ("first", "second"), "red": ("red1", "red2"), "blue": ("blue1",)}
GATEWAYS = {"default": "10.210.0.1", "red": "10.77.0.1", "blue": "10.78.0.1"}


def addresses(lab):
    """By container; those of the network default are chosen."""
    chosen = {name: lab.addresses(name, "eth0")[0].partition("/")[0] for name in NETWORKS["default"]}
    return {**GIVEN, **chosen}


def in_namespace(name):
    return [] if name == HOST else ["ip", "netns", "exec", name]


def inode(lab, namespace):
    return lab.inside(namespace, "stat", "--dereference", "--format", "%i", "/proc/self/ns/net")


def test_namespaces(lab):
    """The mode host has none."""
    assert lab.namespaces() == {"alone", "first", "second", "red1", "red2", "blue1", "beside"}


def test_none_has_only_a_loopback(lab):
    assert set(lab.links("alone")) == {"lo"}
    assert "UP" in lab.links("alone")["lo"]["flags"]
    assert lab.ip("alone", "route", "show") == []


@pytest.mark.parametrize("network", NETWORKS)
def test_a_bridge_has_a_gateway(lab, network):
    assert lab.addresses(HOST, f"br-{network}") == [f"{GATEWAYS[network]}/{21 if network == 'default' else 16}"]
    assert len(lab.ports(f"br-{network}")) == len(NETWORKS[network])
    for name in NETWORKS[network]:
        assert set(lab.links(name)) == {"lo", "eth0"}
        assert lab.default_gateways(name) == [GATEWAYS[network]]


def test_container_is_the_same_namespace(lab):
    assert inode(lab, "beside") == inode(lab, "red1") != inode(lab, HOST)
    assert lab.ip("beside", "address", "show") == lab.ip("red1", "address", "show")


def test_a_process_is_reached_by_either_name(lab):
    """One listens in one of them, and answers to one in the other."""
    server = "import socket; s = socket.create_server(('127.0.0.1', 8000)); s.accept()[0].sendall(b'hello')"
    client = (
        "import socket, time\n"
        "while True:\n"
        "    try:\n"
        "        print(socket.create_connection(('127.0.0.1', 8000)).recv(5).decode())\n"
        "        break\n"
        "    except ConnectionRefusedError:\n"
        "        time.sleep(0.1)\n"
    )
    red1, beside = (f"timeout 30 ip netns exec {name} python3 -c" for name in ("red1", "beside"))
    script = f"{red1} {shlex.quote(server)} & {beside} {shlex.quote(client)}; wait"
    assert lab.host.check_output(script) == "hello"


def test_names(lab):
    """Of neighbours, by name and alias, of the container itself, and through the other name of a namespace."""
    for name in ("red1", "beside", "red2"):
        found = lab.inside(name, "getent", "hosts", "red1", "web").splitlines()
        assert [line.split()[0] for line in found] == ["10.77.0.11", "10.77.0.12"]
    for name in ("blue1", "alone", HOST):
        assert lab.host.run(shlex.join([*in_namespace(name), "getent", "hosts", "web"])).rc == 2


def test_who_is_reached(lab, outside):
    known = addresses(lab)
    for members in NETWORKS.values():
        lab.assert_answered((one, known[other]) for one in members for other in members)
    everybody = [*known, "beside", HOST]
    lab.assert_answered((name, outside.address) for name in everybody)
    lab.assert_answered((HOST, address) for address in known.values())
    lab.assert_answered([("beside", known["red2"]), ("red2", known["red1"])])


def test_who_is_not_reached(lab, outside):
    """Of two bridges none gets to the other, and nobody to or from the mode none."""
    known = addresses(lab)
    strangers = [
        (one, known[other])
        for network, members in NETWORKS.items()
        for one in members
        for away, others in NETWORKS.items()
        for other in others
        if network != away
    ]
    lab.assert_unanswered([*strangers, ("beside", known["blue1"]), ("blue1", known["red1"])])
    lab.assert_unanswered(("alone", address) for address in (*known.values(), outside.address, lab.uplink_address()))


def test_outside_sees_the_host(lab, outside):
    outside.forget()
    lab.assert_answered((name, outside.address) for name in ("first", "red1", "blue1", "beside"))
    assert outside.seen() == {(lab.uplink_address(), "icmp")}
