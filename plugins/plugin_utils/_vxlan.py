# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks that reach over several hosts: what `driver: vxlan` says, and who else of the inventory has the network."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..module_utils import _names
from ..module_utils._errors import BridgenetError
from . import _inventory, _link_names
from . import _readers as read

if TYPE_CHECKING:
    from ._declared import Network

_DRIVERS = ("bridge", "vxlan")
_CONTROL_PLANES = ("static", "evpn")
_VNI_MAX = 2**24 - 1
_PORT = 4789  # RFC 7348
_OVERHEAD = {4: 50, 6: 70}  # IP, UDP, VXLAN and the inner Ethernet header
_VARIABLE = "container_bridge_network_vxlan_address"


def _one_of(*words: str) -> read.Reader:
    def reader(key: str, value: Any) -> str:
        word = read.text(key, value)
        if word not in words:
            raise BridgenetError(f"{key} {word!r} is not possible; {read.choices(word, words)}")
        return word

    return reader


KEYS: Mapping[str, read.Reader] = {
    "driver": _one_of(*_DRIVERS),
    "vni": read.whole,
    "vxlan_port": read.whole,
    "control_plane": _one_of(*_CONTROL_PLANES),
}
# What is the same on all hosts of a network. An MTU may differ: the smallest one holds for those who talk.
_COMMON = (
    "enable_ipv4",
    "subnet",
    "gateway",
    "enable_ipv6",
    "ipv6_subnet",
    "ipv6_gateway",
    "internal",
    "vxlan_port",
    "control_plane",
)


@dataclass(frozen=True)
class Overlay:
    """The part of a network on other hosts."""

    vni: int
    port: int
    link: str  # by which the bridge reaches them
    evpn: bool  # whether a routing daemon tells who has what; otherwise it is learned from what comes in


@dataclass(frozen=True)
class Member:
    """A host of the inventory, and what of its networks reaches over several hosts."""

    host: str
    address: str  # of its underlay, "" where none is known
    networks: Mapping[str, Mapping[str, Any]]  # by name, the keys that a person wrote


@dataclass(frozen=True)
class Underlay:
    """All hosts that have such networks, as one of them sees it."""

    own: str
    members: tuple[Member, ...]

    @property
    def local(self) -> str:
        """This host's own address."""
        return next((_address(member) for member in self.members if member.host == self.own), "")

    def peers(self, network: str, overlay: Overlay) -> list[str]:
        """The addresses of the other hosts that have a network."""
        found: dict[str, str] = {}
        for member in self.members:
            if member.host == self.own or overlay.vni not in _vnis(member).values():
                continue
            address = _address(member)
            if _names.family(address) != _names.family(self.local):
                raise BridgenetError(
                    f"network {network!r}: the address {address} of host {member.host!r} and {self.local} of "
                    f"{self.own!r} mix IPv4 and IPv6; set {_VARIABLE} to addresses of one family"
                )
            if address == self.local or address in found:
                other = found.get(address, self.own)
                raise BridgenetError(
                    f"network {network!r}: hosts {other!r} and {member.host!r} both have the address {address}; set "
                    f"{_VARIABLE} to an address of its own for each"
                )
            found[address] = member.host
        return sorted(found)


def _vnis(member: Member) -> dict[str, int]:
    return {name: read.whole("vni", keys["vni"]) for name, keys in member.networks.items() if keys.get("vni")}


def _address(member: Member) -> str:
    if not member.address:
        raise BridgenetError(
            f"host {member.host!r} has a network with driver: vxlan, but no address by which the other hosts reach it; "
            f"set {_VARIABLE} for it"
        )
    return _names.target(member.address)


def underlay(
    networks: Any, variables: Mapping[str, Mapping[str, Any]], hosts: Iterable[str], own: str, address: str = ""
) -> dict[str, Any] | None:
    """What Underlay is read from: the hosts that have networks over several hosts. None where `networks` has none."""
    mine = _wide(networks)
    if not mine:
        return None
    found = {own: {"address": address or known_address(own, variables[own]), "networks": mine}}
    for host, theirs in _inventory.others(variables, hosts, own):
        wide = _wide(theirs.get("container_bridge_network_networks"))
        if wide:
            found[host] = {"address": known_address(host, theirs), "networks": wide}
    return {"own": own, "hosts": found}


