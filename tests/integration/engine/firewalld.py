# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A firewalld that really runs, on a bus of its own, in a sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .sandbox import shell

_BUS = "/run/dbus/system_bus_socket"
_LOG = "/run/firewalld.log"
_TIME_LIMIT = 60


def install() -> None:
    """Debian's package, which is not started on this machine itself."""
    if os.geteuid() == 0:
        subprocess.run([str(Path(__file__).parents[3] / "hack" / "apt.sh"), "dbus", "firewalld"], check=False)
    if not shutil.which("firewalld", path="/usr/sbin:/usr/bin") or not shutil.which("busctl", path="/usr/bin"):
        pytest.skip("there is no firewalld, and no apt to install it")


@contextmanager
def _bus(log: int) -> Iterator[None]:
    Path(_BUS).parent.mkdir(exist_ok=True)
    address = f"--address=unix:path={_BUS}"
    bus = subprocess.Popen(["dbus-daemon", "--system", "--nofork", "--nopidfile", address], stdout=log, stderr=log)
    try:
        _wait("busctl list", bus)
        yield
    finally:
        bus.terminate()
        bus.wait()


def _wait(command: str, process: subprocess.Popen[bytes]) -> None:
    """Until it succeeds."""
    end = time.monotonic() + _TIME_LIMIT
    while subprocess.run(command.split(), capture_output=True, check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > end:
            pytest.skip(f"firewalld does not run here: {Path(_LOG).read_text(encoding='utf-8')[-500:]}")
        time.sleep(0.05)


@contextmanager
def firewalld(backend: str = "nftables") -> Iterator[None]:
    """It runs, with Debian's configuration, and ends; its files stay in the sandbox's /etc."""
    shell(f"sed -i s/^FirewallBackend=.*/FirewallBackend={backend}/ /etc/firewalld/firewalld.conf")
    with Path(_LOG).open("wb") as log, _bus(log.fileno()):
        daemon = subprocess.Popen(["firewalld", "--nofork", "--nopid"], stdout=log, stderr=log)
        try:
            _wait("firewall-cmd --state", daemon)
            yield
        finally:
            daemon.terminate()
            daemon.wait()


def zones() -> str:
    """All that it tells of its zones, now and permanently."""
    return shell("firewall-cmd --list-all-zones; firewall-cmd --permanent --list-all-zones")
