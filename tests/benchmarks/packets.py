# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets through the rules of one and of many networks: between containers, to the outside, and to a published port.

Container a and b are in the first network, and b publishes a port; world is outside, and knows nobody but the host.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

from . import firewall, peers
from .engines import CNI
from .subjects import Subject, Values, timed

PORT, PUBLISHED = 5201, 15201
WORLD = "198.18.0.2"
SECONDS = 2
BUFFERED = 10  # datagrams that a receiver may have, and has not read

_UPLINK = f"""
netns add world
link add name uplink type veth peer name eth0 netns world
address add {firewall.HOST}/24 dev uplink
link set dev uplink up
-n world link set dev lo up
route add default via {WORLD}
"""
_WORLD = f"""
link set dev lo up
address add {WORLD}/24 dev eth0
link set dev eth0 up
"""
_NUMBER, _GROUP = 9000, 1000  # of connections, and how many of them are timed together
_LISTEN = """
import socket, sys
with socket.create_server(("", int(sys.argv[1])), backlog=100) as server:
    print("listening", flush=True)
    for _number in range(int(sys.argv[2])):
        server.accept()[0].close()
"""
_CONNECT = """
import socket, statistics, sys, time
address, port, number, group = sys.argv[1], *map(int, sys.argv[2:])
rates = []
for _group in range(number // group):
    start = time.perf_counter()
    for _number in range(group):
        with socket.create_connection((address, port), timeout=5) as connection:
            connection.recv(1)
    rates.append(group / (time.perf_counter() - start))
print(statistics.median(rates))
"""


def uplink() -> None:
    timed(["ip", "-batch", "-"], "\n".join(line for line in _UPLINK.splitlines() if not line.startswith("-n")) + "\n")
    timed(["ip", "-n", "world", "-batch", "-"], _WORLD)


def ports(number: int) -> list[tuple[int, int]]:
    """(port of the host, port of the container): one for each network."""
    return [(PUBLISHED + number, PORT)]


def address(number: int, which: int = 0) -> str:
    """Of the containers of a network, the first one and others."""
    return firewall.container(number)[:-1] + str(2 + which)


class _Server:
    """A program in a namespace, until the block ends."""

    def __init__(self, namespace: str, *command: str) -> None:
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *command], stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> None:
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it says that it listens

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.communicate()


