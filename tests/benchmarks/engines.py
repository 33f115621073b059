# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container engines and their plugins, from the distribution's packages: what they do to attach one container."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.nslab.bridgenet.tests.integration.docker.engine import Docker as Client
from ansible_collections.nslab.bridgenet.tests.integration.docker.engine import docker

from . import network, state
from .subjects import Builder, Values, timed

CNI = "/usr/lib/cni"
NETAVARK = "/usr/lib/podman/netavark"


def namespaces(verb: str, count: int) -> float:
    """The engine's work beside that of its plugin: `ip netns add` or `del` for all, by one process."""
    return timed(["ip", "-batch", "-"], "".join(f"netns {verb} {network.name(one)}\n" for one in range(1, count + 1)))


class _Plugin(Builder):
    """One start of a program for each container."""

    named = False
    largest = 500
    once_from = 500

    def attach(self, number: int) -> float:
        raise NotImplementedError

    def detach(self, number: int) -> float:
        raise NotImplementedError

    def fresh(self, count: int) -> float:
        return namespaces("add", count) + sum(self.attach(number) for number in range(1, count + 1))

    def absent(self, count: int) -> float:
        seconds = sum(self.detach(number) for number in range(1, count + 1)) + namespaces("del", count)
        if subprocess.run(["ip", "link", "show", network.BRIDGE], check=False, capture_output=True).returncode == 0:
            subprocess.run(["ip", "link", "delete", network.BRIDGE], check=True)  # CNI leaves it
        state.wait_until_gone()
        return seconds


