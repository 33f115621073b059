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
from .._draft import Draft, change
from .._errors import BridgenetError
from .._model import Host, Link, VxlanOptions, overlay, place
from .._shown import shown_link
from ._base import LINK, OWNED, STATE, Context, Options, is_present
from ._owned_link import OwnedLink, declared

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
class Vxlan(OwnedLink):
    """A VXLAN link."""

    options: VxlanOptions
    module = kind = called = "vxlan"

    def _put(self, draft: Draft, found: Link | None) -> None:
        mtu = _UNDERLAY_MTU - OVERHEAD[_names.family(self.options.local or "")]
        old = found or self._new(draft, mac=self.mac, mtu=mtu, vxlan=_NEW, flood=())
        new = change(old, self.link.but(vxlan=overlay(old.vxlan or _NEW, self.options)), self.exclusive)
        if found is not None and new.vxlan != found.vxlan and self._is_fed():
            new = new.but(flood=())
        self._must_fit(new, draft)
        draft.put(self.namespace, new)

    def _is_fed(self) -> bool:
        """Whether somebody else, a routing daemon, tells a link its peers, anew where it is made anew."""
        return self.link.flood is None and self.options.learning is False

    def _must_be_such(self, found: Link) -> None:
        super()._must_be_such(found)
        if found.vxlan is None:
            raise BridgenetError(
                f"{self._is_there(found)} is a vxlan with a group, a device or external, which are not managed here; "
                "remove it, or choose another name"
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
        link = self._standing(host)
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
        **declared("vxlan", label, options, context, flood=_peers(what, options.get("peers"), local)),
        options=VxlanOptions(
            vni=_ranged(what, options, "vni", 1, _VNI_MAX),
            local=local,
            port=_ranged(what, options, "port", 1, _names.PORT_MAX),
            learning=options.get("learning"),
            ttl=_ranged(what, options, "ttl", 0, 255),
        ),
    )
