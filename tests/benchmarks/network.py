# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network that is measured, in the form that each peer wants: seed 001 with any number of containers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BRIDGE = "br0"
SUBNET = ipaddress.ip_network("10.10.0.0/16")
GATEWAY = SUBNET[1]
LABEL = "bridgenet:1:default:"


def name(number: int) -> str:
    return f"ns{number}"


def host_interface(number: int) -> str:
    return f"veth{number}"


def interface(number: int) -> str:
    return f"vpeer{number}"


def address(number: int) -> str:
    return str(GATEWAY + number)


def declaration(
    count: int, state: str = "present", masquerade: bool = False, gone: int = 0
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The networks and the containers of the role; `gone` more containers are absent."""
    blue: dict[str, Any] = {"bridge": BRIDGE, "subnet": str(SUBNET), "gateway": str(GATEWAY), "state": state}
    if masquerade:
        blue["masquerade"] = True
    containers: dict[str, Any] = {name(count + more): {"state": "absent"} for more in range(1, gone + 1)}
    for number in range(1, count + 1):
        endpoint = {
            "ipv4_address": address(number),
            "interface_name": interface(number),
            "host_interface_name": host_interface(number),
        }
        containers[name(number)] = {"networks": {"blue": endpoint}, "state": state}
    return {"blue": blue}, containers


def lists(count: int, state: str, gone: int = 0) -> dict[str, list[dict[str, Any]]]:
    """The lists of the modules, as the role has them made."""
    from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand

    return expand(*declaration(count, state, gone=gone))


def write_names(count: int) -> None:
    """The files by which the containers know each other, as many and as long as the engine's."""
    lines = "".join(f"{address(number)} {name(number)}\n" for number in range(1, count + 1))
    for number in range(1, count + 1):
        directory = Path("/etc/netns") / name(number)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "hosts").write_text(f"# {LABEL}localhost\n127.0.0.1 localhost\n# {LABEL}network/blue\n{lines}")


def script(count: int, masquerade: bool = False) -> str:
    """The commands of seed 001, in its order."""
    lines = ["set -e"]
    ends = [(name(number), host_interface(number), interface(number)) for number in range(1, count + 1)]
    lines += [f"ip netns add {ns}" for ns, _veth, _vpeer in ends]
    lines += [f"ip link add {veth} type veth peer name {vpeer}" for _ns, veth, vpeer in ends]
    lines += [f"ip link set {veth} up" for _ns, veth, _vpeer in ends]
    lines += [f"ip link set {vpeer} netns {ns}" for ns, _veth, vpeer in ends]
    lines += [f"ip netns exec {ns} ip link set lo up" for ns, _veth, _vpeer in ends]
    lines += [f"ip netns exec {ns} ip link set {vpeer} up" for ns, _veth, vpeer in ends]
    for number, (ns, _veth, vpeer) in enumerate(ends, 1):
        lines.append(f"ip netns exec {ns} ip addr add {address(number)}/{SUBNET.prefixlen} dev {vpeer}")
    lines += [f"ip link add {BRIDGE} type bridge", f"ip link set {BRIDGE} up"]
    lines += [f"ip link set {veth} master {BRIDGE}" for _ns, veth, _vpeer in ends]
    lines.append(f"ip addr add {GATEWAY}/{SUBNET.prefixlen} dev {BRIDGE}")
    lines += [f"ip netns exec {ns} ip route add default via {GATEWAY}" for ns, _veth, _vpeer in ends]
    if masquerade:
        lines.append("echo 1 >/proc/sys/net/ipv4/ip_forward")
        lines.append(f"iptables -t nat -A POSTROUTING -s {SUBNET} ! -o {BRIDGE} -j MASQUERADE")
    return "\n".join(lines) + "\n"


def removal_script(count: int) -> str:
    lines = [f"ip link del {BRIDGE}", *(f"ip netns del {name(number)}" for number in range(1, count + 1))]
    return "\n".join(lines) + "\n"


def mac(end: int) -> str:
    return f"02:00:00:00:{end >> 8:02x}:{end & 0xFF:02x}"


def batches(count: int) -> Iterator[tuple[str, str]]:
    """(namespace or "", lines for `ip -batch`). The bridge comes up last: ports join it faster before."""
    lines = [f"link add {BRIDGE} address {mac(0)} type bridge", f"link set {BRIDGE} alias {LABEL}blue"]
    for number in range(1, count + 1):
        ns, veth, vpeer = name(number), host_interface(number), interface(number)
        near, far = mac(2 * number - 1), mac(2 * number)
        lines.append(f"netns add {ns}")
        lines.append(
            f"link add {veth} address {near} master {BRIDGE} type veth peer name {vpeer} address {far} netns {ns}"
        )
        lines.append(f"link set {veth} alias {LABEL}{ns}/blue addrgenmode none up")
    yield "", "\n".join(lines) + "\n"
    for number in range(1, count + 1):
        ns, vpeer = name(number), interface(number)
        lines = [f"link set lo alias {LABEL}{ns} up", f"link set {vpeer} addrgenmode none up"]
        lines.append(f"addr add {address(number)}/{SUBNET.prefixlen} dev {vpeer}")
        lines.append(f"route add default via {GATEWAY}")
        yield ns, "\n".join(lines) + "\n"
    lines = [f"link set {BRIDGE} addrgenmode none up", f"addr add {GATEWAY}/{SUBNET.prefixlen} dev {BRIDGE}"]
    yield "", "\n".join(lines) + "\n"


def removal_batch(count: int) -> str:
    return removal_script(count).replace("ip ", "")
