# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hosts differ from their declarations, from what the module transaction returns in check mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SAME, DIFFERS, NOT_COMPARED, NOT_REACHED = "same", "differs", "not compared", "not reached"

# What tells objects apart that have no name.
_IDENTITY = ("label", "source", "hook", "prefix", "protocol", "host_address", "host_port")

_COLUMNS = ("host", "state", "object", "what", "is", "declared")


@dataclass(frozen=True)
class Difference:
    """One value that is not as declared, None where there is none: of an object as a whole, or of one option."""

    object: str
    option: str
    found: Any
    declared: Any


@dataclass(frozen=True)
class Drift:
    """A host, and how it differs; `why` it could not be compared."""

    host: str
    state: str
    differences: tuple[Difference, ...] = ()
    why: str = ""


def of_host(host: str, said: Mapping[str, Any]) -> Drift:
    """How a host differs, by the `result` of its transaction, or `why` there is none; a silent one was not reached."""
    if not said:
        return Drift(host, NOT_REACHED)
    result = said.get("result") or {}
    if "before" not in result:
        return Drift(host, NOT_COMPARED, why=str(said.get("why") or "its comparison did not end"))
    if not result.get("changed"):
        return Drift(host, SAME)
    return Drift(host, DIFFERS, tuple(_differences(result)))


def _differences(result: Mapping[str, Any]) -> Iterator[Difference]:
    for module in dict.fromkeys((*result["before"], *result["after"])):
        before, after = (_by_name(result[key].get(module, ())) for key in ("before", "after"))
        for name in dict.fromkeys((*before, *after)):
            what = f"{module} {name}"
            if name not in before or name not in after:
                yield Difference(what, "", *(("present", None) if name in before else (None, "present")))
            else:
                for option, (found, declared) in _options("", before[name], after[name]):
                    yield Difference(what, option, found, declared)
    for setting in result.get("settings", ()):
        yield Difference(setting["what"], "", setting["before"], setting["after"])


def _by_name(objects: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The objects by what tells them apart."""
    return {_name(one): one for one in objects}


def _name(one: Mapping[str, Any]) -> str:
    if "name" in one:
        return f"{one['name']}{' in ' if one.get('namespace') else ''}{one.get('namespace') or ''}"
    family = "by IPv6" if ":" in str(one.get("address", "")) else ""  # a port is published for each with one label
    return " ".join([*(str(one[key]) for key in _IDENTITY if one.get(key)), *([family] if family else [])])


def _options(above: str, before: Any, after: Any) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """The options that differ, those of a peer as peer.NAME."""
    for key in dict.fromkeys((*before, *after)):
        found, declared = before.get(key), after.get(key)
        if found == declared:
            continue
        if isinstance(found, Mapping) and isinstance(declared, Mapping):
            yield from _options(f"{above}{key}.", found, declared)
        else:
            yield f"{above}{key}", (found, declared)


def as_data(drifts: Sequence[Drift]) -> list[dict[str, Any]]:
    """For machines."""
    return [
        {
            "host": one.host,
            "state": one.state,
            "differences": [
                {"object": each.object, "option": each.option, "is": each.found, "declared": each.declared}
                for each in one.differences
            ],
            **({"why": one.why} if one.why else {}),
        }
        for one in drifts
    ]


def table(drifts: Sequence[Drift], limit: int) -> list[str]:
    """For people: at most `limit` differences of each host."""
    rows = [_COLUMNS]
    for one in drifts:
        shown = one.differences[:limit]
        cells = [(each.object, each.option, _text(each.found), _text(each.declared)) for each in shown]
        if len(one.differences) > limit:
            cells.append((f"and {len(one.differences) - limit} more", "", "", ""))
        rows += [(one.host, one.state, *cell) for cell in cells or [(one.why, "", "", "")]]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(f"{key} {_text(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value)) or "none"
    return str(value)
