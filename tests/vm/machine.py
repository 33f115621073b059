# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine with a Debian's own kernel, reached by SSH on a port of the loopback.

QEMU emulates the processor, so that it runs wherever a process may run. Its network is QEMU's own: no link is made
on this machine.
"""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.nslab.bridgenet.tests.vm.image import ROOT, Image

INSIDE = "/opt/ansible_collections/nslab/bridgenet"
BOOT_LIMIT = 1200  # seconds; a quiet machine needs 15 to 25, and one that has much to do five minutes
POLL = 0.5


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class VirtualMachine:
    """A machine with a disk of its own in `directory`, off until it is started."""

    def __init__(self, image: Image, directory: Path) -> None:
        self._image = image
        self._directory = directory
        self._disk = directory / "disk"
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run(["cp", "--sparse=always", image.disk, self._disk], check=True)

    @property
    def console(self) -> str:
        """What it printed since it was last started."""
        return (self._directory / "console").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Switch it on, and wait until it lets us in."""
        self._port = _free_port()
        known = f"[127.0.0.1]:{self._port} {self._image.host_key}"
        (self._directory / "known_hosts").write_text(known, encoding="ascii")
        self._process = subprocess.Popen(
            [
                *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024"),
                *("-display", "none", "-monitor", "none", "-serial", f"file:{self._directory / 'console'}"),
                *("-kernel", str(self._image.kernel), "-initrd", str(self._image.initrd)),
                *("-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet"),
                *("-drive", f"file={self._disk},format=raw,if=virtio,cache=unsafe"),
                *("-nic", f"user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:{self._port}-:22"),
                *("-device", "virtio-rng-pci"),
            ],
            stdin=subprocess.DEVNULL,
        )
        self._wait(before="")

    def stop(self) -> None:
        """Switch it off as one pulls the plug."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

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
            "ansible_port": str(self._port),
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self._image.key),
            "ansible_ssh_common_args": shlex.join(["-F", "none", *self._options]),
            "ansible_python_interpreter": "/usr/bin/python3",
        }

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
        login = ["-F", "none", "-i", str(self._image.key), "-p", str(self._port), "root@127.0.0.1"]
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
            if self._process is None or self._process.poll() is not None or time.monotonic() > end:
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
    machine = VirtualMachine(image, directory)
    try:
        machine.start()
        machine.copy_collection()
        yield machine
    finally:
        machine.stop()
