# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host looks like, as data: the module netns_info. It only reads."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from . import _holders, _labels, _names, _namespaces, _neighbours
from ._errors import BridgenetError
from ._kernel import Kernel
from ._known_names import LOOPBACK
from ._model import HOST, Holder, Host, Link
from ._reader import Scope, read
from ._shown import shown_link, shown_names

SUBSETS = ("links", "pids", "holders", "neighbours", "fdb", "names")

_AF_BRIDGE = 7


def info_module() -> None:
    """The whole of the module `netns_info`."""
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str"},
            "gather_subset": {
                "type": "list",
                "elements": "str",
                "choices": ["all", "min", *SUBSETS],
                "default": ["links"],
            },
            "pid": {"type": "int"},
        },
        supports_check_mode=True,
    )
    names, subsets = module.params["names"], module.params["gather_subset"]
    try:
        if names is not None:
            names = [name if name == HOST else _names.namespace(name) for name in names]
        facts = gather(names, SUBSETS if "all" in subsets else subsets, module.params["pid"])
    except (BridgenetError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **facts)


def gather(
    names: Collection[str] | None = None, subsets: Collection[str] = ("links",), pid: int | None = None
) -> dict[str, Any]:
    """The namespaces of those names, None is all; the ids of all; and which namespace a process is in."""
    if os.geteuid() != 0:
        raise BridgenetError("networks and namespaces can only be read by root; use `become: true`")
    with Kernel() as kernel:
        # All are read, because the other end of a pair may be anywhere.
        host = read(kernel, Scope(namespaces=set(_namespaces.published()), nsids=True, names="names" in subsets))
        chosen = [name for name in [HOST, *sorted(host.names)] if names is None or name in names]
        seen = _Seen(kernel, host, {host.names.get(name, HOST) for name in chosen}, subsets)
        facts: dict[str, Any] = {
            "namespaces": [seen.namespace(name) for name in chosen],
            "ids": [{"id": number, "names": seen.names(place)} for number, place in sorted(host.nsids.items())],
        }
        if "names" in subsets:
            facts["netns_names"] = _lists(host)
        if pid is not None:
            facts["identified"] = seen.identified(pid)
    return facts


def _lists(host: Host) -> list[dict[str, Any]]:
    """The lists of names, as the module netns_names shows them; the loopback's is in every file of ours."""
    found = []
    for label in filter(None, map(_labels.parse, host.names_known.labels)):
        view = shown_names(label, host.names_known.members(str(label)))
        if view is not None and label.object != LOOPBACK:
            found.append({"project": label.project, **view})
    return found


@dataclass(frozen=True)
class _Seen:
    """A host that was read, and what is asked for besides."""

    kernel: Kernel
    host: Host
    places: Collection[str]
    subsets: Collection[str]
    holders: dict[int, tuple[Holder, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        inodes = [self.host.namespaces[place].inode for place in self.places]
        if "holders" in self.subsets:
            self.holders.update(_holders.find(inodes))
        elif "pids" in self.subsets:
            self.holders.update(_holders.inside(inodes))

    def names(self, place: str) -> list[str]:
        """Under which names a namespace is published, none where it is not known."""
        return sorted(name for name, key in self.host.names.items() if place and key == place)

    def namespace(self, name: str) -> dict[str, Any]:
        """All that is known of one."""
        place = self.host.names.get(name, HOST)
        found = self.host.namespaces[place]
        others = [other for other, key in self.host.names.items() if key == place] + [HOST] * (place == HOST)
        label = _labels.parse(found.label)
        shown: dict[str, Any] = {
            "name": name,
            "inode": found.inode,
            "other_names": sorted(other for other in others if other != name),
            "adopted": bool(label and label.adopted),
            **_label(found.label),
        }
        if found.nsid is not None and found.nsid >= 0:
            shown["nsid"] = found.nsid
        holders = self.holders.get(found.inode, ())
        if "links" in self.subsets:
            shown["links"] = [_link(link) for link in found.links.values()]
        if "pids" in self.subsets:
            shown["pids"] = [_holder(one) for one in holders if one.kind == "process"]
        if "holders" in self.subsets:
            shown["holders"] = [{"kind": one.kind, **_holder(one)} for one in holders]
        links = {link.index: link.name for link in found.links.values() if link.index is not None}
        if "neighbours" in self.subsets:
            rows = self.kernel.socket(place).neighbours(socket.AF_UNSPEC)
            shown["neighbours"] = _neighbours.neighbours(rows, links)
        if "fdb" in self.subsets:
            shown["fdb"] = _neighbours.forwarding(self.kernel.socket(place).neighbours(_AF_BRIDGE), links)
        return shown

    def identified(self, pid: int) -> dict[str, Any]:
        """Which namespace a process is in, by all its names."""
        try:
            inode = _holders.namespace_of(pid)
        except (FileNotFoundError, ProcessLookupError) as error:
            raise BridgenetError(f"pid {pid}: there is no such process; name one that runs") from error
        found = [
            name
            for name in [HOST, *sorted(self.host.names)]
            if self.host.namespaces[self.host.names.get(name, HOST)].inode == inode
        ]
        return {"pid": pid, "command": _holders.command(pid), "inode": inode, "names": found}


def _holder(holder: Holder) -> dict[str, Any]:
    shown: dict[str, Any] = {"pid": holder.pid, "command": holder.command}
    if holder.descriptor is not None:
        shown["descriptor"] = holder.descriptor
    if holder.path:
        shown["path"] = holder.path
    return shown


def _link(link: Link) -> dict[str, Any]:
    shown = shown_link(link, "", "")
    shown.update(kind=link.kind, index=link.index, master=link.master, **_label(link.label or ""))
    shown["default_route"] = bool(link.carries_default)
    if link.peer:
        shown["peer"] = {"name": link.peer[1], "namespace": link.peer[0]}
    return shown


def _label(text: str) -> dict[str, str]:
    label = _labels.parse(text)
    return {"project": label.project if label else "", "label": label.object if label else ""}
