# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A declaration as the modules' lists, in the order in which a person would type the commands."""

from __future__ import annotations

from typing import Any

from ..module_utils import _names
from . import _hostnames, _policy, _ports, _shaping, _vxlan
from ._declared import Addressing, Container, Declaration, Endpoint, Network
from ._vxlan import Underlay

Options = dict[str, Any]

_ABSENT: Options = {"state": "absent"}


def lists(
    declaration: Declaration,
    forwarding: bool,
    backend: str,
    isolation: bool,
    project: str = "default",
    under: Underlay | None = None,
) -> dict[str, list[Options]]:
    """One list of objects for each module."""
    networks, containers = declaration.networks, declaration.containers
    if not isolation:
        _policy.check_without_isolation(networks)
    ways = _policy.Ways(networks)
    return {
        "netns": [_netns(container) for container in containers if container.namespace],
        "bridge": [
            {**_bridge(network), **_vxlan.bridge(network, project)} for network in networks if not network.external
        ],
        "veth": [
            _veth(container, endpoint, ways, project) for container in containers for endpoint in container.endpoints
        ],
        "vxlan": [link for network in networks for link in _vxlan.options(network, under)],
        "bridge_port": [port for network in networks for port in _vxlan.port(network)]
        + [
            _bridge_port(container, endpoint)
            for container in containers
            if container.present
            for endpoint in container.endpoints
        ],
        "qdisc": [
            one
            for container in containers
            if container.present
            for place in container.endpoints
            for one in _shaping.options(container.name, place.interface, place.host_interface, place.shaping)
        ],
        "masquerade": [
            _masquerade(network, addressing, forwarding, backend)
            for network in networks
            if network.masquerade is not None
            for addressing in network.families
        ],
        "forward": [_forward(network, ways, forwarding, isolation) for network in networks if not network.external],
        "publish": [port for container in containers for port in _ports.options(container, forwarding)],
        "netns_names": _hostnames.lists(containers),
        "netns_service": [
            _service(container)
            for container in containers
            if container.service or not container.present or not container.namespace
        ],
    }


def _netns(container: Container) -> Options:
    named = {"name": container.name, "label": container.name}
    if not container.present:
        return {**named, **_ABSENT}
    exclusive: Options = {**named, "exclusive": True}
    if container.sysctls:
        exclusive["sysctls"] = dict(container.sysctls)
    if container.owner:
        return {**exclusive, "same_as": container.owner}
    return {**exclusive, "adopt": dict(container.adopt)} if container.adopt else {**exclusive, "loopback": True}


def _bridge(network: Network) -> Options:
    named = {"name": network.bridge, "label": network.name}
    if not network.present:
        return {**named, **_ABSENT}
    ipv6 = network.ipv6 is not None and network.ipv6.gateway is not None
    # A container that sends router advertisements must not become the host's default route.
    deaf: Options = {"accept_ra": 0} if ipv6 else {}
    return {**named, **_link(network, ipv6), **deaf, "addresses": list(network.gateways), "exclusive": True}


def _bridge_port(container: Container, endpoint: Endpoint) -> Options:
    named = {"name": endpoint.host_interface, "master": endpoint.network.bridge}
    if endpoint.network.external:
        return named
    # A container reaches its own published ports, also where bridged packets are translated on the bridge.
    hairpin = _ports.is_publisher(container, endpoint)
    return {**named, "isolated": not endpoint.network.policy.icc, "hairpin": hairpin}


def _veth(container: Container, endpoint: Endpoint, ways: _policy.Ways, project: str) -> Options:
    network = endpoint.network
    named: Options = {"name": endpoint.host_interface, "label": f"{container.name}/{network.name}"}
    if not container.present:
        return {**named, **_ABSENT}
    if network.external:
        named["mac"] = _names.last_mac(_names.generated_mac("", project, f"{container.name}/{network.name}"))
    peer = {
        "name": endpoint.interface,
        "namespace": container.name,
        **({"mac": endpoint.mac} if endpoint.mac else {}),
        **_link(network, ipv6=network.ipv6 is not None),
        "addresses": [f"{endpoint.address(one.subnet.version)}/{one.subnet.prefixlen}" for one in network.families],
        "routes": [
            {"to": "default", "via": str(one.gateway)}
            for one in network.families
            if endpoint is container.way_out(one.subnet.version)
        ]
        + ways.routes(container, endpoint),
    }
    return {**named, **_link(network, ipv6=False), "exclusive": True, "peer": peer}


def _masquerade(network: Network, addressing: Addressing, forwarding: bool, backend: str) -> Options:
    named = {"source": str(addressing.subnet), "bridge": network.bridge, "backend": backend, "label": network.name}
    if network.present and network.masquerade and addressing.gateway:
        return {**named, "forwarding": forwarding}
    return {**named, **_ABSENT}


def _forward(network: Network, ways: _policy.Ways, forwarding: bool, isolation: bool) -> Options:
    named = {"bridge": network.bridge, "label": network.name}
    policy = network.policy
    if not network.present or not (isolation or policy.internal):
        return {**named, **_ABSENT}
    found = {**named, **policy.options}
    if not network.gateways:  # the host is no way out, also for who sends to the MAC address of the bridge
        found["internal"] = True
    if policy.allow:
        found["allow"] = ways.bridges(network)
    if forwarding and (policy.allow or policy.routed):
        switches = {4: "forwarding", 6: "forwarding_ipv6"}
        found.update({switches[one.subnet.version]: True for one in network.families if one.gateway})
    return found


def _service(container: Container) -> Options:
    if container.present and container.service:
        return dict(container.service)
    return {"name": container.name, "label": container.name, **_ABSENT}


def _link(network: Network, ipv6: bool) -> Options:
    """What every link of a network has. IPv6 is off where it has no address to offer: idle links would chatter."""
    mtu = {} if network.mtu is None else {"mtu": network.mtu}
    return {**mtu, "up": True, "ipv6": ipv6}
