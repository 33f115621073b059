# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One systemd host for all tests, which begin and end without anything of ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.systemd.hosts import ROOT, SystemdHost, systemd_host
from ansible_collections.nslab.bridgenet.tests.systemd_hosts import NoHost, missing


@pytest.fixture(scope="session")
def machine() -> Iterator[SystemdHost]:
    if os.geteuid() == 0:
        subprocess.run([ROOT / "hack/apt.sh", "podman", "runc", "mmdebstrap"], check=False)
    why = missing()
    if why:
        pytest.skip(f"no host with systemd: {why}")
    try:
        with systemd_host() as host:
            yield host
    except NoHost as error:
        pytest.skip(f"no host with systemd: {error}")


@pytest.fixture
def host(machine: SystemdHost) -> Iterator[SystemdHost]:
    before = machine.state()
    yield machine
    machine.engine({}, purge=True)
    assert machine.state() == before
