# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listens at ports where nobody does, and says to each caller where he arrived."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass

TAG_BYTES = 16
_AT_ONCE = struct.pack("ii", 1, 0)  # of SO_LINGER: the port is free at once


@dataclass(frozen=True)
class Arrival:
    """A port in a namespace."""

    namespace: str
    address: str
    port: int
    protocol: str  # tcp or udp


def taken(arrival: Arrival) -> str:
    """How a message names it."""
    where = f"[{arrival.address}]" if ":" in arrival.address else arrival.address
    return f"{where}:{arrival.port}/{arrival.protocol} already"


class Listener:
    """At a port, in the namespace that this thread is in; without a socket where the kernel refuses it.

    At the one address, and never beside a program that has the port: what belongs to others keeps coming to them.
    """

    def __init__(self, arrival: Arrival) -> None:
        self.arrival = arrival
        self.tag = os.urandom(TAG_BYTES)
        self.socket: socket.socket | None = None
        self.error = 0
        self._accepted: list[socket.socket] = []
        family = socket.AF_INET6 if ":" in arrival.address else socket.AF_INET
        kind = socket.SOCK_STREAM if arrival.protocol == "tcp" else socket.SOCK_DGRAM
        one = socket.socket(family, kind | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        try:
            if arrival.protocol == "tcp":  # for UDP it would share the port
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((arrival.address, arrival.port))
            if arrival.protocol == "tcp":
                one.listen(socket.SOMAXCONN)
        except OSError as error:
            one.close()
            self.error = error.errno or 0
        else:
            self.socket = one

    def serve(self) -> None:
        """Answer all who are there."""
        while self.socket:
            try:
                if self.arrival.protocol == "udp":
                    _data, caller = self.socket.recvfrom(TAG_BYTES)
                    self.socket.sendto(self.tag, caller)
                    continue
                one, _caller = self.socket.accept()
                self._accepted.append(one)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                one.send(self.tag)
            except ConnectionError:
                continue  # the caller is gone again
            except OSError:
                return  # there is nobody else

    def close(self) -> None:
        """Nobody listens there any more."""
        for one in (*self._accepted, *([self.socket] if self.socket else [])):
            one.close()
