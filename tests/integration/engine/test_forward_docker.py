# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Beside a Docker engine that really runs, on a machine of its own: ours gets through, and Docker's is left alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._findings import CONFLICT, NOTICE, OK
from ansible_collections.nslab.bridgenet.plugins.module_utils._inspection import inspect
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check, task
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.talk import IMPATIENCE, PATIENCE, ask, listening
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_forward import gates, saved
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_forward_traffic import (
    NETWORKS,
    blocked,
    build,
    passes,
)
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_traffic import bridge_nf

SOCKET = "/run/docker/d.sock"
FORWARD = {"forward": NETWORKS}
values = pytest.mark.parametrize("value", bridge_nf())


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """Docker's daemon, which is not started on this machine itself."""
    if os.geteuid() == 0:
        subprocess.run([str(Path(__file__).parents[3] / "hack" / "apt.sh"), "docker.io"], check=False)
    if not shutil.which("dockerd", path="/usr/sbin:/usr/bin:/usr/local/bin"):
        pytest.skip("there is no dockerd, and no apt to install it")


def answers() -> bool:
    """Whether the daemon takes requests."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(SOCKET)
        except OSError:
            return False
        client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return b"200 OK" in client.recv(4096)


@contextmanager
def dockerd(directory: Path) -> Iterator[None]:
    """A running engine in this sandbox."""
    command = ["dockerd", "--data-root", str(directory), "--exec-root", "/run/docker/exec", "-p", "/run/docker/pid"]
    Path("/run/docker").mkdir(exist_ok=True)
    with Path("/run/docker/log").open("wb") as log:
        daemon = subprocess.Popen([*command, "-H", f"unix://{SOCKET}"], stdout=log, stderr=log)
    try:
        end = time.monotonic() + 60
        while not answers():
            if daemon.poll() is not None or time.monotonic() > end:
                pytest.skip(f"dockerd does not run here: {Path('/run/docker/log').read_text()[-500:]}")
            time.sleep(0.05)
        yield
    finally:
        daemon.terminate()
        daemon.wait()


def without_forwarding() -> None:
    """Docker sets FORWARD to DROP where nobody forwarded before it came."""
    shell("sysctl -qw net/ipv4/ip_forward=0")


def isolated() -> None:
    """All that networks promise."""
    for source, name in (("a1", "a2"), ("a2", "a1"), ("a1", "out"), ("b1", "out")):
        passes(source, name)
    for source, name in (("a1", "b1"), ("b1", "a1"), ("out", "a1")):
        blocked(source, name)


@values
def test_docker_was_first(tmp_path: Path, value: str) -> None:
    """Everything gets through that should; Docker's rules are what they were, but for one, and then without it."""
    without_forwarding()
    with dockerd(tmp_path):
        first = saved()
        assert ":FORWARD DROP" in first["iptables"]
        build("accept", value)
        assert first == saved()
        predicted = check(FORWARD)
        assert apply(FORWARD) == predicted
        assert "iptables -A DOCKER-USER" in gates()
        isolated()
        ours = [line for line in saved()["iptables"].splitlines() if "bridgenet:1:" in line]
        assert [line for line in saved()["iptables"].splitlines() if line not in ours] == first["iptables"].splitlines()
        assert not apply(FORWARD).changed
        apply(FORWARD, state="absent")
        assert saved() == first


@values
def test_published_ports(tmp_path: Path, value: str) -> None:
    """They are reached where Docker drops what it does not know; Docker's rules are what they were."""
    without_forwarding()
    with dockerd(tmp_path):
        first = saved()
        build("accept", value)
        web = {"host_port": 8080, "address": "10.1.0.11", "port": 80, "bridge": "br0"}
        ports = {"publish": [web, {**web, "protocol": "udp"}]}
        apply({**FORWARD, **ports})
        with listening("a1", (80,)):
            for protocol in ("tcp", "udp"):
                assert ask("out", protocol, "10.9.0.1", 8080, PATIENCE)
                assert ask("b1", protocol, "10.9.0.1", 8080, PATIENCE)
                assert ask("", protocol, "127.0.0.1", 8080, PATIENCE)
                assert not ask("out", protocol, "10.9.0.1", 80, IMPATIENCE)
            apply(FORWARD, state="absent")
            assert ask("out", "tcp", "10.9.0.1", 8080, PATIENCE), "the rule in Docker's chain stays for the ports"
        apply(ports, state="absent")
        assert saved() == first


