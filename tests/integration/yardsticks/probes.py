# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets an answer from whom, and whom the one who answers sees: TCP and UDP, in one loop and without a process.

A socket belongs to the namespace in which it was made, wherever it is used from.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside

PORT, NEXT_PORT = 80, 81  # where everybody listens
QUIET = 1.5  # seconds without a word: a first packet that was lost is sent again after 1

_FAMILIES = (socket.AF_INET, socket.AF_INET6)
PROTOCOLS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_IP_PKTINFO = 8  # linux/in.h: Python has no name for it
_WHICH = {
    socket.AF_INET: (socket.IPPROTO_IP, _IP_PKTINFO),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO),
}


@dataclass(frozen=True)
class Question:
    """Somebody asks an address."""

    source: str  # a namespace; "" is the host
    address: str
    port: int = PORT
    protocol: str = "tcp"


@dataclass(frozen=True)
class Answer:
    """Who answered, and which address that saw; or that nobody listens, or nothing at all."""

    server: str = ""
    seen: str = ""
    refused: bool = False


def _from_there(about: tuple[int, int, bytes]) -> tuple[int, int, bytes]:
    """Answer from the address that was asked, by whatever interface: a host has several (ip(7), ipv6(7))."""
    level, kind, packed = about
    if level == socket.IPPROTO_IP:
        return level, kind, bytes(4) + packed[4:]
    return level, kind, packed[:16] + bytes(4)


class _Loop:
    def __init__(self, stack: ExitStack, names: Mapping[str, str]) -> None:
        self.stack = stack
        self.names = names  # namespace -> how it answers
        self.selector = stack.enter_context(selectors.DefaultSelector())
        self.answers: dict[Question, Answer] = {}

    def _socket(self, namespace: str, family: int, protocol: str) -> socket.socket:
        with inside(namespace):
            made = self.stack.enter_context(socket.socket(family, PROTOCOLS[protocol]))
        made.setblocking(False)
        return made

    def listen(self, namespace: str, port: int) -> None:
        for family in _FAMILIES:
            for protocol in PROTOCOLS:
                server = self._socket(namespace, family, protocol)
                if family == socket.AF_INET6:
                    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                if protocol == "udp":
                    server.setsockopt(*_WHICH[family], 1)
                server.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))  # noqa: S104
                if protocol == "tcp":
                    server.listen(100)
                self.selector.register(server, selectors.EVENT_READ, (self._serve, namespace))

    def _serve(self, server: socket.socket, namespace: str) -> None:
        if server.type == socket.SOCK_DGRAM:
            _said, about, _flags, peer = server.recvmsg(100, 100)
            with suppress(OSError):  # no way back
                server.sendmsg([f"{self.names[namespace]} {peer[0]}".encode()], map(_from_there, about), 0, peer)
            return
        connection, peer = server.accept()
        with connection:
            connection.sendall(f"{self.names[namespace]} {peer[0]}".encode())

    def ask(self, question: Question) -> None:
        family = socket.AF_INET6 if ":" in question.address else socket.AF_INET
        client = self._socket(question.source, family, question.protocol)
        try:
            client.connect((question.address, question.port))
            client.send(b"?")
        except BlockingIOError:
            pass
        except OSError:  # no route
            return
        self.selector.register(client, selectors.EVENT_READ, (self._hear, question))

    def _hear(self, client: socket.socket, question: Question) -> None:
        self.selector.unregister(client)
        try:
            server, _space, seen = client.recv(100).decode().partition(" ")
        except ConnectionRefusedError:
            self.answers[question] = Answer(refused=True)
        except OSError:
            pass
        else:
            self.answers[question] = Answer(server, seen)
        client.close()  # a process has few descriptors

    def run(self) -> None:
        while events := self.selector.select(QUIET):
            for key, _events in events:
                react, about = key.data
                react(key.fileobj, about)


def ask(questions: Iterable[Question], names: Mapping[str, str]) -> dict[Question, Answer]:
    """All of them at once; everybody in `names` listens."""
    asked = list(questions)
    with ExitStack() as stack:
        loop = _Loop(stack, names)
        for namespace in names:
            loop.listen(namespace, PORT)
            loop.listen(namespace, NEXT_PORT)
        for _round in range(2):  # who is silent is asked twice: the machine may be busy
            for question in asked:
                if question not in loop.answers:
                    loop.ask(question)
            loop.run()
        return {question: loop.answers.get(question, Answer()) for question in asked}
