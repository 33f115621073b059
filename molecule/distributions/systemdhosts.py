# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make test hosts that are run by systemd, each with another release of Debian, out of containers of podman.

    python3 systemdhosts.py --state DIR --images DIR create SUITE...
    python3 systemdhosts.py --state DIR --images DIR destroy

A host is called as its release, and has no network but its own: SSH comes in by `nsenter`. DIR holds the keys,
an Ansible inventory and what destroy needs. The archive of an image is built once for each list of packages.
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
from pathlib import Path
from typing import Any

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
    "python3-venv",
    "systemd",
    "systemd-sysv",
)
PROGRAMS = ("podman", "runc", "mmdebstrap", "ssh-keygen")
LIMITS = ("--ulimit", "nofile=10000:10000", "--ulimit", "nproc=10000:10000")
TIME_LIMIT = 120  # seconds, until systemd has started everything


def run(*argv: str, text: str = "") -> str:
    """A program of the machine; what it says on failure is part of the error."""
    done = subprocess.run(argv, input=text, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise RuntimeError(f"exit status {done.returncode} of {shlex.join(argv)}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def image(suite: str, directory: Path) -> str:
    """The image of a release; its name."""
    variant = f"{suite}-{hashlib.sha256(','.join(PACKAGES).encode()).hexdigest()[:8]}"
    name = f"localhost/bridgenet-distribution:{variant}"
    archive = directory / f"{variant}.tar"
    if not archive.exists():
        directory.mkdir(parents=True, exist_ok=True)
        fresh = archive.with_name(f"{variant}.new.tar")
        # The lists stay, for the role to ask what Debian has.
        options = (
            "--quiet",
            "--variant=minbase",
            "--skip=cleanup/apt/lists",
            "--dpkgopt=path-exclude=/usr/share/doc/*",
        )
        run("mmdebstrap", *options, f"--include={','.join(PACKAGES)}", suite, str(fresh))
        fresh.rename(archive)
    if subprocess.run(["podman", "image", "exists", name], check=False).returncode != 0:
        run("podman", "import", "--quiet", str(archive), name)
    return name


class Lab:
    """The hosts of one state directory."""

    def __init__(self, directory: Path, images: Path) -> None:
        self.directory, self.images, self.file = directory, images, directory / "state.json"
        self.state: dict[str, Any] = {"hosts": {}}
        if self.file.exists():
            self.state = json.loads(self.file.read_text(encoding="utf-8"))

    def save(self) -> None:
        self.file.write_text(json.dumps(self.state, indent=2), encoding="utf-8")
        inventory = {"all": {"hosts": {name: self.login(host) for name, host in self.state["hosts"].items()}}}
        (self.directory / "inventory.json").write_text(json.dumps(inventory, indent=2), encoding="utf-8")

    def login(self, host: dict[str, str]) -> dict[str, str]:
        enter = f"nsenter --target {host['pid']} --mount --uts --ipc --net --pid"
        way_in = f"ProxyCommand={enter} /usr/sbin/sshd -i"
        return {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.directory / "id_ed25519"),
            "ansible_ssh_common_args": (
                "-F /dev/null -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null"
                " -o StrictHostKeyChecking=no -o LogLevel=ERROR -o IdentitiesOnly=yes -o IdentityAgent=none"
                f" -o ControlMaster=no -o ControlPath=none -o {shlex.quote(way_in)}"
            ),
            "ansible_ssh_timeout": "60",
            "ansible_python_interpreter": "/usr/bin/python3",
        }

    def create(self, suites: list[str]) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        key = self.directory / "id_ed25519"
        if not key.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "systemdhosts", "-f", str(key))
        public_key = key.with_suffix(".pub").read_text(encoding="utf-8")
        missing = [suite for suite in suites if suite not in self.state["hosts"]]
        for suite in missing:
            options = ("--hostname", suite, "--privileged", "--systemd=always", "--network=none")
            name = image(suite, self.images)
            container = run(
                "podman", "--runtime", "runc", "run", "--detach", "--rm", *LIMITS, *options, name, "/sbin/init"
            )
            pid = run("podman", "inspect", "--format", "{{.State.Pid}}", container)
            self.state["hosts"][suite] = {"container": container, "pid": pid, "image": name}
            self.save()
        for suite in missing:
            container = self.state["hosts"][suite]["container"]
            self.wait(container)
            letting_in = "mkdir -p -m 755 /run/sshd; mkdir -p -m 700 /root/.ssh; cat >/root/.ssh/authorized_keys"
            run("podman", "exec", "--interactive", container, "sh", "-ec", letting_in, text=public_key)
            print(f"created {suite}")

    def wait(self, container: str) -> None:
        end = time.monotonic() + TIME_LIMIT
        while True:
            command = ["podman", "exec", container, "systemctl", "is-system-running"]
            word = subprocess.run(command, capture_output=True, encoding="utf-8", check=False).stdout.strip()
            if word in ("running", "degraded"):
                return
            if time.monotonic() > end:
                raise RuntimeError(f"systemd did not come up within {TIME_LIMIT} seconds: {word}")
            time.sleep(0.2)

    def destroy(self) -> None:
        for suite, host in self.state["hosts"].items():
            run("podman", "rm", "--force", "--ignore", "--time=0", host["container"])
            # Only the archive is kept. Another run that uses the image removes it after us.
            subprocess.run(["podman", "rmi", host["image"]], check=False, capture_output=True)
            print(f"destroyed {suite}")
        if self.directory.exists():
            shutil.rmtree(self.directory)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make test hosts that are run by systemd.")
    parser.add_argument("--state", type=Path, required=True, help="directory for keys, inventory and state")
    parser.add_argument("--images", type=Path, required=True, help="directory for the archives of images")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("create").add_argument("suites", nargs="+", metavar="SUITE")
    commands.add_parser("destroy")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("systemdhosts.py: only root can start a host with systemd")
    lab = Lab(arguments.state.resolve(), arguments.images.resolve())
    if arguments.command == "destroy":
        lab.destroy()
        return
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        sys.exit(f"systemdhosts.py: not installed: {', '.join(missing)}")
    lab.create(arguments.suites)


if __name__ == "__main__":
    main()
