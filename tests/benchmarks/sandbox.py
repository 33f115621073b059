# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine of its own for one subject: network, mounts, /run, /etc and processes, which all go with it."""

from __future__ import annotations

import json
import subprocess
import sys

from .subjects import Subject, Values

# A role may write to /etc, and everybody to /run: both are private. Who listens outside of loopback finds nobody.
_SCRIPT = """
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/lock /run/etc /run/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
ip link set lo up
exec "$@"
"""
# With its first process, which ends with us, all others of the sandbox end.
_UNSHARE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--")


class Failed(Exception):
    """The subject, in its own words."""


def measure(subject: type[Subject], count: int) -> Values:
    cell = [sys.executable, "-m", f"{__package__}.cell", subject.__module__, subject.__qualname__, str(count)]
    command = [*_UNSHARE, "sh", "-ec", _SCRIPT, "sh", *cell]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{subject.name}, {count}: {done.stderr.strip()}")
    values: Values = json.loads(done.stdout.splitlines()[-1])
    return values
