# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What any existing link has: addresses, routes, MTU, up or down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._draft import Draft, change, remaining
from .._errors import BridgenetError
from .._model import Host, Link, place
from .._reader import Scope
from .._shown import shown_link
from ._base import LINK, STATE, Context, Options, Resource, declared_link, declared_namespace, is_present

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    **LINK,
    "exclusive": {"type": "bool", "default": False},
    **STATE,
}


@dataclass(frozen=True)
class Interface(Resource):
    """A link that somebody else makes; absent takes the declared addresses and routes away, never the link."""

    namespace: str
    link: Link
    exclusive: bool
    project: str
    deletes = False

    @property
    def what(self) -> str:
        return f"interface {self.link.name!r}" + (f" in namespace {self.namespace!r}" if self.namespace else "")

    def widen(self, scope: Scope) -> None:
        if self.namespace:
            scope.namespaces.add(self.namespace)

    def keeps(self) -> list[tuple[str, str]]:
        return [*self.owns(), *([("link", f"{self.namespace}/{self.link.name}")] if self.present else [])]

    def predict(self, draft: Draft) -> None:
        found = draft.find(self.namespace, self.link.name)
        if not self.present:
            if found is not None:
                addresses = tuple(
                    address for address in found.addresses or () if address not in (self.link.addresses or ())
                )
                routes = tuple(route for route in found.routes or () if route not in (self.link.routes or ()))
                routes = remaining(routes, found, addresses)
                if (addresses, routes) != (found.addresses, found.routes):
                    draft.put(self.namespace, found.but(addresses=addresses, routes=routes))
            return
        found = draft.need(self.namespace).get(self.link.name)
        if found is None:
            draft.assumed.append(
                f"interface {self.link.name}" + (f" in namespace {self.namespace}" if self.namespace else "")
            )
            found = Link(
                self.link.name,
                kind="",
                mac="",
                mtu=1500,
                up=True,
                ipv6=True,
                label="",
                master="",
                addresses=(),
                routes=(),
            )
        if found.name == "lo" and self.link.mac is not None:
            raise BridgenetError(f"{self.what} in {place(self.namespace)}: a loopback has no MAC address; drop it")
        if self.link.mtu is not None:
            draft.undeclared_mtu.discard((self.namespace, self.link.name))
        new = change(found, self.link, self.exclusive)
        if new is not draft.find(self.namespace, self.link.name):
            draft.put(self.namespace, new)

    def view(self, host: Host) -> Options | None:
        namespace = host.namespaces.get(self.namespace)
        link = namespace.links.get(self.link.name) if namespace else None
        if link is None:
            return None
        return shown_link(link, self.namespace, self.project)


def declare(options: Mapping[str, Any], context: Context) -> Interface:
    """From the options of one object."""
    return Interface(
        present=is_present(options, context),
        namespace=declared_namespace(options),
        link=declared_link(options),
        exclusive=bool(options.get("exclusive")),
        project=context.project,
    )
