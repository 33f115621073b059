# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The membership of a link in a bridge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import _names, _vlans
from .._draft import Draft
from .._errors import BridgenetError
from .._model import Host, Link, PortOptions, Vlan, new_port, overlay, place, released
from .._reader import Scope
from .._touched import Touched
from ._base import STATE, Context, Options, Resource, declared_namespace, is_present

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    "master": {"type": "str"},
    "isolated": {"type": "bool"},
    "hairpin": {"type": "bool"},
    "cost": {"type": "int"},
    "priority": {"type": "int"},
    "learning": {"type": "bool"},
    "bpdu_guard": {"type": "bool"},
    "neigh_suppress": {"type": "bool"},
    **_vlans.SPEC,
    "exclusive": {"type": "bool", "default": False},
    **STATE,
}

_FLAGS = ("isolated", "hairpin", "learning", "bpdu_guard", "neigh_suppress")


@dataclass(frozen=True)
class BridgePort(Resource):
    """A port of a bridge."""

    namespace: str
    name: str
    master: str
    options: PortOptions
    vlans: tuple[Vlan, ...] | None = None
    exclusive: bool = False
    deletes = False

    @property
    def what(self) -> str:
        return f"bridge port {self.name!r}" + (f" in namespace {self.namespace!r}" if self.namespace else "")

    def widen(self, scope: Scope) -> None:
        if self.namespace:
            scope.namespaces.add(self.namespace)
        if self.present and self.vlans is not None:
            scope.vlans = True

    def keeps(self) -> list[tuple[str, str]]:
        return [*self.owns(), *([("link", f"{self.namespace}/{self.name}")] if self.present else [])]

    def predict(self, draft: Draft) -> None:
        found = draft.find(self.namespace, self.name)
        if not self.present:
            if found is not None and found.master and self.master in ("", found.master):
                draft.put(self.namespace, released(found))
            return
        links = draft.need(self.namespace)
        found = found or self._assumed(draft, self.name, "veth")
        bridge = links.get(self.master) or self._assumed(draft, self.master, "bridge")
        if bridge.kind != "bridge":
            raise BridgenetError(
                f"interface {self.master!r} in {place(self.namespace)} is no bridge; name one as master of {self.what}"
            )
        if found.kind == "bridge" or self.name == "lo":
            raise BridgenetError(
                f"{self.what}: a {'loopback' if self.name == 'lo' else 'bridge'} cannot be a port of a bridge; name "
                "another interface"
            )
        if found.tun is not None and found.tun.mode == "tun":
            raise BridgenetError(
                f"{self.what}: a tun carries IP packets and no Ethernet frames, so it cannot be a port; make it a tap"
            )
        joins = found.master != self.master
        port = overlay((None if joins else found.port) or new_port(found), self.options)
        new = found
        if joins or port is not found.port:
            new = found.but(master=self.master, port=port)
        if joins:
            new = new.but(vlans=None, default_pvid=bridge.default_pvid)
            if bridge.vlans is not None:
                new = new.but(vlans=_vlans.initial(new))
        if self.vlans is not None:
            draft.need_vlans(self.what)
            if bridge.bridge is not None and not bridge.bridge.vlan_filtering:
                draft.warnings.append(
                    f"{self.what}: bridge {self.master!r} does not filter VLANs, so its vlans do nothing; give it "
                    "vlan_filtering: true"
                )
            new = _vlans.with_vlans(new, self.vlans, self.exclusive)
        if new is not found:
            draft.put(self.namespace, new)

    def _assumed(self, draft: Draft, name: str, kind: str) -> Link:
        """A missing link, assumed bare; only check mode accepts that."""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        draft.assumed.append(f"interface {name}{where}")
        bare = Link(name, kind=kind, mac="", mtu=1500, up=True, ipv6=True, label="", master="", addresses=(), routes=())
        draft.put(self.namespace, bare)
        return bare

    def is_touched(self, what: Touched) -> bool:
        return what.link(self.namespace, self.name)

    def view(self, host: Host) -> Options | None:
        link = host.link(self.namespace, self.name)
        if (
            link is None
            or not link.master
            or link.port is None
            or (not self.present and self.master not in ("", link.master))
        ):
            return None
        shown: Options = {"name": self.name}
        if self.namespace:
            shown["namespace"] = self.namespace
        shown["master"] = link.master
        shown.update({name: getattr(link.port, name) for name in (*_FLAGS, "priority")})
        if self.options.cost is not None:  # otherwise the kernel chooses it by the speed of the link
            shown["cost"] = link.port.cost
        if self.vlans is not None:  # otherwise they are mostly not read
            shown["vlans"] = _vlans.shown(link)
        return shown


def _ranged(options: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = options.get(name)
    if value is not None and not low <= value <= high:
        raise BridgenetError(
            f"bridge port {options['name']!r}: {name} {value} is out of range: {low} to {high} are possible"
        )
    return value


def declare(options: Mapping[str, Any], context: Context) -> BridgePort:
    """From the options of one object."""
    present = is_present(options, context)
    master = options.get("master")
    if present and not master:
        raise BridgenetError(f"bridge port {options['name']!r} has no master; name the bridge that it is to join")
    name = _names.interface(options["name"])
    if master == name:
        raise BridgenetError(f"bridge port {name!r}: an interface cannot be its own master; name another bridge")
    port = PortOptions(
        cost=_ranged(options, "cost", 1, 65535),
        priority=_ranged(options, "priority", 0, 63),
        **{flag: options.get(flag) for flag in _FLAGS},
    )
    return BridgePort(
        present,
        declared_namespace(options),
        name,
        _names.interface(master) if master else "",
        port,
        _vlans.declared(f"bridge port {name!r}", options) if present else None,
        bool(options.get("exclusive")),
    )
