# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine with a Debian's own kernel, reached by SSH on a port of the loopback.

QEMU emulates the processor, so that it runs wherever a process may run. Its network is QEMU's own: no link is made
on this machine.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.nslab.bridgenet.tests.vm.image import ROOT, Image, run

INSIDE = "/opt/ansible_collections/nslab/bridgenet"
BOOT_LIMIT = 1200  # seconds; a quiet machine needs 15 to 25, and one that has much to do five minutes
POLL = 0.5


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class VirtualMachine:
    """A machine whose disk, and all that is known of it, is in `directory`: another process may go on with it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = directory / "key"
        self._pid_file = directory / "pid"

    @property
    def console(self) -> str:
        """What it printed since it was last started."""
        return (self._directory / "console").read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """The process that it runs in, 0 where it is off."""
        try:
            pid = int(self._pid_file.read_text(encoding="ascii"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return pid if str(self._pid_file).encode() in command else 0

    def start(self, image: Image) -> None:
        """Switch it on, with a disk as in the image, and wait until it lets us in."""
        disk, port = self._directory / "disk", _free_port()
        run("cp", "--sparse=always", image.disk, disk)
        shutil.copy(image.key, self._key)
        known = f"[127.0.0.1]:{port} {image.host_key}"
        (self._directory / "port").write_text(str(port), encoding="ascii")
        (self._directory / "known_hosts").write_text(known, encoding="ascii")
        run(
            *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024"),
            *("-display", "none", "-monitor", "none", "-serial", f"file:{self._directory / 'console'}"),
            *("-kernel", image.kernel, "-initrd", image.initrd),
            *("-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet"),
            *("-drive", f"file={disk},format=raw,if=virtio,cache=unsafe"),
            *("-nic", f"user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:{port}-:22"),
            *("-device", "virtio-rng-pci", "-daemonize", "-pidfile", self._pid_file),
        )
        self._wait(before="")

    def stop(self) -> None:
        """Switch it off as one pulls the plug."""
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
        while self.pid:
            time.sleep(POLL)

    def reboot(self) -> None:
        """Let it shut down and boot again."""
        before = self.boot_id()
        self._ssh("systemctl reboot")
        self._wait(before)

    def boot_id(self) -> str:
        """Another one after every boot."""
        return self.run("cat /proc/sys/kernel/random/boot_id").strip()

    def run(self, script: str) -> str:
        """A script by `sh -e`; its output. What it says on failure is part of the error."""
        done = self._ssh("sh -e", script.encode())
        if done.returncode != 0:
            raise AssertionError(f"exit status {done.returncode} in the virtual machine of:\n{script}\n{_said(done)}")
        return _said(done)

    def copy_collection(self) -> None:
        """This checkout, as git knows it, to where Python and Ansible find it by its name."""
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout.split(b"\0")
        there = b"\0".join(name for name in listed if name and (ROOT / name.decode()).exists())
        pack = ["tar", "--create", "--null", "--files-from=-"]
        packed = subprocess.run(pack, cwd=ROOT, input=there, stdout=subprocess.PIPE, check=True).stdout
        place = shlex.quote(INSIDE)
        done = self._ssh(f"rm -rf {place} && mkdir -p {place} && tar --extract --directory {place}", packed)
        if done.returncode != 0:
            raise RuntimeError(f"the collection could not be copied into the virtual machine: {_said(done)}")

    def fetch(self, path: str) -> str:
        """The content of a file."""
        return self.run(f"cat {shlex.quote(path)}")

    @property
    def variables(self) -> dict[str, str]:
        """How Ansible reaches it."""
        return {
            "ansible_host": "127.0.0.1",
            "ansible_port": self._port,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self._key),
            "ansible_ssh_common_args": shlex.join(["-F", "none", *self._options]),
            "ansible_ssh_timeout": "120",
            "ansible_python_interpreter": "/usr/bin/python3",
        }

    @property
    def _port(self) -> str:
        return (self._directory / "port").read_text(encoding="ascii")

    @property
    def _options(self) -> list[str]:
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "60",
            "IdentitiesOnly": "yes",
            "LogLevel": "ERROR",
            "ServerAliveInterval": "15",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self._directory / "known_hosts"),
        }
        return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]

    def _ssh(self, command: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        login = ["-F", "none", "-i", str(self._key), "-p", self._port, "root@127.0.0.1"]
        return subprocess.run(
            ["ssh", *self._options, *login, command],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def _wait(self, before: str) -> None:
        """Until a boot other than `before` lets us in."""
        end = time.monotonic() + BOOT_LIMIT
        while True:
            done = self._ssh("cat /proc/sys/kernel/random/boot_id")
            if done.returncode == 0 and _said(done).strip() != before:
                return
            if not self.pid or time.monotonic() > end:
                raise RuntimeError(f"the virtual machine did not come up: {_said(done)}\n{self.console}")
            time.sleep(POLL)


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stdout.decode("utf-8", "replace")


def missing() -> str:
    """Why there can be no virtual machine here; "" where there can."""
    programs = ("qemu-system-x86_64", "mmdebstrap", "mkfs.ext4", "ssh", "ssh-keygen", "tar", "git")
    absent = [name for name in programs if not shutil.which(name)]
    return f"not installed: {', '.join(absent)}" if absent else ""


@contextmanager
def virtual_machine(image: Image, directory: Path) -> Iterator[VirtualMachine]:
    """A machine that runs for the duration of a block, with this checkout inside."""
    machine = VirtualMachine(directory)
    try:
        machine.start(image)
        machine.copy_collection()
        yield machine
    finally:
        machine.stop()
