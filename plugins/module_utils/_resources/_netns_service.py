# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A long-running command inside a namespace, as a systemd unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from .. import _names, _process, _unit
from .._draft import Draft
from .._errors import BridgenetError
from .._labels import Label
from .._model import Host, Service
from .._process import Process
from .._reader import Scope
from ._base import OWNED, STATE, Context, Options, Resource, declared_namespace, is_present, shown_label

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    "command": {"type": "raw"},
    "hostname": {"type": "str"},
    "nameservers": {"type": "list", "elements": "str"},
    "search": {"type": "list", "elements": "str"},
    "extra_hosts": {"type": "dict"},
    "environment": {"type": "dict"},
    "user": {"type": "str"},
    "working_dir": {"type": "str"},
    "restart": {"type": "str", "choices": list(_process.RESTARTS), "default": "no"},
    **OWNED,
    **STATE,
}


@dataclass(frozen=True)
class NetnsService(Resource):
    """A unit, the files beside it, and that it runs."""

    name: str
    namespace: str
    label: Label
    process: Process | None  # None where absent
    take_over: bool = False
    labelled: bool = False

    @property
    def what(self) -> str:
        return f"service {self.name!r}"

    def at(self, key: Callable[[str], str]) -> NetnsService:
        """The same: its files name the namespace as it is declared."""
        return self

    @property
    def _files(self) -> dict[str, str]:
        return _unit.files(self.name, self.namespace, self.process, self.label) if self.process else {}

    def widen(self, scope: Scope) -> None:
        scope.services[self.name] = self.namespace
        if self.namespace:
            scope.namespaces.add(self.namespace)
        scope.accounts.update(self._accounts())

    def _accounts(self) -> list[tuple[str, str]]:
        """The user and group that the host has to have."""
        named = (("user", self.process.user), ("group", self.process.group)) if self.process else ()
        return [(kind, name) for kind, name in named if name and not name.isdigit()]

    def owns(self) -> list[tuple[str, str]]:
        return [("netns_service", self.name), *(("file", path) for path in self._files)]

    def predict(self, draft: Draft) -> None:
        old = draft.services[self.name]
        unit = old.files[_unit.path(self.name)]
        if not self.present:
            if unit:
                draft.may_remove(_unit.label(unit), self.label if self.labelled else None, self.what)
            self._write(draft, old, {_unit.path(self.name): ""}, unit, active=False)
            return
        if not draft.current.systemd:
            raise BridgenetError(
                f"{self.what}: this host is not run by systemd (there is no /run/systemd/system), so nothing could "
                "keep the command running; drop the command, or choose another host"
            )
        if self.namespace:
            draft.need(self.namespace)
        draft.assumed += [
            f"{kind} {name}" for kind, name in self._accounts() if (kind, name) not in draft.current.accounts
        ]
        for path in self._files:
            there = old.files[path]
            if there and _unit.label(there) != str(self.label):
                what = self.what if there is unit else f"file {path!r}"
                draft.claim(_unit.label(there), self.label, what, self.take_over)
        self._write(draft, old, self._files, unit, active=True)

    def _write(self, draft: Draft, old: Service, declared: Mapping[str, str], unit: str, active: bool) -> None:
        """What is declared, without what this service had beside it; other files there are somebody's."""
        mine = {str(self.label), _unit.label(unit)} if unit else set()
        kept = {path: "" if _unit.label(text) in mine else text for path, text in old.files.items()}
        draft.services[self.name] = Service(self.name, {**kept, **declared}, active, active)

    def view(self, host: Host) -> Options | None:
        service = host.services.get(self.name)
        unit = service.files.get(_unit.path(self.name), "") if service else ""
        if service is None or not unit:
            return None
        shown: Options = {"name": self.name}
        if _unit.namespace(unit):
            shown["namespace"] = _unit.namespace(unit)
        shown["label"] = shown_label(_unit.label(unit), self.label.project)
        shown["running"] = service.active and service.placed
        shown["unit"] = _unit.settings(unit)
        for path, text in service.files.items():
            if path != _unit.path(self.name) and _unit.label(text) == _unit.label(unit):
                shown.setdefault("files", {})[path] = text.splitlines()[1:]
        return shown


def declare(options: Mapping[str, Any], context: Context) -> NetnsService:
    """From the options of one object."""
    name = _names.service(options["name"])
    namespace = declared_namespace(options)
    present = is_present(options, context)
    return NetnsService(
        present=present,
        name=name,
        namespace=namespace,
        label=context.label(options.get("label"), name),
        process=_process.declared(f"service {name!r}", namespace, options) if present else None,
        take_over=bool(options.get("take_over")),
        labelled=options.get("label") is not None,
    )
