# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every resource is: options in, a part of the prediction and a view out. All of it is pure."""

from __future__ import annotations

import abc
import dataclasses
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, ClassVar

from .. import _names
from .._draft import Draft
from .._errors import BridgenetError
from .._labels import Label
from .._model import UNDECLARED, Entry, Firewall, Host, Link, Route
from .._reader import Scope
from .._touched import Touched

Options = dict[str, Any]

NAMESPACES, SECOND_NAMES, INSIDE = range(3)  # stages


@dataclass(frozen=True)
class Patience:
    """With who holds a namespace that is to go."""

    when_held: str = "fail"  # or "detach": the name goes, the namespace lives on
    wait: int = 0  # seconds that they are given


@dataclass(frozen=True)
class Context:
    """What holds for a whole task."""

    project: str
    inventory_host: str
    state: str = "present"
    patience: Patience = field(default_factory=Patience)

    def label(self, name: str | None, default: str) -> Label:
        """The label of an object, by its option or its name."""
        return Label(self.project, _names.label(name if name is not None else default))

    def mac(self, name: str) -> str:
        """The MAC address of a link that is made anew."""
        return _names.generated_mac(self.inventory_host, self.project, name)


@dataclass(frozen=True)
class Resource(abc.ABC):
    """One declared object."""

    present: bool
    deletes: ClassVar[bool] = True  # absent makes its name free
    counts: ClassVar[bool] = False  # it has counters

    @property
    @abc.abstractmethod
    def what(self) -> str:
        """How a message names it; two objects of one task may not share it."""

    @property
    def stage(self) -> int:
        """When it is predicted: namespaces first, then their second names, then what is inside."""
        return INSIDE

    @abc.abstractmethod
    def widen(self, scope: Scope) -> None:
        """Add what has to be read."""

    @abc.abstractmethod
    def predict(self, draft: Draft) -> None:
        """Write into the draft what will be; BridgenetError where that cannot be."""

    @abc.abstractmethod
    def view(self, host: Host) -> Options | None:
        """The object as it is in `host`, in the form of the options; None where it is not there."""

    def is_touched(self, what: Touched) -> bool:
        """Whether the view may be another one after a change."""
        return True

    def counters(self, host: Host) -> Options | None:
        """What the object has counted so far; None where it is not there."""
        return None

    def owns(self) -> list[tuple[str, str]]:
        """(kind, key) of what only one object of a task can be."""
        return []

    def keeps(self) -> list[tuple[str, str]]:
        """(kind, key) of what purge must leave alone because of this object."""
        return self.owns()

    def second_names(self) -> dict[str, str]:
        """Name -> the namespace that gets it, too."""
        return {}

    def encloses(self) -> list[str]:
        """The namespaces of which this task declares all of the project's links and services."""
        return []

    def publishers(self) -> list[str]:
        """The containers of which this task declares all published ports."""
        return []

    def spans(self) -> list[str]:
        """The networks of which this task declares all ports that lead to other hosts."""
        return []

    def at(self, key: Callable[[str], str]) -> Resource:
        """The same object, each of its namespaces called by the name under which it stands in the state of the host."""
        moved: dict[str, Any] = {}
        for place in _places(type(self)):
            name = getattr(self, place)
            if name and key(name) != name:
                moved[place] = key(name)
        return dataclasses.replace(self, **moved) if moved else self


@functools.cache
def _places(kind: type[Resource]) -> tuple[str, ...]:
    """What a resource calls the namespaces in which it is."""
    fields = {field.name for field in dataclasses.fields(kind)}
    return tuple(name for name in ("namespace", "far_namespace") if name in fields)


STATE = {"state": {"type": "str", "choices": ["present", "absent"]}}
OWNED = {"label": {"type": "str"}, "take_over": {"type": "bool", "default": False}}
ROUTES = {
    "type": "list",
    "elements": "dict",
    "options": {
        "to": {"type": "str", "required": True},
        "via": {"type": "str"},
        "metric": {"type": "int"},
    },
}
LINK = {
    "mac": {"type": "str"},
    "mtu": {"type": "int"},
    "up": {"type": "bool"},
    "ipv6": {"type": "bool"},
    "addresses": {"type": "list", "elements": "str"},
    "routes": ROUTES,
}


def is_present(options: Mapping[str, Any], context: Context) -> bool:
    """An object's own state, or the task's."""
    return (options.get("state") or context.state) == "present"


def _route(options: Mapping[str, Any]) -> Route:
    via = _names.gateway(options["via"]) if options.get("via") else ""
    to = options["to"]
    if to == "default":
        to = "::/0" if _names.family(via) == 6 else "default"
    else:
        to = _names.subnet(to)
        to = "default" if to == "0.0.0.0/0" else to
    if via and _names.family(via) != _names.family(to):
        raise BridgenetError(f"route to {to!r} via {via!r} mixes IPv4 and IPv6; give a next hop of the same family")
    metric = options.get("metric")
    if metric is not None and not 0 <= metric < 2**32:
        raise BridgenetError(f"route to {to!r}: metric {metric} is out of range: 0 to 4294967295 are possible")
    return Route(to, via, (metric or 1024) if _names.family(to) == 6 else (metric or 0))


def declared_link(options: Mapping[str, Any], **more: Any) -> Link:
    """The options that every link has, validated; None is not declared."""
    name = _names.interface(options["name"])
    mac, mtu = options.get("mac"), options.get("mtu")
    addresses, routes = options.get("addresses"), options.get("routes")
    return Link.told(
        {
            **UNDECLARED,
            "name": name,
            "mac": _names.mac(mac) if mac is not None else None,
            "mtu": _names.mtu(mtu) if mtu is not None else None,
            "up": options.get("up"),
            "ipv6": options.get("ipv6"),
            "addresses": tuple(sorted(_unique(name, [_names.address(text) for text in addresses])))
            if addresses is not None
            else None,
            "routes": tuple(map(_route, routes)) if routes is not None else None,
            **more,
        }
    )


def _unique(name: str, addresses: list[str]) -> list[str]:
    for address in addresses:
        if addresses.count(address) > 1:
            raise BridgenetError(f"interface {name!r}: address {address!r} is declared twice; say it once")
    return addresses


def standing(firewall: Firewall, label: Label, places: Iterable[Entry], draft: Draft | None = None) -> dict[Entry, str]:
    """What of `firewall` stands in an object's places, in any form, and what carries its label; with the comments.

    As it is by now in `draft`, where one is given. Of a thousand networks none can go through the entries of all.
    """
    entries = firewall.entries if draft is None else draft.entries
    mine = str(label)
    found = {entry: entries[entry] for entry in places if entry in entries}
    found.update((entry, mine) for entry in firewall.by_comment.get(mine, ()) if entries.get(entry) == mine)
    return found


def declared_namespace(options: Mapping[str, Any]) -> str:
    """The option `namespace`: "" is the host."""
    name = options.get("namespace") or ""
    return _names.namespace(name) if name else ""
