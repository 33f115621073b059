# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that are run by systemd: a release of Debian each, in a container of podman, with no network but its own.

    systemd_hosts.py --state DIR create SUITE...
    systemd_hosts.py --state DIR destroy

makes and ends those of a Molecule scenario, called as their releases. DIR holds the keys, an Ansible inventory and
what destroy needs. The archive of an image is built once for each list of packages.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "systemd-hosts"
PACKAGES = (
    "dbus",
    "iproute2",
    "iptables",
    "iputils-ping",
    "kmod",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "python3-pyroute2",
    "python3-pytest",
    "python3-venv",
    "systemd",
    "systemd-sysv",
)
# The lists of packages stay, for a role to ask what Debian has.
OPTIONS = ("--quiet", "--variant=minbase", "--skip=cleanup/apt/lists", "--dpkgopt=path-exclude=/usr/share/doc/*")
LIMITS = ("--ulimit", "nofile=10000:10000", "--ulimit", "nproc=10000:10000")
TIME_LIMIT = 120  # seconds, until systemd has started everything


class NoHost(Exception):
    """No container can run here, as inside of another one; the message says why."""


def run(*argv: str, text: str = "") -> str:
    """The output of a program of the machine; what it says on failure is part of the error."""
    done = subprocess.run(argv, input=text, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise RuntimeError(f"exit status {done.returncode} of {shlex.join(argv)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def missing() -> str:
    """Why there can be no such host here; "" where there can."""
    if os.geteuid() != 0:
        return "only root can start a host with systemd"
    programs = [name for name in ("podman", "runc", "mmdebstrap") if not shutil.which(name)]
    return f"not installed: {', '.join(programs)}" if programs else ""


def _image(suite: str) -> str:
    """The image of a release; its name."""
    variant = f"{suite}-{hashlib.sha256(' '.join([*OPTIONS, *PACKAGES]).encode()).hexdigest()[:8]}"
    name = f"localhost/bridgenet-systemd:{variant}"
    if subprocess.run(["podman", "image", "exists", name], check=False).returncode != 0:
        CACHE.mkdir(parents=True, exist_ok=True)
        archive = CACHE / f"{variant}.tar"
        if not archive.exists():
            fresh = archive.with_name(f"{variant}.{os.getpid()}.tar")  # another run may be at it
            run("mmdebstrap", *OPTIONS, f"--include={','.join(PACKAGES)}", suite, str(fresh))
            fresh.rename(archive)
        run("podman", "import", "--quiet", str(archive), name)
    return name


@dataclass(frozen=True)
class Container:
    """A running host."""

    number: str
    image: str

    def shell(self, script: str) -> str:
        """Run a script with `sh -e`; its output."""
        return run("podman", "exec", "--interactive", self.number, "sh", "-e", text=script)

    def wait(self) -> None:
        """Until systemd has started everything."""
        end = time.monotonic() + TIME_LIMIT
        while True:
            command = ["podman", "exec", self.number, "systemctl", "is-system-running", "--wait"]
            word = subprocess.run(command, capture_output=True, encoding="utf-8", check=False).stdout.strip()
            if word in ("running", "degraded"):
                return
            if time.monotonic() > end:
                raise RuntimeError(f"systemd did not come up within {TIME_LIMIT} seconds: {word}")
            time.sleep(0.1)

    def let_in(self, key: Path) -> dict[str, str]:
        """Let who has the key in as root; how Ansible gets there by SSH, without any network."""
        public_key = key.with_suffix(".pub").read_text(encoding="utf-8").strip()
        self.shell(
            "mkdir -p -m 755 /run/sshd; mkdir -p -m 700 /root/.ssh;"
            f"echo {shlex.quote(public_key)} >/root/.ssh/authorized_keys"
        )
        pid = run("podman", "inspect", "--format", "{{.State.Pid}}", self.number).strip()
        enter = f"nsenter --target {pid} --mount --uts --ipc --net --pid"
        way_in = f"ProxyCommand={enter} /usr/sbin/sshd -i"
        return {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(key),
            "ansible_ssh_common_args": (
                "-F /dev/null -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null"
                " -o StrictHostKeyChecking=no -o LogLevel=ERROR -o IdentitiesOnly=yes -o IdentityAgent=none"
                f" -o ControlMaster=no -o ControlPath=none -o {shlex.quote(way_in)}"
            ),
            "ansible_ssh_timeout": "60",
            "ansible_python_interpreter": "/usr/bin/python3",
        }

    def remove(self) -> None:
        run("podman", "rm", "--force", "--ignore", "--time=0", self.number)
        # Only the archive is kept. Another run that uses the image removes it after us.
        subprocess.run(["podman", "rmi", self.image], check=False, capture_output=True)


def start(suite: str, *options: str) -> Container:
    """A host that is about to come up, called as its release."""
    image = _image(suite)
    given = ["--hostname", suite, "--privileged", "--systemd=always", "--network=none", *LIMITS, *options]
    try:
        number = run("podman", "--runtime", "runc", "run", "--detach", "--rm", *given, image, "/sbin/init")
    except RuntimeError as error:
        raise NoHost(f"podman cannot run a container here: {error}") from error
    return Container(number.strip(), image)


def make_key(path: Path) -> Path:
    """A new key pair."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "systemd_hosts", "-f", str(path))
    return path


class Lab:
    """The hosts of one state directory."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._file = directory, directory / "state.json"
        self._hosts: dict[str, Container] = {}
        if self._file.exists():
            found = json.loads(self._file.read_text(encoding="utf-8"))
            self._hosts = {suite: Container(**host) for suite, host in found.items()}

    def create(self, suites: list[str]) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = self._directory / "id_ed25519"
        if not key.exists():
            make_key(key)
        for suite in suites:
            if suite not in self._hosts:
                self._hosts[suite] = start(suite)
                self._file.write_text(json.dumps({name: vars(host) for name, host in self._hosts.items()}))
                print(f"created {suite}")
        for host in self._hosts.values():
            host.wait()
        inventory = {"all": {"hosts": {name: host.let_in(key) for name, host in self._hosts.items()}}}
        (self._directory / "inventory.json").write_text(json.dumps(inventory, indent=2), encoding="utf-8")

    def destroy(self) -> None:
        for suite, host in self._hosts.items():
            host.remove()
            print(f"destroyed {suite}")
        if self._directory.exists():
            shutil.rmtree(self._directory)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make test hosts that are run by systemd.")
    parser.add_argument("--state", type=Path, required=True, help="directory for keys, inventory and state")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("create").add_argument("suites", nargs="+", metavar="SUITE")
    commands.add_parser("destroy")
    arguments = parser.parse_args()
    lab = Lab(arguments.state.resolve())
    if arguments.command == "destroy":
        lab.destroy()
        return
    why = missing()
    if why:
        sys.exit(f"systemd_hosts.py: {why}")
    lab.create(arguments.suites)


if __name__ == "__main__":
    main()