class Cni(_Plugin):
    """The reference plugin `bridge`, as it is used: with ipMasq."""

    name = "CNI bridge"
    programs = ("ip", f"{CNI}/bridge")
    masquerade = True

    def attach(self, number: int) -> float:
        # A runtime does this without a program, or with another plugin.
        subprocess.run(["ip", "-n", network.name(number), "link", "set", "lo", "up"], check=True)
        return self._call("ADD", number)

    def detach(self, number: int) -> float:
        return self._call("DEL", number)

    def _call(self, verb: str, number: int) -> float:
        given = {
            "cniVersion": "1.0.0",
            "name": "bench",
            "type": "bridge",
            "bridge": network.BRIDGE,
            "isGateway": True,
            "ipMasq": self.masquerade,
            "ipam": {
                "type": "static",
                "addresses": [
                    {
                        "address": f"{network.address(number)}/{network.SUBNET.prefixlen}",
                        "gateway": str(network.GATEWAY),
                    }
                ],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }
        return timed(
            [f"{CNI}/bridge"],
            json.dumps(given),
            CNI_COMMAND=verb,
            CNI_CONTAINERID=network.name(number),
            CNI_NETNS=f"/run/netns/{network.name(number)}",
            CNI_IFNAME=network.interface(number),
            CNI_PATH=CNI,
        )


class CniWithoutMasquerade(Cni):
    """The same without ipMasq: no iptables."""

    name = "CNI bridge, no ipMasq"
    masquerade = False


def network_info(name: str, bridge: str, subnet: str, gateway: str) -> dict[str, Any]:
    """A network, as netavark wants it."""
    return {
        "name": name,
        "id": name.encode().hex().rjust(64, "0"),
        "driver": "bridge",
        "network_interface": bridge,
        "subnets": [{"subnet": subnet, "gateway": gateway}],
        "ipv6_enabled": False,
        "internal": False,
        "dns_enabled": False,
        "ipam_options": {"driver": "host-local"},
    }


def netavark(
    verb: str,
    namespace: str,
    interface: str,
    address: str,
    info: dict[str, Any],
    ports: Sequence[tuple[int, int]] = (),
) -> float:
    """One call, for one container in one network."""
    given = {
        "container_id": namespace.encode().hex().rjust(64, "0"),
        "container_name": namespace,
        "networks": {info["name"]: {"static_ips": [address], "interface_name": interface}},
        "network_info": {info["name"]: info},
        "port_mappings": [
            {"host_ip": "", "host_port": host, "container_port": port, "protocol": "tcp", "range": 1}
            for host, port in ports
        ],
    }
    command = [NETAVARK, "--config", "/run/netavark", verb, f"/run/netns/{namespace}"]
    return timed(command, json.dumps(given), NETAVARK_FW="iptables")


class Netavark(_Plugin):
    """As podman calls it; it always masquerades."""

    name = "netavark"
    programs = ("ip", NETAVARK)

    def attach(self, number: int) -> float:
        return self._call("setup", number)

    def detach(self, number: int) -> float:
        return self._call("teardown", number)

    @staticmethod
    def _call(verb: str, number: int) -> float:
        info = network_info("bench", network.BRIDGE, str(network.SUBNET), str(network.GATEWAY))
        return netavark(verb, network.name(number), network.interface(number), network.address(number), info)


class Docker(Builder):
    """`docker network connect` and `disconnect` for containers that run already, in another network."""

    name = "docker network connect"
    programs = ("ip", "docker", "dockerd")
    named = False
    interface = "eth1"
    sizes = (10,)
    largest = 100

    _client: Client

    def measure(self, count: int) -> Values:
        with tempfile.TemporaryDirectory(dir="/run") as directory, docker(Path(directory), "--bridge=none") as client:
            self._client = client
            client.run("network", "create", "--internal", "--subnet=10.11.0.0/16", "waiting")
            return super().measure(count)

    def fresh(self, count: int) -> float:
        options = [f"--opt=com.docker.network.bridge.name={network.BRIDGE}", f"--subnet={network.SUBNET}"]
        self._client.run("network", "create", *options, f"--gateway={network.GATEWAY}", "bench")
        for number in range(1, count + 1):
            pid = self._client.container(network.name(number), "waiting")
            subprocess.run(["ip", "netns", "attach", network.name(number), str(pid)], check=True)
        start = time.perf_counter()
        for number in range(1, count + 1):
            self._client.run("network", "connect", f"--ip={network.address(number)}", "bench", network.name(number))
        return time.perf_counter() - start

    def absent(self, count: int) -> float:
        start = time.perf_counter()
        for number in range(1, count + 1):
            self._client.run("network", "disconnect", "bench", network.name(number))
        seconds = time.perf_counter() - start
        namespaces("del", count)
        self._client.remove_all()
        self._client.run("network", "rm", "bench", "waiting")
        state.wait_until_gone()
        return seconds


_MININET = """
import sys, time
import mininet.net
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge

mininet.net.fixLimits = lambda: None  # it would raise limits of the whole machine
count, bridge, prefix, *addresses = sys.argv[1:]
gateway = addresses.pop(0)
start = time.perf_counter()
net = Mininet(controller=None, switch=LinuxBridge)
switch = net.addSwitch(bridge)
for number, address in enumerate(addresses, 1):
    host = net.addHost(f"ns{number}", ip=f"{address}/{prefix}", defaultRoute=f"via {gateway}")
    net.addLink(host, switch, intfName1=f"vpeer{number}", intfName2=f"{bridge}-eth{number}")
net.start()
switch.cmd(f"ip address add {gateway}/{prefix} dev {bridge}")
print(time.perf_counter() - start, *(host.pid for host in net.hosts), flush=True)
sys.stdin.readline()
start = time.perf_counter()
net.stop()
print(time.perf_counter() - start, flush=True)
"""


class Mininet(Builder):
    """Hosts on one of its Linux bridges, with a shell in each, as its users have them."""

    name = "mininet"
    programs = ("ip", "mn", "brctl")
    named = False
    sizes = (10, 100)
    largest = 100

    _process: subprocess.Popen[str]

    def measure(self, count: int) -> Values:
        addresses = [network.address(number) for number in range(1, count + 1)]
        place = [str(count), network.BRIDGE, str(network.SUBNET.prefixlen), str(network.GATEWAY)]
        command = ["/usr/bin/python3", "-c", _MININET, *place, *addresses]
        with contextlib.ExitStack() as stack:
            self._process = stack.enter_context(
                subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL
                )
            )
            stack.callback(self._process.kill)
            return super().measure(count)

    def _said(self) -> list[str]:
        assert self._process.stdout is not None
        said = self._process.stdout.readline().split()
        if not said:
            raise RuntimeError("mininet ended")
        return said

    def fresh(self, count: int) -> float:
        seconds, *pids = self._said()
        for number, pid in enumerate(pids, 1):
            subprocess.run(["ip", "netns", "attach", network.name(number), pid], check=True)
        return float(seconds)

    def absent(self, count: int) -> float:
        assert self._process.stdin is not None
        namespaces("del", count)
        print(file=self._process.stdin, flush=True)
        seconds = float(self._said()[0])
        state.wait_until_gone()
        return seconds
