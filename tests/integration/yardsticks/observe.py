# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a builder made, as facts that can be compared: no names and addresses but those of the specification.

What all the ports, or all the containers, of a network have in common is one fact.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell

from .probes import PORT, PROTOCOLS, Answer, Question, ask
from .specification import HOST, HOST6, OTHER, OTHER6, WORLD, WORLD6, Container, Network, Specification

# A host with an uplink to a world that has routes to the containers, as every router between them might.
MACHINE = f"""
ip netns add world
ip link add name uplink type veth peer name eth0 netns world
ip address add {HOST}/24 dev uplink
ip address add {OTHER}/24 dev uplink
ip address add {HOST6}/64 dev uplink nodad
ip address add {OTHER6}/64 dev uplink nodad
ip link set dev uplink up
ip -n world link set dev lo up
ip -n world address add {WORLD}/24 dev eth0
ip -n world address add {WORLD6}/64 dev eth0 nodad
ip -n world link set dev eth0 up
ip -n world route add default via {HOST}
ip -n world route add default via {HOST6}
ip route add default via {WORLD}
ip route add default via {WORLD6}
"""

# A new namespace begins with the values of the machine that the test runs on: with the kernel's own instead.
_DEFAULTS = {
    "net/ipv4/ip_forward": "0",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/conf/all/accept_redirects": "1",
    "net/ipv4/conf/default/accept_redirects": "1",
    # Who asks for many closed ports hears it of each.
    "net/ipv4/icmp_ratelimit": "0",
    "net/ipv6/icmp/ratelimit": "0",
}

# What says nothing about the network: numbers, names, time, and what has a fact of its own.
_IGNORED = re.compile(
    r"ifindex|ifname|link|link_.*|master|address|flags|operstate|addr_info|group|linkmode|.*_timer|root_id|bridge_id"
    r"|designated_.*|no|id|port|state|topology_change.*|[gt]so_.*|gro_.*|num_[rt]x_queues|inet6_addr_gen_mode|parentdev"
    r"|stats64|min_mtu|max_mtu|broadcast|permaddr|info_kind|info_slave_kind|linkinfo|info_data|info_slave_data|fdb_n_learned"
)
NOT_THERE = "not there"
_NET = Path("/proc/sys/net")
_POOL = re.compile(r"172\.\d+\.0\.\d+(/16)?")  # where Docker takes from what nobody gave
_IGNORED_SYSCTLS = re.compile(r"mtu|.*_secret|flush|.*_key")


class Fact(NamedTuple):
    """Where, and what."""

    where: str
    what: str


Facts = dict[Fact, str]


def machine() -> None:
    """Make a sandbox a host."""
    for key, value in _DEFAULTS.items():
        Path("/proc/sys", key).write_text(value, encoding="ascii")
    shell(MACHINE)


# --- links ---


def _flat(given: Mapping[str, Any]) -> dict[str, str]:
    kept = {key: value for key, value in given.items() if not _IGNORED.fullmatch(key)}
    return {key: str(value) for key, value in kept.items()}


def _link(one: Mapping[str, Any]) -> dict[str, str]:
    """One link."""
    info = one.get("linkinfo", {})
    found = {"kind": info.get("info_kind", "none"), "up": str(snapshot.is_up(dict(one)))}
    found["promiscuous"] = str("PROMISC" in one["flags"])
    found.update({f"link {key}": value for key, value in _flat(one).items()})
    for part in ("info_data", "info_slave_data"):
        found.update(
            {f"{part[5:].replace('_data', '')} {key}": value for key, value in _flat(info.get(part, {})).items()}
        )
    found["link ifalias"] = "a label" if "ifalias" in one else "none"
    found.setdefault("link txqlen", "0")
    return found


def _sysctls(link: str) -> dict[str, str]:
    """Of a link, where the thread is."""
    found = {}
    for family in ("ipv4", "ipv6"):
        directory = _NET / family / "conf" / link
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            if not _IGNORED_SYSCTLS.fullmatch(path.name):
                found[f"{family}/conf/*/{path.name}"] = _value(path)
    return found


def _value(path: Path) -> str:
    try:
        return " ".join(path.read_text(encoding="ascii").split())
    except OSError:
        return "unreadable"


# --- addresses and routes ---


Words = Mapping[str, str]  # addresses and names as words


