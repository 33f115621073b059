# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container's network_mode: the modes of `docker run --network`, in Compose's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..module_utils import _names
from ..module_utils._errors import BridgenetError
from . import _readers as read

BRIDGE, HOST, NONE, CONTAINER = "bridge", "host", "none", "container"
_VALID = (BRIDGE, HOST, NONE, "container:NAME")

# The network of `network_mode: bridge`, where the declaration has none of that name.
DEFAULT = "default"
DEFAULT_NETWORK = {"masquerade": True}


@dataclass(frozen=True)
class Mode:
    """Where a container's interfaces come from; `owner` is the container whose namespace it shares."""

    kind: str
    owner: str = ""


def mode(key: str, value: Any) -> Mode:
    """A reader of network_mode."""
    word = read.text(key, value)
    kind, colon, owner = word.partition(":")
    if kind == CONTAINER and colon:
        return Mode(CONTAINER, _names.namespace(owner))
    if word in (BRIDGE, HOST, NONE):
        return Mode(word)
    raise BridgenetError(f"{key} {word!r} is not possible; {read.choices(word, _VALID)}")


_ADOPT: Mapping[str, read.Reader] = {"pid": read.whole, "path": read.text, "podman": read.text, "docker": read.text}


def adopt(key: str, value: Any) -> dict[str, Any]:
    """A reader of adopt: by what to find the namespace that exists."""
    given = read.fields(value, _ADOPT)
    if len(given) != 1:
        raise BridgenetError(f"{key} names {' and '.join(given) or 'nothing'}; name exactly one of {', '.join(_ADOPT)}")
    return given


def default_network(containers: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The network `default` as it is declared by being used; absent where only absent containers use it."""
    users = [given for given in containers if _uses_default(given)]
    if not users:
        return None
    if all(given.get("state") == "absent" for given in users):
        return {**DEFAULT_NETWORK, "state": "absent"}
    return dict(DEFAULT_NETWORK)


def _uses_default(given: Mapping[str, Any]) -> bool:
    networks = given.get("networks")
    by_name = isinstance(networks, Mapping) and DEFAULT in networks
    return by_name or given.get("network_mode") == Mode(BRIDGE)


def check_owner(owner: str, owners: Mapping[str, tuple[bool, Mode | None]]) -> None:
    """The container whose namespace is shared: one that has a namespace of its own, and stays."""
    if owner not in owners:
        raise BridgenetError(f"network_mode: container {owner!r} is not declared; {read.choices(owner, owners)}")
    present, its = owners[owner]
    if not present:
        raise BridgenetError(
            f"network_mode: container {owner!r} is absent, and its namespace goes with it; make both absent, or give "
            "this one a mode of its own"
        )
    if its and its.kind == CONTAINER:
        raise BridgenetError(
            f"network_mode: container {owner!r} shares the namespace of {its.owner!r} itself; write "
            f"container:{its.owner}, or give one of them a network"
        )
    if its and its.kind == HOST:
        raise BridgenetError(f"network_mode: container {owner!r} has the host's namespace; write network_mode: host")
