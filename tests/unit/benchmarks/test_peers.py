# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What peers are given."""

from __future__ import annotations

import pytest

from ansible_collections.nslab.bridgenet.tests.benchmarks import packets, playbooks


def test_a_kind_of_command_is_a_task() -> None:
    """In the order of the script, which each of them once."""
    tasks = playbooks.looped(playbooks.commands(3))
    assert tasks[0] == {
        "ansible.builtin.command": "{{ item }}",
        "loop": ["ip netns add ns1", "ip netns add ns2", "ip netns add ns3"],
    }
    assert [command for task in tasks for command in task["loop"]] == playbooks.commands(3)
    assert len(tasks) == len(playbooks.looped(playbooks.commands(50)))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "-A CNI-DN-e6f6a58834d5d3a9618c1 -s 10.64.0.0/24 -p tcp -m tcp --dport 15201 -j CNI-HOSTPORT-SETMARK",
            "-A CNI-DN-00000000000000012c8c1 -s 10.65.44.0/24 -p tcp -m tcp --dport 15501 -j CNI-HOSTPORT-SETMARK",
        ),
        (
            "-A POSTROUTING -s 10.64.0.3/32 -j CNI-e6f6a58834d5d3a9618c1b82",
            "-A POSTROUTING -s 10.65.44.3/32 -j CNI-00000000000000012c8c1b82",
        ),
        ("-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE", None),
    ],
)
def test_a_rule_is_copied_for_another_network(rule: str, expected: str | None) -> None:
    """What all share stays."""
    assert packets.renamed(rule, 300) == (expected or rule)
