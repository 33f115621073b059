# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VXLAN links and where they flood, as messages and as commands."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _names
from ._model import Link, VxlanOptions, spoken
from ._netlink import (
    AF_BRIDGE,
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_EXCL,
    RTM_DELNEIGH,
    RTM_NEWLINK,
    RTM_NEWNEIGH,
    Message,
)
from ._operation_base import NetlinkOperation, Operation
from ._operations import DeleteLinks, require_kind, unless_made

if TYPE_CHECKING:
    from ._kernel import Kernel

_EVERYBODY = "00:00:00:00:00:00"  # broadcast, multicast, and unicast of which nobody knows where it goes
_NTF_SELF, _NUD_NOARP, _NUD_PERMANENT = 0x02, 0x40, 0x80  # linux/neighbour.h


@dataclass(frozen=True)
class CreateVxlan(NetlinkOperation):
    """A VXLAN link, still down."""

    link: Link

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        require_kind(kernel, "vxlan")

    @property
    def _options(self) -> VxlanOptions:
        return self.link.vxlan or VxlanOptions()

    def message(self, kernel: Kernel) -> Message:
        options = self._options
        data: list[tuple[str, Any]] = [("IFLA_VXLAN_ID", options.vni)]
        if options.local:
            which = "IFLA_VXLAN_LOCAL6" if _names.family(options.local) == 6 else "IFLA_VXLAN_LOCAL"
            data.append((which, options.local))
        data += [("IFLA_VXLAN_PORT", options.port), ("IFLA_VXLAN_LEARNING", int(bool(options.learning)))]
        data += [("IFLA_VXLAN_TTL", options.ttl)] if options.ttl else []
        info = {"attrs": [("IFLA_INFO_KIND", "vxlan"), ("IFLA_INFO_DATA", {"attrs": data})]}
        attrs: list[tuple[str, Any]] = [
            ("IFLA_IFNAME", self.link.name),
            ("IFLA_ADDRESS", self.link.mac),
            ("IFLA_MTU", self.link.mtu),
        ]
        attrs.append(("IFLA_LINKINFO", info))
        return Message("link", RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, {"index": 0, "flags": 0, "change": 0}, attrs)

    def words(self) -> list[str]:
        options = self._options
        words = ["link", "add", "name", self.link.name, "address", str(self.link.mac), "mtu", str(self.link.mtu)]
        words += ["type", "vxlan", "id", str(options.vni)]
        words += ["local", options.local] if options.local else []
        words += ["dstport", str(options.port), "learning" if options.learning else "nolearning"]
        words += ["ttl", str(options.ttl)] if options.ttl else []
        return words

    def guarded(self) -> tuple[str, ...]:
        return (unless_made(self.namespace, self.link, self.commands()[0]),)

    def undo(self) -> tuple[Operation, ...]:
        return (DeleteLinks(self.namespace, (self.link.name,), ()),)


@dataclass(frozen=True)
class SetFlood(NetlinkOperation):
    """A destination of what a VXLAN link floods: it comes, or goes."""

    link: str
    peer: str
    comes: bool

    def message(self, kernel: Kernel) -> Message:
        fields = {
            "family": AF_BRIDGE,
            "ifindex": kernel.index(self.namespace, self.link),
            "state": _NUD_PERMANENT | _NUD_NOARP,
            "flags": _NTF_SELF,
        }
        attrs = [("NDA_LLADDR", _EVERYBODY), ("NDA_DST", self.peer)]
        if self.comes:
            return Message("neighbour", RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_APPEND, fields, attrs)
        return Message("neighbour", RTM_DELNEIGH, 0, fields, attrs)

    def words(self) -> list[str]:
        words = ["fdb", "append" if self.comes else "del", _EVERYBODY, "dev", self.link, "dst", self.peer, "self"]
        return [*words, "permanent"] if self.comes else words

    def commands(self) -> tuple[str, ...]:
        bridge = ["bridge", "-n", spoken(self.namespace)] if self.namespace else ["bridge"]
        return (shlex.join(bridge + self.words()),)

    def undo(self) -> tuple[Operation, ...]:
        return (dataclasses.replace(self, comes=not self.comes),)


def flood_steps(namespace: str, before: tuple[str, ...] | None, link: Link) -> list[Operation]:
    """From some destinations to those that a link is to have."""
    old, new = before or (), link.flood or ()
    found: list[Operation] = [SetFlood(namespace, link.name, peer, True) for peer in new if peer not in old]
    return found + [SetFlood(namespace, link.name, peer, False) for peer in old if peer not in new]
