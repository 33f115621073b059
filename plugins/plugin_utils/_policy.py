# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may talk to whom: what a network says about itself and others, and the ways that lead there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..module_utils._errors import BridgenetError
from . import _readers as read

if TYPE_CHECKING:
    from ._declared import Addressing, Container, Endpoint, Network

_MODES = ("nat", "routed")


def _names(key: str, value: Any) -> tuple[str, ...]:
    """A list of names of networks."""
    if not isinstance(value, (list, tuple)):
        raise BridgenetError(f"{key} {value!r} is not a list; write it like {key}: [NETWORK]")
    names = tuple(read.text(f"{key}: network name", name) for name in value)
    for name in names:
        if names.count(name) > 1:
            raise BridgenetError(f"{key} names {name!r} twice; name it once")
    return names


def _mode(key: str, value: Any) -> str:
    word = read.text(key, value)
    if word not in _MODES:
        raise BridgenetError(f"{key} {word!r} is not possible; {read.choices(word, _MODES)}")
    return word


KEYS: Mapping[str, read.Reader] = {"internal": read.flag, "icc": read.flag, "allow": _names, "gateway_mode": _mode}


@dataclass(frozen=True)
class Policy:
    """Of one network."""

    internal: bool = False  # no way out or in
    icc: bool = True  # its containers talk to each other
    allow: tuple[str, ...] = ()  # networks whose containers its own may begin to talk to
    routed: bool = False  # the outside reaches it by routes, without NAT

    @property
    def options(self) -> dict[str, Any]:
        """As far as it differs from what every network has, without those whom it allows."""
        flags = {"internal": (self.internal, True), "icc": (self.icc, False), "routed": (self.routed, True)}
        return {name: told for name, (value, told) in flags.items() if value == told}


def policy(keys: Mapping[str, Any], families: Iterable[Addressing]) -> Policy:
    """From the keys of a network that is to stand."""
    found = Policy(
        internal=keys.get("internal", False),
        icc=keys.get("icc", True),
        allow=keys.get("allow", ()),
        routed=keys.get("gateway_mode") == "routed",
    )
    if keys.get("external") and found != Policy():
        (key, *_others) = [name for name in KEYS if keys.get(name)] or ["icc"]
        raise BridgenetError(f"external is true, so {key} is up to whose bridge it is; drop one of the two")
    if found.routed and found.internal:
        raise BridgenetError("gateway_mode is routed, but internal is true, so nothing comes in; drop one of the two")
    for key, closed in (("gateway_mode is routed", found.routed), ("internal is true", found.internal)):
        if closed and keys.get("masquerade"):
            why = "its addresses are those that the outside knows" if found.routed else "nothing leaves"
            raise BridgenetError(f"masquerade is true, but {key}, so {why}; drop one of the two")
    if not any(one.gateway for one in families):
        for key, needs in (("gateway_mode: routed", found.routed), ("allow", bool(found.allow))):
            if needs:
                raise BridgenetError(f"{key} needs the host as a router, but gateway is false; drop one of the two")
    return found


def masquerade(keys: Mapping[str, Any], found: Policy) -> bool | None:
    """A network without a way out, or whose own addresses are known outside, loses the NAT that it may have had."""
    told: bool | None = keys.get("masquerade")
    return False if told is None and (found.internal or found.routed) else told


def check(networks: Mapping[str, Network]) -> None:
    """Whom a network allows is there, is ours, and is another one."""
    for network in networks.values():
        for name in network.policy.allow:
            with read.at(f"network {network.name!r}"):
                _check_allowed(name, network.name, networks)


def _check_allowed(name: str, own: str, networks: Mapping[str, Network]) -> None:
    if name == own:
        raise BridgenetError(f"allow names {name!r} itself; drop it, or say icc: true, by which its containers talk")
    if name not in networks:
        raise BridgenetError(f"allow: network {name!r} is not declared; {read.choices(name, set(networks) - {own})}")
    other = networks[name]
    if not other.present:
        raise BridgenetError(f"allow: network {name!r} is absent; take it out of the list")
    if other.external:
        raise BridgenetError(
            f"allow: network {name!r} is external, and whether it may be asked is up to whose bridge it is; take it "
            "out of the list"
        )
    if not other.gateways:
        raise BridgenetError(
            f"allow: network {name!r} has gateway: false, so no way leads there; give it a gateway, or take it out of "
            "the list"
        )


def check_without_isolation(networks: Iterable[Network]) -> None:
    """Where networks are not kept from each other, none can make an exception."""
    for network in networks:
        found = network.policy
        keys = {"icc: false": not found.icc, "allow": bool(found.allow), "gateway_mode: routed": found.routed}
        for key, told in keys.items():
            if told:
                raise BridgenetError(
                    f"network {network.name!r}: {key} needs networks that are kept from each other, but isolation is "
                    "false; drop one of the two"
                )


class Ways:
    """The routes that lead to networks with which one may talk, where the default route does not."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = {network.name: network for network in networks if network.present}

    def bridges(self, network: Network) -> list[str]:
        """Of those whom a network may ask."""
        return [self._networks[name].bridge for name in network.policy.allow]

    def routes(self, container: Container, endpoint: Endpoint) -> list[dict[str, str]]:
        """By one endpoint of a container. To ask needs a way there, and to answer one back."""
        joined = {one.network.name for one in container.endpoints}
        found = []
        for other in self._networks.values():
            for one in other.families if other.name not in joined else ():
                version = one.subnet.version
                mine = endpoint.network.family(version)
                if one.gateway and mine and endpoint is self._way(container, other, version):
                    found.append({"to": str(one.subnet), "via": str(mine.gateway)})
        return found

    def _way(self, container: Container, other: Network, version: int) -> Endpoint | None:
        """The endpoint that needs a route to another network: who may ask before who may only answer."""
        candidates = []
        for endpoint in container.endpoints:
            mine = endpoint.network.family(version)
            if mine and mine.gateway and self._talk(endpoint.network, other):
                candidates.append(endpoint)
        if container.way_out(version) in candidates:
            return None
        return min(
            candidates,
            key=lambda one: (other.name not in one.network.policy.allow, -one.gw_priority, one.network.name),
            default=None,
        )

    @staticmethod
    def _talk(one: Network, other: Network) -> bool:
        return other.name in one.policy.allow or one.name in other.policy.allow
