# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VXLAN link: a piece of Ethernet between hosts, in UDP."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import _names
from .._draft import Draft, change, place
from .._errors import BridgenetError
from .._labels import Label
from .._model import Host, Link, VxlanOptions, overlay
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
    "vni": {"type": "int"},
    "local": {"type": "str"},
    "port": {"type": "int"},
    "learning": {"type": "bool"},
    "ttl": {"type": "int"},
    "peers": {"type": "list", "elements": "str"},
    **LINK,
    "exclusive": {"type": "bool", "default": False},
    **OWNED,
    **STATE,
}

_NEW = VxlanOptions(port=4789, learning=True, ttl=0)  # RFC 7348
_UNDERLAY_MTU = 1500  # where nobody says otherwise: Ethernet's
OVERHEAD = {4: 50, 6: 70}  # IP, UDP, VXLAN and the inner Ethernet header
_VNI_MAX = 2**24 - 1


@dataclass(frozen=True)
class Vxlan(Resource):
    """A VXLAN link in the host or in a namespace."""

    namespace: str
    link: Link
    options: VxlanOptions
    label: Label
    mac: str  # of a new one
    exclusive: bool = False
    take_over: bool = False
    labelled: bool = False

    @property
    def what(self) -> str:
        return f"vxlan {self.link.name!r}" + (f" in namespace {self.namespace!r}" if self.namespace else "")

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
                self._must_be_vxlan(found)
                draft.may_remove(found.label or "", self.label if self.labelled else None, self.what)
                draft.drop(self.namespace, name)
            return
        found = draft.need(self.namespace).get(name)
        if found is not None:
            self._must_be_vxlan(found)
            if found.label != str(self.label):
                draft.claim(found.label or "", self.label, self.what, self.take_over)
        old = found or self._new(draft)
        new = change(old, self.link.but(vxlan=overlay(old.vxlan or _NEW, self.options)), self.exclusive)
        if found is not None and new.vxlan != found.vxlan and self._is_fed():
            new = new.but(flood=())
        self._must_fit(new, draft)
        draft.put(self.namespace, new)

    def _is_fed(self) -> bool:
        """Whether somebody else, a routing daemon, tells a link its peers, anew where it is made anew."""
        return self.link.flood is None and self.options.learning is False

    def _new(self, draft: Draft) -> Link:
        return Link(
            name=self.link.name,
            kind="vxlan",
            mac=self.mac,
            mtu=_UNDERLAY_MTU - OVERHEAD[_names.family(self.options.local or "")],
            up=True,
            ipv6=draft.new_links_speak_ipv6(self.namespace),
            label=str(self.label),
            master="",
            vxlan=_NEW,
            flood=(),
            addresses=(),
            routes=(),
        )

    def _must_be_vxlan(self, found: Link) -> None:
        where = f"interface {found.name!r} in {place(self.namespace)} exists and is"
        if found.kind != "vxlan":
            kind = f"a {found.kind}" if found.kind else "no virtual device"
            raise BridgenetError(f"{where} {kind}, not a vxlan; choose another name for the vxlan")
        if found.vxlan is None:
            raise BridgenetError(
                f"{where} a vxlan with a group, a device or external, which are not managed here; remove it, or choose "
                "another name"
            )

    def _must_fit(self, new: Link, draft: Draft) -> None:
        """The kernel has each VNI once for each port and family, and one family on each link."""
        for other in draft.need(self.namespace).values():
            if other.name != new.name and other.vni is not None and other.vni == new.vni:
                raise BridgenetError(
                    f"{self.what}: vni {self.options.vni} is that of interface {other.name!r} in "
                    f"{place(self.namespace)} already; choose another vni, another port, or remove that one"
                )
        for peer in new.flood or ():
            if new.vxlan is not None and _names.family(peer) != _names.family(new.vxlan.local or ""):
                raise BridgenetError(
                    f"{self.what}: peer {peer!r} and the local address {new.vxlan.local!r} mix IPv4 and IPv6; give "
                    "peers of the same family"
                )

    def view(self, host: Host) -> Options | None:
        namespace = host.namespaces.get(self.namespace)
        link = namespace.links.get(self.link.name) if namespace else None
        if link is None or link.vxlan is None:
            return None
        shown = shown_link(link, self.namespace, self.label.project)
        options = link.vxlan
        shown.update(vni=options.vni, local=options.local, port=options.port, learning=options.learning)
        shown["ttl"] = options.ttl
        if self.link.flood is not None:  # otherwise they are whose business it is
            shown["peers"] = list(link.flood or ())
        return shown


def _ranged(what: str, options: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = options.get(name)
    if value is not None and not low <= value <= high:
        raise BridgenetError(f"{what}: {name} {value} is out of range: {low} to {high} are possible")
    return value


def _peers(what: str, peers: list[str] | None, local: str | None) -> tuple[str, ...] | None:
    if peers is None:
        return None
    found: list[str] = []
    for text in peers:
        peer = _names.target(text)
        if peer in found:
            raise BridgenetError(f"{what}: peer {peer!r} is declared twice; say it once")
        if peer == local:
            raise BridgenetError(f"{what}: peer {peer!r} is its own local address; name other hosts only")
        found.append(peer)
    return tuple(sorted(found))


def declare(options: Mapping[str, Any], context: Context) -> Vxlan:
    """From the options of one object."""
    name = _names.interface(options["name"])
    what = f"vxlan {name!r}"
    present, local = is_present(options, context), options.get("local")
    for option in ("vni", "local") if present else ():
        if options.get(option) is None:
            means = "the number of its network" if option == "vni" else "the address of this host that it sends from"
            raise BridgenetError(f"{what} has no {option}; say {option}: {means}")
    label = context.label(options.get("label"), name)
    local = _names.target(local) if local is not None else None
    if local and ipaddress.ip_address(local).is_link_local:
        raise BridgenetError(f"{what}: local address {local!r} is link-local, which needs a device; give another one")
    return Vxlan(
        present=present,
        namespace=declared_namespace(options),
        link=declared_link(options, flood=_peers(what, options.get("peers"), local), label=str(label)),
        options=VxlanOptions(
            vni=_ranged(what, options, "vni", 1, _VNI_MAX),
            local=local,
            port=_ranged(what, options, "port", 1, _names.PORT_MAX),
            learning=options.get("learning"),
            ttl=_ranged(what, options, "ttl", 0, 255),
        ),
        label=label,
        mac=context.mac(f"vxlan {label.object}"),
        exclusive=bool(options.get("exclusive")),
        take_over=bool(options.get("take_over")),
        labelled=options.get("label") is not None,
    )
