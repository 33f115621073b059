# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run ended on each host of a fleet: a line for each, those to look at last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAME, CHANGED, FAILED, NOT_REACHED = "same", "changed", "failed", "not reached"

_COLUMNS = ("host", "state", "what")
_ORDER = {SAME: 0, CHANGED: 0, FAILED: 1, NOT_REACHED: 2}
_LONGEST = 300  # of a message; the whole of it was shown where the task failed


def table(hosts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The lines of a table."""
    found = [(host, *_state(said)) for host, said in hosts.items()]
    rows = [_COLUMNS, *sorted(found, key=lambda row: _ORDER[row[1]])]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _state(said: Mapping[str, Any]) -> tuple[str, str]:
    if not said:
        return NOT_REACHED, ""
    if "failed" in said:
        why = " ".join(str(said["failed"]).split())
        return FAILED, why if len(why) <= _LONGEST else f"{why[: _LONGEST - 3]}..."
    return CHANGED if said.get("changed") else SAME, str(said.get("stands", ""))
