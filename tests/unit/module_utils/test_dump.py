# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps during which something changes: told by any of their messages, and asked for again."""

from __future__ import annotations

import socket
import struct
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _decode, _netlink
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError

INTERRUPTED = 0x10
ROW, DONE = 16, _decode.NLMSG_DONE


def message(kind: int, flags: int = 0, text: bytes = b"\0" * 4) -> bytes:
    return struct.pack("=IHHII", 16 + len(text), kind, flags, 1, 0) + text


class Kernel:
    """Answers in turn, and the last one for ever."""

    def __init__(self, *dumps: list[bytes]) -> None:
        self._dumps = list(dumps)
        self._current: list[bytes] = []
        self.asked = 0

    def setsockopt(self, *_options: Any) -> None:
        """Takes any."""

    def send(self, _data: bytes) -> None:
        self.asked += 1
        self._current = list(self._dumps.pop(0) if len(self._dumps) > 1 else self._dumps[0])

    def recv(self, _size: int) -> bytes:
        return self._current.pop(0)


def dumped(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> list[bytes]:
    monkeypatch.setattr(socket, "socket", lambda *_arguments: kernel)
    return _netlink.Socket()._dump(18, b"")


WHOLE = [message(ROW) + message(ROW), message(ROW), message(DONE)]


@pytest.mark.parametrize(
    "interrupted",
    [
        [message(ROW), message(ROW, INTERRUPTED) + message(ROW), message(DONE)],
        [message(ROW), message(ROW) + message(ROW, INTERRUPTED), message(DONE)],
        [message(ROW), message(DONE, INTERRUPTED)],
    ],
)
def test_it_is_asked_for_again(monkeypatch: pytest.MonkeyPatch, interrupted: list[bytes]) -> None:
    kernel = Kernel(interrupted, interrupted, WHOLE)
    assert len(dumped(monkeypatch, kernel)) == 3
    assert kernel.asked == 3


def test_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel([message(ROW, INTERRUPTED), message(DONE)])
    with pytest.raises(BridgenetError, match="the network was changed by others during each of 50 attempts to read it"):
        dumped(monkeypatch, kernel)
    assert kernel.asked == 50