def _wide(networks: Any) -> dict[str, dict[str, Any]]:
    """Of the networks that a person wrote, those over several hosts, with what all of these have to agree on."""
    return {
        str(name): {key: entry[key] for key in (*_COMMON, "vni") if entry.get(key) is not None}
        for name, entry in (networks.items() if isinstance(networks, Mapping) else ())
        if isinstance(entry, Mapping) and entry.get("driver") == "vxlan" and entry.get("state") != "absent"
    }


def known_address(host: str, variables: Mapping[str, Any]) -> str:
    """That of the inventory before that of facts, which not every run gathers."""
    told = variables.get(_VARIABLE)
    if told:
        return str(told)
    facts = variables.get("ansible_facts") or {}
    for candidate in (variables.get("ansible_host"), host, (facts.get("default_ipv4") or {}).get("address")):
        try:
            found = ipaddress.ip_address(str(candidate))
        except ValueError:
            continue
        if not found.is_loopback:
            return str(found)
    return ""


def read_underlay(value: Any) -> Underlay:
    """From what underlay() made."""
    try:
        members = tuple(
            Member(str(host), str(one["address"]), one["networks"]) for host, one in sorted(value["hosts"].items())
        )
        return Underlay(str(value["own"]), members)
    except (AttributeError, KeyError, TypeError) as error:
        raise BridgenetError(
            f"underlay is not what the filter underlay gives ({type(error).__name__}: {error}); pass that"
        ) from error


def overlay(name: str, keys: Mapping[str, Any]) -> Overlay | None:
    """From the keys of a network; None where it is on one host only."""
    if keys.get("driver", "bridge") == "bridge":
        for key in ("vni", "vxlan_port", "control_plane"):
            if key in keys:
                raise BridgenetError(f"{key} needs driver: vxlan; write that, or drop {key}")
        return None
    present = keys.get("state") != "absent"
    if keys.get("external"):
        raise BridgenetError(
            "driver is vxlan, but external is true, so its ports are up to whose bridge it is; drop one"
        )
    if "vni" not in keys and present:
        raise BridgenetError(f"driver is vxlan, but there is no vni; write a number from 1 to {_VNI_MAX}")
    vni, port = keys.get("vni", 1), keys.get("vxlan_port", _PORT)
    for key, value, most in (("vni", vni, _VNI_MAX), ("vxlan_port", port, _names.PORT_MAX)):
        if not 1 <= value <= most:
            raise BridgenetError(f"{key} {value} is out of range: 1 to {most} are possible")
    return Overlay(vni, port, _link(name), keys.get("control_plane") == "evpn")


def _link(network: str) -> str:
    name = f"vx-{network}"
    return name if len(name) <= _names.INTERFACE_BYTES else f"vx-{_link_names.digest(network, 12)}"


def check(networks: Iterable[Network], given: Mapping[str, Mapping[str, Any]], under: Underlay | None) -> None:
    """Each VNI is one network, here and on all other hosts, and each such host has an address."""
    seen: dict[tuple[int, int], str] = {}
    planes: dict[bool, str] = {}
    for network in networks:
        if network.overlay is None or not network.present:
            continue
        planes.setdefault(network.overlay.evpn, network.name)
        key = (network.overlay.vni, network.overlay.port)
        if key in seen:
            raise BridgenetError(
                f"network {network.name!r}: vni {key[0]} is that of network {seen[key]!r} as well; choose another"
            )
        seen[key] = network.name
        if under is not None:
            with read.at(f"network {network.name!r}"):
                _check_others(network.name, network.overlay, given[network.name], under)
            under.peers(network.name, network.overlay)
            if network.overlay.evpn and _names.family(under.local) == 6:
                raise BridgenetError(
                    f"network {network.name!r}: control_plane is evpn, and the address of this host {under.local}, but "
                    f"FRR knows hosts by IPv4 addresses only; set {_VARIABLE} to one, or write control_plane: static"
                )
    if len(planes) > 1:
        raise BridgenetError(
            f"network {planes[True]!r} has control_plane: evpn, and network {planes[False]!r} has not, but FRR tells "
            "of all VXLAN links of a host; write the same for all networks of this host"
        )


