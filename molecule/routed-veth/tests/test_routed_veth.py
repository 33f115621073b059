# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A namespace that is reached by routes, and leaves through a host that drops by default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

HOST = "-"
INSIDE, GATEWAY = "10.1.1.1", "10.1.1.2"


@contextmanager
def way_back(lab, outside) -> Iterator[None]:
    """The host outside knows the way to the namespace."""
    route = f"10.1.1.0/24 via {lab.uplink_address()}"
    outside.host.check_output(f"ip route add {route}")
    try:
        yield
    finally:
        outside.host.check_output(f"ip route del {route}")


def test_no_bridge(lab):
    assert {link.get("linkinfo", {}).get("info_kind") for link in lab.links().values()} <= {None, "veth"}
    assert f"{GATEWAY}/24" in lab.addresses(HOST, "veth_right")
    assert f"{INSIDE}/24" in lab.addresses("netns1", "veth_left")
    assert lab.default_gateways("netns1") == [GATEWAY]


def test_both_sides_ping(lab):
    lab.assert_answered([(HOST, INSIDE), ("netns1", GATEWAY), ("netns1", INSIDE)])


def test_the_host_still_drops(lab, host):
    assert "-P FORWARD DROP" in host.check_output("iptables -S FORWARD")


def test_outside_sees_the_host_s_address(lab, outside):
    outside.forget()
    lab.assert_answered([("netns1", outside.address)])
    assert outside.seen() == {(lab.uplink_address(), "icmp")}


def test_accepted_both_ways(lab, outside):
    with way_back(lab, outside):
        outside.assert_answered([(HOST, INSIDE)])


def test_nobody_else_is_forwarded(lab, outside):
    lab.assert_answered([("stranger", "10.1.2.2")])
    outside.forget()
    lab.assert_unanswered([("stranger", outside.address), ("stranger", INSIDE), ("netns1", "10.1.2.1")])
    assert outside.seen() == set()


def test_a_process_holds_the_namespace(lab):
    """Its removal is refused, by the number of the process; what the inode tells, too."""
    lab.host.check_output("ip netns exec netns1 sh -c 'setsid --fork sleep 8888 </dev/null >/dev/null 2>&1'")
    pid = lab.inside(HOST, "pgrep", "--full", "^sleep 8888").strip()
    try:
        answer = lab.host.ansible("nslab.bridgenet.netns", "name=netns1 state=absent", check=False)
        assert f"held by process {pid} (sleep)" in answer["msg"]
        assert "netns1" in lab.namespaces()
        assert lab.inside(HOST, "ip", "netns", "identify", pid).split() == ["netns1"]
        own = lab.inside(HOST, "stat", "--dereference", "--format", "%i", f"/proc/{pid}/ns/net")
        assert own == lab.inside("netns1", "stat", "--dereference", "--format", "%i", "/proc/self/ns/net")
    finally:
        lab.host.check_output(f"kill {pid}")
