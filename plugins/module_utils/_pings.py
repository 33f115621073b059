# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks many addresses from many namespaces at once, from one process: ICMP echo, TCP connections, UDP datagrams."""

from __future__ import annotations

import errno
import os
import select
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from . import _packets
from ._arrivals import TAG_BYTES, Arrival, Listener, taken
from ._errors import BridgenetError
from ._kernel import Kernel

# These say nothing of who is reached.
_NOT_ASKED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN)
_ROOM = 5.0  # seconds; the kernel asks for a neighbour's address three times, once a second

_REASONS = {errno.ECONNREFUSED: "refused", errno.ETIMEDOUT: "no answer"}


@dataclass(frozen=True)
class Ping:
    """A question: does this address answer here."""

    source: str  # a namespace
    target: str
    port: int = 0  # 0 is ICMP echo
    protocol: str = "icmp"
    arrival: Arrival | None = None  # where it must come to, to be reached

    @property
    def family(self) -> int:
        """Of the address."""
        return socket.AF_INET6 if ":" in self.target else socket.AF_INET


@dataclass(frozen=True)
class Answer:
    """What came back."""

    reached: bool | None  # None where it was not asked
    words: str  # "echo reply", "connected", "no answer", "host unreachable" and the like
    seconds: float = 0


@dataclass(frozen=True)
class _Asked:
    """A question that waits for its answer."""

    number: int
    since: float


