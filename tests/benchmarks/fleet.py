# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts over SSH: test hosts as Molecule's scenarios have them, each with the network of network.py."""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from . import network
from .playbooks import Run, commands, looped, play, unchanged
from .subjects import Subject, Values

TASKS = "tasks for each host"
_TESTHOSTS = Path("molecule/resources/testhosts.py")


@contextlib.contextmanager
def hosts(count: int) -> Iterator[Path]:
    """An inventory of that many, for the duration of a block."""
    names = [f"lab{number:02}" for number in range(1, count + 1)]
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory, "state")
        testhosts = [sys.executable, str(_TESTHOSTS), "--state", str(state)]
        try:
            subprocess.run([*testhosts, "create", *names], check=True, stdout=subprocess.DEVNULL)
            found = json.loads((state / "inventory.json").read_text(encoding="utf-8"))
            inventory = Path(directory, "hosts.json")
            inventory.write_text(json.dumps({"lab_hosts": found["all"]}), encoding="utf-8")
            yield inventory
        finally:
            subprocess.run([*testhosts, "destroy"], check=True, stdout=subprocess.DEVNULL)


def timed_run(phase: str, count: int, playbook: Any, inventory: Path, **variables: Any) -> tuple[Run, Values]:
    """A playbook on all hosts, and what it costs the controller: ansible-playbook, its workers, and their ssh."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = play(playbook, "--inventory", str(inventory), **variables)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return run, {
        f"{phase}, s": run.seconds,
        f"{phase}, controller's processor s for each host": processor / count,
        f"{phase}, {TASKS}": run.recap("ok") / count,
        f"{phase}, hosts per minute": 60 * count / run.seconds,
    }


def check(inventory: Path, count: int, containers: int) -> None:
    """All containers on all hosts, and on each host the last one answers the first one."""
    last = network.address(containers)
    script = (
        f"test $(ip -o link show master {network.BRIDGE} | wc -l) = {containers} && "
        f"ip netns exec {network.name(1)} ping -q -c1 -W5 {last}"
    )
    command = ["ansible", "lab_hosts", "-i", str(inventory), "-m", "ansible.builtin.shell", "-a", script]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode or done.stdout.count("1 received") != count:
        raise AssertionError(f"not on all of {count} hosts: {done.stdout[-2000:]}{done.stderr[-2000:]}")


class Playbook(Subject):
    """The roles of site.yml, with 20 containers for each host.

    Without its proof, in which everybody asks everybody: all test hosts are on one kernel, whose table of neighbours
    holds 1024 entries for all of them.
    """

    name = "roles, 20 containers"
    programs = ("ip", "ansible-playbook", "nft", "sshd", "ssh")
    largest = 100
    containers = 20

    def measure(self, count: int) -> Values:
        networks, containers = network.declaration(self.containers, masquerade=True)
        variables = {
            "container_bridge_network_networks": networks,
            "container_bridge_network_containers": containers,
            "lab_host_directory": "/run/lab_host",  # everything else is this machine's
        }
        roles = ("lab_host", "container_bridge_network")
        tasks = [{"ansible.builtin.import_role": {"name": f"nslab.bridgenet.{role}"}} for role in roles]
        playbook = [{"hosts": "lab_hosts", "gather_facts": False, "become": True, "tasks": tasks}]
        with hosts(count) as inventory:
            _run, found = timed_run("fresh", count, playbook, inventory, **variables)
            check(inventory, count, self.containers)
            run, again = timed_run("nothing to do", count, playbook, inventory, **variables)
            unchanged(run)
            check(inventory, count, self.containers)
        return found | again


class LoopedCommands(Subject):
    """Two containers for each host, because each of them takes so long."""

    name = "looped commands, 2 containers"
    programs = ("ip", "ansible-playbook", "iptables", "sshd", "ssh")
    sizes = (10,)
    largest = 100
    containers = 2

    def measure(self, count: int) -> Values:
        tasks: Sequence[Any] = looped(commands(self.containers))
        playbook = [{"hosts": "lab_hosts", "gather_facts": False, "tasks": tasks}]
        with hosts(count) as inventory:
            _run, found = timed_run("fresh", count, playbook, inventory)
            check(inventory, count, self.containers)
        return found
