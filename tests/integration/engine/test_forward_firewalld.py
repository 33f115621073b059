# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Beside a firewalld that really runs: our bridges are trusted, a reload loses nothing, and its zones come back."""

from __future__ import annotations

import re
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _report
from ansible_collections.nslab.bridgenet.plugins.module_utils._findings import OK
from ansible_collections.nslab.bridgenet.plugins.module_utils._inspection import inspect
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check, task
from ansible_collections.nslab.bridgenet.tests.integration.engine.firewalld import firewalld, install, zones
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_forward_docker import (
    dockerd,
    without_forwarding,
)
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_forward_docker import (
    installed as installed_docker,
)
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_forward_traffic import (
    NETWORKS,
    blocked,
    build,
    passes,
)
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_traffic import bridge_nf
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_undo import undoes
from ansible_collections.nslab.bridgenet.tests.integration.engine.waiting import until

__all__ = ["installed_docker"]  # a fixture

FORWARD = {"forward": NETWORKS}
MASQUERADE = {"masquerade": [{"source": "10.1.0.0/24", "bridge": "br0"}, {"source": "fd00:1::/64", "bridge": "br0"}]}
ALONE = "ip -n out route flush default; ip -n out -6 route flush default"  # it knows nobody but the host


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """The package."""
    install()


def rules() -> list[str]:
    """All of nftables but for our own table, when firewalld has removed the empty chains of a zone without members."""
    shell("firewall-cmd --reload")
    others = re.sub(r"^table inet bridgenet \{.*?^\}\n", "", snapshot.nft(), flags=re.MULTILINE | re.DOTALL)
    return others.splitlines()


def bound(permanent: str = "") -> list[str]:
    """What is in the trusted zone."""
    return shell(f"firewall-cmd {permanent} --zone=trusted --list-interfaces").split()


def wait_for(command: str) -> None:
    """Until it succeeds: Docker hears of a reload when that is over."""
    until(lambda: subprocess.run(["sh", "-c", command], check=False).returncode == 0)


def reload(docker: bool) -> None:
    """With Docker's part of it; the policies come back with the rules."""
    shell("firewall-cmd --reload")
    wait_for("iptables -S FORWARD | grep -q -- '-P FORWARD DROP'")
    if docker:
        wait_for("iptables -S FORWARD | grep -q -- '-j DOCKER-USER'")
        wait_for("firewall-cmd --get-zone-of-interface=docker0")


def rules_of_iptables() -> list[str]:
    """In no order, as firewalld and Docker have none.

    Without the chains of a zone and what passes between its members, which firewalld leaves until a reload, and those
    that keep Docker's networks apart, which Docker forgets some time after one.
    """
    others = ("trusted", "FORWARD_POLICIES -i br", "DOCKER-ISOLATION")
    return sorted(line for line in shell("iptables -S; ip6tables -S").splitlines() if not any(map(line.count, others)))


def isolated() -> None:
    """All that networks promise, and the way out by masquerade."""
    for source, name in (("a1", "a2"), ("a2", "a1"), ("a1", "out")):
        passes(source, name)
    for source, name in (("a1", "b1"), ("b1", "a1"), ("out", "a1")):
        blocked(source, name)
    shell("ip netns exec a1 ping -c1 -W5 -q 10.1.0.1")


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_life(backend: str) -> None:
    """Cut off before, let through after, also after a reload; and then its zones and rules are what they were."""
    with firewalld(backend):
        build("accept", bridge_nf()[-1])
        shell(ALONE)
        blocked("a1", "out")
        first, first_rules = zones(), rules()
        declared = {**MASQUERADE, **FORWARD}
        predicted = check(declared)
        assert zones() == first, "check mode changed something"
        report = apply(declared)
        assert report == predicted
        assert not report.warnings
        diff = _report.diff(report)["after"]
        assert "\nzone of br0 in firewalld: trusted\n" in diff
        assert "\npermanent zone of br1 in firewalld: trusted\n" in diff
        assert bound() == bound("--permanent") == ["br0", "br1"]
        isolated()
        assert not apply(declared).changed
        shell("firewall-cmd --reload")
        assert not check(declared).changed
        isolated()
        assert apply(declared, state="absent").changed
        assert (zones(), rules()) == (first, first_rules)
        assert not apply(declared, state="absent").changed
        shell("\n".join(report.actions))
        assert not check(declared).changed, "the commands do the same"
        isolated()


