# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Source NAT for a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .. import _forwarding, _iptables, _labels, _names, _nft
from .._draft import Draft
from .._errors import BridgenetError
from .._labels import Label
from .._model import HOST, Element, Entry, Firewall, Host, Rule
from .._reader import Scope
from .._shown import shown_label
from ._base import STATE, Context, Options, Resource, is_present, standing

SPEC: dict[str, Any] = {
    "source": {"type": "str"},
    "out_interface": {"type": "str"},
    "bridge": {"type": "str"},
    "backend": {"type": "str", "choices": ["auto", "nftables", "iptables"], "default": "auto"},
    "forwarding": {"type": "bool", "default": False},
    "label": {"type": "str"},
    **STATE,
}


BACKENDS = ("nftables", "iptables")


@dataclass(frozen=True)
class Masquerade:
    """One source NAT: `source` is rewritten when it leaves by `out_interface`, or by anything but `bridge`."""

    source: str
    out_interface: str = ""
    bridge: str = ""

    @property
    def text(self) -> str:
        """How a message names it."""
        where = f"out of {self.out_interface}" if self.out_interface else f"from {self.bridge} to anywhere else"
        return f"{self.source} {where}"

    def entry(self, backend: str) -> Entry:
        """As it stands in a backend."""
        family = _names.family(self.source)
        if backend == "nftables":
            name = f"masquerade{'_out' if self.out_interface else ''}{family}"
            return Element(name, (self.out_interface or self.bridge, self.source))
        where = ("-o", self.out_interface) if self.out_interface else ("!", "-o", self.bridge)
        match = ("-s", self.source, *where)
        return Rule(_iptables.PROGRAMS[family], "nat", "POSTROUTING", match, ("-j", "MASQUERADE"))


@dataclass(frozen=True)
class Found:
    """A masquerade entry as it stands."""

    masquerade: Masquerade
    backend: str
    comment: str


def found(entries: Mapping[Entry, str]) -> dict[Entry, Found]:
    """Those that stand, in every backend."""
    seen = {}
    for entry, comment in entries.items():
        masquerade = _of(entry)
        if masquerade is not None:
            backend = "nftables" if isinstance(entry, Element) else "iptables"
            seen[entry] = Found(masquerade, backend, comment)
    return seen


def _of(entry: Entry) -> Masquerade | None:
    if isinstance(entry, Element):
        if not entry.set.startswith("masquerade"):
            return None
        interface, source = entry.key
        out = entry.set.startswith("masquerade_out")
        return Masquerade(source, out_interface=interface if out else "", bridge="" if out else interface)
    if (
        not isinstance(entry, Rule)
        or entry.target != ("-j", "MASQUERADE")
        or entry.match[:1] != ("-s",)
        or entry.match[-2:-1] != ("-o",)
    ):
        return None
    source, name = _names.subnet(entry.match[1]), entry.match[-1]
    masquerade = Masquerade(source, bridge=name) if "!" in entry.match else Masquerade(source, out_interface=name)
    return masquerade if masquerade.entry("iptables") == entry else None  # what matches on more was not made by us


def stale(entries: Mapping[Entry, str]) -> list[tuple[str, Options]]:
    """(comment, options) of what stands, for purge."""
    return [
        (
            one.comment,
            {
                "source": one.masquerade.source,
                "out_interface": one.masquerade.out_interface or None,
                "bridge": one.masquerade.bridge or None,
                "backend": one.backend,
            },
        )
        for one in found(entries).values()
    ]


def overlaps(entries: Mapping[Entry, str]) -> Iterator[BridgenetError]:
    """A set of intervals holds none that overlap."""
    places: dict[tuple[str, str], list[tuple[_names.Network, str]]] = {}
    for one in found(entries).values():
        if one.backend == "nftables":
            place = (one.masquerade.out_interface, one.masquerade.bridge)
            places.setdefault(place, []).append((_names.network_of(one.masquerade.source), one.masquerade.text))
    for networks in places.values():
        networks.sort(key=lambda item: (item[0].version, int(item[0].network_address), item[0].prefixlen))
        for (one_network, what), (other, _text) in zip(networks, networks[1:]):
            if one_network.version == other.version and one_network.overlaps(other):
                yield BridgenetError(
                    f"masquerade {what} overlaps the entry for {other} at the same place; declare the larger network "
                    "alone"
                )


