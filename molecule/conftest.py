# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of all scenarios look through: one laboratory host, and the host outside."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from typing import Any

import pytest
import testinfra
from testinfra.host import Host

HOST = "-"  # in the place of a namespace: the host itself


class Lab:
    """The network of a host, as the kernel tells it."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.name = host.check_output("hostname")

    def inside(self, namespace: str, *command: str) -> str:
        """The output of a command that runs in a namespace."""
        prefix = [] if namespace == HOST else ["ip", "netns", "exec", namespace]
        return str(self.host.check_output(shlex.join([*prefix, *command])))

    def ip(self, namespace: str, *arguments: str) -> list[dict[str, Any]]:
        """What ip says in JSON."""
        answer: list[dict[str, Any]] = json.loads(self.inside(namespace, "ip", "-json", "-details", *arguments) or "[]")
        return answer

    def namespaces(self) -> set[str]:
        return {entry["name"] for entry in json.loads(self.host.check_output("ip -json netns list") or "[]")}

    def links(self, namespace: str = HOST) -> dict[str, dict[str, Any]]:
        """Name -> link, without the tunnel devices that some kernels put into every namespace."""
        return {
            link["ifname"]: link
            for link in self.ip(namespace, "link", "show")
            if link.get("linkinfo", {}).get("info_kind") in (None, "veth", "bridge", "tun", "vxlan")
        }

    def addresses(self, namespace: str, link: str) -> list[str]:
        """IPv4 and IPv6, with their prefix lengths."""
        (found,) = self.ip(namespace, "address", "show", "dev", link)
        return [f"{address['local']}/{address['prefixlen']}" for address in found["addr_info"]]

    def ports(self, bridge: str) -> set[str]:
        return {link["ifname"] for link in self.ip(HOST, "link", "show", "master", bridge)}

    def default_gateways(self, namespace: str) -> list[str]:
        return [route["gateway"] for route in self.ip(namespace, "route", "show", "default")]

    def uplink_address(self) -> str:
        return self.addresses(HOST, "eth0")[0].partition("/")[0]

    def answered(self, pings: Iterable[tuple[str, str]], patience: int = 5) -> set[tuple[str, str]]:
        """The pings (from a namespace, to an address) that were answered within so many seconds."""
        wanted = sorted(set(pings))
        one = '[ "$0" = - ] || in="ip netns exec $0"; $in ping -n -q -c 1 -W "$2" "$1" >/dev/null 2>&1 && echo "$0 $1"'
        lines = "".join(f"{namespace} {address} {patience}\n" for namespace, address in wanted)
        output = self.host.run(f"printf %s {shlex.quote(lines)} | xargs -P 8 -n 3 sh -c {shlex.quote(one)}").stdout
        answers = (line.split() for line in output.splitlines())
        return {(answer[0], answer[1]) for answer in answers}

    def assert_answered(self, pings: Iterable[tuple[str, str]]) -> None:
        wanted = set(pings)
        assert wanted
        assert wanted - self.answered(wanted) == set()

    def assert_unanswered(self, pings: Iterable[tuple[str, str]]) -> None:
        wanted = set(pings)
        assert wanted
        assert self.answered(wanted, patience=1) == set()


class Outside(Lab):
    """The host that knows no way to the containers and records who reaches it (prepare.yml)."""

    @property
    def address(self) -> str:
        return self.uplink_address()

    def forget(self) -> None:
        self.host.check_output("nft flush set inet recorder sources")

    def seen(self) -> set[tuple[str, str]]:
        """Source addresses and protocols that arrived, apart from the tests' own connections to this host."""
        controller = self.host.check_output("echo $SSH_CONNECTION").split()[0]
        listing = json.loads(self.host.check_output("nft --json list set inet recorder sources"))
        (found,) = (entry["set"] for entry in listing["nftables"] if "set" in entry)
        sources = {tuple(element["concat"]) for element in found.get("elem", [])}
        return sources - {(controller, "tcp")}


def of_group(config: pytest.Config, group: str) -> list[Host]:
    hosts: list[Host] = testinfra.get_hosts([f"ansible://{group}"], ansible_inventory=config.option.ansible_inventory)
    return hosts


@pytest.fixture(scope="module")
def lab(host: Host) -> Lab:
    return Lab(host)


@pytest.fixture(scope="session")
def labs(pytestconfig: pytest.Config) -> list[Lab]:
    """All hosts of the scenario, for what must hold between them."""
    return [Lab(host) for host in of_group(pytestconfig, "lab")]


@pytest.fixture(scope="session")
def outside(pytestconfig: pytest.Config) -> Outside:
    (host,) = of_group(pytestconfig, "outside")
    return Outside(host)
