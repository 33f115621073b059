# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel holds, beside what it should hold. None of it goes through the engine's own reading."""

from __future__ import annotations

import ctypes
import fcntl
import json
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import network

NAMESPACES = Path("/run/netns")

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_SIOCGIFFLAGS, _SIOCGIFADDR, _SIOCGIFNETMASK, _SIOCGIFHWADDR = 0x8913, 0x8915, 0x891B, 0x8927  # linux/sockios.h
_IFF_UP = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Inside:
    """What is in one container."""

    address: str
    netmask: str
    gateway: str
    loopback: bool
    ours: bool  # a MAC of ours, and no IPv6


def _enter(path: Path) -> None:
    with path.open() as namespace:
        if _libc.setns(namespace.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {path}")


@contextmanager
def _in_namespace(name: str) -> Iterator[None]:
    with Path("/proc/thread-self/ns/net").open() as home:
        _enter(NAMESPACES / name)
        try:
            yield
        finally:
            if _libc.setns(home.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")


def _ask(asker: socket.socket, request: int, interface: str) -> bytes:
    """The union in struct ifreq, netdevice(7)."""
    return fcntl.ioctl(asker, request, struct.pack("16s24x", interface.encode()))[16:]


def _default_gateway() -> str:
    for line in Path("/proc/thread-self/net/route").read_text().splitlines()[1:]:
        _interface, destination, gateway = line.split()[:3]
        if destination == "00000000":
            return socket.inet_ntoa(struct.pack("=I", int(gateway, 16)))
    return "none"


def _ipv6_is_off(interface: str) -> bool:
    switch = Path(f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6")
    return not switch.exists() or switch.read_text().strip() == "1"


def _inside(interface: str) -> Inside:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        return Inside(
            address=socket.inet_ntoa(_ask(asker, _SIOCGIFADDR, interface)[4:8]),
            netmask=socket.inet_ntoa(_ask(asker, _SIOCGIFNETMASK, interface)[4:8]),
            gateway=_default_gateway(),
            loopback=bool(struct.unpack_from("=H", _ask(asker, _SIOCGIFFLAGS, "lo"))[0] & _IFF_UP),
            ours=_ask(asker, _SIOCGIFHWADDR, interface)[2] == 2 and _ipv6_is_off(interface),
        )


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise AssertionError(f"{what}: {found}, not {wanted}")


def _check_host(count: int, complete: bool, named: bool) -> None:
    listing = subprocess.run(
        ["ip", "-j", "link", "show", "master", network.BRIDGE], check=True, stdout=subprocess.PIPE, text=True
    )
    ports = json.loads(listing.stdout)
    up = [port["ifname"] for port in ports if "UP" in port["flags"]]
    _expect("ports that are up", len(up), count)
    if named:
        _expect("their names", sorted(up), sorted(network.host_interface(n) for n in range(1, count + 1)))
    if complete:
        ours = [p for p in ports if p.get("ifalias", "").startswith(network.LABEL) and _ipv6_is_off(p["ifname"])]
        _expect("ports with a label and without IPv6", len(ours), count)


def _check_container(number: int, complete: bool, interface: str) -> None:
    with _in_namespace(network.name(number)):
        found = _inside(interface or network.interface(number))
    wanted = Inside(
        network.address(number), str(network.SUBNET.netmask), str(network.GATEWAY), True, complete or found.ours
    )
    _expect(f"in {network.name(number)}", found, wanted)


def _check_sample(number: int, count: int, complete: bool) -> None:
    inside = ["ip", "-n", network.name(number)]
    loopback = subprocess.run([*inside, "link", "show", "lo"], check=True, stdout=subprocess.PIPE, text=True).stdout
    if complete:
        _expect(f"label of {network.name(number)}", f"alias {network.LABEL}" in loopback, True)
    for target in (str(network.GATEWAY), network.address(count + 1 - number)):
        ping = ["ip", "netns", "exec", network.name(number), "ping", "-q", "-c1", "-W2", target]
        subprocess.run(ping, check=True, stdout=subprocess.DEVNULL)


def check_built(count: int, complete: bool, named: bool = True, interface: str = "") -> None:
    """Every container; pings from the first, middle and last.

    `complete` is with labels, MACs of ours and IPv6 off, `named` with the names of network.py on the host, `interface`
    a name inside of all containers other than those.
    """
    _expect("namespaces", len(list(NAMESPACES.iterdir())), count)
    _check_host(count, complete, named)
    for number in range(1, count + 1):
        _check_container(number, complete, interface)
    for number in sorted({1, (count + 1) // 2, count}):
        _check_sample(number, count, complete)


def wait_until_gone(seconds: float = 60) -> None:
    """Until no link but the loopback is left: the kernel takes a namespace's links away after it was deleted."""
    deadline = time.monotonic() + seconds
    while len(links := socket.if_nameindex()) > 1:
        if time.monotonic() > deadline:
            raise AssertionError(f"still there after {seconds} s: {links}")
        time.sleep(0.001)


def check_gone() -> None:
    _expect("links", [link for _index, link in socket.if_nameindex()], ["lo"])
    _expect("namespaces", list(NAMESPACES.iterdir()), [])


def settle() -> None:
    """Until the kernel has destroyed all namespaces of earlier cells.

    It does so in batches, one after the other: of two namespaces that are deleted in turn,
    the second is in a later batch than everything that was deleted before the first.
    """
    for _turn in range(2):
        subprocess.run(["ip", "netns", "add", "settle"], check=True)
        pair = ["type", "veth", "peer", "name", "settle1", "netns", "settle"]
        subprocess.run(["ip", "link", "add", "settle0", *pair], check=True)
        subprocess.run(["ip", "netns", "del", "settle"], check=True)
        wait_until_gone()