@dataclass(frozen=True)
class MasqueradeRule(Resource):
    """A masquerade entry, and the forwarding that it needs where told."""

    masquerade: Masquerade
    label: Label
    backend: str
    forwarding: bool
    labelled: bool = False

    @property
    def what(self) -> str:
        return f"masquerade {self.masquerade.text}"

    @property
    def _switch(self) -> str:
        return _forwarding.SWITCH6 if _names.family(self.masquerade.source) == 6 else _forwarding.SWITCH4

    def widen(self, scope: Scope) -> None:
        scope.firewall.tables.add("nat")  # the same object may stand in another backend
        if self.present:
            scope.firewall.backends.add(self.backend)
        if self.present and self.forwarding:
            scope.forwarding.add(self._switch)

    def owns(self) -> list[tuple[str, str]]:
        family = _names.family(self.masquerade.source)
        return [("masquerade", f"{self.label} IPv{family}"), ("masquerade", self.masquerade.text)]

    def _is_mine(self, one: Found) -> bool:
        """Whether it carries this label, wherever it stands; IPv4 and IPv6 are two objects."""
        same_family = _names.family(one.masquerade.source) == _names.family(self.masquerade.source)
        return one.comment == str(self.label) and same_family

    def _is_here(self, one: Found) -> bool:
        """Whether it is the project's, for this network and interface, in any backend."""
        label = _labels.parse(one.comment)
        return one.masquerade == self.masquerade and label is not None and label.project == self.label.project

    def _possible(self) -> list[Entry]:
        """The entry in every backend that it may stand in."""
        return [self.masquerade.entry(one) for one in (BACKENDS if self.backend == "auto" else (self.backend,))]

    def _found(self, firewall: Firewall, draft: Draft | None = None) -> dict[Entry, Found]:
        """What stands of it in any backend, and what carries this label."""
        return found(standing(firewall, self.label, map(self.masquerade.entry, BACKENDS), draft))

    def predict(self, draft: Draft) -> None:
        if not self.present:
            for entry in self._possible():
                draft.remove(entry, self.label if self.labelled else None, self.what)
            return
        firewall = draft.current.firewall
        backend = firewall.preferred if self.backend == "auto" else self.backend
        if backend == "nftables" and firewall.foreign:
            raise BridgenetError(
                f"{self.what}: the nftables table {_nft.TABLE} exists and is not ours; remove it, or say "
                "backend: iptables"
            )
        wanted = self.masquerade.entry(backend)
        comment = draft.entries.get(wanted)
        if comment is not None and comment != str(self.label):
            draft.claim(comment, self.label, self.what, None)
        for entry, one in self._found(firewall, draft).items():
            if entry != wanted and (self._is_mine(one) or self._is_here(one)):
                del draft.entries[entry]  # the same object, with another network, interface, backend or label
        draft.entries[wanted] = str(self.label)
        if self.forwarding:
            draft.turn_on_forwarding(self._switch, self.what)

    def view(self, host: Host) -> Options | None:
        seen = self._found(host.firewall)
        here = [seen[entry] for entry in self._possible() if entry in seen]
        here += [one for one in seen.values() if self._is_mine(one)]
        if not here:
            return None
        one = here[0]
        shown: Options = {"source": one.masquerade.source}
        if one.masquerade.out_interface:
            shown["out_interface"] = one.masquerade.out_interface
        else:
            shown["bridge"] = one.masquerade.bridge
        shown.update(backend=one.backend, label=shown_label(one.comment, self.label.project))
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
    masquerade = Masquerade(source, _names.interface(out) if out else "", _names.interface(bridge) if bridge else "")
    return MasqueradeRule(
        present=is_present(options, context),
        masquerade=masquerade,
        label=context.label(options.get("label"), f"{source}/{out or bridge}"),
        backend=options.get("backend") or "auto",
        forwarding=bool(options.get("forwarding")),
        labelled=options.get("label") is not None,
    )
