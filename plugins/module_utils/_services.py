# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan does with systemd: unit files, starting and stopping."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _files, _systemd, _unit
from ._model import Host, Service
from ._operation_base import Operation, Step
from ._operations import WriteFile

if TYPE_CHECKING:
    from ._kernel import Kernel

Changes = tuple[tuple[str, str, str], ...]  # path, content before, content after; "" is no file


@dataclass(frozen=True)
class WriteUnits(Step):
    """Unit files, which systemd reads anew once."""

    files: Changes
    reload: bool

    def perform(self, kernel: Kernel) -> None:
        done = []
        try:
            for path, before, after in self.files:
                done.append((path, before))
                _files.write(path, after)
            if self.reload:
                _systemd.reload()
        except BaseException:  # also where somebody interrupts it
            for path, before in reversed(done):
                _files.write(path, before)
            if self.reload:
                _systemd.reload()
            raise

    def commands(self) -> tuple[str, ...]:
        lines = [line for path, before, after in self.files for line in WriteFile(path, before, after).commands()]
        return (*lines, *(["systemctl daemon-reload"] if self.reload else []))

    def undo(self) -> tuple[Operation, ...]:
        return (WriteUnits(tuple((path, after, before) for path, before, after in self.files), self.reload),)


@dataclass(frozen=True)
class StartServices(Step):
    """Start services; one that ends at once is an error. Those that ran before are started `again`, each for itself."""

    services: tuple[str, ...]
    again: bool = False

    def perform(self, kernel: Kernel) -> None:
        _systemd.start(self.services, self.again)

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(["systemctl", "start", "--", *map(_unit.name, self.services)]),)

    def undo(self) -> tuple[Operation, ...]:
        return (StopServices(self.services, self.services),)


@dataclass(frozen=True)
class StopServices(Step):
    """Stop services, so that they hold neither their namespace nor a port. Only those that `ran` are started again."""

    services: tuple[str, ...]
    ran: tuple[str, ...]

    def perform(self, kernel: Kernel) -> None:
        try:
            _systemd.stop(self.services)
        except BaseException:  # also where somebody interrupts it, as systemd goes on then
            if self.ran:
                _systemd.start(self.ran, again=True)
            raise

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(["systemctl", "stop", "--", *map(_unit.name, self.services)]),)

    def undo(self) -> tuple[Operation, ...]:
        return (StartServices(self.ran, again=True),) if self.ran else ()


def service_steps(before: Host, after: Host) -> tuple[list[Operation], list[Operation]]:
    """What goes before the network changes - stopping, and the files - and what comes after it."""
    stops: list[str] = []
    starts: list[str] = []
    changes: list[tuple[str, str, str]] = []
    for name in sorted({*before.services, *after.services}):
        old, new = before.services.get(name, _NONE), after.services.get(name, _NONE)
        if old.unit != new.unit:
            changes.append((_unit.path(name), old.unit, new.unit))
        inside = _unit.namespace(new.unit)
        if inside in before.names and inside not in after.names and old == new:
            continue  # nobody declares it, and it holds a namespace that is to go
        moved = before.names.get(inside) != after.names.get(inside)  # the name has passed on to another namespace
        anew = old.unit != new.unit or old.placed != new.placed or moved or _files_differ(inside, before, after)
        # systemd may be about to start it again, or keep that it failed, when its file is gone.
        ends = before.systemd and bool(old.unit) and old.unit != new.unit
        if ends or (old.active and (not new.active or anew)):
            stops.append(name)
        if new.active and (not old.active or anew):
            starts.append(name)
    ran = tuple(name for name in stops if before.services[name].active)
    first: list[Operation] = [StopServices(tuple(stops), ran)] if stops else []
    if changes:
        first.append(WriteUnits(tuple(changes), before.systemd))
    return first, [StartServices(tuple(starts))] if starts else []


def _files_differ(namespace: str, before: Host, after: Host) -> bool:
    """Whether a process that starts there sees another file in place of the host's; of the same one it sees all."""
    old, new = before.names_known, after.names_known
    return any(
        bool(there.get(namespace)) != bool(then.get(namespace))
        for there, then in ((old.hosts, new.hosts), (old.resolvers, new.resolvers))
    )


_NONE = Service(name="", unit="", active=False, placed=False)
