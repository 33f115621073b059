# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ip netns tells, a process that was plugged in, and what goes through the descriptors of tun and tap."""

from __future__ import annotations

import pytest

HOST = "-"

# Opens a device as whoever runs it, and says with which packet the network answers to the one that it writes.
DEVICE = """
import fcntl, os, socket, struct, sys
name, flags, sent, wanted = sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.argv[3]), bytes.fromhex(sys.argv[4])
device = os.open("/run/tun", os.O_RDWR)
fcntl.ioctl(device, 0x400454CA, struct.pack("16sH14x", name.encode(), flags))  # TUNSETIFF
while "1" != open(f"/sys/class/net/{name}/carrier").read().strip():
    pass
os.write(device, sent)
while wanted not in (answer := os.read(device, 2048)):
    pass
print(answer.hex())
"""
TUN, TAP, NO_PI = 1, 2, 0x1000  # linux/if_tun.h


@pytest.fixture(autouse=True)
def device(lab):
    """The tun device for everybody: a host without udev keeps its own to root."""
    lab.inside(HOST, "mknod", "--mode=666", "/run/tun", "c", "10", "200")
    yield
    lab.inside(HOST, "rm", "/run/tun")


def process(lab):
    return lab.inside(HOST, "pgrep", "--newest", "--exact", "sleep").strip()


def mac_inside(lab):
    return bytes.fromhex(lab.links("ns1")["eth0"]["address"].replace(":", ""))


def checksum(data):
    words = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    words = (words & 0xFFFF) + (words >> 16)
    return (~((words & 0xFFFF) + (words >> 16)) & 0xFFFF).to_bytes(2, "big")


def test_names_and_ids(lab):
    found = {entry["name"]: entry for entry in lab.ip(HOST, "netns", "list")}
    assert set(found) == {"ns0", "ns1", "box"}
    assert found["ns0"]["id"] == 98


def test_the_process_is_in_the_namespace_that_was_adopted(lab):
    pid = process(lab)
    assert lab.inside(HOST, "ip", "netns", "identify", pid).split() == ["box"]
    assert lab.inside(HOST, "ip", "netns", "pids", "box").split() == [pid]
    own, named = (
        lab.inside(HOST, "stat", "--dereference", "--format", "%i", path)
        for path in (f"/proc/{pid}/ns/net", "/run/netns/box")
    )
    assert own == named


def test_all_on_the_bridge_reach_each_other(lab):
    lab.assert_answered([("ns1", "172.17.0.3"), ("box", "172.17.0.2"), ("box", "172.17.0.1"), (HOST, "172.17.0.3")])


def test_nobody_is_reached_without_a_way(lab, outside):
    lab.assert_unanswered([("ns0", "172.17.0.1"), ("box", outside.address), ("ns1", outside.address)])


def test_devices(lab):
    links = lab.links()
    assert {name: links[name]["linkinfo"]["info_data"]["type"] for name in ("tap0", "tun0")} == {
        "tap0": "tap",
        "tun0": "tun",
    }
    assert links["tap0"]["master"] == "docker0"
    assert lab.addresses(HOST, "tun0") == ["10.3.0.1/24"]


def test_a_frame_through_the_tap_is_answered_from_a_namespace(lab):
    mac, address, asked = bytes.fromhex("020000000099"), bytes((172, 17, 0, 99)), bytes((172, 17, 0, 2))
    request = bytes.fromhex("0001080006040001") + mac + address + bytes(6) + asked
    frame = b"\xff" * 6 + mac + bytes.fromhex("0806") + request
    reply = bytes.fromhex("0001080006040002")
    # As the owner, who is not root.
    answer = lab.inside(
        HOST, "setpriv", "--reuid=nobody", "--clear-groups", "timeout", "10", "python3", "-c", DEVICE,
        "tap0", str(TAP | NO_PI), frame.hex(), (reply + mac_inside(lab) + asked).hex(),
    )  # fmt: skip
    assert answer.startswith((mac + mac_inside(lab)).hex())


def test_a_packet_through_the_tun_is_answered_by_the_host(lab):
    here, there = bytes((10, 3, 0, 2)), bytes((10, 3, 0, 1))
    echo = bytes.fromhex("0800") + checksum(bytes.fromhex("0800000000070001")) + bytes.fromhex("00070001")
    header = bytes.fromhex("4500001c000100004001") + b"\0\0" + here + there
    packet = header[:10] + checksum(header) + header[12:] + echo
    answer = lab.inside(
        HOST, "timeout", "10", "python3", "-c", DEVICE, "tun0", str(TUN | NO_PI), packet.hex(), (there + here).hex()
    )
    assert bytes.fromhex(answer.strip())[20:22] == b"\0\0", "no echo reply"
