# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tun and tap devices: a life, every option, whose they are, and real frames and packets through them."""

from __future__ import annotations

import fcntl
import grp
import json
import os
import pwd
import select
import socket
import stat
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

from .test_undo import undoes
from .waiting import until

TUNSETIFF, IFF_TUN, IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI = 0x400454CA, 0x1, 0x2, 0x100, 0x1000
EXPERIMENTAL = 0x88B5  # an Ethernet type for local experiments (IEEE 802)
PATIENCE = 10  # seconds for what happens at once on an idle machine

Shows = Callable[[dict[str, Any]], Any]


def tuntap(mode: str = "tap", **options: Any) -> dict[str, list[dict[str, Any]]]:
    """One device."""
    return {"tuntap": [{"name": "t0", "mode": mode, **options}]}


@contextmanager
def attached(name: str, flags: int, namespace: str = "") -> Iterator[int]:
    """The device as a program has it open."""
    with inside(namespace):
        descriptor = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags | IFF_NO_PI))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def data(key: str) -> Shows:
    """An option as iproute2 shows it."""
    return lambda link: link["linkinfo"]["info_data"].get(key)


@pytest.mark.parametrize("namespace", ["", "a"])
@pytest.mark.parametrize("mode", ["tun", "tap"])
def test_life(mode: str, namespace: str) -> None:
    """Fresh, again, absent, absent again."""
    story = Story("ip netns add a")
    first = snapshot.state()
    declared = tuntap(mode, namespace=namespace, addresses=["10.0.0.1/24", "fd00::1/64"])
    report = story.changes(declared)
    made = snapshot.link("t0", namespace)
    assert data("type")(made) == mode
    assert data("persist")(made)
    assert made["ifalias"] == "bridgenet:1:default:t0"
    assert snapshot.is_up(made)
    assert report.after[0][2]["mac"] == made.get("address", "")
    assert made.get("address", "02:").startswith("02:")
    story.changes(declared, state="absent")
    snapshot.same(first, snapshot.state())
    story.stays(declared, state="absent")


def name_of(number: int) -> str:
    """How iproute2 shows a user."""
    return pwd.getpwuid(number).pw_name


@pytest.mark.parametrize("namespace", ["", "a"])
@pytest.mark.parametrize(
    ("mode", "option", "old", "new", "shows", "in_place"),
    [
        ("tap", "mac", "02:00:00:00:00:0a", "02:00:00:00:00:0b", lambda link: link["address"], True),
        ("tap", "mtu", 1500, 1400, lambda link: link["mtu"], True),
        ("tun", "mtu", 1500, 1300, lambda link: link["mtu"], True),
        ("tap", "up", True, False, snapshot.is_up, True),
        ("tun", "addresses", ["10.0.0.1/24"], ["10.0.0.2/24"], snapshot.addresses, True),
        ("tap", "multi_queue", False, True, data("multi_queue"), False),
        ("tun", "multi_queue", True, False, data("multi_queue"), False),
        ("tap", "packet_info", False, True, data("pi"), False),
        ("tun", "vnet_hdr", False, True, data("vnet_hdr"), False),
    ],
)
def test_option(mode: str, option: str, old: Any, new: Any, shows: Shows, in_place: bool, namespace: str) -> None:
    """There and back; in place where the kernel can."""
    story = Story("ip netns add a")
    base = {"namespace": namespace, "exclusive": True, "routes": []}
    story.changes(tuntap(mode, **{**base, option: old}))
    first = snapshot.state()
    story.changes(tuntap(mode, **{**base, option: new}))
    assert shows(snapshot.link("t0", namespace)) == new
    story.stays(tuntap(mode, **base))
    story.changes(tuntap(mode, **{**base, option: old}))
    if in_place:
        snapshot.same(first, snapshot.state(), "the device must be the same one")
    else:
        snapshot.same(snapshot.portable(first), snapshot.portable(snapshot.state()))


