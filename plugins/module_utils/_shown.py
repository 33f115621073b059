# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands, in the form of the modules' options. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import _known_names, _labels, _names
from ._labels import Label
from ._model import Link, Route


def shown_label(text: str, project: str) -> str:
    """A label as the option has it; another project's, or somebody else's alias, in full."""
    label = _labels.parse(text)
    return label.object if label and label.project == project else text


def shown_link(link: Link, namespace: str, project: str) -> dict[str, Any]:
    """A link in the form of the options."""
    shown: dict[str, Any] = {"name": link.name}
    if namespace:
        shown["namespace"] = namespace
    shown.update(mac=link.mac, mtu=link.mtu, up=link.up, ipv6=link.ipv6)
    shown["addresses"] = list(link.addresses or ())
    shown["routes"] = [_route(route) for route in link.routes or ()]
    if link.label:
        shown["label"] = shown_label(link.label, project)
    return shown


def shown_names(label: Label, known: Mapping[str, tuple[str, str]]) -> dict[str, Any] | None:
    """A list of names; `known`: namespace -> (block in its hosts, resolv.conf). None where nobody knows it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for namespace, files in known.items():
        groups.setdefault(files, []).append(namespace)
    if not groups:
        return None
    (files, namespaces), *others = groups.items()
    shown: dict[str, Any] = {"name": label.object, "namespaces": namespaces, **_files(files)}
    if others:
        shown["differing"] = {name: _files(found) for found, names in others for name in names}
    return shown


def _route(route: Route) -> dict[str, Any]:
    shown: dict[str, Any] = {"to": route.to}
    if route.via:
        shown["via"] = route.via
    if route.metric and not (route.metric == 1024 and _names.family(route.to) == 6):
        shown["metric"] = route.metric
    return shown


def _files(files: tuple[str, str]) -> dict[str, Any]:
    """A block and a resolv.conf."""
    lines, resolver = files
    shown: dict[str, Any] = {}
    if lines:
        shown["hosts"] = dict(_known_names.hosts_of(lines))
    if resolver:
        shown["nameservers"] = _known_names.nameservers_of(resolver)
        if _known_names.search_of(resolver):
            shown["search"] = _known_names.search_of(resolver)
    return shown
