# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in the networks that reach over several hosts: told by each host, and known on all of them by name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable

from ..module_utils._errors import BridgenetError
from . import _addresses, _declaration, _hostnames, _inventory, _parts, _subnets
from . import _readers as read
from ._declared import Addressing, Declaration
from ._hostnames import Hosts

Members = dict[str, Hosts]  # network -> address -> names
Tell = Callable[[str], None]

FACT = "container_bridge_network_members"
_NETWORKS = "container_bridge_network_networks"
_SAME = ("driver", "vni", "subnet", "ipv6_subnet")  # in networks of one name that are one network


def members(declaration: Declaration, settled: bool, told: Mapping[str, Hosts] | None = None) -> Members:
    """The members of each network that other hosts have as well.

    Where it is not settled which addresses are chosen, because the host was not read, they are as it has `told` before;
    and where it has not, only those are given that do not depend on what stands there.
    """
    found: Members = {network.name: {} for network in declaration.networks if network.present and network.shared}
    inside = [container for container in declaration.containers if container.present and not container.owner]
    places = [(container, place) for container in inside for place in container.endpoints]
    for network in declaration.networks:
        if network.name not in found:
            continue
        own = [(container, place) for container, place in places if place.network.name == network.name]
        for addressing in network.families:
            version = addressing.subnet.version
            certain = set() if settled else _addresses.certain(addressing, [place for _container, place in own])
            for container, place in own:
                names = _hostnames.names_of(container, place)
                address: str | None = str(place.address(version))
                if version in place.chosen and not settled:
                    before = _told(names, addressing, (told or {}).get(network.name, {}))
                    address = before or (address if container.name in certain else None)
                if address:
                    found[network.name][address] = names
    return found


def _told(names: Sequence[str], addressing: Addressing, known: Hosts) -> str | None:
    """The address that is known for a container, if it can still be that."""
    inside = {
        address: set(theirs)
        for address, theirs in known.items()
        if addressing.part and ipaddress.ip_address(address) in addressing.part
    }
    own = [address for address, theirs in inside.items() if names[0] in theirs]
    found = own or [address for address, theirs in inside.items() if not theirs.isdisjoint(names)]
    return found[0] if len(found) == 1 else None


def elsewhere(
    networks: Any,
    variables: Mapping[str, Mapping[str, Any]],
    hosts: Iterable[str],
    own: str,
    standing: Mapping[str, Hosts],
    warn: Tell,
) -> dict[str, Members]:
    """Host -> the members of networks that it has in common with `own`, whose networks are given.

    A host that took part in this run has told them. For another one, its declaration does, and what is `standing` on
    the own host, where an earlier run has written what it told then: network -> address -> names.
    """
    mine = _shared(networks)
    found = {}
    for host, theirs in _inventory.others(variables, hosts, own) if mine else ():
        try:
            common = sorted(name for name, what in _shared(theirs.get(_NETWORKS)).items() if mine.get(name) == what)
            if common:
                told = theirs.get(FACT)
                known = _declared(host, theirs, standing) if told is None else told
                found[host] = {network: dict(known.get(network, {})) for network in common}
        except BridgenetError as error:
            warn(f"who is on host {host!r} is not known by name, because its declaration is wrong: {error}")
    return found


def _shared(networks: Any) -> dict[str, tuple[str, ...]]:
    """Of the networks that a person wrote, those over several hosts, each with what tells it from others."""
    return {
        str(name): tuple(str(entry.get(key) or "").lower() for key in _SAME)
        for name, entry in (networks.items() if isinstance(networks, Mapping) else ())
        if isinstance(entry, Mapping) and entry.get("state") != "absent" and _is_shared(entry)
    }


def _is_shared(entry: Mapping[str, Any]) -> bool:
    shared = entry.get("shared")
    return _subnets.is_shared({**entry, "shared": shared is not None and read.flag("shared", shared)})


def _declared(host: str, variables: Mapping[str, Any], standing: Mapping[str, Hosts]) -> Members:
    declaration = _declaration.parse(
        variables.get(_NETWORKS),
        variables.get("container_bridge_network_containers"),
        pools=variables.get("container_bridge_network_address_pools"),
        share=_parts.share(variables.get(_parts.INDEX), variables.get(_parts.COUNT), host),
    )
    return members(declaration, settled=False, told=standing)


def standing(lists: Any, project: str) -> dict[str, Hosts]:
    """Network -> address -> names, from what netns_info tells of lists of names."""
    prefix = _hostnames.list_name("")
    return {
        str(one["name"])[len(prefix) :]: one.get("hosts", {})
        for one in lists or ()
        if one["project"] == project and str(one["name"]).startswith(prefix)
    }


def join(lists: Mapping[str, Any], others: Mapping[str, Members]) -> dict[str, Any]:
    """The modules' lists of a host, in which its containers also know those of the others.

    A name means the container of this host, where there is one of that name. BridgenetError where a container of this
    host and another one have the same address.
    """
    networks = {_hostnames.list_name(network): network for network in lists["members"]}
    return {
        **lists,
        "netns_names": [
            {**one, "hosts": _joined(networks[one["name"]], one["hosts"], others)} if one["name"] in networks else one
            for one in lists["netns_names"]
        ],
    }


def _joined(network: str, own: Hosts, others: Mapping[str, Members]) -> Hosts:
    here = {names[0] for names in own.values()}
    found = dict(own)
    for host, theirs in sorted(others.items()):
        for address, names in theirs.get(network, {}).items():
            if address in own:
                raise BridgenetError(
                    f"container {own[address][0]!r}, network {network!r}: the address {address} is that of container "
                    f"{names[0]!r} on host {host!r} as well; choose another"
                )
            left = [name for name in names if name not in here]
            if left:
                found.setdefault(address, left)
    return found
