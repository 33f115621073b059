# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VLANs of bridge ports and of bridges themselves, as messages and as commands."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._model import Link, Vlan, spoken
from ._netlink import AF_BRIDGE, RTM_DELLINK, RTM_SETLINK, Message
from ._operation_base import NetlinkOperation, Operation
from ._vlans import Vlans, initial, ranges, vid_text

if TYPE_CHECKING:
    from ._kernel import Kernel

_SELF = 2  # BRIDGE_FLAGS_SELF (linux/if_bridge.h)
_PVID, _UNTAGGED, _RANGE_BEGIN, _RANGE_END = 0x2, 0x4, 0x8, 0x10  # BRIDGE_VLAN_INFO_*


@dataclass(frozen=True)
class SetVlans(NetlinkOperation):
    """Neighbouring VLANs of one link, with the same flags: they come, change, or go where `after` is none."""

    link: str
    own: bool  # of the bridge itself
    before: Vlans
    after: Vlans

    @property
    def takes_along(self) -> bool:
        return bool(self.after) and self.after[0].pvid  # another VLAN's, unless that has given it up

    def message(self, kernel: Kernel) -> Message:
        vlans = self.after or self.before
        flags = (_PVID if vlans[0].pvid else 0) | (_UNTAGGED if vlans[0].untagged else 0)
        spec: list[tuple[str, Any]] = [("IFLA_BRIDGE_FLAGS", _SELF)] if self.own else []
        if len(vlans) == 1:
            spec.append(("IFLA_BRIDGE_VLAN_INFO", {"flags": flags, "vid": vlans[0].vid}))
        else:
            spec.append(("IFLA_BRIDGE_VLAN_INFO", {"flags": flags | _RANGE_BEGIN, "vid": vlans[0].vid}))
            spec.append(("IFLA_BRIDGE_VLAN_INFO", {"flags": flags | _RANGE_END, "vid": vlans[-1].vid}))
        fields = {"family": AF_BRIDGE, "index": kernel.index(self.namespace, self.link)}
        kind = RTM_SETLINK if self.after else RTM_DELLINK
        return Message("vlan", kind, 0, fields, [("IFLA_AF_SPEC", {"attrs": spec})])

    def words(self) -> list[str]:
        vlans = list(self.after or self.before)
        words = ["vlan", "add" if self.after else "del", "dev", self.link, "vid", vid_text(vlans)]
        if self.after:
            words += [word for word in ("pvid", "untagged") if getattr(vlans[0], word)]
        return [*words, "self"] if self.own else words

    def commands(self) -> tuple[str, ...]:
        bridge = ["bridge", "-n", spoken(self.namespace)] if self.namespace else ["bridge"]
        return (shlex.join(bridge + self.words()),)

    def undo(self) -> tuple[Operation, ...]:
        change = dataclasses.replace(self, before=self.after, after=())
        if not self.before:
            return (change,)
        return tuple(dataclasses.replace(change, after=tuple(several)) for several in ranges(self.before))


def vlan_steps(namespace: str, before: Vlans | None, link: Link) -> list[Operation]:
    """From some VLANs of a link, None for those that it begins with, to those that it is to have.

    What is to be the PVID takes that from another one, which therefore loses it before.
    """
    if link.vlans is None or not (link.master or link.kind == "bridge"):
        return []
    old = {vlan.vid: vlan for vlan in (initial(link) if before is None else before)}
    new = {vlan.vid: vlan for vlan in link.vlans}
    found: list[Operation] = []

    def step(was: list[Vlan], now: list[Vlan]) -> None:
        found.append(SetVlans(namespace, link.name, link.kind == "bridge", tuple(was), tuple(now)))

    for several in ranges(vlan for vid, vlan in old.items() if vid not in new):
        step(several, [])
    comes = [vlan for vlan in link.vlans if vlan.vid not in old]
    changes = [vlan for vlan in link.vlans if vlan.vid in old and vlan != old[vlan.vid]]
    for several in sorted([*ranges(comes), *ranges(changes)], key=lambda vlans: (vlans[0].pvid, vlans[0].vid)):
        step([old[vlan.vid] for vlan in several if vlan.vid in old], several)
    return found
