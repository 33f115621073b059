# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One network of a declaration: its keys read, completed and checked."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ..module_utils import _names
from ..module_utils._errors import BridgenetError
from . import _link_names, _policy, _subnets, _vxlan
from . import _readers as read
from ._declared import Network, Subnet
from ._occupied import Host
from ._parts import Share
from ._vxlan import Underlay

# Room is left for the longest container in front of it: the label of a veth is CONTAINER/NETWORK.
_NETWORK_BYTES = _names.LABEL_BYTES - _names.NAMESPACE_BYTES - 1
_NETWORK_NAME = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{_NETWORK_BYTES - 1}}}\Z")

_NETWORK: Mapping[str, read.Reader] = {
    "bridge": read.text,
    **_subnets.KEYS,
    "masquerade": read.flag,
    **_policy.KEYS,
    "mtu": read.whole,
    **_vxlan.KEYS,
    "external": read.flag,
    "shared": read.flag,
    "state": read.state,
}
_IPV6_MTU = 1280  # RFC 8200: below it, the kernel takes IPv6 off the link


def given(name: str, value: Any) -> dict[str, Any]:
    """The keys of a network, each by itself."""
    with read.at(f"network {name!r}"):
        if not _NETWORK_NAME.match(name):
            raise BridgenetError(
                f"allowed are 1 to {_NETWORK_BYTES} letters, digits, '_', '.' and '-', "
                "the first of them a letter, digit or '_'; choose such a name"
            )
        return read.fields(value, _NETWORK)


def network(
    name: str,
    keys: Mapping[str, Any],
    subnets: Mapping[int, Subnet],
    host: Host | None,
    share: Share | None,
    under: Underlay | None = None,
    taken: Collection[str] = (),
) -> Network:
    """A network, from its keys and the subnets that it has. Bridges that are `taken` are those of networks to stand."""
    with read.at(f"network {name!r}"):
        present = keys.get("state") != "absent"
        if host and not present:
            keys = {**_standing(name, host, taken), **keys}
        families = {
            words.version: _subnets.addressing(keys, words, subnets[words.version], share)
            for words in _subnets.WORDS
            if words.version in subnets
        }
        if present:
            _subnets.check_reserved(keys, families)
        if present and keys.get("masquerade") and not any(one.gateway for one in families.values()):
            raise BridgenetError("masquerade is true, but gateway is false, so nothing leaves; drop one of the two")
        policy = _policy.policy(keys, families.values()) if present else _policy.Policy()
        bridge = _link_names.checked(keys["bridge"] if "bridge" in keys else default_bridge(name))
        external = keys.get("external", False)
        overlay = _vxlan.overlay(name, keys)
        mtu = _mtu(keys.get("mtu"), host.mtu(bridge, external) if host and present else None, 6 in families)
        if overlay is not None:
            carried = _vxlan.carried(under.local, host.mtus) if under and host and present else None
            mtu = _vxlan.mtu(keys.get("mtu"), carried, 6 in families)
        return Network(
            name=name,
            present=present,
            bridge=bridge,
            external=external,
            ipv4=families.get(4),
            ipv6=families.get(6),
            masquerade=_policy.masquerade(keys, policy),
            mtu=mtu,
            policy=policy,
            overlay=overlay,
        )


def _standing(name: str, host: Host, taken: Collection[str]) -> dict[str, Any]:
    """What a network that is to go is, as far as a person does not say. A bridge may stay, as that of another one."""
    bridge = host.links.get(("bridge", name))
    return {
        **({"bridge": bridge} if bridge and bridge not in taken else {}),
        **({"driver": "vxlan"} if ("vxlan", name) in host.links else {}),
    }


def _mtu(value: int | None, by_default: int | None, ipv6: bool) -> int | None:
    """As it is written, else that of the route out; None is what the kernel gives."""
    if value is None:
        return max(by_default, _IPV6_MTU) if by_default and ipv6 else by_default
    if ipv6 and value < _IPV6_MTU:
        raise BridgenetError(f"mtu {value} is too small for IPv6; write {_IPV6_MTU} or more, or enable_ipv6: false")
    return _names.mtu(value)


def default_bridge(network: str) -> str:
    """The name of a bridge that nobody named."""
    name = f"br-{network}"
    return name if len(name) <= _names.INTERFACE_BYTES else f"br-{_link_names.digest(network, 12)}"
