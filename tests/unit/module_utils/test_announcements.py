# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links that take no MAC address: neighbours find out by themselves."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager, nullcontext
from typing import cast

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _announcements, _sysctl
from ansible_collections.nslab.bridgenet.plugins.module_utils._kernel import Kernel
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import HOST, Host, Link, Namespace
from ansible_collections.nslab.bridgenet.plugins.module_utils._netlink import Message, Refused


class Refusing:
    """A kernel that refuses every message."""

    def __init__(self, number: int) -> None:
        self._refusal = Refused(number, os.strerror(number))

    def inside(self, _namespace: str) -> AbstractContextManager[None]:
        return nullcontext()

    def socket(self, _namespace: str) -> Refusing:
        return self

    def send(self, messages: list[Message]) -> list[Refused]:
        return [self._refusal for _message in messages]


@pytest.mark.parametrize(
    ("number", "matters"),
    [(errno.EOPNOTSUPP, False), (errno.EBUSY, False), (errno.EPERM, False), (errno.ENODEV, True)],
)
def test_a_link_that_refuses(monkeypatch: pytest.MonkeyPatch, number: int, matters: bool) -> None:
    monkeypatch.setattr(_sysctl, "read_all", lambda _keys: {})
    step = _announcements.Announce("", "ipvl0", "02:00:00:00:00:01", (4,))
    if matters:
        with pytest.raises(Refused):
            step.perform(cast(Kernel, Refusing(number)))
    else:
        step.perform(cast(Kernel, Refusing(number)))


@pytest.mark.parametrize(("mac", "asked"), [("02:00:00:00:00:01", 1), ("c0:a8:00:01", 0)])
def test_a_tunnel_has_an_address_of_another_length(mac: str, asked: int) -> None:
    def host(name: str, *addresses: str) -> Host:
        other = "e1" if name == "e0" else "e0"
        links = {
            name: Link(name, kind="", mac=mac, up=True, label="", master="", addresses=addresses, routes=()),
            other: Link(other, kind="", mac="02:00:00:00:00:09", up=True, label="", master="", addresses=(), routes=()),
        }
        return Host({HOST: Namespace(HOST, links)})

    before = host("e0")
    before.namespaces[HOST].links["e1"] = before.namespaces[HOST].links["e1"].but(addresses=("10.0.0.1/24",))  # type: ignore[index]
    assert len(_announcements.announcements(before, host("e0", "10.0.0.1/24"))) == asked
