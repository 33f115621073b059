# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run needs beside time: memory, what goes over the wire, messages to the kernel, imports, tasks."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from . import network, state
from .playbooks import play, single_host
from .subjects import Subject, Values, timed

_MODULE = "ansible_collections.nslab.bridgenet.plugins.modules.transaction"
_ENGINE = "ansible_collections.nslab.bridgenet.plugins.module_utils._engine"


class Module(Subject):
    """The module as Ansible starts it on a target, but for its archive."""

    name = "measured"
    programs = ("ip", "nft")

    def measure(self, count: int) -> Values:
        networks, containers = network.declaration(count, masquerade=True)
        from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand

        lists = expand(networks, containers)
        del lists["members"]  # are for other hosts
        given = json.dumps({"ANSIBLE_MODULE_ARGS": {**lists, "inventory_host": "bench"}})
        found = {"size of the module's arguments, kB": len(given) / 1000}
        for phase, changed in (("fresh", True), ("nothing to do", False)):
            said, memory = self._run(given)
            if json.loads(said)["changed"] != changed:
                raise AssertionError(f"{phase}: changed is {json.loads(said)['changed']}")
            state.check_built(count, complete=True)
            found[f"{phase}: memory of the module's process, MB"] = memory
            found[f"{phase}: size of its result, kB"] = len(said) / 1000
        return found

    @staticmethod
    def _run(given: str) -> tuple[str, float]:
        """What it says, and the most memory that it had."""
        with tempfile.TemporaryFile("w+") as arguments, tempfile.TemporaryFile("w+") as result:
            arguments.write(given)
            arguments.seek(0)
            process = subprocess.Popen([sys.executable, "-m", _MODULE], stdin=arguments, stdout=result)
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            result.seek(0)
            said = result.read()
        if process.returncode:
            raise AssertionError(said[-2000:])
        return said, usage.ru_maxrss / 1000


_RTM = range(16, 256)  # linux/rtnetlink.h; what other families of netlink send has higher numbers
# Where strace does not know the socket, because it is in another namespace, it shows numbers.
_MESSAGE = re.compile(r"nlmsg_type=(?:RTM_(?P<name>\w+)|(?P<number>0x[0-9a-f]+)[^,]*), nlmsg_flags=(?P<flags>[\w|]+)")


def netlink(traced: str) -> Counter[str]:
    """What strace saw going to rtnetlink: sends, messages, and dumps among those."""
    found: Counter[str] = Counter()
    for line in traced.splitlines():
        messages = [one for one in _MESSAGE.finditer(line) if one["name"] or int(one["number"], 16) in _RTM]
        if messages:
            found["sends"] += 1
            found["messages"] += len(messages)
            found["dumps"] += sum(map(_is_dump, messages))
    return found


def _is_dump(message: re.Match[str]) -> bool:
    flags = message["flags"].split("|")
    gets = message["name"] is None and (int(message["number"], 16) - 16) % 4 == 2  # RTM_NEW..., RTM_DEL..., RTM_GET...
    return "NLM_F_DUMP" in flags or (gets and "0x300" in flags)


class Messages(Subject):
    """What the engine asks of the kernel, seen by strace."""

    name = "measured"
    programs = ("ip", "nft", "strace")
    sizes = (100,)
    largest = 200

    def measure(self, count: int) -> Values:
        found: Values = {}
        given = json.dumps(network.lists(count, "present"))
        for phase in ("fresh", "nothing to do"):
            sent = netlink(self._trace(given, "-s", "65536", "-e", "trace=sendto,sendmsg"))
            state.check_built(count, complete=True)
            for what in ("sends", "messages", "dumps"):
                found[f"{phase}: {what} to rtnetlink for each container"] = sent[what] / count
        total = self._trace(given, "-c").splitlines()[-1].split()  # ... calls [errors] total
        found["nothing to do: system calls for each container"] = int(total[3]) / count
        return found

    @staticmethod
    def _trace(given: str, *options: str) -> str:
        with tempfile.TemporaryDirectory() as directory:
            traced = Path(directory, "traced")
            command = [sys.executable, "-m", f"{__package__}.engine", "present"]
            subprocess.run(
                ["strace", "-f", "-qq", "-o", str(traced), *options, *command],
                input=given,
                text=True,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            return traced.read_text(encoding="utf-8", errors="replace")


class Ansible(Subject):
    """What a task costs before it does anything, and what importing costs it."""

    name = "measured"
    programs = ("ip", "ansible-playbook")
    sizes = (1,)
    largest = 1

    _TASKS = 20
    _TIMES = 5

    def measure(self, count: int) -> Values:
        bare = self._python("pass")
        one = self._play("debug", 1)
        return {
            "import of pyroute2, s": self._python("import pyroute2") - bare,
            "import of the engine, s": self._python(f"import {_ENGINE}") - bare,
            "start of Python, s": bare,
            "ansible-playbook with one debug, s": one,
            "each debug more, s": (self._play("debug", 1 + self._TASKS) - one) / self._TASKS,
            "each ping more, pipelined, s": (self._play("ping", 1 + self._TASKS) - self._play("ping", 1)) / self._TASKS,
        }

    def _python(self, program: str) -> float:
        return statistics.median(timed([sys.executable, "-c", program]) for _time in range(self._TIMES))

    @staticmethod
    def _play(module: str, tasks: int) -> float:
        task: dict[str, Any] = {f"ansible.builtin.{module}": {}}
        return play(single_host([task] * tasks), ansible_python_interpreter=sys.executable).seconds
