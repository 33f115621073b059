# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Those who build the network by the kernel alone: the engine, C, `ip`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from . import network, state
from .subjects import Builder, timed

PROGRAMS = Path(".cache/bench")  # in C, compiled


def apply(lists: dict[str, list[dict[str, Any]]], wanted: str, changed: bool) -> float:
    """The seconds of the engine for one task."""
    command = [sys.executable, "-m", f"{__package__}.engine", wanted]
    done = subprocess.run(command, input=json.dumps(lists), check=True, stdout=subprocess.PIPE, text=True)
    result = json.loads(done.stdout)
    if result["changed"] != changed:
        raise AssertionError(f"{wanted}: changed is {result['changed']}")
    return float(result["seconds"])


class Engine(Builder):
    """engine.py, which tells its own time."""

    name = "engine"
    complete = True
    names = True  # the containers know each other by name

    def _run(self, count: int, wanted: str, changed: bool, gone: int = 0) -> float:
        lists = network.lists(count, wanted, gone)
        if not self.names:
            del lists["netns_names"]
        return apply(lists, wanted, changed)

    def fresh(self, count: int) -> float:
        return self._run(count, "present", changed=True)

    def nothing(self, count: int) -> float:
        return self._run(count, "present", changed=False)

    def nothing_with_files(self, count: int) -> float | None:
        return self.nothing(count)  # it always reads them

    def absent(self, count: int) -> float:
        return self._run(count, "absent", changed=True)


class OneOfMany(Engine):
    """The engine, when one container of many comes and goes. With it, the files of all others change."""

    def nothing_with_files(self, count: int) -> None:
        return None

    def more(self, count: int) -> float:
        return self._run(count + 1, "present", changed=True)

    def less(self, count: int) -> float:
        return self._run(count, "present", changed=True, gone=1)


class OneOfManyWithoutNames(OneOfMany):
    """The same, where no container knows another one by name."""

    name = "engine, no names"
    names = False


class Alone(Engine):
    """A container that is the only one."""

    name = "engine, fresh of one"
    sizes = (1,)
    largest = 1

    def nothing_with_files(self, count: int) -> None:
        return None


class C(Builder):
    """floor.c, and reader.c where there is nothing to do; both tell their own time."""

    name = "C"
    programs = ("gcc",)
    complete = True

    @classmethod
    def compile(cls) -> None:
        for source in Path(__file__).parent.glob("*.c"):
            program = str(PROGRAMS / source.stem)
            flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]
            subprocess.run(["gcc", *flags, "-o", program, str(source)], check=True)

    def _run(self, program: str, *arguments: str) -> float:
        command = [str(PROGRAMS / program), *arguments]
        return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def fresh(self, count: int) -> float:
        return self._run("floor", "build", str(count))

    def nothing(self, count: int) -> float:
        return self._run("reader")

    def nothing_with_files(self, count: int) -> float:
        network.write_names(count)
        return self._run("reader", "files")

    def absent(self, count: int) -> float:
        return self._run("floor", "remove", str(count))


class IpBatch(Builder):
    """`ip -batch`, once for each namespace. It cannot turn IPv6 off: no link-local addresses is the nearest."""

    name = "ip -batch, ip -j"

    def fresh(self, count: int) -> float:
        batches = list(network.batches(count))
        return sum(timed(["ip", *(["-n", ns] if ns else []), "-batch", "-"], lines) for ns, lines in batches)

    def nothing(self, count: int) -> float:
        """`ip -j` twice for the host and for each namespace: links with their addresses, and routes."""
        places = [[], *(["-n", network.name(number)] for number in range(1, count + 1))]
        return sum(timed(["ip", "-j", *place, what, "show"]) for place in places for what in ("address", "route"))

    def absent(self, count: int) -> float:
        start = time.perf_counter()
        timed(["ip", "-batch", "-"], network.removal_batch(count))
        state.wait_until_gone()
        return time.perf_counter() - start


class Script(Builder):
    """The shell script of seed 001: one `ip` per line; without labels, MACs, and IPv6 off."""

    name = "seed script, ip netns del"
    masquerade = False

    def fresh(self, count: int) -> float:
        return timed(["sh"], network.script(count, self.masquerade))

    def absent(self, count: int) -> float | None:
        start = time.perf_counter()
        timed(["sh"], network.removal_script(count))
        state.wait_until_gone()
        return time.perf_counter() - start
