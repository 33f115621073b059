# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling the neighbours that an address has moved to another MAC address: gratuitous ARP, unsolicited NA.

Who has talked to that address would otherwise go on with the MAC address that it had, for up to a minute. The kernel
announces the addresses of a link when somebody sets its MAC address, also to the one that it has, and arp_notify
(net/ipv4/devinet.c) or ndisc_notify (net/ipv6/ndisc.c) is 1.

Who had an address in an earlier run, or on another host, nobody knows any more. So it is also announced on a bridge
that stood before, to those who were there, unless that would be too many frames: each announcement goes to every port.
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _names, _sysctl
from ._model import Host, Link, is_another
from ._netlink import RTM_NEWLINK, Message, require_pyroute2
from ._operation_base import Operation, Step, ip_words

if TYPE_CHECKING:
    from ._kernel import Kernel

_CANNOT = (errno.EOPNOTSUPP, errno.EBUSY, errno.EPERM)  # it takes no MAC address; neighbours find out by themselves
_ETHERNET = len("02:00:00:00:00:00")  # a tunnel has an address of another length

_MOST = 10_000  # frames on a bridge, for addresses that nobody here had: some hundredths of a second

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
        if refused and refused.errno not in _CANNOT:
            raise refused

    def commands(self) -> tuple[str, ...]:
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        on, off = ([*inside, "sysctl", "-qw", *(f"{key}={value}" for key in self._keys)] for value in (1, 0))
        again = [*ip_words(self.namespace), "link", "set", "dev", self.link, "address", self.mac]
        return (shlex.join(on), shlex.join(again), shlex.join(off))

    def undo(self) -> tuple[Operation, ...]:
        return ()


def announcements(current: Host, predicted: Host) -> list[Operation]:
    """For every link with an address that another MAC address had until now, or may have had."""
    gained = list(_gained(current, predicted))
    if not gained:
        return []
    macs: dict[str, set[str]] = {}
    for namespace in current.namespaces.values():
        for link in namespace.links.values():
            for address in link.addresses or ():
                macs.setdefault(_plain(address), set()).add(link.mac or "")
    found: list[Operation] = []
    crowded = _crowded(current, predicted, [(place, link) for place, link, _addresses in gained])
    for place, link, addresses in gained:
        moved = [address for address in addresses if macs.get(_plain(address), set()) - {link.mac}]
        bridge = _bridge(predicted, place, link)
        if bridge and bridge not in crowded and _stood(current, bridge):
            moved += [address for address in addresses if _plain(address) not in macs]
        if moved:
            families = tuple(sorted(set(map(_names.family, moved))))
            found.append(Announce(place, link.name, link.mac or "", families))
    return found


End = tuple[str, str]  # namespace, name


def _bridge(host: Host, place: str, link: Link) -> End | None:
    """The bridge that a link is on, by itself or by its other end."""
    far_place, far_name = link.peer or (place, link.name)
    far = host.namespaces[far_place].links.get(far_name) if far_place in host.namespaces else None
    return (far_place, far.master) if far is not None and far.master else None


def _stood(current: Host, bridge: End) -> bool:
    """Whether somebody was there who may remember: a port, or the host by its address."""
    namespace = current.namespaces.get(bridge[0])
    link = namespace.links.get(bridge[1]) if namespace else None
    if namespace is None or link is None or link.kind != "bridge":
        return False
    return bool(link.addresses) or any(one.master == link.name for one in namespace.links.values())


def _crowded(current: Host, predicted: Host, links: list[tuple[str, Link]]) -> set[End]:
    """The bridges on which announcing all of that would be too many frames."""
    counts: dict[End, int] = {}
    for place, link in links:
        bridge = _bridge(predicted, place, link)
        if bridge:
            counts[bridge] = counts.get(bridge, 0) + 1
    found = set()
    for bridge, count in counts.items():
        if _stood(current, bridge):
            ports = sum(one.master == bridge[1] for one in predicted.namespaces[bridge[0]].links.values())
            if count * ports > _MOST:
                found.add(bridge)
    return found


def _gained(current: Host, predicted: Host) -> Iterator[tuple[str, Link, list[str]]]:
    """(namespace, link, addresses) of what is new at a link, or at its MAC address."""
    for place, namespace in predicted.namespaces.items():
        before = current.namespaces.get(place)
        if namespace is before:
            continue
        for link in namespace.links.values():
            old = before.links.get(link.name) if before else None
            if link is old or not (link.up and link.addresses) or len(link.mac or "") != _ETHERNET or link.name == "lo":
                continue
            same = old is not None and not is_another(old, link) and old.mac == link.mac and old.up
            known = old.addresses or () if old is not None and same else ()
            addresses = [address for address in link.addresses if address not in known]
            if addresses:
                yield place, link, addresses


def _plain(address: str) -> str:
    return address.partition("/")[0]
