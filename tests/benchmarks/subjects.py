# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is measured: each measures itself in a sandbox, asserts what it built, and takes that away."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from . import state

Values = dict[str, float]  # phase -> seconds, or what the phase's name says


def timed(command: list[str], text: str = "", **environment: str) -> float:
    start = time.perf_counter()
    subprocess.run(
        command, input=text, text=True, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment}
    )
    return time.perf_counter() - start


class Subject:
    name = ""
    programs: tuple[str, ...] = ("ip",)
    sizes: tuple[int, ...] = ()  # in place of those of its section
    largest = 1000  # the largest number that it can take
    once_from = 1001  # numbers that take so long that one round has to do

    @classmethod
    def missing(cls) -> str:
        """Why it cannot take part; "" where it can."""
        gone = [program for program in cls.programs if shutil.which(program) is None]
        return f"{', '.join(gone)} not found" if gone else ""

    def measure(self, count: int) -> Values:
        raise NotImplementedError


class Builder(Subject):
    """Builds the network of network.py. Each takes the seconds of its own work; None where it cannot do a phase."""

    complete = False  # labels, MACs, IPv6 off: all that the engine does
    named = True  # with the names of network.py on the host
    interface = ""  # the name inside of all containers, where it is not that of network.py

    def fresh(self, count: int) -> float | None:
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

    def measure(self, count: int) -> Values:
        found = {}
        steps = (
            ("fresh", self.fresh, count),
            ("nothing to do", self.nothing, count),
            ("nothing to do, files", self.nothing_with_files, count),
            ("one more", self.more, count + 1),
            ("one less", self.less, count),
        )
        for phase, step, there in steps:
            seconds = step(count)
            if seconds is not None:
                found[phase] = seconds
                state.check_built(there, self.complete, self.named, self.interface)
        absent = self.absent(count)
        if absent is not None:
            found["absent"] = absent
            state.check_gone()
        return found
