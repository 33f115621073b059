# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""firewalld: which zone an interface is bound to, and what puts a bridge into the trusted one. Pure.

firewalld rejects what it forwards from an interface of no zone, and has no place for a
comment there: a binding to the trusted zone goes with the forward entry of its bridge.
When it reloads it flushes all of iptables, and puts back its direct rules (firewalld.direct(5)): a gate as a rule, and
other rules of ours word by word, because its rules go into chains of its own where it writes to iptables itself.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from xml.etree import ElementTree

from . import _labels
from ._model import Bindings, Element, Entry, Rule

ZONE = "trusted"
FILES = ("/usr/lib/firewalld/zones", "/etc/firewalld/zones")  # a later one hides an earlier one of its name
DIRECTORY = "/etc/firewalld"  # there where it is installed
BUS = "/run/dbus/system_bus_socket"  # by which busctl asks it (the D-Bus specification)
DIRECT = f"{DIRECTORY}/direct.xml"
CONFIGURATION = f"{DIRECTORY}/firewalld.conf"
TABLE = "firewalld"  # of nftables
# Where it writes to iptables, of the newest that is known and of those before.
CHAINS = ("-N FORWARD_POLICIES", "-N FORWARD_ZONES", "-N FORWARD_IN_ZONES")

# What `firewall-cmd --get-active-zones` asks, which takes half a second to start.
_SERVICE = "org.fedoraproject.FirewallD1"
ACTIVE = (
    "busctl",
    "--auto-start=no",
    "--json=short",
    "call",
    _SERVICE,
    f"/{_SERVICE.replace('.', '/')}",
    f"{_SERVICE}.zone",
    "getActiveZones",
)


def argv(verb: str, interfaces: Iterable[str], permanent: bool) -> list[str]:
    """The command that binds interfaces to the trusted zone ("add"), or takes them from there ("remove")."""
    words = ["firewall-cmd", "--quiet", *(["--permanent"] if permanent else []), f"--zone={ZONE}"]
    return words + [f"--{verb}-interface={name}" for name in interfaces]


_FAMILIES = {"iptables": "ipv4", "ip6tables": "ipv6"}


def has_place_for(rule: Rule) -> bool:
    """Whether firewalld can put a rule back: it knows one variant of iptables."""
    return rule.program in _FAMILIES


def direct_argv(verb: str, rule: Rule, comment: str, gate: bool) -> list[str]:
    """The command that has firewalld put back a rule when it reloads ("add"), or not any more ("remove")."""
    kind, family = "rule" if gate else "passthrough", _FAMILIES[rule.program]
    words = ["firewall-cmd", "--quiet", "--permanent", "--direct", f"--{verb}-{kind}", family]
    words += [rule.table, rule.chain, "0"] if gate else ["-t", rule.table, "-I" if rule.head else "-A", rule.chain]
    return [*words, *rule.match, "-m", "comment", "--comment", comment, *rule.target]


def direct(text: str) -> dict[Rule, str]:
    """The rules with our comment among those that it puts back, each with that, from their file."""
    try:
        entries = list(ElementTree.fromstring(text)) if text else []  # noqa: S314 (only root writes there)
    except ElementTree.ParseError:
        entries = []
    programs = {family: program for program, family in _FAMILIES.items()}
    found = {}
    for entry in entries:
        words, program = _words(entry.text or ""), programs.get(entry.get("ipv", ""))
        table, chain, head = entry.get("table", ""), entry.get("chain", ""), True
        if entry.tag == "passthrough" and words[:1] == ["-t"] and words[2:3] in (["-A"], ["-I"]):
            (_option, table, action, chain), words = words[:4], words[4:]
            head = action == "-I"
        at = words.index("--comment") if "--comment" in words[:-1] else 0
        if program and chain and words[at - 2 : at] == ["-m", "comment"] and words[at + 1].startswith(_labels.MARK):
            match, target = tuple(words[: at - 2]), tuple(words[at + 2 :])
            found[Rule(program, table, chain, match, target, head)] = words[at + 1]
    return found


def _words(text: str) -> list[str]:
    """Of a rule that firewalld keeps; what somebody quoted wrongly is none."""
    try:
        return shlex.split(text)
    except ValueError:
        return []


def flushes(configuration: str) -> bool:
    """Whether a reload flushes what others have in iptables, by firewalld.conf."""
    return re.search(r"^FlushAllOnReload=(no|false)\s*$", configuration, re.MULTILINE | re.IGNORECASE) is None


def active(answer: str) -> Bindings:
    """What is bound now, from the answer to ACTIVE."""
    zones = json.loads(answer)["data"][0]
    return {(name, False): zone for zone, members in zones.items() for name in members.get("interfaces", ())}


def permanent(files: Mapping[str, str]) -> Bindings:
    """What will be bound after a reload, from the files of zones by their names (firewalld.zone(5))."""
    found: dict[tuple[str, bool], str] = {}
    for name, text in files.items():
        try:
            interfaces = ElementTree.fromstring(text).findall("interface")  # noqa: S314 (only root writes there)
        except ElementTree.ParseError:
            continue  # firewalld ignores it, too
        found.update({(one.get("name", ""), True): name for one in interfaces})
    return found


def settle(current: Bindings, gone: Iterable[str], wanted: Iterable[str]) -> tuple[Bindings, list[str]]:
    """The bindings as they are to be, and warnings: a bridge that somebody put into another zone stays there."""
    found, warnings = dict(current), []
    for bridge in sorted(gone):
        for key in ((bridge, False), (bridge, True)):
            if found.get(key) == ZONE:
                del found[key]
    for bridge in sorted(wanted):
        keys = ((bridge, False), (bridge, True))
        other = next((found[key] for key in keys if found.get(key, ZONE) != ZONE), None)
        if other is None:
            found.update(dict.fromkeys(keys, ZONE))
            continue
        warnings.append(
            f"bridge {bridge} is in the zone {other} of firewalld, where somebody put it, and stays there: what that "
            f"zone does not let pass is rejected; where that is too little, take it out: `firewall-cmd --zone={other} "
            f"--remove-interface={bridge}`, and again with --permanent; the next run puts it into {ZONE}"
        )
    return found, warnings


def doubts(bindings: Bindings, entries: Iterable[Entry]) -> list[str]:
    """Warnings: what is let in from an interface that is not trusted is up to the zone of that interface."""
    fix = "a policy of firewalld between the two zones, with target ACCEPT, lets it pass: firewalld.policies(5)"
    found = []
    for entry in entries:
        if not isinstance(entry, Element):
            continue
        if entry.set == "accepted" and entry.key[0] != entry.key[1] and bindings.get((entry.key[0], False)) != ZONE:
            source, target = entry.key
            zone = f"zone {bindings[source, False]}" if (source, False) in bindings else "the default zone"
            found.append(
                f"forward {source} to {target}: {source} is in {zone} of firewalld, which may reject it; {fix}"
            )
        if entry.set == "routed":
            found.append(
                f"network of {entry.key[0]}: what comes in by routes, the zones of firewalld may reject; {fix}"
            )
    return sorted(found)
