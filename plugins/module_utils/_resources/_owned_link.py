# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bridge, a tun or tap, and a VXLAN link have in common: one link, which is ours by its label."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .._draft import Draft
from .._errors import BridgenetError
from .._labels import Label
from .._model import Host, Link, place
from .._reader import Scope
from ._base import Context, Options, Resource, declared_link, declared_namespace, is_present


@dataclass(frozen=True)
class OwnedLink(Resource):
    """A link in the host or in a namespace."""

    namespace: str
    link: Link
    label: Label
    mac: str  # of a new one
    exclusive: bool
    take_over: bool
    labelled: bool
    module: ClassVar[str]  # its name
    kind: ClassVar[str]  # the kernel's word
    called: ClassVar[str]  # ours

    @property
    def what(self) -> str:
        return f"{self.module} {self.link.name!r}" + (f" in namespace {self.namespace!r}" if self.namespace else "")

    def widen(self, scope: Scope) -> None:
        if self.namespace:
            scope.namespaces.add(self.namespace)
        if self.present:
            scope.add_link(self.namespace, self.link)

    def owns(self) -> list[tuple[str, str]]:
        return [("link", f"{self.namespace}/{self.link.name}")]

    def predict(self, draft: Draft) -> None:
        name = self.link.name
        if not self.present:
            found = draft.find(self.namespace, name)
            if found is not None:
                self._must_be_such(found)
                draft.may_remove(found.label or "", self.label if self.labelled else None, self.what)
                self._drop(draft)
            return
        found = draft.need(self.namespace).get(name)
        if found is not None:
            self._must_be_such(found)
            if found.label != str(self.label):
                draft.claim(found.label or "", self.label, self.what, self.take_over)
        self._put(draft, found)

    @abc.abstractmethod
    def _put(self, draft: Draft, found: Link | None) -> None:
        """Write what will be; `found` is ours, or to be made."""

    def _drop(self, draft: Draft) -> None:
        draft.drop(self.namespace, self.link.name)

    def _new(self, draft: Draft, **more: Any) -> Link:
        """As the kernel makes it, with our label."""
        return Link(
            name=self.link.name,
            kind=self.kind,
            up=True,
            ipv6=draft.new_links_speak_ipv6(self.namespace),
            label=str(self.label),
            master="",
            addresses=(),
            routes=(),
            **more,
        )

    def _is_there(self, found: Link) -> str:
        """How a message about a link in the way begins."""
        return f"interface {found.name!r} in {place(self.namespace)} exists and"

    def _must_be_such(self, found: Link) -> None:
        if found.kind != self.kind:
            kind = f"a {found.kind}" if found.kind else "no virtual device"
            raise BridgenetError(
                f"{self._is_there(found)} is {kind}, not a {self.called}; choose another name for the {self.module}"
            )

    def _standing(self, host: Host) -> Link | None:
        namespace = host.namespaces.get(self.namespace)
        return namespace.links.get(self.link.name) if namespace else None


def declared(module: str, label: Label, options: Mapping[str, Any], context: Context, **more: Any) -> Options:
    """The fields that all of them have, from the options of one object; `more` is about the link."""
    return {
        "present": is_present(options, context),
        "namespace": declared_namespace(options),
        "link": declared_link(options, label=str(label), **more),
        "label": label,
        "mac": context.mac(f"{module} {label.object}"),
        "exclusive": bool(options.get("exclusive")),
        "take_over": bool(options.get("take_over")),
        "labelled": options.get("label") is not None,
    }
