# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hooks of netfilter one packet passes: a table of counters that matches it and its reply alone. Pure.

Each hook counts twice, before all other rules and behind them, which tells where a rule dropped the packet.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass

from ._probe import REPLY, REQUEST, Probe

HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
_FIRST, _LAST = -(2**31) + 1, 2**31 - 2  # of the priorities of a hook


@dataclass(frozen=True)
class Passage:
    """A packet at a hook of one namespace."""

    namespace: str
    what: str  # REQUEST or REPLY
    hook: str
    entered: int  # how often it came there
    left: int  # how often it was still there behind all rules

    @property
    def dropped(self) -> bool:
        """Whether a rule at this hook kept it."""
        return self.left < self.entered


def _matches(probe: Probe) -> dict[str, str]:
    """What matches the request and the reply; the tag stands 8 bytes behind the beginning of ICMP and UDP."""
    if probe.protocol == "tcp":
        acknowledged = (probe.number + 1) % 2**32
        return {
            REQUEST: f"tcp flags & (syn | ack) == syn tcp sequence {probe.number}",
            REPLY: f"tcp flags & ack == ack tcp ackseq {acknowledged}",
        }
    tag = f"@th,64,32 {probe.number}"
    if probe.protocol == "udp":
        return {REQUEST: f"udp sport {probe.source_port} {tag}", REPLY: f"udp dport {probe.source_port}"}
    word = "icmpv6" if probe.family == socket.AF_INET6 else "icmp"
    return {REQUEST: f"{word} type echo-request {tag}", REPLY: f"{word} type echo-reply {tag}"}


def table(name: str, probe: Probe) -> str:
    """The table, in nft's language."""
    matches = _matches(probe)
    lines = [f"table inet {name} {{"]
    for hook in HOOKS:
        for when, priority in (("entered", _FIRST), ("left", _LAST)):
            lines += [f"counter {hook}_{what}_{when} {{ }}" for what in matches]
            lines.append(f"chain {hook}_{when} {{ type filter hook {hook} priority {priority}; policy accept;")
            lines += [f"{match} counter name {hook}_{what}_{when}" for what, match in matches.items()]
            lines.append("}")
    return "\n".join([*lines, "}", ""])


def removal(name: str) -> str:
    """What takes the table away again, also where it did not come about."""
    return f"add table inet {name}\ndelete table inet {name}\n"


def passages(namespace: str, listing: str) -> list[Passage]:
    """What was counted, from nft's listing of the counters as JSON."""
    counts = {
        one["counter"]["name"]: int(one["counter"]["packets"])
        for one in json.loads(listing)["nftables"]
        if "counter" in one
    }
    return [
        Passage(namespace, what, hook, counts[f"{hook}_{what}_entered"], counts[f"{hook}_{what}_left"])
        for what in (REQUEST, REPLY)
        for hook in HOOKS
        if counts[f"{hook}_{what}_entered"]
    ]
