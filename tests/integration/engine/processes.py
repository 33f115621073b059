# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes beside the test, that hold what they are told to."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def process(*command: str, script: str = "exec sleep 1000", becomes: str = "sleep") -> Iterator[subprocess.Popen[str]]:
    """A process that is what it `becomes` when the block begins, and is ended with it.

    `command` goes before the shell that runs the script.
    """
    with subprocess.Popen([*command, "sh", "-ec", script], stdout=subprocess.PIPE, text=True) as running:
        comm = Path(f"/proc/{running.pid}/comm")
        try:
            while not comm.read_text(encoding="ascii").startswith(becomes):
                assert running.poll() is None
                time.sleep(0.01)
            yield running
        finally:
            running.kill()
