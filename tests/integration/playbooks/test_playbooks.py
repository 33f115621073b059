# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of the collection with the inventory of the checkout, from the empty host and back to it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

from .conftest import ROOT, Ansible, Playbook

# Prints what differs. In a PID namespace, as it also looks at processes, and those of the machine come and go.
SNAPSHOT = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, ROOT / "molecule/resources/snapshot.py"]

# ip_forward takes others with it: to turn it off writes 1 to accept_redirects.
HOSTS = {
    "a host": "net/ipv4/ip_forward=0",
    "a router": "net/ipv4/ip_forward=1 net/ipv4/conf/all/accept_redirects=1",
    "a host without redirects": "net/ipv4/ip_forward=0 net/ipv4/conf/all/accept_redirects=0",
}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "snapshot.json"


def unchanged(kept: Path) -> None:
    """Nothing moved since the snapshot; /run/netns may stay a mount of its own."""
    done = subprocess.run(
        [*SNAPSHOT, "compare", kept, "--may-stay", "/run/netns"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


# Chains of iptables that a rule brings along, and that stay when it goes.
CHAINS = "; ".join(
    f"iptables -t {table} {action} {chain} -j RETURN"
    for table, chain in (("nat", "PREROUTING"), ("nat", "POSTROUTING"), ("filter", "FORWARD"))
    for action in ("-A", "-D")
)


@contextmanager
def given_back(kept: Path, sysctls: str) -> Iterator[None]:
    """The machine with these sysctls, which must be as it was at the end."""
    shell(f"sysctl -qw {sysctls}")
    subprocess.run([*SNAPSHOT, "keep", kept], check=True)
    yield
    unchanged(kept)


def test_build_verify_and_remove(playbook: Playbook, kept: Path) -> None:
    with given_back(kept, HOSTS["a host"]):
        assert playbook("playbooks/site.yml", "--check", "--diff") > 0
        unchanged(kept)
        assert playbook("playbooks/site.yml") > 0
        assert playbook("playbooks/site.yml") == 0
        assert playbook("playbooks/verify.yml") == 0
        assert playbook("playbooks/teardown.yml") > 0
        assert playbook("playbooks/teardown.yml") == 0


def test_a_sysctl_with_another_value_before(playbook: Playbook, kept: Path) -> None:
    with given_back(kept, HOSTS["a host without redirects"]):
        assert playbook("playbooks/site.yml") > 0
        assert playbook("playbooks/teardown.yml") > 0


def test_two_projects(playbook: Playbook, kept: Path, tmp_path: Path) -> None:
    """They leave each other's objects alone, and also what network managers are told."""
    other = tmp_path / "other.json"
    declared = {"networks": {"red": {"subnet": "10.71.0.0/24"}}, "containers": {"r1": {"networks": {"red": {}}}}}
    other.write_text(
        json.dumps(
            {f"container_bridge_network_{key}": value for key, value in {"project": "other", **declared}.items()}
        ),
        encoding="utf-8",
    )
    theirs = ("--extra-vars", f"@{other}")
    with given_back(kept, HOSTS["a host"]):
        assert playbook("playbooks/site.yml") > 0
        assert playbook("playbooks/site.yml", *theirs) > 0
        assert playbook("playbooks/site.yml") == 0
        assert playbook("playbooks/teardown.yml", *theirs) > 0
        assert playbook("playbooks/site.yml") == 0
        assert playbook("playbooks/teardown.yml") > 0


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The output, whose long lines are folded."""
    return " ".join(done.stdout.split())


def test_preflight(ansible: Ansible, kept: Path) -> None:
    """Alone it changes nothing; every conflict is in one message, and before the first change."""
    command = ("ansible-playbook", "playbooks/site.yml", "--tags", "preflight")
    with given_back(kept, HOSTS["a host"]):
        done = ansible(*command)
        assert done.returncode == 0
        assert "net/ipv4/ip_forward is 0: networks need it" in said(done)
        assert "changed=0" in done.stdout
        unchanged(kept)
        shell("ip link add name br0 type bridge; ip link add name veth1 type veth peer name x")
        done = ansible(*command)
        assert done.returncode == 2
        assert "bridge 'br0': exists and is not ours" in said(done)
        assert "veth 'veth1': exists and is not ours" in said(done)
        shell("ip link del br0; ip link del veth1")


def test_the_play_of_the_readme(playbook: Playbook, kept: Path, tmp_path: Path) -> None:
    """On a router, with a network manager that is to keep its hands off."""
    declaration, play = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "declaration.yml").write_text(declaration, encoding="utf-8")
    (tmp_path / "play.yml").write_text(play, encoding="utf-8")
    drop_in = tmp_path / "10-ours.conf"
    managers = {"NetworkManager": {"program": "/bin/sh", "path": str(drop_in), "reload": ["true"]}}
    variables = ["-e", f"@{tmp_path}/declaration.yml", "-e", json.dumps({"lab_host_managers": managers})]
    with given_back(kept, HOSTS["a router"]):
        assert playbook(str(tmp_path / "play.yml"), *variables) == 2  # the drop-in and the network
        assert "=interface-name:br0,interface-name:veth1,interface-name:veth" in drop_in.read_text(encoding="utf-8")
        assert playbook("playbooks/teardown.yml", *variables) == 2
        assert not drop_in.exists()


@pytest.mark.parametrize("number", ["001", "002", "003", "004"])
def test_seed(number: str, playbook: Playbook, kept: Path) -> None:
    path = f"playbooks/seed-{number}.yml"
    shell(CHAINS)
    with given_back(kept, HOSTS["a host"]):
        assert playbook(path) > 0
        assert playbook(path) == 0
        assert playbook(path, "--check") == 0
        assert playbook(path, "--tags", "absent") > 0


def test_seed_004_where_bridged_packets_do_not_pass(playbook: Playbook, kept: Path) -> None:
    shell(CHAINS)
    with given_back(kept, HOSTS["a host"]):
        assert playbook("playbooks/seed-004.yml", "--extra-vars", "seed_004_bridge_nf=false") > 0
        assert playbook("playbooks/seed-004.yml", "--tags", "absent") > 0


def test_every_module(playbook: Playbook, kept: Path) -> None:
    with given_back(kept, HOSTS["a host"]):
        playbook("tests/integration/playbooks/modules.yml")


def test_names_of_namespaces(playbook: Playbook, kept: Path) -> None:
    with given_back(kept, HOSTS["a host"]):
        playbook("tests/integration/playbooks/names.yml")
