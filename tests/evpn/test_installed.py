# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role evpn on a host that systemd runs and that has no FRR: from Debian's packages to a host as it was before.

The scenario evpn has FRR installed already, and no systemd.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.tests.systemd_hosts import Container, make_key, missing, start

ROOT = Path(__file__).parents[2]
SUITE = os.environ.get("BRIDGENET_SUITE", "bookworm")
ADDRESS = "198.18.0.1"
PACKAGES = "frr frr-pythontools"
INSTALLED = f"dpkg-query --show --showformat='${{db:Status-Status}}\\n' {PACKAGES} 2>/dev/null || true"

Role = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def host() -> Iterator[Container]:
    why = missing()
    if why:
        pytest.skip(f"no host with systemd: {why}")
    container = start(SUITE)
    try:
        container.wait()
        container.shell(f"ip link set dev lo up; ip address add {ADDRESS}/32 dev lo")
        yield container
    finally:
        container.remove()


@pytest.fixture
def role(host: Container, tmp_path: Path) -> Role:
    """Run the role on the host, which is all of the group."""
    variables = {**host.let_in(make_key(tmp_path / "key")), "ansible_host": ADDRESS}
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"evpn": {"hosts": {"lab1": variables}}}))
    play = tmp_path / "play.json"
    play.write_text(json.dumps([{"hosts": "evpn", "gather_facts": False, "roles": ["nslab.bridgenet.evpn"]}]))
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "LC_ALL": "C.UTF-8",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "--inventory", inventory, *arguments, play],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)  # pytest shows it where the test fails
        return done

    return run


def changed(done: subprocess.CompletedProcess[str]) -> int:
    """How many tasks changed something in a run without a fault."""
    assert done.returncode == 0
    found = re.search(r"^lab1 +: .*changed=(\d+)", done.stdout, re.MULTILINE)
    assert found
    return int(found[1])


def supply(host: Container, directory: Path) -> None:
    """Put the packages where apt looks before it downloads: the host has no network."""
    listed = host.shell(f"apt-get install --print-uris --quiet=2 --yes --no-install-recommends {PACKAGES}")
    host.shell("touch /var/lib/apt/lists /var/cache/apt/pkgcache.bin; mkdir -p /var/cache/apt/archives/partial")
    for url, name in re.findall(r"^'([^']+)' (\S+) ", listed, re.MULTILINE):
        package = directory / name
        subprocess.run(["/usr/lib/apt/apt-helper", "download-file", url, package], check=True, capture_output=True)
        subprocess.run(["podman", "cp", package, f"{host.number}:/var/cache/apt/archives/{name}"], check=True)


def test_life(host: Container, role: Role, tmp_path: Path) -> None:
    """Refused, foreseen, installed and started, again, taken away, again."""
    done = role("--extra-vars", '{"evpn_install": false}')
    assert done.returncode != 0
    assert "Not installed: frr, frr-pythontools. Install them, or set evpn_install: true." in done.stdout

    foreseen = role("--check")
    assert changed(foreseen) == 1
    assert "Would be installed: frr, frr-pythontools; then configured and started" in foreseen.stdout
    assert host.shell(INSTALLED) == ""

    supply(host, tmp_path)
    assert changed(role()) > 1
    assert host.shell(INSTALLED).split() == ["installed", "installed"]
    assert host.shell("systemctl is-active frr; systemctl is-enabled frr").split() == ["active", "enabled"]
    running = host.shell("vtysh -c 'show running-config bgpd'")
    assert "router bgp 65000" in running
    assert "advertise-all-vni" in running
    own = host.shell("cat /etc/frr/frr.conf.before-bridgenet /etc/frr/daemons.before-bridgenet")

    process = host.shell("systemctl show --property=MainPID --value frr")
    assert changed(role("--check")) == changed(role()) == 0
    assert host.shell("systemctl show --property=MainPID --value frr") == process

    assert changed(role("--extra-vars", "evpn_state=absent")) > 1
    assert host.shell("systemctl is-active frr || true; systemctl is-enabled frr || true").split() == [
        "inactive",
        "disabled",
    ]
    assert host.shell("cat /etc/frr/frr.conf /etc/frr/daemons") == own
    assert host.shell("find /etc/frr -name '*before-bridgenet'") == ""
    assert changed(role("--extra-vars", "evpn_state=absent")) == 0
