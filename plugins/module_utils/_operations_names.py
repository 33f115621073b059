# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operation that writes what namespaces know by name."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _files
from ._known_names import DIRECTORY
from ._operation_base import Operation, Step

if TYPE_CHECKING:
    from ._kernel import Kernel


@dataclass(frozen=True)
class WriteNames(Step):
    """Files below /etc/netns, each path with its content before and after; "" is no file.

    A file is written in place: a process for which it is mounted over one in /etc sees the change, and would see
    the old file for ever if another one took its place.
    """

    files: tuple[tuple[str, str, str], ...]

    def perform(self, kernel: Kernel) -> None:
        done = []
        texts = {after for _path, _before, after in self.files}  # most are the same
        data = {text: _files.encoded(text) for text in texts}
        try:
            for path, before, after in self.files:
                done.append((path, before))
                _put(path, data[after])
        except OSError:
            for path, before in reversed(done):
                with suppress(OSError):  # what could not be written is as it was
                    _put(path, _files.encoded(before))
            raise

    def commands(self) -> tuple[str, ...]:
        """Files of the same content by one command: in a network of 500 that is one, and not 500."""
        paths: dict[str, list[str]] = {}
        for path, _before, after in self.files:
            paths.setdefault(after, []).append(path)
        gone = paths.pop("", [])
        lines = []
        if paths:
            lines.append(shlex.join(["mkdir", "-p", *_directories(path for some in paths.values() for path in some)]))
        for text, some in paths.items():
            lines.append(f"printf %s {shlex.quote(text)} | {shlex.join(['tee', *some])} >/dev/null")
        if gone:
            lines.append(shlex.join(["rm", "-f", *gone]))
            lines.append(shlex.join(["rmdir", "--ignore-fail-on-non-empty", *_directories(gone), DIRECTORY]))
        return tuple(lines)

    def undo(self) -> tuple[Operation, ...]:
        return (WriteNames(tuple((path, after, before) for path, before, after in self.files)),)


def _directories(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(os.path.dirname, paths)))


def _put(path: str, content: bytes) -> None:
    """Write a file, or remove it with its directory, and that of all namespaces, where they are empty then."""
    if content:
        _files.write_in_place(path, content)
        return
    _files.write(path, "")
    for directory in (os.path.dirname(path), DIRECTORY):
        if os.path.isdir(directory) and not os.listdir(directory):
            os.rmdir(directory)
