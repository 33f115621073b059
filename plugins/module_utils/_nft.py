# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our nftables table as text (nft(8)): constant rules, everything that varies an element of a set.

The path of a packet and the time to load do not grow with the number of networks.
Nothing here runs nft: _programs does. docs/firewall.md draws the chains.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from . import _names
from ._model import Element

TABLE = "inet bridgenet"
MARK = "0x1000"  # on what our chain forward let pass: for the chains of others, see _iptables.gate


@dataclass(frozen=True)
class _Set:
    """A named set: the types of a key's fields."""

    fields: tuple[str, ...]
    interval: bool = False

    def text(self, name: str) -> str:
        flags = "        flags interval\n" if self.interval else ""
        return f"    set {name} {{\n        type {' . '.join(self.fields)}\n{flags}    }}\n"


SETS = {
    "accepted": _Set(("ifname", "ifname")),  # who may begin to talk to whom, a bridge to itself among them
    "replies": _Set(("ifname", "ifname")),  # who may only answer whom
    "bridges": _Set(("ifname",)),  # isolated networks
    "internal": _Set(("ifname",)),  # those of them that have no way out or in
    "masquerade4": _Set(("ifname", "ipv4_addr"), interval=True),  # what leaves by anything but this bridge
    "masquerade6": _Set(("ifname", "ipv6_addr"), interval=True),
    "masquerade_out4": _Set(("ifname", "ipv4_addr"), interval=True),  # what leaves by this interface
    "masquerade_out6": _Set(("ifname", "ipv6_addr"), interval=True),
}
FORWARD = ("accepted", "replies", "bridges", "internal")  # the sets of the resource forward

# Forward: before the chains of others at priority filter, which see the mark. What nobody declared falls through, and
# so does what goes to a bridge that is not ours: whether Docker's or libvirt's networks may be asked, they decide.
# Postrouting: between two ports of one bridge packets pass here when bridge-nf-call-iptables is 1, and must keep
# their source.
_RULES = f"""\
    chain pass {{
        meta mark set meta mark | {MARK} accept
    }}
    chain forward {{
        type filter hook forward priority filter - 10; policy accept;
        iifname . oifname @accepted goto pass
        ct state established,related iifname . oifname @replies goto pass
        iifname @internal drop
        oifname @internal drop
        iifname @bridges oifname @bridges drop
        ct state established,related iifname @bridges goto pass
        ct state established,related oifname @bridges goto pass
        oifname @bridges drop
        iifname @bridges meta oifkind "bridge" return
        iifname @bridges goto pass
    }}
    chain postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        oifname . ip saddr @masquerade4 return
        oifname . ip6 saddr @masquerade6 return
        ip daddr 224.0.0.0/4 return
        ip6 daddr ff00::/8 return
        iifname . ip saddr @masquerade4 masquerade
        iifname . ip6 saddr @masquerade6 masquerade
        oifname . ip saddr @masquerade_out4 masquerade
        oifname . ip6 saddr @masquerade_out6 masquerade
    }}
"""

SKELETON = (
    f'table {TABLE} {{\n    comment "bridgenet:1"\n{"".join(one.text(name) for name, one in SETS.items())}{_RULES}}}\n'
)

_ELEMENTS = re.compile(r"\n?[ \t]*elements = \{([^}]*)\}")
_SET = re.compile(r"\tset (\w+) \{(.*?)\n\t\}", re.DOTALL)
_FIELD = r'(?:"[^"]*"|[^\s",]+)'
_ELEMENT = re.compile(rf'({_FIELD}(?: \. {_FIELD})*)(?: comment "([^"]*)")?')


def is_ours(listing: str) -> bool:
    """Whether a table of this name carries our version, and is not somebody else's."""
    return '\tcomment "bridgenet:1"\n' in listing


def rules_only(listing: str) -> str:
    """A listing without its elements: what must be as we load it."""
    return _ELEMENTS.sub("", listing)


def elements(name: str, body: str) -> dict[Element, str]:
    """Element -> comment, from what stands between the braces of a set's elements."""
    types = SETS[name].fields
    found = {}
    for key, comment in _ELEMENT.findall(body):
        fields = [field.strip('"') for field in key.split(" . ")]
        # A single address is listed without its prefix.
        canonical = [_names.subnet(one) if kind.endswith("_addr") else one for one, kind in zip(fields, types)]
        found[Element(name, tuple(canonical))] = comment
    return found


def parse(listing: str) -> dict[Element, str]:
    """Element -> comment, from a listing of the table."""
    found: dict[Element, str] = {}
    for name, body in _SET.findall(listing):
        if name in SETS:
            for inner in _ELEMENTS.findall(body):
                found.update(elements(name, inner))
    return found


def _key(element: Element) -> str:
    types = SETS[element.set].fields
    return " . ".join(f'"{one}"' if kind == "ifname" else one for one, kind in zip(element.key, types))


def _change(verb: str, entries: Mapping[Element, str], comments: bool) -> list[str]:
    by_set: dict[str, list[str]] = {}
    for element, comment in sorted(entries.items(), key=lambda item: item[0].key):
        text = f'{_key(element)} comment "{comment}"' if comments and comment else _key(element)
        by_set.setdefault(element.set, []).append(text)
    return [f"{verb} element {TABLE} {name} {{ {', '.join(texts)} }}" for name, texts in sorted(by_set.items())]


def load(entries: Mapping[Element, str]) -> str:
    """Replace the table, whatever it was, in one transaction."""
    return f"add table {TABLE}\ndelete table {TABLE}\n{SKELETON}" + "\n".join(_change("add", entries, True)) + "\n"


def restore(listing: str) -> str:
    """Back to an earlier listing; "" is no table."""
    return f"add table {TABLE}\ndelete table {TABLE}\n{listing}"


def change(before: Mapping[Element, str], after: Mapping[Element, str]) -> str:
    """From one set of entries to another in one transaction, touching only what differs."""
    gone = {element: comment for element, comment in before.items() if after.get(element) != comment}
    new = {element: comment for element, comment in after.items() if before.get(element) != comment}
    return "\n".join(_change("delete", gone, False) + _change("add", new, True)) + "\n"
