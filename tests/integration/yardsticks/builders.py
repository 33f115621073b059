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
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.tests.integration.docker.engine import docker
from ansible_collections.nslab.bridgenet.tests.integration.engine import driver
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

from .specification import Container, Network, Port, Specification

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
    """The plugins loopback, bridge, portmap, firewall and tuning."""
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
    addresses = [
        {"address": f"{address}/{subnet.partition('/')[2]}", "gateway": gateway}
        for address, subnet, gateway in zip(container.addresses, network.subnets, network.addresses)
    ]
    routes = [] if network.internal else [{"dst": "::/0" if ":" in to else "0.0.0.0/0"} for to in network.subnets]
    bridge = {
        "type": "bridge",
        "bridge": network.bridge,
        "isGateway": not network.internal,
        "ipMasq": not network.internal,
        "hairpinMode": True,
        "ipam": {"type": "static", "addresses": addresses, "routes": routes},
    }
    mappings = [
        {
            "hostPort": port.host + number,
            "containerPort": port.container + number,
            "protocol": port.protocol,
            "hostIP": port.address,
        }
        for port in container.ports
        for number in range(port.count)
    ]
    portmap = {
        "type": "portmap",
        "capabilities": {"portMappings": True},
        "runtimeConfig": {"portMappings": mappings},
    }
    return [bridge, portmap, {"type": "firewall", "ingressPolicy": "same-bridge"}, {"type": "tuning"}]


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
            "networks": {network.name: {"static_ips": container.addresses, "interface_name": "eth0"}},
            "network_info": {network.name: _network_info(network)},
            "port_mappings": [
                {
                    "host_ip": port.address,
                    "host_port": port.host,
                    "container_port": port.container,
                    "protocol": port.protocol,
                    "range": port.count,
                }
                for port in container.ports
            ],
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
        "subnets": [
            {"subnet": subnet, "gateway": gateway} for subnet, gateway in zip(network.subnets, network.addresses)
        ],
        "ipv6_enabled": bool(network.subnet6),
        "internal": network.internal,
        "dns_enabled": False,
        "options": {"isolate": "true"},
        "ipam_options": {"driver": "host-local"},
    }


# --- Docker ---


@contextmanager
def engine(specification: Specification, directory: Path) -> Iterator[None]:
    """A dockerd of its own, which also writes rules for IPv6; where we have no IPv4, it takes some from its pool."""
    with docker(directory, "--bridge=none", "--experimental", "--ip6tables") as client:
        for network in specification.networks:
            options = [f"--opt=com.docker.network.bridge.name={network.bridge}"]
            options += [f"--subnet={subnet}" for subnet in network.subnets]
            options += [f"--gateway={gateway}" for gateway in network.addresses]
            options += ["--ipv6"] if network.subnet6 else []
            options += ["--internal"] if network.internal else []
            options += [] if network.icc else ["--opt=com.docker.network.bridge.enable_icc=false"]
            client.run("network", "create", *options, network.name)
        for container in specification.containers:
            options = [f"--ip={container.address}"] if container.address else []
            options += [f"--ip6={container.address6}"] if container.address6 else []
            ports = container.ports if container.address else [_by_ipv6(port) for port in container.ports]
            options += [f"--publish={port.compose}" for port in ports]
            pid = client.container(container.name, container.network, *options)
            shell(f"ip netns attach {container.name} {pid}")
        yield


def _by_ipv6(port: Port) -> Port:
    return port if port.address else replace(port, address="::")


# --- ours ---


@contextmanager
def ours(specification: Specification, _directory: Path) -> Iterator[None]:
    """The declaration of the role, and one transaction."""
    driver.apply(expand(*declaration(specification)))
    yield


def declaration(specification: Specification) -> tuple[dict[str, Any], dict[str, Any]]:
    """Networks and containers, as a person declares them."""
    networks = {network.name: _declared(network) for network in specification.networks}
    containers = {container.name: _declared_container(container) for container in specification.containers}
    return networks, containers


def _declared(network: Network) -> dict[str, Any]:
    ipv4 = {"subnet": network.subnet, "gateway": network.gateway} if network.subnet else {"enable_ipv4": False}
    ipv6 = {"enable_ipv6": True, "ipv6_subnet": network.subnet6, "ipv6_gateway": network.gateway6}
    outside = {"internal": True} if network.internal else {"masquerade": True}
    apart = {} if network.icc else {"icc": False}
    return {"bridge": network.bridge, **ipv4, **outside, **apart, **(ipv6 if network.subnet6 else {})}


def _declared_container(container: Container) -> dict[str, Any]:
    given = {"ipv4_address": container.address, "ipv6_address": container.address6}
    place = {key: address for key, address in given.items() if address}
    ports = {"ports": [port.compose for port in container.ports]} if container.ports else {}
    return {"networks": {container.network: place}, **ports}


BUILDERS = {"cni": cni, "netavark": netavark, "docker": engine, "ours": ours}
