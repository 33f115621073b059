# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's side of a run: sockets and descriptors of namespaces, applying operations, undoing them."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Callable

from . import _namespaces
from ._errors import BridgenetError
from ._model import HOST
from ._netlink import BATCH, RTM_DELLINK, RTM_NEWLINK, Message, Refused, Socket
from ._operation_base import NetlinkOperation, Operation, Step

# An open namespace is two descriptors, a held one is one; some are left for everything else.
_SPARE = 128
_MOST = 65536


# A link that is to go may go by itself meanwhile: the other end of one in a dying namespace.
GONE = (errno.ENODEV,)


class Failed(BridgenetError):
    """An operation failed; what had been done was undone, or the message says what was not."""


class Kernel:
    """Access to the namespaces of this host from one thread. Close it, or use it in a with block."""

    def __init__(self) -> None:
        self._limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        hard = self._limits[1]
        limit = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        self.room = max(limit - _SPARE, 32)  # descriptors for namespaces
        self.home = _namespaces.open_own()
        self._publisher = _namespaces.Publisher(self.home)
        self._open: dict[str, tuple[int, Socket]] = {HOST: (self.home, Socket())}
        self._paths: dict[str, str] = {}  # of namespaces that are not published under the name that they have here
        self._held: dict[str, tuple[int, str]] = {}  # withdrawn namespaces, until the run has succeeded
        self._indices: dict[tuple[str, str], int] = {}
        self._answers: dict[str, bool] = {}
        self._pending: list[NetlinkOperation] = []
        self._messages: list[Message] = []
        self._done: list[Operation] = []

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_exception: object) -> None:
        for descriptor, _link in self._held.values():
            os.close(descriptor)
        for descriptor, socket in self._open.values():
            socket.close()
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, self._limits)

    # --- access ---

    def _keep(self, namespace: str, descriptor: int, socket: Socket) -> None:
        self._open[namespace] = (descriptor, socket)
        self._make_room(namespace)

    def _make_room(self, needed: str) -> None:
        """Close what was opened first, until there are descriptors enough."""
        while 2 * len(self._open) + len(self._held) > self.room and len(self._open) > 2:
            self._flush()  # a message that waits may name a descriptor
            self.forget(next(name for name in self._open if name not in (HOST, needed)))

    def _access(self, namespace: str) -> tuple[int, Socket]:
        known = self._open.get(namespace)
        if known is None:
            elsewhere = self._paths.get(namespace)
            descriptor = _namespaces.open_path(elsewhere) if elsewhere else _namespaces.open_named(namespace)
            _namespaces.enter(descriptor)
            try:
                known = (descriptor, Socket())
            finally:
                _namespaces.enter(self.home)
            self._keep(namespace, *known)
        return known

    def locate(self, namespace: str, path: str) -> None:
        """Where to find a namespace that is not published under the name that it has here."""
        self.forget(namespace)
        self._paths[namespace] = path

    def is_open(self, namespace: str) -> bool:
        """Whether a namespace has been opened, and has not been closed to make room."""
        return namespace in self._open

    def forget(self, namespace: str) -> None:
        """Close what is open of a namespace."""
        known = self._open.pop(namespace, None)
        if known:
            known[1].close()
            os.close(known[0])

    def socket(self, namespace: str) -> Socket:
        """A netlink socket in a namespace; FileNotFoundError where there is no such namespace."""
        return self._access(namespace)[1]

    def descriptor(self, namespace: str) -> int:
        """An open descriptor of a namespace; FileNotFoundError where there is no such namespace."""
        return self._access(namespace)[0]

    @contextmanager
    def inside(self, namespace: str) -> Iterator[None]:
        """This thread in a namespace for the duration of the block."""
        if namespace == HOST:
            yield
            return
        _namespaces.enter(self.descriptor(namespace))
        try:
            yield
        finally:
            _namespaces.enter(self.home)

    def can(self, what: str, ask: Callable[[Socket], bool]) -> bool:
        """What this kernel can do; asked once, in a namespace for nothing else."""
        if what not in self._answers:
            with _namespaces.scratch(self.home):
                socket = Socket()
                try:
                    self._answers[what] = ask(socket)
                finally:
                    socket.close()
        return self._answers[what]

    def index(self, namespace: str, name: str) -> int:
        """The index of a link, which a message that waits may be about to make."""
        known = self._indices.get((namespace, name))
        if known is None:
            known = self.socket(namespace).index(name)
            if not known:
                self._flush()
                known = self.socket(namespace).index(name)
            if not known:
                raise BridgenetError(
                    f"interface {name!r} is not in {f'namespace {namespace!r}' if namespace else 'the host'} any more"
                )
            self._indices[namespace, name] = known
        return known

    # --- what operations need ---

    def create_namespace(self, name: str, inside: Sequence[NetlinkOperation]) -> None:
        """A published namespace, with `inside` done before it has a name."""

        opened: list[Socket] = []

        def prepare(_descriptor: int) -> None:
            opened.append(Socket())
            self._transact(opened[0], [operation.message(self) for operation in inside])

        try:
            descriptor = self._publisher.create(name, prepare)
        except BaseException:
            for socket in opened:
                socket.close()
            raise
        self._keep(name, descriptor, opened[0])

    def withdraw_namespace(self, name: str) -> None:
        """Take a namespace's name away, but hold the namespace."""
        self.forget(name)
        if name in self._held:  # given to another one since: undo brings back what had the name first
            self._publisher.withdraw(name)
            return
        self._make_room(HOST)
        descriptor = _namespaces.open_named(name)
        self._held[name] = (descriptor, "")
        self._held[name] = (descriptor, self._publisher.withdraw(name))

    def attach_namespace(self, namespace: str, name: str) -> None:
        """Publish a namespace under a name, or under one more."""
        descriptor = self.descriptor(namespace)
        if name != namespace:
            self.forget(name)
        self._publisher.publish(descriptor, name, "")

    def publish_namespace(self, name: str) -> None:
        """Give a held namespace its name back."""
        descriptor, link = self._held[name]
        self._publisher.publish(descriptor, name, link)

    def delete_links(self, namespace: str, names: Sequence[str]) -> None:
        """Delete links; more than one by moving them into a group of their own and deleting that."""
        socket = self.socket(namespace)
        nothing = {"index": 0, "flags": 0, "change": 0}
        self._indices.clear()  # the other ends go, too
        if len(names) == 1:
            self._transact(socket, [Message("link", RTM_DELLINK, 0, nothing, [("IFLA_IFNAME", names[0])])], GONE)
            return
        group = 0x62720000 | (os.getpid() & 0xFFFF)
        moved: list[str] = []
        try:
            for start in range(0, len(names), BATCH):
                part = names[start : start + BATCH]
                self._transact(socket, [_group(name, group) for name in part], GONE)
                moved += part
            self._transact(socket, [Message("link", RTM_DELLINK, 0, nothing, [("IFLA_GROUP", group)])], GONE)
        except OSError:
            start = len(moved) // BATCH * BATCH
            socket.send([_group(name, 0) for name in names[: start + BATCH]])
            raise

    @staticmethod
    def _transact(socket: Socket, messages: Sequence[Message], harmless: Container[int] = ()) -> None:
        for refused in socket.send(messages):
            if refused and refused.errno not in harmless:
                raise refused

    # --- applying ---

    def apply(self, operations: Sequence[Operation]) -> None:
        """Do everything in order. On failure undo what was done and raise Failed, naming the operation as a command."""
        try:
            for operation in operations:
                self._submit(operation)
            self._flush()
        except BaseException as error:
            left = self._roll_back()
            if not isinstance(error, (OSError, BridgenetError)):
                raise
            raise Failed(f"{_said(error)}; {left or 'what this run had done was undone'}") from error

    def undo(self) -> str:
        """Undo all that was applied; "" or what could not be undone."""
        return self._roll_back()

    def _submit(self, operation: Operation) -> None:
        if isinstance(operation, NetlinkOperation):
            if self._pending and (
                self._pending[-1].namespace != operation.namespace
                or len(self._pending) >= BATCH
                or operation.takes_along
            ):
                self._flush()
            try:
                message = operation.message(self)
            except _Broken:
                raise  # of an operation before this one, which had to be sent first
            except (OSError, BridgenetError) as error:
                raise _Broken(operation, error) from error
            self._messages.append(message)
            self._pending.append(operation)
            return
        self._flush()
        if not isinstance(operation, Step):
            raise TypeError(f"{operation!r} is neither a message nor a step")
        try:
            operation.perform(self)
        except (OSError, BridgenetError) as error:
            raise _Broken(operation, error) from error
        self._done.append(operation)

    def _flush(self) -> None:
        if not self._pending:
            return
        pending, messages = self._pending, self._messages
        self._pending, self._messages = [], []
        try:
            outcomes: list[Refused | None] = list(self.socket(pending[0].namespace).send(messages))
        except OSError as error:
            raise _Broken(pending[0], error) from error
        failed = None
        for operation, refused in zip(pending, outcomes):
            if refused is None:
                self._done.append(operation)
            elif failed is None:
                failed = _Broken(operation, refused)
        if failed:
            raise failed

    def _roll_back(self) -> str:
        self._pending, self._messages = [], []
        done, self._done = self._done, []
        left = []
        for operation in reversed(done):
            for back in operation.undo():
                try:
                    self._submit(back)
                    self._flush()
                except (OSError, BridgenetError) as error:
                    self._pending, self._messages = [], []
                    left.append(f"{'; '.join(back.commands())} ({_said(error)})")
        self._done = []
        return f"not everything could be undone, do it by hand: {'; '.join(left)}" if left else ""


class _Broken(OSError):
    """An operation and what was wrong with it."""

    def __init__(self, operation: Operation, error: Exception) -> None:
        super().__init__(*error.args)
        command = "; ".join(operation.commands())
        what = f"`{command}`" if command else "noting down the original sysctls"
        self.text = f"{what} failed: {_said(error)}"


def _said(error: BaseException) -> str:
    if isinstance(error, _Broken):
        return error.text
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)


def _group(name: str, group: int) -> Message:
    fields = {"index": 0, "flags": 0, "change": 0}
    return Message("link", RTM_NEWLINK, 0, fields, [("IFLA_IFNAME", name), ("IFLA_GROUP", group)])
