# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which zone of firewalld a bridge is in, and which it is to be in."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils import _firewalld, _iptables
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import Rule

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
    words = _firewalld.direct_argv("add", gate, _iptables.GATE_COMMENT, True)
    assert " ".join(words[:9]) == "firewall-cmd --quiet --permanent --direct --add-rule ipv6 filter FORWARD 0"
    row = '<rule ipv="{}" table="filter" chain="FORWARD" priority="0">{}</rule>'
    ours, theirs = row.format("ipv6", " ".join(words[9:])), row.format("ipv4", "-j ACCEPT")
    commented = row.format("ipv4", "-i eth9 -m comment --comment mine -j ACCEPT")
    bridges = row.format("eb", " ".join(words[9:]))
    found = _firewalld.direct(f"<direct>{theirs}{ours}{commented}{bridges}<rule/></direct>")
    assert found == {gate: _iptables.GATE_COMMENT}
    assert _firewalld.direct("<direct>") == _firewalld.direct("") == {}
    assert _firewalld.has_place_for(gate)
    assert not _firewalld.has_place_for(_iptables.gate("iptables-legacy", "FORWARD"))


def test_other_rules_of_ours() -> None:
    """Word by word, also words with spaces; what others keep so, or quoted wrongly, is not ours."""
    rules = {
        Rule("iptables", "nat", "POSTROUTING", ("-s", "10.1.0.0/24", "!", "-o", "br0"), ("-j", "MASQUERADE")): False,
        Rule("ip6tables", "filter", "FORWARD", (), ("-j", "LOG", "--log-prefix", "to be, "), head=True): True,
    }
    rows = []
    for rule, head in rules.items():
        words = _firewalld.direct_argv("add", rule, "bridgenet:1:default:blue", False)
        assert words[4] == "--add-passthrough"
        assert words[8] == ("-I" if head else "-A")
        family = "ipv6" if rule.program == "ip6tables" else "ipv4"
        rows.append(f'<passthrough ipv="{family}">{shlex.join(words[6:])}</passthrough>')
    theirs = '<passthrough ipv="ipv4">-t nat -A POSTROUTING -j MASQUERADE</passthrough>'
    broken = '<passthrough ipv="ipv4">-t nat -A POSTROUTING -m comment --comment "bridgenet:1:x</passthrough>'
    found = _firewalld.direct(f"<direct>{theirs}{broken}{''.join(rows)}</direct>")
    assert found == dict.fromkeys(rules, "bridgenet:1:default:blue")
    assert {rule: rule.head for rule in found} == rules


def test_what_a_reload_flushes() -> None:
    """All of iptables, unless its file says otherwise."""
    assert _firewalld.flushes("")
    assert _firewalld.flushes("# FlushAllOnReload=no\nFlushAllOnReload=yes\n")
    assert not _firewalld.flushes("DefaultZone=public\nFlushAllOnReload=no\n")


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
