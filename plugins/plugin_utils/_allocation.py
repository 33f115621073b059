# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of a fleet has which index."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from ..module_utils._errors import BridgenetError
from . import _readers as read
from ._parts import COUNT, INDEX


def allocate(given: Mapping[str, Any], known: Mapping[str, Any], count: Any, prune: bool) -> dict[str, int]:
    """An index for every host, in the order of the indexes: the `given` one, the `known` one, or the lowest free one.

    A host that is only `known` is gone. Nobody gets its index, unless `prune` forgets it.
    """
    found: dict[str, int] = {}
    for name, index in {**known, **{name: index for name, index in given.items() if index not in (None, "")}}.items():
        if name in given or not prune:
            with read.at(f"host {name!r}"):
                found[name] = read.whole(INDEX, index)
    _check(found)
    taken = set(found.values())
    free = (index for index in itertools.count() if index not in taken)
    for name in given:
        if name not in found:
            found[name] = next(free)
    _check_count(found, count)
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _check(indexes: Mapping[str, int]) -> None:
    owners: dict[int, str] = {}
    for name, index in sorted(indexes.items()):
        if index < 0:
            raise BridgenetError(f"host {name!r}: {INDEX} {index} is below 0; write another")
        if index in owners:
            raise BridgenetError(
                f"hosts {owners[index]!r} and {name!r} have the same {INDEX}, {index}, so they would give out the same "
                "subnets and addresses; give one of the two another"
            )
        owners[index] = name


def _check_count(indexes: Mapping[str, int], count: Any) -> None:
    if count is None:
        return
    most = read.whole(COUNT, count)
    for name, index in indexes.items():
        if index >= most:
            raise BridgenetError(
                f"host {name!r} has {INDEX} {index}, but there is room for {most} hosts, from 0 to {most - 1}; write a "
                f"larger {COUNT}, or let `prune` forget hosts that are gone"
            )
