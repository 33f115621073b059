# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries a project's label and is not declared any more, as resources that are absent. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import _labels
from ._labels import Label
from ._model import HOST, Host
from ._resources import RESOURCES
from ._resources._base import Context, Resource

Named = tuple[str, Resource]  # the name of the module, and the resource


def stale(current: Host, declared: Sequence[Named], project: str) -> list[Named]:
    """Absent resources for everything of the project that no declared resource owns."""
    kept = {key for _module, resource in declared for key in resource.owns()}
    context = Context(project, "", "absent")
    found: list[Named] = []

    def add(module: str, options: dict[str, Any]) -> None:
        resource: Resource = RESOURCES[module].declare(options, context)
        if not kept.intersection(resource.owns()):
            found.append((module, resource))

    for name, namespace in current.namespaces.items():
        label = _owned(namespace.label, project)
        if name != HOST and label:
            add("netns", {"name": name, "label": label.object})
        for link in namespace.links.values():
            label = _owned(link.label or "", project)
            if label and link.kind in ("bridge", "veth"):
                add(link.kind, {"name": link.name, "namespace": name, "label": label.object})
    for entry, comment in current.firewall.masquerades.items():
        label = _owned(comment, project)
        if label:
            where = {"out_interface": entry.out_interface} if entry.out_interface else {"bridge": entry.bridge}
            add("masquerade", {"source": entry.source, "backend": entry.backend, "label": label.object, **where})
    return found


def _owned(text: str, project: str) -> Label | None:
    label = _labels.parse(text)
    return label if label and label.project == project else None
