# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling the neighbours that an address has moved to another MAC address: gratuitous ARP, unsolicited NA.

Who has talked to that address would otherwise go on with the MAC address that it had, for up to a minute. The kernel
announces the addresses of a link when somebody sets its MAC address, also to the one that it has, and arp_notify
(net/ipv4/devinet.c) or ndisc_notify (net/ipv6/ndisc.c) is 1.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _names, _sysctl
from ._model import Host, Link, is_another
from ._netlink import RTM_NEWLINK, Message, require_pyroute2
from ._operations import Operation, Step, ip_words

if TYPE_CHECKING:
    from ._kernel import Kernel

_NOTIFY = {4: "net/ipv4/conf/{}/arp_notify", 6: "net/ipv6/conf/{}/ndisc_notify"}


@dataclass(frozen=True)
class Announce(Step):
    """Have the kernel announce the addresses of a link. It changes nothing, so nothing is undone."""

    namespace: str
    link: str
    mac: str
    families: tuple[int, ...]

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        require_pyroute2()

    @property
    def _keys(self) -> list[str]:
        return [_NOTIFY[family].format(self.link) for family in self.families]

    def perform(self, kernel: Kernel) -> None:
        attrs = [("IFLA_IFNAME", self.link), ("IFLA_ADDRESS", self.mac)]
        message = Message("link", RTM_NEWLINK, 0, {"index": 0, "flags": 0, "change": 0}, attrs)
        with kernel.inside(self.namespace):
            before = _sysctl.read_all(self._keys)
            try:
                for key in before:
                    _sysctl.write(key, "1")
                refused = kernel.socket(self.namespace).send([message])[0]
            finally:
                for key, value in before.items():
                    _sysctl.write(key, value)
        if refused:
            raise refused

    def commands(self) -> tuple[str, ...]:
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        on, off = ([*inside, "sysctl", "-qw", *(f"{key}={value}" for key in self._keys)] for value in (1, 0))
        again = [*ip_words(self.namespace), "link", "set", "dev", self.link, "address", self.mac]
        return (shlex.join(on), shlex.join(again), shlex.join(off))

    def undo(self) -> tuple[Operation, ...]:
        return ()


def announcements(current: Host, predicted: Host) -> list[Operation]:
    """For every link with an address that another MAC address had until now."""
    gained = list(_gained(current, predicted))
    if not gained:
        return []
    macs: dict[str, set[str]] = {}
    for namespace in current.namespaces.values():
        for link in namespace.links.values():
            for address in link.addresses or ():
                macs.setdefault(_plain(address), set()).add(link.mac or "")
    found: list[Operation] = []
    for place, link, addresses in gained:
        moved = [address for address in addresses if macs.get(_plain(address), set()) - {link.mac}]
        if moved:
            families = tuple(sorted(set(map(_names.family, moved))))
            found.append(Announce(place, link.name, link.mac or "", families))
    return found


def _gained(current: Host, predicted: Host) -> Iterator[tuple[str, Link, list[str]]]:
    """(namespace, link, addresses) of what is new at a link, or at its MAC address."""
    for place, namespace in predicted.namespaces.items():
        before = current.namespaces.get(place)
        if namespace is before:
            continue
        for link in namespace.links.values():
            old = before.links.get(link.name) if before else None
            if link is old or not (link.up and link.mac and link.addresses) or link.name == "lo":
                continue
            same = old is not None and not is_another(old, link) and old.mac == link.mac and old.up
            known = old.addresses or () if old is not None and same else ()
            addresses = [address for address in link.addresses if address not in known]
            if addresses:
                yield place, link, addresses


def _plain(address: str) -> str:
    return address.partition("/")[0]
