# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A named network namespace."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import _names, _sysctl
from .._draft import NEW_LOOPBACK, Draft
from .._errors import BridgenetError
from .._labels import Label
from .._model import NO_IPV6_ALL, NO_IPV6_DEFAULT, Host
from .._reader import Scope
from ._base import OWNED, STATE, Context, Options, Resource, is_present, shown_label

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "loopback": {"type": "bool"},
    "sysctls": {"type": "dict"},
    **OWNED,
    **STATE,
}


@dataclass(frozen=True)
class Netns(Resource):
    """A namespace: its loopback, its label, and sysctls inside."""

    name: str
    label: Label
    loopback: bool | None = None
    sysctls: Mapping[str, str] = field(default_factory=dict)
    take_over: bool = False
    labelled: bool = False  # the label was given, so absent insists on it

    @property
    def what(self) -> str:
        return f"namespace {self.name!r}"

    def widen(self, scope: Scope) -> None:
        scope.namespaces.add(self.name)
        scope.sysctls.setdefault(self.name, set()).update(self.sysctls)

    def owns(self) -> list[tuple[str, str]]:
        return [("netns", self.name)]

    def predict(self, draft: Draft) -> None:
        links = draft.links.get(self.name)
        if not self.present:
            if links is not None:
                draft.may_remove(links["lo"].label or "", self.label if self.labelled else None, self.what)
                draft.drop_namespace(self.name)
            return
        if links is None:
            up = True if self.loopback is None else self.loopback
            loopback = dataclasses.replace(NEW_LOOPBACK, up=up, label=str(self.label), ipv6=draft.current.ipv6)
            draft.links[self.name] = {"lo": loopback}
            draft.sysctls[self.name] = {}
            self._set_sysctls(draft, draft.current.fresh)
            return
        loopback = links["lo"]
        if loopback.label != str(self.label):
            draft.claim(loopback.label or "", self.label, self.what, self.take_over)
            loopback = dataclasses.replace(loopback, label=str(self.label))
        if self.loopback is not None and loopback.up != self.loopback:
            loopback = dataclasses.replace(loopback, up=self.loopback)
        if loopback is not links["lo"]:
            draft.put(self.name, loopback)
        self._set_sysctls(draft, draft.current.namespaces[self.name].sysctls)

    def _set_sysctls(self, draft: Draft, known: Mapping[str, str]) -> None:
        for key, value in self.sysctls.items():
            if key not in known and not _sysctl.of_interface(key):  # an interface may come with this very task
                raise BridgenetError(
                    f"{self.what}: this kernel has no sysctl {key} inside a namespace; correct or drop it"
                )
            draft.sysctls[self.name][key] = value
        values = draft.sysctls[self.name]
        if NO_IPV6_ALL in self.sysctls and NO_IPV6_DEFAULT in values and NO_IPV6_DEFAULT not in self.sysctls:
            values[NO_IPV6_DEFAULT] = values[NO_IPV6_ALL]  # the kernel sets both

    def view(self, host: Host) -> Options | None:
        namespace = host.namespaces.get(self.name)
        if namespace is None:
            return None
        shown: Options = {"name": self.name, "loopback": bool(namespace.links["lo"].up)}
        if namespace.label:
            shown["label"] = shown_label(namespace.label, self.label.project)
        if self.sysctls:
            shown["sysctls"] = {key: namespace.sysctls.get(key, "") for key in sorted(self.sysctls)}
        return shown


def declare(options: Mapping[str, Any], context: Context) -> Netns:
    """From the options of one object."""
    name = _names.namespace(options["name"])
    sysctls = {_sysctl.key(key): _sysctl.text(value) for key, value in (options.get("sysctls") or {}).items()}
    return Netns(
        present=is_present(options, context),
        name=name,
        label=context.label(options.get("label"), name),
        loopback=options.get("loopback"),
        sysctls=sysctls,
        take_over=bool(options.get("take_over")),
        labelled=options.get("label") is not None,
    )
