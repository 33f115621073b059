# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole playbooks, and the shell script that does the same."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import network, state
from .peers import Script
from .subjects import Builder, Subject, Values

SITE = Path("playbooks/site.yml")
_PROGRAMS = ("ip", "ansible-playbook", "nft")


@dataclass(frozen=True)
class Run:
    """What came of a playbook."""

    seconds: float
    said: str

    def recap(self, word: str) -> int:
        """Of all hosts."""
        return sum(int(found) for found in re.findall(rf"\b{word}=(\d+)", self.said))


def play(playbook: Path | list[dict[str, Any]], *options: str, **variables: Any) -> Run:
    """A playbook, as a file or as what would stand in it."""
    with tempfile.TemporaryDirectory() as directory:
        extra, written = Path(directory, "extra.json"), Path(directory, "playbook.json")
        extra.write_text(json.dumps(variables), encoding="utf-8")
        if not isinstance(playbook, Path):
            written.write_text(json.dumps(playbook), encoding="utf-8")
        path = playbook if isinstance(playbook, Path) else written
        command = ["ansible-playbook", str(path), "--extra-vars", f"@{extra}", *options]
        start = time.perf_counter()
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        seconds = time.perf_counter() - start
    if done.returncode:
        raise AssertionError(f"ansible-playbook failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return Run(seconds, done.stdout)


def site(count: int, *options: str) -> Run:
    """The playbook of the collection, on this host.

    With this Python, which has pyroute2: the role could not install one, a sandbox has no way out.
    """
    networks, containers = network.declaration(count, masquerade=True)
    return play(
        SITE,
        *options,
        container_bridge_network_networks=networks,
        container_bridge_network_containers=containers,
        ansible_python_interpreter=sys.executable,
    )


def unchanged(run: Run) -> float:
    if changed := run.recap("changed"):
        raise AssertionError(f"a second run changed {changed}")
    return run.seconds


class NatScript(Script):
    """The seed's, with forwarding and masquerade, as the playbook does it."""

    name = "seed script"
    programs = ("ip", "iptables")
    masquerade = True

    def absent(self, count: int) -> float | None:
        return None


class Playbook(Subject):
    """The whole of `ansible-playbook playbooks/site.yml`."""

    name = "site.yml"
    programs = _PROGRAMS
    once_from = 1000

    def measure(self, count: int) -> Values:
        before = site(count, "--check")
        state.check_gone()
        if not before.recap("changed"):
            raise AssertionError("--check foresees nothing")
        found = {"fresh, --check": before.seconds, "fresh": site(count).seconds}
        state.check_built(count, complete=True)
        found["nothing to do"] = unchanged(site(count))
        found["nothing to do, --check"] = unchanged(site(count, "--check"))
        state.check_built(count, complete=True)
        return found


def module_tasks() -> int:
    """How many modules a run with nothing to do starts; the other tasks stay on the controller."""
    site(2)
    return site(2, "-vvv").said.count("Using module file")


def single_host(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"hosts": "lab_hosts", "gather_facts": False, "tasks": tasks}]


class NoOps(Subject):
    """As many modules that do nothing."""

    name = "as many pings"
    programs = _PROGRAMS
    sizes = (2,)
    largest = 2

    def measure(self, count: int) -> Values:
        tasks: list[dict[str, Any]] = [{"ansible.builtin.ping": {}} for _number in range(module_tasks())]
        run = play(single_host(tasks), ansible_python_interpreter=sys.executable)
        if run.recap("ok") != len(tasks):
            raise AssertionError(f"{run.recap('ok')} of {len(tasks)} tasks")
        return {"nothing to do": run.seconds}


class SingleModules(Builder):
    """The steps of seed 001, one module for each."""

    name = "single modules"
    programs = _PROGRAMS
    complete = True
    once_from = 1000

    def _run(self, count: int) -> Run:
        numbers = range(1, count + 1)
        prefix, bridge = network.SUBNET.prefixlen, network.BRIDGE
        steps: dict[str, dict[str, Any]] = {
            "netns": {"config": [{"name": network.name(one)} for one in numbers]},
            "veth": {"config": [self._pair(one) for one in numbers]},
            "bridge": {"name": bridge, "addresses": [f"{network.GATEWAY}/{prefix}"], "ipv6": False, "label": "blue"},
            "bridge_port": {"config": [{"name": network.host_interface(one), "master": bridge} for one in numbers]},
            "interface": {"config": [self._way_out(one) for one in numbers]},
            "masquerade": {"source": str(network.SUBNET), "bridge": bridge, "forwarding": True},
        }
        tasks = [{f"nslab.bridgenet.{module}": options} for module, options in steps.items()]
        return play(single_host(tasks), ansible_python_interpreter=sys.executable)

    @staticmethod
    def _pair(number: int) -> dict[str, Any]:
        far = {
            "name": network.interface(number),
            "namespace": network.name(number),
            "addresses": [f"{network.address(number)}/{network.SUBNET.prefixlen}"],
            "ipv6": False,
        }
        return {"name": network.host_interface(number), "ipv6": False, "peer": far}

    @staticmethod
    def _way_out(number: int) -> dict[str, Any]:
        routes = [{"to": "default", "via": str(network.GATEWAY)}]
        return {"name": network.interface(number), "namespace": network.name(number), "routes": routes}

    def fresh(self, count: int) -> float:
        return self._run(count).seconds

    def nothing(self, count: int) -> float:
        return unchanged(self._run(count))


def looped(commands: list[str]) -> list[dict[str, Any]]:
    """A task for each kind of command, which loops over those."""
    kinds = itertools.groupby(commands, lambda command: re.sub(r"\d+", "", command))
    return [{"ansible.builtin.command": "{{ item }}", "loop": list(each)} for _kind, each in kinds]


def commands(count: int) -> list[str]:
    """Those of seed 001, without a shell."""
    _set, *lines = network.script(count, masquerade=True).splitlines()
    return ["sysctl -q -w net.ipv4.ip_forward=1" if line.startswith("echo") else line for line in lines]


class LoopedCommands(Builder):
    """What many people have; it does everything again each time."""

    name = "looped commands"
    programs = ("ip", "ansible-playbook", "iptables")
    sizes = (2, 10)
    largest = 10

    def fresh(self, count: int) -> float:
        return play(single_host(looped(commands(count)))).seconds
