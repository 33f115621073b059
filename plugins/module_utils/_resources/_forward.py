# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may talk to whom through the host: a pair of interfaces, or the bridge of an isolated network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import _forwarding, _names, _nft
from .._draft import Draft
from .._errors import BridgenetError
from .._labels import Label
from .._model import HOST, Element, Entry, Firewall, Host
from .._reader import Scope
from ._base import STATE, Context, Options, Resource, is_present, shown_label, standing

SPEC: dict[str, Any] = {
    "interface": {"type": "str"},
    "other": {"type": "str"},
    "both_ways": {"type": "bool", "default": True},
    "bridge": {"type": "str"},
    "internal": {"type": "bool", "default": False},
    "forwarding": {"type": "bool", "default": False},
    "forwarding_ipv6": {"type": "bool", "default": False},
    "label": {"type": "str"},
    **STATE,
}

_SWITCHES = {"forwarding": _forwarding.SWITCH4, "forwarding_ipv6": _forwarding.SWITCH6}


@dataclass(frozen=True)
class Forward:
    """An entry: from `interface` to `other`, or the network of `bridge`."""

    interface: str = ""
    other: str = ""
    both_ways: bool = True
    bridge: str = ""
    internal: bool = False

    @property
    def place(self) -> str:
        """What there can be only one entry for: a bridge, or two interfaces in whichever order."""
        return self.bridge or " and ".join(sorted((self.interface, self.other)))

    def elements(self) -> set[Element]:
        """As it stands in our table."""
        if self.bridge:
            own = {Element("bridges", (self.bridge,)), Element("accepted", (self.bridge, self.bridge))}
            return own | {Element("internal", (self.bridge,))} if self.internal else own
        back = Element("accepted" if self.both_ways else "replies", (self.other, self.interface))
        return {Element("accepted", (self.interface, self.other)), back}

    def possible(self) -> list[Entry]:
        """All elements that this place can have, whatever is declared of it."""
        if self.bridge:
            return [Element(name, (self.bridge,) * len(_nft.SETS[name].fields)) for name in _nft.FORWARD]
        ways = ((self.interface, self.other), (self.other, self.interface))
        return [Element(name, way) for name in ("accepted", "replies") for way in ways]

    def options(self) -> Options:
        """In the form of the options."""
        if self.bridge:
            return {"bridge": self.bridge, "internal": self.internal}
        return {"interface": self.interface, "other": self.other, "both_ways": self.both_ways}


def _place(element: Element) -> str:
    """The place that an element belongs to, as Forward.place has it."""
    return " and ".join(sorted(set(element.key)))


def _standing(entries: Mapping[Entry, str]) -> dict[Element, str]:
    return {
        entry: comment for entry, comment in entries.items() if isinstance(entry, Element) and entry.set in _nft.FORWARD
    }


def _forward(elements: Iterable[Element]) -> Forward:
    """What the elements of one place stand for; where some are missing, its elements() are others."""
    found = set(elements)
    one = min(found, key=lambda element: (element.set, element.key))  # "accepted" first
    if len(set(one.key)) == 1:
        return Forward(bridge=one.key[0], internal=Element("internal", one.key[:1]) in found)
    there, back = one.key if one.set == "accepted" else one.key[::-1]
    return Forward(there, back, both_ways=Element("accepted", (back, there)) in found)


def _by_place(elements: Mapping[Element, str]) -> dict[tuple[str, str], set[Element]]:
    """(place, comment) -> elements."""
    found: dict[tuple[str, str], set[Element]] = {}
    for element, comment in elements.items():
        found.setdefault((_place(element), comment), set()).add(element)
    return found


def stale(entries: Mapping[Entry, str]) -> list[tuple[str, Options]]:
    """(comment, options) of what stands, for purge."""
    return [
        (comment, _forward(elements).options()) for (_at, comment), elements in _by_place(_standing(entries)).items()
    ]


