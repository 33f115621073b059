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
from .._shown import shown_label
from ._base import OWNED, STATE, Context, Options, Resource, declared_namespace, is_present

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    "command": {"type": "raw"},
    "hostname": {"type": "str"},
    "environment": {"type": "dict"},
    "user": {"type": "str"},
    "working_dir": {"type": "str"},
    "restart": {"type": "str", "choices": list(_process.RESTARTS), "default": "no"},
    **OWNED,
    **STATE,
}


@dataclass(frozen=True)
class NetnsService(Resource):
    """A unit, and that it runs."""

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
        """The same: its unit names the namespace as it is declared."""
        return self

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
        return [("netns_service", self.name)]

    def predict(self, draft: Draft) -> None:
        unit = draft.services[self.name].unit
        if self.process is None:
            if unit:
                draft.may_remove(_unit.label(unit), self.label if self.labelled else None, self.what)
            draft.services[self.name] = Service(self.name, "", active=False, placed=False)
            return
        if not draft.current.systemd:
            raise BridgenetError(
                f"{self.what}: this host is not run by systemd (there is no /run/systemd/system), so nothing could "
                "keep the command running; drop the command, or choose another host"
            )
        if self.namespace:
            draft.need(draft.present_key(self.namespace))
        draft.assumed += [
            f"{kind} {name}" for kind, name in self._accounts() if (kind, name) not in draft.current.accounts
        ]
        if unit and _unit.label(unit) != str(self.label):
            draft.claim(_unit.label(unit), self.label, self.what, self.take_over)
        text = _unit.text(self.name, self.namespace, self.process, self.label)
        draft.services[self.name] = Service(self.name, text, active=True, placed=True)

    def view(self, host: Host) -> Options | None:
        service = host.services.get(self.name)
        if service is None or not service.unit:
            return None
        unit = service.unit
        shown: Options = {"name": self.name}
        if _unit.namespace(unit):
            shown["namespace"] = _unit.namespace(unit)
        shown["label"] = shown_label(_unit.label(unit), self.label.project)
        shown["running"] = service.active and service.placed
        shown["unit"] = _unit.settings(unit)
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
