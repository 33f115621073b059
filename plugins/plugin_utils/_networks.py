# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One network of a declaration: its keys read, completed and checked."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ..module_utils import _names
from ..module_utils._errors import BridgenetError
from . import _addresses, _link_names
from . import _readers as read
from ._declared import Network

# Room is left for the longest container in front of it: the label of a veth is CONTAINER/NETWORK.
_NETWORK_BYTES = _names.LABEL_BYTES - _names.NAMESPACE_BYTES - 1
_NETWORK_NAME = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{_NETWORK_BYTES - 1}}}\Z")

_UNUSABLE = {
    ipaddress.IPv4Network("0.0.0.0/8"): "this network",
    ipaddress.IPv4Network("127.0.0.0/8"): "loopback",
    ipaddress.IPv4Network("224.0.0.0/4"): "multicast",
}

_NETWORK: Mapping[str, read.Reader] = {
    "bridge": read.text,
    "subnet": read.text,
    "gateway": read.address_or_false,
    "masquerade": read.flag,
    "mtu": read.whole,
    "external": read.flag,
    "state": read.state,
}


def network(name: str, value: Any) -> Network:
    """A network, from what a person wrote."""
    with read.at(f"network {name!r}"):
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
            bridge=_link_names.checked(given["bridge"] if "bridge" in given else _default_bridge(name)),
            external=given.get("external", False),
            subnet=subnet,
            gateway=_gateway(given.get("gateway"), subnet),
            masquerade=given.get("masquerade"),
            mtu=_names.mtu(given["mtu"]) if "mtu" in given else None,
        )


def _default_bridge(network: str) -> str:
    name = f"br-{network}"
    return name if len(name) <= _names.INTERFACE_BYTES else f"br-{_link_names.digest(network, 12)}"


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
        _addresses.check_inside("gateway", value, subnet)
        return value
    return next(subnet.hosts())
