# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Those who build the same network. Each takes the seconds of its own work; None where it cannot do a phase."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import network
import state


def timed(command: list[str], text: str = "") -> float:
    start = time.perf_counter()
    subprocess.run(command, input=text, text=True, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


class Peer:
    name = ""
    programs: tuple[str, ...] = ("ip",)
    complete = False  # labels, MACs, IPv6 off: all that the engine does

    @classmethod
    def missing(cls) -> str:
        """Why it cannot take part; "" where it can."""
        gone = [program for program in cls.programs if shutil.which(program) is None]
        return f"{', '.join(gone)} not found" if gone else ""

    def fresh(self, count: int) -> float:
        raise NotImplementedError

    def nothing(self, count: int) -> float | None:
        return None

    def nothing_with_files(self, count: int) -> float | None:
        """Nothing to do, by one who also reads the files by which the containers know each other."""
        return None

    def more(self, count: int) -> float | None:
        """One container beside `count`."""
        return None

    def less(self, count: int) -> float | None:
        """That one taken away."""
        return None

    def absent(self, count: int) -> float | None:
        return None


class Engine(Peer):
    """engine.py, which tells its own time."""

    name = "engine"
    complete = True
    names = True  # the containers know each other by name

    def _run(self, count: int, wanted: str, changed: bool, gone: int = 0) -> float:
        lists = network.lists(count, wanted, gone)
        if not self.names:
            del lists["netns_names"]
        command = [sys.executable, str(Path(__file__).with_name("engine.py"))]
        done = subprocess.run(command, input=json.dumps(lists), check=True, stdout=subprocess.PIPE, text=True)
        result = json.loads(done.stdout)
        if result["changed"] != changed:
            raise AssertionError(f"{wanted}: changed is {result['changed']}")
        return float(result["seconds"])

    def fresh(self, count: int) -> float:
        return self._run(count, "present", changed=True)

    def nothing(self, count: int) -> float:
        return self._run(count, "present", changed=False)

    def nothing_with_files(self, count: int) -> float:
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


class C(Peer):
    """floor.c, and reader.c where there is nothing to do; both tell their own time."""

    name = "C"
    programs = ("gcc",)
    complete = True

    _DIRECTORY = Path(".cache/bench")

    @classmethod
    def compile(cls) -> None:
        for source in Path(__file__).parent.glob("*.c"):
            program = str(cls._DIRECTORY / source.stem)
            flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]
            subprocess.run(["gcc", *flags, "-o", program, str(source)], check=True)

    def _run(self, program: str, *arguments: str) -> float:
        command = [str(self._DIRECTORY / program), *arguments]
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


class IpBatch(Peer):
    """`ip -batch`, once for each namespace. It cannot turn IPv6 off: no link-local addresses is the nearest."""

    name = "ip -batch"

    def fresh(self, count: int) -> float:
        batches = list(network.batches(count))
        return sum(timed(["ip", *(["-n", ns] if ns else []), "-batch", "-"], lines) for ns, lines in batches)

    def absent(self, count: int) -> float:
        start = time.perf_counter()
        timed(["ip", "-batch", "-"], network.removal_batch(count))
        state.wait_until_gone()
        return time.perf_counter() - start


class Script(Peer):
    """The shell script of seed 001: one `ip` per line; without labels, MACs, and IPv6 off."""

    name = "script"
    masquerade = False

    def fresh(self, count: int) -> float:
        return timed(["sh"], network.script(count, self.masquerade))

    def absent(self, count: int) -> float | None:
        start = time.perf_counter()
        timed(["sh"], network.removal_script(count))
        state.wait_until_gone()
        return time.perf_counter() - start


class NatScript(Script):
    """The same, with forwarding and masquerade, as the playbook does it."""

    programs = ("ip", "iptables")
    masquerade = True

    def absent(self, count: int) -> float | None:
        return None


class Playbook(Peer):
    """The whole of `ansible-playbook playbooks/site.yml`, on this host by a local connection.

    With this Python, which has pyroute2: the role could not install one, a sandbox has no way out.
    """

    name = "playbook"
    programs = ("ip", "ansible-playbook", "nft")
    complete = True
    path = Path("playbooks/site.yml")

    @classmethod
    def missing(cls) -> str:
        return super().missing() or ("" if cls.path.exists() else f"{cls.path} is not there")

    def _run(self, count: int) -> tuple[float, int]:
        networks, containers = network.declaration(count, masquerade=True)
        variables = {
            "container_bridge_network_networks": networks,
            "container_bridge_network_containers": containers,
            "ansible_python_interpreter": sys.executable,
        }
        with tempfile.NamedTemporaryFile("w", suffix=".json") as extra:
            json.dump(variables, extra)
            extra.flush()
            command = ["ansible-playbook", str(self.path), "--extra-vars", f"@{extra.name}"]
            start = time.perf_counter()
            result = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
            seconds = time.perf_counter() - start
        recap = re.search(r"\bchanged=(\d+)", result.stdout)
        if result.returncode or recap is None:
            raise AssertionError(f"ansible-playbook failed:\n{result.stdout[-3000:]}")
        return seconds, int(recap[1])

    def fresh(self, count: int) -> float:
        return self._run(count)[0]

    def nothing(self, count: int) -> float:
        seconds, changed = self._run(count)
        if changed:
            raise AssertionError(f"a second run changed {changed}")
        return seconds


PEERS = {
    peer.__name__: peer for peer in (Engine, OneOfMany, OneOfManyWithoutNames, C, IpBatch, Script, NatScript, Playbook)
}
