# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A persistent tun or tap."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import _names
from .._draft import Draft, change, place
from .._errors import BridgenetError
from .._labels import Label
from .._model import Host, Link, TunOptions, released
from .._reader import Scope
from ._base import (
    LINK,
    OWNED,
    STATE,
    Context,
    Options,
    Resource,
    declared_link,
    declared_namespace,
    is_present,
    shown_link,
)

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    "mode": {"type": "str", "choices": ["tun", "tap"]},
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "multi_queue": {"type": "bool"},
    "packet_info": {"type": "bool"},
    "vnet_hdr": {"type": "bool"},
    **LINK,
    "exclusive": {"type": "bool", "default": False},
    **OWNED,
    **STATE,
}

_NEW = TunOptions(owner="", group="", multi_queue=False, packet_info=False, vnet_hdr=False)
_FLAGS = ("multi_queue", "packet_info", "vnet_hdr")


@dataclass(frozen=True)
class Tuntap(Resource):
    """A tun or tap in the host or in a namespace."""

    namespace: str
    link: Link
    options: TunOptions  # owner and group as they were named
    label: Label
    mac: str  # of a new tap
    exclusive: bool = False
    take_over: bool = False
    labelled: bool = False

    @property
    def what(self) -> str:
        return f"tuntap {self.link.name!r}" + (f" in namespace {self.namespace!r}" if self.namespace else "")

    def widen(self, scope: Scope) -> None:
        scope.tuns = True
        if self.namespace:
            scope.namespaces.add(self.namespace)
        if self.present:
            scope.add_link(self.namespace, self.link)
            scope.accounts.update((kind, name) for kind, name in self._accounts() if not name.isdigit())

    def _accounts(self) -> list[tuple[str, str]]:
        named = (("user", self.options.owner), ("group", self.options.group))
        return [(kind, name) for kind, name in named if name]

    def owns(self) -> list[tuple[str, str]]:
        return [("link", f"{self.namespace}/{self.link.name}")]

    def predict(self, draft: Draft) -> None:
        name = self.link.name
        if not self.present:
            found = draft.find(self.namespace, name)
            if found is not None:
                self._must_be_tuntap(found)
                draft.may_remove(found.label or "", self.label if self.labelled else None, self.what)
                draft.drop(self.namespace, name)
            return
        found = draft.need(self.namespace).get(name)
        if found is not None:
            self._must_be_tuntap(found)
            if found.label != str(self.label):
                draft.claim(found.label or "", self.label, self.what, self.take_over)
        old = found or self._new(draft)
        new = change(old, self.link.but(tun=self._numbered(draft)), self.exclusive)
        if found is not None and new.tun != found.tun:
            self._must_be_free(found)
            new = self._remade(new)
        draft.put(self.namespace, new)

    def _new(self, draft: Draft) -> Link:
        return Link(
            name=self.link.name,
            kind="tun",
            mac=self.mac if self.options.mode == "tap" else "",
            mtu=1500,
            up=True,
            ipv6=draft.new_links_speak_ipv6(self.namespace),
            label=str(self.label),
            master="",
            tun=dataclasses.replace(_NEW, mode=self.options.mode),
            addresses=(),
            routes=(),
            persistent=True,
        )

    def _remade(self, link: Link) -> Link:
        """A tun has no MAC address, and cannot be a port of a bridge."""
        if self.options.mode == "tun":
            return dataclasses.replace(released(link), mac="")
        return link if link.mac else link.but(mac=self.mac)

    def _numbered(self, draft: Draft) -> TunOptions:
        """The options with numbers for names; an account that is missing is assumed, which only check mode accepts."""
        numbers: dict[str, str] = {}
        for kind, name in self._accounts():
            number = name if name.isdigit() else draft.current.accounts.get((kind, name))
            if number is None:
                draft.assumed.append(f"{kind} {name}")
            numbers[kind] = number or name
        return dataclasses.replace(
            self.options,
            owner=numbers.get("user", self.options.owner),
            group=numbers.get("group", self.options.group),
        )

    def _must_be_tuntap(self, found: Link) -> None:
        where = f"interface {found.name!r} in {place(self.namespace)} exists and"
        if found.kind != "tun":
            kind = f"a {found.kind}" if found.kind else "no virtual device"
            raise BridgenetError(f"{where} is {kind}, not a tun or tap; choose another name for the tuntap")
        if found.tun is None:
            raise BridgenetError(f"{where} the kernel does not tell its mode; use a kernel of 4.17 or later")
        if not found.persistent:
            raise BridgenetError(
                f"{where} goes with {_holder(found)}, because it is not persistent; end that, or choose another name"
            )

    def _must_be_free(self, found: Link) -> None:
        if found.held_by:
            raise BridgenetError(
                f"{self.what}: {_holder(found)} has it open, and would lose it: with another mode, owner, group or "
                "other flag the device is made anew; end that first"
            )

    def view(self, host: Host) -> Options | None:
        namespace = host.namespaces.get(self.namespace)
        link = namespace.links.get(self.link.name) if namespace else None
        if link is None or link.tun is None:
            return None
        shown = shown_link(link, self.namespace, self.label.project)
        shown.update(mode=link.tun.mode, owner=link.tun.owner, group=link.tun.group)
        shown.update({name: getattr(link.tun, name) for name in _FLAGS})
        return shown


def _holder(found: Link) -> str:
    pids = [str(pid) for pid in found.held_by or () if pid]
    return f"process {', '.join(pids)}" if pids else "a process"


def declare(options: Mapping[str, Any], context: Context) -> Tuntap:
    """From the options of one object."""
    name = _names.interface(options["name"])
    present, mode = is_present(options, context), options.get("mode")
    if present and not mode:
        raise BridgenetError(
            f"tuntap {name!r} has no mode; say mode: tap for Ethernet frames, or mode: tun for IP packets"
        )
    if mode == "tun" and options.get("mac") is not None:
        raise BridgenetError(f"tuntap {name!r}: a tun has no MAC address; drop mac, or say mode: tap")
    label = context.label(options.get("label"), name)
    owner, group = options.get("owner"), options.get("group")
    return Tuntap(
        present=present,
        namespace=declared_namespace(options),
        link=declared_link(options, label=str(label)),
        options=TunOptions(
            mode=mode,
            owner=_names.account("owner", owner) if owner is not None else None,
            group=_names.account("group", group) if group is not None else None,
            **{flag: options.get(flag) for flag in _FLAGS},
        ),
        label=label,
        mac=context.mac(f"tuntap {label.object}"),
        exclusive=bool(options.get("exclusive")),
        take_over=bool(options.get("take_over")),
        labelled=options.get("label") is not None,
    )
