# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How what the engines build differs from what we build, and why: all there is, and no more."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from .builders import NETAVARK
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
    bridge_nf: bool = False  # only where bridged packets can pass the firewall, as a new namespace has it
    since: tuple[int, ...] = ()  # the first version in which it was seen; () is in all
    before: tuple[int, ...] = ()  # the first version in which it was not seen any more; () is none

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


_BRIDGE_NF = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")

Pairs = dict[Fact, tuple[str, str]]  # theirs, ours


def seen(theirs: Facts, ours: Facts) -> Pairs:
    """What really differs."""
    both = {fact: (theirs.get(fact, NOT_THERE), ours.get(fact, NOT_THERE)) for fact in {**theirs, **ours}}
    return {fact: pair for fact, pair in both.items() if pair[0] != pair[1]}


def listed(engine: str, theirs: Facts, ours: Facts) -> Pairs:
    """What the table tells of an engine."""
    found: Pairs = {}
    version = _version(engine)
    for row in DIFFERENCES:
        if engine not in row.engines or (row.bridge_nf and not _BRIDGE_NF.exists()):
            continue
        if row.since > version or (row.before and version >= row.before):
            continue
        facts = row.facts({**theirs, **ours})
        assert facts, f"nothing is called so: {row}"
        assert not facts & set(found), f"listed twice: {row}"
        found.update(dict.fromkeys(facts, (row.theirs, row.ours)))
    return found


# Of those that have changed what they build.
_VERSIONS = {"netavark": (NETAVARK, "--version"), "docker": ("dockerd", "--version")}


