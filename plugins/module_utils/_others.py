# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other owners of networks on this host have on record: engines, network managers, sysctl.d(5)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from . import _files, _forwarding, _programs
from ._errors import BridgenetError
from ._findings import Others
from ._model import HOST, Host

_NETAVARK, _CNI = "/etc/containers/networks", "/etc/cni/net.d"
_LIBVIRT = ("/run/libvirt/network", "/etc/libvirt/qemu/networks")
_NETWORK_MANAGER, _NETWORKD = "/run/NetworkManager/devices", "/run/systemd/netif/links"
# A file in a later directory hides one of its name in an earlier one.
_SYSCTLS = ("/usr/lib/sysctl.d", "/usr/local/lib/sysctl.d", "/run/sysctl.d", "/etc/sysctl.d")
_SETTING = re.compile(r"^[ \t]*-?[ \t]*(net[./]\S+?)[ \t]*=[ \t]*(\S+)", re.MULTILINE)
_RUNS = {"Docker": "/run/docker.pid", "podman": _NETAVARK, "libvirt": "/run/libvirt"}


def read(current: Host) -> Others:
    """All of it, as far as it is there."""
    docker = current.firewall.docker
    bridges = dict(_bridges())
    if docker:
        bridges.update(dict.fromkeys(_of_docker(), "Docker"))
    runs = {engine for engine, path in _RUNS.items() if os.path.exists(path)}
    return Others(bridges, _managers(current), sysctls(), frozenset({*runs, *(["Docker"] if docker else [])}))


def _of_docker() -> list[str]:
    """The bridges for which Docker has rules."""
    try:
        saved = _programs.run(["iptables", "-w", "-t", "nat", "-S", "DOCKER"])
    except (OSError, BridgenetError):
        return []
    return re.findall(r"^-A DOCKER -i (\S+) -j RETURN$", saved, re.MULTILINE)


def _bridges() -> Iterator[tuple[str, str]]:
    """(bridge, engine) by the files of podman, CNI and libvirt."""
    for text in _files.inside(_NETAVARK).values():
        yield from ((name, "podman") for name in _values(text, "network_interface"))
    for text in _files.inside(_CNI).values():
        yield from ((name, "podman" if name.startswith("cni-podman") else "CNI") for name in _values(text, "bridge"))
    for directory in _LIBVIRT:
        for text in _files.inside(directory).values():
            yield from ((name, "libvirt") for name in re.findall(r"<bridge name=['\"]([^'\"]+)", text))


def _values(text: str, key: str) -> Iterator[str]:
    """The strings of that key, wherever in a JSON document; none where it is none."""

    def walk(value: Any) -> Iterator[str]:
        inner: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if isinstance(value, dict) and isinstance(value.get(key), str):
            yield value[key]
        for one in inner:
            yield from walk(one)

    try:
        yield from walk(json.loads(text))
    except ValueError:
        return


def _managers(current: Host) -> dict[int, str]:
    """Index -> the network manager that has the link configured."""
    found = {}
    for link in current.namespaces[HOST].links.values():
        device = _files.read(f"{_NETWORK_MANAGER}/{link.index}")
        if re.search(r"^(managed|nm-owned)=(true|1)$", device, re.MULTILINE):
            found[link.index or 0] = "NetworkManager"
        networkd = _files.read(f"{_NETWORKD}/{link.index}")
        state = re.search(r"^ADMIN_STATE=(\w+)$", networkd, re.MULTILINE)
        if state and state[1] != "unmanaged":
            found[link.index or 0] = "systemd-networkd"
    return found


def sysctls() -> dict[str, tuple[str, str]]:
    """Key -> value and file, of the forwarding switches as they are set at boot (sysctl.d(5))."""
    files: dict[str, tuple[str, str]] = {}
    for directory in _SYSCTLS:
        for name, text in _files.inside(directory).items():
            files[name] = (f"{directory}/{name}", text)
    ordered: list[tuple[str, str]] = [files[name] for name in sorted(files) if name.endswith(".conf")]
    return effective([*ordered, ("/etc/sysctl.conf", _files.read("/etc/sysctl.conf"))])


def effective(files: Iterable[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Of (path, content) the last word on each switch. Pure."""
    found: dict[str, tuple[str, str]] = {}
    for path, text in files:
        for key, value in _SETTING.findall(text):
            slashed = _slashed(key)
            if slashed in _forwarding.SWITCHES:
                found[slashed] = (value, path)
    return found


def _slashed(key: str) -> str:
    return key if "/" in key else key.replace(".", "/")
