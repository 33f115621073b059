# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which namespace each name stands for: one may have several names, and one that is to be adopted has none yet."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from . import _namespaces, _programs
from ._errors import BridgenetError
from ._kernel import Kernel
from ._model import HOST, Adoptee, Source, former


@dataclass
class Wanted:
    """What a task says about the names of namespaces."""

    namespaces: set[str] = field(default_factory=set)  # besides the host, which is always read
    leaving: set[str] = field(default_factory=set)  # declared absent
    seconds: set[str] = field(default_factory=set)  # second names of another one
    adoptions: dict[str, Source] = field(default_factory=dict)


@dataclass(frozen=True)
class Places:
    """Where every namespace stands in the state of a host."""

    keys: Mapping[int, str]  # inode -> key
    published: Mapping[str, int]  # name -> inode
    names: Mapping[str, str]  # published name -> key
    adoptees: Mapping[str, Adoptee]
    paths: Mapping[str, str]  # of a key under which nothing, or something else, is published


def _found(source: Source) -> tuple[str, int]:
    """The path of a namespace, and the process that has it where it is found by one."""
    if source.kind == "path":
        return source.value, 0
    pid = int(source.value) if source.kind == "pid" else _programs.container_pid(source.kind, source.value)
    return f"/proc/{pid}/ns/net", pid


def _inode(source: Source, path: str) -> int:
    try:
        descriptor = _namespaces.open_path(path)
    except (FileNotFoundError, ProcessLookupError) as error:
        why = f"{path} is not there" if source.kind != "path" or not os.path.exists(path) else str(error)
        raise BridgenetError(
            f"adopt: {source.text} has no network namespace: {why}; name a running process or container, or the file "
            "of a namespace"
        ) from error
    try:
        return _namespaces.inode(descriptor)
    finally:
        os.close(descriptor)


def find(kernel: Kernel, wanted: Wanted, known: Mapping[str, int]) -> Places:
    """Look at what is published, but for what is `known`, and at what is to be adopted."""
    published = _namespaces.published(known)
    keys = {_namespaces.inode(kernel.home): HOST}
    adoptees, paths = {}, {}
    for name, source in wanted.adoptions.items():
        path, pid = _found(source)
        inode = _inode(source, path)
        key = keys.setdefault(inode, name)
        if key == name and published.get(name) != inode:
            paths[name] = path
        adoptees[name] = Adoptee(key, path, pid)
    groups: dict[int, list[str]] = {}
    for name, inode in published.items():
        groups.setdefault(inode, []).append(name)
    taken = set(keys.values())
    for inode, names in groups.items():
        if inode in keys:
            continue
        free = [name for name in names if name not in taken]
        if free:
            keys[inode] = min(free, key=lambda name: _rank(name, wanted)) if len(free) > 1 else free[0]
        else:  # its name is to become that of another
            keys[inode] = former(names[0])
            paths[keys[inode]] = _namespaces.path(names[0])
    return Places(keys, published, {name: keys[inode] for name, inode in published.items()}, adoptees, paths)


def _rank(name: str, wanted: Wanted) -> tuple[bool, bool, bool, str]:
    """Of several names, a namespace stands under one that the task knows, and that stays."""
    return (name in wanted.leaving, name in wanted.seconds, name not in wanted.namespaces, name)


def asked(places: Places, wanted: Wanted, everything: bool) -> Collection[tuple[str, int]]:
    """(key, inode) of the namespaces besides the host's that have to be read."""
    needed = {places.names[name] for name in wanted.namespaces if name in places.names}
    needed.update(adoptee.key for adoptee in places.adoptees.values())
    return [(key, inode) for inode, key in places.keys.items() if key != HOST and (everything or key in needed)]
