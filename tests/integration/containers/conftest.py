# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers of a real engine on a fresh machine: podman with its storage in the machine's own /run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine.conftest import machine
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

__all__ = ["machine"]  # an autouse fixture

ROOT = Path(__file__).parents[3]

# The machine may have a journal, but its socket is not in the /run of the tests.
LOGS = '[containers]\nlog_driver = "k8s-file"\n[engine]\nevents_logger = "file"\n'
STORAGE = '[storage]\ndriver = "vfs"\ngraphroot = "/run/podman/root"\nrunroot = "/run/podman/run"\n'
# An image of one program and the libraries that it needs: nothing can be pulled.
IMAGE = """
for file in /bin/sleep $(ldd /bin/sleep | grep -o '/[^ ]*'); do
    mkdir -p "/run/tiny$(dirname "$file")"
    cp -L "$file" "/run/tiny$file"
done
tar -C /run/tiny -c . | podman --log-level error import - localhost/tiny >/dev/null 2>&1
"""


# Podman asks for higher limits than its own, which a machine that is a container itself may not give.
LIMITS = "--ulimit nofile=1024:1024 --ulimit nproc=1024:1024"
# crun wants no cgroups where systemd is missing, and refuses a machine with both versions of them, which runc takes.
RUNTIMES = ("--runtime crun --cgroups=disabled", "--runtime runc --cgroup-manager cgroupfs")


@pytest.fixture(scope="session")
def installed() -> None:
    """Podman and both runtimes, from the distribution where that is Debian."""
    subprocess.run([ROOT / "hack" / "apt.sh", "podman", "crun", "runc"], cwd=ROOT, check=False)
    if not shutil.which("podman"):
        pytest.skip("podman is not installed, and cannot be by apt")


@pytest.fixture
def options(installed: None, machine: None) -> str:
    """An engine with the image; how to start a container here."""
    Path("/etc/containers").mkdir(exist_ok=True)
    Path("/etc/containers/storage.conf").write_text(STORAGE, encoding="ascii")
    Path("/etc/containers/containers.conf").write_text(LOGS, encoding="ascii")
    shell(IMAGE)
    said = []
    for runtime in RUNTIMES:
        found = f"{runtime} {LIMITS}"
        tried = ["podman", "run", "--rm", "--network", "none", *found.split(), "localhost/tiny", "/bin/sleep", "0"]
        done = subprocess.run(tried, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode == 0:
            return found
        said.append(done.stdout.strip())
    pytest.skip(f"podman cannot run a container here: {'; '.join(said)}")