@pytest.mark.parametrize(("backend", "docker"), [("nftables", True), ("iptables", True), ("nftables", False)])
def test_a_reload_where_the_host_drops(tmp_path: Path, backend: str, docker: bool) -> None:
    """By itself, or for Docker, which makes its chains anew then: our rule comes back, and goes for good in the end."""
    without_forwarding()
    with firewalld(backend), dockerd(tmp_path) if docker else nullcontext():
        build("accept" if docker else "drop", bridge_nf()[-1])
        reload(docker)  # Docker forgets some of its own rules then
        first = zones(), rules_of_iptables()
        predicted = check(FORWARD)
        report = apply(FORWARD)
        assert report == predicted
        kept = [action for action in report.actions if "--permanent --direct --add-rule" in action]
        assert len(kept) == (0 if backend == "iptables" else 1 if docker else 2)
        notices = [one for one in inspect(task(FORWARD)) if one.severity != OK]
        assert not notices
        assert not apply(FORWARD).changed
        isolated()
        reload(docker)
        isolated()
        assert not check(FORWARD).changed
        assert apply(FORWARD, state="absent").changed
        assert zones() == first[0]
        until(lambda: rules_of_iptables() == first[1])  # Docker makes its chains anew one by one
        assert "bridgenet" not in shell("firewall-cmd --permanent --direct --get-all-rules")


IN_IPTABLES = {
    "masquerade": [{**one, "backend": "iptables", "label": "blue"} for one in MASQUERADE["masquerade"]],
    "packet_log": [{"hook": "forward", "prefix": "to be: ", "group": 5, "backend": "iptables"}],
}


def kept_by_firewalld() -> list[str]:
    """The rules that it puts back, but for gates."""
    return shell("firewall-cmd --permanent --direct --get-all-passthroughs").splitlines()


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_other_rules_survive_a_reload(backend: str) -> None:
    """Those of masquerade and packet_log in iptables; each goes for good with its object."""
    with firewalld(backend):
        build("accept", bridge_nf()[-1])
        shell(ALONE)
        first, first_rules = zones(), rules_of_iptables()
        declared = {**IN_IPTABLES, **FORWARD}
        predicted = check(declared)
        assert kept_by_firewalld() == []
        report = apply(declared)
        assert report == predicted
        assert "permanent rule of iptables in POSTROUTING in firewalld" in _report.diff(report)["after"]
        assert len(kept_by_firewalld()) == 4
        assert not apply(declared).changed
        isolated()
        shell("firewall-cmd --reload")
        assert not check(declared).changed
        isolated()
        # Another network, and another label: what was kept before is not any more.
        other = {"masquerade": [{**IN_IPTABLES["masquerade"][0], "source": "10.1.0.0/16"}]}
        apply(other)
        assert sum("10.1.0.0/16" in one for one in kept_by_firewalld()) == 1
        assert len(kept_by_firewalld()) == 4
        apply({"masquerade": [{**other["masquerade"][0], "label": "red"}]})
        assert [one.count("default:red") for one in kept_by_firewalld() if "10.1.0.0/16" in one] == [1]
        apply({"masquerade": [{**other["masquerade"][0], "label": "red"}]}, state="absent")
        assert len(kept_by_firewalld()) == 3
        assert not check(FORWARD).changed, "a task about something else"
        shell("iptables -t nat -F POSTROUTING; ip6tables -t nat -F POSTROUTING")
        assert apply({}, purge=True).changed
        assert kept_by_firewalld() == []
        shell("firewall-cmd --reload")
        assert (zones(), rules_of_iptables()) == (first, first_rules)


def test_undo_of_other_rules() -> None:
    """Whichever step fails; and where a reload flushes nothing, there is nothing to keep."""
    with firewalld():
        assert undoes(IN_IPTABLES) == 8
        assert len(kept_by_firewalld()) == 4
        assert undoes(IN_IPTABLES, state="absent") == 8
        assert kept_by_firewalld() == []
        shell("sed -i s/^FlushAllOnReload=.*/FlushAllOnReload=no/ /etc/firewalld/firewalld.conf")
        apply(IN_IPTABLES)
        assert kept_by_firewalld() == []


def test_undo() -> None:
    """Whichever step fails, on a host that drops."""
    with firewalld():
        # The chains of a zone come with its first member.
        shell("iptables -P FORWARD DROP; firewall-cmd --zone=trusted --add-interface=mine")
        first = zones()
        assert undoes(FORWARD) == 5
        assert "bridgenet:1:forward" in shell("firewall-cmd --permanent --direct --get-all-rules")
        assert undoes(FORWARD, state="absent") == 5
        assert (zones(), shell("firewall-cmd --permanent --direct --get-all-rules")) == (first, "")


def kept() -> str:
    """What firewalld begins with when it starts again, as it must after a flush."""
    return shell("firewall-cmd --permanent --list-all-zones; firewall-cmd --permanent --direct --get-all-rules")


