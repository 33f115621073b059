# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ownership, kept in the kernel: an interface alias, or the comment of an nft element or rule; of a file, in it."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from dataclasses import dataclass

MARK = "bridgenet:1:"
_LISTED = re.compile("([=@])")


@dataclass(frozen=True)
class Label:
    """Who made an object: `bridgenet:1:PROJECT:OBJECT`, where 1 is the version of this format.

    A namespace's label says as well under which names we published it, the name of its owner
    first: `OBJECT=NAME,NAME`, or `OBJECT@NAME` where somebody else made it and we adopted it.
    Without a list, its one name is meant.
    """

    project: str
    object: str
    names: tuple[str, ...] = ()
    adopted: bool = False

    def __str__(self) -> str:
        text = f"{MARK}{self.project}:{self.object}"
        if not self.adopted and self.names in ((), (self.object,)):
            return text
        return f"{text}{'@' if self.adopted else '='}{','.join(self.names)}"

    def is_of(self, other: Label | None) -> bool:
        """Whether two labels name the same object, whatever its names."""
        return other is not None and (self.project, self.object) == (other.project, other.object)

    def published(self, names: Collection[str]) -> tuple[str, ...]:
        """Those of a namespace's present `names` that are ours."""
        listed = self.names or ((self.object,) if self.object in names or len(names) != 1 else tuple(names))
        return tuple(name for name in listed if name in names)


def of_file(text: str) -> str:
    """What stands where a file of ours has its label: its first line, without the #."""
    return text.partition("\n")[0].lstrip("# ")


@functools.cache
def parse(text: str) -> Label | None:
    """The label in an alias or comment; None where somebody else wrote it, or nobody."""
    if not text.startswith(MARK):
        return None
    project, _sep, rest = text[len(MARK) :].partition(":")
    name, *listed = _LISTED.split(rest, maxsplit=1)
    if not project or not name:
        return None
    if not listed:
        return Label(project, name)
    return Label(project, name, tuple(listed[1].split(",")), listed[0] == "@")
