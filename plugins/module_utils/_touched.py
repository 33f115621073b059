# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change touches, so that only this is read back. Pure.

An object that the plan leaves as it is is the very same object in the current and in the predicted state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ._model import HOST, Host, Link


@dataclass(frozen=True)
class Touched:
    """What has to be looked at again."""

    names: frozenset[str] = frozenset()  # of namespaces that differ, or that another one has now
    namespaces: frozenset[str] = frozenset()  # where they stand, besides the host
    links: frozenset[str] = frozenset()  # of the host
    firewall: bool = False
    names_known: bool = False

    def link(self, namespace: str, name: str) -> bool:
        """Whether a link is touched, in the host or in the namespace of some name."""
        return namespace in self.names if namespace else name in self.links


def touched(current: Host, predicted: Host) -> Touched:
    """What differs between two states of a host, and what the kernel may change along with it."""
    before, after = current.names, predicted.names
    moved = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    namespaces = {
        name
        for name in {*current.namespaces, *predicted.namespaces}
        if current.namespaces.get(name) is not predicted.namespaces.get(name)
    }
    namespaces.update(key for names in (before, after) for name, key in names.items() if name in moved)
    named = {name for names in (before, after) for name, key in names.items() if key in namespaces}
    return Touched(
        frozenset(named),
        frozenset(namespaces - {HOST}),
        frozenset(_links(current.namespaces[HOST].links, predicted.namespaces[HOST].links)),
        current.firewall != predicted.firewall,
        current.names_known != predicted.names_known,
    )


def _links(before: Mapping[str, Link], after: Mapping[str, Link]) -> set[str]:
    """The links that differ, the bridges that they are or were ports of, and what stands on them."""
    if before is after:
        return set()
    changed = {name for name in {*before, *after} if before.get(name) is not after.get(name)}
    found = set(changed)
    for links in (before, after):
        found.update(link.name for link in links.values() if link.master in changed or link.lower in changed)
        found.update(links[name].master or name for name in changed if name in links)
    return found
