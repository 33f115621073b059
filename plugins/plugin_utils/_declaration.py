# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of networks and containers: read, completed and checked as far as a controller can.

What comes out are plain values, whatever subclasses of str and dict Ansible passed in.
"""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..module_utils import _names
from ..module_utils._errors import BridgenetError
from . import _addresses, _modes, _processes
from . import _readers as read
from ._modes import Mode

PORTS = 1023  # of one bridge: BR_MAX_PORTS, net/bridge/br_private.h

# Room is left for the longest container in front of it: the label of a veth is CONTAINER/NETWORK.
_NETWORK_BYTES = _names.LABEL_BYTES - _names.NAMESPACE_BYTES - 1
_NETWORK_NAME = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{_NETWORK_BYTES - 1}}}\Z")

# The kernel keeps these for itself: the loopback, and two that are no interface in net.ipv6.conf.
_TAKEN = ("lo", "all", "default")

_UNUSABLE = {
    ipaddress.IPv4Network("0.0.0.0/8"): "this network",
    ipaddress.IPv4Network("127.0.0.0/8"): "loopback",
    ipaddress.IPv4Network("224.0.0.0/4"): "multicast",
}


@dataclass(frozen=True)
class Network:
    """A bridge and its subnet."""

    name: str
    present: bool
    bridge: str
    external: bool
    subnet: ipaddress.IPv4Network | None  # None only where absent
    gateway: ipaddress.IPv4Address | None  # None is pure layer 2
    masquerade: bool | None  # None is left alone
    mtu: int | None


@dataclass(frozen=True)
class Endpoint:
    """A container's place in a network: a veth pair."""

    container: str
    network: Network
    address: ipaddress.IPv4Address | None  # None only where absent
    mac: str | None
    gw_priority: int
    interface: str  # in the container
    host_interface: str  # the port of the bridge


@dataclass(frozen=True)
class Container:
    """A namespace and its places in networks."""

    name: str
    present: bool
    endpoints: tuple[Endpoint, ...]
    mode: Mode | None = None  # None is the networks that it names
    adopt: Mapping[str, Any] | None = None  # whose namespace it is, None where it is made
    service: Mapping[str, Any] | None = None  # the options of its process, None where it has none

    @property
    def namespace(self) -> str:
        """Where its processes are; "" is the host's own."""
        return "" if self.mode and self.mode.kind == _modes.HOST else self.name

    @property
    def owner(self) -> str:
        """The container whose namespace it shares; "" is none."""
        return self.mode.owner if self.mode else ""

    @property
    def default_route(self) -> Endpoint | None:
        """Where the default route leaves: the highest gw_priority, then the first network by name."""
        candidates = [endpoint for endpoint in self.endpoints if endpoint.network.gateway]
        return min(candidates, key=lambda endpoint: (-endpoint.gw_priority, endpoint.network.name), default=None)


@dataclass(frozen=True)
class Declaration:
    """All that was declared for one host."""

    networks: tuple[Network, ...]
    containers: tuple[Container, ...]


def parse(networks: Any, containers: Any) -> Declaration:
    """The whole declaration; BridgenetError where it is wrong."""
    given = {name: _given(name, value) for name, value in read.named("container", containers)}
    by_name = {name: _network(name, value) for name, value in read.named("network", networks)}
    default = None if _modes.DEFAULT in by_name else _modes.default_network(given.values())
    if default is not None:
        by_name[_modes.DEFAULT] = _network(_modes.DEFAULT, default)
    found = [_container(name, keys, by_name) for name, keys in given.items()]
    found = _with_addresses(found)
    _check_owners(found)
    places = {container.name: container.endpoints for container in found}
    found = [_with_service(container, given[container.name], places) for container in found]
    _check_links(by_name.values(), found)
    _check_subnets(by_name.values())
    members: dict[str, list[Endpoint]] = {name: [] for name in by_name}
    for endpoint in itertools.chain.from_iterable(container.endpoints for container in found if container.present):
        members[endpoint.network.name].append(endpoint)
    for name, endpoints in members.items():
        _check_members(name, endpoints)
    return Declaration(tuple(by_name.values()), tuple(found))


