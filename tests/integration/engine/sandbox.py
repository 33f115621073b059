# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fresh machine for the duration of a block: network and mount namespaces of its own, private /run and /etc.

No process is started for it: the thread of the test moves in and out. Sandboxes nest.
"""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNS, _CLONE_NEWNET = 0x20000, 0x40000000  # linux/sched.h
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000  # linux/mount.h
_PATIENCE = 10  # seconds, for what takes a moment

_libc = ctypes.CDLL(None, use_errno=True)


def _call(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(kind: str, target: str, flags: int = 0, data: str = "") -> None:
    result = _libc.mount(kind.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
    _call(result, f"mount {kind} {target}")


def _private_etc() -> None:
    """Over /etc, what is written to a /run that is to be hidden."""
    for name in ("upper", "work"):
        Path("/run", name).mkdir()
    try:
        _mount("overlay", "/etc", data="lowerdir=/etc,upperdir=/run/upper,workdir=/run/work")
    except OSError:  # The kernel stacks two at most, and the machine, when it is a container, may stand on one.
        shell("cp -a /etc/. /run/upper")
        _mount("/run/upper", "/etc", _MS_BIND)


def _return(descriptor: int) -> None:
    """Back into a namespace; a thread that has just ended shares the mount namespace a moment longer (setns(2))."""
    end = time.monotonic() + _PATIENCE
    while _libc.setns(descriptor, 0) != 0:
        if ctypes.get_errno() != errno.EINVAL or time.monotonic() > end:
            _call(-1, "setns")
        time.sleep(0.001)


def _hide_ours() -> None:
    """What the machine has of ours in /etc, of `make site` say, is nothing to a fresh one."""
    shell("cd /etc; rm -rf netns nslab.bridgenet systemd/system/bridgenet-* systemd/system/nslab-bridgenet-*")


@contextmanager
def sandbox(rebooted: bool = False) -> Iterator[None]:
    """This thread on a fresh machine, or on this one as a boot leaves it; whatever is made there is gone afterwards."""
    directory = Path.cwd()
    homes = [os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("net", "mnt")]
    try:
        _call(_libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET), "unshare")
        try:
            _mount("none", "/", _MS_REC | _MS_PRIVATE)
            _mount("tmpfs", "/run", data="mode=0755")
            _private_etc()
            if not rebooted:
                _hide_ours()
            _mount("tmpfs", "/run", data="mode=0755")
            shell("mkdir -p /run/netns /run/lock; ip link set dev lo up")
            yield
        finally:
            for descriptor in homes:
                _return(descriptor)
            os.chdir(directory)
    finally:
        for descriptor in homes:
            os.close(descriptor)


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """This thread in a named namespace; "" is where it is."""
    if not namespace:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call(_libc.setns(there, _CLONE_NEWNET), "setns")
        try:
            yield
        finally:
            _call(_libc.setns(home, _CLONE_NEWNET), "setns")
    finally:
        os.close(there)
        os.close(home)


def shell(script: str) -> str:
    """Run a script with `sh -e`; its output. What it says on failure is part of the error."""
    done = subprocess.run(
        ["sh", "-e"],
        input=script,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
    )
    if done.returncode != 0:
        raise AssertionError(f"exit status {done.returncode} of:\n{script}\n{done.stdout}")
    return done.stdout
