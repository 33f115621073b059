# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who takes part in a benchmark."""

from __future__ import annotations

import pytest

from ansible_collections.nslab.bridgenet.tests.benchmarks import run
from ansible_collections.nslab.bridgenet.tests.benchmarks.sections import SECTIONS
from ansible_collections.nslab.bridgenet.tests.benchmarks.subjects import Subject


def test_ours_always_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it there is nothing to compare with."""
    engine = SECTIONS[0]
    for subject in engine.subjects:
        monkeypatch.setattr(subject, "missing", classmethod(lambda _kind: ""))
    chosen: list[type[Subject]] = run.taking_part(engine, ["seed script"])
    assert chosen == [engine.subjects[0], *(one for one in engine.subjects if "seed script" in one.name)]
    assert len(chosen) == 2
    assert run.taking_part(engine, []) == list(engine.subjects)
