# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a declaration leaves to be chosen, so that it depends on the host as well."""

from __future__ import annotations

from collections.abc import Iterator

from . import _subnets
from ._declared import Declaration


def omitted(declaration: Declaration) -> Iterator[str]:
    """Each in words; `declaration` was parsed without a host."""
    for network in declaration.networks:
        for words in _subnets.WORDS:
            addressing = network.family(words.version)
            if addressing and addressing.chosen:
                yield f"network {network.name!r}: {words.subnet}"
        if not network.present:
            yield f"network {network.name!r}: what stands of it"  # its name is enough to remove it
        elif network.overlay is not None:
            yield f"network {network.name!r}: underlay"  # has to carry it, whatever the MTU
        elif network.mtu is None:
            yield f"network {network.name!r}: mtu"
    for container in declaration.containers:
        for endpoint in container.endpoints:
            for words in _subnets.WORDS:
                if words.version in endpoint.chosen:
                    yield f"container {container.name!r}, network {endpoint.network.name!r}: {words.address}"
