# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look that lab_host takes at a host, run as Ansible runs it, with programs of our own on PATH."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = Path(__file__).parents[4] / "roles" / "lab_host" / "files" / "probe.py"


class Host:
    """A directory of programs."""

    def __init__(self, path):
        self.path = path

    def program(self, name, *lines):
        file = self.path / name
        file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        file.chmod(0o755)
        return str(file)

    def probe(self, **question):
        asked = {
            "packages": [],
            "programs": [],
            "managers": {},
            "kernel_modules": [],
            "own_python": "/nowhere",
            **question,
        }
        argv = [sys.executable, "-c", PROBE.read_text(), json.dumps(asked)]
        done = subprocess.run(argv, check=True, capture_output=True, text=True, env={"PATH": str(self.path)})
        return json.loads(done.stdout)


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_packages_that_are_missing(host):
    host.program("apt-get")
    host.program("dpkg-query", "echo 'here installed'", "echo 'removed config-files'", "exit 1")
    answer = host.probe(packages=["here", "removed", "never"], programs=["ip"])
    assert (answer["apt"], answer["packages"], answer["programs"]) == (True, ["removed", "never"], [])


def test_without_apt_it_is_programs(host):
    host.program("ip")
    answer = host.probe(packages=["iproute2"], programs=["ip", "nft"])
    assert (answer["apt"], answer["packages"], answer["programs"]) == (False, [], ["nft"])


@pytest.mark.parametrize(
    ("version", "usable"),
    [
        ("0.7.2", True),
        ("0.9.7", True),
        ("0.10", True),
        ("1.0.dev3", True),
        ("0.7.1", False),
        ("0.5.14", False),
        ("", False),
    ],
)
def test_pyroute2_of_its_own(host, version, usable):
    python = host.program("python", f"echo {version}")
    assert host.probe(own_python=python)["own_pyroute2"] is usable


def test_a_python_that_does_not_work_has_no_pyroute2(host):
    python = host.program("python", "echo 0.9.7", "exit 1")
    assert host.probe(own_python=python)["own_pyroute2"] is False
    assert host.probe()["own_pyroute2"] is False


def test_managers_that_are_installed_and_run(host):
    host.program("systemctl", '[ "$3" = runs ]')
    managers = {
        "absent": {"program": str(host.path / "absent")},
        "runs": {"program": host.program("runs")},
        "rests": {"program": host.program("rests")},
    }
    answer = host.probe(managers=managers)
    assert (answer["managers"], answer["running"]) == (["rests", "runs"], ["runs"])


def test_without_systemd_nothing_runs(host):
    assert host.probe(managers={"rests": {"program": host.program("rests")}})["running"] == []


def test_a_kernel_module_that_nobody_knows_is_passed_over(host):
    assert host.probe(kernel_modules=["no_such_module"])["kernel_modules"] == []
