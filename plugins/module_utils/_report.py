# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The diff that a person follows: the objects that change, before and after, as indented lines."""

from __future__ import annotations

from typing import Any

from ._engine import Report


def _lines(value: Any, indent: str) -> list[str]:
    if isinstance(value, dict):
        lines = []
        for key, inner in value.items():
            if isinstance(inner, dict) or (isinstance(inner, list) and inner and isinstance(inner[0], dict)):
                lines.append(f"{indent}{key}:")
                lines += _lines(inner, indent + "  ")
            elif isinstance(inner, list):
                lines.append(f"{indent}{key}: {', '.join(str(item) for item in inner) or 'none'}")
            elif isinstance(inner, bool):
                lines.append(f"{indent}{key}: {'yes' if inner else 'no'}")
            else:
                lines.append(f"{indent}{key}: {inner}")
        return lines
    if isinstance(value, list):
        return [f"{indent}{' '.join(f'{key} {inner}' for key, inner in item.items())}" for item in value]
    return [f"{indent}{value}"]


def diff(report: Report) -> dict[str, str]:
    """For Ansible's --diff: only what differs."""
    old = {(module, what): view for module, what, view in report.before}
    new = {(module, what): view for module, what, view in report.after}
    keys = [*old, *(key for key in new if key not in old)]
    changed = [key for key in keys if old.get(key) != new.get(key)]
    before = "".join(f"{setting.what}: {setting.before}\n" for setting in report.settings)
    after = "".join(f"{setting.what}: {setting.after}\n" for setting in report.settings)
    return {"before": _text(old, changed) + before, "after": _text(new, changed) + after}


def _text(views: dict[tuple[str, str], dict[str, Any]], keys: list[tuple[str, str]]) -> str:
    lines: list[str] = []
    for key in keys:
        if key in views:
            lines.append(key[1])
            lines += _lines(views[key], "  ")
    return "".join(f"{line}\n" for line in lines)
