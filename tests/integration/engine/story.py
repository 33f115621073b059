# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One machine that lives through several tasks; each of them is looked at from every side."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.module_utils import _report
from ansible_collections.nslab.bridgenet.plugins.module_utils._engine import Report

from . import driver, snapshot
from .driver import Objects
from .sandbox import sandbox, shell


class Story:
    """Use it inside a sandbox. `prepare` is a script for what was there before."""

    def __init__(self, prepare: str = "") -> None:
        self._prepare = prepare
        self._past: list[tuple[Objects, dict[str, Any]]] = []
        shell(prepare)

    def changes(self, objects: Objects, **options: Any) -> Report:
        """Carry out a task that has something to do."""
        before = snapshot.state()
        predicted = driver.check(objects, **options)
        snapshot.same(before, snapshot.state(), "check mode changed the machine")

        report = driver.apply(objects, **options)
        after = snapshot.state()
        assert report.changed
        assert report.actions
        assert report == predicted
        diff = _report.diff(report)
        assert diff["before"] != diff["after"]
        assert snapshot.differences(before, after), "it says changed, but nothing is"

        self._stays(after, objects, options, report)
        self._replays(after, report)
        self._past.append((copy.deepcopy(objects), options))
        return report

    def stays(self, objects: Objects, **options: Any) -> None:
        """Carry out a task that has nothing to do."""
        self._stays(snapshot.state(), objects, options, None)

    @staticmethod
    def _stays(before: snapshot.State, objects: Objects, options: dict[str, Any], earlier: Report | None) -> None:
        predicted, report = driver.check(objects, **options), driver.apply(objects, **options)
        snapshot.same(before, snapshot.state(), "it had nothing to do")
        assert report == predicted
        assert not report.changed
        assert not report.actions
        assert report.before == report.after
        assert earlier is None or report.after == earlier.after, "read back, it is not what was reported"

    def _replays(self, after: snapshot.State, report: Report) -> None:
        """The commands, by a shell on a machine with the same past, must give the same state."""
        here, host = _commanded(after), driver.without_record(driver.host())
        with sandbox():
            shell(self._prepare)
            for objects, options in self._past:
                driver.apply(objects, **options)
            shell("\n".join(report.actions))
            snapshot.same(here, _commanded(snapshot.state()), "by the commands it is different")
            assert driver.without_record(driver.host()) == host


def _commanded(found: snapshot.State) -> snapshot.State:
    """A state without the record of the original sysctls, which no command writes."""
    kept = snapshot.portable(found)
    kept["files"].pop("/run/nslab.bridgenet/original", None)
    return kept
