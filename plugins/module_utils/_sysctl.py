# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that reads and writes /proc/sys; keys are in slash form (sysctl(8)).

/proc/sys/net shows the namespace of the thread that looks, so the caller enters it first.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable

from ._errors import BridgenetError

_ROOT = "/proc/sys/"
_KEY = re.compile(r"net/[A-Za-z0-9_.:@-]+(/[A-Za-z0-9_.:@-]+)*\Z")
# Older kernels show these in every namespace, and there is one of each (neigh_sysctl_register, net/core/neighbour.c).
_SHARED = re.compile(r"net/ipv[46]/neigh/default/gc_(interval|thresh[123])\Z")


def key(value: str) -> str:
    """The slash form of a net.* key; a dotted key keeps its dots where it has slashes, too."""
    slashed = value if "/" in value else value.replace(".", "/")
    if not _KEY.match(slashed) or ".." in slashed.split("/"):
        raise BridgenetError(
            f"sysctl {value!r}: only keys below net are a namespace's own; write it like net/ipv4/ip_forward"
        )
    if _SHARED.match(slashed):
        raise BridgenetError(
            f"sysctl {value!r}: all namespaces of a host share this one; drop it, and set it on the host"
        )
    return slashed


def text(value: object) -> str:
    """A declared value as the kernel prints it; true and false are 1 and 0."""
    return normal(str(int(value) if isinstance(value, bool) else value))


def of_interface(name: str) -> str:
    """The interface that a key belongs to, "" where it belongs to the whole namespace."""
    words = name.split("/")
    per_interface = len(words) > 4 and words[2] in ("conf", "neigh") and words[3] not in ("all", "default", "lo")
    return words[3] if per_interface else ""


def model(name: str) -> str:
    """The key that is there whenever this one can be: that of the loopback, as other interfaces come and go."""
    words = name.split("/")
    return "/".join([*words[:3], "lo", *words[4:]]) if of_interface(name) else name


def route_localnet(interface: str) -> str:
    """Whether packets from or to 127.0.0.0/8 may pass an interface, or those that are still to come ("default")."""
    return f"net/ipv4/conf/{interface}/route_localnet"


def normal(value: str) -> str:
    """A value as the kernel prints it: words separated by single tabs."""
    return "\t".join(value.split())


def exists(name: str) -> bool:
    """Whether the kernel has this key."""
    return os.path.exists(_ROOT + name)


def read(name: str) -> str:
    """The present value; FileNotFoundError where the kernel has no such key."""
    with open(_ROOT + name, "rb", buffering=0) as handle:
        return normal(handle.read(4096).decode())


def read_all(names: Iterable[str]) -> dict[str, str]:
    """The values of those keys that exist."""
    found = {}
    for name in names:
        try:
            found[name] = read(name)
        except FileNotFoundError:
            continue
    return found


def read_settable(names: Iterable[str]) -> dict[str, str]:
    """The values of those keys that exist and can be set: some show a namespace what only the host can change."""
    return read_all(name for name in names if exists(name) and os.stat(_ROOT + name).st_mode & stat.S_IWUSR)


def write(name: str, value: str) -> None:
    """Set a value."""
    descriptor = os.open(_ROOT + name, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)


def interfaces(family: str) -> list[str]:
    """The names below net/FAMILY/conf, "all" and "default" among them; none where the kernel lacks the family."""
    path = f"{_ROOT}net/{family}/conf"
    return sorted(os.listdir(path)) if os.path.isdir(path) else []
