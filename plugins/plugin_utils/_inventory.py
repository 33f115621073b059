# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory has: hosts, and the containers on them as hosts of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

CONNECTION = "nslab.bridgenet.netns"


def is_container(variables: Mapping[str, Any]) -> bool:
    """Whether the inventory plugin has added it, or a person has written the same.

    A container has the variables of groups like any other host, and so a declaration that is not its own.
    """
    return "bridgenet_host" in variables or variables.get("ansible_connection") == CONNECTION


def others(
    variables: Mapping[str, Mapping[str, Any]], hosts: Iterable[str], own: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The other hosts that declare something to stand, with their variables."""
    for host in hosts:
        theirs = variables[host]
        if host != own and not is_container(theirs) and theirs.get("container_bridge_network_state") != "absent":
            yield str(host), theirs
