# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reaches whom and who does not, as the modules' lists of a declaration promise it.

What depends on others - the host's own policy, a bridge of somebody else - is not promised.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from ._standing import Member, Network

_SWITCHES = {4: "forwarding", 6: "forwarding_ipv6"}


class Known:
    """What the lists say, by what is looked up."""

    def __init__(self, lists: Mapping[str, Any], networks: Iterable[Network], members: Iterable[Member]) -> None:
        self.gateways = {network.name: [plain(gateway) for gateway in network.gateways] for network in networks}
        self._members: dict[str, list[Member]] = {}
        for member in members:
            self._members.setdefault(member.namespace, []).append(member)
        self._rules = {
            one["bridge"]: one for one in lists.get("forward", ()) if one.get("bridge") and one.get("state") != "absent"
        }
        self._bridges = {one["name"] for one in lists.get("bridge", ())}
        self._isolated = {one["name"] for one in lists.get("bridge_port", ()) if one.get("isolated")}
        self._masquerades = {
            (one.get("bridge"), version(one["source"]))
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
        by = way(own, address)
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
        family = version(address)
        if not self._rules[by.bridge].get(_SWITCHES[family]):
            return None
        return True if self._comes_back(by, target, family) else None

    def _comes_back(self, by: Member, target: Member, family: int) -> bool:
        """Whether what a member is asked from another network, it answers by where it was asked."""
        if (by.bridge, family) in self._masquerades:
            return True
        asks = next((plain(one) for one in by.addresses if version(one) == family), None)
        return asks is not None and way(self._members[target.namespace], asks) is target

    def doors(self, source: str, host_address: str, family: int) -> list[tuple[Member, str]]:
        """By which of its places a namespace may ask the host for a port, and at which address of the host."""
        own = self._members.get(source, ())
        if host_address and not is_loopback(host_address):
            by = way(own, host_address)
            return [(by, host_address)] if by else []
        return [(by, one) for by in own for one in self.gateways[by.network] if version(one) == family]

    def published(self, by: Member, target: Member, family: int, forwarded: bool) -> bool | None:
        """Whether a port that is published for a member is reached from another one, or must not be."""
        if by.bridge not in self._bridges or not forwarded:
            return None
        if by.network == target.network:  # between isolated ports it is up to bridge-nf-call-iptables
            return None if {by.port, target.port} <= self._isolated else True
        if {by.namespace, target.namespace} & self._adopted:
            return None
        rule, other = self._rules.get(by.bridge, {}), self._rules.get(target.bridge, {})
        if (rule.get("internal") or other.get("internal")) and target.bridge not in rule.get("allow", ()):
            return False
        return True if self._comes_back(by, target, family) else None


def way(members: Iterable[Member], address: str) -> Member | None:
    """By which of its interfaces a namespace sends to an address: the longest prefix wins."""
    wanted = ipaddress.ip_address(address)
    found: list[tuple[int, Member]] = []
    for member in members:
        nets = [ipaddress.ip_interface(one).network for one in member.addresses]
        for route in member.routes:
            to = route["to"]
            if to == "default":
                to = "0.0.0.0/0" if version(route["via"]) == 4 else "::/0"
            nets.append(ipaddress.ip_network(to))
        found += [(net.prefixlen, member) for net in nets if wanted in net]
    return max(found, key=lambda one: one[0], default=(0, None))[1]


def version(address: str) -> int:
    """4 or 6."""
    return 6 if ":" in address else 4


def plain(address: str) -> str:
    """Without the prefix length."""
    return address.partition("/")[0]


def is_loopback(address: str) -> bool:
    """Whether only the host itself has it, as far as it is concerned."""
    return ipaddress.ip_address(address).is_loopback
