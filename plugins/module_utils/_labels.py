# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ownership, kept in the kernel: an interface alias, or the comment of an nft element or rule."""

from __future__ import annotations

from dataclasses import dataclass

_MARK = "bridgenet:1:"


@dataclass(frozen=True)
class Label:
    """Who made an object: `bridgenet:1:PROJECT:OBJECT`, where 1 is the version of this format."""

    project: str
    object: str

    def __str__(self) -> str:
        return f"{_MARK}{self.project}:{self.object}"


def parse(text: str) -> Label | None:
    """The label in an alias or comment; None where somebody else wrote it, or nobody."""
    if not text.startswith(_MARK):
        return None
    project, _sep, name = text[len(_MARK) :].partition(":")
    return Label(project, name) if project and name else None