def _words(specification: Specification) -> dict[str, str]:
    found = {HOST: "host", OTHER: "host", HOST6: "host", OTHER6: "host", WORLD: "world", WORLD6: "world"}
    for network in specification.networks:
        found.update(dict.fromkeys(network.addresses, f"gateway of {network.name}"))
        found.update(dict.fromkeys(network.subnets, network.name))
    for container in specification.containers:
        found.update(dict.fromkeys(container.addresses, container.name))
    return found


def _words_of(network: Network, container: Container) -> dict[str, str]:
    """The same for each of its containers."""
    found = dict.fromkeys(network.addresses, "the gateway")
    found.update(dict.fromkeys(network.subnets, "the subnet"))
    return {**found, **dict.fromkeys(container.addresses, "its address")}


def _addresses(one: Mapping[str, Any]) -> str:
    found = []
    for given in one["addr_info"]:
        if given["scope"] == "link" and given["family"] == "inet6":
            found.append("link-local")
            continue
        flags = [key for key, value in given.items() if value is True and key not in ("tentative",)]
        broadcast = ["broadcast"] if "broadcast" in given else []
        found.append(" ".join([f"{given['family']} /{given['prefixlen']}", given["scope"], *broadcast, *flags]))
    return ", ".join(sorted(found)) or "none"


def _route(given: Mapping[str, Any], words: Words) -> str:
    parts = [_word(given["dst"], words)]
    for key, word in (
        ("gateway", "via"),
        ("dev", "dev"),
        ("protocol", "proto"),
        ("scope", "scope"),
        ("metric", "metric"),
    ):
        parts += [word, _word(str(given[key]), words)] if key in given else []
    return " ".join(parts + (["src", _word(given["prefsrc"], words)] if "prefsrc" in given else []))


def _word(value: str, words: Words) -> str:
    return words.get(value) or ("of its pool" if _POOL.fullmatch(value) else value)


def _routes(namespace: str, words: Words) -> list[str]:
    found = [one for one in snapshot.routes(namespace) if not one["dst"].startswith("fe80")]
    return sorted(_route(one, words) for one in found)


# --- everything ---


def _common(where: str, instances: Iterable[Mapping[str, str]]) -> Facts:
    """The facts of several of one kind: one value, or all that occur."""
    all_of_them = list(instances)
    keys = {key for one in all_of_them for key in one}
    return {
        Fact(where, key): " / ".join(sorted({one.get(key, NOT_THERE) for one in all_of_them})) for key in sorted(keys)
    }


def _plain_sysctls() -> dict[str, str]:
    """Those of a whole namespace."""
    found = {}
    for pattern in ("ipv4/*", "ipv6/*", "bridge/*", "ip*/conf/all/*", "ip*/conf/default/*", "ip*/conf/lo/*"):
        for path in sorted(_NET.glob(pattern)):
            if path.is_file() and not _IGNORED_SYSCTLS.fullmatch(path.name):
                found[str(path.relative_to(_NET))] = _value(path)
    return found


def _host(words: Words) -> Facts:
    found = {**_plain_sysctls(), **{f"route {route}": "there" for route in _routes("", words)}}
    found.update({key.replace("*", "uplink"): value for key, value in _sysctls("uplink").items()})
    found["rules"] = shell("ip rule; ip -6 rule").replace("\n", "; ")
    for program in ("iptables", "ip6tables"):
        found[f"policy of FORWARD ({program})"] = shell(f"{program} -S FORWARD").split()[2]
    return {Fact("host", key): value for key, value in found.items()}


def _container(container: Container, network: Network) -> dict[str, str]:
    with inside(container.name):
        links = {one["ifname"]: one for one in snapshot.links()}
        found = {**_plain_sysctls(), **_link(links["eth0"]), **_sysctls("eth0")}
    found["addresses"] = _addresses(links["eth0"])
    found["loopback"] = f"{'up' if snapshot.is_up(links['lo']) else 'down'}, {_addresses(links['lo'])}"
    found["routes"] = "; ".join(_routes(container.name, _words_of(network, container)))
    return found


def settle(specification: Specification) -> None:
    """Until every address is usable, which IPv6 takes its time for."""
    for namespace in ("", *(container.name for container in specification.containers)):
        with inside(namespace):
            shell("n=0; while ip address show | grep -q tentative; do n=$((n + 1)); test $n -lt 100; sleep 0.05; done")