@values
def test_docker_s_network_is_docker_s(tmp_path: Path, value: str) -> None:
    """What the host drops on its way to Docker's bridge is dropped as before; answers from there come back."""
    without_forwarding()
    with dockerd(tmp_path):
        build("accept", value)
        shell(
            "ip netns add d1; ip link add pd1 type veth peer name eth0 netns d1; ip link set dev pd1 master docker0 up;"
            "ip -n d1 address add 172.17.0.9/16 dev eth0; ip -n d1 link set dev eth0 up;"
            "ip -n d1 route add default via 172.17.0.1; ip netns exec d1 ping -c1 -W5 -q 172.17.0.1"
        )
        apply(FORWARD)
        shell("! ip netns exec a1 ping -c1 -W0.2 -q 172.17.0.9")
        shell("! ip netns exec d1 ping -c1 -W0.2 -q 10.1.0.11")
        shell("ip netns exec d1 ping -c1 -W5 -q 10.9.0.11")
        apply({"forward": [{"interface": "br0", "other": "docker0", "both_ways": False}]})
        shell("ip netns exec a1 ping -c1 -W5 -q 172.17.0.9")
        shell("! ip netns exec d1 ping -c1 -W0.2 -q 10.1.0.11")


@values
def test_docker_comes_later(tmp_path: Path, value: str) -> None:
    """A network that stands when Docker comes is cut off by Docker's policy; the next run lets it through again."""
    build("accept", value)
    without_forwarding()
    apply({"forward": [{**one, "forwarding": False} for one in NETWORKS]})
    with dockerd(tmp_path):
        shell("ip netns exec a1 ping -c1 -W0.2 -q 10.9.0.11 && exit 1 || true")
        assert check(FORWARD).changed
        assert apply(FORWARD).changed
        assert "iptables -A DOCKER-USER" in gates()
        isolated()
        assert not apply(FORWARD).changed


def test_docker_restarts(tmp_path: Path) -> None:
    """Docker leaves its users' chain alone when it starts again, so nothing is to be done."""
    without_forwarding()
    with dockerd(tmp_path):
        build("accept", bridge_nf()[-1])
        apply(FORWARD)
    with dockerd(tmp_path):
        assert not check(FORWARD).changed
        isolated()
    apply(FORWARD, state="absent")
    assert not gates()


def test_preflight_and_a_whole_network(tmp_path: Path) -> None:
    """Docker's bridges are named as such, whatever they are called; a network that came and went left nothing."""
    without_forwarding()
    with dockerd(tmp_path):
        docker = f"docker -H unix://{SOCKET} network"
        shell(f"{docker} create --subnet 10.78.0.0/16 -o com.docker.network.bridge.name=custom x")
        first, networks = saved(), shell(f"{docker} ls; {docker} inspect bridge x")
        named = {"bridge": [{"name": "docker0"}, {"name": "custom"}, {"name": "br1", "addresses": ["10.78.1.1/24"]}]}
        conflicts = [one for one in inspect(task(named)) if one.severity == CONFLICT]
        assert [one.why for one in conflicts[:2]] == [
            f"exists and is not ours: {name} belongs to Docker" for name in ("docker0", "custom")
        ]
        assert "overlaps 10.78.0.0/16, to which this host is connected by 'custom'" in conflicts[2].why
        declared = {**blue(), "forward": [{"bridge": "br0", "label": "blue"}]}
        (notice,) = [one for one in inspect(task(declared)) if one.severity != OK]
        assert (notice.what, notice.severity) == ("iptables: chain DOCKER-USER", NOTICE)
        report = apply(declared)
        assert notice.done.rpartition(": ")[2] in report.actions
        assert not [one for one in inspect(task(declared)) if one.severity != OK]
        shell("ip netns exec ns1 ping -c1 -W5 -q 10.10.0.20; ip netns exec ns1 ping -c1 -W5 -q 10.10.0.1")
        apply(declared, state="absent")
        assert saved() == first
        assert shell(f"{docker} ls; {docker} inspect bridge x") == networks