def test_owner_and_group() -> None:
    """By name and number."""
    user, group = pwd.getpwuid(1), grp.getgrgid(2)
    story = Story()
    story.changes(tuntap())
    report = story.changes(tuntap(owner=user.pw_name, group="0"))
    assert (report.after[0][2]["owner"], report.after[0][2]["group"]) == ("1", "0")
    made = snapshot.link("t0")
    assert (data("user")(made), data("group")(made)) == (user.pw_name, grp.getgrgid(0).gr_name)
    story.stays(tuntap())
    story.stays(tuntap(owner="1"))
    story.changes(tuntap(owner="4242424", group=group.gr_name, packet_info=True))
    changed = snapshot.link("t0")
    assert (str(data("user")(changed)), data("group")(changed)) == ("4242424", group.gr_name)
    story.changes(tuntap(owner="", group=""))
    assert data("user")(snapshot.link("t0")) is None
    story.stays(tuntap(owner=""))


def test_unknown_owner() -> None:
    """An error; check mode takes it that an earlier task makes the user."""
    declared = tuntap(owner="nobody-here", group="nor-there")
    report = check(declared)
    assert report.assumed == ("user nobody-here", "group nor-there")
    assert "user nobody-here group nor-there" in report.actions[0]
    before = snapshot.state()
    with pytest.raises(BridgenetError, match="missing on this host: user nobody-here, group nor-there; create it"):
        apply(declared)
    snapshot.same(before, snapshot.state())


def test_mode() -> None:
    """A device made anew keeps what is not declared, as far as one of its mode can have it."""
    story = Story("ip link add name br0 address 02:00:00:00:00:01 type bridge")
    story.changes(
        {
            **tuntap(addresses=["10.0.0.1/24"], routes=[{"to": "10.9.0.0/16", "via": "10.0.0.9"}], mtu=1400),
            "bridge_port": [{"name": "t0", "master": "br0", "isolated": True}],
        }
    )
    story.changes(tuntap(multi_queue=True))
    assert snapshot.link("t0")["master"] == "br0"
    assert snapshot.link("t0")["linkinfo"]["info_slave_data"]["isolated"]
    story.changes(tuntap("tun"))
    made = snapshot.link("t0")
    assert "master" not in made
    assert (made["mtu"], snapshot.addresses(made)) == (1400, ["10.0.0.1/24"])
    assert [route["dst"] for route in snapshot.routes() if "gateway" in route] == ["10.9.0.0/16"]
    story.changes(tuntap("tap"))
    assert snapshot.link("t0")["address"].startswith("02:")


def test_a_tun_is_no_port() -> None:
    """Before the first change."""
    Story("ip link add name br0 type bridge")
    with pytest.raises(BridgenetError, match="bridge port 't0': a tun carries IP packets and no Ethernet frames"):
        apply({**tuntap("tun"), "bridge_port": [{"name": "t0", "master": "br0"}]})


def test_ipv6() -> None:
    """Off and on."""
    story = Story()
    story.changes(tuntap(ipv6=False))
    assert snapshot.sysctl("net/ipv6/conf/t0/disable_ipv6") == "1"
    story.changes(tuntap(ipv6=True, addresses=["fd00::1/64"]))


def test_whose_it_is() -> None:
    """Somebody else's is left alone, unless it is handed over; a label on removal must be carried."""
    story = Story("ip tuntap add dev t0 mode tap user 1; ip link set dev t0 address 02:00:00:00:00:05")
    with pytest.raises(BridgenetError, match=r"tuntap 't0' exists and is not ours.*take_over: true"):
        apply(tuntap())
    story.changes(tuntap(take_over=True))
    assert snapshot.link("t0")["address"] == "02:00:00:00:00:05"
    story.changes(tuntap(label="mine"))
    with pytest.raises(BridgenetError, match="is labelled 'bridgenet:1:default:mine' and not"):
        apply(tuntap(label="yours"), state="absent")
    story.changes(tuntap(label="mine"), state="absent")


def this_process() -> str:
    """A pattern: a program that the engine starts has open what the test has, until it begins."""
    return rf"process (\d+, )*{os.getpid()}(, \d+)*"


def test_in_the_way() -> None:
    """What is no tun or tap, and what goes with its process."""
    Story("ip link add name t0 type bridge")
    with pytest.raises(BridgenetError, match="exists and is a bridge, not a tun or tap; choose another name"):
        apply(tuntap(take_over=True))
    shell("ip link del dev t0")
    with attached("t0", IFF_TAP):
        for state in ("present", "absent"):
            with pytest.raises(BridgenetError, match=f"goes with {this_process()}, because it is not persistent"):
                apply(tuntap(take_over=True), state=state)


