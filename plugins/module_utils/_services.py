# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan does with systemd: unit files with those beside them, starting and stopping."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _files, _systemd, _unit
from ._errors import BridgenetError
from ._model import Host, Service
from ._operations import Operation, Step, WriteFile

if TYPE_CHECKING:
    from ._kernel import Kernel

Changes = tuple[tuple[str, str, str], ...]  # path, content before, content after; "" is no file

_BESIDE = "/etc/netns/"


@dataclass(frozen=True)
class WriteUnits(Step):
    """Unit files and the files beside them; systemd reads its own anew once."""

    files: Changes
    reload: bool

    def perform(self, kernel: Kernel) -> None:
        done = []
        try:
            for path, before, after in self.files:
                done.append((path, before))
                self._write(path, after)
            if self.reload:
                _systemd.reload()
        except (OSError, BridgenetError):
            for path, before in reversed(done):
                self._write(path, before)
            raise

    @staticmethod
    def _write(path: str, text: str) -> None:
        """A file of a namespace goes with its directory, and with that of all namespaces, where they are empty then."""
        _files.write(path, text)
        directory = os.path.dirname(path)
        while not text and f"{directory}/".startswith(_BESIDE) and os.path.isdir(directory):
            if os.listdir(directory):
                break
            os.rmdir(directory)
            directory = os.path.dirname(directory)

    def commands(self) -> tuple[str, ...]:
        lines: list[str] = []
        for path, before, after in self.files:
            lines += WriteFile(path, before, after).commands()
            if not after and path.startswith(_BESIDE):
                directory = os.path.dirname(path)
                lines.append(
                    shlex.join(["rmdir", "--ignore-fail-on-non-empty", directory])
                    + " && "
                    + shlex.join(["rmdir", "--ignore-fail-on-non-empty", os.path.dirname(directory)])
                )
        return (*lines, *(["systemctl daemon-reload"] if self.reload else []))

    def undo(self) -> tuple[Operation, ...]:
        return (WriteUnits(tuple((path, after, before) for path, before, after in self.files), self.reload),)


@dataclass(frozen=True)
class StartServices(Step):
    """Start services; one that ends at once is an error."""

    services: tuple[str, ...]

    def perform(self, kernel: Kernel) -> None:
        _systemd.start(self.services)

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(["systemctl", "start", "--", *map(_unit.name, self.services)]),)

    def undo(self) -> tuple[Operation, ...]:
        return (StopServices(self.services),)


@dataclass(frozen=True)
class StopServices(Step):
    """Stop services, so that they hold neither their namespace nor a port."""

    services: tuple[str, ...]

    def perform(self, kernel: Kernel) -> None:
        _systemd.stop(self.services)

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(["systemctl", "stop", "--", *map(_unit.name, self.services)]),)

    def undo(self) -> tuple[Operation, ...]:
        return (StartServices(self.services),)


def service_steps(before: Host, after: Host) -> tuple[list[Operation], list[Operation]]:
    """What goes before the network changes - stopping, and the files - and what comes after it."""
    stops: list[str] = []
    starts: list[str] = []
    changes: dict[str, tuple[str, str]] = {}
    for name in sorted({*before.services, *after.services}):
        old, new = before.services.get(name, _NONE), after.services.get(name, _NONE)
        paths = [path for path in {**new.files, **old.files} if old.files.get(path, "") != new.files.get(path, "")]
        changes.update({path: (old.files.get(path, ""), new.files.get(path, "")) for path in paths})
        inside = _unit.namespace(new.files.get(_unit.path(name), ""))
        moved = before.names.get(inside) != after.names.get(inside)  # the name has passed on to another namespace
        anew = bool(paths) or old.placed != new.placed or moved
        if old.active and (not new.active or anew):
            stops.append(name)
        if new.active and (not old.active or anew):
            starts.append(name)
    first: list[Operation] = [StopServices(tuple(stops))] if stops else []
    if changes:
        files = tuple((path, old, new) for path, (old, new) in sorted(changes.items()))
        first.append(WriteUnits(files, before.systemd and any(path.startswith(_unit.DIRECTORY) for path in changes)))
    return first, [StartServices(tuple(starts))] if starts else []


_NONE = Service(name="", files={}, active=False, placed=False)
