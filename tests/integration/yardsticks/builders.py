# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of a specification, built on the machine where the test stands by four builders.

Afterwards each container is a named namespace, whoever made it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.tests.integration.docker.engine import docker
from ansible_collections.nslab.bridgenet.tests.integration.engine import driver
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

from .specification import Container, Network, Specification

CNI = "/usr/lib/cni"
NETAVARK = "/usr/lib/podman/netavark"

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def _run(argv: Sequence[str], given: Mapping[str, Any], **environment: str) -> Any:
    """A program that reads and writes JSON."""
    done = subprocess.run(
        argv, input=json.dumps(given), capture_output=True, text=True, check=False, env={"PATH": _PATH, **environment}
    )
    if done.returncode != 0:
        raise AssertionError(f"{argv[0]} with {json.dumps(given)}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


# --- the reference plugins of CNI, one after the other, as podman's network without netavark is made of them ---


@contextmanager
def cni(specification: Specification, _directory: Path) -> Iterator[None]:
    """The plugins loopback, bridge, firewall and tuning."""
    for container in specification.containers:
        shell(f"ip netns add {container.name}")
        _plugin(container, "lo", {"type": "loopback"})
        result: Mapping[str, Any] = {}
        for plugin in _plugins(specification.network(container), container):
            result = _plugin(container, "eth0", {**plugin, **({"prevResult": result} if result else {})})
    yield


def _plugin(container: Container, interface: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    result: Mapping[str, Any] = _run(
        [f"{CNI}/{given['type']}"],
        {"cniVersion": "1.0.0", "name": container.network, **given},
        CNI_COMMAND="ADD",
        CNI_CONTAINERID=container.name,
        CNI_NETNS=f"/run/netns/{container.name}",
        CNI_IFNAME=interface,
        CNI_PATH=CNI,
    )
    return result


def _plugins(network: Network, container: Container) -> list[dict[str, Any]]:
    length = network.subnet.partition("/")[2]
    address = {"address": f"{container.address}/{length}", "gateway": network.gateway}
    bridge = {
        "type": "bridge",
        "bridge": network.bridge,
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {"type": "static", "addresses": [address], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    return [bridge, {"type": "firewall", "ingressPolicy": "same-bridge"}, {"type": "tuning"}]


# --- netavark, as podman calls it ---


@contextmanager
def netavark(specification: Specification, _directory: Path) -> Iterator[None]:
    """One call for each container."""
    for container in specification.containers:
        shell(f"ip netns add {container.name}")
        network = specification.network(container)
        given = {
            "container_id": container.id,
            "container_name": container.name,
            "networks": {network.name: {"static_ips": [container.address], "interface_name": "eth0"}},
            "network_info": {network.name: _network_info(network)},
        }
        command = [NETAVARK, "--config", "/run/netavark", "setup", f"/run/netns/{container.name}"]
        _run(command, given, NETAVARK_FW="iptables")
    yield


def _network_info(network: Network) -> dict[str, Any]:
    return {
        "name": network.name,
        "id": network.name.encode().hex().rjust(64, "0"),
        "driver": "bridge",
        "network_interface": network.bridge,
        "subnets": [{"subnet": network.subnet, "gateway": network.gateway}],
        "ipv6_enabled": False,
        "internal": False,
        "dns_enabled": False,
        "options": {"isolate": "true"},
        "ipam_options": {"driver": "host-local"},
    }


# --- Docker ---


@contextmanager
def engine(specification: Specification, directory: Path) -> Iterator[None]:
    """A dockerd of its own."""
    with docker(directory, "--bridge", "none") as client:
        for network in specification.networks:
            client.run(
                "network",
                "create",
                f"--subnet={network.subnet}",
                f"--gateway={network.gateway}",
                f"--opt=com.docker.network.bridge.name={network.bridge}",
                network.name,
            )
        for container in specification.containers:
            pid = client.container(container.name, container.network, f"--ip={container.address}")
            shell(f"ip netns attach {container.name} {pid}")
        yield


# --- ours ---


@contextmanager
def ours(specification: Specification, _directory: Path) -> Iterator[None]:
    """The declaration of the role, and one transaction."""
    networks = {
        network.name: {
            "bridge": network.bridge,
            "subnet": network.subnet,
            "gateway": network.gateway,
            "masquerade": True,
        }
        for network in specification.networks
    }
    containers = {
        container.name: {"networks": {container.network: {"ipv4_address": container.address}}}
        for container in specification.containers
    }
    driver.apply(expand(networks, containers))
    yield


BUILDERS = {"cni": cni, "netavark": netavark, "docker": engine, "ours": ours}
