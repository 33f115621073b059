# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks run on a fresh machine as well, by ansible-playbook and over the local connection."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine.conftest import machine
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

__all__ = ["machine"]  # an autouse fixture

ROOT = Path(__file__).parents[3]
# What the role lab_host may have written on the machine that the tests run on.
DROP_INS = (
    "NetworkManager/conf.d/10-nslab-bridgenet.conf",
    "NetworkManager/conf.d/10-nslab-bridgenet-other.conf",
    "systemd/network/10-nslab-bridgenet.network",
    "systemd/network/10-nslab-bridgenet-other.network",
)
# Users of a host whose /etc is its own. Only admin may become anybody, and careful with the password "secret"; without
# it careful may only enter namespaces.
USERS = """
for user in admin:61001 other:61002 careful:61004; do
    name=${user%:*} number=${user#*:}
    echo "$name:x:$number:$number::/run/home/$name:/bin/sh" >>/etc/passwd
    echo "$name:x:$number:" >>/etc/group
    echo "$name:*:20000::::::" >>/etc/shadow
    mkdir -p -m 755 "/run/home/$name"
    chown "$number:$number" "/run/home/$name"
done
chmod 1777 /run/home
echo "team:x:61003:admin" >>/etc/group
echo "127.0.1.1 $(uname -n)" >>/etc/hosts # sudo wants to know it
mkdir -p /etc/sudoers.d
echo "admin ALL=(ALL:ALL) NOPASSWD: ALL" >/etc/sudoers.d/admin
echo "careful ALL=(ALL:ALL) ALL, NOPASSWD: /usr/sbin/ip netns exec *" >/etc/sudoers.d/careful
echo careful:secret | chpasswd
"""

Ansible = Callable[..., subprocess.CompletedProcess[str]]
Playbook = Callable[..., int]


@pytest.fixture
def ansible(machine: None, tmp_path: Path) -> Ansible:
    """Run a program of Ansible's as a user does, in the checkout and with its configuration."""
    tree = tmp_path / "collections" / "ansible_collections" / "nslab"
    tree.mkdir(parents=True)
    (tree / "bridgenet").symlink_to(ROOT)
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(tree.parents[1]),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "LC_ALL": "C.UTF-8",
    }

    def run(program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [Path(sys.executable).parent / program, *arguments],  # that of another release is a whole path
            cwd=ROOT,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)  # pytest shows it where the test fails
        return done

    return run


def command(program: str, *arguments: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A program of Ansible's with nothing of the checkout: no configuration, no inventory, no home of a user."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *map(str, arguments)],
        cwd=cwd,
        env={**inherited, "HOME": str(cwd), "LC_ALL": "C.UTF-8", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout, done.stderr)  # pytest shows it where the test fails
    return done


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("archive")
    done = command("ansible-galaxy", "collection", "build", "--output-path", directory, ROOT, cwd=directory)
    assert done.returncode == 0
    (found,) = directory.glob("nslab-bridgenet-*.tar.gz")
    return found


@pytest.fixture(scope="session")
def collections(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that had nothing in it but this collection, whose dependencies cannot come from anywhere."""
    tree = tmp_path_factory.mktemp("collections")
    done = command("ansible-galaxy", "collection", "install", "--offline", "-p", tree, archive, cwd=tree)
    assert done.returncode == 0
    return tree


@pytest.fixture
def testhost(machine: None, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A test host, to which one logs in as root or as any of USERS; what an inventory says of it."""
    state = tmp_path / "testhosts"
    program = [sys.executable, ROOT / "molecule/resources/testhosts.py", "--state", state]
    subprocess.run([*program, "create", "lab1"], check=True)
    try:
        known: dict[str, Any] = json.loads((state / "inventory.json").read_text(encoding="utf-8"))["all"]["hosts"][
            "lab1"
        ]
        # A connection of its own for every login, and a list of keys that sshd can read as any of them.
        known["ansible_ssh_common_args"] = known["ansible_ssh_common_args"].replace("/%h", "/%C")
        pid = json.loads((state / "state.json").read_text(encoding="utf-8"))["hosts"]["lab1"]["process"]["pid"]
        shell(f"nsenter --target {pid} --mount chmod 644 /etc/ssh/authorized_keys")
        yield known
    finally:
        subprocess.run([*program, "destroy"], check=True)


@pytest.fixture
def playbook(ansible: Ansible, tmp_path: Path) -> Playbook:
    """Run a playbook on this machine; how many tasks changed something."""
    for path in DROP_INS:
        Path("/etc", path).unlink(missing_ok=True)

    def run(path: str, *arguments: str) -> int:
        # /opt is the only place of the role's that is the machine's own here.
        done = ansible("ansible-playbook", path, "--extra-vars", f"lab_host_directory={tmp_path}/lab_host", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        changed = re.search(r"^localhost +: .*changed=(\d+)", done.stdout, re.MULTILINE)
        assert changed, done.stdout
        return int(changed[1])

    return run
