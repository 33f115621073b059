# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that starts a process: nft, modprobe, systemctl, podman and others; never by way of a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from typing import BinaryIO

from ._errors import BridgenetError

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"


class ProgramError(OSError):
    """A program said no; its words are in the message."""


def find(name: str) -> str | None:
    """The path of a program of the system, None where it is not installed."""
    return shutil.which(name, path=_PATH)


def require(name: str) -> str:
    """The path of a program of the system; BridgenetError where it is not installed."""
    path = find(name)
    if path is None:
        raise BridgenetError(
            f"the program {name} is missing on this host; install it (Debian: `apt install {_package(name)}`)"
        )
    return path


def _memory(name: str, text: str = "") -> BinaryIO:
    """A file in memory. Unlike a pipe it is never full, and wakes nobody for every word that is written to it."""
    file = os.fdopen(os.memfd_create(name), "w+b")
    file.write(text.encode())
    file.seek(0)
    return file


class Running:
    """A program on its way; use it in a with block, so that none is left behind."""

    def __init__(self, argv: Sequence[str], text: str = "") -> None:
        path = require(argv[0])
        self._argv = argv
        self._said, self._complaint = _memory("stdout"), _memory("stderr")
        with _memory("stdin", text) as said_to_it:
            self._process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                [path, *argv[1:]],
                stdin=said_to_it,
                stdout=self._said,
                stderr=self._complaint,
                env={"PATH": _PATH, "LC_ALL": "C"},
            )

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._said.close()
        self._complaint.close()

    def result(self) -> str:
        """Wait for its end; what it printed."""
        code = self._process.wait()
        if code != 0:
            complaint = _content(self._complaint).strip()
            raise ProgramError(code, f"{shlex.join(self._argv)}: {complaint or f'exit status {code}'}")
        return _content(self._said)


def _content(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def run(argv: Sequence[str], text: str = "") -> str:
    """Run a program to its end; what it printed. BridgenetError where it is not installed."""
    with Running(argv, text) as running:
        return running.result()


def _package(name: str) -> str:
    known = {"nft": "nftables", "modprobe": "kmod", "podman": "podman", "docker": "docker.io"}
    known.update(dict.fromkeys(("systemctl", "journalctl", "busctl"), "systemd"), **{"firewall-cmd": "firewalld"})
    return known.get(name, "iptables")


def nft(text: str) -> None:
    """Apply nft's own language in one transaction."""
    run(["nft", "-f", "-"], text)


def nft_counters(table: str) -> str:
    """The named counters of a table of the family inet, as nft's JSON."""
    return run(["nft", "--json", "list", "counters", "table", "inet", table])


def load_module(name: str) -> None:
    """modprobe(8)."""
    run(["modprobe", "--", name])


def container_pid(engine: str, name: str) -> int:
    """The first process of a running container of podman or docker, as this host numbers it."""
    try:
        said = run([engine, "inspect", "--type", "container", "--format", "{{.State.Pid}}", name]).strip()
    except ProgramError as error:
        raise BridgenetError(
            f"adopt: {engine} knows no container {name!r} ({error}); start it first, or correct the name"
        ) from error
    if not said.isdigit() or said == "0":
        raise BridgenetError(f"adopt: the {engine} container {name!r} is not running; start it first")
    return int(said)