def test_a_process_has_it_open() -> None:
    """It loses nothing by a change; what would take it the device, or what the kernel refuses, is an error."""
    story = Story()
    story.changes(tuntap(owner="1"))
    with attached("t0", IFF_TAP):
        before = snapshot.state()
        for change in ({"owner": "2"}, {"multi_queue": True}, {"vnet_hdr": True}, {"group": "1"}, {"mode": "tun"}):
            with pytest.raises(BridgenetError, match=f"tuntap 't0': {this_process()} has it open"):
                apply(tuntap(**change))
        snapshot.same(before, snapshot.state())
        apply(tuntap(mtu=1400, addresses=["10.0.0.1/24"]))
        assert not apply(tuntap(owner="1")).changed
        apply(tuntap(), state="absent")
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]


def test_no_device_file() -> None:
    """Said before the first change, with the fix."""
    shell("mount -t tmpfs none /dev/net")  # of this machine's own mounts
    before = snapshot.state()
    declared = {"netns": [{"name": "a"}], **tuntap()}
    assert check(declared).changed
    with pytest.raises(
        BridgenetError, match=r"/dev/net/tun: No such file or directory; load the module: `modprobe tun"
    ):
        apply(declared)
    snapshot.same(before, snapshot.state())


def network(*more: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """A tap and a container on one bridge, and a tun in another container."""
    return {
        "netns": [{"name": "a"}, {"name": "b"}],
        "bridge": [{"name": "br0", "addresses": ["10.10.0.1/16"]}],
        "veth": [{"name": "v0", "peer": {"name": "eth0", "namespace": "a", "addresses": ["10.10.0.2/16"]}}],
        "tuntap": [
            {"name": "t0", "mode": "tap", "owner": "0"},
            {
                "name": "t1",
                "namespace": "b",
                "mode": "tun",
                "addresses": ["10.8.0.1/24"],
                "routes": [{"to": "default"}],
            },
            *more,
        ],
        "bridge_port": [{"name": "v0", "master": "br0"}, {"name": "t0", "master": "br0", "priority": 7}],
    }


def test_in_a_transaction() -> None:
    """With its bridge and namespace, and purged with them."""
    story = Story("ip tuntap add dev theirs mode tap; ip link set dev theirs address 02:00:00:00:00:08")
    first = snapshot.state()
    story.changes(network({"name": "t2", "mode": "tun"}), purge=True)
    story.changes(network(), purge=True)
    assert "t2" not in [one["ifname"] for one in snapshot.links()]
    story.changes({}, purge=True)
    snapshot.same(first, snapshot.state())


def test_undo() -> None:
    """Fresh, changed, made anew, and deleted: whichever operation fails."""
    assert undoes(network()) > 15
    changed = network()
    changed["tuntap"][0] |= {"owner": "1", "multi_queue": True, "mac": "02:00:00:00:00:09", "vnet_hdr": True}
    changed["tuntap"][1] |= {"mode": "tap", "packet_info": True, "owner": "5"}
    assert undoes(changed) > 5
    changed["tuntap"][1] |= {"mode": "tap", "packet_info": False, "owner": "6", "ipv6": False}
    assert undoes(changed) > 1
    assert undoes(changed, state="absent") > 1


def listening(namespace: str, interface: str) -> socket.socket:
    """A socket that hears the frames of the experimental type."""
    with inside(namespace):
        heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EXPERIMENTAL))
        heard.bind((interface, EXPERIMENTAL))
    return heard


def read(descriptor: Any, wanted: Callable[[bytes], bool]) -> bytes:
    """The first frame or packet that is wanted; others, of IPv6 above all, are passed over."""
    end = time.monotonic() + PATIENCE
    while select.select([descriptor], [], [], max(0, end - time.monotonic()))[0]:
        found = descriptor.recv(65536) if isinstance(descriptor, socket.socket) else os.read(descriptor, 65536)
        if wanted(found):
            return found
    raise AssertionError("it did not come")


def forwards(name: str) -> bool:
    """Whether the bridge forwards by a port: a moment after its device is open (net/core/link_watch.c)."""
    state: str = json.loads(shell(f"bridge -j -d link show dev {name}"))[0]["state"]
    return state == "forwarding"


