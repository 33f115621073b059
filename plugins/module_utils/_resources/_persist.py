# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That the network of a project comes back at boot: a script, and the unit that starts it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .. import _boot, _labels
from .._draft import Draft
from .._errors import BridgenetError
from .._model import Boot, Host
from .._reader import Scope
from ._base import Options, Resource

MODULE = "persist"  # the option of transaction


@dataclass(frozen=True)
class Persist(Resource):
    """What a task declares, all of it, is what the script brings back: plan() writes it, when all else is decided."""

    project: str

    @property
    def what(self) -> str:
        return f"{MODULE} of project {self.project!r}"

    def widen(self, scope: Scope) -> None:
        scope.boots.add(self.project)
        scope.fresh = scope.fresh or self.present

    def owns(self) -> list[tuple[str, str]]:
        return [(MODULE, self.project)]

    def predict(self, draft: Draft) -> None:
        there = draft.boots[self.project]
        label = _boot.label(self.project)
        if not self.present:
            for text in filter(None, (there.script, there.unit)):
                draft.may_remove(_labels.of_file(text), label, f"{self.what}: file")
            draft.boots[self.project] = Boot()
            return
        if not draft.current.systemd:
            raise BridgenetError(
                f"{self.what}: this host is not run by systemd (there is no /run/systemd/system), so nothing could "
                "bring the network back at boot; say persist: false, or choose another host"
            )
        for path, text in (
            (_boot.script_path(self.project), there.script),
            (_boot.unit_path(self.project), there.unit),
        ):
            if text:
                draft.claim(_labels.of_file(text), label, f"file {path!r}", None)

    def view(self, host: Host) -> Options | None:
        boot = host.boots.get(self.project, Boot())
        if boot == Boot():
            return None
        return {
            "name": self.project,
            "script": _boot.script_path(self.project),
            "checksum": hashlib.sha256(boot.script.encode()).hexdigest()[:16],
            "unit": _boot.name(self.project),
            "services": _boot.services(boot.unit),
            "enabled": boot.enabled,
        }