@pytest.mark.parametrize("how", ["purge", "rebooted"])
def test_after_somebody_flushed_the_firewall(how: str) -> None:
    """Nothing but the bridge tells that it was trusted by us; and not even that where it is gone as well."""
    # Since 2.1 nobody else can flush the table of firewalld, unless somebody says so.
    shell("sed -i s/^NftablesTableOwner=.*/NftablesTableOwner=no/ /etc/firewalld/firewalld.conf")
    with firewalld():
        shell("ip link add name theirs type bridge; iptables -P FORWARD DROP")
        shell("firewall-cmd --permanent --zone=trusted --add-interface=mine --add-interface=theirs")
        first = kept()
        network = {"bridge": [{"name": "br0"}], "forward": [{"bridge": "br0"}]}
        gone = {"forward": [{"bridge": "br0"}, {"bridge": "theirs"}]}
        apply(network)
        second = kept()
        assert "bridgenet:1:forward" in second
        shell("nft flush ruleset")
        if how == "purge":
            apply(network)
            assert kept() == second, "firewalld goes on with it when it starts again"
            shell("nft flush ruleset")
            assert apply({}, purge=True).changed
        else:
            shell("ip link del br0")
            assert apply(gone, state="absent").changed
            assert not apply(gone, state="absent").changed
        assert kept() == first


def test_parts() -> None:
    """A network comes and goes, and its bridge with it, now and permanently; that of another project stays."""
    with firewalld():
        first = zones()
        notices = [one for one in inspect(task(FORWARD)) if one.severity != OK]
        assert [one.what for one in notices] == [f"firewalld runs: br0, br1 {when}" for when in ("now", "permanently")]
        actions = apply(FORWARD).actions
        assert all(one.done.rpartition(": ")[2] in actions for one in notices)
        assert {one.severity for one in inspect(task(FORWARD))} == {OK}
        apply({"forward": [{"bridge": "br9"}]}, project="theirs")
        assert bound() == bound("--permanent") == ["br0", "br1", "br9"]
        for lost in ("", "--permanent"):
            shell(f"firewall-cmd {lost} --zone=trusted --remove-interface=br1")
            assert check(FORWARD).changed
            report = apply(FORWARD)
            assert report.actions == (
                " ".join(["firewall-cmd --quiet", *lost.split(), "--zone=trusted --add-interface=br1"]),
            )
            assert not apply(FORWARD).changed
        apply({"forward": [NETWORKS[0]]}, purge=True)
        assert bound() == bound("--permanent") == ["br0", "br9"]
        apply({}, purge=True)
        apply({}, purge=True, project="theirs")
        assert zones() == first


def test_a_person_s_zone() -> None:
    """What somebody put elsewhere stays there, and the task says so; what else is trusted stays, too."""
    with firewalld():
        shell("firewall-cmd --zone=trusted --add-interface=mine")
        shell("firewall-cmd --permanent --zone=dmz --add-interface=br0")
        first = zones()
        report = apply(FORWARD)
        (warning,) = report.warnings
        assert "bridge br0 is in the zone dmz of firewalld, where somebody put it, and stays there" in warning
        assert bound() == ["mine", "br1"]
        assert bound("--permanent") == ["br1"]
        assert not apply(FORWARD).changed
        apply(FORWARD, state="absent")
        assert zones() == first


def test_what_comes_from_elsewhere() -> None:
    """A pair whose first interface is not trusted, and a routed network: its zones may say no, which is a warning."""
    with firewalld():
        pair = {"interface": "v1", "other": "br0"}
        report = apply({"forward": [*NETWORKS, pair]})
        assert [warning.partition(";")[0] for warning in report.warnings] == [
            "forward v1 to br0: v1 is in the default zone of firewalld, which may reject it"
        ]
        assert not apply({"forward": [{**pair, "interface": "br1"}, {**pair, "state": "absent"}]}).warnings
        build("accept", bridge_nf()[-1])
        routed = apply({"forward": [{"bridge": "br0", "routed": True}]}).warnings
        assert [warning.partition(",")[0] for warning in routed] == ["network of br0: what comes in by routes"]
        blocked("out", "a1")
        page = Path(__file__).parents[3].joinpath("docs", "firewall.md").read_text(encoding="utf-8")
        (script,) = re.findall(r"\n\n((?:    firewall-cmd .*\n)+    firewall-cmd --reload\n)", page)
        shell(script.replace("eth0", "up0"))
        passes("out", "a1")
        blocked("out", "b1")


def test_it_is_gone() -> None:
    """Rules that outlived it are said; nothing can join a zone then."""
    with firewalld():
        shell("nft list table inet firewalld > /run/rules")
    shell("nft -f /run/rules")
    report = apply(FORWARD)
    assert "firewalld's rules stand and reject forwarded packets, but it does not answer" in report.warnings[0]
    assert not any("firewall-cmd" in action for action in report.actions)
    for command in re.findall("`(.*?)`", report.warnings[0]):
        shell(command)
    assert not apply(FORWARD).warnings
