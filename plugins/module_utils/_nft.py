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

from . import _labels, _names
from ._model import Element

TABLE = "inet bridgenet"
MARK = "0x1000"  # on what our chain forward let pass: for the chains of others, see _iptables.gate


@dataclass(frozen=True)
class _Set:
    """A named set, or a map: the types of the fields of a key, and of its value."""

    fields: tuple[str, ...]
    value: tuple[str, ...] = ()
    interval: bool = False

    def text(self, name: str) -> str:
        flags = "        flags interval\n" if self.interval else ""
        types = " : ".join(" . ".join(part) for part in (self.fields, self.value) if part)
        return f"    {'map' if self.value else 'set'} {name} {{\n        type {types}\n{flags}    }}\n"


SETS = {
    "accepted": _Set(("ifname", "ifname")),  # who may begin to talk to whom, a bridge to itself among them
    "replies": _Set(("ifname", "ifname")),  # who may only answer whom
    "bridges": _Set(("ifname",)),  # isolated networks
    "internal": _Set(("ifname",)),  # those of them that have no way out or in
    "routed": _Set(("ifname",)),  # those of them that the outside may ask, by a route
    "masquerade4": _Set(("ifname", "ipv4_addr"), interval=True),  # what leaves by anything but this bridge
    "masquerade6": _Set(("ifname", "ipv6_addr"), interval=True),
    "masquerade_out4": _Set(("ifname", "ipv4_addr"), interval=True),  # what leaves by this interface
    "masquerade_out6": _Set(("ifname", "ipv6_addr"), interval=True),
    # A port of the host, at all of its addresses or at one of them -> a port of a container.
    "published4": _Set(("inet_proto", "inet_service"), ("ipv4_addr", "inet_service")),
    "published6": _Set(("inet_proto", "inet_service"), ("ipv6_addr", "inet_service")),
    "published_at4": _Set(("ipv4_addr", "inet_proto", "inet_service"), ("ipv4_addr", "inet_service")),
    "published_at6": _Set(("ipv6_addr", "inet_proto", "inet_service"), ("ipv6_addr", "inet_service")),
    "publishers4": _Set(("ifname", "ipv4_addr")),  # containers that have such ports, and the bridge that leads there
    "publishers6": _Set(("ifname", "ipv6_addr")),
    "localnet": _Set(("ifname",)),  # bridges into which the host sends from 127.0.0.0/8
}
FORWARD = ("accepted", "replies", "bridges", "internal", "routed")  # the sets of the resource forward
PUBLISHED = ("published4", "published6", "published_at4", "published_at6")  # the maps of the resource publish
# What follows from these maps, and belongs to no project: what is in use by any of them stands there.
FOLLOWING = ("publishers4", "publishers6", "localnet")
FORBIDDING = ("bridges", "internal", "localnet")  # without these, more gets through
FOLLOWING_COMMENT = f"{_labels.MARK}publish"