def _client(namespace: str, *command: str) -> str:
    argv = ["ip", "netns", "exec", namespace, *command]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise AssertionError(f"{' '.join(argv[3:])}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout


def _stream(client: str, server: str, target: str, port: int) -> float:
    """Gbit/s of TCP, as they are received."""
    with _Server(server, "iperf3", "--server", "--one-off", "--forceflush", "--port", str(PORT)):
        command = ["iperf3", "--json", "--time", str(SECONDS), "--client", target, "--port", str(port)]
        end = json.loads(_client(client, *command))["end"]
    return float(end["sum_received"]["bits_per_second"]) / 1e9


def _datagrams(client: str, server: str, target: str, port: int) -> float:
    """Thousands of UDP per second, all of which arrived: datagrams.c."""
    program, before = str(peers.PROGRAMS / "datagrams"), _arrived(server)
    with _Server(server, program, "answer", str(PORT)):
        sent, rate = _client(client, program, "send", target, str(port)).split()
        arrived = _arrived(server) - before
    if arrived < int(sent) - BUFFERED:
        raise AssertionError(f"of {sent} datagrams from {client} to {server} {arrived} arrived")
    return float(rate) / 1000


def _arrived(namespace: str) -> int:
    """Datagrams that came to a socket, also those that it had no room for."""
    said = _client(namespace, "cat", "/proc/net/snmp")
    names, values = (line.split() for line in said.splitlines() if line.startswith("Udp:"))
    counters = dict(zip(names, values))
    return int(counters["InDatagrams"]) + int(counters["RcvbufErrors"])


def _connections(client: str, server: str, target: str, port: int) -> float:
    """How many a second are begun and ended, one after the other, in the median group of them."""
    with _Server(server, "python3", "-c", _LISTEN, str(PORT), str(_NUMBER)):
        return float(_client(client, "python3", "-c", _CONNECT, target, *map(str, (port, _NUMBER, _GROUP))))


_WAYS = (
    ("between containers", "a", "b", address(0, 1), PORT),
    ("to the outside", "a", "world", WORLD, PORT),
    ("to a published port", "world", "b", firewall.HOST, PUBLISHED),
)
_KINDS = {"TCP, Gbit/s": _stream, "UDP, 1000 packets/s": _datagrams, "connections/s": _connections}
PHASES = tuple(f"{way}, {kind}" for way, *_place in _WAYS for kind in _KINDS)


def measure() -> Values:
    """All three ways, on one processor: on two, it is chance who finds whom beside him."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found = {f"{way}, {kind}": measured(*place) for way, *place in _WAYS for kind, measured in _KINDS.items()}
    if not all(found.values()):
        raise AssertionError(f"nothing arrived: {found}")
    return found


class Engine(Subject):
    """Networks as the role has them made, with a container and a published port each."""

    name = peers.Engine.name
    programs = ("ip", "nft", "gcc", "iperf3")

    def measure(self, count: int) -> Values:
        from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand

        networks, containers = {}, {}
        for number in range(count):
            networks[f"n{number}"] = {
                "bridge": firewall.bridge(number),
                "subnet": firewall.subnet(number),
                "gateway": firewall.gateway(number),
                "masquerade": True,
            }
            containers["b" if number == 0 else f"c{number}"] = {
                "networks": {f"n{number}": {"ipv4_address": address(number, 1)}},
                "ports": [f"{host}:{port}/tcp" for host, port in ports(number)]
                + [f"{host}:{port}/udp" for host, port in ports(number)],
            }
        containers["a"] = {"networks": {"n0": {"ipv4_address": address(0)}}}
        uplink()
        peers.apply(expand(networks, containers), "present", changed=True)
        return measure()


class Cni(Subject):
    """The plugins bridge, portmap and firewall for two containers; of other networks their bridges and their rules.

    Those are the rules of the container with the published port, with other names and addresses, and behind its own: to
    let the plugins make them takes minutes.
    """

    name = "CNI"
    programs = ("ip", f"{CNI}/portmap", "iptables-restore", "iptables-save", "gcc", "iperf3")

    def measure(self, count: int) -> Values:
        uplink()
        self._attach("a", address(0), ())
        before = self._rules()
        self._attach("b", address(0, 1), ports(0))
        added = {
            table: [line for line in lines if line not in before[table] and renamed(line, 1) != line]
            for table, lines in self._rules().items()
        }
        self._others(added, count)
        there = sum(map(len, self._rules().values()))
        if there < count * sum(map(len, added.values())):
            raise AssertionError(f"only {there} rules")
        return measure()

    @staticmethod
    def _attach(name: str, own: str, published: Any) -> None:
        timed(["ip", "netns", "add", name])
        gateway = firewall.gateway(0)
        bridge = {
            "type": "bridge",
            "bridge": firewall.bridge(0),
            "isGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": {
                "type": "static",
                "addresses": [{"address": f"{own}/24", "gateway": gateway}],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }
        mappings = [
            {"hostPort": host, "containerPort": port, "protocol": protocol}
            for host, port in published
            for protocol in ("tcp", "udp")
        ]
        portmap = {"type": "portmap", "runtimeConfig": {"portMappings": mappings}}
        result: dict[str, Any] = {}
        for plugin in (bridge, portmap, {"type": "firewall", "ingressPolicy": "same-bridge"}):
            given = {"cniVersion": "1.0.0", "name": "n0", **plugin, **({"prevResult": result} if result else {})}
            environment = {
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "CNI_COMMAND": "ADD",
                "CNI_CONTAINERID": name,
                "CNI_NETNS": f"/run/netns/{name}",
                "CNI_IFNAME": "eth0",
                "CNI_PATH": CNI,
            }
            argv, said = [f"{CNI}/{plugin['type']}"], json.dumps(given)
            done = subprocess.run(argv, input=said, capture_output=True, text=True, check=False, env=environment)
            if done.returncode:
                raise AssertionError(f"{plugin['type']}: {done.stdout}{done.stderr}")
            result = json.loads(done.stdout)

    @staticmethod
    def _rules() -> dict[str, list[str]]:
        """Table -> rules and chains."""
        found: dict[str, list[str]] = {}
        for line in subprocess.run(["iptables-save"], check=True, capture_output=True, text=True).stdout.splitlines():
            if line.startswith("*"):
                entries = found.setdefault(line[1:], [])
            elif line.startswith(("-A ", ":")):
                entries.append(re.sub(r" \[\d+:\d+\]$", "", line))
        return found

    @staticmethod
    def _others(added: dict[str, list[str]], count: int) -> None:
        lines = []
        for number in range(1, count):
            lines.append(f"link add name {firewall.bridge(number)} type bridge")
            lines.append(f"address add {firewall.gateway(number)}/24 dev {firewall.bridge(number)}")
        timed(["ip", "-batch", "-"], "\n".join(lines) + "\n")
        parts = []
        for table, entries in added.items():
            copies = [renamed(entry, number) for number in range(1, count) for entry in entries]
            parts += [f"*{table}", *sorted(copies, key=lambda line: line[0] != ":"), "COMMIT"]
        timed(["iptables-restore", "--noflush"], "\n".join(parts) + "\n")


def renamed(entry: str, number: int) -> str:
    """What stands there for the first network, for another one."""
    entry = re.sub(r"\bCNI-((?:DN-)?)[0-9a-f]{18}", rf"CNI-\g<1>{number:018x}", entry)
    network = firewall.subnet(0).rpartition(".")[0]
    entry = entry.replace(network + ".", firewall.subnet(number).rpartition(".")[0] + ".")
    entry = re.sub(rf"\b{PUBLISHED}\b", str(PUBLISHED + number), entry)
    return re.sub(rf"\b{firewall.bridge(0)}\b", firewall.bridge(number), entry)
