# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The growth curves as an SVG: one panel for each phase of each section, both axes logarithmic."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import results
from .results import Cell
from .sections import Section

Curves = dict[str, dict[int, float]]  # subject -> number -> median
COLUMNS = 3


def panels(measured: Mapping[Section, Sequence[Cell]]) -> dict[str, Curves]:
    """Title -> curves; what has one point only is no curve."""
    found = {}
    for section, cells in measured.items():
        times = [phase for phase in results.phases(cells) if phase not in section.plain]
        for phase in times if section.grows else ():
            curves = {subject: results.curve(cells, subject, phase) for subject in results.subjects(cells)}
            curves = {subject: curve for subject, curve in curves.items() if len(curve) > 1}
            if curves:
                found[f"{section.name}: {phase}"] = curves
    return found


def draw(found: Mapping[str, Curves], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none"})  # the same curves, the same small file
    rows = -(-len(found) // COLUMNS)
    figure = Figure(figsize=(6 * COLUMNS, 4.5 * rows), layout="constrained")
    for place, (title, curves) in enumerate(found.items(), 1):
        axes = figure.add_subplot(rows, COLUMNS, place)
        for subject, curve in curves.items():
            slope = results.exponent(curve) or 0
            axes.loglog(list(curve), list(curve.values()), marker="o", label=f"{subject}: N^{slope:.2f}")
        axes.set(title=title, xlabel="N", ylabel="s")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(fontsize="small")
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    path.write_text("".join(f"{line.rstrip()}\n" for line in drawn.getvalue().splitlines()), encoding="utf-8")