def sends(name: str, namespace: str) -> bool:
    """Whether a device sends; before that, what is sent is lost."""
    return bool(snapshot.link(name, namespace)["operstate"] != "DOWN")


def test_frames_through_a_tap() -> None:
    """A frame that is written comes out in the container on the bridge, the other way, and nowhere else."""
    declared = network()
    declared["netns"].append({"name": "c"})
    declared["bridge"].append({"name": "br1"})
    declared["veth"].append({"name": "v1", "peer": {"name": "eth0", "namespace": "c"}})
    declared["bridge_port"].append({"name": "v1", "master": "br1"})
    apply(declared)
    inner = bytes.fromhex(snapshot.link("eth0", "a")["address"].replace(":", ""))
    outer = bytes.fromhex("020000000099")
    kind = struct.pack("!H", EXPERIMENTAL)
    with attached("t0", IFF_TAP) as tap, listening("a", "eth0") as here, listening("c", "eth0") as elsewhere:
        until(lambda: forwards("t0"))
        frame = inner + outer + kind + b"from the tap".ljust(46, b"\0")
        os.write(tap, frame)
        assert read(here, lambda found: True) == frame
        flooded = b"\xff" * 6 + outer + kind + b"to everybody".ljust(46, b"\0")
        os.write(tap, flooded)
        assert read(here, lambda found: True) == flooded
        assert not select.select([elsewhere], [], [], 0)[0], "another bridge is another network"
        answer = outer + inner + kind + b"from the container".ljust(46, b"\0")
        here.send(answer)
        assert read(tap, lambda found: found[12:14] == kind) == answer


def checksum(words: bytes) -> bytes:
    """Of IP and ICMP (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(words) // 2}H", words))
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF)


def echo(kind: int, source: str, target: str, rest: bytes) -> bytes:
    """An ICMP echo request (8) or reply (0) in IPv4; `rest` is what follows its checksum."""
    body = struct.pack("!BBH", kind, 0, 0) + rest
    body = body[:2] + checksum(body) + body[4:]
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, 1, 0) + addresses
    return header[:10] + checksum(header) + header[12:] + body


def test_packets_through_a_tun() -> None:
    """A ping that is written is answered, and one that comes out is answered by what is written."""
    apply(network())
    with attached("t1", IFF_TUN, "b") as tun:
        until(lambda: sends("t1", "b"))
        rest = struct.pack("!HH", 7, 1) + b"from the tun"
        os.write(tun, echo(8, "10.8.0.2", "10.8.0.1", rest))
        answer = read(tun, lambda found: found[:1] == b"\x45")
        assert (answer[12:20], answer[20], answer[24:]) == (echo(0, "10.8.0.1", "10.8.0.2", rest)[12:20], 0, rest)

        with inside("b"):
            ping = subprocess.Popen(["ping", "-n", "-c1", f"-W{PATIENCE}", "192.0.2.7"], stdout=subprocess.PIPE)
        asked = read(tun, lambda found: found[:1] == b"\x45" and found[20] == 8)
        assert (socket.inet_ntoa(asked[12:16]), socket.inet_ntoa(asked[16:20])) == ("10.8.0.1", "192.0.2.7")
        os.write(tun, echo(0, "192.0.2.7", "10.8.0.1", asked[24:]))
        said = ping.communicate()[0]
        assert b"1 received" in said, said


def test_nobody_but_the_owner_opens_it() -> None:
    """What owner and group are for. A host without udev keeps the device itself to root."""
    apply(tuntap(owner="12345"))
    device = Path("/run/tun")
    os.mknod(device, stat.S_IFCHR, Path("/dev/net/tun").stat().st_rdev)
    device.chmod(0o666)
    script = (
        "import fcntl, os, struct, sys\n"
        "os.setgroups([]); os.setgid(1); os.setuid(int(sys.argv[1]))\n"
        f"device = os.open('{device}', os.O_RDWR)\n"
        f"fcntl.ioctl(device, {TUNSETIFF}, struct.pack('16sH22x', b't0', {IFF_TAP | IFF_NO_PI}))\n"
    )
    assert subprocess.run(["python3", "-c", script, "12345"], check=False).returncode == 0
    refused = subprocess.run(["python3", "-c", script, "12346"], check=False, capture_output=True, text=True)
    assert "PermissionError" in refused.stderr
