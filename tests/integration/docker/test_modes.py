# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker's five modes, by Docker and by us: what a process in each of them sees has the same shape."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _declaration, _expansion
from ansible_collections.nslab.bridgenet.tests.integration.docker.engine import Docker, NoDocker, docker
from ansible_collections.nslab.bridgenet.tests.integration.docker.seen import UPLINK, Shape, reached, shapes
from ansible_collections.nslab.bridgenet.tests.integration.engine import driver
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, sandbox, shell

ROOT = Path(__file__).parents[3]

# Name -> mode as both have it; a name of a network is a custom one.
CONTAINERS = {
    "alone": "none",
    "first": "bridge",
    "second": "bridge",
    "red1": "red",
    "red2": "red",
    "blue1": "blue",
    "beside": "container:red1",
    "outside": "host",
}
NETWORKS = {"red": "10.77.0.0/16", "blue": "10.78.0.0/16"}
DEFAULT = "10.210.0.0/16"  # as long as Docker's
ADDRESSES = {"red1": "10.77.0.11", "red2": "10.77.0.12", "blue1": "10.78.0.11"}

Seen = tuple[dict[str, Shape], set[tuple[str, str]]]


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    if os.geteuid() != 0:
        pytest.skip("no Docker engine: only root can start one")
    done = subprocess.run([ROOT / "hack/apt.sh", "docker.io", "iptables"], capture_output=True, text=True, check=False)
    if not shutil.which("dockerd", path="/usr/sbin:/usr/bin"):
        pytest.skip(f"no Docker engine: docker.io cannot be installed here: {done.stderr.strip()}")


@contextmanager
def _by_docker(engine: Docker) -> Iterator[dict[str, int]]:
    """The containers of Docker; their pids."""
    for name, subnet in NETWORKS.items():
        engine.run("network", "create", "--subnet", subnet, name)
    yield {name: engine.container(name, mode) for name, mode in CONTAINERS.items()}


@contextmanager
def _by_us() -> Iterator[dict[str, int]]:
    """The same as a declaration, with a process in each; their pids."""
    containers = {}
    for name, mode in CONTAINERS.items():
        in_network = {"networks": {mode: {"ipv4_address": ADDRESSES[name]}}} if mode in NETWORKS else None
        containers[name] = in_network or {"network_mode": mode}
    networks = {
        name: {"subnet": subnet, "masquerade": True} for name, subnet in {**NETWORKS, "default": DEFAULT}.items()
    }
    declared = _declaration.parse(networks, containers)
    lists = _expansion.lists(declared, forwarding=True, backend="auto", isolation=True)
    assert driver.apply(lists).changed
    assert not driver.apply(lists).changed
    with ExitStack() as stack:
        processes = {}
        for container in declared.containers:
            with inside(container.namespace):
                processes[container.name] = subprocess.Popen(["sleep", "infinity"])
            stack.callback(processes[container.name].wait)
            stack.callback(processes[container.name].kill)
        yield {name: process.pid for name, process in processes.items()}
    driver.apply(lists, state="absent")
    assert set(shell("ip -br link show | cut -d' ' -f1").split()) == {"lo", "uplink@if2"}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    with sandbox():
        shell(UPLINK)
        try:
            with docker(tmp_path_factory.mktemp("docker")) as engine, _by_docker(engine) as pids:
                return shapes(pids), reached(pids)
        except NoDocker as error:
            pytest.skip(str(error))


@pytest.fixture(scope="module")
def ours() -> Seen:
    with sandbox():
        shell(UPLINK)
        with _by_us() as pids:
            return shapes(pids), reached(pids)


@pytest.mark.parametrize("name", CONTAINERS)
def test_what_a_process_sees(name: str, ours: Seen, theirs: Seen) -> None:
    """Its interfaces, its routes, and whose namespace it is in."""
    assert ours[0][name] == theirs[0][name]


@pytest.mark.parametrize("name", CONTAINERS)
def test_whom_a_process_reaches(name: str, ours: Seen, theirs: Seen) -> None:
    """And whom it does not."""
    assert {pair for pair in ours[1] if pair[0] == name} == {pair for pair in theirs[1] if pair[0] == name}


def test_the_shapes_are_those_that_the_manual_tells_of(ours: Seen) -> None:
    """That both see nothing would be no proof."""
    found, answered = ours
    loopback, port = (True, True, False, (8,)), (False, True, True, (16,))
    assert found["alone"] == Shape((loopback,), (), ("alone",))
    for name in ("first", "second", "red2", "blue1"):
        assert found[name] == Shape((port, loopback), (("connected", False), ("default", True)), (name,))
    assert found["beside"].shares == found["red1"].shares == ("beside", "red1")
    assert len(found["outside"].interfaces) == 2 + 3 + 5  # loopback and uplink, bridges, their ports
    neighbours = {("first", "second"), ("red1", "red2"), ("beside", "red2"), ("beside", "red1")}
    strangers = {("first", "red1"), ("red1", "first"), ("red1", "blue1"), ("blue1", "beside"), ("second", "blue1")}
    assert neighbours <= answered
    assert not strangers & answered
    assert {name for name, target in answered if target == "world"} == set(CONTAINERS) - {"alone"}
    assert {target for name, target in answered if name == "outside"} >= {"first", "red1", "blue1", "world"}
