# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of the results: table.md and growth.svg beside them, and, if told, docs/performance.md and its curves.

Run as a program, it makes them of the results that are there, without measuring anything: `report [--docs]`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from . import chart, store, table
from .sections import SECTIONS
from .store import Measured

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache/bench"
RESULTS = CACHE / "raw.json"
PAGE, CURVES = ROOT / "docs/performance.md", ROOT / "docs/growth.svg"
_MARK = "<!-- made by make bench: {} -->"
BEGIN, END = _MARK.format("begin"), _MARK.format("end")


def text(measured: Mapping[str, Measured]) -> str:
    """All sections, in their order."""
    found = [(section, measured[section.name]) for section in SECTIONS if section.name in measured]
    return "\n\n".join(f"{table.page(section, one.cells)}\n\n{one.about}" for section, one in found if one.cells)


def written(page: str, made: str) -> str:
    """A page with a new text between its marks."""
    before, _begin, rest = page.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


def write(measured: Mapping[str, Measured], docs: bool) -> str:
    """The text, which is in the files as well."""
    made = text(measured)
    (CACHE / "table.md").write_text(made + "\n", encoding="utf-8")
    panels = chart.panels({section: measured[section.name].cells for section in SECTIONS if section.name in measured})
    if panels:
        chart.draw(panels, CACHE / "growth.svg")
    if docs:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
        if panels:
            chart.draw(panels, CURVES)
    return made


if __name__ == "__main__":
    print(write(store.load(RESULTS), "--docs" in sys.argv))