# Most packets belong to a connection that stands, between a network and what is none: these are asked for first. Each
# set in which a packet is looked up costs it 0.1 us, one of intervals up to 0.6 (docs/performance.md).
# Forward: before the chains of others at priority filter, which see the mark. What nobody declared falls through, and
# so does what goes to a bridge that is not ours: whether Docker's or libvirt's networks may be asked, they decide.
# What conntrack calls invalid no NAT translates: it would leave a masqueraded network with the source that it has.
# Postrouting: between two ports of one bridge packets pass here when bridge-nf-call-iptables is 1, and must keep
# their source; these come in by no interface, nor does what the host itself sends.
# Published ports: who is on the same bridge would be answered past the host, so it gets the host's address; such a
# packet came in by the bridge that it leaves by, or by no interface where it is bridged. ::1 is left alone: the kernel
# never lets it leave (RFC 4291, 2.5.3). 127.0.0.0/8 may, by the bridges of localnet, and must not come in by them, nor
# be translated when it comes in from anywhere.
# All of it in nft's own words, see is_as_written.
_RULES = f"""\
    chain pass {{
        meta mark set meta mark | {int(MARK, 16):#010x} accept
    }}
    chain out_of_network {{
        oifname @bridges return
        iifname @internal return
        goto pass
    }}
    chain answers {{
        iifname @bridges goto out_of_network
        oifname @internal return
        oifname @bridges goto pass
    }}
    chain translated {{
        oifname . ip daddr @publishers4 goto pass
        oifname . ip6 daddr @publishers6 goto pass
        ct direction reply iifname . ip saddr @publishers4 goto pass
        ct direction reply iifname . ip6 saddr @publishers6 goto pass
    }}
    chain untranslated {{
        iifname . ip saddr @masquerade4 oifname . ip saddr != @masquerade4 drop
        iifname . ip6 saddr @masquerade6 oifname . ip6 saddr != @masquerade6 drop
        oifname . ip saddr @masquerade_out4 oifname . ip saddr != @masquerade4 drop
        oifname . ip6 saddr @masquerade_out6 oifname . ip6 saddr != @masquerade6 drop
    }}
    chain forward {{
        type filter hook forward priority filter - 10; policy accept;
        ct state established,related jump answers
        ct state invalid jump untranslated
        iifname . oifname @accepted goto pass
        ct state established,related iifname . oifname @replies goto pass
        iifname @internal drop
        oifname @internal drop
        ct status dnat jump translated
        iifname @bridges oifname @bridges drop
        oifname @routed goto pass
        oifname @bridges drop
        iifname @bridges meta oifkind "bridge" return
        iifname @bridges goto pass
    }}
    chain guard {{
        type filter hook prerouting priority raw; policy accept;
        ip daddr 127.0.0.0/8 iifname @localnet drop
        ip saddr 127.0.0.0/8 iifname @localnet drop
    }}
    chain published {{
        fib daddr type != local return
        ip6 daddr ::1 return
        dnat ip to ip daddr . meta l4proto . th dport map @published_at4
        dnat ip6 to ip6 daddr . meta l4proto . th dport map @published_at6
        meta nfproto ipv4 dnat ip to meta l4proto . th dport map @published4
        meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @published6
    }}
    chain prerouting {{
        type nat hook prerouting priority dstnat; policy accept;
        iifname != "lo" ip daddr 127.0.0.0/8 return
        goto published
    }}
    chain output {{
        type nat hook output priority -100; policy accept;
        goto published
    }}
    chain hairpin {{
        iif 0 oifname . ip daddr @publishers4 masquerade
        iif 0 oifname . ip6 daddr @publishers6 masquerade
        iifname . ip daddr @publishers4 oifname . ip daddr @publishers4 masquerade
        iifname . ip6 daddr @publishers6 oifname . ip6 daddr @publishers6 masquerade
    }}
    chain postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        ct status dnat jump hairpin
        ip daddr 224.0.0.0/4 return
        ip6 daddr ff00::/8 return
        iif != 0 iifname . ip saddr @masquerade4 oifname . ip saddr != @masquerade4 masquerade
        iif != 0 iifname . ip6 saddr @masquerade6 oifname . ip6 saddr != @masquerade6 masquerade
        oifname . ip saddr @masquerade_out4 oifname . ip saddr != @masquerade4 masquerade
        oifname . ip6 saddr @masquerade_out6 oifname . ip6 saddr != @masquerade6 masquerade
    }}
"""


def _table(sets: Mapping[str, _Set], rules: str) -> str:
    texts = "".join(one.text(name) for name, one in sets.items())
    return f'table {TABLE} {{\n    comment "bridgenet:1"\n{texts}{rules}}}\n'


SKELETON = _table(SETS, _RULES)
# For a program whose maps have no pair for a value: all but what leads to published ports.
WITHOUT_PORTS = _table(
    {name: one for name, one in SETS.items() if name not in PUBLISHED},
    "".join(line for line in _RULES.splitlines(keepends=True) if "@published" not in line),
)

# nft knows their names only where /etc/protocols is there, which is another package's.
_PROTOCOLS = {"tcp": "6", "udp": "17", "sctp": "132"}
_NAMES = {number: name for name, number in _PROTOCOLS.items()}

