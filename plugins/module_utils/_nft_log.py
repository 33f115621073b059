# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our second nftables table as text: for each thing to log a base chain of its own with one rule.

What is logged varies in its rules, not in elements of sets, and its counters must outlive
a change of anything else; so it stands apart from the table whose rules are constant.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from . import _names
from ._model import Log

TABLE = "inet bridgenet_log"

# Ahead of all others at that place, ours included: what they drop or translate was there.
_PRIORITIES = {
    ("prerouting", "nat"): -120,
    ("prerouting", "filter"): -20,
    ("forward", "filter"): -20,
    ("postrouting", "filter"): -20,
    ("postrouting", "nat"): 80,
}
PLACES = tuple(_PRIORITIES)

_CHAIN = re.compile(r"\tchain (\w+) \{\n\t\ttype (\w+) hook (\w+) [^\n]*\n((?:\t\t[^\n]*\n)*)\t\}")
_RULE = re.compile(
    r"\t\t(?:ip6? saddr (?P<source>\S+) )?(?:ip6? daddr (?P<destination>\S+) )?"
    r'(?:iifname "(?P<in_interface>[^"]+)" )?(?:oifname "(?P<out_interface>[^"]+)" )?'
    r"(?:meta l4proto (?P<protocol>\S+) )?(?P<first>ct state (?:related,new|new,related) )?"
    r"counter packets (?P<packets>\d+) bytes (?P<bytes>\d+) "
    r'log prefix "(?P<prefix>[^"]+)"(?: group (?P<group>\d+))? comment "(?P<comment>bridgenet:1:[^"]+)"\n'
)
# nft knows their names only where /etc/protocols is there, which is another package's, and prints those that it knows.
_PROTOCOLS = {"icmp": "1", "tcp": "6", "udp": "17", "icmpv6": "58", "sctp": "132"}
_NAMES = {**{number: name for name, number in _PROTOCOLS.items()}, "ipv6-icmp": "icmpv6"}


def _rule(log: Log) -> str:
    words = []
    for name, value in (("saddr", log.source), ("daddr", log.destination)):
        if value:
            words.append(f"{'ip6' if _names.family(value) == 6 else 'ip'} {name} {value}")
    words += [f'iifname "{log.in_interface}"'] if log.in_interface else []
    words += [f'oifname "{log.out_interface}"'] if log.out_interface else []
    words += [f"meta l4proto {_PROTOCOLS.get(log.protocol, log.protocol)}"] if log.protocol else []
    # Without it nobody may follow connections, and then nothing passes a chain of nat.
    words += ["ct state new,related"] if log.table == "nat" else []
    words.append(f'counter log prefix "{log.prefix}"')
    words += [f"group {log.group}"] if log.group is not None else []
    return " ".join(words)


def _chain(log: Log, comment: str) -> str:
    """The name of its chain: another rule has another one."""
    digest = hashlib.sha256(f"{log.table} {_rule(log)} {comment}".encode()).hexdigest()[:12]
    return f"{log.hook}_{digest}"


def parse(listing: str) -> dict[Log, tuple[str, tuple[int, int]]]:
    """What is logged -> (comment, (packets, bytes)), from a listing of the table."""
    found = {}
    for _name, table, hook, body in _CHAIN.findall(listing):
        match = _RULE.fullmatch(body)
        if match is None or bool(match["first"]) != (table == "nat"):
            continue  # somebody else's, or changed: ours is then made anew
        said = {key: value or "" for key, value in match.groupdict().items()}
        log = Log(
            hook=hook,
            table=table,
            prefix=said["prefix"],
            source=_names.subnet(said["source"]) if said["source"] else "",
            destination=_names.subnet(said["destination"]) if said["destination"] else "",
            in_interface=said["in_interface"],
            out_interface=said["out_interface"],
            protocol=_NAMES.get(said["protocol"], said["protocol"]),
            group=int(said["group"]) if said["group"] else None,
        )
        found[log] = (said["comment"], (int(said["packets"]), int(said["bytes"])))
    return found


def change(before: Mapping[Log, str], after: Mapping[Log, str]) -> str:
    """From one set of rules to another in one transaction, touching only what differs; with the last goes the table."""
    if not after:
        return f"add table {TABLE}\ndelete table {TABLE}\n"
    lines = []
    for log, comment in before.items():
        if after.get(log) != comment:
            chain = f"{TABLE} {_chain(log, comment)}"
            lines += [f"flush chain {chain}", f"delete chain {chain}"]
    if not before:
        lines.append(f'add table {TABLE} {{ comment "bridgenet:1"; }}')
    for log, comment in after.items():
        if before.get(log) != comment:
            chain = f"{TABLE} {_chain(log, comment)}"
            hook = f"type {log.table} hook {log.hook} priority {_PRIORITIES[log.hook, log.table]}; policy accept;"
            # Where somebody took the rule out of its chain, the chain is still there.
            lines += [f"add chain {chain} {{ {hook} }}", f"flush chain {chain}"]
            lines.append(f'add rule {chain} {_rule(log)} comment "{comment}"')
    return "\n".join(lines) + "\n"


def restore(listing: str) -> str:
    """Back to an earlier listing, counters included; "" is no table."""
    return f"add table {TABLE}\ndelete table {TABLE}\n{listing}"
