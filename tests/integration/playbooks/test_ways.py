# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to run Ansible that docs/ways.md tells of: ansible-pull, AWX, the context of an execution environment."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT, command

EXAMPLE = "ansible_collections/nslab/bridgenet/examples/execution-environment"


# What the first play of site.yml computes, for a test to read.
DECLARATION = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: nslab.bridgenet.container_bridge_network
        tasks_from: declaration
    - ansible.builtin.debug:
        msg: "told: {{ inventory_hostname }} {{ container_bridge_network_lists | to_json | b64encode }}"
"""


def words(path: Path) -> set[str]:
    """The lines of a file of requirements without comments."""
    return {line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")}


@pytest.fixture
def context(collections: Path, archive: Path, tmp_path: Path) -> Path:
    """What ansible-builder makes of the example in the installed collection."""
    example = tmp_path / EXAMPLE
    shutil.copytree(collections / EXAMPLE, example)
    shutil.copytree(collections / EXAMPLE / "../../meta", example / "../../meta")
    shutil.copy(archive, example)
    # Without a name it looks which engine is there.
    named = ("--output-filename", "Containerfile")
    done = command("ansible-builder", "create", *named, "--context", tmp_path / "context", cwd=example)
    assert done.returncode == 0
    return tmp_path / "context"


def test_context_of_an_execution_environment(context: Path, archive: Path) -> None:
    build = context / "_build"
    assert words(build / "requirements.txt") == {"pyroute2>=0.7.2"}
    assert {"openssh-clients [platform:rpm]", "iproute [platform:rpm]", "nftables"} <= words(build / "bindep.txt")
    (collection,) = yaml.safe_load((build / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert (build / collection["name"]).read_bytes() == archive.read_bytes()
    recipe = (context / "Containerfile").read_text(encoding="utf-8")
    assert "ansible-galaxy collection install" in recipe
    (core,) = re.findall(r"ansible-core==[\d.]+", recipe)
    assert core in (ROOT / "requirements.txt").read_text(encoding="utf-8")  # one that is tested


def test_what_the_collection_asks_of_any_execution_environment(collections: Path, context: Path) -> None:
    """As the build finds it where the collection is installed."""
    argv = ["python3", context / "_build/scripts/introspect.py", "introspect", collections, "--sanitize"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = yaml.safe_load(done.stdout)
    assert [line.partition("#")[0].strip() for line in found["python"]] == ["pyroute2>=0.7.2"]
    assert {line.partition(" ")[0] for line in found["system"]} >= {"openssh-clients", "iproute", "nftables"}


@pytest.fixture
def repository(tmp_path: Path) -> str:
    """The checkout as it stands, committed in a repository that only pull and push work with."""
    bare = tmp_path / "bridgenet.git"
    git = ["git", f"--git-dir={bare}", f"--work-tree={ROOT}", "-c", "user.name=lab", "-c", "user.email=lab@localhost"]
    for arguments in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "-m", "lab"]):
        subprocess.run([*git, *arguments], cwd=ROOT, check=True)
    subprocess.run([*git[:2], "config", "core.bare", "true"], check=True)
    return f"file://{bare}"


def test_pull(repository: str, tmp_path: Path) -> None:
    """Twice on a host without anything of ours; the second run finds everything as it is to be."""
    place = tmp_path / "ansible_collections/nslab/bridgenet"

    def pull() -> int:
        done = command(
            *("ansible-pull", "--url", repository, "--directory", place, "--inventory", "inventory/"),
            *("--extra-vars", f"lab_host_directory={tmp_path}/lab_host", "playbooks/site.yml"),
            cwd=tmp_path,
            ANSIBLE_COLLECTIONS_PATH=str(tmp_path),
        )
        assert done.returncode == 0
        *_checkout, changed = re.findall(r"^localhost +: .*changed=(\d+)", done.stdout, re.MULTILINE)
        return int(changed)

    assert pull() > 0
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert {line.split()[0] for line in names.splitlines()} == {"ns1", "ns2"}
    assert pull() == 0


def settled(lists: dict[str, Any]) -> dict[str, list[str]]:
    """Lists of modules without the order of the declaration, which JSON from Ansible has by name."""
    return {name: sorted(json.dumps(one, sort_keys=True) for one in entries) for name, entries in lists.items()}


def test_project_of_awx(collections: Path, tmp_path: Path) -> None:
    """AWX reads the inventory of a project once, keeps it as JSON, and starts every job with that."""
    project, exported = tmp_path / "project", tmp_path / "exported"
    shutil.copytree(collections / "ansible_collections/nslab/bridgenet/examples/fleet", project / "inventory")
    (project / "site.yml").write_text("- import_playbook: nslab.bridgenet.site\n", encoding="utf-8")
    (project / "declaration.yml").write_text(DECLARATION, encoding="utf-8")

    def awx(program: str, *arguments: object) -> str:
        done = command(program, *arguments, cwd=project, ANSIBLE_COLLECTIONS_PATH=str(collections))
        assert done.returncode == 0
        return done.stdout

    kept = awx("ansible-inventory", "-i", project / "inventory", "--list", "--export")
    exported.write_text(f"#!/bin/sh\ncat <<'END'\n{kept}END\n", encoding="utf-8")
    exported.chmod(0o755)
    assert json.loads(kept)["containers"]  # those of the inventory plugin
    assert "lab5.example.com" in awx("ansible-playbook", "-i", exported, "--list-hosts", "site.yml")

    told = []
    for inventory in (project / "inventory", exported):
        said = awx("ansible-playbook", "-i", inventory, "declaration.yml")
        found = re.findall(r"told: (\S+) ([\w+/=]+)", said)
        told.append({host: settled(json.loads(base64.b64decode(lists))) for host, lists in found})
    assert len(told[0]) == 5
    assert told[0] == told[1]
