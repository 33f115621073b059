# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What peers are given."""

from __future__ import annotations

import pytest

from ansible_collections.nslab.bridgenet.tests.benchmarks import footprint, packets, playbooks


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


def test_messages_are_counted() -> None:
    """Those of nft are none of rtnetlink's; numbers are names that strace does not know."""
    get = "nlmsg_type=RTM_GETLINK, nlmsg_flags=NLM_F_REQUEST|NLM_F_DUMP, nlmsg_seq=1"
    new = "nlmsg_type=RTM_NEWLINK, nlmsg_flags=NLM_F_REQUEST|NLM_F_ACK|NLM_F_EXCL|NLM_F_CREATE, nlmsg_seq=2"
    number_get = "nlmsg_type=0x12 /* NLMSG_??? */, nlmsg_flags=NLM_F_REQUEST|0x300, nlmsg_seq=3"
    number_new = "nlmsg_type=0x10 /* NLMSG_??? */, nlmsg_flags=NLM_F_REQUEST|0x300, nlmsg_seq=4"
    others = (
        "nlmsg_type=NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_GETGEN, nlmsg_flags=NLM_F_REQUEST",
        "nlmsg_type=0xa10 /* NLMSG_??? */, nlmsg_flags=NLM_F_REQUEST",
    )
    sends = ((get,), (new, new), (number_get,), (number_new,), *((other,) for other in others))
    lines = [f"7 sendto(5, [{', '.join(f'[{{nlmsg_len=40, {one}}}]' for one in send)}], 40) = 40" for send in sends]
    assert footprint.netlink("\n".join(lines)) == {"sends": 4, "messages": 5, "dumps": 2}