def observe(specification: Specification) -> Facts:
    """All facts but those of the matrix."""
    links = snapshot.links()
    found = _host(_words(specification))
    for network in specification.networks:
        bridge = next(one for one in links if one["ifname"] == network.bridge)
        about = {**_link(bridge), **_sysctls(network.bridge), "addresses": _addresses(bridge)}
        found.update(_common(f"bridge of {network.name}", [about]))
        ports = [one for one in links if one.get("master") == network.bridge]
        of_ports = [{**_link(one), **_sysctls(one["ifname"]), "addresses": _addresses(one)} for one in ports]
        found.update(_common(f"ports of {network.name}", of_ports))
        found[Fact(f"ports of {network.name}", "number")] = str(len(ports))
        members = [one for one in specification.containers if one.network == network.name]
        found.update(_common(f"containers of {network.name}", [_container(one, network) for one in members]))
    return found


# --- who reaches whom ---


class _Asked(NamedTuple):
    """A question, and what it is called."""

    source: str  # a namespace
    target: str
    server: str  # who should answer
    address: str
    port: int
    protocol: str


def _everybody(specification: Specification) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Name, who should answer, and addresses."""
    yield "host", "host", (HOST, HOST6)
    yield "world", "world", (WORLD, WORLD6)
    for network in specification.networks:
        yield f"gateway of {network.name}", "host", network.addresses
    for container in specification.containers:
        yield container.name, container.name, container.addresses


def _direct(specification: Specification, sources: Iterable[str]) -> Iterator[_Asked]:
    """Everybody asks everybody, by each of their addresses."""
    for source in sources:
        for name, server, addresses in _everybody(specification):
            for address in addresses:
                target = f"{name} (IPv6)" if ":" in address else name
                for protocol in PROTOCOLS:
                    yield _Asked(source, target, server, address, PORT, protocol)


def _published(specification: Specification, sources: Collection[str]) -> Iterator[_Asked]:
    """Everybody asks for every published port; the host by localhost, too."""
    places = {"host": HOST, "host (IPv6)": HOST6, "localhost": "127.0.0.1"}
    others = {HOST: ("another address of host", OTHER), HOST6: ("another address of host (IPv6)", OTHER6)}
    for container in specification.containers:
        for port in container.ports:
            asked = dict([*places.items(), *([others[port.address]] if port.address in others else [])])
            numbers = range(port.host, port.host + port.count)
            for number, source, (name, address) in itertools.product(numbers, sources, asked.items()):
                if name != "localhost" or not source:
                    yield _Asked(source, f"port {number} of {name}", container.name, address, number, port.protocol)


def reach(specification: Specification) -> Facts:
    """The matrix: as whom one is seen by whom one asks."""
    names = {"": "host", "world": "world", **{one.name: one.name for one in specification.containers}}
    without = {(one.name, 4) for one in specification.containers if not one.address}
    without |= {(one.name, 6) for one in specification.containers if not one.address6}
    both = [*_direct(specification, names), *_published(specification, names)]
    questions = {
        asked: Question(asked.source, asked.address, asked.port, asked.protocol)
        for asked in both
        if (asked.source, 6 if ":" in asked.address else 4) not in without
    }
    answers = ask(questions.values(), names)
    words = _words(specification)
    said: dict[Fact, dict[str, str]] = {}
    for asked, question in questions.items():
        source = names[asked.source]
        fact = Fact(f"{source} to {asked.target}", "seen")
        said.setdefault(fact, {})[asked.protocol] = _said(answers[question], source, asked.server, words)
    return {fact: _in_short(values) for fact, values in said.items()}


def _said(answer: Answer, source: str, target: str, words: Words) -> str:
    if not answer.server:
        return "refused" if answer.refused else "nothing"
    seen = words.get(answer.seen, answer.seen)
    by = "" if answer.server == target else f" by {answer.server}"
    if seen.startswith("gateway of"):
        seen = "the gateway"
    return f"as {'itself' if seen == source else seen}{by}"


def _in_short(by_protocol: Mapping[str, str]) -> str:
    first, *others = by_protocol.values()
    if set(others) - {first}:
        return ", ".join(f"{protocol} {value}" for protocol, value in by_protocol.items())
    return first
