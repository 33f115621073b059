# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bridge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import _forwarding, _names, _vlans
from .._draft import IPV6_MIN_MTU, Draft, change, place
from .._errors import BridgenetError
from .._labels import Label
from .._model import NEW_BRIDGE, BridgeOptions, Host, Link, Vlan
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
_FLAGS = ("stp", "vlan_filtering", "nf_call_iptables", "nf_call_ip6tables", "nf_call_arptables")


@dataclass(frozen=True)
class Bridge(Resource):
    """A bridge in the host or in a namespace."""

    namespace: str
    link: Link
    label: Label
    mac: str  # of a new one
    accept_ra: int | None = None
    exclusive: bool = False
    take_over: bool = False
    labelled: bool = False
    vlans: tuple[Vlan, ...] | None = None

    @property
    def what(self) -> str:
        return f"bridge {self.link.name!r}" + (f" in namespace {self.namespace!r}" if self.namespace else "")

    def widen(self, scope: Scope) -> None:
        if self.namespace:
            scope.namespaces.add(self.namespace)
        if self.accept_ra is not None:
            scope.sysctls.setdefault(self.namespace, set()).add(self._accept_ra_key)
        if self.present:
            scope.add_link(self.namespace, self.link)
            if self._heeds_vlans():
                scope.vlans = True

    def _heeds_vlans(self) -> bool:
        return self.vlans is not None or bool(self.link.bridge and self.link.bridge.vlan_filtering)

    @property
    def _accept_ra_key(self) -> str:
        return _forwarding.router_advertisements([self.link.name])[0]

    def owns(self) -> list[tuple[str, str]]:
        return [("link", f"{self.namespace}/{self.link.name}")]

    def predict(self, draft: Draft) -> None:
        name = self.link.name
        if not self.present:
            found = draft.find(self.namespace, name)
            if found is not None:
                self._must_be_bridge(found)
                draft.may_remove(found.label or "", self.label if self.labelled else None, self.what)
                draft.drop(self.namespace, name)
                draft.sysctls[self.namespace].pop(self._accept_ra_key, None)
            return
        found = draft.need(self.namespace).get(name)
        if self.link.mtu is not None:
            draft.undeclared_mtu.discard((self.namespace, name))
        elif found is None:
            draft.undeclared_mtu.add((self.namespace, name))
        if found is None:
            found = Link(
                name=name,
                kind="bridge",
                mac=self.mac,
                mtu=1500,
                up=True,
                ipv6=draft.new_links_speak_ipv6(self.namespace),
                label=str(self.label),
                master="",
                bridge=NEW_BRIDGE,
                addresses=(),
                routes=(),
            )
        else:
            self._must_be_bridge(found)
            if found.label != str(self.label):
                draft.claim(found.label or "", self.label, self.what, self.take_over)
        if self._heeds_vlans():
            draft.need_vlans(self.what)
        changed = change(found, self.link, self.exclusive)
        if self.vlans is not None:
            changed = _vlans.with_vlans(changed, self.vlans, self.exclusive)
        draft.put(self.namespace, changed)
        if self.accept_ra is not None:
            if not draft.current.ipv6 or (changed.mtu or 0) < IPV6_MIN_MTU:
                why = f"its MTU {changed.mtu} is below {IPV6_MIN_MTU}" if draft.current.ipv6 else "the kernel has none"
                raise BridgenetError(f"{self.what}: accept_ra is for IPv6, and {why}; drop accept_ra")
            draft.sysctls[self.namespace][self._accept_ra_key] = str(self.accept_ra)

    def _must_be_bridge(self, found: Link) -> None:
        if found.kind != "bridge":
            kind = f"a {found.kind}" if found.kind else "no virtual device"
            raise BridgenetError(
                f"interface {found.name!r} in {place(self.namespace)} exists and is {kind}, not a bridge; choose "
                "another name for the bridge"
            )

    def view(self, host: Host) -> Options | None:
        namespace = host.namespaces.get(self.namespace)
        link = namespace.links.get(self.link.name) if namespace else None
        if link is None or link.bridge is None:
            return None
        shown = shown_link(link, self.namespace, self.label.project)
        options = link.bridge
        shown.update(
            stp=options.stp,
            forward_delay=(options.forward_delay or 0) // _HZ,
            ageing_time=(options.ageing_time or 0) // _HZ,
            vlan_filtering=options.vlan_filtering,
            nf_call_iptables=options.nf_call_iptables,
            nf_call_ip6tables=options.nf_call_ip6tables,
            nf_call_arptables=options.nf_call_arptables,
        )
        if self.accept_ra is not None:
            value = namespace.sysctls.get(self._accept_ra_key) if namespace else None
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
        present=is_present(options, context),
        namespace=declared_namespace(options),
        link=declared_link(options, bridge=bridge, label=str(label)),
        label=label,
        mac=context.mac(f"bridge {label.object}"),
        accept_ra=options.get("accept_ra"),
        exclusive=bool(options.get("exclusive")),
        take_over=bool(options.get("take_over")),
        labelled=options.get("label") is not None,
        vlans=_vlans.declared(f"bridge {options['name']!r}", options),
    )
