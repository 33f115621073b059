# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queueing disciplines, as messages and as commands."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _qdisc
from ._model import Link, Qdisc, spoken
from ._netlink import NLM_F_CREATE, NLM_F_EXCL, RTM_DELQDISC, RTM_NEWQDISC, Message
from ._operation_base import NetlinkOperation, Operation
from ._qdisc import Layer

if TYPE_CHECKING:
    from ._kernel import Kernel


@dataclass(frozen=True)
class SetQdisc(NetlinkOperation):
    """A layer of a link's queueing comes, changes in place, or goes."""

    link: str
    depth: int  # 0 at the root
    before: Layer | None
    after: Layer | None

    @property
    def takes_along(self) -> bool:
        return self.after is None and self.depth == 0  # what is inside

    def message(self, kernel: Kernel) -> Message:
        handle, parent = _qdisc.place(self.depth)
        fields = {"family": 0, "index": kernel.index(self.namespace, self.link), "handle": handle, "parent": parent}
        if self.after is None:
            return Message("qdisc", RTM_DELQDISC, 0, fields, [])
        attrs: list[tuple[str, Any]] = [("TCA_KIND", _qdisc.kind(self.after))]
        attrs.append(("TCA_OPTIONS", _qdisc.encode(self.after)))
        return Message("qdisc", RTM_NEWQDISC, 0 if self.before else NLM_F_CREATE | NLM_F_EXCL, fields, attrs)

    def words(self) -> list[str]:
        return self._words("del" if self.after is None else "change" if self.before else "add")

    def _words(self, verb: str) -> list[str]:
        handle = f"{_qdisc.HANDLE + self.depth:x}:"
        words = ["qdisc", verb, "dev", self.link]
        words += ["parent", f"{_qdisc.HANDLE:x}:1"] if self.depth else ["root"]
        words += ["handle", handle]
        return words if self.after is None else [*words, _qdisc.kind(self.after), *_qdisc.words(self.after)]

    def commands(self) -> tuple[str, ...]:
        return (self._command(self.words()),)

    def _command(self, words: list[str]) -> str:
        return shlex.join([*(["tc", "-n", spoken(self.namespace)] if self.namespace else ["tc"]), *words])

    def guarded(self) -> tuple[str, ...]:
        return (self._command(self._words("del" if self.after is None else "replace")),)

    def undo(self) -> tuple[Operation, ...]:
        return (dataclasses.replace(self, before=self.after, after=self.before),)


def qdisc_steps(namespace: str, before: Qdisc | None, link: Link) -> list[Operation]:
    """From some queueing of a link, None for what the kernel gives, to what it is to have."""
    if link.qdisc is None:
        return []
    old, new = _qdisc.layers(before or Qdisc()), _qdisc.layers(link.qdisc)
    numbers = range(max(len(old), len(new)))
    if [_qdisc.kind(layer) for layer in old] == [_qdisc.kind(layer) for layer in new]:
        changed = [number for number in numbers if old[number] != new[number]]
        return [SetQdisc(namespace, link.name, number, old[number], new[number]) for number in changed]
    # What is inside goes first and comes last, so that undoing it in reverse works, too.
    gone = [SetQdisc(namespace, link.name, number, layer, None) for number, layer in enumerate(old)]
    return [*reversed(gone), *(SetQdisc(namespace, link.name, number, None, layer) for number, layer in enumerate(new))]
