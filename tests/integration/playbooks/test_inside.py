# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks inside namespaces, by the connection plugin: of this machine, and of a test host over SSH."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.plugin_utils._entering import Entrance
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

from .conftest import USERS, Ansible

PLAYBOOK = "tests/integration/playbooks/inside.yml"

NAMESPACE = """
ip netns add ns1
ip -n ns1 link add name inside type bridge
ip -n ns1 address add 10.9.8.7/24 dev inside
ip -n ns1 link set dev inside up
mkdir -p /etc/netns/ns1
echo "10.9.8.1 only.inside" >/etc/netns/ns1/hosts
touch /run/netns/leftover
"""


@pytest.fixture
def lab1(testhost: dict[str, Any], ansible: Ansible, tmp_path: Path) -> dict[str, Any]:
    """A test host with users and a namespace; what an inventory says of it."""
    prepare = f"set -e\n{USERS}{NAMESPACE}"
    done = ansible("ansible", "inside", "-i", written(tmp_path / "plain.json", testhost), "-m", "raw", "-a", prepare)
    assert done.returncode == 0
    return {**testhost, "bridgenet_transport": "ssh"}


def written(path: Path, variables: dict[str, Any]) -> str:
    """An inventory of one host."""
    path.write_text(json.dumps({"all": {"hosts": {"inside": variables}}}), encoding="utf-8")
    return str(path)


def login(name: str, home: str, users: list[str]) -> dict[str, Any]:
    return {"ansible_user": name, "login": name, "home": home, "users": users}


ROOTS = login("root", "/root", ["other"])
ADMIN = {**login("admin", "/run/home/admin", ["root", "other"]), "bridgenet_sudo": True}
CAREFUL = {
    **login("careful", "/run/home/careful", ["root", "other"]),
    "bridgenet_sudo": True,
    "ansible_become_password": "secret",
}


@pytest.fixture
def work(ansible: Ansible, tmp_path: Path) -> Any:
    def run(variables: dict[str, Any], pipelining: bool) -> None:
        for key, value in (("place", "/run/home/place"), ("fetched", str(tmp_path / "fetched"))):
            variables = {**variables, key: value}
        inventory = written(tmp_path / "inside.json", {**variables, "ansible_pipelining": pipelining})
        done = ansible("ansible-playbook", PLAYBOOK, "-i", inventory)
        assert done.returncode == 0, done.stdout + done.stderr

    return run


@pytest.mark.parametrize(
    ("who", "pipelining"),
    [(ROOTS, True), (ADMIN, True), (ADMIN, False), (CAREFUL, True)],
    ids=["root", "admin", "admin, by files", "careful"],
)
def test_everything_over_ssh(lab1: dict[str, Any], work: Any, who: dict[str, Any], pipelining: bool) -> None:
    # Without pipelining, files go from one user without rights to another through permissions that sudo cannot give.
    users = who["users"] if pipelining else [user for user in who["users"] if "root" in (user, who["login"])]
    work({**lab1, **who, "users": users}, pipelining)


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "by files"])
def test_everything_on_this_machine(machine: None, work: Any, pipelining: bool) -> None:
    shell(USERS + NAMESPACE)
    local = {"bridgenet_transport": "local", "ansible_python_interpreter": "/usr/bin/python3"}
    work({**local, **ROOTS, "home": os.environ["HOME"]}, pipelining)


def test_a_login_on_this_machine(machine: None) -> None:
    """What the connection plugin runs, started by a login that is not root."""
    shell(USERS + NAMESPACE)
    entrance = Entrance("localhost", "ns1", True, "mark")
    line = entrance.command(
        "ls /sys/class/net; id -un; id -Gn; pwd; echo $HOME; grep -c NoNewPrivs:.0 /proc/self/status"
    )
    environment = "env -i PATH=/usr/bin:/bin HOME=/run/home/admin"
    output = shell(f"cd /run/home; {environment} setpriv --reuid=admin --regid=admin --init-groups {line}")
    assert output.split("\n")[:-1] == ["inside", "lo", "admin", "admin team", "/run/home", "/run/home/admin", "1"]


# Host of the inventory: what is different about it, and what is said about that.
REFUSED = {
    "gone": ({}, "UNREACHABLE", "no network namespace 'gone'; create it first"),  # the host's name, as none is given
    "leftover": ({"bridgenet_namespace": "leftover"}, "UNREACHABLE", "no network namespace 'leftover'"),
    "shell": ({"bridgenet_namespace": "a;reboot"}, "FAILED", "namespace name 'a;reboot': allowed are letters"),
    "path": ({"bridgenet_namespace": "../ns1"}, "FAILED", "namespace name '../ns1': allowed are letters"),
    "login": ({"bridgenet_namespace": "ns1", "ansible_user": "admin"}, "UNREACHABLE", "set bridgenet_sudo: true"),
    "denied": (
        {"bridgenet_namespace": "ns1", "ansible_user": "other", "bridgenet_sudo": True},
        "UNREACHABLE",
        "without a password; allow it in sudoers",
    ),
    "port": ({"bridgenet_namespace": "ns1", "ansible_port": 1}, "UNREACHABLE", "Connection refused"),
}


@pytest.mark.parametrize(
    ("pipelining", "task"),
    [
        (True, ["-m", "ansible.builtin.setup"]),
        (False, ["-m", "ansible.builtin.setup"]),
        (True, ["-m", "ansible.builtin.command", "-a", "id", "--become", "--become-user", "nobody"]),
        (False, ["-m", "ansible.builtin.raw", "-a", "id"]),
    ],
    ids=["pipelined", "by files", "become", "raw"],
)
def test_who_is_not_let_in(
    lab1: dict[str, Any], ansible: Ansible, tmp_path: Path, pipelining: bool, task: list[str]
) -> None:
    plugin = {"ansible_connection": "nslab.bridgenet.netns", "ansible_pipelining": pipelining}
    hosts = {name: {**lab1, **plugin, **options} for name, (options, _status, _said) in REFUSED.items()}
    inventory = tmp_path / "refused.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    done = ansible("ansible", "all", "-i", str(inventory), "--tree", str(tmp_path / "tree"), *task)
    for name, (_options, status, said) in REFUSED.items():
        answer = json.loads((tmp_path / "tree" / name).read_text(encoding="utf-8"))
        assert said in answer["msg"]
        assert answer.get("unreachable", False) == (status == "UNREACHABLE")
    assert "SUCCESS" not in done.stdout
    assert "CHANGED" not in done.stdout
