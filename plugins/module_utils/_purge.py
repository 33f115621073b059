# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries a project's label and is not declared any more, as resources that are absent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from . import _known_names, _labels, _qdisc, _unit
from ._labels import Label
from ._model import HOST, Boot, Entry, Host
from ._resources import _persist, _publish
from ._resources._base import Context, Patience, Resource
from ._resources._persist import Persist
from ._resources._registry import RESOURCES

Named = tuple[str, Resource]  # the name of the module, and the resource
Found = tuple[str, dict[str, Any]]  # the name of the module, and the options of one object

_MODULES = {
    "bridge": "bridge",
    "veth": "veth",
    "tun": "tuntap",
    "vxlan": "vxlan",
}  # kind of link -> the module that makes it
_MAKERS = tuple(_MODULES.values())


def stale(current: Host, declared: Sequence[Named], project: str, patience: Patience | None = None) -> list[Named]:
    """Absent resources for everything of the project that no declared resource owns."""
    found = _unkept(current, declared, Context(project, "", "absent", patience or Patience()), _everything)
    comes_back = current.boots.get(project, Boot()) != Boot()
    if comes_back and not any(isinstance(resource, Persist) for _module, resource in declared):
        found.append((_persist.MODULE, Persist(False, project)))
    return found


def unplugged(current: Host, declared: Sequence[Named], project: str) -> list[Named]:
    """Absent resources for what of the project no declared resource owns inside exclusive namespaces or networks."""
    namespaces = _exclusive(current, declared)
    publishers = {name for _module, resource in declared for name in resource.publishers()}
    networks = {name for _module, resource in declared for name in resource.spans()}

    def inside(current: Host, project: str) -> Iterator[Found]:
        for name, found in _ports(current, project):
            if name in publishers:
                yield found
        for places, found in [*_links(current, project), *_qdiscs(current, project), *_services(current, project)]:
            if not namespaces.isdisjoint(places) or _reaches_out(found, networks):
                yield found
        for knowing, name in _names(current, project):
            enclosed = [one for one in knowing if current.key(one) in namespaces]
            if enclosed:
                yield "netns_names", {"name": name, "namespaces": enclosed}

    return _unkept(current, declared, Context(project, "", "absent"), inside) if publishers or networks else []


def _reaches_out(found: Found, networks: set[str]) -> bool:
    """Whether it is the port by which one of some networks reaches other hosts."""
    module, options = found
    return module == "vxlan" and options["label"] in networks


def is_short(current: Host, declared: Sequence[Named]) -> bool:
    """Whether an exclusive namespace has a veth of which nobody looked at the other end, which may carry the label."""
    return any(
        link.kind == "veth" and link.peer is None and not link.label
        for name in _exclusive(current, declared)
        if name in current.namespaces
        for link in current.namespaces[name].links.values()
    )


def _exclusive(current: Host, declared: Sequence[Named]) -> set[str]:
    """Where the namespaces stand of which the task declares everything."""
    return {current.key(name) for _module, resource in declared for name in resource.encloses()}


def _unkept(
    current: Host, declared: Sequence[Named], context: Context, search: Callable[[Host, str], Iterator[Found]]
) -> list[Named]:
    seconds = {name: of for _module, resource in declared for name, of in resource.second_names().items()}

    def place(name: str) -> str:
        return current.key(seconds.get(name, name))

    kept = {key for _module, resource in declared for key in resource.at(place).keeps()}
    found: list[Named] = []
    for module, options in search(current, context.project):
        if module in _MAKERS and ("link", f"{options['namespace']}/{options['name']}") in kept:
            continue  # without declaring it first: so it is with most
        resource: Resource = RESOURCES[module].declare(options, context)
        if not kept.intersection(resource.owns()):
            found.append((module, resource))
    return found


def _everything(current: Host, project: str) -> Iterator[Found]:
    names: dict[str, list[str]] = {}
    for name, key in current.names.items():
        names.setdefault(key, []).append(name)
    for name, namespace in current.namespaces.items():
        label = _owned(namespace.label, project)
        if name != HOST and label:
            for ours in label.published(names.get(name, ())):
                yield "netns", {"name": ours, "label": label.object}
    for _places, found in [*_links(current, project), *_qdiscs(current, project), *_services(current, project)]:
        yield found
    for _knowing, name in _names(current, project):
        yield "netns_names", {"name": name}
    entries: dict[Entry, str] = dict(current.firewall.entries)
    for rule, comment in current.firewall.direct.items():
        entries.setdefault(rule, comment)  # if somebody flushed it, firewalld still keeps it
    for module, kind in RESOURCES.items():
        for comment, options in kind.stale(entries) if kind.stale else ():
            label = _owned(comment, project)
            if label:
                yield module, {**options, "label": label.object}


def _links(current: Host, project: str) -> Iterator[tuple[set[str], Found]]:
    """The links of the project, with the namespaces in which they and their other ends are."""
    for name, namespace in current.namespaces.items():
        for link in namespace.links.values():
            label = _owned(link.label or "", project)
            if label and link.kind in _MODULES:
                options = {"name": link.name, "namespace": name, "label": label.object}
                yield {name, *(link.peer or ())[:1]}, (_MODULES[link.kind], options)


def _qdiscs(current: Host, project: str) -> Iterator[tuple[set[str], Found]]:
    """What is ours on the links of the project, and on the other ends of its veths, which carry no label."""
    for name, namespace in current.namespaces.items():
        for link in namespace.links.values():
            if not _qdisc.is_ours(link.qdisc):
                continue
            place, peer = link.peer or ("", "")
            far = current.namespaces[place].links.get(peer) if link.peer and place in current.namespaces else None
            if any(_owned(one.label or "", project) for one in (link, far) if one is not None):
                yield {name, *(link.peer or ())[:1]}, ("qdisc", {"name": link.name, "namespace": name})


def _services(current: Host, project: str) -> Iterator[tuple[set[str], Found]]:
    """The services of the project, with the namespaces in which they run."""
    for service in current.services.values():
        inside = _unit.namespace(service.unit)
        label = _owned(_unit.label(service.unit), project)
        if label:
            options = {"name": service.name, "label": label.object, "namespace": inside}
            yield {current.key(inside)}, ("netns_service", options)


def _names(current: Host, project: str) -> Iterator[tuple[list[str], str]]:
    """The lists of names of the project, with the namespaces that know them."""
    for text in current.names_known.labels:
        label = _owned(text, project)
        if label and label.object != _known_names.LOOPBACK:
            yield list(current.names_known.members(text)), label.object


def _ports(current: Host, project: str) -> Iterator[tuple[str, Found]]:
    """The published ports of the project, each with the container that its label names in front of a slash."""
    for comment, options in _publish.stale(current.firewall.entries):
        label = _owned(comment, project)
        if label and "/" in label.object:
            yield label.object.partition("/")[0], ("publish", {**options, "label": label.object})


def _owned(text: str, project: str) -> Label | None:
    label = _labels.parse(text)
    return label if label and label.project == project else None
