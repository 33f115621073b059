# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person may call things, and the canonical form of what is compared.

Every function returns the canonical value or raises BridgenetError, which names
the value, the rule and the fix. Nothing here touches the host.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import re
from typing import Union

from ._errors import BridgenetError

_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}\Z")
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?\Z")
_HOST_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_HOST_LABEL}(\.{_HOST_LABEL})*\Z")
_OF_LOOPBACK = ("localhost", "ip6-localhost", "ip6-loopback")
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./:-]*\Z")

INTERFACE_BYTES = 15  # IFNAMSIZ - 1, linux/if.h
NAMESPACE_BYTES = 63  # one DNS label, and what an interface alias has room for
LABEL_BYTES = 100  # an nft comment holds 128, "bridgenet:1:PROJECT:" goes before it
PROJECT_BYTES = 15
HOST_BYTES = 253  # RFC 1035, without the dot at the end

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


def _word(what: str, value: str, limit: int) -> str:
    if not _WORD.match(value):
        raise BridgenetError(
            f"{what} {value!r}: allowed are letters, digits, '_', '.' and '-', the first of them a letter, digit or "
            "'_'; choose such a name"
        )
    if len(value) > limit:
        raise BridgenetError(f"{what} {value!r} has {len(value)} characters, at most {limit} are allowed; shorten it")
    return value


@functools.cache
def interface(value: str) -> str:
    """The name of an interface: 1 to 15 characters."""
    return _word("interface name", value, INTERFACE_BYTES)


@functools.cache
def namespace(value: str) -> str:
    """The name of a namespace: 1 to 63 bytes."""
    return _word("namespace name", value, NAMESPACE_BYTES)


def service(value: str) -> str:
    """The name of a service: 1 to 63 bytes, of which systemd's name of the unit is made."""
    return _word("service name", value, NAMESPACE_BYTES)


def project(value: str) -> str:
    """The name of a project, the scope of ownership and purge."""
    return _word("project", value, PROJECT_BYTES)


def label(value: str) -> str:
    """The object part of an ownership label."""
    if not _LABEL.match(value) or len(value) > LABEL_BYTES:
        raise BridgenetError(
            f"label {value!r}: allowed are 1 to {LABEL_BYTES} letters, digits, '_', '.', '/', ':' and '-', "
            "the first of them a letter, digit or '_'; choose such a label"
        )
    return value


def account(what: str, value: str) -> str:
    """The name or number of a user or group, as passwd(5) has them; "" is nobody."""
    if value.isdecimal() and value.isascii():
        if int(value) >= 2**32 - 1:
            raise BridgenetError(f"{what} {value!r} is out of range: 0 to {2**32 - 2} are possible")
        return str(int(value))
    if value and not _ACCOUNT.match(value):
        raise BridgenetError(
            f"{what} {value!r}: allowed are letters, digits, '_', '.' and '-', the first of them a letter or '_'; "
            "give such a name, or a number"
        )
    return value


def container(value: str) -> str:
    """The name of a container of an engine, as podman and docker allow it."""
    if not _WORD.match(value) or value.startswith("_"):
        raise BridgenetError(
            f"container {value!r}: allowed are letters, digits, '_', '.' and '-', the first of them a letter or digit; "
            "name a container by its name or id"
        )
    return value


def mac(value: str) -> str:
    """A unicast MAC address in lower case, written with colons."""
    text = value.lower()
    if not _MAC.match(text):
        raise BridgenetError(
            f"MAC address {value!r} is not six pairs of hexadecimal digits with colons; write it like 02:00:00:00:00:01"
        )
    if int(text[:2], 16) & 1:
        raise BridgenetError(
            f"MAC address {value!r} is multicast: the first byte must be even; write it like 02:00:00:00:00:01"
        )
    if text == "00:00:00:00:00:00":
        raise BridgenetError(
            f"MAC address {value!r} is all zero, which no interface may have; write it like 02:00:00:00:00:01"
        )
    return text


