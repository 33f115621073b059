# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of a network, one family at a time: the keys for IPv4 and those for IPv6 mean the same."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..module_utils._errors import BridgenetError
from . import _addresses
from . import _readers as read
from ._declared import Address, Addressing, Subnet
from ._parts import COUNT, Share


@dataclass(frozen=True)
class Words:
    """How the keys of one family are called."""

    version: int
    enable: str
    by_default: bool
    subnet: str
    gateway: str
    range: str
    address: str  # of an endpoint
    sample: str

    @property
    def keys(self) -> tuple[str, ...]:
        """Those of a network that need the family."""
        return self.subnet, self.gateway, self.range


IPV4 = Words(4, "enable_ipv4", True, "subnet", "gateway", "ip_range", "ipv4_address", "10.10.0.0/16")
IPV6 = Words(6, "enable_ipv6", False, "ipv6_subnet", "ipv6_gateway", "ipv6_range", "ipv6_address", "fd71::/64")
WORDS = (IPV4, IPV6)

KEYS: Mapping[str, read.Reader] = {
    "enable_ipv4": read.flag,
    "subnet": read.text,
    "gateway": read.address_or_false,
    "ip_range": read.text,
    "enable_ipv6": read.flag,
    "ipv6_subnet": read.text,
    "ipv6_gateway": read.ipv6_address_or_false,
    "ipv6_range": read.text,
    "aux_addresses": read.addresses,
}

_UNUSABLE: Mapping[Subnet, str] = {
    ipaddress.IPv4Network("0.0.0.0/8"): "this network",
    ipaddress.IPv4Network("127.0.0.0/8"): "loopback",
    ipaddress.IPv4Network("224.0.0.0/4"): "multicast",
    ipaddress.IPv6Network("::/96"): "loopback and unspecified",
    ipaddress.IPv6Network("::ffff:0:0/96"): "IPv4 as IPv6",
    ipaddress.IPv6Network("fe80::/10"): "link-local",
    ipaddress.IPv6Network("ff00::/8"): "multicast",
}


def enabled(keys: Mapping[str, Any], words: Words) -> bool:
    """Whether a network has addresses of the family."""
    if not any(keys.get(each.enable, each.by_default) for each in WORDS):
        raise BridgenetError("enable_ipv4 and enable_ipv6 are both false, so it has no addresses; turn one of them on")
    if keys.get(words.enable, words.by_default):
        return True
    for key in words.keys:
        if key in keys:
            raise BridgenetError(f"{key} needs IPv{words.version}; write {words.enable}: true, or drop {key}")
    return False


def subnet(keys: Mapping[str, Any], words: Words) -> Subnet | None:
    """The subnet as it is written, None where it is not."""
    if words.subnet in keys:
        return network(words.subnet, keys[words.subnet], words.version)
    reserved = any(address.version == words.version for address in keys.get("aux_addresses", {}).values())
    for key in (*words.keys, *(("aux_addresses",) if reserved else ())):
        if keys.get(key):
            raise BridgenetError(
                f"{key} without {words.subnet} is in no subnet that you know; write {words.subnet} as well"
            )
    return None


def network(key: str, value: str, version: int, longest: int | None = None) -> Subnet:
    """A network in CIDR notation, with room for two addresses."""
    sample = IPV6.sample if version == 6 else IPV4.sample
    if "/" not in value:
        raise BridgenetError(f"{key} {value!r} has no prefix length; write it like {sample}")
    try:
        found: Subnet = (
            ipaddress.IPv6Interface(value).network if version == 6 else ipaddress.IPv4Interface(value).network
        )
    except ValueError as error:
        raise BridgenetError(f"{key} {value!r} is no IPv{version} network ({error}); write it like {sample}") from error
    if ipaddress.ip_address(value.partition("/")[0]) != found.network_address:
        raise BridgenetError(f"{key} {value!r} has bits set behind its prefix length; write {found}")
    longest = found.max_prefixlen - 1 if longest is None else longest
    if found.prefixlen > longest:
        raise BridgenetError(f"{key} {value!r} has no room for a container; write one that ends in /{longest} or less")
    for unusable, why in _UNUSABLE.items():
        if overlap(found, unusable):
            raise BridgenetError(f"{key} {value!r} overlaps {unusable} ({why}); choose one that interfaces can have")
    return found


def overlap(one: Subnet, other: Subnet) -> bool:
    """Whether two networks, of whichever family, have an address in common."""
    return one.version == other.version and int(one[0]) <= int(other[-1]) and int(other[0]) <= int(one[-1])


def within(inner: Subnet, outer: Subnet) -> bool:
    """Whether all addresses of a network are those of another one of the same family."""
    return int(outer[0]) <= int(inner[0]) and int(inner[-1]) <= int(outer[-1])


def is_shared(keys: Mapping[str, Any]) -> bool:
    """Whether other hosts have containers in the network as well."""
    return bool(keys.get("shared", False) or keys.get("driver") == "vxlan")


def addressing(keys: Mapping[str, Any], words: Words, found: Subnet, share: Share | None = None) -> Addressing:
    """The addresses of a network whose subnet has been found, on a host that has such a share of its fleet."""
    reserved = _reserved(keys, found)
    gateway = keys.get(words.gateway)
    if isinstance(gateway, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        _addresses.check_inside(words.gateway, gateway, found)
        for name, address in reserved.items():
            if address == gateway:
                raise BridgenetError(f"{words.gateway} '{gateway}' is {name!r} of aux_addresses; choose another")
    elif gateway is None:
        gateway = next((host for host in found.hosts() if host not in reserved.values()), None)
    whole = _range(keys[words.range], words, found) if words.range in keys else found
    return Addressing(
        subnet=found,
        gateway=gateway or None,
        range=whole,
        part=_part(whole, share) if is_shared(keys) else whole,
        shared=is_shared(keys),
        reserved=frozenset(reserved.values()),
        chosen=words.subnet not in keys,
    )


def _reserved(keys: Mapping[str, Any], found: Subnet) -> dict[str, Address]:
    return {
        name: address for name, address in keys.get("aux_addresses", {}).items() if address.version == found.version
    }


def _range(value: str, words: Words, found: Subnet) -> Subnet:
    chosen = network(words.range, value, words.version, longest=found.max_prefixlen)
    if not within(chosen, found):
        raise BridgenetError(f"{words.range} '{chosen}' is not within {words.subnet} '{found}'; choose a part of it")
    return chosen


def _part(whole: Subnet, share: Share | None) -> Subnet | None:
    part = share.of(whole) if share else None
    if share and part is None:
        raise BridgenetError(
            f"{whole} has no address for each of {share.count} hosts; write a larger one, or a smaller {COUNT}"
        )
    return part


def check_reserved(keys: Mapping[str, Any], families: Mapping[int, Addressing | None]) -> None:
    """What nobody may have is within the subnets, and each one once."""
    seen: dict[Address, str] = {}
    for name, address in keys.get("aux_addresses", {}).items():
        one = families.get(address.version)
        if one is None:
            raise BridgenetError(
                f"aux_addresses: {name!r} is '{address}', but there is no IPv{address.version}; drop it"
            )
        _addresses.check_inside(f"aux_addresses: {name!r}", address, one.subnet)
        if address in seen:
            raise BridgenetError(
                f"aux_addresses: {name!r} and {seen[address]!r} are both '{address}'; drop one of the two"
            )
        seen[address] = name
