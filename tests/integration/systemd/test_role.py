# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on a host with systemd, over SSH: Docker's five modes with a real process in each container."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.systemd.hosts import ROOT, SystemdHost
from ansible_collections.nslab.bridgenet.tests.systemd_hosts import make_key

# Each tells its own name to who asks. A unit has no line breaks.
SERVER = (
    "import socket, socketserver, sys; "
    "tell = {'handle': lambda self: self.request.sendall(socket.gethostname().encode())}; "
    "handler = type('Handler', (socketserver.BaseRequestHandler,), tell); "
    "socketserver.TCPServer.allow_reuse_address = True; "
    "socketserver.TCPServer(('', int(sys.argv[1])), handler).serve_forever()"
)
CLIENT = "import socket, sys; print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).recv(99).decode())"

RED1, RED2, BLUE1 = "10.77.0.11", "10.77.0.12", "10.78.0.11"


def process(port: int, **mode: Any) -> dict[str, Any]:
    return {**mode, "command": ["python3", "-c", SERVER, port], "restart": "on-failure"}


def place(network: str, address: str) -> dict[str, Any]:
    return {"networks": {network: {"ipv4_address": address}}}


DECLARATION = {
    "container_bridge_network_networks": {
        "red": {"subnet": "10.77.0.0/16", "masquerade": True},
        "blue": {"subnet": "10.78.0.0/16", "masquerade": True},
    },
    "container_bridge_network_containers": {
        "alone": process(8000, network_mode="none"),
        "first": process(8000, network_mode="bridge"),
        "red1": process(8000, **place("red", RED1)),
        "red2": process(8000, hostname="other", **place("red", RED2)),
        "blue1": process(8000, **place("blue", BLUE1)),
        "beside": process(8001, network_mode="container:red1"),
        "outside": process(8000, network_mode="host"),
    },
}

Role = Callable[..., int]


@pytest.fixture
def role(host: SystemdHost, tmp_path: Path) -> Role:
    """Apply the role to the host; how many tasks changed something."""
    tree = tmp_path / "collections" / "ansible_collections" / "nslab"
    tree.mkdir(parents=True)
    (tree / "bridgenet").symlink_to(ROOT)
    variables = host.let_in(make_key(tmp_path / "key"))
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"systemd": variables}}}))
    play = tmp_path / "play.json"
    roles = ["nslab.bridgenet.container_bridge_network"]
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "roles": roles}]))
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(tree.parents[1]),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "LC_ALL": "C.UTF-8",
    }

    def run(declaration: dict[str, Any], **more: Any) -> int:
        extra = ["--extra-vars", json.dumps({**declaration, **more})]
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "--inventory", inventory, *extra, play],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        changed = re.search(r"^systemd +: .*changed=(\d+)", done.stdout, re.MULTILINE)
        assert changed, done.stdout
        return int(changed[1])

    return run


def asked(host: SystemdHost, name: str, address: str, port: int = 8000) -> str:
    """What a process gets that is where the process of a container is; "" where nobody answers."""
    command = ["nsenter", "--target", str(host.pid(name)), "--net", "python3", "-c", CLIENT, address, str(port)]
    return host.shell(f"{shlex.join(command)} 2>/dev/null || true").strip()


def test_five_modes(role: Role, host: SystemdHost) -> None:
    before = host.state()
    assert role(DECLARATION) == 1
    pids = {name: host.pid(name) for name in DECLARATION["container_bridge_network_containers"]}
    assert all(pids.values())
    assert role(DECLARATION) == 0
    assert pids == {name: host.pid(name) for name in pids}

    places = {name: host.shell(f"readlink /proc/{pid}/ns/net") for name, pid in pids.items()}
    assert places["beside"] == places["red1"]
    assert places["outside"] == host.shell("readlink /proc/1/ns/net")
    assert len(set(places.values())) == len(places) - 1

    assert asked(host, "alone", "127.0.0.1") == "alone"
    assert asked(host, "red1", RED2) == "other"
    assert asked(host, "red2", RED1) == "red1"
    assert asked(host, "red2", RED1, 8001) == "beside"
    assert asked(host, "beside", "127.0.0.1") == "red1"
    assert asked(host, "red2", "10.77.0.1") == asked(host, "outside", "127.0.0.1") == host.shell("hostname").strip()
    assert asked(host, "outside", BLUE1) == "blue1"
    assert asked(host, "red1", BLUE1) == asked(host, "blue1", RED1) == asked(host, "first", RED1) == ""
    assert asked(host, "alone", RED1) == asked(host, "alone", "10.77.0.1") == ""
    seen = host.shell(f"nsenter --target {pids['red2']} --mount cat /etc/hosts").splitlines()
    assert f"{RED2} other" in seen

    host.shell("ip netns del blue1")
    assert role(DECLARATION) == 1
    assert host.pid("blue1") != pids.pop("blue1")
    assert asked(host, "outside", BLUE1) == "blue1"
    assert pids == {name: host.pid(name) for name in pids}

    assert role({}, container_bridge_network_purge=True) == 1
    assert host.state() == before


def test_taken_away_by_its_own_declaration(role: Role, host: SystemdHost) -> None:
    before = host.state()
    assert role(DECLARATION) == 1
    assert role(DECLARATION, container_bridge_network_state="absent") == 1
    assert host.state() == before
    assert role(DECLARATION, container_bridge_network_state="absent") == 0
