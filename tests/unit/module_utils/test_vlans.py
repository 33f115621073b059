# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VLANs: from any to any other, and back, by messages that a kernel takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils._model import Link, Vlan
from ansible_collections.nslab.bridgenet.plugins.module_utils._operation_base import Operation
from ansible_collections.nslab.bridgenet.plugins.module_utils._operations_vlan import SetVlans, vlan_steps
from ansible_collections.nslab.bridgenet.plugins.module_utils._vlans import initial, with_vlans

Vlans = tuple[Vlan, ...]


@st.composite
def vlans(draw: st.DrawFn) -> Vlans:
    """Some VLANs, at most one of them the PVID."""
    untagged = draw(st.dictionaries(st.integers(1, 9), st.booleans(), max_size=9))
    pvid = draw(st.sampled_from([0, *untagged]))
    return tuple(Vlan(vid, vid == pvid, untagged[vid]) for vid in sorted(untagged))


class Port:
    """A port in memory (net/bridge/br_vlan.c): adding a VLAN sets its flags, and there is one PVID."""

    def __init__(self, start: Vlans) -> None:
        self.untagged = {vlan.vid: vlan.untagged for vlan in start}
        self.pvid = next((vlan.vid for vlan in start if vlan.pvid), 0)

    def run(self, operations: Iterable[Operation]) -> None:
        """Carry out operations."""
        for one in operations:
            assert isinstance(one, SetVlans)
            several = one.after or one.before
            assert [vlan.vid for vlan in several] == list(range(several[0].vid, several[-1].vid + 1))
            assert len({(vlan.pvid, vlan.untagged) for vlan in several}) == 1
            assert not several[0].pvid or len(several) == 1
            for vlan in several:
                if one.after:
                    self.untagged[vlan.vid] = vlan.untagged
                else:
                    del self.untagged[vlan.vid]
                if one.after and vlan.pvid:
                    self.pvid = vlan.vid
                elif self.pvid == vlan.vid:
                    self.pvid = 0

    @property
    def vlans(self) -> Vlans:
        return tuple(Vlan(vid, vid == self.pvid, untagged) for vid, untagged in sorted(self.untagged.items()))


@given(vlans(), vlans())
def test_from_any_to_any_other(old: Vlans, new: Vlans) -> None:
    """What is planned gives what is declared; undone in reverse, what was there."""
    link = Link("v0", master="br0", vlans=new)
    operations = vlan_steps("", old, link)
    assert bool(operations) == (old != new)
    port = Port(old)
    port.run(operations)
    assert port.vlans == new
    for operation in reversed(operations):
        port.run(operation.undo())
    assert port.vlans == old


@given(vlans(), vlans(), st.booleans())
def test_declared(old: Vlans, want: Vlans, exclusive: bool) -> None:
    """Declared again nothing changes; one VLAN at most is the PVID; what is not declared stays unless exclusive."""
    link = with_vlans(Link("v0", master="br0", vlans=old), want, exclusive)
    assert link.vlans is not None
    assert with_vlans(link, want, exclusive) is link
    assert set(want) <= set(link.vlans)
    assert sum(vlan.pvid for vlan in link.vlans) <= 1
    wanted = {vlan.vid for vlan in want}
    others = {dataclasses.replace(vlan, pvid=False) for vlan in old if vlan.vid not in wanted}
    assert {dataclasses.replace(vlan, pvid=False) for vlan in link.vlans if vlan.vid not in wanted} == (
        set() if exclusive else others
    )


def test_initial() -> None:
    """A port begins with the VLAN that its bridge gives."""
    assert initial(Link("v0")) == (Vlan(1, True, True),)
    assert initial(Link("v0", default_pvid=7)) == (Vlan(7, True, True),)
    assert initial(Link("v0", default_pvid=0)) == ()


def test_commands() -> None:
    """As iproute2 has them."""
    link = Link("v0", master="br0", vlans=(Vlan(4), Vlan(5), Vlan(7, True, True)))
    commands = [command for one in vlan_steps("a", None, link) for command in one.commands()]
    assert commands == [
        "bridge -n a vlan del dev v0 vid 1",
        "bridge -n a vlan add dev v0 vid 4-5",
        "bridge -n a vlan add dev v0 vid 7 pvid untagged",
    ]
    bridge = Link("br0", kind="bridge", vlans=(Vlan(1, False, True),))
    assert [one.commands() for one in vlan_steps("", None, bridge)] == [
        ("bridge vlan add dev br0 vid 1 untagged self",)
    ]
