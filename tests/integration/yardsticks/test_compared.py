# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same network by CNI's plugins, by netavark, by Docker and by us: what differs is known, and has a reason."""

from __future__ import annotations

from .differences import listed, seen
from .observe import Fact, Facts


def test_all_that_differs_is_listed(engine: str, theirs: Facts, ours: Facts) -> None:
    """And all that is listed differs."""
    found, told = seen(theirs, ours), listed(engine, theirs, ours)
    assert {fact: pair for fact, pair in found.items() if told.get(fact) != pair} == {}, "not in the table"
    assert {fact: pair for fact, pair in told.items() if found.get(fact) != pair} == {}, "not so any more"


def test_what_is_compared_is_there(ours: Facts) -> None:
    """That all see nothing would be no proof."""
    expected = {
        ("bridge of red", "kind"): "bridge",
        ("bridge of red", "link mtu"): "1500",
        ("ports of red", "number"): "2",
        ("ports of red", "kind"): "veth",
        ("containers of red", "up"): "True",
        ("bridge of violet", "ipv6/conf/*/accept_ra"): "0",
        ("host", "ipv4/ip_forward"): "1",
        ("r1 to r2", "seen"): "as itself",
        ("r1 to b1", "seen"): "nothing",
        ("r1 to gateway of red", "seen"): "as itself",
        ("r1 to world", "seen"): "as host",
        ("world to r1", "seen"): "nothing",
        ("v1 to v2 (IPv6)", "seen"): "as itself",
        ("v1 to world (IPv6)", "seen"): "as host",
        ("world to port 8081 of host", "seen"): "as itself",
        ("world to port 8082 of host", "seen"): "refused",
        ("world to port 8083 of host", "seen"): "as itself",
        ("world to port 8083 of another address of host", "seen"): "refused",
        ("world to port 8085 of host (IPv6)", "seen"): "as itself",
        ("world to port 8091 of host", "seen"): "as itself",
        ("host to port 8082 of localhost", "seen"): "as the gateway",
        ("r1 to port 8081 of host", "seen"): "as the gateway",
        ("r2 to port 8081 of host", "seen"): "as the gateway",
        ("y1 to y2", "seen"): "nothing",
        ("y1 to gateway of grey", "seen"): "as itself",
        ("y1 to world", "seen"): "as host",
        ("ports of grey", "slave isolated"): "True",
        ("g1 to g2", "seen"): "as itself",
        ("g1 to gateway of green", "seen"): "as itself",
        ("g1 to world", "seen"): "nothing",
        ("world to g1", "seen"): "nothing",
        ("host to r1", "seen"): "as the gateway",
        ("w1 to w2 (IPv6)", "seen"): "as itself",
        ("w1 to v1 (IPv6)", "seen"): "nothing",
        ("v1 to w1 (IPv6)", "seen"): "nothing",
        ("w1 to gateway of white (IPv6)", "seen"): "as itself",
        ("w1 to world (IPv6)", "seen"): "as host",
        ("world to w1 (IPv6)", "seen"): "nothing",
        ("world to port 8086 of host (IPv6)", "seen"): "as itself",
        ("world to port 8086 of host", "seen"): "refused",
        ("world to port 8087 of host (IPv6)", "seen"): "as itself",
        ("world to port 8087 of another address of host (IPv6)", "seen"): "refused",
        ("world to port 8095 of host (IPv6)", "seen"): "as itself",
        ("w1 to port 8086 of host (IPv6)", "seen"): "as the gateway",
        ("w2 to port 8086 of host (IPv6)", "seen"): "as the gateway",
        ("o1 to o2 (IPv6)", "seen"): "as itself",
        ("o1 to gateway of onyx (IPv6)", "seen"): "as itself",
        ("o1 to world (IPv6)", "seen"): "nothing",
        ("w1 to o1 (IPv6)", "seen"): "nothing",
        ("a1 to a2 (IPv6)", "seen"): "nothing",
        ("a1 to gateway of amber (IPv6)", "seen"): "as itself",
        ("a1 to world (IPv6)", "seen"): "as host",
        ("ports of amber", "slave isolated"): "True",
        ("bridge of white", "addresses"): "inet6 /64 global nodad, link-local",
    }
    assert {key: ours[Fact(*key)] for key in expected} == expected


def test_one_more_or_one_less_is_found(engine: str, theirs: Facts, ours: Facts) -> None:
    """The comparison itself."""
    fact = Fact("ports of red", "slave isolated")
    changed = {**ours, fact: "another"}
    assert set(seen(theirs, changed)) - set(listed(engine, theirs, changed)) == {fact}
    known = Fact("ports of red", "link ifalias")
    same = {**ours, known: theirs[known]}
    assert set(listed(engine, theirs, same)) - set(seen(theirs, same)) == {known}
