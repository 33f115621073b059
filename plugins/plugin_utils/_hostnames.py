# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which names containers find each other, and the keys of a container that add to that, in Compose's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..module_utils import _names
from ..module_utils._errors import BridgenetError
from . import _modes
from . import _readers as read
from ._modes import Mode

if TYPE_CHECKING:
    from ._declared import Container, Endpoint

Options = dict[str, Any]
Hosts = dict[str, list[str]]  # address -> names

_OF_ITSELF = "127.0.1.1"  # where Debian has the name of a host without an address


@dataclass(frozen=True)
class Resolution:
    """What a container knows besides its neighbours, and whom it asks."""

    extra_hosts: tuple[tuple[str, str], ...] = ()  # name, address
    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()


def aliases(key: str, value: Any) -> tuple[str, ...]:
    """A reader of more names of a container in a network."""
    return tuple(dict.fromkeys(_names.host(key, name) for name in read.one_or_more(key, value)))


def nameservers(key: str, value: Any) -> tuple[str, ...]:
    """A reader of one name server, or of a list of them."""
    return tuple(_names.plain_address(key, address) for address in read.one_or_more(key, value))


def domains(key: str, value: Any) -> tuple[str, ...]:
    """A reader of one domain, or of a list of them."""
    return tuple(_names.host(key, name) for name in read.one_or_more(key, value))


def extra_hosts(key: str, value: Any) -> tuple[tuple[str, str], ...]:
    """A reader of a mapping from names to addresses, or of a list of NAME=ADDRESS or NAME:ADDRESS."""
    found = []
    for name, given in read.pairs(key, value, "=:", "NAME=ADDRESS"):
        for address in given if isinstance(given, (list, tuple)) else [given]:
            plain = address.strip("[]") if isinstance(address, str) else address
            found.append((_names.host(key, name), _names.plain_address(f"{key}: {name}", plain)))
    return tuple(found)


KEYS: Mapping[str, read.Reader] = {"dns": nameservers, "dns_search": domains, "extra_hosts": extra_hosts}


def resolution(keys: Mapping[str, Any], mode: Mode | None) -> Resolution:
    """From the keys of a container."""
    for key in KEYS:
        if keys.get(key) and mode and mode.kind == _modes.HOST:
            raise BridgenetError(
                f"{key} is for a namespace of its own, and with network_mode: host the container has the host's; drop "
                "one of the two"
            )
    if keys.get("dns_search") and not keys.get("dns"):
        raise BridgenetError("dns_search without dns would leave nobody to ask; write dns: ADDRESS")
    return Resolution(keys.get("extra_hosts", ()), keys.get("dns", ()), keys.get("dns_search", ()))


# --- the lists ---


def list_name(network: str) -> str:
    """What the list of the members of a network is called."""
    return f"network/{network}"


def lists(containers: Sequence[Container]) -> list[Options]:
    """The objects of the module netns_names.

    One list for each network, shared by its members, so that 500 containers take 500 lines and not 250,000; then
    what single containers know besides, and the name servers.
    """
    inside = [container for container in containers if container.present and container.namespace]
    owners = {container.name: container for container in inside if not container.owner}
    sharing: dict[str, list[str]] = {name: [name] for name in owners}  # owner -> all names of its namespace
    for container in inside:
        if container.owner:
            sharing[container.owner].append(container.name)
    found = [*_of_networks(owners.values(), sharing)]
    for container in inside:
        owner = owners[container.owner or container.name]
        hosts = _own(container, owner)
        if hosts:
            namespaces = [container.name] if container.owner else sharing[container.name]
            found.append({"name": f"container/{container.name}", "namespaces": sorted(namespaces), "hosts": hosts})
    return [*found, *_resolvers(inside, owners)]


def _of_networks(owners: Iterable[Container], sharing: Mapping[str, Sequence[str]]) -> Iterator[Options]:
    """Who is in a network, and under which names."""
    hosts: dict[str, Hosts] = {}
    namespaces: dict[str, list[str]] = {}
    for container in owners:
        for endpoint in container.endpoints:
            names, network = names_of(container, endpoint), endpoint.network.name
            for address in endpoint.addresses:
                hosts.setdefault(network, {})[str(address)] = names
            namespaces.setdefault(network, []).extend(sharing[container.name])
    for network, known in hosts.items():
        yield {"name": list_name(network), "namespaces": sorted(namespaces[network]), "hosts": known}


def names_of(container: Container, endpoint: Endpoint) -> list[str]:
    """How the members of a network call a container."""
    with read.at(f"container {container.name!r}"):
        return list(dict.fromkeys([_names.host("its name", container.name), *endpoint.aliases]))


def _own(container: Container, owner: Container) -> Hosts:
    """What a container alone knows: its extra hosts, and its host name unless that is in the list of a network."""
    found: Hosts = {}
    addresses = [str(address) for endpoint in owner.endpoints for address in endpoint.addresses]
    hostname = str((container.service or {}).get("hostname", ""))
    if (
        hostname
        and hostname not in dict(container.resolution.extra_hosts)
        and not (addresses and hostname == owner.name)
    ):
        for address in addresses or [_OF_ITSELF]:
            found[address] = [hostname]
    for name, address in container.resolution.extra_hosts:
        names = found.setdefault(address, [])
        if name not in names:
            names.append(name)
    return found


def _resolvers(inside: Sequence[Container], owners: Mapping[str, Container]) -> Iterator[Options]:
    """The name servers that somebody wrote; for who has a way out, those of the host that can be reached."""
    asking_host = []
    for container in inside:
        owner = owners[container.owner or container.name]
        said = container.resolution if container.resolution.nameservers else owner.resolution
        if said.nameservers:
            search = {"search": list(said.search)} if said.search else {}
            named = {"name": f"dns/{container.name}", "namespaces": [container.name]}
            yield {**named, "nameservers": list(said.nameservers), **search}
        elif owner.default_route:
            asking_host.append(container.name)
    if asking_host:
        yield {"name": "dns", "namespaces": sorted(asking_host), "host_nameservers": True}
