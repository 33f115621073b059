# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that comes back at a boot: the playbooks over SSH on a machine that really reboots."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.vm.image import ROOT
from ansible_collections.nslab.bridgenet.tests.vm.machine import VirtualMachine

SERVER = ["python3", "-m", "http.server", "--directory", "/etc/nslab.bridgenet", "80"]
DECLARATION = {
    "container_bridge_network_persist": True,
    "container_bridge_network_bridge_nf": {"iptables": False, "ip6tables": True, "load": True},
    "container_bridge_network_networks": {
        "red": {
            "bridge": "brr",
            "subnet": "10.71.0.0/24",
            "masquerade": True,
            "enable_ipv6": True,
            "ipv6_subnet": "fd71::/64",
        },
        "green": {"bridge": "brg", "subnet": "10.72.0.0/24", "internal": True},
    },
    "container_bridge_network_containers": {
        "web": {
            "networks": {"red": {"ipv4_address": "10.71.0.10", "aliases": ["www"]}},
            "ports": ["8081:80", "127.0.0.1:8082:80"],
            "command": SERVER,
            "hostname": "web",
            "restart": "always",
        },
        "both": {
            "networks": {"red": {"gw_priority": 1, "netem": {"delay": "5ms"}}, "green": {}},
            "sysctls": {"net.ipv4.ip_unprivileged_port_start": 0},
        },
        "beside": {"network_mode": "container:web"},
    },
}

# What a boot itself may change: which modules have been loaded, and with them their settings.
_OF_MODULES = re.compile(r"/proc/sys/net/(bridge|netfilter|nf_conntrack)")

_EXPIRES = re.compile(r'"expires": \d+, ')  # of what the router advertises

STATE = """
mkdir -p /run/netns; cd /opt; python3 - <<'END'
import json
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
print(json.dumps(snapshot.portable(snapshot.state()), default=bytes.decode))
END
"""
UNITS = """
systemctl list-units --all --plain --no-legend 'bridgenet-*'
systemctl list-unit-files --no-legend '*bridgenet*' || true
ip netns identify "$(systemctl show --property=MainPID --value bridgenet-web)" || true
"""


def state(vm: VirtualMachine) -> dict[str, Any]:
    """Links, addresses, routes, rules, settings and files, in every namespace; the units, and who runs where."""
    found: dict[str, Any] = json.loads(vm.run(STATE))
    found[""]["routes"] = [_EXPIRES.sub("", route) for route in found[""]["routes"]]
    record = found["files"].pop("/run/nslab.bridgenet/original", "{}")
    return {**found, "record": json.loads(record), "units": vm.run(UNITS)}


def without_modules(found: dict[str, Any]) -> dict[str, Any]:
    sysctls = {key: value for key, value in found[""]["sysctls"].items() if not _OF_MODULES.match(key)}
    return {**found, "": {**found[""], "sysctls": sysctls}}


class Controller:
    """The playbooks, by an inventory of this one host."""

    def __init__(self, vm: VirtualMachine, directory: Path) -> None:
        self._vm = vm
        self._directory = directory
        collection = directory / "collections" / "ansible_collections" / "nslab"
        collection.mkdir(parents=True)
        (collection / "bridgenet").symlink_to(ROOT)

    def plays(self, playbook: str) -> int:
        """Run one; how many tasks changed something."""
        inventory = self._directory / "inventory.json"
        host = {**self._vm.variables, **DECLARATION, "lab_host_install": False}
        inventory.write_text(json.dumps({"lab_hosts": {"hosts": {"vm": host}}}), encoding="utf-8")
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, ROOT / "playbooks" / playbook],
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(self._directory / "collections"),
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_TIMEOUT": "120",
                "LC_ALL": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        changed = re.search(r"^vm +: .*changed=(\d+)", done.stdout, re.MULTILINE)
        assert changed, done.stdout
        return int(changed[1])


@pytest.fixture
def controller(vm: VirtualMachine, tmp_path: Path) -> Controller:
    return Controller(vm, tmp_path)


def asked(vm: VirtualMachine, url: str) -> str:
    program = f"import urllib.request; print(urllib.request.urlopen('{url}', timeout=60).status)"
    return vm.run(f'python3 -c "{program}"').strip()


def test_everything_is_back_after_a_boot(vm: VirtualMachine, controller: Controller) -> None:
    untouched = state(vm)
    assert controller.plays("site.yml") > 0
    before = state(vm)
    assert before["record"]

    vm.reboot()
    vm.run("while ! systemctl is-active --quiet bridgenet-web; do sleep 1; done")
    after = state(vm)
    snapshot.same(before, after, "after the boot it is different")
    assert asked(vm, "http://10.71.0.10/") == asked(vm, "http://127.0.0.1:8082/") == "200"
    assert controller.plays("site.yml") == 0

    assert controller.plays("teardown.yml") > 0
    snapshot.same(without_modules(untouched), without_modules(state(vm)), "after the teardown something is left")
