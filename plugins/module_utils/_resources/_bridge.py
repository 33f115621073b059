# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bridge."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import _forwarding, _names, _vlans
from .._draft import IPV6_MIN_MTU, Draft, change
from .._errors import BridgenetError
from .._model import NEW_BRIDGE, BridgeOptions, Host, Link, Vlan
from .._reader import Scope
from .._shown import shown_link
from ._base import LINK, OWNED, STATE, Context, Options
from ._owned_link import OwnedLink, declared

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    **LINK,
    "exclusive": {"type": "bool", "default": False},
    "stp": {"type": "bool"},
    "forward_delay": {"type": "int"},
    "ageing_time": {"type": "int"},
    "vlan_filtering": {"type": "bool"},
    "nf_call_iptables": {"type": "bool"},
    "nf_call_ip6tables": {"type": "bool"},
    "nf_call_arptables": {"type": "bool"},
    "accept_ra": {"type": "int", "choices": [0, 2]},
    **_vlans.SPEC,
    **OWNED,
    **STATE,
}

_HZ = 100  # clock_t, in which the kernel tells a bridge's times
_TIMES = ("forward_delay", "ageing_time")
_FLAGS = ("stp", "vlan_filtering", "nf_call_iptables", "nf_call_ip6tables", "nf_call_arptables")


@dataclass(frozen=True)
class Bridge(OwnedLink):
    """A bridge."""

    accept_ra: int | None
    vlans: tuple[Vlan, ...] | None
    module = kind = called = "bridge"

    def spans(self) -> list[str]:
        return [self.label.object] if self.labelled and (self.exclusive or not self.present) else []

    def widen(self, scope: Scope) -> None:
        super().widen(scope)
        if self.accept_ra is not None:
            scope.sysctls.setdefault(self.namespace, set()).add(self._accept_ra_key)
        if self.present and self._heeds_vlans():
            scope.vlans = True

    def _heeds_vlans(self) -> bool:
        return self.vlans is not None or bool(self.link.bridge and self.link.bridge.vlan_filtering)

    @property
    def _accept_ra_key(self) -> str:
        return _forwarding.router_advertisements([self.link.name])[0]

    def _drop(self, draft: Draft) -> None:
        super()._drop(draft)
        draft.sysctls[self.namespace].pop(self._accept_ra_key, None)

    def _put(self, draft: Draft, found: Link | None) -> None:
        if self.link.mtu is not None:
            draft.undeclared_mtu.discard((self.namespace, self.link.name))
        elif found is None:
            draft.undeclared_mtu.add((self.namespace, self.link.name))
        if self._heeds_vlans():
            draft.need_vlans(self.what)
        old = found or self._new(draft, mac=self.mac, mtu=1500, bridge=NEW_BRIDGE)
        changed = change(old, self._visible(draft, old), self.exclusive)
        if self.vlans is not None:
            changed = _vlans.with_vlans(changed, self.vlans, self.exclusive)
        draft.put(self.namespace, changed)
        if self.accept_ra is not None:
            if not draft.current.ipv6 or (changed.mtu or 0) < IPV6_MIN_MTU:
                why = f"its MTU {changed.mtu} is below {IPV6_MIN_MTU}" if draft.current.ipv6 else "the kernel has none"
                raise BridgenetError(f"{self.what}: accept_ra is for IPv6, and {why}; drop accept_ra")
            draft.sysctls[self.namespace][self._accept_ra_key] = str(self.accept_ra)

    def _visible(self, draft: Draft, old: Link) -> Link:
        """What is declared, without the times of which it cannot be seen whether they differ."""
        declared, told = self.link.bridge, old.bridge
        if declared is None or told is None or declared.stp is False:
            return self.link
        hidden = [name for name in told.lent or () if getattr(declared, name) not in (None, getattr(told, name))]
        for name in hidden:
            draft.warnings.append(
                f"{self.what}: {getattr(told, name) // _HZ} s is the {name} of the spanning tree, and the kernel does "
                f"not tell that of the bridge; it is taken to be {getattr(declared, name) // _HZ}, as declared"
            )
        return self.link.but(bridge=dataclasses.replace(declared, **dict.fromkeys(hidden))) if hidden else self.link

    def view(self, host: Host) -> Options | None:
        link = self._standing(host)
        if link is None or link.bridge is None:
            return None
        shown = shown_link(link, self.namespace, self.label.project)
        options = link.bridge
        shown.update(
            stp=options.stp,
            vlan_filtering=options.vlan_filtering,
            nf_call_iptables=options.nf_call_iptables,
            nf_call_ip6tables=options.nf_call_ip6tables,
            nf_call_arptables=options.nf_call_arptables,
        )
        for name in _TIMES:  # what nobody declares may come from the spanning tree, and change at any time
            declared = getattr(self.link.bridge, name)
            if declared is not None:
                shown[name] = (declared if name in (options.lent or ()) else getattr(options, name)) // _HZ
        if self.accept_ra is not None:
            value = host.namespaces[self.namespace].sysctls.get(self._accept_ra_key)
            shown["accept_ra"] = None if value is None else int(value)
        if self.vlans is not None:  # otherwise they are mostly not read
            shown["vlans"] = _vlans.shown(link)
        return shown


def _seconds(options: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = options.get(name)
    if value is None:
        return None
    if not low <= value <= high:
        raise BridgenetError(
            f"bridge {options['name']!r}: {name} {value} is out of range: {low} to {high} seconds are possible"
        )
    return int(value) * _HZ


def declare(options: Mapping[str, Any], context: Context) -> Bridge:
    """From the options of one object."""
    bridge = BridgeOptions(
        forward_delay=_seconds(options, "forward_delay", 2, 30),  # IEEE 802.1D
        ageing_time=_seconds(options, "ageing_time", 0, 1_000_000),
        **{name: options.get(name) for name in _FLAGS},
    )
    label = context.label(options.get("label"), _names.interface(options["name"]))
    return Bridge(
        **declared("bridge", label, options, context, bridge=bridge),
        accept_ra=options.get("accept_ra"),
        vlans=_vlans.declared(f"bridge {options['name']!r}", options),
    )
