# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script of a boot: on an empty machine it gives what the engine made, again it does nothing, and half-way it goes
on. tests/integration/systemd has the unit."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.module_utils import _systemd
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._info import gather
from ansible_collections.nslab.bridgenet.tests.integration.engine import networks, snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import sandbox, shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_dual_stack import PREPARE
from ansible_collections.nslab.bridgenet.tests.unit.plugins.filter.test_whole_declaration import CONTAINERS, NETWORKS

# The kernel would give these links any addresses.
HOST = PREPARE
for end in ("up0", "out0"):
    HOST = HOST.replace(f" name {end} ", f" name {end} address 02:00:00:00:01:{len(end):02} ")

SCRIPT = Path("/etc/nslab.bridgenet/default.sh")
RECORD = Path("/run/nslab.bridgenet/original")


def state() -> snapshot.State:
    """The machine, without how a file is laid out."""
    found = snapshot.portable(snapshot.state())
    if str(RECORD) in found["files"]:
        found["files"][str(RECORD)] = json.loads(found["files"][str(RECORD)])
    return found


@pytest.fixture(autouse=True)
def systemd(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What systemd is told; here it runs nothing, and remembers what is to be started at boot."""
    told: list[tuple[str, ...]] = []

    def systemctl(*words: str) -> str:
        told.append(words)
        link = Path(_systemd.link(words[-1]))
        if words[0] == "enable":
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(f"/etc/systemd/system/{words[-1]}")  # once
        elif words[0] == "disable":
            link.unlink()
        return ""

    monkeypatch.setattr(_systemd, "_systemctl", systemctl)
    monkeypatch.setattr(_systemd, "is_there", lambda: True)
    return told


def everything() -> dict[str, list[dict[str, Any]]]:
    """As the role has them, once it has read the host, without processes."""
    return expand(NETWORKS, CONTAINERS, host=gather()["namespaces"])


def started(script: str, lines: int | None = None) -> None:
    """Run a script, or only its first lines, as systemd does."""
    part = script if lines is None else "".join(script.splitlines(keepends=True)[:lines])
    Path("/run/script").write_text(part)
    done = subprocess.run(["/bin/sh", "/run/script"], capture_output=True, text=True, check=False)
    Path("/run/script").unlink()
    said = done.stdout + done.stderr
    assert (done.returncode, said) == (0, ""), said  # pytest alone shortens it


def test_a_boot_gives_the_same_as_the_engine(systemd: list[tuple[str, ...]]) -> None:
    """Fresh, again, and taken away after it: the host gets its own values back, and nothing is left of the files."""
    shell(HOST)
    untouched = snapshot.state()
    foreseen = check(everything(), persist=True)
    report = apply(everything(), persist=True)
    assert (report.after, report.actions) == (foreseen.after, foreseen.actions)
    assert systemd == [("daemon-reload",), ("enable", "--quiet", "--", "nslab-bridgenet-default.service")]
    wanted, script = state(), SCRIPT.read_text()
    for again in (apply(everything(), persist=True), apply(everything())):
        assert not again.changed
        assert SCRIPT.read_text() == script
    started(script)
    snapshot.same(wanted, state(), "started where everything stands, it changed something")

    with sandbox(rebooted=True):
        shell(HOST)
        fresh = snapshot.state()
        fresh["files"] = {path: text for path, text in fresh["files"].items() if not path.startswith("/etc/netns")}
        started(script)
        snapshot.same(wanted, state(), "by the script it is different")
        started(script)
        snapshot.same(wanted, state(), "by a second start it is different")
        assert not apply(everything()).changed
        apply(everything(), state="absent")
        snapshot.same(fresh, snapshot.state(), "after a boot the host does not get everything back")

    assert apply(everything(), state="absent", persist=True).changed
    snapshot.same(untouched, snapshot.state())
    assert not SCRIPT.parent.exists()
    assert systemd[2:] == [("disable", "--quiet", "--now", "--", "nslab-bridgenet-default.service"), ("daemon-reload",)]


def test_it_does_not_wait_for_ever() -> None:
    """A task that holds the lock may wait for a service that systemd starts after the script."""
    apply(networks.blue(), persist=True)
    script = SCRIPT.read_text()
    assert script.count("flock -w 120 9") == 1
    with sandbox(rebooted=True):
        descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            argv = ["/bin/sh", "-c", script.replace("flock -w 120 9", "flock -w 0 9")]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
        finally:
            os.close(descriptor)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "another change of this host's networks takes longer than 120 seconds\n"
        assert [one["ifname"] for one in snapshot.links()] == ["lo"]


def test_half_way_it_goes_on() -> None:
    """Killed behind any line of what it does, and started again."""
    objects = {
        **networks.blue(),
        "tuntap": [{"name": "tap0", "namespace": "ns1", "mode": "tap", "up": False}],
        "vxlan": [{"name": "vx0", "vni": 7, "local": "198.18.0.1", "peers": ["198.18.0.2", "198.18.0.3"]}],
        "packet_log": [{"hook": "forward", "prefix": "seen"}],
    }
    objects["netns"] += [{"name": "second", "same_as": "ns1"}, {"name": "numbered", "nsid": 77}]
    apply(objects, persist=True)
    wanted, script = state(), SCRIPT.read_text()
    lines = script.splitlines()
    begins = next(number for number, line in enumerate(lines, 1) if line.startswith("flock "))
    ends = [number for number in range(begins, len(lines) + 1) if _is_whole(lines[begins:number])]
    for number in ends[:: len(ends) // 4]:
        with sandbox(rebooted=True):
            started(script, number)
            started(script)
            snapshot.same(wanted, state(), f"stopped behind {lines[number - 1]!r}")
    with sandbox(rebooted=True):
        shell("mkdir -p /run/netns; touch /run/netns/ns1; chmod 0 /run/netns/ns1; ip netns add ns2")
        started(script)
        snapshot.same(wanted, state(), "killed inside of `ip netns add`, and behind it")


def _is_whole(lines: list[str]) -> bool:
    """Whether the text of nft that begins in a command ends there."""
    return sum("<<'END'" in line for line in lines) == lines.count("END")


@pytest.mark.parametrize("what", ["alias theirs", "up"])
def test_a_tap_of_somebody_else_stays(what: str) -> None:
    """Which any program may have made that looks for a free name."""
    apply({"tuntap": [{"name": "tap0", "mode": "tap", "addresses": ["10.9.0.1/24"]}]}, persist=True)
    script = SCRIPT.read_text()
    with sandbox(rebooted=True):
        shell(f"ip tuntap add dev tap0 mode tap; ip link set dev tap0 {what}")
        before = snapshot.links()
        with pytest.raises(AssertionError, match="interface tap0 exists and is not ours"):
            started(script)
        assert snapshot.links() == before


@pytest.mark.parametrize(
    ("there", "message"),
    [
        ("ip link add br0 type bridge", "interface br0 exists and is not ours; remove it, and start this again"),
        ("ip netns add ns1; ip -n ns1 link set lo up", "namespace ns1 exists and is not ours"),
        ("ip netns add ns1; ip -n ns1 link set lo alias theirs", "namespace ns1 exists and is not ours"),
    ],
)
def test_what_is_not_ours_stays(there: str, message: str) -> None:
    apply(networks.blue(), persist=True)
    script = SCRIPT.read_text()
    with sandbox(rebooted=True):
        shell(there)
        before = snapshot.links(), snapshot.namespaces()
        with pytest.raises(AssertionError, match=message):
            started(script)
        assert snapshot.namespaces().keys() <= {*before[1], "ns1"}
        assert [one for one in snapshot.links() if one["ifname"] == "br0"][:1] == [
            one for one in before[0] if one["ifname"] == "br0"
        ] or "namespace" in message


def test_the_hosts_own_value_is_remembered() -> None:
    """Whatever it is at the boot; a setting that a file in /etc has made ours before has the one that was there."""
    objects = {**networks.blue(), "sysctl_bridge_nf": [{"iptables": False}]}
    shell("sysctl -qw net/bridge/bridge-nf-call-iptables=1")
    report = apply(objects, persist=True)
    assert "printf" in report.actions[0]
    assert Path("/etc/sysctl.d/90-nslab-bridgenet.conf").exists()
    script = SCRIPT.read_text()
    assert "setting net/bridge/bridge-nf-call-iptables 0 1" in script.splitlines()
    with sandbox(rebooted=True):
        shell("sysctl -qw net/ipv4/ip_forward=1 net/bridge/bridge-nf-call-iptables=0")
        started(script)
        assert json.loads(RECORD.read_text()) == {"net/bridge/bridge-nf-call-iptables": ["1", "0"]}
        apply(objects, state="absent")
        assert snapshot.sysctl("net/bridge/bridge-nf-call-iptables") == "1"
        assert snapshot.sysctl("net/ipv4/ip_forward") == "1"
    assert apply(objects, persist=False).changed
    assert not Path("/etc/sysctl.d/90-nslab-bridgenet.conf").exists()


def test_two_projects_at_one_boot() -> None:
    """One table, one record; each brings back what is its own, and takes only that away."""
    green = {"bridge": [{"name": "br1", "addresses": ["fd00:7::1/64"]}]}
    green["masquerade"] = [{"source": "fd00:7::/64", "bridge": "br1", "forwarding": True, "label": "green"}]
    apply(networks.blue(), persist=True)
    apply(green, project="other", persist=True)
    wanted, texts = state(), [SCRIPT.read_text(), SCRIPT.with_name("other.sh").read_text()]
    with sandbox(rebooted=True):
        untouched = snapshot.state()
        for script in texts:
            started(script)
        snapshot.same(wanted, state())
        apply({}, project="other", purge=True)
        apply({}, purge=True)
        snapshot.same(untouched, snapshot.state())
    apply({}, project="other", purge=True)
    assert [path.name for path in SCRIPT.parent.iterdir()] == ["default.sh"]


def test_a_change_writes_it_anew() -> None:
    apply(networks.blue(), persist=True)
    first = SCRIPT.read_text()
    more = networks.blue(networks.container("ns3", "10.10.0.30/16"))
    apply(more)
    assert SCRIPT.read_text() == first, "nobody said so"
    assert apply(more, persist=True).changed
    assert "ns3" in SCRIPT.read_text()
    assert "ns1" not in SCRIPT.read_text()


def test_the_namespaces_of_others_are_left_out() -> None:
    """They are not there at a boot; the next run plugs them in again."""
    objects = networks.blue(networks.container("theirs", "10.10.0.40/16"), networks.container("ns2", "10.10.0.20/16"))
    shell("ip netns add elsewhere; touch /run/elsewhere; mount --bind /run/netns/elsewhere /run/elsewhere")
    objects["netns"] = [{"name": "theirs", "adopt": {"path": "/run/elsewhere"}}, {"name": "ns2"}]
    report = apply(objects, persist=True)
    assert any("container theirs" in warning and "at boot" in warning for warning in report.warnings)
    script = SCRIPT.read_text()
    assert "ns2" in script
    assert "theirs" not in script


def test_what_another_task_made_would_be_missing() -> None:
    apply({"bridge": [{"name": "br0"}]})
    before = snapshot.state()
    port = {"netns": [{"name": "a"}], "veth": [{"name": "v", "peer": {"name": "eth0", "namespace": "a"}}]}
    port["bridge_port"] = [{"name": "v", "master": "br0"}]
    with pytest.raises(BridgenetError, match="interface br0 would be missing; declare that in the same task"):
        apply(port, persist=True)
    snapshot.same(before, snapshot.state())


def test_files_of_others_stay() -> None:
    SCRIPT.parent.mkdir()
    SCRIPT.write_text("# mine\n")
    before = snapshot.state()
    with pytest.raises(BridgenetError, match=r"file '/etc/nslab.bridgenet/default.sh' exists and is not ours"):
        apply(networks.blue(), persist=True)
    with pytest.raises(BridgenetError, match="so it is not removed"):
        apply(networks.blue(), persist=False)
    snapshot.same(before, snapshot.state())
    assert SCRIPT.read_text() == "# mine\n"


def test_without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error before the first change, in check mode, too; and nothing to remove."""
    monkeypatch.setattr(_systemd, "is_there", lambda: False)
    before = snapshot.state()
    for run in (check, apply):
        with pytest.raises(BridgenetError, match=r"persist of project 'default': this host is not run by systemd"):
            run(networks.blue(), persist=True)
    snapshot.same(before, snapshot.state())
    assert apply(networks.blue(), persist=False).changed
    assert not apply(networks.blue(), persist=False).changed
