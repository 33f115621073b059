# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task at a time on a host: flock(2) on the file of the host's own network namespace.

No file is left behind, and every test host has a lock of its own.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ._errors import BridgenetError

_PAUSE = 0.05  # flock(2) has no time limit of its own


def _holder(inode: int) -> str:
    """The pid that holds the lock, from /proc/locks (proc_locks(5)); "?" where it cannot be told."""
    with open("/proc/locks", encoding="ascii") as handle:
        for line in handle:
            words = line.split()
            if words[1] == "FLOCK" and words[5].endswith(f":{inode}"):
                return words[4]
    return "?"


@contextmanager
def host_lock(descriptor: int, limit: float) -> Iterator[None]:
    """Hold the lock on an open namespace file; an error that names the holder's pid after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
        if time.monotonic() >= end:
            pid = _holder(os.fstat(descriptor).st_ino)
            raise BridgenetError(
                f"another change of this host's networks (pid {pid}) has not ended within lock_timeout ({limit:g} "
                "seconds); wait for it, or raise lock_timeout"
            )
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
