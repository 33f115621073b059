# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look that lab_host takes at a host, run as Ansible runs it, with programs of our own on PATH."""

from __future__ import annotations

import hashlib
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
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        file.chmod(0o755)
        return str(file)

    def probe(self, **question):
        nothing = {"packages": [], "programs": [], "managers": {}, "digests": {}, "kernel_modules": []}
        asked = {**nothing, "directory": str(self.path / "own"), "marker": ".ours", **question}
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
    host.program("own/bin/python", f"echo {version}")
    assert host.probe()["own_pyroute2"] is usable


def test_a_python_that_does_not_work_has_no_pyroute2(host):
    assert host.probe()["own_pyroute2"] is False
    host.program("own/bin/python", "echo 0.9.7", "exit 1")
    assert host.probe()["own_pyroute2"] is False


def manager(host, name, content=None):
    file = host.path / f"{name}.conf"
    if content is not None:
        file.write_text(content)
    return {"program": str(host.path / name), "path": str(file)}


def test_managers_that_are_installed_and_are_to_be_told(host):
    for name in ("told", "stale", "new"):
        host.program(name)
    managers = {
        "absent": manager(host, "absent"),
        "told": manager(host, "told", "wanted"),
        "stale": manager(host, "stale", "other"),
        "new": manager(host, "new"),
    }
    answer = host.probe(managers=managers, digests=dict.fromkeys(managers, hashlib.sha256(b"wanted").hexdigest()))
    assert answer["unaware"] == ["new", "stale"]
    assert answer["files"] == [managers["told"]["path"], managers["stale"]["path"]]


def test_managers_that_run(host):
    managers = {name: manager(host, name) for name in ("absent", "rests", "runs")}
    host.program("rests")
    host.program("runs")
    digests = dict.fromkeys(managers, "")
    assert host.probe(managers=managers, digests=digests)["running"] == []
    host.program("systemctl", '[ "$3" = runs ]')
    assert host.probe(managers=managers, digests=digests)["running"] == ["runs"]


@pytest.mark.parametrize(
    ("names", "owner"),
    [
        ([], "nobody"),
        ([".ours", "pyvenv.cfg", "bin"], "ours"),
        ([".ours"], "ours"),
        ([".ours", "bin"], "others"),
        (["pyvenv.cfg", "bin"], "others"),
        (["data"], "others"),
    ],
)
def test_only_a_directory_of_ours_is_one_of_the_files_to_remove(host, names, owner):
    own = host.path / "own"
    own.mkdir()
    for name in names:
        (own / name).touch()
    answer = host.probe()
    assert answer["directory_owner"] == owner
    assert answer["files"] == ([str(own)] if owner == "ours" else [])


def test_a_directory_that_is_none(host):
    assert host.probe()["directory_owner"] == "nobody"
    other = host.path / "other"
    other.mkdir()
    for name in (".ours", "pyvenv.cfg"):
        (other / name).touch()
    (host.path / "own").symlink_to(other)
    assert (host.probe()["directory_owner"], host.probe()["files"]) == ("others", [])


def test_a_kernel_module_that_nobody_knows_is_passed_over(host):
    assert host.probe(kernel_modules=["no_such_module"])["kernel_modules"] == []
