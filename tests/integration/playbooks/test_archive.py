# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as a user gets it: built, installed from the archive, and run by name without the checkout."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

from .conftest import ROOT, command

# What a user gets, beside what ansible-galaxy adds.
PARTS = {
    "CHANGELOG.rst",
    "COPYING",
    "LICENSES",
    "README.md",
    "changelogs",
    "docs",
    "examples",
    "inventory",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}
FAILED = 2
ADDED = {"MANIFEST.json", "FILES.json"}
DECLARATION = {
    "container_bridge_network_networks": {"blue": {"bridge": "br0", "subnet": "10.10.0.0/16", "masquerade": True}},
    "container_bridge_network_containers": {
        "ns1": {"networks": {"blue": {"ipv4_address": "10.10.0.10"}}},
        "ns2": {"networks": {"blue": {}}},
    },
    "lab_host_directory": "/run/lab_host",
}


@pytest.fixture
def checkout_hidden(testhost: dict[str, Any]) -> None:
    """From everything that is started in the sandbox of this test."""
    for part in ("inventory", "meta", "playbooks", "plugins", "roles"):
        shell(f"mount -t tmpfs tmpfs '{ROOT}/{part}'")


def test_what_is_in_the_archive(archive: Path) -> None:
    """Every file of the checkout that is for a user, and nothing else."""
    with tarfile.open(archive) as opened:
        files = {member.name for member in opened.getmembers() if not member.isdir()}
    assert {name.partition("/")[0] for name in files} == PARTS | ADDED
    listing = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PARTS]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    assert files - ADDED == {name for name in listed if name and (ROOT / name).exists()}


def test_every_playbook_by_name_or_path(collections: Path) -> None:
    """Those of the articles have a hyphen, which Ansible takes for no name."""
    installed = collections / "ansible_collections/nslab/bridgenet/playbooks"
    names = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
    assert {"site", "verify", "teardown", "seed-001"} <= set(names)
    playbooks = [installed / f"{name}.yml" if "-" in name else f"nslab.bridgenet.{name}" for name in names]
    done = command(
        "ansible-playbook", "--syntax-check", *playbooks, cwd=collections, ANSIBLE_COLLECTIONS_PATH=str(collections)
    )
    assert done.returncode == 0
    assert done.stdout.count("playbook: ") == len(names)


def test_life_by_name(collections: Path, checkout_hidden: None, testhost: dict[str, Any], tmp_path: Path) -> None:
    """Built, verified and taken away on a host over SSH."""
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"lab_hosts": {"hosts": {"lab1": {**testhost, **DECLARATION}}}}), encoding="utf-8")

    def play(name: str, *arguments: str) -> tuple[int, int]:
        done = command(
            *("ansible-playbook", "-i", inventory, *arguments, f"nslab.bridgenet.{name}"),
            cwd=tmp_path,
            ANSIBLE_COLLECTIONS_PATH=str(collections),
            ANSIBLE_PIPELINING="1",
        )
        changed = re.search(r"^lab1 +: .*changed=(\d+)", done.stdout, re.MULTILINE)
        assert changed
        return done.returncode, int(changed[1])

    code, changed = play("site")
    assert code == 0
    assert changed > 0
    assert play("verify") == (0, 0)
    assert play("teardown")[0] == 0
    assert play("verify")[0] == FAILED