@contextmanager
def _at(what: str) -> Iterator[None]:
    """Tell where in the declaration a value is wrong."""
    try:
        yield
    except BridgenetError as error:
        raise BridgenetError(f"{what}: {error}") from error


def _digest(value: str, length: int) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:length]


def _link_name(value: str) -> str:
    if value in _TAKEN:
        raise BridgenetError(f"interface name {value!r} is the kernel's own; choose another name")
    return _names.interface(value)


# --- one network ---

_NETWORK: Mapping[str, read.Reader] = {
    "bridge": read.text,
    "subnet": read.text,
    "gateway": read.address_or_false,
    "masquerade": read.flag,
    "mtu": read.whole,
    "external": read.flag,
    "state": read.state,
}


def _network(name: str, value: Any) -> Network:
    with _at(f"network {name!r}"):
        if not _NETWORK_NAME.match(name):
            raise BridgenetError(
                f"allowed are 1 to {_NETWORK_BYTES} letters, digits, '_', '.' and '-', "
                "the first of them a letter, digit or '_'; choose such a name"
            )
        given = read.fields(value, _NETWORK)
        present = given.get("state") != "absent"
        subnet = _subnet(given.get("subnet"), present)
        if given.get("masquerade") and given.get("gateway") is False:
            raise BridgenetError("masquerade is true, but gateway is false, so nothing leaves; drop one of the two")
        return Network(
            name=name,
            present=present,
            bridge=_link_name(given["bridge"] if "bridge" in given else _default_bridge(name)),
            external=given.get("external", False),
            subnet=subnet,
            gateway=_gateway(given.get("gateway"), subnet),
            masquerade=given.get("masquerade"),
            mtu=_names.mtu(given["mtu"]) if "mtu" in given else None,
        )


def _default_bridge(network: str) -> str:
    name = f"br-{network}"
    return name if len(name) <= _names.INTERFACE_BYTES else f"br-{_digest(network, 12)}"


def _subnet(value: str | None, present: bool) -> ipaddress.IPv4Network | None:
    if value is None:
        if present:
            raise BridgenetError("has no subnet; write one like subnet: 10.10.0.0/16")
        return None
    if "/" not in value:
        raise BridgenetError(f"subnet {value!r} has no prefix length; write it like 10.10.0.0/16")
    try:
        net = ipaddress.IPv4Interface(value).network
    except ValueError as error:
        raise BridgenetError(f"subnet {value!r} is no IPv4 network ({error}); write it like 10.10.0.0/16") from error
    if value.partition("/")[0] != str(net.network_address):
        raise BridgenetError(f"subnet {value!r} has bits set behind its prefix length; write {net}")
    if net.prefixlen > 31:
        raise BridgenetError(f"subnet {value!r} has no room for a container; write one that ends in /31 or less")
    for unusable, why in _UNUSABLE.items():
        if net.overlaps(unusable):
            raise BridgenetError(f"subnet {value!r} overlaps {unusable} ({why}); choose one that interfaces can have")
    return net


def _gateway(
    value: ipaddress.IPv4Address | bool | None, subnet: ipaddress.IPv4Network | None
) -> ipaddress.IPv4Address | None:
    if value is False or subnet is None:
        return None
    if isinstance(value, ipaddress.IPv4Address):
        _check_inside("gateway", value, subnet)
        return value
    return next(subnet.hosts())


def _check_inside(key: str, address: ipaddress.IPv4Address, subnet: ipaddress.IPv4Network) -> None:
    first, last = subnet[0], subnet[-1]
    if subnet.prefixlen < 31:  # RFC 3021: in a /31 both addresses are hosts
        first, last = first + 1, last - 1
    wrong = None
    if address not in subnet:
        wrong = f"is outside subnet {subnet}"
    elif address < first:
        wrong = f"is the network address of {subnet}"
    elif address > last:
        wrong = f"is the broadcast address of {subnet}"
    if wrong:
        raise BridgenetError(f"{key} '{address}' {wrong}; choose one from {first} to {last}")


