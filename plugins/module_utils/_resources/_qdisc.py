# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a link queues what it sends: bandwidth, delay, loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import _names, _qdisc, _units
from .._draft import Draft
from .._errors import BridgenetError
from .._model import Host, Link, Qdisc
from .._reader import Scope
from ._base import STATE, Context, Options, Resource, declared_namespace, is_present

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    **_qdisc.SPEC,
    **STATE,
}

_HEADER = 14  # of an Ethernet frame


@dataclass(frozen=True)
class RootQdisc(Resource):
    """The queueing discipline at the root of a link; it goes with its link."""

    namespace: str
    name: str
    qdisc: Qdisc
    deletes = False

    @property
    def what(self) -> str:
        return f"qdisc of {self.name!r}" + (f" in namespace {self.namespace!r}" if self.namespace else "")

    def widen(self, scope: Scope) -> None:
        if self.namespace:
            scope.namespaces.add(self.namespace)
        if self.present:  # what is of ours shows in the dump of links
            scope.qdiscs = True
            scope.qdisc_kinds.update(_qdisc.kind(layer) for layer in _qdisc.layers(self.qdisc))

    def owns(self) -> list[tuple[str, str]]:
        return [("qdisc", f"{self.namespace}/{self.name}")]

    def predict(self, draft: Draft) -> None:
        if not self.present:
            found = draft.find(self.namespace, self.name)
            if found is not None and _qdisc.is_ours(found.qdisc):
                draft.put(self.namespace, found.but(qdisc=Qdisc()))
            return
        found = draft.need(self.namespace).get(self.name) or self._assumed(draft)
        if found.qdisc is not None and found.qdisc.foreign:
            raise BridgenetError(
                f"{self.what} is a {found.qdisc.foreign} that somebody else set; remove it: `tc qdisc del dev "
                f"{self.name} root`, or leave this link alone"
            )
        for layer in _qdisc.layers(self.qdisc):
            kind = _qdisc.kind(layer)
            if kind in draft.current.qdiscs_missing:
                raise BridgenetError(
                    f"{self.what}: this kernel has no {kind} (CONFIG_NET_SCH_{kind.upper()}); drop it, or boot a "
                    "kernel that has it, such as Debian's own"
                )
        tbf = self.qdisc.tbf
        frame = (found.mtu or 0) + _HEADER
        if tbf and _qdisc.burst(tbf) < frame:
            raise BridgenetError(
                f"{self.what}: burst {_units.size_text(_qdisc.burst(tbf))!r} is smaller than a frame of {frame} bytes, "
                "and such frames would be dropped; give at least that"
            )
        if found.qdisc != self.qdisc:
            draft.put(self.namespace, found.but(qdisc=self.qdisc))

    def _assumed(self, draft: Draft) -> Link:
        """A missing link, assumed bare; only check mode accepts that."""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        draft.assumed.append(f"interface {self.name}{where}")
        return Link(
            self.name, kind="", mac="", mtu=1500, up=True, ipv6=True, label="", master="", addresses=(), routes=()
        )

    def view(self, host: Host) -> Options | None:
        namespace = host.namespaces.get(self.namespace)
        link = namespace.links.get(self.name) if namespace else None
        if link is None or link.qdisc is None or not _qdisc.is_ours(link.qdisc):
            return None
        shown: Options = {"name": self.name}
        if self.namespace:
            shown["namespace"] = self.namespace
        for layer in _qdisc.layers(link.qdisc):
            shown[_qdisc.kind(layer)] = _qdisc.shown(layer)
        return shown


def declare(options: Mapping[str, Any], context: Context) -> RootQdisc:
    """From the options of one object."""
    present = is_present(options, context)
    name = _names.interface(options["name"])
    what = f"qdisc of {name!r}"
    if present and not (options.get("tbf") or options.get("netem")):
        raise BridgenetError(f"{what} has neither tbf nor netem; give one of them, or both")
    qdisc = Qdisc()
    if present:
        qdisc = Qdisc(
            _qdisc.netem(what, options["netem"]) if options.get("netem") else None,
            _qdisc.tbf(what, options["tbf"]) if options.get("tbf") else None,
        )
    return RootQdisc(present, declared_namespace(options), name, qdisc)
