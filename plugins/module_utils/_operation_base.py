# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan consists of. An operation knows how to apply itself, how to undo itself, and how it reads as a command.

The commands are iproute2's, nft's and sysctl's; run by a shell they give the same
kernel state. Every word in them is quoted; the engine itself starts no shell.
"""

from __future__ import annotations

import abc
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._model import spoken
from ._netlink import Message, require_pyroute2

if TYPE_CHECKING:
    from ._kernel import Kernel


def ip_words(namespace: str) -> list[str]:
    """How a command of iproute2 begins."""
    return ["ip", "-n", spoken(namespace)] if namespace else ["ip"]


class Operation(abc.ABC):
    """One step of a plan."""

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        """BridgenetError where this host cannot do such a step at all; asked before the first change."""
        return  # most need nothing

    @abc.abstractmethod
    def commands(self) -> tuple[str, ...]:
        """The step as lines for a shell."""

    def guarded(self) -> tuple[str, ...]:
        """The step as lines of a script, see _boot_script, which may be started when it has been done already."""
        return self.commands()  # most do nothing then

    @abc.abstractmethod
    def undo(self) -> tuple[Operation, ...]:
        """What brings back the state before this step."""


class Step(Operation):
    """An operation that is more than one netlink message, or none."""

    @abc.abstractmethod
    def perform(self, kernel: Kernel) -> None:
        """Do it; an OSError or BridgenetError where that fails."""


@dataclass(frozen=True)
class NetlinkOperation(Operation, abc.ABC):
    """An operation that is exactly one netlink message in one namespace: neighbours travel in one send."""

    namespace: str

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        require_pyroute2()

    @abc.abstractmethod
    def message(self, kernel: Kernel) -> Message:
        """The message; `kernel` knows indices and descriptors."""

    @abc.abstractmethod
    def words(self) -> list[str]:
        """The command of iproute2 behind `ip -n NAMESPACE`."""

    @property
    def takes_along(self) -> bool:
        """Whether the kernel removes more than the message says: only sent when what goes with it has been removed."""
        return False

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(ip_words(self.namespace) + self.words()),)
