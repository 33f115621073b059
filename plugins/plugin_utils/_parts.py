# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a network that is one host's, where several hosts take from it without asking each other."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from ..module_utils._errors import BridgenetError
from . import _readers as read
from ._declared import Subnet

INDEX = "container_bridge_network_host_index"
COUNT = "container_bridge_network_host_count"


@dataclass(frozen=True)
class Share:
    """A host's place in its fleet. Parts are as many as a power of two, so each of them is a network."""

    index: int
    count: int  # the most hosts that the fleet will ever have

    @property
    def bits(self) -> int:
        """By how much the prefix of a part is longer."""
        return (self.count - 1).bit_length()

    def of(self, whole: Subnet) -> Subnet | None:
        """The part that is this host's, None where there is not an address for each."""
        prefix = whole.prefixlen + self.bits
        if prefix > whole.max_prefixlen:
            return None
        number = int(whole[0]) + (self.index << (whole.max_prefixlen - prefix))
        address = ipaddress.IPv6Address(number) if whole.version == 6 else ipaddress.IPv4Address(number)
        return ipaddress.ip_network(f"{address}/{prefix}")


def share(index: Any, count: Any, host: str = "") -> Share | None:
    """From what a person wrote; None is a host that shares nothing. An error names the `host` where it is known."""
    if index == "":  # a template that is null, up to ansible-core 2.18
        index = None
    if index is None and count is None:
        return None
    if index is None:
        who, file = (f"host {host!r}", f"host_vars/{host}.yml") if host else ("this host", "its host_vars")
        raise BridgenetError(
            f"{who} has no {INDEX}, and {COUNT} is {count}; run playbooks/allocate.yml, which writes one into "
            f"group_vars/lab_hosts/host_indexes.yml beside the inventory, or write one into {file}, and to no two "
            "hosts the same"
        )
    if count is None:
        raise BridgenetError(f"{INDEX} is {index}, but of how many is not known; write {COUNT} for the whole fleet")
    found = Share(read.whole(INDEX, index), read.whole(COUNT, count))
    if found.count < 1:
        raise BridgenetError(f"{COUNT} {found.count} is no number of hosts; write 1 or more")
    if not 0 <= found.index < found.count:
        raise BridgenetError(
            f"{INDEX} {found.index} is not one of {found.count} hosts; write one from 0 to {found.count - 1}, or a "
            f"larger {COUNT}"
        )
    return found
