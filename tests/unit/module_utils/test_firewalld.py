# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which zone of firewalld a bridge is in, and which it is to be in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils import _firewalld, _iptables

NOW, EVER = False, True

names = st.sampled_from(["br0", "br1", "eth0"])
bindings = st.dictionaries(st.tuples(names, st.booleans()), st.sampled_from(["trusted", "public"]))


def test_answers() -> None:
    answer = '{"type":"a{sa{sas}}","data":[{"trusted":{"interfaces":["br0","br1"]},"work":{"sources":["10.0.0.0/8"]}}]}'
    assert _firewalld.active(answer) == {("br0", NOW): "trusted", ("br1", NOW): "trusted"}
    files = {
        "trusted": '<?xml version="1.0" encoding="utf-8"?>\n<zone><interface name="br0"/><forward/></zone>',
        "broken": "<zone>",
        "work": '<zone target="DROP"><source address="10.0.0.0/8"/></zone>',
    }
    assert _firewalld.permanent(files) == {("br0", EVER): "trusted"}


def test_direct_rules() -> None:
    """What is written is what is read; what others have there, or what is broken, is not ours."""
    gate = _iptables.gate("ip6tables", "FORWARD")
    words = _firewalld.direct_argv("add", gate, _iptables.GATE_COMMENT)
    assert " ".join(words[:9]) == "firewall-cmd --quiet --permanent --direct --add-rule ipv6 filter FORWARD 0"
    row = '<rule ipv="{}" table="filter" chain="FORWARD" priority="0">{}</rule>'
    ours, theirs = row.format("ipv6", " ".join(words[9:])), row.format("ipv4", "-j ACCEPT")
    commented = row.format("ipv4", "-i eth9 -m comment --comment mine -j ACCEPT")
    bridges = row.format("eb", " ".join(words[9:]))
    assert _firewalld.direct(f"<direct>{theirs}{ours}{commented}{bridges}</direct>") == {gate}
    assert _firewalld.direct("<direct>") == _firewalld.direct("") == frozenset()
    assert _firewalld.has_place_for(gate)
    assert not _firewalld.has_place_for(_iptables.gate("iptables-legacy", "FORWARD"))


@given(bindings, st.sets(names), st.sets(names))
def test_settled(current: dict[tuple[str, bool], str], gone: set[str], wanted: set[str]) -> None:
    """Where nobody put a bridge elsewhere it becomes trusted; what is not asked about stays, and again is the same."""
    gone = gone - wanted
    after, warnings = _firewalld.settle(current, gone, wanted)
    elsewhere = {name for (name, _permanent), zone in current.items() if zone != "trusted"}
    for name in ("br0", "br1", "eth0"):
        before = {key: zone for key, zone in current.items() if key[0] == name}
        found = {key: zone for key, zone in after.items() if key[0] == name}
        if name in wanted - elsewhere:
            assert found == {(name, NOW): "trusted", (name, EVER): "trusted"}
        elif name in gone:
            assert found == {key: zone for key, zone in before.items() if zone != "trusted"}
        else:
            assert found == before
    assert len(warnings) == len(wanted & elsewhere)
    assert _firewalld.settle(after, gone, wanted) == (after, warnings)
