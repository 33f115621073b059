# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tun and tap devices by the ioctls of /dev/net/tun (linux/if_tun.h): rtnetlink deletes them, but does not make them.

A device belongs to the namespace that the thread is in when it opens /dev/net/tun.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from ._errors import BridgenetError
from ._model import TunOptions

DEVICE = "/dev/net/tun"

_IFF_TUN, _IFF_TAP, _IFF_MULTI_QUEUE = 0x0001, 0x0002, 0x0100
_IFF_NO_PI, _IFF_VNET_HDR, _IFF_TUN_EXCL = 0x1000, 0x4000, 0x8000
_TUNSETIFF, _TUNSETPERSIST, _TUNSETOWNER, _TUNSETGROUP = 0x400454CA, 0x400454CB, 0x400454CC, 0x400454CE
_IFREQ = struct.Struct("=16sH22x")


def require() -> None:
    """Open /dev/net/tun, which loads the module, or say what to do."""
    try:
        os.close(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            fix = (
                "load the module: `modprobe tun`; in a container make the device: "
                "`mkdir -p /dev/net && mknod /dev/net/tun c 10 200`"
            )
        elif error.errno in (errno.ENODEV, errno.ENXIO):
            fix = "load the module: `modprobe tun`, or install a kernel that has it"
        else:
            fix = "in a container, allow it this device (c 10:200 rwm)"
        raise BridgenetError(f"this host cannot make a tun or tap: {DEVICE}: {error.strerror}; {fix}") from error


def create(name: str, options: TunOptions) -> None:
    """Make a persistent device in this thread's namespace; until it is persistent, it goes with the descriptor."""
    flags = _IFF_TUN_EXCL | (_IFF_TAP if options.mode == "tap" else _IFF_TUN)
    flags |= _IFF_MULTI_QUEUE if options.multi_queue else 0
    flags |= 0 if options.packet_info else _IFF_NO_PI
    flags |= _IFF_VNET_HDR if options.vnet_hdr else 0
    descriptor = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, _IFREQ.pack(name.encode(), flags))
        for request, number in ((_TUNSETOWNER, options.owner), (_TUNSETGROUP, options.group)):
            if number:
                fcntl.ioctl(descriptor, request, int(number))
        fcntl.ioctl(descriptor, _TUNSETPERSIST, 1)
    finally:
        os.close(descriptor)


def holders() -> dict[str, list[int]]:
    """Name of a device -> the processes that have one of that name open (proc_pid_fdinfo(5)), in any namespace."""
    found: dict[str, list[int]] = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                if not os.readlink(f"/proc/{pid}/fd/{descriptor}").endswith("/net/tun"):
                    continue
                with open(f"/proc/{pid}/fdinfo/{descriptor}", encoding="ascii") as handle:
                    names = [line.split(":", 1)[1].strip() for line in handle if line.startswith("iff:")]
                for name in filter(None, names):
                    if int(pid) not in found.setdefault(name, []):
                        found[name].append(int(pid))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended, or closed it, meanwhile
        except PermissionError:
            continue  # a container may not look into every process, though root; the holder has no pid then
    return found
