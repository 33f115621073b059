# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message that was filled in is, byte for byte, the one that pyroute2 encodes."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _netlink
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import BridgeOptions, Link, PortOptions, Route
from ansible_collections.nslab.bridgenet.plugins.module_utils._operation_base import NetlinkOperation
from ansible_collections.nslab.bridgenet.plugins.module_utils._operations import (
    AddAddress,
    AddRoute,
    CreateBridge,
    CreateVeth,
    DelAddress,
    DelRoute,
    SetBridge,
    SetLink,
    SetPort,
)


class Numbers:
    """Indices and descriptors, as a kernel would give them."""

    def __init__(self, number: int) -> None:
        self._number = number

    def index(self, _namespace: str, _name: str) -> int:
        return self._number

    def descriptor(self, _namespace: str) -> int:
        return self._number + 1


def end(number: int, **more: object) -> Link:
    return Link(f"if{number:03}", mac=f"02:00:00:00:0a:{number:02x}", mtu=1400 + number, up=bool(number % 2), **more)


def operations(number: int) -> list[NetlinkOperation]:
    """One of each; those of another number have other values at the same places."""
    bridge = BridgeOptions(True, 200 + number, 100 * number, True, True, False, True)
    port = PortOptions(bool(number % 2), True, number, 63 - number, False, True)
    label = f"bridgenet:1:default:n{number:03}"
    return [
        CreateVeth("", end(number, master="br0"), "ns", end(number + 1)),
        CreateVeth("a", end(number), "a", end(number + 1)),
        CreateBridge("", Link("br0", mac=f"02:00:00:00:0b:{number:02x}", bridge=bridge)),
        SetBridge("", "br0", bridge, bridge),
        SetPort("", f"if{number:03}", port, port),
        SetLink("", f"if{number:03}", (), (("mac", f"02:00:00:00:0c:{number:02x}"), ("mtu", 1000 + number))),
        SetLink("", f"if{number:03}", (), (("label", label), ("up", True), ("master", "br0"))),
        SetLink("", f"if{number:03}", (), (("master", ""), ("label", ""))),
        AddAddress("", "if", f"10.0.{number:03}.1/24".replace(".0", ".1")),
        AddAddress("", "if", f"fd00::{number:04x}/64"),
        DelAddress("", "if", f"10.1.{100 + number}.1/24"),
        AddRoute("", "if", Route("default", f"10.1.{100 + number}.2", 5)),
        AddRoute("", "if", Route("::/0", f"fd00::{number:04x}", 1024)),
        DelRoute("", "if", Route(f"10.1.{100 + number}.0/24")),
    ]


@pytest.mark.parametrize("position", range(len(operations(1))))
def test_filled_in_as_encoded(position: int) -> None:
    _netlink.require_pyroute2()
    shapes = set()
    for number in (3, 4, 57):
        message = operations(number)[position].message(Numbers(number))  # type: ignore[arg-type]
        anew = bytearray(_netlink._encode_anew(message))
        struct.pack_into("=I", anew, 8, number)
        assert _netlink._encode(message, number) == bytes(anew)
        shapes.add(_netlink.shape_of(message.attrs))
    assert len(shapes) == 1, "nothing was filled in"


def test_every_shape_can_be_filled_in() -> None:
    _netlink.require_pyroute2()
    _netlink._templates.clear()
    for operation in operations(7):
        _netlink._encode(operation.message(Numbers(7)), 1)  # type: ignore[arg-type]
    assert None not in _netlink._templates.values()
