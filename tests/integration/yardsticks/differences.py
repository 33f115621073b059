# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How what the engines build differs from what we build, and why: all there is, and no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .observe import NOT_THERE, Fact, Facts

ENGINES = {"cni": "CNI", "netavark": "netavark", "docker": "Docker"}
ALL = tuple(ENGINES)


@dataclass(frozen=True)
class Difference:
    """In some engines, at all places that match a pattern."""

    engines: tuple[str, ...]
    where: str | tuple[str, ...]
    what: str
    theirs: str
    ours: str
    reason: str

    @property
    def places(self) -> tuple[str, ...]:
        """The patterns."""
        return (self.where,) if isinstance(self.where, str) else self.where

    def facts(self, known: Iterable[Fact]) -> set[Fact]:
        """Those that it tells of."""
        return {
            fact
            for fact in known
            if fact.what == self.what and any(fnmatchcase(fact.where, place) for place in self.places)
        }


Pairs = dict[Fact, tuple[str, str]]  # theirs, ours


def seen(theirs: Facts, ours: Facts) -> Pairs:
    """What really differs."""
    both = {fact: (theirs.get(fact, NOT_THERE), ours.get(fact, NOT_THERE)) for fact in {**theirs, **ours}}
    return {fact: pair for fact, pair in both.items() if pair[0] != pair[1]}


def listed(engine: str, theirs: Facts, ours: Facts) -> Pairs:
    """What the table tells of an engine."""
    found: Pairs = {}
    for row in DIFFERENCES:
        if engine not in row.engines:
            continue
        facts = row.facts({**theirs, **ours})
        assert facts, f"nothing is called so: {row}"
        assert not facts & set(found), f"listed twice: {row}"
        found.update(dict.fromkeys(facts, (row.theirs, row.ours)))
    return found


_QUIET = (
    "A network without IPv6 has it off on both ends: idle endpoints would send router and neighbour solicitations, "
    "and whoever is on the bridge could talk past the declaration by link-local addresses."
)
_NO_MATTER = "It has no effect where disable_ipv6 is 1."
_LABEL = "Ownership is a label in the kernel, not a state file."
_BROADCAST = (
    "As `ip address add` without `brd`: the kernel routes the broadcast address all the same, and only programs that "
    "ask for the interface's own see none."
)
_QUEUE = "What the library of Go sends; ours is the kernel's default. A veth and a bridge have no queue."
_ORIGIN = "A route of ours says that a person declared it, as `proto static`; netavark adds a metric of its own."
_NOT_PUBLISHED = "What is not published is not reached from outside, not even by a route to the subnet."
_ANNOUNCED = "An address that comes up is announced by the plugin through this; ours has no former holder to correct."
_LOOPBACK = "Docker turns IPv6 off in the whole namespace; ours leaves the loopback alone, so that ::1 works inside."
_ROOT = "For images whose programs are not root; a container of ours has the kernel's values, and the role's sysctls."

DIFFERENCES = (
    # Links.
    Difference(ALL, ("bridge of *", "ports of *"), "link ifalias", "none", "a label", _LABEL),
    Difference(("cni",), ("ports of *", "containers of *"), "link txqlen", "0", "1000", _QUEUE),
    Difference(("docker",), ("bridge of *", "ports of *", "containers of *"), "link txqlen", "0", "1000", _QUEUE),
    Difference(
        ("cni",),
        "ports of *",
        "slave hairpin",
        "True",
        "False",
        "Podman's plugins are told so for containers that ask for their own published port; only then does a packet "
        "go back where it came from.",
    ),
    # Addresses.
    Difference(ALL, "bridge of *", "addresses", "inet /24 global broadcast, link-local", "inet /24 global", _BROADCAST),
    Difference(ALL, "ports of *", "addresses", "link-local", "none", _QUIET),
    Difference(
        ("cni", "netavark"),
        "containers of *",
        "addresses",
        "inet /24 global broadcast, link-local",
        "inet /24 global",
        _QUIET,
    ),
    Difference(("docker",), "containers of *", "addresses", "inet /24 global broadcast", "inet /24 global", _BROADCAST),
    Difference(
        ("docker",), "containers of *", "loopback", "up, inet /8 host", "up, inet /8 host, inet6 /128 host", _LOOPBACK
    ),
    # Routes.
    *(
        Difference(
            (engine,),
            "containers of *",
            "routes",
            f"default via the gateway dev eth0{origin}; the subnet dev eth0 proto kernel scope link src its address",
            "default via the gateway dev eth0 proto static; the subnet dev eth0 proto kernel scope link "
            "src its address",
            _ORIGIN,
        )
        for engine, origin in (("cni", ""), ("docker", ""), ("netavark", " proto static metric 100"))
    ),
    # Sysctls.
    Difference(ALL, ("bridge of *", "ports of *"), "ipv6/conf/*/disable_ipv6", "0", "1", _QUIET),
    Difference(("cni", "netavark"), "containers of *", "ipv6/conf/*/disable_ipv6", "0", "1", _QUIET),
    Difference(("cni",), ("bridge of *", "ports of *"), "ipv6/conf/*/accept_ra", "0", "1", _NO_MATTER),
    Difference(("docker",), "bridge of *", "ipv6/conf/*/accept_ra", "0", "1", _NO_MATTER),
    Difference(("cni",), "containers of *", "ipv6/conf/*/accept_dad", "0", "1", _NO_MATTER),
    Difference(("netavark",), "containers of *", "ipv6/conf/*/autoconf", "0", "1", _NO_MATTER),
    Difference(("cni",), "containers of *", "ipv4/conf/*/arp_notify", "1", "0", _ANNOUNCED),
    Difference(("docker",), "containers of *", "ipv4/ip_unprivileged_port_start", "0", "1024", _ROOT),
    Difference(("docker",), "containers of *", "ipv4/ping_group_range", "0 2147483647", "1 0", _ROOT),
    *(
        Difference(("docker",), "containers of *", f"ipv6/conf/{name}/disable_ipv6", "1", "0", _LOOPBACK)
        for name in ("all", "default", "lo")
    ),
    # The firewall of the host.
    Difference(
        ("docker",),
        "host",
        "policy of FORWARD (iptables)",
        "DROP",
        "ACCEPT",
        "Docker closes the host for everybody else's forwarding where it was the one to turn that on; ours judges "
        "what belongs to its networks, and leaves the rest to the host.",
    ),
    # Who reaches whom.
    Difference(("cni", "netavark"), ("world to r?", "world to b?"), "seen", "as itself", "silence", _NOT_PUBLISHED),
    *(
        Difference(
            ("docker",),
            f"host to gateway of {name}",
            "seen",
            "as itself",
            f"as gateway of {name}",
            "Docker's masquerade also takes what the host says to itself, since that leaves by another interface "
            "than the bridge; ours takes what came in by the bridge.",
        )
        for name in ("red", "blue")
    ),
)
