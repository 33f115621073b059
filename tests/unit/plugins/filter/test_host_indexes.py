# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of a fleet gets which index, and keeps it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.filter.host_indexes import FilterModule, host_indexes

NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True)


def new(*names: str) -> dict[str, None]:
    return dict.fromkeys(names)


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"host_indexes": host_indexes}


def test_new_hosts_get_the_lowest_free_one() -> None:
    assert host_indexes(new("b", "a")) == {"b": 0, "a": 1}
    assert host_indexes({**new("c"), "a": 0, "b": 2}, {"a": 0}) == {"a": 0, "c": 1, "b": 2}
    assert list(host_indexes({"c": 7, **new("a")})) == ["a", "c"]


def test_a_host_that_is_gone_keeps_its_own_until_it_is_forgotten() -> None:
    known = {"a": 0, "b": 1}
    assert host_indexes(new("b", "c"), known) == {"a": 0, "b": 1, "c": 2}
    assert host_indexes(new("b", "c"), known, prune=True) == {"c": 0, "b": 1}


def test_what_the_inventory_says_goes_before_what_was_given_out() -> None:
    assert host_indexes({"a": 5}, {"a": 0}) == {"a": 5}


@given(steps=st.lists(NAMES, min_size=1, max_size=6))
def test_nobody_gets_another_one_and_no_two_the_same(steps: list[list[str]]) -> None:
    known: dict[str, int] = {}
    for names in steps:
        found = host_indexes(new(*names), known)
        assert known.items() <= found.items()
        assert set(names) <= set(found)
        assert sorted(found.values()) == list(range(len(found)))
        known = found


def test_refused() -> None:
    with pytest.raises(
        AnsibleFilterError, match="hosts 'a' and 'b' have the same container_bridge_network_host_index, 3"
    ):
        host_indexes({"a": 3, "b": "3"})
    with pytest.raises(AnsibleFilterError, match=r"host 'c' has .* 2, but there is room for 2 hosts, from 0 to 1"):
        host_indexes(new("a", "b", "c"), count=2)
    with pytest.raises(AnsibleFilterError, match="host 'a': container_bridge_network_host_index -1 is below 0"):
        host_indexes({"a": -1})
    with pytest.raises(AnsibleFilterError, match=r"host 'a': .* 'x' is not a whole number"):
        host_indexes({"a": "x"})