_ELEMENTS = re.compile(r"\n?[ \t]*elements = \{([^}]*)\}")
_SET = re.compile(r"\t(?:set|map) (\w+) \{(.*?)\n\t\}", re.DOTALL)
_FIELD = r'(?:"[^"]*"|[^\s",]+)'
_FIELDS = rf"{_FIELD}(?: \. {_FIELD})*"
_ELEMENT = re.compile(rf'({_FIELDS})(?: comment "([^"]*)")?(?: : ({_FIELDS}))?')


def is_ours(listing: str) -> bool:
    """Whether a table of this name carries our version, and is not somebody else's."""
    return '\tcomment "bridgenet:1"\n' in listing


def rules_only(listing: str) -> str:
    """A listing without its elements: what must be as we load it."""
    return _ELEMENTS.sub("", listing)


def skeleton(ports: bool) -> str:
    """The table without its elements."""
    return SKELETON if ports else WITHOUT_PORTS


def publishes(version: str) -> bool:
    """Whether an nft that says this of its version has maps for published ports: 0.9.8 has not, 1.0.6 has."""
    found = re.search(r"v(\d+)\.", version)
    return found is None or int(found[1]) >= 1


def is_as_written(listing: str, ports: bool) -> bool:
    """Whether the rules are printed just as they stand above.

    So they are where nobody touched them, by the versions of nft that are known. Where another one prints them in
    other words, only loading them anew tells.
    """
    # nft before 1.1 takes and prints this name where packets come in only.
    return (
        rules_only(listing).replace("output priority dstnat;", "output priority -100;").split()
        == skeleton(ports).split()
    )


def elements(name: str, body: str) -> dict[Element, str]:
    """Element -> comment, from what stands between the braces of a set's elements."""
    one = SETS[name]
    found = {}
    for key, comment, value in _ELEMENT.findall(body):
        fields = [field.strip('"') for field in key.split(" . ")]
        if one.interval:  # a single address is listed without its prefix
            fields = [_names.subnet(text) if kind.endswith("_addr") else text for text, kind in zip(fields, one.fields)]
        fields = [_NAMES.get(text, text) if kind == "inet_proto" else text for text, kind in zip(fields, one.fields)]
        found[Element(name, tuple(fields), tuple(value.split(" . ")) if value else ())] = comment
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
    fields = []
    for text, kind in zip(element.key, SETS[element.set].fields):
        if kind == "inet_proto":
            text = _PROTOCOLS.get(text, text)
        fields.append(f'"{text}"' if kind == "ifname" else text)
    return " . ".join(fields)


def _change(verb: str, entries: Mapping[Element, str], whole: bool) -> list[str]:
    """Of a whole element comment and value are told, otherwise only its key."""
    by_set: dict[str, list[str]] = {}
    for element, comment in sorted(entries.items(), key=lambda item: item[0].key):
        text = f'{_key(element)} comment "{comment}"' if whole and comment else _key(element)
        text += f" : {' . '.join(element.value)}" if whole and element.value else ""
        by_set.setdefault(element.set, []).append(text)
    return [f"{verb} element {TABLE} {name} {{ {', '.join(texts)} }}" for name, texts in sorted(by_set.items())]


def load(entries: Mapping[Element, str], ports: bool) -> str:
    """Replace the table, whatever it was, in one transaction."""
    elements_of_it = "\n".join(_change("add", entries, True))
    return f"add table {TABLE}\ndelete table {TABLE}\n{skeleton(ports)}{elements_of_it}\n"


def restore(listing: str) -> str:
    """Back to an earlier listing; "" is no table."""
    return f"add table {TABLE}\ndelete table {TABLE}\n{listing}"


def change(before: Mapping[Element, str], after: Mapping[Element, str]) -> str:
    """From one set of entries to another in one transaction, touching only what differs."""
    gone = {element: comment for element, comment in before.items() if after.get(element) != comment}
    new = {element: comment for element, comment in after.items() if before.get(element) != comment}
    return "\n".join(_change("delete", gone, False) + _change("add", new, True)) + "\n"