# --- one container ---

_CONTAINER: Mapping[str, read.Reader] = {
    "networks": read.anything,
    "network_mode": _modes.mode,
    "adopt": _modes.adopt,
    **_processes.KEYS,
    "state": read.state,
}
_ENDPOINT: Mapping[str, read.Reader] = {
    "ipv4_address": read.address,
    "mac_address": read.text,
    "gw_priority": read.whole,
    "interface_name": read.text,
    "host_interface_name": read.text,
}


def _given(name: str, value: Any) -> dict[str, Any]:
    """The keys of a container, each by itself."""
    with _at(f"container {name!r}"):
        _names.namespace(name)
        return read.fields(value, _CONTAINER)


def _container(name: str, given: Mapping[str, Any], networks: Mapping[str, Network]) -> Container:
    with _at(f"container {name!r}"):
        present = given.get("state") != "absent"
        mode: Mode | None = given.get("network_mode")
        if mode and "networks" in given:
            raise BridgenetError("has both networks and network_mode; drop one of the two")
        if mode and "adopt" in given:
            raise BridgenetError("has both adopt and network_mode; drop one of the two")
        if present and not mode and "networks" not in given and "adopt" not in given:
            raise BridgenetError(
                "has neither networks nor network_mode; write networks: {NAME: {ipv4_address: ...}}, or network_mode: "
                "bridge, host, none or container:NAME"
            )
        endpoints = {}
        for network, entry in _places(given, mode):
            if network not in networks:
                raise BridgenetError(f"network {network!r} is not declared; {read.choices(network, networks)}")
            with _at(f"network {network!r}"):
                endpoints[network] = read.fields(entry, _ENDPOINT)
        interfaces = _interfaces(endpoints)
        return Container(
            name=name,
            present=present,
            endpoints=tuple(
                _endpoint(name, networks[network], entry, present, interfaces[network], chosen=mode is not None)
                for network, entry in endpoints.items()
            ),
            mode=mode,
            adopt=given.get("adopt"),
        )


def _places(given: Mapping[str, Any], mode: Mode | None) -> Iterable[tuple[str, Any]]:
    """Which networks it is in."""
    if mode and mode.kind == _modes.BRIDGE:
        return [(_modes.DEFAULT, {})]
    return read.named("network", given.get("networks"))


