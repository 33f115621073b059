# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Source NAT for a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import _forwarding, _labels, _names, _nft
from .._draft import Draft
from .._errors import BridgenetError
from .._labels import Label
from .._model import HOST, Host, Masquerade
from .._reader import Scope
from ._base import STATE, Context, Options, Resource, is_present, shown_label

SPEC: dict[str, Any] = {
    "source": {"type": "str"},
    "out_interface": {"type": "str"},
    "bridge": {"type": "str"},
    "backend": {"type": "str", "choices": ["auto", "nftables", "iptables"], "default": "auto"},
    "forwarding": {"type": "bool", "default": False},
    "label": {"type": "str"},
    **STATE,
}


@dataclass(frozen=True)
class MasqueradeRule(Resource):
    """A masquerade entry, and the forwarding that it needs where told."""

    entry: Masquerade
    label: Label
    backend: str
    forwarding: bool
    labelled: bool = False

    @property
    def what(self) -> str:
        return f"masquerade {self.entry.text}"

    @property
    def _switch(self) -> str:
        return _forwarding.SWITCH6 if _names.family(self.entry.source) == 6 else _forwarding.SWITCH4

    def widen(self, scope: Scope) -> None:
        scope.look = True  # the same object may stand in another backend
        if self.present:
            scope.backends.add(self.backend)
        if self.present and self.forwarding:
            scope.forwarding.add(self._switch)

    def owns(self) -> list[tuple[str, str]]:
        return [("masquerade", f"{self.label} IPv{_names.family(self.entry.source)}"), ("masquerade", self.entry.text)]

    def _entries(self) -> list[Masquerade]:
        """The entry in every backend that it may stand in."""
        backends = ("nftables", "iptables") if self.backend == "auto" else (self.backend,)
        return [
            Masquerade(self.entry.source, self.entry.out_interface, self.entry.bridge, backend) for backend in backends
        ]

    def _labelled(self, entries: Mapping[Masquerade, str]) -> list[Masquerade]:
        """The entries that carry this label, wherever they stand; IPv4 and IPv6 are two objects."""
        family = _names.family(self.entry.source)
        mine = str(self.label)
        return [entry for entry, text in entries.items() if text == mine and _names.family(entry.source) == family]

    def _here(self, entries: Mapping[Masquerade, str]) -> list[Masquerade]:
        """The project's entries for this network and interface, in any backend."""
        labels = {entry: _labels.parse(text) for entry, text in entries.items() if entry.text == self.entry.text}
        return [entry for entry, label in labels.items() if label and label.project == self.label.project]

    def predict(self, draft: Draft) -> None:
        if not self.present:
            for entry in self._entries():
                comment = draft.masquerades.get(entry)
                if comment is not None:
                    draft.may_remove(comment, self.label if self.labelled else None, self.what)
                    del draft.masquerades[entry]
            return
        backend = self._resolved(draft.current)
        entry = Masquerade(self.entry.source, self.entry.out_interface, self.entry.bridge, backend)
        if backend == "nftables" and draft.current.firewall.foreign:
            raise BridgenetError(
                f"{self.what}: the nftables table {_nft.TABLE} exists and is not ours; remove it, or say "
                "backend: iptables"
            )
        comment = draft.masquerades.get(entry)
        if comment is not None and comment != str(self.label):
            draft.claim(comment, self.label, self.what, False)
        for other in {*self._labelled(draft.masquerades), *self._here(draft.masquerades)} - {entry}:
            del draft.masquerades[other]  # the same object, with another network, interface, backend or label
        draft.masquerades[entry] = str(self.label)
        if self.forwarding:
            self._forward(draft)

    def _resolved(self, host: Host) -> str:
        """The backend that `auto` stands for on this host."""
        if self.backend != "auto":
            return self.backend
        return host.firewall.preferred

    def _forward(self, draft: Draft) -> None:
        """Turn the host into a router; what it was is noted down."""
        values = draft.sysctls[HOST]
        if self._switch not in values:
            raise BridgenetError(f"{self.what}: this kernel has no {self._switch}; drop the IPv6 network or forwarding")
        if values[self._switch] != "0":
            return
        if self._switch == _forwarding.SWITCH6:
            for key in sorted(values):
                if key.endswith("/accept_ra") and values[key] == "1":
                    draft.set_host_sysctl(key, "2")
        draft.set_host_sysctl(self._switch, "1")

    def view(self, host: Host) -> Options | None:
        entries = host.firewall.masquerades
        found = [entry for entry in self._entries() if entry in entries] or self._labelled(entries)
        if not found:
            return None
        entry = found[0]
        shown: Options = {"source": entry.source}
        if entry.out_interface:
            shown["out_interface"] = entry.out_interface
        else:
            shown["bridge"] = entry.bridge
        shown.update(backend=entry.backend, label=shown_label(entries[entry], self.label.project))
        if self.forwarding:
            shown["forwarding"] = host.namespaces[HOST].sysctls.get(self._switch) != "0"
        return shown


def declare(options: Mapping[str, Any], context: Context) -> MasqueradeRule:
    """From the options of one object."""
    source = _names.subnet(options["source"])
    out, bridge = options.get("out_interface"), options.get("bridge")
    if bool(out) == bool(bridge):
        raise BridgenetError(
            f"masquerade {source}: say either out_interface (what leaves by it) or bridge (what leaves by anything "
            "but it)"
        )
    entry = Masquerade(source, _names.interface(out) if out else "", _names.interface(bridge) if bridge else "")
    return MasqueradeRule(
        present=is_present(options, context),
        entry=entry,
        label=context.label(options.get("label"), f"{source}/{out or bridge}"),
        backend=options.get("backend") or "auto",
        forwarding=bool(options.get("forwarding")),
        labelled=options.get("label") is not None,
    )