def _check_others(name: str, own: Overlay, keys: Mapping[str, Any], under: Underlay) -> None:
    mine = _common(keys)
    for member in under.members:
        for other, vni in _vnis(member).items() if member.host != under.own else ():
            if vni != own.vni:
                continue
            if other != name:
                raise BridgenetError(
                    f"vni {vni} is that of network {other!r} on host {member.host!r}; give both the same name, or "
                    "one of them another vni"
                )
            theirs = _common(member.networks[other])
            for key in _COMMON:
                if mine.get(key) != theirs.get(key):
                    raise BridgenetError(
                        f"{key} is {mine.get(key, 'not written')} here, and {theirs.get(key, 'not written')} on host "
                        f"{member.host!r}, which has vni {vni} as well; write the same on both, or another vni"
                    )


def _common(keys: Mapping[str, Any]) -> dict[str, str]:
    """In one form, whatever the type: a template gives text."""
    return {key: str(keys[key]).lower() for key in _COMMON if keys.get(key) is not None}


def mtu(declared: int | None, overlay_mtu: int | None, ipv6: bool) -> int | None:
    """As it is written where the underlay carries it; None where the underlay is not known yet."""
    if overlay_mtu is None:
        return declared
    if declared is not None and declared > overlay_mtu:
        raise BridgenetError(
            f"mtu {declared} does not fit the underlay, which carries {overlay_mtu} bytes in VXLAN; write that or "
            "less, or give the underlay a larger MTU"
        )
    least = 1280 if ipv6 else 68
    if overlay_mtu < least:
        raise BridgenetError(
            f"the underlay carries {overlay_mtu} bytes in VXLAN, and it takes {least}; give the underlay a larger MTU"
        )
    return declared or overlay_mtu


def carried(local: str, mtus: Mapping[str, int]) -> int:
    """What a VXLAN carries whose packets leave from an address of the host."""
    if local not in mtus:
        raise BridgenetError(
            f"the address {local}, by which other hosts are to reach this one, is on none of its interfaces; set "
            f"{_VARIABLE} to one that is"
        )
    return mtus[local] - _OVERHEAD[_names.family(local)]


def options(network: Network, under: Underlay | None) -> list[dict[str, Any]]:
    """The VXLAN link of a network."""
    if network.overlay is None:
        return []
    named = {"name": network.overlay.link, "label": network.name}
    if not network.present:
        return [{**named, "state": "absent"}]
    if under is None:
        raise BridgenetError(
            f"network {network.name!r}: driver is vxlan, and it is not known who else has it; pass underlay, as the "
            "role does"
        )
    return [
        {
            **named,
            **({} if network.mtu is None else {"mtu": network.mtu}),
            "vni": network.overlay.vni,
            "port": network.overlay.port,
            "local": under.local,
            "learning": not network.overlay.evpn,
            **({} if network.overlay.evpn else {"peers": under.peers(network.name, network.overlay)}),
            "up": True,
            "ipv6": False,
            "addresses": [],
            "routes": [],
            "exclusive": True,
        }
    ]


def port(network: Network) -> list[dict[str, Any]]:
    """The port by which its bridge has it.

    Every host has the gateway, with the same address and the same MAC address. With neighbour suppression the bridge
    keeps questions for its own address from the other hosts, which would answer them as well; with a control plane it
    answers for all neighbours that it was told.
    """
    if network.overlay is None or not network.present:
        return []
    named = {"name": network.overlay.link, "master": network.bridge}
    evpn = network.overlay.evpn
    return [
        {
            **named,
            "isolated": not network.policy.icc,
            "learning": not evpn,
            "neigh_suppress": evpn or bool(network.gateways),
        }
    ]


def bridge(network: Network, project: str) -> dict[str, Any]:
    """The MAC address of the gateway, the same on all hosts, so that a container finds it wherever it is."""
    if network.overlay is None or not network.gateways:
        return {}
    return {"mac": _names.generated_mac("", project, f"gateway {network.name}")}
