# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task would do on this host after a boot, when nothing of ours stands. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from . import _boot, _boot_script, _forwarding, _labels, _nft, _sysctl
from ._errors import BridgenetError
from ._known_names import KnownNames
from ._model import HOST, NO_IPV6_DEFAULT, Boot, Firewall, Host, Link
from ._operation_base import Operation
from ._resources._base import Context, Resource
from ._resources._netns import Netns
from ._resources._netns_names import NetnsNames
from ._resources._netns_service import NetnsService
from ._resources._persist import MODULE as PERSIST
from ._resources._persist import Persist
from ._resources._sysctl_bridge_nf import MODULE, SysctlBridgeNf
from ._resources._veth import Veth

Named = tuple[str, Resource]  # the name of the module, and the resource


@dataclasses.dataclass(frozen=True)
class Boots:
    """The part of a task that a boot can bring back."""

    resources: tuple[Resource, ...]
    services: tuple[str, ...]  # units of containers, which systemd starts behind ours
    modules: tuple[str, ...]  # kernel modules to load
    warnings: tuple[str, ...]


def declare(resources: Sequence[Named], persist: bool | None, context: Context) -> list[Named]:
    """What a task declares, where it is said whether that comes back at boot; None leaves that as it is."""
    if persist is None:
        return list(resources)
    wanted = persist and context.state == "present"
    found: list[Named] = []
    for module, one in resources:
        if isinstance(one, SysctlBridgeNf) and one.namespace == HOST and one.calls and one.persist is None:
            one = dataclasses.replace(one, persist=wanted)
        found.append((module, one))
    return [*found, (PERSIST, Persist(wanted, context.project))]


def asked(resources: Iterable[Resource]) -> Persist | None:
    """Whether a task is to come back at boot."""
    return next((one for one in resources if isinstance(one, Persist) and one.present), None)


def part(resources: Iterable[Resource]) -> Boots:
    """All but what stands in files, and what is in the namespaces of others, who come later if at all."""
    present = [one for one in resources if one.present and not isinstance(one, Persist)]
    adopted = {one.name: one.adopt for one in present if isinstance(one, Netns) and one.adopt}
    lost = {one.name for one in present if isinstance(one, Netns) and (one.name in adopted or one.same_as in adopted)}
    pairs = [one for one in present if isinstance(one, Veth) and lost.intersection((one.namespace, one.far_namespace))]
    ends = {(one.namespace, one.near.name) for one in pairs}

    def is_lost(one: Resource) -> bool:
        place, name = getattr(one, "namespace", HOST), getattr(one, "name", "")
        return one in pairs or place in lost or (place, name) in ends or (isinstance(one, Netns) and name in lost)

    kept = [one for one in present if not is_lost(one)]
    switches = [one for one in kept if isinstance(one, SysctlBridgeNf)]
    loads = any(one.load and any(value for _call, value in one.calls) for one in switches)
    return Boots(
        resources=tuple(one for one in kept if not isinstance(one, (NetnsNames, NetnsService))),
        services=tuple(sorted(one.name for one in kept if isinstance(one, NetnsService))),
        modules=(MODULE,) if loads else (),
        warnings=tuple(
            f"container {name}: its namespace is that of {source.text}, which is not there when the network comes "
            "back at boot; the next run plugs it in again"
            for name, source in adopted.items()
        ),
    )


def empty(current: Host, predicted: Host) -> Host:
    """This host after a boot: only what is somebody else's."""
    firewall = current.firewall
    home = current.namespaces[HOST]
    links = {name: link for name, link in home.links.items() if not _is_ours(current, link)}
    return dataclasses.replace(
        current,
        namespaces={HOST: dataclasses.replace(home, links=links, sysctls=_own(current, links))},
        names={},
        adoptees={},
        nsids={},
        holders={},
        listeners=(),
        addresses_missing=frozenset(),  # they come with the host
        originals={},
        services={},
        names_known=KnownNames(),
        files=predicted.files,  # these outlive a boot
        boots={},
        br_netfilter=True,  # whoever loads it
        firewall=Firewall(
            table=_nft.skeleton(firewall.ports),
            preferred=firewall.preferred,
            gates=firewall.gates,
            ports=firewall.ports,
        ),
    )


def _is_ours(host: Host, link: Link) -> bool:
    """By the label of either end."""
    place, name = link.peer or (HOST, link.name)
    peer = host.namespaces[place].links.get(name) if place in host.namespaces else None
    return any(_labels.parse(one.label or "") for one in (link, peer) if one is not None)


def _own(host: Host, links: Iterable[str]) -> dict[str, str]:
    """The settings of the host before our first write; it is taken to forward nothing, whoever made it."""
    found = {}
    for key, value in host.namespaces[HOST].sysctls.items():
        interface = _sysctl.of_interface(key)
        if key in _forwarding.SWITCHES:
            found[key] = "0"
        elif key in (NO_IPV6_DEFAULT, _sysctl.route_localnet("default")) or (
            interface in links and not key.endswith(("/accept_ra", "/forwarding"))
        ):
            found[key] = host.originals[key].before if key in host.originals else value
    return found


def boot(
    project: str, boots: Boots, operations: Sequence[Operation], fresh: Host, alone: Host, predicted: Host
) -> Boot:
    """The files, from what is to be done on an empty host, `fresh`, and what that makes of it, `alone`."""
    known = {key: one.before for key, one in predicted.originals.items()}
    settings = {key: known.get(key, "") for key in alone.originals}
    return Boot(
        script=_boot_script.script(project, operations, boots.modules, settings, predicted.firewall.ports),
        unit=_boot.unit(project, boots.services, _leans(fresh, alone)),
        enabled=True,
    )


def _leans(fresh: Host, alone: Host) -> bool:
    """Whether links of the host itself are changed, or get ports."""
    theirs = fresh.namespaces[HOST].links
    return any(
        link != theirs[name] if name in theirs else link.master in theirs
        for name, link in alone.namespaces[HOST].links.items()
    )


def missing(things: Sequence[str]) -> BridgenetError:
    """A task that leans on what another one made."""
    return BridgenetError(
        f"persist: true brings back what this task declares, and {', '.join(things)} would be missing; declare that in "
        "the same task"
    )