@dataclass(frozen=True)
class ForwardRule(Resource):
    """A forward entry, and the forwarding that it needs where told."""

    forward: Forward
    label: Label
    switches: tuple[str, ...] = ()  # options: forwarding, forwarding_ipv6
    labelled: bool = False

    @property
    def what(self) -> str:
        one = self.forward
        if one.bridge:
            return f"forward for the network of {one.bridge}"
        return f"forward {one.interface} {'<->' if one.both_ways else '->'} {one.other}"

    def widen(self, scope: Scope) -> None:
        scope.firewall.tables.add("filter")
        scope.firewall.gates = True
        if self.present:
            scope.firewall.backends.add("nftables")
            scope.forwarding.update(_SWITCHES[name] for name in self.switches)

    def owns(self) -> list[tuple[str, str]]:
        return [("forward label", str(self.label)), ("forward", self.forward.place)]

    def _standing(self, firewall: Firewall, draft: Draft | None = None) -> dict[Element, str]:
        """What stands at this place, and what carries this label."""
        return _standing(standing(firewall, self.label, self.forward.possible(), draft))

    def predict(self, draft: Draft) -> None:
        draft.forwards = True
        found = self._standing(draft.current.firewall, draft)
        here = {one: comment for one, comment in found.items() if _place(one) == self.forward.place}
        if not self.present:
            for element, comment in here.items():
                draft.may_remove(comment, self.label if self.labelled else None, self.what)
                del draft.entries[element]
            return
        if draft.current.firewall.foreign:
            raise BridgenetError(f"{self.what}: the nftables table {_nft.TABLE} exists and is not ours; remove it")
        for comment in here.values():
            draft.claim(comment, self.label, self.what, None)
        wanted = self.forward.elements()
        for element in found:
            if element not in wanted:  # the same object, with another place, shape or label
                del draft.entries[element]
        draft.entries.update(dict.fromkeys(sorted(wanted, key=str), str(self.label)))
        draft.warnings += [text for text in draft.current.firewall.obstacles if text not in draft.warnings]
        for name in self.switches:
            draft.turn_on_forwarding(_SWITCHES[name], self.what)

    def view(self, host: Host) -> Options | None:
        found = [(comment, elements) for (_at, comment), elements in _by_place(self._standing(host.firewall)).items()]
        # What stands at the place is it; else what has its label.
        found.sort(key=lambda group: _place(next(iter(group[1]))) != self.forward.place)
        for comment, elements in found:
            one = self.forward if elements == self.forward.elements() else _forward(elements)
            if elements == one.elements():
                shown = {**one.options(), "label": shown_label(comment, self.label.project)}
                values = host.namespaces[HOST].sysctls
                return {**shown, **{name: values.get(_SWITCHES[name]) != "0" for name in self.switches}}
        return None  # also where elements are missing: it does not do what it says


def declare(options: Mapping[str, Any], context: Context) -> ForwardRule:
    """From the options of one object."""
    bridge, interface, other = (options.get(name) for name in ("bridge", "interface", "other"))
    one_way, internal = options.get("both_ways") is False, bool(options.get("internal"))
    named = bridge or interface or other
    if bool(bridge) == bool(interface or other) or bool(interface) != bool(other):
        raise BridgenetError(
            f"forward{f' {named}' if named else ''}: say either interface and other (who may talk to whom) or "
            "bridge (an isolated network)"
        )
    if bridge:
        if one_way:
            raise BridgenetError(
                f"forward for the network of {bridge}: both_ways belongs to interface and other; drop it"
            )
        forward = Forward(bridge=_names.interface(bridge), internal=internal)
    else:
        forward = Forward(_names.interface(interface or ""), _names.interface(other or ""), not one_way)
        if internal:
            raise BridgenetError(f"forward {interface} to {other}: internal belongs to bridge; drop it")
        if interface == other:
            raise BridgenetError(
                f"forward {interface} to {other}: that is one interface; give two, or say bridge, whose ports talk to "
                "each other"
            )
    return ForwardRule(
        present=is_present(options, context),
        forward=forward,
        label=context.label(options.get("label"), forward.bridge or f"{forward.interface}/{forward.other}"),
        switches=tuple(name for name in _SWITCHES if options.get(name)),
        labelled=options.get("label") is not None,
    )
