# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit of a boot on a real systemd: written, enabled, started with what follows it, changed and removed.

The scenario reboot has a boot itself, and tests/integration/engine what the script does.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.nslab.bridgenet.tests.integration.engine import networks
from ansible_collections.nslab.bridgenet.tests.integration.systemd.hosts import Story, SystemdHost

UNIT = "nslab-bridgenet-default.service"


def declared(**options: Any) -> dict[str, list[dict[str, Any]]]:
    """A network, and a process in it."""
    web = {"name": "web", "namespace": "ns1", "command": ["sleep", "infinity"], **options}
    return {**networks.blue(), "netns_service": [web]}


def test_life(host: SystemdHost) -> None:
    story = Story(host)
    untouched = host.state()
    report = story.changes(declared(), persist=True)
    assert report["actions"][-1] == f"systemctl enable --quiet -- {UNIT}"
    assert host.shell(f"systemctl is-enabled {UNIT}; systemctl is-active {UNIT} || true").split() == [
        "enabled",
        "inactive",
    ]
    story.changes(networks.blue(), persist=True)
    story.changes(declared(), state="absent", persist=True)
    assert host.state() == untouched
    story.stays({}, persist=False)


def test_started_it_brings_everything_back(host: SystemdHost) -> None:
    """As a boot does, where nothing stands; the process waits for its namespace."""
    host.engine(declared(), persist=True)
    before = host.state()
    host.shell(
        f"""
        systemctl stop bridgenet-web; nft delete table inet bridgenet; ip link del br0
        ip -all netns del; rm -rf /run/nslab.bridgenet; sysctl -qw net.ipv4.ip_forward=0
        for link in vethns1 vethns2; do while [ -e "/sys/class/net/$link" ]; do sleep 0.1; done; done
        systemctl start {UNIT}
        while ! systemctl --quiet is-active bridgenet-web; do sleep 0.1; done
        """
    )
    assert host.shell(f"ip netns identify {host.pid('web')}") == "ns1\n"
    assert not host.engine(declared(), persist=True)["report"]["changed"]
    host.shell(f"systemctl restart {UNIT}")
    assert not host.engine(declared(), persist=True)["report"]["changed"]
    assert f"{UNIT} loaded active exited" in host.state()
    host.shell(f"systemctl stop {UNIT}")
    assert host.state() == before
    assert host.pid("web")


def test_a_fault_at_every_position_is_undone(host: SystemdHost) -> None:
    """Written for the first time, written anew, and removed."""
    for objects, options in (({}, {"persist": True}), (networks.blue(), {"persist": True}), ({}, {"purge": True})):
        before, struck = host.state(), set()
        for position in range(100):
            done = host.engine(objects, fault=position, **options)
            if not done["struck"]:
                break
            struck.add(done["struck"])
            assert "what this run had done was undone" in done["error"], done
            assert host.state() == before, f"after a fault of {done['struck']}"
        assert "SetBoot" in struck
        assert done["report"]["changed"]
