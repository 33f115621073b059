# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container's published ports, in the short and the long form of the Compose specification."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..module_utils import _names
from ..module_utils._errors import BridgenetError
from . import _modes
from . import _readers as read
from ._modes import Mode

if TYPE_CHECKING:
    from ._declared import Container, Endpoint

PROTOCOLS = ("tcp", "udp", "sctp")

_FORM = "HOST_PORT:PORT, HOST_ADDRESS:HOST_PORT:PORT, either with /udp or /sctp behind it"
_SWARM = ("host", "ingress")  # without a swarm, they are the same


@dataclass(frozen=True)
class Port:
    """A port or range of the host, and the first of the container that it leads to."""

    protocol: str
    host_address: str  # "" is any address
    family: int  # of the host's addresses, 0 is both
    host_port: int
    port: int
    count: int

    @property
    def text(self) -> str:
        """The host's side, as a person writes it."""
        where = f"[{self.host_address}]:" if ":" in self.host_address else f"{self.host_address}:"
        ports = _names.shown_ports(self.host_port, self.count)
        return f"{where if self.host_address else ''}{ports}/{self.protocol}"

    def meets(self, other: Port) -> bool:
        """Whether both would have one port of the host."""
        return (
            self.protocol == other.protocol
            and (self.family == other.family or 0 in (self.family, other.family))
            and (self.host_address == other.host_address or "" in (self.host_address, other.host_address))
            and self.host_port < other.host_port + other.count
            and other.host_port < self.host_port + self.count
        )


def ports(key: str, value: Any) -> tuple[Port, ...]:
    """A reader of ports."""
    if not isinstance(value, (list, tuple)):
        raise BridgenetError(f'{key} is no list; write it like {key}: ["8080:80"]')
    return tuple(_long(key, entry) if isinstance(entry, Mapping) else _short(key, entry) for entry in value)


def _short(key: str, value: Any) -> Port:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise BridgenetError(
            f"{key}: {value} is a number: either it has no port of the host, and one that changes is of no use, or "
            f'YAML took it for a number of base 60; write it in quotes with both ports, like "8080:80"'
        )
    word = read.text(key, value)
    rest, slash, protocol = word.partition("/")
    parts = _parts(rest)
    if len(parts) == 1 or (len(parts) == 3 and not parts[1]):
        example = f"{parts[0]}:8080:{parts[2]}" if len(parts) == 3 else f"8080:{word}"
        raise BridgenetError(
            f"{key}: {word!r} has no port of the host, and one that is chosen anew each time is of no use; write it, "
            f'like "{example}"'
        )
    if len(parts) not in (2, 3):
        fix = "; an IPv6 address stands in brackets, like [fd00::1]:8080:80" if rest.count(":") > 2 else ""
        raise BridgenetError(f"{key}: {word!r} is not of the form {_FORM}; write it so{fix}")
    where = parts[0] if len(parts) == 3 else ""
    return _port(f"{key}: {word!r}", where, parts[-2], parts[-1], protocol if slash else "tcp")


def _parts(text: str) -> list[str]:
    """What colons separate, but not those in brackets; none where something stands around the brackets."""
    if not text.startswith("["):
        return text.split(":")
    address, _bracket, behind = text[1:].partition("]")
    return [address, *behind[1:].split(":")] if behind.startswith(":") else []


_LONG: Mapping[str, read.Reader] = {
    "target": read.anything,
    "published": read.anything,
    "host_ip": read.text,
    "protocol": read.text,
    "mode": read.text,
    "name": read.text,
    "app_protocol": read.text,
}


def _long(key: str, value: Any) -> Port:
    with read.at(key):
        given = read.fields(value, _LONG)
        for name, what in (("target", "the port of the container"), ("published", "the port of the host")):
            if name not in given:
                raise BridgenetError(f"has no {name}, which is {what}; write it, like {name}: 8080")
        mode = given.get("mode", _SWARM[0])
        if mode not in _SWARM:
            raise BridgenetError(f"mode {mode!r} is not possible; {read.choices(mode, _SWARM)}")
    what = f"{key}: published {given['published']!s}"
    where, protocol = given.get("host_ip", ""), given.get("protocol", "tcp")
    return _port(what, where, str(given["published"]), str(given["target"]), protocol)


