# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flows of published ports that would go on to where they went before."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _conntrack, _names, _nft
from ._model import HOST, Element
from ._netlink import NETLINK_NETFILTER, Socket
from ._operation_base import Operation, Step

if TYPE_CHECKING:
    from ._kernel import Kernel

_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass(frozen=True, order=True)
class Ports:
    """Ports of the host in a row; no address is all of its addresses."""

    family: int
    protocol: str
    address: str
    first: int
    count: int = 1

    def holds(self, flow: _conntrack.Flow, local: set[str]) -> bool:
        """Whether a flow was sent to one of them. `local` are all addresses of the host."""
        here = {self.address} if self.address else local
        return (
            flow.protocol == _conntrack.PROTOCOLS[self.protocol]
            and self.first <= flow.port < self.first + self.count
            and (flow.destination in here or (not self.address and flow.destination.startswith("127.")))
        )

    def command(self) -> str:
        """By conntrack(8), which fails where it finds none, and knows no ranges."""
        words = ["conntrack", "-D", "-f", f"ipv{self.family}", "-p", self.protocol]
        words += ["--orig-dst", self.address] if self.address else []
        if self.count == 1:
            return f"{shlex.join([*words, '--orig-port-dst', str(self.first)])} || true"
        numbers = f"$(seq {self.first} {self.first + self.count - 1})"
        return f'for port in {numbers}; do {shlex.join([*words, "--orig-port-dst"])} "$port" || true; done'


@dataclass(frozen=True)
class ForgetFlows(Step):
    """Let the kernel forget where it sent the packets that came to these ports. It learns anew: this is not undone."""

    ports: tuple[Ports, ...]

    def perform(self, kernel: Kernel) -> None:
        local = kernel.socket(HOST).local_addresses()
        with closing(Socket(NETLINK_NETFILTER)) as netfilter:
            for family in sorted({one.family for one in self.ports}):
                mine = [one for one in self.ports if one.family == family]
                for flow in netfilter.flows(_FAMILIES[family]):
                    if any(one.holds(flow, local) for one in mine):
                        netfilter.forget(flow)

    def commands(self) -> tuple[str, ...]:
        return tuple(one.command() for one in self.ports)

    def undo(self) -> tuple[Operation, ...]:
        return ()


def forget(changed: Iterable[Element]) -> list[Operation]:
    """What follows from a change of published ports: a sender of UDP or SCTP never begins anew by itself."""
    found: list[Ports] = []
    for one in sorted({_port(element) for element in changed if element.set in _nft.PUBLISHED}):
        last = found[-1] if found else None
        if one.protocol == "tcp":
            continue
        if last and Ports(last.family, last.protocol, last.address, last.first + last.count) == one:
            found[-1] = Ports(last.family, last.protocol, last.address, last.first, last.count + 1)
        else:
            found.append(one)
    return [ForgetFlows(tuple(found))] if found else []


def _port(element: Element) -> Ports:
    *where, protocol, number = element.key
    return Ports(_names.family(element.value[0]), protocol, where[0] if where else "", int(number))
