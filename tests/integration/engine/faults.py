# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes one event of a run fail: a netlink message that the kernel refuses, or a step that raises."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _engine
from ansible_collections.nslab.bridgenet.plugins.module_utils._kernel import Kernel
from ansible_collections.nslab.bridgenet.plugins.module_utils._netlink import RTM_NEWADDR, Message, Refused, Socket
from ansible_collections.nslab.bridgenet.plugins.module_utils._operation_base import Operation, Step

# The kernel refuses it (EINVAL) and goes on with the messages behind it.
_NONSENSE = Message("address", RTM_NEWADDR, 0, {"family": 2, "prefixlen": 99, "index": 1}, [("IFA_LOCAL", "10.0.0.1")])


class Fault:
    """Event number `at` of the way forward fails; undoing works."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self.forward = False
        self.step: Operation | None = None  # the one that is being performed
        self.sending: Sequence[Operation] = ()
        self.victim: Operation | None = None

    def strikes(self, victim: Operation | None) -> bool:
        """Whether this event is the one."""
        if not self.forward:
            return False
        strikes = self.count == self.at
        self.count += 1
        if strikes:
            self.victim = victim
        return strikes


@dataclass(frozen=True)
class _Watched(Step):
    """A step that tells the fault that it is on."""

    inner: Step
    fault: Fault

    def perform(self, kernel: Kernel) -> None:
        if self.fault.strikes(self.inner):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.fault.step = self.inner
        self.inner.perform(kernel)
        self.fault.step = None

    def commands(self) -> tuple[str, ...]:
        return self.inner.commands()

    def undo(self) -> tuple[Operation, ...]:
        return self.inner.undo()


class _FaultyKernel(Kernel):
    fault: Fault

    def apply(self, operations: Sequence[Operation]) -> None:
        self.fault.forward = True
        super().apply([_Watched(one, self.fault) if isinstance(one, Step) else one for one in operations])

    def _flush(self) -> None:
        self.fault.sending = list(self._pending)
        super()._flush()

    def _roll_back(self) -> str:
        self.fault.forward = False
        return super()._roll_back()


def inject(monkeypatch: pytest.MonkeyPatch, at: int) -> Fault:
    """From now on runs of the engine fail at event number `at`."""
    fault = Fault(at)
    send = Socket.send

    def faulty(self: Socket, batch: Sequence[Message]) -> list[Refused | None]:
        if not fault.forward:
            return send(self, batch)
        operations: Sequence[Any] = [fault.step] * len(batch) if fault.step else fault.sending
        return send(self, [_NONSENSE if fault.strikes(one) else message for one, message in zip(operations, batch)])

    monkeypatch.setattr(Socket, "send", faulty)
    monkeypatch.setattr(_engine, "Kernel", type("_Kernel", (_FaultyKernel,), {"fault": fault}))
    return fault
