# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reaches whom and who does not, as the modules' lists of a declaration promise it.

What depends on others - the host's own policy, a bridge of somebody else - is not promised, and left out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from . import _standing
from ._standing import Member, Network

T = TypeVar("T")
Question = dict[str, Any]  # as the option `matrix` of the module reachability has it

_SWITCHES = {4: "forwarding", 6: "forwarding_ipv6"}


def matrix(lists: Mapping[str, Any], limit: int, sample: int) -> list[Question]:
    """Every container to every other one and to its gateways, and the host to every container.

    With more than `limit` places of containers in networks, only `sample` of them ask and are asked.
    """
    networks = _standing.networks(lists)
    members = [member for network in networks for member in network.members if member.addresses]
    chosen = members if len(members) <= limit else _neighbours(members, sample)
    known = _Known(lists, networks, members)
    alone = known.alone if len(members) <= limit else known.alone[:sample]
    asked: list[Question] = []
    for source in [*dict.fromkeys(member.namespace for member in chosen), *alone]:
        for member in chosen:
            if member.namespace == source:
                gateways = known.gateways[member.network]
                asked += [_question(source, "gateway", gateway, True) for gateway in gateways]
                continue
            for address in map(_plain, member.addresses):
                promised = known.promised(source, member, address)
                if promised is not None:
                    asked.append(_question(source, member.container, address, promised))
    for member in chosen:
        if known.is_of_host(member):
            asked += [_question("", member.container, _plain(address), True) for address in member.addresses]
    return asked


class _Known:
    """What the lists say, by what is looked up."""

    def __init__(self, lists: Mapping[str, Any], networks: Iterable[Network], members: Iterable[Member]) -> None:
        self.gateways = {network.name: [_plain(gateway) for gateway in network.gateways] for network in networks}
        self._members: dict[str, list[Member]] = {}
        for member in members:
            self._members.setdefault(member.namespace, []).append(member)
        self._rules = {
            one["bridge"]: one for one in lists.get("forward", ()) if one.get("bridge") and one.get("state") != "absent"
        }
        self._bridges = {one["name"] for one in lists.get("bridge", ())}
        self._isolated = {one["name"] for one in lists.get("bridge_port", ()) if one.get("isolated")}
        self._masquerades = {
            (one.get("bridge"), _version(one["source"]))
            for one in lists.get("masquerade", ())
            if one.get("state") != "absent"
        }
        standing = [one for one in lists.get("netns", ()) if one.get("state") != "absent"]
        self._adopted = {one["name"] for one in standing if one.get("adopt")}  # with ways of their own
        self.alone = [
            one["name"]
            for one in standing
            if one["name"] not in self._members and not one.get("adopt") and not one.get("same_as")
        ]

    def is_of_host(self, member: Member) -> bool:
        """Whether the host has an address in its network, by us."""
        return member.bridge in self._bridges and bool(self.gateways[member.network])

    def promised(self, source: str, target: Member, address: str) -> bool | None:
        """Whether a namespace reaches an address of a member, or must not; None is not for us to say."""
        own = self._members.get(source, ())
        for member in own:
            if member.network == target.network:
                return not {member.port, target.port} <= self._isolated
        if source in self._adopted:
            return None
        by = _way(own, address)
        if by is None:
            return False  # no route leads there
        rule, other = self._rules.get(by.bridge, {}), self._rules.get(target.bridge, {})
        if target.bridge in rule.get("allow", ()):
            return self._allowed(by, target, address)
        if rule.get("internal") or other.get("internal"):
            return False
        return False if rule and other else None

    def _allowed(self, by: Member, target: Member, address: str) -> bool | None:
        """It may ask: where the host forwards, and the answer comes back the same way."""
        version = _version(address)
        if not self._rules[by.bridge].get(_SWITCHES[version]):
            return None
        if (by.bridge, version) in self._masquerades:
            return True
        asks = next(_plain(one) for one in by.addresses if _version(one) == version)
        back = _way(self._members[target.namespace], asks)
        return True if back is target else None


def _way(members: Iterable[Member], address: str) -> Member | None:
    """By which of its interfaces a namespace sends to an address: the longest prefix wins."""
    wanted = ipaddress.ip_address(address)
    found: list[tuple[int, Member]] = []
    for member in members:
        nets = [ipaddress.ip_interface(one).network for one in member.addresses]
        for route in member.routes:
            to = route["to"]
            if to == "default":
                to = "0.0.0.0/0" if _version(route["via"]) == 4 else "::/0"
            nets.append(ipaddress.ip_network(to))
        found += [(net.prefixlen, member) for net in nets if wanted in net]
    return max(found, key=lambda one: one[0], default=(0, None))[1]


def _version(address: str) -> int:
    return 6 if ":" in address else 4


def _plain(address: str) -> str:
    return address.partition("/")[0]


def _question(source: str, name: str, address: str, expected: bool) -> Question:
    return {
        "from": source,
        "to": address,
        "name": name,
        "expected": expected,
        "title": f"{source or 'the host'} to {name}, {address}",
    }


def _neighbours(values: Sequence[T], count: int) -> list[T]:
    """Pairs that follow each other, the first, the last and evenly what lies between."""
    pairs, last = max(count // 2, 1), len(values) - 2
    firsts = [round(index * last / (pairs - 1)) for index in range(pairs)] if pairs > 1 else [0]
    return [values[index] for index in sorted({index + step for index in firsts for step in (0, 1)})]
