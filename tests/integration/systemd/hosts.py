# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is run by systemd: a Debian in a container of podman, without any network but its own."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
CACHE = ROOT / ".cache" / "systemd-host"
SUITE = os.environ.get("BRIDGENET_SUITE", "bookworm")
PACKAGES = "systemd,systemd-sysv,dbus,iproute2,nftables,openssh-server,procps,python3,python3-pyroute2,python3-pytest"
INSIDE = "/opt/ansible_collections/nslab/bridgenet"
TIME_LIMIT = 60


class NoHost(Exception):
    """No container can run here, as inside of another one; the message says why."""


def run(*argv: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """A program of the machine; what it says on failure is part of the error."""
    done = subprocess.run(argv, input=text, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise RuntimeError(f"exit status {done.returncode} of {shlex.join(argv)}:\n{done.stdout}{done.stderr}")
    return done


def image() -> str:
    """The image, whose archive is built once; its name."""
    variant = f"{SUITE}-{hashlib.sha256(PACKAGES.encode()).hexdigest()[:8]}"
    name = f"localhost/bridgenet-systemd:{variant}"
    if subprocess.run(["podman", "image", "exists", name], check=False).returncode != 0:
        CACHE.mkdir(parents=True, exist_ok=True)
        archive = CACHE / f"{variant}.tar"
        if not archive.exists():
            fresh = archive.with_name(f"{variant}.{os.getpid()}.tar")  # another run may be at it
            run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(fresh))
            fresh.rename(archive)
        run("podman", "import", "--quiet", str(archive), name)
    return name


class SystemdHost:
    """A running one."""

    def __init__(self, container: str) -> None:
        self._container = container
        module = "ansible_collections.nslab.bridgenet.tests.integration.systemd.remote"
        python = ["env", "PYTHONPATH=/opt", "PYTHONDONTWRITEBYTECODE=1", "python3", "-m", module]
        self._engine = subprocess.Popen(
            ["podman", "exec", "--interactive", container, *python],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def close(self) -> None:
        """End the engine."""
        self._engine.communicate()

    def shell(self, script: str) -> str:
        """Run a script with `sh -e`; its output."""
        return run("podman", "exec", "--interactive", self._container, "sh", "-e", text=script).stdout

    def engine(
        self, objects: Any, check: bool = False, fault: int | None = None, settle: float | None = 0, **options: Any
    ) -> dict[str, Any]:
        """One task of the engine. What is known to stay needs no time to `settle`; None is as long as ever."""
        request = {"objects": objects, "options": options, "check": check, "fault": fault, "settle": settle}
        assert self._engine.stdin
        assert self._engine.stdout
        self._engine.stdin.write(json.dumps(request) + "\n")
        self._engine.stdin.flush()
        found: dict[str, Any] = json.loads(self._engine.stdout.readline())
        return found

    def let_in(self, public_key: str) -> str:
        """The option by which ssh gets in without any network."""
        self.shell(f"mkdir -p /run/sshd ~/.ssh; echo {shlex.quote(public_key)} >~/.ssh/authorized_keys")
        return f"ProxyCommand=podman exec --interactive {self._container} /usr/sbin/sshd -i"

    def show(self, service: str, *properties: str) -> list[str]:
        """What systemd says of a service."""
        words = ["systemctl", "show", *(f"--property={name}" for name in properties), f"bridgenet-{service}.service"]
        values = dict(line.split("=", 1) for line in self.shell(shlex.join(words)).splitlines())
        return [values[name] for name in properties]

    def pid(self, service: str) -> int:
        """Its main process, 0 where there is none."""
        return int(self.show(service, "MainPID")[0])

    def state(self) -> str:
        """All that a task may change, as text: units, files beside them, what runs and where, links and namespaces."""
        return self.shell(
            """
            cd /etc/systemd/system; for unit in bridgenet-*; do
                [ -e "$unit" ] || continue
                echo "--- $unit"; cat "$unit"; systemctl show --property=ActiveState "$unit"
                pid=$(systemctl show --property=MainPID --value "$unit")
                [ "$pid" = 0 ] || ip netns identify "$pid"
            done
            for file in nslab-bridgenet-* multi-user.target.wants/nslab-bridgenet-* /etc/nslab.bridgenet/*; do
                [ ! -L "$file" ] || readlink "$file"
                [ ! -e "$file" ] || { echo "--- $file"; cat "$file"; }
            done
            systemctl list-units --all --plain --no-legend 'bridgenet-*' 'nslab-bridgenet-*' | sort
            [ ! -d /etc/netns ] || find /etc/netns -print -type f -exec cat {} +
            ip netns list | cut -d' ' -f1 | sort; nft list ruleset
            # The kernel tells of carriers later than of the rest: they are no part of what a task made.
            ip -br link | sed -E 's/@[^ ]+//; s/ +(UP|DOWN|UNKNOWN|LOWERLAYERDOWN) +/ /; s/NO-CARRIER,//; s/,LOWER_UP//'
            """
        )


@contextmanager
def systemd_host() -> Iterator[SystemdHost]:
    """A host for the duration of a block."""
    limits = ["--ulimit", "nofile=10000:10000", "--ulimit", "nproc=10000:10000"]
    options = ["--privileged", "--systemd=always", "--network=none", f"--volume={ROOT}:{INSIDE}:ro"]
    name = image()
    try:
        started = run("podman", "--runtime", "runc", "run", "--detach", "--rm", *limits, *options, name, "/sbin/init")
    except RuntimeError as error:
        raise NoHost(f"podman cannot run a container here: {error}") from error
    container = started.stdout.strip()
    try:
        _wait(container)
        host = SystemdHost(container)
        try:
            yield host
        finally:
            host.close()
    finally:
        run("podman", "rm", "--force", "--time=0", container)
        # Only the archive is kept. Another run that uses the image removes it after us.
        subprocess.run(["podman", "rmi", name], check=False, capture_output=True)


def _wait(container: str) -> None:
    """Until systemd has started everything."""
    end = time.monotonic() + TIME_LIMIT
    while True:
        command = ["podman", "exec", container, "systemctl", "is-system-running", "--wait"]
        word = subprocess.run(command, capture_output=True, encoding="utf-8", check=False).stdout.strip()
        if word in ("running", "degraded"):
            return
        if time.monotonic() > end:
            raise RuntimeError(f"systemd did not come up within {TIME_LIMIT} seconds: {word}")
        time.sleep(0.1)


def missing() -> str:
    """Why there can be no such host here; "" where there can."""
    if os.geteuid() != 0:
        return "only root can start a host with systemd"
    programs = [name for name in ("podman", "runc", "mmdebstrap") if not shutil.which(name)]
    return f"not installed: {', '.join(programs)}" if programs else ""


class Story:
    """One host that lives through several tasks; each of them is looked at from every side."""

    def __init__(self, host: SystemdHost) -> None:
        self._host = host
        self._past: list[tuple[Any, dict[str, Any]]] = []

    def begins(self, objects: Any, **options: Any) -> None:
        """What was done before, and is not what is tested."""
        assert self._host.engine(objects, **options)["report"]["changed"]
        self._past.append((objects, options))

    def changes(self, objects: Any, **options: Any) -> dict[str, Any]:
        """Carry out a task that has something to do; its report."""
        host = self._host
        before = host.state()
        predicted = host.engine(objects, check=True, **options)["report"]
        assert host.state() == before, "check mode changed the host"
        done = host.engine(objects, **options)
        assert "report" in done, done
        report: dict[str, Any] = done["report"]
        assert report["changed"]
        assert report == predicted
        after = host.state()
        assert after != before
        self.stays(objects, **options)
        self._replays(after, report["actions"])
        self._past.append((objects, options))
        return report

    def stays(self, objects: Any, **options: Any) -> None:
        """Carry out a task that has nothing to do."""
        before = self._host.state()
        for check in (True, False):
            report = self._host.engine(objects, check=check, **options)["report"]
            assert not report["changed"], report
            assert not report["actions"]
            assert report["before"] == report["after"]
        assert self._host.state() == before

    def _replays(self, after: str, actions: list[str]) -> None:
        """The commands, by a shell on a host with the same past, must give the same state."""
        host = self._host
        host.engine({}, purge=True)
        for objects, options in self._past:
            host.engine(objects, **options)
        host.shell("\n".join(actions))
        replayed = host.state()
        difference = unified_diff(after.splitlines(), replayed.splitlines(), "engine", "commands", lineterm="")
        assert replayed == after, "by the commands it is different:\n" + "\n".join(difference)
