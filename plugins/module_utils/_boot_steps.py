# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan does with the files by which a network comes back at boot."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _boot, _files, _systemd
from ._errors import BridgenetError
from ._model import Boot, Host
from ._operation_base import Operation, Step
from ._operations import WriteFile

if TYPE_CHECKING:
    from ._kernel import Kernel


@dataclass(frozen=True)
class SetBoot(Step):
    """The script of a project and its unit, which systemd starts at boot, come, change or go."""

    project: str
    before: Boot
    after: Boot
    systemd: bool  # it runs this host

    def perform(self, kernel: Kernel) -> None:
        try:
            self._carry_out(self.after)
        except (OSError, BridgenetError):
            self._carry_out(self.before)
            raise

    def _carry_out(self, wanted: Boot) -> None:
        unit = _boot.name(self.project)
        if self.systemd and not wanted.enabled and _systemd.wanted(unit):
            _systemd.disable(unit)
        _files.write(_boot.script_path(self.project), wanted.script)
        _files.write(_boot.unit_path(self.project), wanted.unit)
        if self.systemd:
            _systemd.reload()
            if wanted.enabled and not _systemd.wanted(unit):
                _systemd.enable(unit)
        elif not wanted.enabled:
            _files.write(_systemd.link(unit), "")

    def commands(self) -> tuple[str, ...]:
        unit = _boot.name(self.project)
        lines = []
        if self.systemd and not self.after.enabled and self.before.enabled:
            lines.append(shlex.join(["systemctl", "disable", "--quiet", "--now", "--", unit]))
        for path, text in (
            (_boot.script_path(self.project), self.after.script),
            (_boot.unit_path(self.project), self.after.unit),
        ):
            lines += WriteFile(path, "", text).commands()
        if not self.after.script:
            lines.append(shlex.join(["rmdir", "--ignore-fail-on-non-empty", _files.SCRIPTS]))
        if self.systemd:
            lines.append("systemctl daemon-reload")
            if self.after.enabled and not self.before.enabled:
                lines.append(shlex.join(["systemctl", "enable", "--quiet", "--", unit]))
        elif not self.after.enabled:
            lines.append(shlex.join(["rm", "-f", _systemd.link(unit)]))
        return tuple(lines)

    def undo(self) -> tuple[Operation, ...]:
        return (SetBoot(self.project, self.after, self.before, self.systemd),)


def boot_steps(before: Host, after: Host) -> list[Operation]:
    """From one state to another."""
    return [
        SetBoot(project, before.boots.get(project, Boot()), boot, before.systemd)
        for project, boot in after.boots.items()
        if boot != before.boots.get(project, Boot())
    ]
