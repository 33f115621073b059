# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of the specification by each engine and by us, each on a fresh machine, built and looked at once."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.docker.engine import NoDocker
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import sandbox

from .builders import BUILDERS, CNI, NETAVARK
from .differences import ENGINES
from .observe import Facts, machine, observe, reach, settle
from .specification import SPECIFICATION

ROOT = Path(__file__).parents[3]

# Engine -> packages of Debian, and the program that shows that they are there.
_NEEDS = {
    "cni": (("containernetworking-plugins",), f"{CNI}/bridge"),
    "netavark": (("netavark",), NETAVARK),
    "docker": (("docker.io",), "/usr/sbin/dockerd"),
    "ours": ((), "/usr/sbin/nft"),
}


def _facts(builder: str, directory: Path) -> Facts:
    if os.geteuid() != 0:
        pytest.skip("namespaces can only be made by root")
    packages, program = _NEEDS[builder]
    argv = [ROOT / "hack/apt.sh", *packages, "iptables", "nftables"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if not shutil.which(program):
        pytest.skip(f"no {program}: {' '.join(packages)} cannot be installed here: {done.stderr.strip()}")
    with sandbox():
        machine()
        try:
            with BUILDERS[builder](SPECIFICATION, directory):
                settle(SPECIFICATION)
                return {**observe(SPECIFICATION), **reach(SPECIFICATION)}
        except NoDocker as error:
            pytest.skip(str(error))


@pytest.fixture(scope="package")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """What we build."""
    return _facts("ours", tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="package", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of an engine."""
    name: str = request.param
    return name


@pytest.fixture(scope="package")
def theirs(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """What that engine builds."""
    return _facts(engine, tmp_path_factory.mktemp(engine))
