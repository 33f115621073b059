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
from .._draft import Draft, change
from .._errors import BridgenetError
from .._model import Host, Link, TunOptions, released
from .._reader import Scope
from .._shown import shown_link
from ._base import LINK, OWNED, STATE, Context, Options, is_present
from ._owned_link import OwnedLink, declared

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
class Tuntap(OwnedLink):
    """A tun or tap."""

    options: TunOptions  # owner and group as they were named
    module, kind, called = "tuntap", "tun", "tun or tap"

    def widen(self, scope: Scope) -> None:
        super().widen(scope)
        scope.tuns = True
        if self.present:
            scope.accounts.update((kind, name) for kind, name in self._accounts() if not name.isdigit())

    def _accounts(self) -> list[tuple[str, str]]:
        named = (("user", self.options.owner), ("group", self.options.group))
        return [(kind, name) for kind, name in named if name]

    def _put(self, draft: Draft, found: Link | None) -> None:
        old = found or self._new(
            draft,
            mac=self.mac if self.options.mode == "tap" else "",
            mtu=1500,
            tun=dataclasses.replace(_NEW, mode=self.options.mode),
            persistent=True,
        )
        new = change(old, self.link.but(tun=self._numbered(draft)), self.exclusive)
        if found is not None and new.tun != found.tun:
            self._must_be_free(found)
            new = self._remade(new)
        draft.put(self.namespace, new)

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

    def _must_be_such(self, found: Link) -> None:
        super()._must_be_such(found)
        where = self._is_there(found)
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
        link = self._standing(host)
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
        **declared("tuntap", label, options, context),
        options=TunOptions(
            mode=mode,
            owner=_names.account("owner", owner) if owner is not None else None,
            group=_names.account("group", group) if group is not None else None,
            **{flag: options.get(flag) for flag in _FLAGS},
        ),
    )
