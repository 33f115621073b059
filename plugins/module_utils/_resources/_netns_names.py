# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of names that namespaces know, and the name servers that they ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from .. import _known_names, _names
from .._draft import Draft
from .._errors import BridgenetError
from .._known_names import OF_HOST, OF_RESOLVED, Hosts
from .._labels import Label
from .._model import Host
from .._reader import Scope
from .._shown import shown_names
from ._base import STATE, Context, Options, Resource, is_present

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "namespaces": {"type": "list", "elements": "str"},
    "hosts": {"type": "dict"},
    "nameservers": {"type": "list", "elements": "str"},
    "search": {"type": "list", "elements": "str"},
    "host_nameservers": {"type": "bool", "default": False},
    "take_over": {"type": "bool", "default": False},
    **STATE,
}


@dataclass(frozen=True)
class NetnsNames(Resource):
    """A block in the hosts files of its namespaces, and their resolv.conf."""

    label: Label
    namespaces: tuple[str, ...]
    everywhere: bool  # False where only these are to forget it
    hosts: Hosts = ()
    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    host_nameservers: bool = False
    take_over: bool = False

    @property
    def what(self) -> str:
        return f"list of names {self.label.object!r}"

    def at(self, key: Callable[[str], str]) -> NetnsNames:
        """The same: each name of a namespace has files of its own."""
        return self

    def widen(self, scope: Scope) -> None:
        scope.names = True
        scope.lists.add(str(self.label))
        if self.present:
            scope.namespaces.update(self.namespaces)
            scope.enclosed.update(self.namespaces)  # a service sees a file only if it was there when it started
        if self.host_nameservers:
            scope.files.update((OF_HOST, OF_RESOLVED))

    def owns(self) -> list[tuple[str, str]]:
        found = [("netns_names", self.label.object)]
        if self.present and (self.nameservers or self.host_nameservers):
            found += [("file", _known_names.resolver_path(namespace)) for namespace in self.namespaces]
        return found

    def predict(self, draft: Draft) -> None:
        if self.present:
            for namespace in self.namespaces:
                draft.need(draft.present_key(namespace))
        members = self.namespaces if self.present else ()
        known = draft.current.names_known.members(str(self.label))
        leaving = [name for name in known if name not in members and (self.everywhere or name in self.namespaces)]
        lines, resolver = _known_names.lines_of(self.hosts), self._resolver(draft)
        for namespace in leaving:
            self._tell(draft, namespace, "", "")
        for namespace in members:
            self._tell(draft, namespace, lines, resolver)

    def _tell(self, draft: Draft, namespace: str, lines: str, resolver: str) -> None:
        """The files of one namespace; "" takes out what they have of this list."""
        text = draft.hosts.get(namespace, "")
        ours = text.startswith(_known_names.BEGIN)
        if lines:
            self._claim(draft, text, _known_names.hosts_path(namespace))
        if lines or ours:
            draft.hosts[namespace] = _known_names.with_block(text if ours else "", self.label, lines)
        text = draft.resolvers.get(namespace, "")
        if resolver:
            self._claim(draft, text, _known_names.resolver_path(namespace))
        if resolver or _known_names.label(text) == str(self.label):
            draft.resolvers[namespace] = resolver

    def _claim(self, draft: Draft, text: str, path: str) -> None:
        if text:
            draft.claim(_known_names.label(text), self.label, f"file {path!r}", self.take_over)

    def _resolver(self, draft: Draft) -> str:
        """The text of the resolv.conf, "" where the host's own is seen."""
        if not self.present:
            return ""
        if self.nameservers:
            return _known_names.resolver(self.label, self.nameservers, self.search)
        own = draft.files.get(OF_HOST, "") if self.host_nameservers else ""
        if not _known_names.is_out_of_reach(own):
            return ""
        upstream = draft.files[OF_RESOLVED]
        servers = _known_names.reachable(upstream)
        if not servers:
            draft.warnings.append(
                f"{self.what}: the host asks only {', '.join(_known_names.nameservers_of(own))}, which nobody in a "
                f"namespace can reach, and {OF_RESOLVED} names no other; name nameservers to resolve the world's names"
            )
            return ""
        return _known_names.resolver(self.label, servers, _known_names.search_of(upstream))

    def view(self, host: Host) -> Options | None:
        known = host.names_known.members(str(self.label))
        if not self.everywhere:
            known = {name: files for name, files in known.items() if name in self.namespaces}
        return shown_names(self.label, known)


def _hosts(what: str, values: Mapping[Any, Any]) -> Hosts:
    """Sorted by address; the first name of an address is the one that a search by address finds."""
    found: dict[tuple[int, int, str], dict[str, None]] = {}
    option = f"{what}: hosts"
    for key, given in values.items():
        names = given if isinstance(given, (list, tuple)) else [given]
        address = _names.parsed_address(option, key)
        if not names:
            raise BridgenetError(f"{option}: {key} has no name; give it one, or drop it")
        known = found.setdefault((address.version, int(address), str(address)), {})
        known.update(dict.fromkeys(_names.host(option, name) for name in names))
    return tuple((text, tuple(found[version, number, text])) for version, number, text in sorted(found))


def declare(options: Mapping[str, Any], context: Context) -> NetnsNames:
    """From the options of one object."""
    name = _names.label(options["name"])
    what = f"list of names {name!r}"
    if name == _known_names.LOOPBACK:
        raise BridgenetError(f"{what}: every file has that of the loopback; choose another name")
    present = is_present(options, context)
    given = options.get("namespaces")
    if present and not given:
        raise BridgenetError(f"{what} has no namespaces, which would know it; name them")
    nameservers, search = options.get("nameservers") or (), options.get("search") or ()
    if search and not nameservers:
        raise BridgenetError(f"{what}: search without nameservers would leave nobody to ask; name a nameserver")
    if nameservers and options.get("host_nameservers"):
        raise BridgenetError(f"{what}: nameservers and host_nameservers exclude each other; drop one of them")
    if present and not (options.get("hosts") or nameservers or options.get("host_nameservers")):
        raise BridgenetError(f"{what} says nothing; give it hosts, nameservers or host_nameservers, or make it absent")
    return NetnsNames(
        present=present,
        label=Label(context.project, name),
        namespaces=tuple(sorted({_names.namespace(one) for one in given or ()})),
        everywhere=given is None or present,
        hosts=_hosts(what, options.get("hosts") or {}) if present else (),
        nameservers=tuple(_names.plain_address(f"{what}: nameservers", value) for value in nameservers),
        search=tuple(_names.host(f"{what}: search", value) for value in search),
        host_nameservers=bool(options.get("host_nameservers")),
        take_over=bool(options.get("take_over")),
    )
