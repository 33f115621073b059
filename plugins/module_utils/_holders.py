# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who keeps a namespace alive when its name is gone: processes inside, open files, mounts (namespaces(7)).

One walk through /proc answers for any number of namespaces. This process does not
count: what it holds it lets go of. A socket of a process that has moved to another
namespace holds one, too; the kernel tells nobody of that.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from . import _namespaces
from ._model import Held, Holder

_PAUSE = 0.1  # nobody tells when the last holder of a namespace has gone
_NAMESPACE = re.compile(r"net:\[(\d+)\]\Z")
_SERVICE = re.compile(r"/([^/\n]+\.service)(?:/|$)", re.MULTILINE)
_GROUP = re.compile(r"(?:shared|master|propagate_from):(\d+)\Z")
# It ended meanwhile; or this root may not look at it, as in a container at a process of the machine around.
_UNSEEN = (FileNotFoundError, ProcessLookupError, PermissionError)
# What is none, by its link. One that was opened by its name in /run/netns has that for a link, so the rest is asked.
_ELSEWHERE = ("socket:", "pipe:", "anon_inode:", "/dev/", "/proc/", "/memfd:")
_ESCAPED = re.compile(r"\\([0-7]{3})")


def _inode(link: str) -> int:
    """The inode of the network namespace that a link of /proc points to, 0 where it points to something else."""
    found = _NAMESPACE.match(os.readlink(link))
    return int(found.group(1)) if found else 0


def command(pid: int) -> str:
    """What a process calls itself (comm, proc_pid_comm(5)): its arguments may be nobody's business."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as handle:
            return handle.read().strip()
    except _UNSEEN:
        return ""


def _unit_of(pid: int) -> str:
    """The service of systemd that a process belongs to (cgroups(7)), "" where there is none."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as handle:
            found = _SERVICE.search(handle.read())
    except _UNSEEN:
        return ""
    return found.group(1) if found else ""


def namespace_of(pid: int) -> int:
    """The inode of the network namespace of a process; FileNotFoundError where there is no such process."""
    return _inode(f"/proc/{pid}/ns/net")


@dataclass(frozen=True)
class _Mount:
    """A line of mountinfo (proc_pid_mountinfo(5))."""

    parent: str
    path: str
    groups: frozenset[str]
    kind: str


def _mounts(process: str) -> list[str]:
    try:
        with open(f"/proc/{process}/mountinfo", encoding="utf-8", errors="surrogateescape") as handle:
            return handle.readlines()
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return []  # of a process that is ending (mounts_open_common, fs/proc_namespace.c)


def _mount(line: str) -> _Mount:
    words = line.split()
    dash = words.index("-", 6)
    groups = frozenset(match.group(1) for match in map(_GROUP.match, words[6:dash]) if match)
    path = _ESCAPED.sub(lambda match: chr(int(match.group(1), 8)), words[4])
    return _Mount(words[1], path, groups, words[dash + 1])


def _inside(process: str, wanted: Collection[int]) -> Iterator[tuple[int, _Mount, frozenset[str]]]:
    """(inode, mount of a namespace that is wanted, groups of the mount that it is on).

    A host with a thousand namespaces has as many lines, of which few are of one that is wanted.
    """
    found: list[tuple[int, _Mount]] = []
    lines: dict[str, str] = {}
    for line in _mounts(process):
        number, _parent, _device, root, _rest = line.split(" ", 4)
        lines[number] = line
        namespace = _NAMESPACE.match(root)
        if namespace and int(namespace.group(1)) in wanted:
            found.append((int(namespace.group(1)), _mount(line)))
    on = {mount.parent for _inode, mount in found}
    groups = {number: _mount(lines[number]).groups for number in on if number in lines}
    for inode, mount in found:
        if mount.kind == "nsfs":
            yield inode, mount, groups.get(mount.parent, frozenset())


def _pids() -> list[int]:
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


