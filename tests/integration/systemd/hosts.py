# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host that is run by systemd, with the engine at work inside."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path
from typing import Any

from ansible_collections.nslab.bridgenet.tests.systemd_hosts import Container, start

ROOT = Path(__file__).parents[3]
SUITE = os.environ.get("BRIDGENET_SUITE", "bookworm")
INSIDE = "/opt/ansible_collections/nslab/bridgenet"


class SystemdHost:
    """A running one."""

    def __init__(self, container: Container) -> None:
        self._container = container
        module = "ansible_collections.nslab.bridgenet.tests.integration.systemd.remote"
        python = ["env", "PYTHONPATH=/opt", "PYTHONDONTWRITEBYTECODE=1", "python3", "-m", module]
        self._engine = subprocess.Popen(
            ["podman", "exec", "--interactive", container.number, *python],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def close(self) -> None:
        """End the engine."""
        self._engine.communicate()

    def shell(self, script: str) -> str:
        """Run a script with `sh -e`; its output."""
        return self._container.shell(script)

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

    def let_in(self, key: Path) -> dict[str, str]:
        """Let who has the key in; how Ansible gets there."""
        return self._container.let_in(key)

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
    container = start(SUITE, f"--volume={ROOT}:{INSIDE}:ro")
    try:
        container.wait()
        host = SystemdHost(container)
        try:
            yield host
        finally:
            host.close()
    finally:
        container.remove()


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
