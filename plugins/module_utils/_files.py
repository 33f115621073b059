# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few files that the engine keeps: persisted settings in /etc, and the original sysctls in /run."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping

from ._errors import BridgenetError
from ._model import Original

ORIGINALS = "/run/nslab.bridgenet/original"
SCRIPTS = "/etc/nslab.bridgenet"
_OURS = (os.path.dirname(ORIGINALS), SCRIPTS)

_AT_ONCE = 65536  # bytes


def read(path: str) -> str:
    """The content, "" where there is no such file."""
    return decoded(read_bytes(path))


def decoded(content: bytes) -> str:
    """Bytes as text, whatever they are: somebody's file may be of any encoding."""
    return content.decode("utf-8", "surrogateescape")


def read_bytes(path: str) -> bytes:
    """The same as it is. Without a file object, which takes longer to make than a small file to read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        content = os.read(descriptor, _AT_ONCE)
        while more := os.read(descriptor, _AT_ONCE):
            content += more
        return content
    finally:
        os.close(descriptor)


def inside(directory: str) -> dict[str, str]:
    """The files of a directory by their names, with their contents; none where there is no such directory."""
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return {}
    return {name: read(f"{directory}/{name}") for name in names if os.path.isfile(f"{directory}/{name}")}


def write(path: str, content: str) -> None:
    """Replace a file atomically, or remove it where `content` is ""; an emptied directory of ours goes with it."""
    directory = os.path.dirname(path)
    if not content:
        if os.path.lexists(path):
            os.unlink(path)
        if directory in _OURS and os.path.isdir(directory) and not os.listdir(directory):
            os.rmdir(directory)
        return
    replace(path, encoded(content))


def write_in_place(path: str, content: bytes) -> None:
    """Give a file another content, under the same inode; a link is not followed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        descriptor = os.open(path, flags, 0o644)
    try:
        written = os.write(descriptor, content)
        while written < len(content):
            written += os.write(descriptor, content[written:])
        os.ftruncate(descriptor, written)  # afterwards: whoever reads meanwhile finds all names that he may look for
    finally:
        os.close(descriptor)


def encoded(content: str) -> bytes:
    """Text as bytes, also what was none."""
    return content.encode("utf-8", "surrogateescape")


def replace(path: str, content: bytes) -> None:
    """Write a file atomically, in a directory that is made if it is not there."""
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o755, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=".bridgenet-")
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
        os.chmod(temporary, 0o644)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def originals() -> dict[str, Original]:
    """The sysctls of the host as they were before our first write."""
    content = read(ORIGINALS)
    if not content:
        return {}
    try:
        return {name: Original(before, ours) for name, (before, ours) in json.loads(content).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise BridgenetError(
            f"{ORIGINALS}, which keeps the host's own sysctls, cannot be read ({error}); mend it, or remove it to let "
            "the sysctls stay as they are"
        ) from error


def originals_text(values: Mapping[str, Original]) -> str:
    """The content of the file of originals: JSON of one line for each, as the script of a boot writes it, too."""
    if not values:
        return ""
    lines = (f" {json.dumps(name)}: {json.dumps([one.before, one.ours])}" for name, one in sorted(values.items()))
    return "{\n" + ",\n".join(lines) + "\n}\n"
