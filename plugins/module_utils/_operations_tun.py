# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the ioctls of tun and tap devices can do: make one. Netlink does the rest."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _tun
from ._model import TunOptions
from ._operation_base import Operation, Step, ip_words
from ._operations import DeleteLinks

if TYPE_CHECKING:
    from ._kernel import Kernel


@dataclass(frozen=True)
class CreateTun(Step):
    """A persistent tun or tap, still down."""

    namespace: str
    name: str
    options: TunOptions

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        _tun.require()

    def perform(self, kernel: Kernel) -> None:
        with kernel.inside(self.namespace):
            _tun.create(self.name, self.options)

    def commands(self) -> tuple[str, ...]:
        options = self.options
        words = [*ip_words(self.namespace), "tuntap", "add", "dev", self.name, "mode", str(options.mode)]
        words += ["user", options.owner] if options.owner else []
        words += ["group", options.group] if options.group else []
        words += ["multi_queue"] if options.multi_queue else []
        words += ["pi"] if options.packet_info else []
        words += ["vnet_hdr"] if options.vnet_hdr else []
        return (shlex.join(words),)

    def guarded(self) -> tuple[str, ...]:
        made = shlex.join(["made_tun", self.name, *([self.namespace] if self.namespace else [])])
        return (f"{made} || {self.commands()[0]}",)

    def undo(self) -> tuple[Operation, ...]:
        return (DeleteLinks(self.namespace, (self.name,), ()),)
