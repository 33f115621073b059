# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw results as JSON: for each section its latest run, so that the parts of the table can be measured apart."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from .results import Cell


@dataclass
class Measured:
    """A run of one section."""

    about: str  # when, where, how often
    cells: list[Cell] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def load(path: Path) -> dict[str, Measured]:
    """Section -> its latest run."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return {
        section: Measured(one["about"], [Cell(**cell) for cell in one["cells"]], one["failed"])
        for section, one in found.items()
    }


def save(path: Path, measured: dict[str, Measured]) -> None:
    found = {section: dataclasses.asdict(one) for section, one in measured.items()}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