class _Walk:
    """One walk through /proc."""

    def __init__(self, wanted: Collection[int]) -> None:
        self._wanted = wanted
        self._found: dict[int, list[Holder]] = {inode: [] for inode in wanted}
        # Names of ours go with their copies in the mount namespaces to which they were propagated.
        self._names: set[tuple[int, str, str]] = set()
        self._device = os.stat(_namespaces.OWN).st_dev
        self._seen = {os.stat("/proc/thread-self/ns/mnt").st_ino}

    def processes(self) -> dict[int, tuple[Holder, ...]]:
        """Inode -> processes inside, of the namespaces that are wanted."""
        for pid in _pids():
            try:
                self._process(pid)
            except _UNSEEN:
                continue
        return {inode: tuple(holders) for inode, holders in self._found.items()}

    def all(self) -> dict[int, tuple[Holder, ...]]:
        """Inode -> holders, of the namespaces that are wanted."""
        self._own_mounts()
        for pid in _pids():
            try:
                self._process(pid)
                self._descriptors(pid)
                self._foreign_mounts(pid)
            except _UNSEEN:
                continue
        return {inode: tuple(holders) for inode, holders in self._found.items()}

    def _process(self, pid: int) -> None:
        """By its threads: each of them may be in another namespace."""
        if pid == os.getpid():
            return
        inodes = set()
        for thread in os.listdir(f"/proc/{pid}/task"):
            try:
                inodes.add(_inode(f"/proc/{pid}/task/{thread}/ns/net"))
            except _UNSEEN:
                continue
        for inode in inodes.intersection(self._wanted):
            self._found[inode].append(Holder("process", pid, command(pid), unit=_unit_of(pid)))

    def _descriptors(self, pid: int) -> None:
        if pid == os.getpid():
            return
        for number in os.listdir(f"/proc/{pid}/fd"):
            link = f"/proc/{pid}/fd/{number}"
            try:
                if os.readlink(link).startswith(_ELSEWHERE):
                    continue
                status = os.stat(link)
            except _UNSEEN:
                continue
            inode = status.st_ino
            if status.st_dev == self._device and inode in self._wanted:
                self._found[inode].append(Holder("descriptor", pid, command(pid), int(number), unit=_unit_of(pid)))

    def _own_mounts(self) -> None:
        for inode, mount, groups in _inside("thread-self", self._wanted):
            directory, _slash, name = mount.path.rpartition("/")
            if os.path.realpath(directory) == os.path.realpath(_namespaces.DIRECTORY):
                self._names.update((inode, name, group) for group in groups)
            else:
                self._found[inode].append(Holder("mount", os.getpid(), command(os.getpid()), path=mount.path))

    def _foreign_mounts(self, pid: int) -> None:
        mine = os.stat(f"/proc/{pid}/ns/mnt").st_ino
        if mine in self._seen:
            return
        self._seen.add(mine)
        for inode, mount, groups in _inside(str(pid), self._wanted):
            name = mount.path.rpartition("/")[2]
            propagated = any((inode, name, group) in self._names for group in groups)
            if not propagated:
                self._found[inode].append(Holder("mount", pid, command(pid), path=mount.path, unit=_unit_of(pid)))


def inside(inodes: Collection[int]) -> dict[int, tuple[Holder, ...]]:
    """Inode -> the processes that are in that namespace, this one left out."""
    return _Walk(set(inodes)).processes()


def find(inodes: Collection[int]) -> dict[int, tuple[Holder, ...]]:
    """Inode -> who holds that namespace at this moment, besides its names in /run/netns."""
    return _Walk(set(inodes)).all()


def wait(seconds: Mapping[int, int], ending: Collection[str], patient: bool) -> dict[int, Held]:
    """Give the holders of each namespace so many seconds to go; who is patient waits, others only look.

    Units of systemd that are `ending` by this very task do not count.
    """
    begin = time.monotonic()
    waited = 0.0
    while True:
        found = {
            inode: tuple(holder for holder in holders if holder.unit not in ending)
            for inode, holders in find(seconds).items()
        }
        if not patient or not any(holders and waited < seconds[inode] for inode, holders in found.items()):
            return {inode: Held(holders, waited if patient else None) for inode, holders in found.items()}
        time.sleep(_PAUSE)
        waited = time.monotonic() - begin