def _interfaces(endpoints: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The name of each interface in the container: as given, else the next free ethN by name of network."""
    names: dict[str, str] = {}
    for network, entry in endpoints.items():
        name = entry.get("interface_name")
        if name is not None:
            if name in names.values():
                raise BridgenetError(f"interface_name {name!r} is given twice; choose another name")
            names[network] = name
    free = (name for name in map("eth{}".format, itertools.count()) if name not in set(names.values()))
    names.update({network: next(free) for network in sorted(set(endpoints) - set(names))})
    return names


def _endpoint(
    container: str, network: Network, given: Mapping[str, Any], present: bool, interface: str, chosen: bool
) -> Endpoint:
    """A place in a network; its address is `chosen` later where nobody could give one."""
    with _at(f"network {network.name!r}"):
        if present and not network.present:
            raise BridgenetError(
                "the network is absent, but the container is not; make both absent, "
                "or take the network out of the container's networks"
            )
        address = given.get("ipv4_address")
        if present and address is None and not chosen:
            raise BridgenetError(f"has no ipv4_address; write one of {network.subnet}")
        if present and address and network.subnet:
            _check_inside("ipv4_address", address, network.subnet)
            if address == network.gateway:
                raise BridgenetError(f"ipv4_address '{address}' is the gateway of the network; choose another")
        host_interface = given.get("host_interface_name")
        if host_interface is None:
            host_interface = f"veth{_digest(f'{container}/{network.name}', 11)}"
        return Endpoint(
            container=container,
            network=network,
            address=address,
            mac=_names.mac(given["mac_address"]) if "mac_address" in given else None,
            gw_priority=given.get("gw_priority", 0),
            interface=_link_name(interface),
            host_interface=_link_name(host_interface),
        )


# --- all of them together ---


def _with_addresses(containers: list[Container]) -> list[Container]:
    """An address for every place that has none, out of those that are free in its network."""
    wanted: dict[str, list[str]] = {}
    taken: dict[str, list[ipaddress.IPv4Address | None]] = {}
    networks: dict[str, Network] = {}
    for container in containers:
        for endpoint in container.endpoints if container.present else ():
            network = endpoint.network
            networks[network.name] = network
            taken.setdefault(network.name, [network.gateway]).append(endpoint.address)
            if endpoint.address is None:
                wanted.setdefault(network.name, []).append(container.name)
    chosen = {}
    for name, members in wanted.items():
        subnet = networks[name].subnet
        if subnet:
            with _at(f"network {name!r}"):
                chosen[name] = _addresses.choose(subnet, taken[name], members)

    def settled(endpoint: Endpoint) -> Endpoint:
        address = chosen.get(endpoint.network.name, {}).get(endpoint.container)
        return dataclasses.replace(endpoint, address=address) if address else endpoint

    return [
        dataclasses.replace(container, endpoints=tuple(map(settled, container.endpoints))) for container in containers
    ]


def _with_service(
    container: Container, given: Mapping[str, Any], places: Mapping[str, tuple[Endpoint, ...]]
) -> Container:
    """Its process, which finds its own name at the addresses of the container whose namespace it is in."""
    if not container.present:
        return container
    endpoints = places[container.owner or container.name]
    addresses = [str(endpoint.address) for endpoint in endpoints if endpoint.address]
    with _at(f"container {container.name!r}"):
        service = _processes.service(container.name, container.namespace, addresses, given)
    return dataclasses.replace(container, service=service) if service else container


def _check_owners(containers: Sequence[Container]) -> None:
    """A shared namespace has an owner that is there."""
    owners = {container.name: (container.present, container.mode) for container in containers}
    for container in containers:
        if container.owner and container.present:
            with _at(f"container {container.name!r}"):
                _modes.check_owner(container.owner, owners)


def _check_links(networks: Iterable[Network], containers: Iterable[Container]) -> None:
    """On the host every bridge and every port has a name of its own."""
    owners: dict[str, str] = {}

    def claim(name: str, owner: str, key: str) -> None:
        if name in owners:
            raise BridgenetError(f"{owner}: {key} {name!r} is used by {owners[name]} as well; choose another name")
        owners[name] = owner

    for network in networks:
        claim(network.bridge, f"network {network.name!r}", "bridge")
    for container in containers:
        for endpoint in container.endpoints:
            claim(
                endpoint.host_interface,
                f"container {container.name!r}, network {endpoint.network.name!r}",
                "host_interface_name",
            )


def _check_subnets(networks: Iterable[Network]) -> None:
    """No address belongs to two networks. In this order, one that overlaps any other overlaps its neighbour."""
    found = sorted((network.subnet, network.name) for network in networks if network.present and network.subnet)
    for (subnet, name), (other, other_name) in zip(found, found[1:]):
        if subnet.overlaps(other):
            raise BridgenetError(
                f"network {other_name!r}: subnet '{other}' overlaps '{subnet}' of network {name!r}; choose another"
            )


def _check_members(network: str, members: list[Endpoint]) -> None:
    """What the containers of one network may not share, and how many there can be."""
    if len(members) > PORTS:
        raise BridgenetError(
            f"network {network!r}: {len(members)} containers, but a bridge has at most {PORTS} ports; "
            "spread them over several networks"
        )
    for key, values in (
        ("ipv4_address", [str(member.address) for member in members]),
        ("mac_address", [member.mac for member in members]),
    ):
        owners: dict[str, str] = {}
        for member, value in zip(members, values):
            if value is None:
                continue
            if value in owners:
                raise BridgenetError(
                    f"container {member.container!r}, network {network!r}: {key} {value!r} is used by "
                    f"container {owners[value]!r} as well; choose another"
                )
            owners[value] = member.container
