# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run ended on each host, as a table."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.filter.outcome import FilterModule, outcome


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"outcome": outcome}


def test_whom_to_look_at_comes_last() -> None:
    said = {
        "lab1": {},
        "lab2": {"failed": "Make it stand:\n  no nft"},
        "lab3": {"changed": True, "stands": "containers: 2, networks: 1"},
        "lab10": {"changed": False, "stands": "containers: 0, networks: 0"},
    }
    assert outcome(said) == [
        "host   state        what",
        "lab3   changed      containers: 2, networks: 1",
        "lab10  same         containers: 0, networks: 0",
        "lab2   failed       Make it stand: no nft",
        "lab1   not reached",
    ]


def test_a_message_is_cut() -> None:
    assert len(outcome({"a": {"failed": "x" * 1000}})[1]) == len("host  failed  ") + 300
    assert outcome({}) == ["host  state  what"]