def _port(what: str, where: str, host_port: str, port: str, protocol: str) -> Port:
    if protocol.lower() not in PROTOCOLS:
        raise BridgenetError(f"{what}: protocol {protocol!r} is not possible; {read.choices(protocol, PROTOCOLS)}")
    first, count = _names.ports(f"{what}: host port", host_port)
    to, to_count = _names.ports(f"{what}: container port", port)
    if count != to_count:
        raise BridgenetError(
            f"{what}: {host_port} is {count} ports and {port} is {to_count}; write ranges of equal length"
        )
    address, family = _host_address(what, where)
    return Port(protocol.lower(), address, family, first, to, count)


def _host_address(what: str, value: str) -> tuple[str, int]:
    """The address, "" for any, and its family, 0 for any."""
    if not value:
        return "", 0
    try:
        parsed = ipaddress.ip_address(value)
    except ValueError as error:
        raise BridgenetError(
            f"{what}: host address {value!r} is no address ({error}); write one of the host's, like 127.0.0.1"
        ) from error
    if parsed.is_unspecified:
        return "", parsed.version
    return _names.host_address(what, value, parsed.version), parsed.version


# --- with what they need ---


def check_mode(mode: Mode | None) -> None:
    """They are those of a namespace of its own, with an address."""
    if mode and mode.kind == _modes.HOST:
        raise BridgenetError("ports: with network_mode: host its ports are those of the host already; drop one of them")
    if mode and mode.kind == _modes.CONTAINER:
        raise BridgenetError(
            f"ports: its namespace is that of container {mode.owner!r}; write them there, or give it networks"
        )
    if mode and mode.kind == _modes.NONE:
        raise BridgenetError("ports: with network_mode: none nobody reaches it; drop one of them")


def ways(container: Container, port: Port) -> list[tuple[Endpoint, str]]:
    """The places of a container that get what comes to a port, and their addresses: where its answers leave."""
    found = []
    for version in (port.family,) if port.family else (4, 6):
        endpoint = container.way_out(version)
        address = endpoint.address(version) if endpoint else None
        if endpoint and address:
            found.append((endpoint, str(address)))
    return found


def check(containers: Iterable[Container]) -> None:
    """Whether each port leads somewhere, and no two have the same."""
    seen: dict[str, list[tuple[Port, str]]] = {}
    for container in containers:
        for port in container.ports if container.present else ():
            with read.at(f"container {container.name!r}: ports: {port.text}"):
                _check_ways(container, port)
                others = seen.setdefault(port.protocol, [])
                for other, owner in others:
                    if port.meets(other):
                        whose = "here" if owner == container.name else f"by container {owner!r}"
                        raise BridgenetError(f"{other.text} is published {whose} as well; choose another host port")
                others.append((port, container.name))


def _check_ways(container: Container, port: Port) -> None:
    found = ways(container, port)
    if not found:
        family = f"IPv{port.family} " if port.family else ""
        raise BridgenetError(
            f"it has no {family}default route, by which its answers would come back; put it into a network that has "
            f"{family}addresses and a gateway, and is not internal"
        )
    for endpoint, _address in found:
        network = endpoint.network
        if network.external:
            raise BridgenetError(
                f"its default route leads to network {network.name!r}, which is external, so publishing is up to whose "
                "bridge it is; give another network of it a higher gw_priority"
            )
        if network.policy.routed:
            raise BridgenetError(
                f"its default route leads to network {network.name!r}, whose gateway_mode is routed: its own addresses "
                "are reached from outside, and there is nothing to publish; drop the port, or gateway_mode"
            )


def options(container: Container, forwarding: bool) -> Iterator[dict[str, Any]]:
    """What the module publish takes."""
    for port in container.ports if container.present else ():
        where = {"host_address": port.host_address} if port.host_address else {}
        for endpoint, address in ways(container, port):
            yield {
                "protocol": port.protocol,
                **where,
                "host_port": _names.shown_ports(port.host_port, port.count),
                "address": address,
                "port": _names.shown_ports(port.port, port.count),
                "bridge": endpoint.network.bridge,
                "forwarding": forwarding,
                "label": _label(container.name, port),
            }


def is_publisher(container: Container, endpoint: Endpoint) -> bool:
    """Whether a place gets what comes to published ports."""
    return any(endpoint is one for port in container.ports for one, _address in ways(container, port))


def _label(container: str, port: Port) -> str:
    """What begins with the name of the container goes with it, and with the port that is taken out of its list."""
    text = f"{container}/{port.text.replace('[', '').replace(']', '')}"
    if len(text) <= _names.LABEL_BYTES:
        return text
    return f"{container}/{hashlib.sha256(text.encode()).hexdigest()[:12]}"
