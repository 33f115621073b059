# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks on twenty hosts, of which one is down and another one fails half-way."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
HOSTS = [f"lab{number:02}" for number in range(1, 21)]
DOWN, FAILS = "lab03", "lab07"
NOT_REACHED = 4
PLAIN = {"ANSIBLE_FORCE_COLOR": "false", "ANSIBLE_NOCOLOR": "true"}  # Molecule asks for colours
WELL = [name for name in HOSTS if name not in (FAILS, DOWN)]


class Fleet:
    """All hosts, as one person works with them."""

    def __init__(self, inventory: str) -> None:
        self._inventory = inventory

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [program, "--inventory", self._inventory, *arguments],
            cwd=PROJECT,
            env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), **PLAIN},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)  # pytest shows it where the test fails
        return done

    def playbook(self, name: str, *arguments: str) -> tuple[int, str]:
        done = self._run("ansible-playbook", f"playbooks/{name}.yml", *arguments)
        return done.returncode, done.stdout

    def command(self, hosts: str, command: str) -> dict[str, str]:
        """What a shell says on each of the hosts, by somebody who is not the collection."""
        with tempfile.TemporaryDirectory() as tree:
            self._run("ansible", hosts, "--tree", tree, "--module-name", "shell", "--args", command)
            found = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in Path(tree).iterdir()}
        assert all(answer["rc"] == 0 for answer in found.values())
        return {host: answer["stdout"] for host, answer in found.items()}

    def subnets(self) -> dict[str, str]:
        return self.command("lab_hosts", "ip -4 -br address show br-blue | awk '{print $3}'")


def outcome(said: str) -> dict[str, str]:
    """The table at the end: the state of each host."""
    rows = re.findall(r"^ *- ['\"]?(lab\d+)  (changed|same|failed|not reached)\b", said, re.MULTILINE)
    return dict(rows)


@pytest.fixture(scope="module")
def fleet(pytestconfig: pytest.Config) -> Fleet:
    return Fleet(pytestconfig.option.ansible_inventory)


# From then on nft fails wherever the bridge stands: the firewall is what the engine changes last.
BREAK_NFT = """
cp /usr/sbin/nft /run/nft
cat >/run/broken <<'END'
#!/bin/sh
[ -e /sys/class/net/br-blue ] || exec /run/nft "$@"
{ ip netns list; ip -br link; } >/run/stood
echo "no memory" >&2
exit 1
END
chmod 755 /run/broken
mount --bind /run/broken /usr/sbin/nft
"""
MEND_NFT = "umount /usr/sbin/nft"
STATE = "ip -br link; ip netns list; nft list ruleset; cat /proc/sys/net/ipv4/ip_forward; ls -A /run /etc | sort"


def cut(condition: str) -> dict[str, str]:
    """The variables of hosts to which there is no connection where the condition holds, not even an open one."""
    return {"ansible_ssh_extra_args": f"{{{{ '-S none -o ProxyCommand=false' if {condition} else '' }}}}"}


def extra(**variables: Any) -> tuple[str, str]:
    """What overrides the variables of all hosts."""
    return "--extra-vars", json.dumps(variables)


def test_a_host_that_fails_half_way_and_one_that_is_down_hurt_nobody(fleet: Fleet) -> None:
    """Then they are repaired, one after the other, and nobody else is touched."""
    fleet.command(FAILS, BREAK_NFT)
    before = fleet.command(FAILS, STATE)[FAILS]
    code, said = fleet.playbook("site", *extra(**cut(f"inventory_hostname == '{DOWN}'")))
    assert code == NOT_REACHED
    assert outcome(said) == {**dict.fromkeys(WELL, "changed"), FAILS: "failed", DOWN: "not reached"}
    assert said.count("=> (item=containers: 2, networks: 1)") == len(WELL)
    (row,) = re.findall(rf"{FAILS}  failed +(.*)", " ".join(said.split("\n")))
    assert "Make it stand" in row
    assert "was undone" in row
    stood = fleet.command(FAILS, "cat /run/stood; rm /run/stood")[FAILS]
    assert re.search(r"^a\b", stood, re.MULTILINE)
    assert "br-blue" in stood
    assert fleet.command(FAILS, STATE)[FAILS] == before

    # A batch that is lost in the middle, as a whole, does not keep the next one from its turn.
    fleet.command(FAILS, MEND_NFT)
    lost = cut(f"inventory_hostname == '{DOWN}' and container_bridge_network_host is defined")
    limit = ("--limit", f"{FAILS},{DOWN}")
    code, said = fleet.playbook("site", *limit, *extra(container_bridge_network_serial=1, **lost))
    assert code == NOT_REACHED
    assert outcome(said) == {FAILS: "changed", DOWN: "not reached"}
    assert said.count("PLAY [Build the networks]") == 2

    code, said = fleet.playbook("site", *limit)
    assert code == 0
    assert outcome(said) == {FAILS: "same", DOWN: "changed"}
    subnets = fleet.subnets()
    assert subnets == {name: f"10.40.{8 * index}.1/24" for index, name in enumerate(HOSTS)}


def test_reset(fleet: Fleet) -> None:
    """What was changed by hand is put right; what is somebody else's goes when it is told so."""
    down, fails, well = HOSTS[9:12]
    mess = "ip netns del a; ip -n b address add 10.99.0.77/24 dev eth0; ip netns add s1; ip netns add theirs"
    fleet.command(well, f"{mess}; ip -n b link add inside type bridge")
    code, said = fleet.playbook("reset", "--limit", well)
    assert code == 0
    assert outcome(said) == {well: "changed"}
    here = "ip netns list | awk '{print $1}' | sort | xargs; "
    seen = fleet.command(well, f"{here} ip -n b -br address show eth0; ip -n b -br link show type bridge")[well]
    assert seen.startswith("a b s1 theirs")
    assert "10.99.0.77" not in seen
    assert "inside" in seen  # the engine does not look at it

    # Batches in which nobody is reached, or everybody fails, do not keep the next one from its turn.
    fleet.command(fails, BREAK_NFT)
    before = fleet.command(fails, "ip netns list; ip -br link")[fails]
    options = extra(
        reset_anew=True,
        reset_namespaces=["s[0-9]+"],
        container_bridge_network_serial=1,
        **cut(f"inventory_hostname == '{down}'"),
    )
    code, said = fleet.playbook("reset", "--limit", ",".join((down, fails, well)), *options)
    fleet.command(fails, MEND_NFT)
    assert code == NOT_REACHED
    assert outcome(said) == {down: "not reached", fails: "failed", well: "changed"}
    assert fleet.command(fails, "ip netns list; ip -br link")[fails] == before
    seen = fleet.command(well, f"{here} ip -n b -br link show type bridge")[well]
    assert seen.startswith("a b theirs")
    assert "inside" not in seen
