# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a container receives and sends in a network, and how badly.

The directions are the container's, and those of CNI's bandwidth plugin: ingress is what it receives, egress what it
sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..module_utils import _qdisc
from ..module_utils._errors import BridgenetError
from . import _readers as read

Options = dict[str, Any]

_BANDWIDTH: Mapping[str, read.Reader] = {
    "ingress_rate": read.text,
    "ingress_burst": read.text,
    "egress_rate": read.text,
    "egress_burst": read.text,
}
_NETEM: Mapping[str, read.Reader] = {
    "delay": read.text,
    "jitter": read.text,
    "loss": read.text,
    "duplicate": read.text,
}


@dataclass(frozen=True)
class Shaping:
    """The options tbf and netem of the module qdisc; None where there is no limit."""

    ingress: Mapping[str, str] | None = None
    egress: Mapping[str, str] | None = None
    netem: Mapping[str, str] | None = None


def bandwidth(key: str, value: Any) -> dict[str, Options]:
    """A reader of the limits, by direction."""
    with read.at(key):
        given = read.fields(value, _BANDWIDTH)
        found = {}
        for direction in ("ingress", "egress"):
            rate, burst = given.get(f"{direction}_rate"), given.get(f"{direction}_burst")
            if rate is None and burst is not None:
                raise BridgenetError(f"{direction}_burst belongs to a rate; give {direction}_rate, too")
            if rate is not None:
                found[direction] = {"rate": rate, **({"burst": burst} if burst is not None else {})}
                _qdisc.tbf(direction, found[direction])
        if not found:
            raise BridgenetError("it limits nothing; give ingress_rate, egress_rate, or both")
        return found


def netem(key: str, value: Any) -> Options:
    """A reader of what happens to the packets that the container sends."""
    given = read.fields(value, _NETEM)
    if not given:
        raise BridgenetError(f"{key} changes nothing; give {', '.join(_NETEM)}, or some of them")
    _qdisc.netem(key, given)
    return given


def shaping(keys: Mapping[str, Any]) -> Shaping:
    """What the keys of a place in a network say about it."""
    limits = keys.get("bandwidth", {})
    return Shaping(limits.get("ingress"), limits.get("egress"), keys.get("netem"))


def options(container: str, interface: str, host_interface: str, wanted: Shaping) -> list[Options]:
    """What the container receives is what the host's end of its pair sends."""
    found: list[Options] = []
    if wanted.ingress:
        found.append({"name": host_interface, "tbf": dict(wanted.ingress)})
    inside = {name: dict(one) for name, one in (("tbf", wanted.egress), ("netem", wanted.netem)) if one}
    if inside:
        found.append({"name": interface, "namespace": container, **inside})
    return found
