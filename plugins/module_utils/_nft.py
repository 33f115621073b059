# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our nftables table as text (nft(8)): constant rules, everything that varies an element of a set.

The path of a packet and the time to load do not grow with the number of networks.
Nothing here runs nft: _programs does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from . import _names
from ._model import Masquerade

TABLE = "inet bridgenet"

_SETS = """\
    set masquerade4 {
        type ifname . ipv4_addr
        flags interval
    }
    set masquerade6 {
        type ifname . ipv6_addr
        flags interval
    }
    set masquerade_out4 {
        type ifname . ipv4_addr
        flags interval
    }
    set masquerade_out6 {
        type ifname . ipv6_addr
        flags interval
    }
"""

# A packet between two ports of one bridge passes here when bridge-nf-call-iptables is 1: it must keep its source.
_RULES = """\
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        oifname . ip saddr @masquerade4 return
        oifname . ip6 saddr @masquerade6 return
        ip daddr 224.0.0.0/4 return
        ip6 daddr ff00::/8 return
        iifname . ip saddr @masquerade4 masquerade
        iifname . ip6 saddr @masquerade6 masquerade
        oifname . ip saddr @masquerade_out4 masquerade
        oifname . ip6 saddr @masquerade_out6 masquerade
    }
"""

SKELETON = f'table {TABLE} {{\n    comment "bridgenet:1"\n{_SETS}{_RULES}}}\n'

_ELEMENTS = re.compile(r"\n?[ \t]*elements = \{([^}]*)\}")
_SET = re.compile(r"\tset (\w+) \{(.*?)\n\t\}", re.DOTALL)
_ELEMENT = re.compile(r'"?([^\s"]+)"? \. ([0-9a-f.:/]+)(?: comment "([^"]*)")?')


def is_ours(listing: str) -> bool:
    """Whether a table of this name carries our version, and is not somebody else's."""
    return '\tcomment "bridgenet:1"\n' in listing


def rules_only(listing: str) -> str:
    """A listing without its elements: what must be as we load it."""
    return _ELEMENTS.sub("", listing)


def _set_of(entry: Masquerade) -> str:
    return f"masquerade{'_out' if entry.out_interface else ''}{_names.family(entry.source)}"


def parse(listing: str) -> dict[Masquerade, str]:
    """Entry -> comment, from a listing of the table."""
    found = {}
    for name, body in _SET.findall(listing):
        for elements in _ELEMENTS.findall(body):
            for interface, source, comment in _ELEMENT.findall(elements):
                source = _names.subnet(source)  # a single address is listed without its prefix
                if name.startswith("masquerade_out"):
                    found[Masquerade(source, out_interface=interface)] = comment
                elif name.startswith("masquerade"):
                    found[Masquerade(source, bridge=interface)] = comment
    return found


def _key(entry: Masquerade) -> str:
    return f'"{entry.out_interface or entry.bridge}" . {entry.source}'


def _change(verb: str, entries: Mapping[Masquerade, str], comments: bool) -> list[str]:
    by_set: dict[str, list[str]] = {}
    for entry, comment in sorted(entries.items(), key=lambda item: _key(item[0])):
        text = f'{_key(entry)} comment "{comment}"' if comments else _key(entry)
        by_set.setdefault(_set_of(entry), []).append(text)
    return [f"{verb} element {TABLE} {name} {{ {', '.join(texts)} }}" for name, texts in sorted(by_set.items())]


def load(entries: Mapping[Masquerade, str]) -> str:
    """Replace the table, whatever it was, in one transaction."""
    return f"add table {TABLE}\ndelete table {TABLE}\n{SKELETON}" + "\n".join(_change("add", entries, True)) + "\n"


def restore(listing: str) -> str:
    """Back to an earlier listing; "" is no table."""
    return f"add table {TABLE}\ndelete table {TABLE}\n{listing}"


def change(before: Mapping[Masquerade, str], after: Mapping[Masquerade, str]) -> str:
    """From one set of entries to another in one transaction, touching only what differs."""
    gone = {entry: comment for entry, comment in before.items() if after.get(entry) != comment}
    new = {entry: comment for entry, comment in after.items() if before.get(entry) != comment}
    return "\n".join(_change("delete", gone, False) + _change("add", new, True)) + "\n"


def split(entries: Mapping[Masquerade, str]) -> tuple[dict[Masquerade, str], dict[Masquerade, str]]:
    """The entries of nftables, and those of iptables."""
    nft = {entry: comment for entry, comment in entries.items() if entry.backend == "nftables"}
    return nft, {entry: comment for entry, comment in entries.items() if entry.backend != "nftables"}
