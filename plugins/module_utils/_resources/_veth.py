# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A veth pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import _labels, _names
from .._draft import Draft, change
from .._errors import BridgenetError
from .._labels import Label
from .._model import Host, Link, place, released
from .._reader import Scope
from .._shown import shown_link
from .._touched import Touched
from ._base import LINK, OWNED, STATE, Context, Options, Resource, declared_link, declared_namespace, is_present

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    **LINK,
    "exclusive": {"type": "bool", "default": False},
    "peer": {
        "type": "dict",
        "options": {"name": {"type": "str", "required": True}, "namespace": {"type": "str"}, **LINK},
    },
    **OWNED,
    **STATE,
}


@dataclass(frozen=True)
class Veth(Resource):
    """A pair: the near end, which carries the label, and its peer."""

    namespace: str
    near: Link
    far_namespace: str
    far: Link | None  # None where only the near end was named, to remove the pair
    label: Label
    inventory_host: str
    exclusive: bool = False
    take_over: bool = False
    labelled: bool = False

    @property
    def what(self) -> str:
        return f"veth {self.near.name!r}" + (f" in namespace {self.namespace!r}" if self.namespace else "")

    @property
    def macs(self) -> tuple[str, str]:
        """The addresses of a new pair."""
        host, project, name = self.inventory_host, self.label.project, f"veth {self.label.object}"
        return _names.generated_mac(host, project, name), _names.generated_mac(host, project, f"{name} peer")

    def widen(self, scope: Scope) -> None:
        for namespace in (self.namespace, self.far_namespace):
            if namespace:
                scope.namespaces.add(namespace)
        if self.present and self.far:
            scope.add_link(self.namespace, self.near)
            scope.add_link(self.far_namespace, self.far)

    def owns(self) -> list[tuple[str, str]]:
        found = [("link", f"{self.namespace}/{self.near.name}")]
        if self.far and self.present:
            found.append(("link", f"{self.far_namespace}/{self.far.name}"))
        return found

    def predict(self, draft: Draft) -> None:
        if not self.present:
            found = draft.find(self.namespace, self.near.name)
            if found is not None:
                self._must_be_veth(found)
                draft.may_remove(self._label_of(draft, found), self.label if self.labelled else None, self.what)
                draft.drop(self.namespace, self.near.name)
            return
        self._predict_present(draft, self._declared_far())

    def _declared_far(self) -> Link:
        if self.far is None:
            raise BridgenetError(f"{self.what} has no peer; say peer: {{name: ...}}")
        return self.far

    def _predict_present(self, draft: Draft, want_far: Link) -> None:
        near_place, far_place = draft.need(self.namespace), draft.need(self.far_namespace)
        near, far = near_place.get(self.near.name), far_place.get(want_far.name)
        if near is not None:
            self._must_be_veth(near)
            label = self._label_of(draft, near)
            if label != str(self.label):
                draft.claim(label, self.label, self.what, self.take_over)
        if near is None or far is None or near.peer != (self.far_namespace, far.name):
            near, far = self._anew(draft, near, far, want_far)
        if draft.current.ipv6 is False and (self.near.ipv6 or want_far.ipv6):
            raise BridgenetError(f"{self.what}: ipv6 is true, but this kernel has no IPv6; leave ipv6 out or say false")
        want = self.near
        if far.label == want.label and near.label != want.label:
            want = want.but(label=None)  # either end's label owns the pair
        self._put(draft, self.namespace, near, want)
        self._put(draft, self.far_namespace, far, want_far)

    def _put(self, draft: Draft, namespace: str, old: Link, want: Link) -> None:
        new = change(old, want, self.exclusive)
        if new is not draft.find(namespace, new.name):
            draft.put(namespace, new)

    def _anew(self, draft: Draft, near: Link | None, far: Link | None, want_far: Link) -> tuple[Link, Link]:
        """A new pair, with MACs of its own; what an end of the same label had and nobody declared, it keeps."""
        if far is not None:
            where = f"interface {far.name!r} in {place(self.far_namespace)}"
            if far.kind != "veth":
                raise BridgenetError(f"{where} exists and is no veth; choose another name for the peer of {self.what}")
            draft.claim(self._label_of(draft, far), self.label, where, self.take_over)
        old_near, old_far = self._same_object(draft, near), self._same_object(draft, far)
        # An end that got another name or moved is found by way of the other.
        near_was, far_was = self.namespace, self.far_namespace
        if old_near and old_near.peer and not old_far:
            far_was, old_far = old_near.peer[0], draft.find(*old_near.peer)
        elif old_far and old_far.peer and not old_near:
            near_was, old_near = old_far.peer[0], draft.find(*old_far.peer)
        if near is not None:
            draft.drop(self.namespace, near.name)
        if far is not None:
            draft.drop(self.far_namespace, far.name)
        new_near = self._end(draft, old_near, near_was, self.namespace)
        new_far = self._end(draft, old_far, far_was, self.far_namespace)
        near_mac, far_mac = self.macs
        return (
            new_near.but(name=self.near.name, mac=near_mac, peer=(self.far_namespace, want_far.name)),
            new_far.but(name=want_far.name, mac=far_mac, peer=(self.namespace, self.near.name)),
        )

    def _same_object(self, draft: Draft, end: Link | None) -> Link | None:
        return end if end is not None and self._label_of(draft, end) == str(self.label) else None

    @staticmethod
    def _end(draft: Draft, old: Link | None, was: str, namespace: str) -> Link:
        """What a new end starts from; one that moves to another namespace leaves its bridge."""
        if old is None:
            ipv6 = draft.new_links_speak_ipv6(namespace)
            return Link("", kind="veth", mtu=1500, up=True, ipv6=ipv6, label="", master="", addresses=(), routes=())
        return old if was == namespace else released(old)

    @staticmethod
    def _label_of(draft: Draft, end: Link) -> str:
        """The label of a pair: that of this end, or else of the other."""
        if _labels.parse(end.label or "") is None and end.peer:
            other = draft.find(*end.peer)
            if other is not None and _labels.parse(other.label or ""):
                return other.label or ""
        return end.label or ""

    def _must_be_veth(self, found: Link) -> None:
        if found.kind != "veth":
            kind = f"a {found.kind}" if found.kind else "no virtual device"
            raise BridgenetError(
                f"interface {found.name!r} in {place(self.namespace)} exists and is {kind}, not a veth; choose "
                "another name for the pair"
            )

    def is_touched(self, what: Touched) -> bool:
        if not self.present or self.far is None:  # whose peer is any
            return True
        return what.link(self.namespace, self.near.name) or what.link(self.far_namespace, self.far.name)

    def view(self, host: Host) -> Options | None:
        near = host.link(self.namespace, self.near.name)
        if near is None or near.kind != "veth":
            return None
        shown = shown_link(near, self.namespace, self.label.project)
        far = host.link(*near.peer) if near.peer else None
        if near.peer and far:
            shown["peer"] = shown_link(far, near.peer[0], self.label.project)
        return shown


def declare(options: Mapping[str, Any], context: Context) -> Veth:
    """From the options of one object."""
    present = is_present(options, context)
    peer = options.get("peer")
    if present and not peer:
        raise BridgenetError(f"veth {options['name']!r} has no peer; say peer: {{name: ...}}")
    label = context.label(options.get("label"), _names.interface(options["name"]))
    near, far = declared_link(options, label=str(label)), declared_link(peer) if peer else None
    namespace = declared_namespace(options)
    far_namespace = declared_namespace(peer) if peer else ""
    if far and (namespace, near.name) == (far_namespace, far.name):
        raise BridgenetError(
            f"veth {near.name!r}: both ends have the same name in the same place; give the peer another name or "
            "namespace"
        )
    return Veth(
        present=present,
        namespace=namespace,
        near=near,
        far_namespace=far_namespace,
        far=far,
        label=label,
        inventory_host=context.inventory_host,
        exclusive=bool(options.get("exclusive")),
        take_over=bool(options.get("take_over")),
        labelled=options.get("label") is not None,
    )