def _version(engine: str) -> tuple[int, ...]:
    """Major and minor number; () where it is not asked for."""
    if engine not in _VERSIONS:
        return ()
    said = subprocess.run(_VERSIONS[engine], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    assert found, said
    return int(found[1]), int(found[2])


_QUIET = (
    "A network without IPv6 has it off on both ends: idle endpoints would send router and neighbour solicitations, "
    "and whoever is on the bridge could talk past the declaration by link-local addresses."
)
_PORT = "A port of a bridge has no use for IPv6 of its own: what arrives there is the bridge's."
_NO_MATTER = "It has no effect where disable_ipv6 is 1."
_LABEL = "Ownership is a label in the kernel, not a state file."
_BROADCAST = (
    "As `ip address add` without `brd`: the kernel routes the broadcast address all the same, and only programs that "
    "ask for the interface's own see none."
)
_NODAD = "An address that was given cannot be taken twice: `nodad` makes it usable at once, not after a second."
_TWICE = "Docker gives every bridge fe80::1, too."
_QUEUE = "What the library of Go sends; ours is the kernel's default. A veth and a bridge have no queue."
_ORIGIN = "A route of ours says that a person declared it, as `proto static`; netavark adds a metric of its own."
_NOT_PUBLISHED = "What is not published is not reached from outside, not even by a route to the subnet."
_ANNOUNCED = (
    "The plugin has every new address announced by the kernel; ours are announced where one moves to another MAC."
)
_ANNOUNCED_BY_NETAVARK = "As CNI's plugin."
_LOOSE = (
    "Netavark lets packets come in by another way than the answer takes, on its bridges and in containers; on ours the "
    "host's own `rp_filter` holds, and in a container the kernel's, with `sysctls` to change."
)
_LOOPBACK = (
    "Docker turns IPv6 off where it is not used, on the loopback, too; ours leaves that alone: ::1 works inside."
)
_ROOT = "For images whose programs are not root; a container of ours has the kernel's values, and `sysctls` to change."
_AUTOCONF = "Netavark lets no advertisement of a neighbour add an address; in ours `sysctls` of a container can."
_LOCALNET = (
    "Netavark lets 127.0.0.0/8 pass every bridge, for ports published to localhost; ours where there are some, and "
    "with a guard against the containers."
)
_LOCALNET_PROXY = (
    "On localhost Docker's proxy listens; ours is translated, for which 127.0.0.0/8 passes the bridges of those who "
    "publish, with a guard against the containers."
)
_STILL_HEARD = (
    "With IPv6 forwarding a host ignores router advertisements, and loses the default route that it has from them. "
    "The engines accept that; we let the host's own interfaces go on hearing them."
)
_NO_GATEWAY = (
    "As podman has it, the plugins give an internal network no gateway; ours has one, as Docker's and netavark's, by "
    "which the host can be asked."
)
_AT_ONCE = (
    "In Docker's internal network a default route leads to the host and all of its addresses, and there ends in "
    "silence. Ours has none, so that a way out fails at once, and of the host only the gateway is reached."
)
_CLOSED = "Netavark forwards nothing from an internal bridge; ours keeps that in the firewall, both ways."
_CLOSED_IPV6 = (
    "Netavark closes an internal network by the bridge's own switch of forwarding, which keeps its containers in; for "
    "IPv6 nothing keeps those of others out."
)
_ALWAYS_IPV4 = "Docker has no network without IPv4: what nobody gives, it takes from its pool."
_ALONE_IPV6 = (
    "What an internal network may not, Docker says to ip6tables without an exception for those on its bridge; where "
    "bridged packets pass the firewall, they do not reach each other by IPv6."
)
_DROP = (
    "Docker closes the host to all other forwarding where it was the one to turn that on; ours judges what belongs "
    "to its networks, and leaves the rest to the host."
)
_TO_ITSELF = (
    "Docker's masquerade also takes what the host says to itself, since that leaves by another interface than the "
    "bridge; ours takes what came in by the bridge."
)
_HAIRPIN = (
    "For a container that asks for its own published port, where bridged packets pass the firewall. Ours has it where "
    "the container publishes."
)
_HAIRPIN_MISSING = (
    "With `bridge-nf-call-iptables=1` a container does not reach its own published port unless its port of the bridge "
    "sends back where it came from."
)
_ACROSS = "A published port is for everybody who reaches the host; isolation is not asked."
_HOST_ITSELF = (
    "What the host asks of its own published ports comes from the bridge's address, also from 127.0.0.1 and whichever "
    "address it has."
)
_PROXY_UDP = (
    "Docker's proxy answers UDP from another address of the host than was asked; ours has no proxy, and tells the "
    "kernel's connection tracking."
)
_PROXY_IPV6 = "Docker's proxy takes IPv6 to a container that has none; ours is reached by the families that it has."
_BY_ROUTE = "Docker lets the container's own port of a published one be asked by a route, past the host's address."

_APART = (
    "The plugins and netavark know no `icc`: who is on one bridge talks. In ours the ports of the bridge are isolated, "
    "so that no frame gets from one to another; Docker drops them in the firewall, for which bridged packets have to "
    "pass it."
)

_IPV4_ONLY = ("red", "blue", "green", "grey")
_NAT_ONLY = ("red", "blue", "grey")
_QUIET_NETWORKS = ("blue", "grey")  # without published ports
_BOTH = ("violet",)
_PUBLISHING = ("red", "violet")
_IPV6_ONLY = ("white", "onyx", "amber")
_NAT_IPV6 = ("white", "amber")
_WITH_IPV6 = (*_BOTH, *_IPV6_ONLY)


def _of(kinds: str, networks: tuple[str, ...] = ("*",)) -> tuple[str, ...]:
    return tuple(f"{kind} of {network}" for kind in kinds.split() for network in networks)


_DOCKER = (26, 0)  # does several things as ours that 20.10 did not; what lies between was not seen
_SUBNET = "the subnet dev eth0 proto kernel scope link src its address"
_SUBNET6 = "the subnet dev eth0 proto kernel metric 256"


_WAYS = "default via of its pool dev eth0; default via the gateway dev eth0 metric 1024; "
_POOL = "of its pool dev eth0 proto kernel scope link src of its pool"


def _routes(ipv4: str | None, ipv6: str | None = None) -> str:
    default = [f"default via the gateway dev eth0{how}" for how in (ipv4, ipv6) if how is not None]
    return "; ".join([*default, *([] if ipv6 is None else [_SUBNET6]), *([] if ipv4 is None else [_SUBNET])])


DIFFERENCES = (
    # Links.
    Difference(ALL, _of("bridge ports"), "link ifalias", "none", "a label", _LABEL),
    Difference(("cni",), _of("ports containers"), "link txqlen", "0", "1000", _QUEUE),
    Difference(("docker",), _of("bridge ports containers"), "link txqlen", "0", "1000", _QUEUE),
    Difference(
        ("cni",), _of("ports", (*_QUIET_NETWORKS, "green", "onyx", "amber")), "slave hairpin", "True", "False", _HAIRPIN
    ),
    Difference(("cni",), _of("ports", (*_PUBLISHING, "white")), "slave hairpin", "True", "False / True", _HAIRPIN),
    Difference(
        ("netavark", "docker"),
        _of("ports", (*_PUBLISHING, "white")),
        "slave hairpin",
        "False",
        "False / True",
        _HAIRPIN,
    ),
    Difference(ALL, ("ports of grey", "ports of amber"), "slave isolated", "False", "True", _APART),
    # Addresses.
    Difference(
        ALL,
        _of("bridge", _NAT_ONLY),
        "addresses",
        "inet /24 global broadcast, link-local",
        "inet /24 global",
        f"{_BROADCAST} {_QUIET}",
    ),
    Difference(
        ("netavark", "docker"),
        "bridge of green",
        "addresses",
        "inet /24 global broadcast, link-local",
        "inet /24 global",
        f"{_BROADCAST} {_QUIET}",
    ),
    Difference(("cni",), "bridge of green", "addresses", "link-local", "inet /24 global", _NO_GATEWAY),
    Difference(
        ("cni", "netavark"),
        _of("containers", _IPV4_ONLY),
        "addresses",
        "inet /24 global broadcast, link-local",
        "inet /24 global",
        f"{_BROADCAST} {_QUIET}",
    ),
    Difference(
        ("docker",),
        _of("containers", _IPV4_ONLY),
        "addresses",
        "inet /24 global broadcast",
        "inet /24 global",
        _BROADCAST,
    ),
    Difference(
        ("cni", "netavark"),
        _of("bridge containers", _BOTH),
        "addresses",
        "inet /24 global broadcast, inet6 /64 global, link-local",
        "inet /24 global, inet6 /64 global nodad, link-local",
        f"{_BROADCAST} {_NODAD}",
    ),
    Difference(
        ("docker",),
        _of("bridge", _BOTH),
        "addresses",
        "inet /24 global broadcast, inet6 /64 global, link-local, link-local",
        "inet /24 global, inet6 /64 global nodad, link-local",
        f"{_BROADCAST} {_NODAD} {_TWICE}",
    ),
    Difference(
        ("docker",),
        _of("containers", _BOTH),
        "addresses",
        "inet /24 global broadcast, inet6 /64 global nodad, link-local",
        "inet /24 global, inet6 /64 global nodad, link-local",
        _BROADCAST,
    ),
    *(
        Difference(engines, where, "addresses", theirs, "inet6 /64 global nodad, link-local", reason)
        for engines, where, theirs, reason in (
            (
                ("cni",),
                (*_of("bridge", _NAT_IPV6), *_of("containers", _IPV6_ONLY)),
                "inet6 /64 global, link-local",
                _NODAD,
            ),
            (("cni",), ("bridge of onyx",), "link-local", f"{_NO_GATEWAY} {_NODAD}"),
            (("netavark",), _of("bridge containers", _IPV6_ONLY), "inet6 /64 global, link-local", _NODAD),
            (
                ("docker",),
                _of("bridge", _IPV6_ONLY),
                "inet /16 global broadcast, inet6 /64 global, link-local, link-local",
                f"{_ALWAYS_IPV4} {_NODAD} {_TWICE}",
            ),
            (
                ("docker",),
                _of("containers", _IPV6_ONLY),
                "inet /16 global broadcast, inet6 /64 global nodad, link-local",
                _ALWAYS_IPV4,
            ),
        )
    ),
    Difference(ALL, _of("ports"), "addresses", "link-local", "none", _PORT),
    Difference(
        ("docker",),
        _of("containers", _IPV4_ONLY),
        "loopback",
        "up, inet /8 host",
        "up, inet /8 host, inet6 /128 host",
        _LOOPBACK,
        before=_DOCKER,
    ),
    # Routes.
    *(
        Difference(engines, _of("containers", networks), "routes", _routes(*theirs), _routes(*expected), _ORIGIN)
        for networks, expected, found in (
            (
                _NAT_ONLY,
                (" proto static",),
                {("cni", "docker"): ("",), ("netavark",): (" proto static metric 100",)},
            ),
            (
                _BOTH,
                (" proto static", " proto static metric 1024"),
                {
                    ("cni", "docker"): ("", " metric 1024"),
                    ("netavark",): (" proto static metric 100", " proto static metric 100"),
                },
            ),
            (
                _NAT_IPV6,
                (None, " proto static metric 1024"),
                {("cni",): (None, " metric 1024"), ("netavark",): (None, " proto static metric 100")},
            ),
        )
        for engines, theirs in found.items()
    ),
    Difference(
        ("cni",),
        "host",
        "route green dev brg proto kernel scope link src gateway of green",
        NOT_THERE,
        "there",
        _NO_GATEWAY,
    ),
    Difference(("cni",), "host", "route onyx dev bro proto kernel metric 256", NOT_THERE, "there", _NO_GATEWAY),
    Difference(
        ("docker",),
        "containers of green",
        "routes",
        f"default via the gateway dev eth0; {_SUBNET}",
        _SUBNET,
        _AT_ONCE,
        before=_DOCKER,
    ),
    *(
        Difference(
            ("docker",),
            _of("containers", networks),
            "routes",
            f"{ways}{_POOL}; {_SUBNET6}",
            expected,
            reason,
            since=since,
            before=before,
        )
        for networks, ways, expected, reason, since, before in (
            (_NAT_IPV6, _WAYS, _routes(None, " proto static metric 1024"), f"{_ALWAYS_IPV4} {_ORIGIN}", (), ()),
            (("onyx",), _WAYS, _SUBNET6, f"{_ALWAYS_IPV4} {_AT_ONCE}", (), _DOCKER),
            (("onyx",), "", _SUBNET6, _ALWAYS_IPV4, _DOCKER, ()),
        )
    ),
    *(
        Difference(
            ("docker",),
            "host",
            f"route of its pool dev {bridge} proto kernel scope link src of its pool",
            "there",
            NOT_THERE,
            _ALWAYS_IPV4,
        )
        for bridge in ("brw", "bro", "bra")
    ),
    # Sysctls.
    Difference(ALL, _of("bridge", _IPV4_ONLY), "ipv6/conf/*/disable_ipv6", "0", "1", _QUIET),
    Difference(ALL, _of("ports"), "ipv6/conf/*/disable_ipv6", "0", "1", _PORT),
    Difference(("cni", "netavark"), _of("containers", _IPV4_ONLY), "ipv6/conf/*/disable_ipv6", "0", "1", _QUIET),
    Difference(("cni",), _of("containers"), "ipv6/conf/*/accept_dad", "0", "1", _NODAD),
    Difference(("netavark",), _of("bridge ports containers", _WITH_IPV6), "ipv6/conf/*/accept_dad", "0", "1", _NODAD),
    Difference(("cni", "docker"), _of("bridge", _IPV4_ONLY), "ipv6/conf/*/accept_ra", "0", "2", _NO_MATTER),
    Difference(("netavark",), _of("bridge", _IPV4_ONLY), "ipv6/conf/*/accept_ra", "1", "2", _NO_MATTER),
    Difference(("cni",), _of("ports"), "ipv6/conf/*/accept_ra", "0", "2", _PORT),
    Difference(("netavark", "docker"), _of("ports"), "ipv6/conf/*/accept_ra", "1", "2", _PORT),
    Difference(("netavark",), _of("containers"), "ipv6/conf/*/autoconf", "0", "1", _AUTOCONF),
    Difference(("netavark",), _of("bridge", ("green", "onyx")), "ipv4/conf/*/forwarding", "0", "1", _CLOSED),
    Difference(("netavark",), "bridge of onyx", "ipv6/conf/*/forwarding", "0", "1", _CLOSED),
    Difference(
        ("netavark",), _of("bridge", (*_QUIET_NETWORKS, *_NAT_IPV6)), "ipv4/conf/*/route_localnet", "1", "0", _LOCALNET
    ),
    Difference(("docker",), _of("bridge", _PUBLISHING), "ipv4/conf/*/route_localnet", "0", "1", _LOCALNET_PROXY),
    Difference(("cni",), _of("containers"), "ipv4/conf/*/arp_notify", "1", "0", _ANNOUNCED),
    Difference(
        ("netavark",), _of("containers"), "ipv4/conf/*/arp_notify", "1", "0", _ANNOUNCED_BY_NETAVARK, since=(1, 14)
    ),
    Difference(("netavark",), _of("bridge containers"), "ipv4/conf/*/rp_filter", "2", "0", _LOOSE, since=(1, 14)),
    Difference(("docker",), _of("containers"), "ipv4/ip_unprivileged_port_start", "0", "1024", _ROOT),
    Difference(("docker",), _of("containers"), "ipv4/ping_group_range", "0 2147483647", "1 0", _ROOT),
    Difference(("docker",), _of("containers"), "ipv6/conf/all/disable_ipv6", "1", "0", _LOOPBACK, before=_DOCKER),
    Difference(("docker",), _of("containers"), "ipv6/conf/default/disable_ipv6", "1", "0", _LOOPBACK, before=_DOCKER),
    Difference(
        ("docker",), _of("containers", _IPV4_ONLY), "ipv6/conf/lo/disable_ipv6", "1", "0", _LOOPBACK, before=_DOCKER
    ),
    *(
        Difference(ALL, "host", f"ipv6/conf/{name}/accept_ra", "1", "2", _STILL_HEARD)
        for name in ("all", "default", "lo", "uplink")
    ),
    # The firewall of the host.
    Difference(("docker",), "host", "policy of FORWARD (iptables)", "DROP", "ACCEPT", _DROP),
    Difference(("docker",), "host", "policy of FORWARD (ip6tables)", "DROP", "ACCEPT", _DROP),
    # Who reaches whom.
    Difference(
        ("cni", "netavark"),
        ("world to [rbvy]?", "world to [vwa]? (IPv6)"),
        "seen",
        "as itself",
        "nothing",
        _NOT_PUBLISHED,
    ),
    Difference(
        ("docker",),
        tuple(f"host to gateway of {name}" for name in (*_NAT_ONLY, *_BOTH)),
        "seen",
        "as itself",
        "as the gateway",
        _TO_ITSELF,
    ),
    Difference(
        ("cni", "netavark"),
        ("y1 to y2", "y2 to y1", "a1 to a2 (IPv6)", "a2 to a1 (IPv6)"),
        "seen",
        "as itself",
        "nothing",
        _APART,
    ),
    # The internal network.
    Difference(
        ("cni",),
        (
            "[rbgvy]? to gateway of green",
            "world to gateway of green",
            "[vwoa]? to gateway of onyx (IPv6)",
            "world to gateway of onyx (IPv6)",
        ),
        "seen",
        "nothing",
        "as itself",
        _NO_GATEWAY,
    ),
    Difference(
        ("cni",),
        ("host to gateway of green", "host to g?", "host to gateway of onyx (IPv6)", "host to o? (IPv6)"),
        "seen",
        "nothing",
        "as the gateway",
        _NO_GATEWAY,
    ),
    Difference(("netavark",), "[vwa]? to o? (IPv6)", "seen", "as the gateway", "nothing", _CLOSED_IPV6),
    Difference(
        ("docker",),
        ("o1 to o2 (IPv6)", "o2 to o1 (IPv6)"),
        "seen",
        "nothing",
        "as itself",
        _ALONE_IPV6,
        True,
        before=_DOCKER,
    ),
    Difference(
        ("docker",),
        (
            *(f"g? to gateway of {name}" for name in (*_NAT_ONLY, *_BOTH)),
            "g? to host",
            *(f"o? to gateway of {name} (IPv6)" for name in (*_BOTH, *_NAT_IPV6)),
            "o? to host (IPv6)",
        ),
        "seen",
        "as itself",
        "nothing",
        _AT_ONCE,
        before=_DOCKER,
    ),
    Difference(
        ("docker",),
        (
            "g? to port 8082 of host",
            "g? to port 8083 of another address of host",
            "g? to port 808[67] of host",
            "g? to port 809[45] of host",
            "o? to port 808[23] of host (IPv6)",
            "o? to port 8087 of another address of host (IPv6)",
        ),
        "seen",
        "refused",
        "nothing",
        _AT_ONCE,
        before=_DOCKER,
    ),
    # Published ports: 8081, 8083, 8090 and 8091 of r1, 8085 of v1, and by IPv6 alone 8086, 8087, 8094 and 8095 of w1.
    Difference(("docker",), ("world to [rv]1", "world to [vw]1 (IPv6)"), "seen", "as itself", "nothing", _BY_ROUTE),
    Difference(
        ALL,
        (
            "host to port 80[89][013] of host",
            "host to port 8085 of host",
            "host to port 808[567] of host (IPv6)",
            "host to port 809[45] of host (IPv6)",
        ),
        "seen",
        "as itself",
        "as the gateway",
        _HOST_ITSELF,
    ),
    Difference(
        ("cni", "netavark"),
        (
            "[by]? to port 80[89][013] of host",
            "[by]? to port 8085 of host",
            "r? to port 8085 of host",
            "v? to port 80[89][013] of host",
            "[wa]? to port 8085 of host (IPv6)",
            "[va]? to port 808[67] of host (IPv6)",
            "[va]? to port 809[45] of host (IPv6)",
        ),
        "seen",
        "nothing",
        "as the gateway",
        _ACROSS,
    ),
    Difference(
        ("netavark",),
        (
            "r1 to port 80[89][013] of host",
            "v1 to port 8085 of host",
            "v1 to port 8085 of host (IPv6)",
            "w1 to port 808[67] of host (IPv6)",
            "w1 to port 809[45] of host (IPv6)",
        ),
        "seen",
        "nothing",
        "as the gateway",
        _HAIRPIN_MISSING,
        bridge_nf=True,
    ),
    Difference(
        ("docker",),
        ("[rbvy]? to port 808[15] of host", "[vwa]? to port 808[56] of host (IPv6)"),
        "seen",
        "tcp as the gateway, udp nothing",
        "as the gateway",
        _PROXY_UDP,
    ),
    Difference(
        ("docker",),
        (
            "host to port 80[89][01] of host (IPv6)",
            "world to port 809[01] of host (IPv6)",
            "[vwa]? to port 809[01] of host (IPv6)",
        ),
        "seen",
        "as the gateway",
        "refused",
        _PROXY_IPV6,
    ),
    Difference(
        ("docker",),
        ("[vwa]? to port 8081 of host (IPv6)", "world to port 8081 of host (IPv6)"),
        "seen",
        "tcp as the gateway, udp nothing",
        "refused",
        _PROXY_IPV6,
    ),
    Difference(
        ("docker",),
        "o? to port 809[01] of host (IPv6)",
        "seen",
        "as the gateway",
        "nothing",
        _PROXY_IPV6,
        before=_DOCKER,
    ),
    Difference(
        ("docker",),
        "o? to port 8081 of host (IPv6)",
        "seen",
        "tcp as the gateway, udp nothing",
        "nothing",
        _PROXY_IPV6,
        before=_DOCKER,
    ),
)
