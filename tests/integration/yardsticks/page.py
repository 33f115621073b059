# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/compared.md: what is between its marks is made from the specification and the table of differences.

Run as a program, it writes the page anew.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from .builders import declaration
from .differences import ALL, DIFFERENCES, ENGINES, Difference
from .specification import SPECIFICATION

PAGE = Path(__file__).parents[3] / "docs" / "compared.md"
_MARK = "<!-- made from tests/integration/yardsticks: {} -->"
_BEGIN, _END = _MARK.format("begin"), _MARK.format("end")

_PLACES = {
    "host": "the host",
    "bridge of *": "bridges",
    "ports of *": "ports",
    "containers of *": "containers",
}
_SECTIONS = ("Links", "Addresses and routes", "Sysctls", "The host's firewall", "Who reaches whom")


def _section(row: Difference) -> str:
    if row.what == "seen":
        return "Who reaches whom"
    if row.what in ("addresses", "routes", "loopback") or row.what.startswith("route "):
        return "Addresses and routes"
    if "FORWARD" in row.what:
        return "The host's firewall"
    return "Sysctls" if "/" in row.what else "Links"


def _line(row: Difference) -> str:
    places = ", ".join(_PLACES.get(place, f"`{place}`") for place in row.places)
    what = "" if row.what == "seen" else f": `{row.what}`"
    engines = "all" if row.engines == ALL else ", ".join(ENGINES[engine] for engine in row.engines)
    if row.since:
        engines += f" from {_number(row.since)} on"
    if row.before:
        engines += f" before {_number(row.before)}"
    return f"| {places}{what} | {engines} | {row.theirs} | {row.ours} | {row.reason} |"


def _number(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def text() -> str:
    """What stands between the marks."""
    networks, containers = declaration(SPECIFICATION)
    declared = {
        "container_bridge_network_networks": networks,
        "container_bridge_network_containers": containers,
    }
    parts = ["```yaml", yaml.safe_dump(declared, sort_keys=False, default_flow_style=None, width=110).strip(), "```"]
    for section in _SECTIONS:
        rows = [row for row in DIFFERENCES if _section(row) == section]
        head = ["| what | who | theirs | ours | why |", "|---|---|---|---|---|"]
        parts += ["", f"## {section}", "", *head, *map(_line, rows)]
    return "\n".join(parts)


def written(page: str) -> str:
    """A page with the present text between its marks."""
    before, _begin, rest = page.partition(_BEGIN)
    _old, _end, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n\n{text()}\n\n{_END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
