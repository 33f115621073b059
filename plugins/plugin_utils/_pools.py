# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subnets for networks that name none: out of pools, and the same on every run."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..module_utils._errors import BridgenetError
from . import _readers as read
from . import _subnets
from ._declared import Subnet
from ._occupied import Host
from ._parts import COUNT, Share

# Of IPv4 32 subnets, each with room for as many containers as a bridge has ports; of IPv6 65536.
DEFAULT = ({"base": "10.210.0.0/16", "size": 21}, {"base": "fd9d:4e1b:62c0::/48", "size": 64})

_POOL: Mapping[str, read.Reader] = {"base": read.text, "size": read.whole}
_LONGEST = {4: 30, 6: 126}  # room for a gateway and a container


@dataclass(frozen=True)
class Pool:
    """Subnets of one size, side by side."""

    number: int  # in the list of pools, from 1 on
    whole: Subnet  # the fleet's
    size: int
    share: Share | None

    @property
    def base(self) -> Subnet:
        """This host's part. BridgenetError where the pool has no subnet for each host."""
        if not self.share:
            return self.whole
        part = self.share.of(self.whole)
        if part is None or part.prefixlen > self.size:
            pieces, parts = 1 << (self.size - self.whole.prefixlen), 1 << self.share.bits
            raise BridgenetError(
                f"address pool {self.number}: {self.whole} is {pieces} subnets of /{self.size}, which are too few for "
                f"the {parts} parts of a fleet of up to {self.share.count} hosts; write a larger base, smaller "
                f"subnets, or a smaller {COUNT}"
            )
        return part

    def free(self, taken: Iterable[Subnet]) -> Subnet | None:
        """The first subnet that overlaps nothing."""
        base = self.base
        step = 1 << (base.max_prefixlen - self.size)
        number = int(base[0])
        for other in sorted((one for one in taken if one.version == base.version), key=lambda one: int(one[0])):
            if number <= int(other[-1]) and int(other[0]) < number + step:
                number += (int(other[-1]) - number) // step * step + step  # the first one behind it
        if number > int(base[-1]):
            return None
        address = ipaddress.IPv6Address(number) if base.version == 6 else ipaddress.IPv4Address(number)
        return ipaddress.ip_network(f"{address}/{self.size}")

    def is_of_others(self, subnet: Subnet) -> bool:
        """Whether other hosts may take it, or something in it."""
        if self.share is None or not _subnets.overlap(self.whole, subnet):
            return False
        return self.base != self.whole and not _subnets.within(subnet, self.base)


def pools(value: Any, share: Share | None = None) -> list[Pool]:
    """The pools, from what a person wrote. One that is too small for the fleet is an error for who takes from it."""
    entries = DEFAULT if value is None else value
    if not isinstance(entries, (list, tuple)):
        raise BridgenetError(
            f"address pools are no list; write one like [{{base: {DEFAULT[0]['base']}, size: {DEFAULT[0]['size']}}}]"
        )
    return [_pool(number, entry, share) for number, entry in enumerate(entries, 1)]


def _pool(number: int, entry: Any, share: Share | None) -> Pool:
    with read.at(f"address pool {number}"):
        given = read.fields(entry, _POOL)
        for key in _POOL:
            if key not in given:
                raise BridgenetError(f"has no {key}; write it like {{base: 10.210.0.0/16, size: 24}}")
        base = _subnets.network("base", given["base"], 6 if ":" in given["base"] else 4)
        size, longest = given["size"], _LONGEST[base.version]
        if not base.prefixlen <= size <= longest:
            raise BridgenetError(
                f"size {size} is no prefix length of subnets of {base} with room for containers; write one from "
                f"{base.prefixlen} to {longest}"
            )
        return Pool(number, base, size, share)


def subnets(
    networks: Mapping[str, Mapping[str, Any]], host: Host | None, offered: Sequence[Pool]
) -> dict[str, dict[int, Subnet]]:
    """The subnets of every network: as written, as they stand, or else from the pools, in the order of the names."""
    found: dict[str, dict[int, Subnet]] = {name: {} for name in networks}
    wanting = []
    for name, keys in networks.items():
        with read.at(f"network {name!r}"):
            present = keys.get("state") != "absent"
            for words in _subnets.WORDS:
                if not _subnets.enabled(keys, words) and present:
                    continue
                written = _subnets.subnet(keys, words) if present or words.subnet in keys else None
                if written is None and present and keys.get("external"):
                    raise BridgenetError(
                        f"is external and has no {words.subnet}; write that of the bridge, like {words.sample}"
                    )
                if written is None and present and _subnets.is_shared(keys):
                    raise BridgenetError(
                        f"is shared with other hosts and has no {words.subnet}; write that which all of them have, "
                        f"like {words.sample}"
                    )
                standing = host.subnets.get((name, words.version)) if host and not keys.get("external") else None
                if standing and present and any(pool.is_of_others(standing) for pool in offered):
                    standing = None
                known = written or standing
                if known:
                    found[name][words.version] = known
                elif present:
                    wanting.append((name, words))
    taken = [*(host.taken if host else ()), *(subnet for one in found.values() for subnet in one.values())]
    for name, words in sorted(wanting, key=lambda one: (one[0], one[1].version)):
        with read.at(f"network {name!r}"):
            chosen = _first(offered, words, taken)
        found[name][words.version] = chosen
        taken.append(chosen)
    return found


def _first(offered: Sequence[Pool], words: _subnets.Words, taken: Sequence[Subnet]) -> Subnet:
    mine = [pool for pool in offered if pool.whole.version == words.version]
    for pool in mine:
        chosen = pool.free(taken)
        if chosen is not None:
            return chosen
    named = ", ".join(f"{pool.base} in pieces of /{pool.size}" for pool in mine) or "none"
    raise BridgenetError(
        f"no address pool of IPv{words.version} has a free subnet left ({named}); write {words.subnet}, or add a pool"
    )
