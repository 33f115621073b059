# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""More questions at once than a socket has room for."""

from __future__ import annotations

import socket
from typing import Any, cast

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _pings


class Busy:
    """A socket that has no room for so many times: what was sent before waits for neighbours."""

    def __init__(self, times: float) -> None:
        self._times = times
        self.sent: list[bytes] = []
        self._real = socket.socketpair()

    def fileno(self) -> int:
        return self._real[0].fileno()

    def sendto(self, message: bytes, _to: Any) -> None:
        self._times -= 1
        if self._times >= 0:
            raise BlockingIOError
        self.sent.append(message)

    def close(self) -> None:
        for one in self._real:
            one.close()


def sent(busy: Busy) -> list[bytes]:
    this = _pings._Round([])
    try:
        this._send(cast(socket.socket, busy), b"?", ("10.0.0.1", 0))
        return busy.sent
    finally:
        this.close()
        busy.close()


def test_it_waits_for_room() -> None:
    assert sent(Busy(3)) == [b"?"]


def test_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pings, "_ROOM", 0.05)
    with pytest.raises(BlockingIOError):
        sent(Busy(float("inf")))