def generated_mac(host: str, project_name: str, object_name: str) -> str:
    """The MAC address of a link that we create: known before it exists, and different on every host."""
    digest = hashlib.sha256(f"{host}\0{project_name}\0{object_name}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in b"\x02" + digest[:5])


def last_mac(mac: str) -> str:
    """The same for a port of somebody else's bridge, above those of all vendors.

    The bridge may have the lowest one of its ports for its own (br_stp_recalculate_bridge_id, net/bridge/br_stp_if.c),
    and then keeps that.
    """
    return f"fe{mac[2:]}"


def mtu(value: int) -> int:
    """An MTU in bytes, 68 (RFC 791) to 65535."""
    if not 68 <= value <= 65535:
        raise BridgenetError(f"MTU {value} is out of range: 68 to 65535 bytes are possible")
    return value


@functools.cache
def address(value: str) -> str:
    """An interface address with its prefix length, as 10.10.0.1/16 or fd00::1/64."""
    if "%" in value:
        raise BridgenetError(f"address {value!r} names an interface, which it has anyway; leave out the % part")
    if "/" not in value:
        raise BridgenetError(f"address {value!r} has no prefix length; write it like 10.10.0.1/16")
    try:
        ip, net = _interface(value)
    except ValueError as error:
        raise BridgenetError(f"address {value!r}: {error}; write it like 10.10.0.1/16") from error
    what = None
    if ip.is_unspecified or ip.is_multicast:
        what = "no address that an interface can have"
    elif ip.is_loopback or (net.version == 6 and ip.is_link_local):
        what = "one that the kernel gives"
    elif net.version == 4 and net.prefixlen < 31 and ip == net.network_address:
        what = f"the network address of {net}"
    elif net.version == 4 and net.prefixlen < 31 and ip == net.broadcast_address:
        what = f"the broadcast address of {net}"
    if what:
        raise BridgenetError(f"address {value!r} is {what}; choose one inside the network")
    return f"{ip}/{net.prefixlen}"


def _interface(value: str) -> tuple[Address, Network]:
    """ipaddress.ip_interface() in a quarter of its time: a thousand addresses are in a handful of networks."""
    plain, _slash, length = value.partition("/")
    if length.isascii() and length.isdecimal():
        ip = ipaddress.ip_address(plain)
        host_bits = ip.max_prefixlen - int(length)
        if host_bits >= 0:
            return ip, _network(ip.version, int(ip) >> host_bits << host_bits, int(length))
    parsed = ipaddress.ip_interface(value)
    return parsed.ip, parsed.network


@functools.cache
def _network(version: int, number: int, length: int) -> Network:
    return (ipaddress.IPv4Network if version == 4 else ipaddress.IPv6Network)((number, length))


@functools.cache
def subnet(value: str) -> str:
    """A network as CIDR with the host bits cleared, as iptables does it."""
    try:
        return ipaddress.ip_network(value, strict=False).with_prefixlen
    except ValueError as error:
        raise BridgenetError(f"network {value!r}: {error}; write it like 10.10.0.0/16") from error


@functools.cache
def gateway(value: str) -> str:
    """The plain address of a next hop."""
    if "%" in value:
        raise BridgenetError(f"next hop {value!r} names an interface, which the route has anyway; leave out the % part")
    try:
        return str(ipaddress.ip_address(value))
    except ValueError as error:
        raise BridgenetError(f"next hop {value!r}: {error}; write it like 10.10.0.1") from error


def target(value: str) -> str:
    """The plain address to which a packet is sent."""
    try:
        parsed = ipaddress.ip_address(value)
    except ValueError as error:
        raise BridgenetError(f"address {value!r}: {error}; write it like 10.10.0.20") from error
    if "%" in value or parsed.is_multicast or parsed.is_unspecified:
        raise BridgenetError(
            f"address {value!r} is multicast, unspecified or has a % part: none of these is one interface's own; write "
            "it like 10.10.0.20"
        )
    return str(parsed)


def asked(value: str) -> str:
    """The plain address of somebody who is asked; by which link, is up to routes."""
    found = target(value)
    if ipaddress.ip_address(found).is_link_local and family(found) == 6:
        raise BridgenetError(f"address {value!r} is on any link; write one to which a route leads, like fd00::20")
    return found


def host(what: str, value: object) -> str:
    """The name by which a host is looked up."""
    name = str(value)
    if not _HOST.match(name) or len(name) > HOST_BYTES or any(len(part) > 63 for part in name.split(".")):
        raise BridgenetError(
            f"{what}: {name!r} is no host name: allowed are 1 to {HOST_BYTES} letters, digits, '_' and '-' in parts of "
            "at most 63 with a '.' in between, and no part begins or ends with '-'; choose such a name"
        )
    if name.replace(".", "").isdecimal() or name.lower() in _OF_LOOPBACK:
        means = "the loopback" if name.lower() in _OF_LOOPBACK else "an address"
        raise BridgenetError(f"{what}: {name!r} as the name of a host means {means}; choose another name")
    return name


def plain_address(what: str, value: object) -> str:
    """An address without prefix length."""
    return str(parsed_address(what, value))


def parsed_address(what: str, value: object) -> Address:
    """The same, for those who have to sort addresses."""
    try:
        return ipaddress.ip_address(str(value))
    except ValueError as error:
        raise BridgenetError(f"{what}: {value!r} is no address ({error}); write it like 10.10.0.1") from error


@functools.cache
def family(value: str) -> int:
    """4 or 6, of a canonical address, network or next hop."""
    return 6 if ":" in value else 4


@functools.cache
def network_of(value: str) -> Network:
    """The network that a canonical interface address is connected to."""
    return ipaddress.ip_interface(value).network


PORT_MAX = 65535


def ports(what: str, value: str) -> tuple[int, int]:
    """A port or a range of them: the first, and how many."""
    first, dash, last = value.partition("-")
    numbers = [first, last] if dash else [first, first]
    if not all(text.isascii() and text.isdigit() for text in numbers):
        raise BridgenetError(f"{what} {value!r} is no port; write it like 8080, or a range like 8000-8010")
    low, high = int(numbers[0]), int(numbers[1])
    for number in (low, high):
        if not 1 <= number <= PORT_MAX:
            raise BridgenetError(f"{what} {value!r}: {number} is out of range: 1 to {PORT_MAX} are possible")
    if high < low:
        raise BridgenetError(f"{what} {value!r}: a range begins with its smaller port; write {high}-{low}")
    return low, high - low + 1


def shown_ports(first: int, count: int) -> str:
    """A port or a range of them, as ports() reads it."""
    return str(first) if count == 1 else f"{first}-{first + count - 1}"


def host_address(what: str, value: str, wanted: int) -> str:
    """An address of the host at which ports can be published for a container of the family `wanted`, 4 or 6."""
    parsed = ipaddress.ip_address(target(value))
    if parsed.version != wanted:
        raise BridgenetError(
            f"{what}: host address {value!r} is IPv{parsed.version}, the container's is IPv{wanted}; give both of one "
            "family"
        )
    if parsed.version == 6 and parsed.is_loopback:
        raise BridgenetError(
            f"{what}: host address '::1' is never translated, because the kernel lets nothing leave the host from it; "
            "publish at 127.0.0.1, or let systemd-socket-proxyd(8) listen on [::1] and pass on to the container"
        )
    return str(parsed)
