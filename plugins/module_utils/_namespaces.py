# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces as iproute2 keeps them: files in /run/netns (ip-netns(8)).

Everything happens in this process and thread: no fork, no `ip`. A namespace is
published last: created and prepared first, and only then bound to its name, so that a
process killed before that leaves nothing behind.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Callable

from ._errors import BridgenetError

DIRECTORY = "/run/netns"
OWN = "/proc/thread-self/ns/net"  # /proc/self would be the main thread's

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_MS_BIND, _MS_REC, _MS_SHARED = 0x1000, 0x4000, 0x100000  # linux/mount.h
_MNT_DETACH = 2
_NS_GET_NSTYPE = 0xB703  # linux/nsfs.h
_EINVAL = 22

_libc = ctypes.CDLL(None, use_errno=True)


def _call(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, flags: int) -> None:
    _call(_libc.mount(source.encode(), target.encode(), b"none", ctypes.c_ulong(flags), None), f"mount {target}")


def path(name: str) -> str:
    """The file that publishes a namespace under `name`."""
    return f"{DIRECTORY}/{name}"


def enter(descriptor: int) -> None:
    """Move this thread into the namespace behind `descriptor`."""
    _call(_libc.setns(descriptor, _CLONE_NEWNET), "setns")


@contextmanager
def scratch(home: int) -> Iterator[None]:
    """A new, nameless namespace for the duration of the block; the thread returns to `home`."""
    _call(_libc.unshare(_CLONE_NEWNET), "unshare")
    try:
        yield
    finally:
        enter(home)


def open_own() -> int:
    """A descriptor of the namespace that this thread is in."""
    return os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)


def open_named(name: str) -> int:
    """A descriptor of a published namespace; FileNotFoundError where there is none, or only what a crash left."""
    return open_path(path(name))


def open_path(file: str) -> int:
    """A descriptor of the namespace behind a file; FileNotFoundError where there is none."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if fcntl.ioctl(descriptor, _NS_GET_NSTYPE) == _CLONE_NEWNET:
            return descriptor
    except OSError:
        pass  # an ordinary file: `ip netns add` was killed between creating and mounting
    os.close(descriptor)
    raise FileNotFoundError(f"{file} is no network namespace")


def inode(descriptor: int) -> int:
    """What tells two namespaces apart while both exist (namespaces(7))."""
    return os.fstat(descriptor).st_ino


def inode_of_process(pid: int) -> int:
    """The namespace that a process is in; 0 where it has ended."""
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    except FileNotFoundError:
        return 0


def published(known: Mapping[str, int] | None = None) -> dict[str, int]:
    """Name -> inode of all published namespaces, sorted by name. One namespace may have several names.

    At names that are `known` nobody looks again, if they are still there.
    """
    device = os.stat(OWN).st_dev
    found = {}
    try:
        names = sorted(os.listdir(DIRECTORY))
    except FileNotFoundError:
        return {}
    for name in names:
        if known and name in known:
            found[name] = known[name]
            continue
        try:
            status = os.stat(path(name))
        except FileNotFoundError:
            continue  # gone meanwhile, or a link to a process that has ended
        if status.st_dev == device:
            found[name] = status.st_ino
    return found


def _ensure_directory() -> None:
    """/run/netns as a shared mount of its own: on a private one, other mount namespaces cannot use what is in it."""
    os.makedirs(DIRECTORY, mode=0o755, exist_ok=True)
    descriptor = os.open(DIRECTORY, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # iproute2 takes the same lock
        try:
            _mount("", DIRECTORY, _MS_SHARED | _MS_REC)
        except OSError as error:
            if error.errno != _EINVAL:
                raise
            _mount(DIRECTORY, DIRECTORY, _MS_BIND | _MS_REC)
            _mount("", DIRECTORY, _MS_SHARED | _MS_REC)
    finally:
        os.close(descriptor)


class Publisher:
    """Creates, publishes and withdraws namespaces; looks after /run/netns once."""

    def __init__(self, home: int) -> None:
        self._home = home
        self._ready = False

    def _prepare(self) -> None:
        if not self._ready:
            _ensure_directory()
            self._ready = True

    def create(self, name: str, prepare: Callable[[int], None]) -> int:
        """Make a namespace, let `prepare` set it up from inside, publish it, return its descriptor."""
        self._prepare()
        _call(_libc.unshare(_CLONE_NEWNET), "unshare")
        try:
            descriptor = open_own()
            try:
                prepare(descriptor)
                self._bind(OWN, name)
            except BaseException:
                os.close(descriptor)
                raise
        finally:
            enter(self._home)
        return descriptor

    def publish(self, descriptor: int, name: str, link: str) -> None:
        """Give an open namespace its name back; `link` is what withdraw() returned."""
        if link:
            os.symlink(link, path(name))
            return
        self._prepare()
        self._bind(f"/proc/self/fd/{descriptor}", name)

    def _bind(self, source: str, name: str) -> None:
        target = path(name)
        try:
            os.close(os.open(target, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
        except FileExistsError:
            if not os.path.exists(target):
                raise BridgenetError(
                    f"{target} is a symbolic link to {os.readlink(target)}, which is not there any more; remove it"
                ) from None
            if os.stat(target).st_dev == os.stat(OWN).st_dev:
                raise BridgenetError(
                    f"namespace {name!r} has just been created by somebody else; run this again"
                ) from None
            # else an ordinary file that a crash left: it becomes the mount point
        try:
            _mount(source, target, _MS_BIND)
        except OSError:
            os.unlink(target)
            raise

    def withdraw(self, name: str) -> str:
        """Take a namespace's name away; it lives on while a process, a mount or a descriptor holds it.

        Returns where the name pointed, if it was a symbolic link, as container engines' namespaces are shown; else "".
        """
        if os.path.islink(path(name)):
            link = os.readlink(path(name))
            os.unlink(path(name))
            return link
        _call(_libc.umount2(path(name).encode(), _MNT_DETACH), f"umount {path(name)}")
        os.unlink(path(name))
        return ""