class _Round:
    """All questions of one call, and the answers so far."""

    def __init__(self, pings: Sequence[Ping]) -> None:
        self._pings = pings
        self.answers: dict[int, Answer] = {}
        self._selector = selectors.DefaultSelector()
        self._by_tag: dict[bytes, _Asked] = {}
        self._raw: dict[tuple[str, int], socket.socket] = {}
        self._callers: list[socket.socket] = []
        self._listeners: dict[Arrival, Listener] = {}

    def close(self) -> None:
        """Close every socket: first those who called, so that no port stays occupied where somebody listened."""
        self._selector.close()
        for one in (*self._raw.values(), *self._callers):
            one.close()
        for listener in self._listeners.values():
            listener.close()

    def listen(self, arrival: Arrival) -> None:
        """Wait for what arrives there, in the namespace that this thread is in."""
        listener = self._listeners[arrival] = Listener(arrival)
        if listener.socket:
            self._selector.register(listener.socket, selectors.EVENT_READ, listener.serve)

    def ask(self, number: int) -> None:
        """Send, from the namespace that this thread is in."""
        ping = self._pings[number]
        listener = self._listeners[ping.arrival] if ping.arrival else None
        if listener and listener.error == errno.EADDRINUSE and ping.protocol == "udp":
            self.answers[number] = Answer(None, f"not asked, as a program listens at {taken(listener.arrival)}")
            return
        asked = _Asked(number, time.monotonic())
        try:
            if ping.protocol == "icmp":
                self._echo(ping, asked)
            else:
                self._call(ping, asked, listener)
        except OSError as error:
            self._not_sent(number, error.errno or 0)

    def _not_sent(self, number: int, failed: int) -> None:
        if failed in _NOT_ASKED:
            raise BridgenetError(
                f"{len(self._pings)} questions at once are too many for this host ({os.strerror(failed)}); ask in "
                "parts, or raise the limit (`ulimit -Hn`)"
            )
        self.answers[number] = _failed(failed)

    def _call(self, ping: Ping, asked: _Asked, listener: Listener | None) -> None:
        kind = socket.SOCK_STREAM if ping.protocol == "tcp" else socket.SOCK_DGRAM
        one = socket.socket(ping.family, kind | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self._callers.append(one)
        failed = one.connect_ex((ping.target, ping.port))
        if failed not in (0, errno.EINPROGRESS):
            self._not_sent(asked.number, failed)
            return
        # Whoever answers where the listener could not be, is somebody else, but for the program that has the port.
        tag = b"" if listener is None or listener.error == errno.EADDRINUSE else listener.tag
        if ping.protocol == "udp":
            one.send(b"?")
            self._selector.register(one, selectors.EVENT_READ, partial(self._told, one, asked, tag))
        else:
            self._selector.register(one, selectors.EVENT_WRITE, partial(self._connected, one, asked, tag))

    def _echo(self, ping: Ping, asked: _Asked) -> None:
        place = (ping.source, ping.family)
        if place not in self._raw:
            protocol = _packets.ICMPV6 if ping.family == socket.AF_INET6 else _packets.ICMP
            kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            one = self._raw[place] = socket.socket(ping.family, kind, protocol)
            self._selector.register(one, selectors.EVENT_READ, partial(self._echoed, one))
        tag = os.urandom(16)
        self._by_tag[tag] = asked
        message = _packets.echo_request(ping.family, asked.number & 0xFFFF, 1, tag)
        self._send(self._raw[place], message, (ping.target, 0))

    def _send(self, one: socket.socket, message: bytes, to: tuple[str, int]) -> None:
        """What waits for a neighbour's address takes room, until the kernel gives up."""
        end = time.monotonic() + _ROOM
        while True:
            try:
                one.sendto(message, to)
                return
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise
                self.read(0)
                room = select.poll()  # select() knows no descriptor above 1023
                room.register(one, select.POLLOUT)
                room.poll(100)

    def read(self, limit: float) -> None:
        """Take the answers that are there, or the first ones that come within `limit` seconds."""
        for key, _events in self._selector.select(limit):
            key.data()

    def _connected(self, one: socket.socket, asked: _Asked, tag: bytes) -> None:
        self._selector.unregister(one)
        failed = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            self.answers[asked.number] = _failed(failed)
        elif tag:
            self._selector.register(one, selectors.EVENT_READ, partial(self._told, one, asked, tag))
        else:
            self.answers[asked.number] = _reached("connected", asked)

    def _told(self, one: socket.socket, asked: _Asked, tag: bytes) -> None:
        """Who was called says who it is."""
        self._selector.unregister(one)
        try:
            mine = one.recv(TAG_BYTES) == tag
        except OSError as error:
            self.answers[asked.number] = _failed(error.errno or 0)
            return
        words = "connected" if one.type == socket.SOCK_STREAM else "answered"
        self.answers[asked.number] = _reached(words, asked) if mine else Answer(False, "somebody else answers")

    def _echoed(self, one: socket.socket) -> None:
        while True:
            try:
                data = one.recv(65536)
            except BlockingIOError:
                return
            self._heard(data, one.family)

    def _heard(self, data: bytes, family: int) -> None:
        packet = _packets.parse_icmp(data, family)
        if packet is None:
            return
        quoted = _packets.parse(packet.body) if packet.is_error else None
        body = quoted.body if quoted else packet.body
        asked = self._by_tag.get(body[:16])
        if asked is None or asked.number in self.answers:
            return
        if packet.is_error:
            self.answers[asked.number] = Answer(False, packet.reason)
        elif packet.kind == _packets.ECHO_REPLIES[packet.protocol]:
            self.answers[asked.number] = _reached("echo reply", asked)


def _reached(words: str, asked: _Asked) -> Answer:
    return Answer(True, words, time.monotonic() - asked.since)


def _failed(number: int) -> Answer:
    return Answer(False, _REASONS.get(number, os.strerror(number).lower()))


def ask(kernel: Kernel, pings: Sequence[Ping], limits: Sequence[float]) -> list[Answer]:
    """The answers in the order of the questions; FileNotFoundError where a namespace is missing.

    For each there is a limit, in seconds from when all have been asked.
    """
    by_source: dict[str, list[int]] = {}
    for number, ping in enumerate(pings):
        by_source.setdefault(ping.source, []).append(number)
    this = _Round(pings)
    try:
        for arrival in dict.fromkeys(ping.arrival for ping in pings if ping.arrival):
            with kernel.inside(arrival.namespace):
                this.listen(arrival)
        for source, numbers in by_source.items():
            with kernel.inside(source):
                for number in numbers:
                    this.ask(number)
                    this.read(0)  # a socket has room for some hundred answers
        asked = time.monotonic()
        longest = sorted(range(len(pings)), key=lambda number: limits[number])
        while longest:
            if longest[-1] in this.answers:
                longest.pop()
                continue
            left = asked + limits[longest[-1]] - time.monotonic()
            if left <= 0:
                break
            this.read(left)
    finally:
        this.close()
    return [this.answers.get(number, Answer(False, "no answer")) for number in range(len(pings))]
