# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall of many networks with ten published ports each: how long it takes, and how many rules there are."""

from __future__ import annotations

import collections
import ipaddress
import json
import subprocess
from typing import Any

from . import engines, peers
from .subjects import Subject, Values, timed

PORTS = 10
HOST = "198.18.0.1"
_NETWORKS = list(ipaddress.IPv4Network("10.64.0.0/10").subnets(new_prefix=24))


def bridge(number: int) -> str:
    return f"bench{number}"


def subnet(number: int) -> str:
    return str(_NETWORKS[number])


def gateway(number: int) -> str:
    return str(_NETWORKS[number][1])


def container(number: int) -> str:
    return str(_NETWORKS[number][2])


def published(number: int) -> list[tuple[int, int]]:
    """(port of the host, port of the container)"""
    return [(20000 + PORTS * number + port, 8000 + port) for port in range(PORTS)]


def bridges(count: int) -> None:
    """Those of the first networks, with their addresses."""
    lines = [
        line
        for number in range(count)
        for line in (
            f"link add name {bridge(number)} type bridge",
            f"address add {gateway(number)}/24 dev {bridge(number)}",
        )
    ]
    timed(["ip", "-batch", "-"], "\n".join(lines) + "\n")


def rules(program: str) -> int:
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return sum(line.startswith("-A ") for line in said.splitlines())


class Engine(Subject):
    """Three lists of modules in one transaction, for bridges that are there."""

    name = peers.Engine.name
    programs = ("ip", "nft")

    @staticmethod
    def lists(count: int) -> dict[str, list[dict[str, Any]]]:
        numbers = range(count)
        return {
            "masquerade": [{"source": subnet(one), "bridge": bridge(one), "label": f"n{one}"} for one in numbers],
            "forward": [{"bridge": bridge(one), "label": f"n{one}"} for one in numbers],
            "publish": [
                {
                    "protocol": "tcp",
                    "host_port": str(host_port),
                    "address": container(one),
                    "port": str(port),
                    "bridge": bridge(one),
                    "label": f"c{one}/{host_port}/tcp",
                }
                for one in numbers
                for host_port, port in published(one)
            ],
        }

    def measure(self, count: int) -> Values:
        bridges(count + 2)
        found = {"fresh": peers.apply(self.lists(count), "present", changed=True)}
        found |= self._count(count)
        found["nothing to do"] = peers.apply(self.lists(count), "present", changed=False)
        found["one more, among all"] = peers.apply(self.lists(count + 1), "present", changed=True)
        self._count(count + 1)
        alone = {module: entries[-len(entries) // (count + 2) :] for module, entries in self.lists(count + 2).items()}
        found["one more, alone"] = peers.apply(alone, "present", changed=True)
        self._count(count + 2)
        found["absent"] = peers.apply(self.lists(count + 2), "absent", changed=True)
        left = subprocess.run(["nft", "list", "tables"], check=True, capture_output=True, text=True).stdout
        if "bridgenet" in left:
            raise AssertionError(f"left: {left}")
        return found

    @staticmethod
    def _count(count: int) -> Values:
        command = ["nft", "-j", "list", "table", "inet", "bridgenet"]
        listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["nftables"]
        kinds = collections.Counter(kind for one in listed for kind in one)
        elements = {
            one[kind]["name"]: len(one[kind].get("elem", []))
            for one in listed
            for kind in ("set", "map")
            if kind in one
        }
        if elements["masquerade4"] != count or elements["bridges"] != count or PORTS * count not in elements.values():
            raise AssertionError(f"{count} networks: {elements}")
        return {"rules": kinds["rule"], "elements": sum(elements.values())}


class IptablesRestore(Subject):
    """The rules that Docker has for the same networks, by one `iptables-restore`; without asking what is there."""

    name = "iptables-restore"
    programs = ("ip", "iptables-restore", "iptables-save")

    _CHAINS = {"nat": ("DOCKER",), "filter": ("DOCKER", "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2")}

    @staticmethod
    def _nat(number: int) -> list[str]:
        name, address = bridge(number), container(number)
        lines = [
            f"-A POSTROUTING -s {subnet(number)} ! -o {name} -j MASQUERADE",
            f"-A DOCKER -i {name} -j RETURN",
        ]
        for host, port in published(number):
            lines.append(f"-A POSTROUTING -s {address} -d {address} -p tcp --dport {port} -j MASQUERADE")
            lines.append(f"-A DOCKER ! -i {name} -p tcp --dport {host} -j DNAT --to-destination {address}:{port}")
        return lines

    @staticmethod
    def _filter(number: int) -> list[str]:
        name, address = bridge(number), container(number)
        return [
            f"-A FORWARD -o {name} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            f"-A FORWARD -o {name} -j DOCKER",
            f"-A FORWARD -i {name} ! -o {name} -j ACCEPT",
            f"-A FORWARD -i {name} -o {name} -j ACCEPT",
            f"-A DOCKER-ISOLATION-STAGE-1 -i {name} ! -o {name} -j DOCKER-ISOLATION-STAGE-2",
            f"-A DOCKER-ISOLATION-STAGE-2 -o {name} -j DROP",
            *(
                f"-A DOCKER -d {address} ! -i {name} -o {name} -p tcp --dport {port} -j ACCEPT"
                for _host, port in published(number)
            ),
        ]

    def _text(self, numbers: range, chains: bool = False) -> str:
        lines = []
        for table, entries in (("nat", self._nat), ("filter", self._filter)):
            lines += [f"*{table}"]
            lines += [f":{chain} - [0:0]" for chain in self._CHAINS[table] if chains]
            lines += [line for number in numbers for line in entries(number)] + ["COMMIT"]
        return "\n".join(lines) + "\n"

    def measure(self, count: int) -> Values:
        found = {"fresh": timed(["iptables-restore"], self._text(range(count), chains=True))}
        found["rules"] = self._count(count)
        found["one more, alone"] = timed(["iptables-restore", "--noflush"], self._text(range(count, count + 1)))
        self._count(count + 1)
        return found

    def _count(self, count: int) -> int:
        wanted = count * (len(self._nat(0)) + len(self._filter(0)))
        if (there := rules("iptables-save")) != wanted:
            raise AssertionError(f"{there} rules, not {wanted}")
        return there


class Netavark(Subject):
    """One container in each network; so slow that ten have to do."""

    name = engines.Netavark.name
    programs = engines.Netavark.programs
    sizes = (1, 10)
    largest = 10

    @staticmethod
    def _setup(number: int) -> float:
        name = f"c{number}"
        subprocess.run(["ip", "netns", "add", name], check=True)
        return engines.netavark(
            "setup",
            name,
            "eth0",
            container(number),
            engines.network_info(f"n{number}", bridge(number), subnet(number), gateway(number)),
            published(number),
        )

    def measure(self, count: int) -> Values:
        found = {"fresh": sum(self._setup(number) for number in range(count))}
        found["rules"] = rules("iptables-save")
        if found["rules"] < PORTS * count:
            raise AssertionError(f"only {found['rules']} rules")
        found["one more, alone"] = self._setup(count)
        return found
