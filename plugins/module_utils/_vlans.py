# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VLANs of a port, or of a bridge itself: as options, and what is added to others. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ._errors import BridgenetError
from ._model import Link, Vlan

SPEC: dict[str, Any] = {
    "vlans": {
        "type": "list",
        "elements": "dict",
        "options": {
            "vid": {"type": "str", "required": True},
            "pvid": {"type": "bool", "default": False},
            "untagged": {"type": "bool", "default": False},
        },
    },
}

_FIRST, _LAST = 1, 4094  # IEEE 802.1Q

Vlans = tuple[Vlan, ...]


def declared(what: str, options: Mapping[str, Any]) -> Vlans | None:
    """The option `vlans`; None where it is left out."""
    entries = options.get("vlans")
    if entries is None:
        return None
    found: dict[int, Vlan] = {}
    for entry in entries:
        first, last = _numbers(what, str(entry["vid"]))
        pvid, untagged = bool(entry.get("pvid")), bool(entry.get("untagged"))
        if pvid and first != last:
            raise BridgenetError(f"{what}: pvid is of one VLAN, not of {entry['vid']!r}; name one")
        for vid in range(first, last + 1):
            if vid in found:
                raise BridgenetError(f"{what}: VLAN {vid} is declared twice; say it once")
            found[vid] = Vlan(vid, pvid, untagged)
    chosen = [str(vlan.vid) for vlan in found.values() if vlan.pvid]
    if len(chosen) > 1:
        raise BridgenetError(
            f"{what}: VLANs {' and '.join(chosen)} are pvid; frames without a tag belong to one, say which"
        )
    return tuple(sorted(found.values()))


def _numbers(what: str, text: str) -> tuple[int, int]:
    """One VLAN, or the first and the last of several."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise BridgenetError(f"{what}: vid {text!r} is no VLAN; give a number, or a range like 20-29")
    low, high = int(first), int(last or first)
    if not _FIRST <= low <= high <= _LAST or (dash and low == high):
        raise BridgenetError(
            f"{what}: vid {text!r} is out of range: {_FIRST} to {_LAST} are possible, and a range ends above where it "
            "begins"
        )
    return low, high


def with_vlans(link: Link, want: Vlans, exclusive: bool) -> Link:
    """A link with VLANs added, or with exactly these; the very same object where nothing changes."""
    there = initial(link) if link.vlans is None else link.vlans
    found = {} if exclusive else {vlan.vid: vlan for vlan in there}
    if any(vlan.pvid for vlan in want):
        found = {vid: dataclasses.replace(vlan, pvid=False) for vid, vlan in found.items()}
    found.update({vlan.vid: vlan for vlan in want})
    vlans = tuple(sorted(found.values()))
    return link if vlans == link.vlans else dataclasses.replace(link, vlans=vlans)


def initial(link: Link) -> Vlans:
    """The VLANs of a new bridge, or of a port that has just joined: the bridge's default_pvid, which is 1."""
    pvid = 1 if link.default_pvid is None else link.default_pvid
    return (Vlan(pvid, True, True),) if pvid else ()


def ranges(vlans: Iterable[Vlan]) -> list[list[Vlan]]:
    """Neighbours with the same flags, together; the kernel takes them in one message."""
    found: list[list[Vlan]] = []
    for vlan in sorted(vlans):
        before = found[-1][-1] if found else None
        if before is not None and not vlan.pvid and vlan == dataclasses.replace(before, vid=before.vid + 1):
            found[-1].append(vlan)
        else:
            found.append([vlan])
    return found


def vid_text(vlans: list[Vlan]) -> str:
    """A range as a person writes it."""
    return str(vlans[0].vid) if len(vlans) == 1 else f"{vlans[0].vid}-{vlans[-1].vid}"


def shown(link: Link) -> list[dict[str, Any]]:
    """The VLANs of a link in the form of the option."""
    return [
        {"vid": vid_text(several), "pvid": several[0].pvid, "untagged": several[0].untagged}
        for several in ranges(link.vlans or ())
    ]
