# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may talk to whom through the host: a pair of interfaces, or the bridge of an isolated network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import _forwarding, _labels, _names, _nft
from .._draft import Draft
from .._errors import BridgenetError
from .._labels import Label
from .._model import HOST, Element, Entry, Firewall, Host
from .._reader import Scope
from .._shown import shown_label
from ._base import STATE, Context, Options, Resource, is_present, standing

SPEC: dict[str, Any] = {
    "interface": {"type": "str"},
    "other": {"type": "str"},
    "both_ways": {"type": "bool", "default": True},
    "bridge": {"type": "str"},
    "internal": {"type": "bool", "default": False},
    "icc": {"type": "bool", "default": True},
    "allow": {"type": "list", "elements": "str", "default": []},
    "routed": {"type": "bool", "default": False},
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
    icc: bool = True
    allow: tuple[str, ...] = ()  # bridges of networks that may be asked
    routed: bool = False

    @property
    def place(self) -> str:
        """What there can be only one entry for: a bridge, or two interfaces in whichever order."""
        return self.bridge or " and ".join(sorted((self.interface, self.other)))

    def elements(self) -> set[Element]:
        """As it stands in our table."""
        if not self.bridge:
            return _pair(self.interface, self.other, self.both_ways)
        found = {Element("bridges", (self.bridge,))}
        flags = {"internal": self.internal, "routed": self.routed}
        found |= {Element(name, (self.bridge,)) for name, is_set in flags.items() if is_set}
        if self.icc:
            found.add(Element("accepted", (self.bridge, self.bridge)))
        for other in self.allow:
            found |= _pair(self.bridge, other, both_ways=False)
        return found

    def possible(self) -> list[Entry]:
        """All elements that this place can have, whatever is declared of it."""
        if self.bridge:
            return [Element(name, (self.bridge,) * len(_nft.SETS[name].fields)) for name in _nft.FORWARD]
        ways = ((self.interface, self.other), (self.other, self.interface))
        return [Element(name, way) for name in ("accepted", "replies") for way in ways]

    def options(self) -> Options:
        """In the form of the options."""
        if self.bridge:
            return {
                "bridge": self.bridge,
                "internal": self.internal,
                "icc": self.icc,
                "allow": list(self.allow),
                "routed": self.routed,
            }
        return {"interface": self.interface, "other": self.other, "both_ways": self.both_ways}


def _pair(one: str, other: str, both_ways: bool) -> set[Element]:
    return {Element("accepted", (one, other)), Element("accepted" if both_ways else "replies", (other, one))}


def _place(element: Element) -> str:
    """The place that an element belongs to, as Forward.place has it."""
    return " and ".join(sorted(set(element.key)))


def _asks(element: Element) -> str:
    """The interface that may begin to talk."""
    return element.key[-1] if element.set == "replies" else element.key[0]


def _standing(entries: Mapping[Entry, str]) -> dict[Element, str]:
    return {
        entry: comment for entry, comment in entries.items() if isinstance(entry, Element) and entry.set in _nft.FORWARD
    }


def _forward(elements: Iterable[Element]) -> Forward:
    """What the elements of one place stand for; where some are missing, its elements() are others."""
    found = set(elements)
    own = [element for element in found if len(set(element.key)) == 1]
    if own:
        bridge = own[0].key[0]
        others = {element.key[1] for element in found if element.set == "accepted" and element.key[0] == bridge}
        return Forward(
            bridge=bridge,
            internal=Element("internal", (bridge,)) in found,
            icc=bridge in others,
            allow=tuple(sorted(others - {bridge})),
            routed=Element("routed", (bridge,)) in found,
        )
    one = min(found, key=lambda element: (element.set, element.key))  # "accepted" first
    there, back = one.key if one.set == "accepted" else one.key[::-1]
    return Forward(there, back, both_ways=Element("accepted", (back, there)) in found)


def _by_place(elements: Mapping[Element, str]) -> dict[tuple[str, str], set[Element]]:
    """(place, comment) -> elements. Those whom a network may ask belong to it: they have its comment."""
    networks = {
        (element.key[0], comment)
        for element, comment in elements.items()
        if len(set(element.key)) == 1 and _labels.parse(comment)
    }
    found: dict[tuple[str, str], set[Element]] = {}
    for element, comment in elements.items():
        network = _asks(element)
        place = network if (network, comment) in networks else _place(element)
        found.setdefault((place, comment), set()).add(element)
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
        return [("forward label", str(self.label)), ("forward", self.forward.place), *self._begins()]

    def _begins(self) -> list[tuple[str, str]]:
        """Who may begin to talk to whom between two places."""
        pairs = [one.key for one in self.forward.elements() if one.set == "accepted" and len(set(one.key)) == 2]
        return [("forward from", " to ".join(pair)) for pair in sorted(pairs)]

    def keeps(self) -> list[tuple[str, str]]:
        return self.owns()[:2]

    def _groups(self, firewall: Firewall, draft: Draft | None = None) -> dict[tuple[str, str], set[Element]]:
        """What stands at this place and what carries this label, each with all that has the same comment."""
        entries = firewall.entries if draft is None else draft.entries
        found = standing(firewall, self.label, [*self.forward.possible(), *self.forward.elements()], draft)
        for comment in dict.fromkeys(filter(_labels.parse, found.values())):
            more = (entry for entry in firewall.by_comment.get(comment, ()) if entries.get(entry) == comment)
            found.update(dict.fromkeys(more, comment))
        # A network that this task opens is in the draft alone.
        networks = {Element("bridges", (_asks(one),)): comment for one, comment in _standing(found).items()}
        found.update((one, comment) for one, comment in networks.items() if entries.get(one) == comment)
        return _by_place(_standing(found))

    def _is_here(self, place: str, comment: str, elements: set[Element]) -> bool:
        """Whether they stand at its place; of a network also those whom it may ask, when the rest is gone."""
        lost = comment == str(self.label) and all(_asks(one) == self.forward.bridge for one in elements)
        return place == self.forward.place or lost

    def predict(self, draft: Draft) -> None:
        draft.forwards = True
        groups = self._groups(draft.current.firewall, draft)
        here = {
            element: comment
            for (place, comment), elements in groups.items()
            if self._is_here(place, comment, elements)
            for element in elements
        }
        if not self.present:
            self._close(draft)
            for element, comment in here.items():
                draft.may_remove(comment, self.label if self.labelled else None, self.what)
                del draft.entries[element]
            return
        if draft.current.firewall.foreign:
            raise BridgenetError(f"{self.what}: the nftables table {_nft.TABLE} exists and is not ours; remove it")
        mine = str(self.label)
        wanted = self.forward.elements()
        for (_at, comment), elements in groups.items():
            for element in elements:
                if element in here or element in wanted:
                    draft.claim(comment, self.label, self.what, None)
                # The same object, with another place, shape or label.
                if element not in wanted and (element in here or comment == mine):
                    del draft.entries[element]
        draft.entries.update(dict.fromkeys(sorted(wanted, key=str), str(self.label)))
        draft.warnings += [text for text in draft.current.firewall.obstacles if text not in draft.warnings]
        for name in self.switches:
            draft.turn_on_forwarding(_SWITCHES[name], self.what)

    def _close(self, draft: Draft) -> None:
        """Its bridge leaves its zone of firewalld also where nothing else tells that it was put there by us."""
        link = draft.current.namespaces[HOST].links.get(self.forward.bridge) if self.forward.bridge else None
        if link is None or _labels.parse(link.label or ""):
            draft.closed.update(filter(None, [self.forward.bridge]))

    def view(self, host: Host) -> Options | None:
        mine = str(self.label)
        found = [
            (place, comment, elements)
            for (place, comment), elements in self._groups(host.firewall).items()
            if place == self.forward.place or comment == mine
        ]
        # What stands at the place is it; else what has its label.
        found.sort(key=lambda group: group[0] != self.forward.place)
        for _at, comment, elements in found:
            one = self.forward if elements == self.forward.elements() else _forward(elements)
            if elements == one.elements():
                shown = {**one.options(), "label": shown_label(comment, self.label.project)}
                values = host.namespaces[HOST].sysctls
                return {**shown, **{name: values.get(_SWITCHES[name]) != "0" for name in self.switches}}
        return None  # also where elements are missing: it does not do what it says


def declare(options: Mapping[str, Any], context: Context) -> ForwardRule:
    """From the options of one object."""
    bridge, interface, other = (options.get(name) for name in ("bridge", "interface", "other"))
    one_way = options.get("both_ways") is False
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
        forward = _network(bridge, options, is_present(options, context))
    else:
        forward = Forward(_names.interface(interface or ""), _names.interface(other or ""), not one_way)
        for name in ("internal", "allow", "routed"):
            if options.get(name):
                raise BridgenetError(f"forward {interface} to {other}: {name} belongs to bridge; drop it")
        if options.get("icc") is False:
            raise BridgenetError(f"forward {interface} to {other}: icc belongs to bridge; drop it")
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


def _network(bridge: str, options: Mapping[str, Any], present: bool) -> Forward:
    """The network of a bridge."""
    allow = tuple(sorted({_names.interface(name) for name in options.get("allow") or ()}))
    if bridge in allow:
        raise BridgenetError(
            f"forward for the network of {bridge}: allow names {bridge} itself; drop it, or say icc: true, by which "
            "its ports talk to each other"
        )
    internal, routed = bool(options.get("internal")), bool(options.get("routed"))
    if internal and routed and present:
        raise BridgenetError(
            f"forward for the network of {bridge}: internal closes what routed opens; drop one of the two"
        )
    return Forward(
        bridge=_names.interface(bridge),
        internal=internal,
        icc=options.get("icc") is not False,
        allow=allow,
        routed=routed,
    )
