# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forward entries: a life, every option, the rule in chains of others, what is not ours, and undo."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _programs
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_undo import undoes

Declaration = dict[str, list[dict[str, Any]]]

OFF = "sysctl -qw net/ipv4/ip_forward=0 net/ipv6/conf/all/forwarding=0"
GATE = "-m mark --mark 0x1000/0x1000 -m comment --comment bridgenet:1:forward -j ACCEPT"

PAIR = {"interface": "veth0", "other": "ens33"}
TURNED = {"interface": "ens33", "other": "veth0"}
NETWORK = {"bridge": "br0"}

# What makes a host drop what it forwards: chains of others, by every way to make them.
DOCKER = """
{0} -N DOCKER-USER; {0} -A FORWARD -j DOCKER-USER; {0} -A DOCKER-USER -j RETURN; {0} -P FORWARD DROP
{0} -A FORWARD -i docker0 -j ACCEPT
"""
HOSTS = {
    "iptables-nft": "iptables-nft -P FORWARD DROP",
    "ip6tables-nft": "ip6tables-nft -P FORWARD DROP; ip6tables-nft -A FORWARD -s fd00::/64 -j DROP",
    "iptables-legacy": "iptables-legacy -P FORWARD DROP; iptables-legacy -A FORWARD -s 10.7.0.0/16 -j DROP",
    "ip6tables-legacy": "ip6tables-legacy -P FORWARD DROP",
    "docker": DOCKER.format("iptables-nft"),
    "docker with legacy": DOCKER.format("iptables-legacy"),
    "docker and IPv6": DOCKER.format("iptables-nft") + DOCKER.format("ip6tables-nft"),
    "docker whose policy is accept": DOCKER.format("iptables-nft") + "iptables-nft -P FORWARD ACCEPT",
}
GATES = {
    "iptables-nft": ["iptables -A FORWARD"],
    "ip6tables-nft": ["ip6tables -A FORWARD"],
    "iptables-legacy": ["iptables-legacy -A FORWARD"],
    "ip6tables-legacy": ["ip6tables-legacy -A FORWARD"],
    "docker": ["iptables -A DOCKER-USER"],
    "docker with legacy": ["iptables-legacy -A DOCKER-USER"],
    "docker and IPv6": ["iptables -A DOCKER-USER", "ip6tables -A DOCKER-USER"],
    "docker whose policy is accept": ["iptables -A DOCKER-USER"],
}
hosts = pytest.mark.parametrize("kind", HOSTS)


def forward(*objects: dict[str, Any], **options: Any) -> Declaration:
    """Entries."""
    return {"forward": [{**one, **options} for one in objects]}


def saved() -> dict[str, str]:
    """What every iptables has, but for counters and dates; looking makes no table that was not there."""
    found = {}
    for family in ("iptables", "ip6tables"):
        for variant in ("nft", "legacy"):
            text = shell(f"{family}-{variant}-save 2>/dev/null")
            found[family if variant == "nft" else f"{family}-legacy"] = "".join(
                re.sub(r"\[\d+:\d+\]|\"", "", line) + "\n" for line in text.splitlines() if line[:1] in "*:-"
            )
    return found


def gates() -> list[str]:
    """Where our rule stands, and that it is the first of its chain."""
    found = []
    for program, text in saved().items():
        for chain in ("DOCKER-USER", "FORWARD"):
            rules = [line for line in text.splitlines() if line.startswith(f"-A {chain} ")]
            found += [f"{program} -A {chain}" for line in rules if line == f"-A {chain} {GATE}"]
            assert not any("bridgenet:1:" in line for line in rules[1:]), rules
    return found


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param(PAIR, id="pair"),
        pytest.param({**PAIR, "both_ways": False}, id="one way"),
        pytest.param(NETWORK, id="network"),
        pytest.param({**NETWORK, "internal": True}, id="internal"),
        pytest.param({**NETWORK, "icc": False, "allow": ["br1", "br2"], "routed": True}, id="everything else"),
    ],
)
def test_life(declared: dict[str, Any]) -> None:
    """Fresh, again, absent, absent again: the machine is as it was found."""
    story = Story(OFF)
    first = snapshot.state()
    report = story.changes(forward(declared, label="blue"))
    assert report.before == []
    assert declared.items() <= report.after[0][2].items()
    assert report.warnings == ()
    assert gates() == []
    story.changes(forward(declared), state="absent")
    snapshot.same(first, snapshot.state())
    story.stays(forward(declared), state="absent")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(PAIR, {**PAIR, "both_ways": False}, id="both_ways"),
        pytest.param({**PAIR, "both_ways": False}, {**TURNED, "both_ways": False}, id="turned"),
        pytest.param(PAIR, {"interface": "veth1", "other": "ens33"}, id="interface"),
        pytest.param(PAIR, {"interface": "veth0", "other": "ens34"}, id="other"),
        pytest.param(PAIR, {**PAIR, "label": "red"}, id="label of a pair"),
        pytest.param(NETWORK, {**NETWORK, "internal": True}, id="internal"),
        pytest.param(NETWORK, {**NETWORK, "icc": False}, id="icc"),
        pytest.param(NETWORK, {**NETWORK, "allow": ["br2"]}, id="allow"),
        pytest.param({**NETWORK, "allow": ["br1", "br2"]}, {**NETWORK, "allow": ["br3", "br1"]}, id="other allow"),
        pytest.param(NETWORK, {**NETWORK, "routed": True}, id="routed"),
        pytest.param({**NETWORK, "internal": True}, {**NETWORK, "routed": True}, id="internal to routed"),
        pytest.param({**NETWORK, "allow": ["br2"]}, {"bridge": "br1", "allow": ["br2"]}, id="bridge that allows"),
        pytest.param({**NETWORK, "allow": ["br2"]}, {"interface": "br0", "other": "br2"}, id="allow to pair"),
        pytest.param(NETWORK, {"bridge": "br1"}, id="bridge"),
        pytest.param(NETWORK, {**NETWORK, "label": "red"}, id="label of a network"),
        pytest.param(PAIR, NETWORK, id="pair to network"),
    ],
)  # fmt: skip
def test_option(old: dict[str, Any], new: dict[str, Any]) -> None:
    """There and back."""
    story = Story(OFF)
    story.changes(forward({"label": "blue", **old}))
    first = snapshot.nft()
    story.changes(forward({"label": "blue", **new}))
    assert snapshot.nft() != first
    story.changes(forward({"label": "blue", **old}))
    assert snapshot.nft() == first


def test_a_pair_has_no_front() -> None:
    """Both ways it is the same, whichever interface is named first."""
    story = Story(OFF)
    story.changes(forward(PAIR, label="x"))
    story.stays(forward(TURNED, label="x"))


@pytest.mark.parametrize("switch", ["forwarding", "forwarding_ipv6"])
def test_forwarding(switch: str) -> None:
    """Each family's switch on its own; with the last object it comes back."""
    story = Story(OFF)
    first = snapshot.state()
    keys = {"forwarding": "net/ipv4/ip_forward", "forwarding_ipv6": "net/ipv6/conf/all/forwarding"}
    story.changes(forward(NETWORK))
    assert [snapshot.sysctl(key) for key in keys.values()] == ["0", "0"]
    report = story.changes(forward(NETWORK, **{switch: True}))
    assert report.after[0][2][switch] is True
    assert [snapshot.sysctl(key) for key in keys.values()] == [str(int(name == switch)) for name in keys]
    story.changes(forward(NETWORK, **{switch: True}), state="absent")
    snapshot.same(first, snapshot.state())


@hosts
def test_gate(kind: str) -> None:
    """Where others drop, one rule in their chain lets through what ours let pass; with the last entry it goes."""
    story = Story(f"{OFF}\n{HOSTS[kind]}")
    first = saved()
    report = story.changes(forward(NETWORK))
    assert gates() == GATES[kind]
    assert [setting.after for setting in report.settings] == ["bridgenet:1:forward"] * len(GATES[kind])
    story.changes(forward(PAIR, label="other"), project="second")
    assert gates() == GATES[kind]
    story.changes(forward(NETWORK), state="absent")
    assert gates() == GATES[kind], "another project still needs it"
    report = story.changes(forward(PAIR), state="absent")
    assert [setting.before for setting in report.settings] == ["bridgenet:1:forward"] * len(GATES[kind])
    assert saved() == first


@hosts
def test_undo(kind: str) -> None:
    """Whichever step fails, the host's own chains are as they were."""
    shell(f"{OFF}\n{HOSTS[kind]}")
    first = saved()
    declared = {**blue(), **forward(NETWORK, {**PAIR, "both_ways": False}, forwarding=True)}
    assert undoes(declared) > 25
    chains = [(program, chain) for program, _append, chain in map(str.split, GATES[kind])]
    for program, chain in chains:
        shell(f"{program} -I {chain} -i x9 -j ACCEPT")  # ours is the second now
    stands = saved()
    assert undoes(forward(NETWORK, PAIR), state="absent") > 1
    for program, chain in chains:
        shell(f"{program} -D {chain} -i x9 -j ACCEPT")
    assert saved() == first
    for program, chain in chains:
        shell(f"{program} -I {chain} {GATE}; {program} -I {chain} -i x9 -j ACCEPT")
    assert saved() == stands


def test_gate_follows() -> None:
    """A host whose firewall changes: the rule comes, moves and goes with the next task that forwards."""
    story = Story(OFF)
    declared = forward(NETWORK)
    story.changes(declared)
    for script, where in [
        ("iptables -P FORWARD DROP", ["iptables -A FORWARD"]),
        ("iptables -N DOCKER-USER; iptables -I FORWARD -j DOCKER-USER", ["iptables -A DOCKER-USER"]),
        ("iptables -D FORWARD -j DOCKER-USER", ["iptables -A FORWARD"]),
        ("iptables -P FORWARD ACCEPT", []),
    ]:
        shell(script)
        assert not apply({"masquerade": [{"source": "10.0.0.0/16", "bridge": "br0", "state": "absent"}]}).changed
        assert check(declared).changed
        assert apply(declared).changed
        assert gates() == where
        assert not apply(declared).changed


def test_purge() -> None:
    """What is no longer declared goes, in whatever form it stands; what is another project's stays."""
    story = Story(f"{OFF}; iptables -P FORWARD DROP")
    first = saved()
    one_way = {"interface": "a", "other": "b", "both_ways": False}
    allowing = {"bridge": "br2", "allow": ["br1", "br3"], "icc": False}
    story.changes(forward(PAIR, one_way, NETWORK, {"bridge": "br1", "internal": True}, allowing), purge=True)
    story.changes(forward({"bridge": "br1"}), purge=True)
    story.changes(forward({"bridge": "br9"}), project="theirs")
    story.changes({}, purge=True)
    assert "br9" in snapshot.nft()
    assert gates() == ["iptables -A FORWARD"]
    story.changes({}, purge=True, project="theirs")
    assert saved() == first


def test_after_flush() -> None:
    """`nft flush ruleset` takes all of it away; the next run brings it back exactly."""
    shell(f"{OFF}; iptables-legacy -P FORWARD DROP; iptables -P FORWARD DROP")
    declared = forward(NETWORK, PAIR)
    apply(declared)
    whole, rules = snapshot.nft(), saved()
    shell("nft flush ruleset; iptables -P FORWARD DROP")
    assert apply(declared).changed
    assert snapshot.nft() == whole
    assert saved() == rules
    assert not apply(declared).changed
    shell("nft flush ruleset")
    assert apply({}, purge=True).changed, "the rule in the older tables is still there"
    assert gates() == []


def test_whom_networks_may_ask() -> None:
    """Two that may ask each other are two entries; one of them goes without the other, and is exact."""
    story = Story(OFF)
    one, two = {"bridge": "br0", "allow": ["br1"]}, {"bridge": "br1", "allow": ["br0", "br2"]}
    story.changes(forward(one, two))
    whole = snapshot.nft()
    story.changes(forward({**one, "allow": []}))
    story.stays(forward(two))
    story.changes(forward(one))
    assert snapshot.nft() == whole
    story.changes(forward(two), state="absent")
    story.stays(forward(one))
    with pytest.raises(BridgenetError, match="are the same forward from 'br0 to br1'"):
        apply(forward(one, {"interface": "br1", "other": "br0"}))
    apply(forward({"interface": "br0", "other": "br2", "label": "pair"}), project="theirs")
    with pytest.raises(BridgenetError, match="network of br0 belongs to project 'theirs', not 'default'; remove it"):
        apply(forward({"bridge": "br0", "allow": ["br2"]}))


def test_a_pair_back_to_a_network_that_may_ask() -> None:
    """What a network may ask is its own, also where a pair asks in the other direction in the same task."""
    story = Story(OFF)
    network = {"bridge": "br0", "allow": ["br1"]}
    story.changes(forward(network, {"interface": "br1", "other": "br0", "both_ways": False}))
    story.stays(forward(network))


@pytest.mark.parametrize("name", ["accepted", "bridges", "internal", "replies", "routed"])
def test_a_lost_element_comes_back(name: str) -> None:
    """An entry of which something is missing is not there."""
    networks = ({**NETWORK, "internal": True}, {"bridge": "br1", "icc": False, "routed": True, "allow": ["br0", "br2"]})
    declared = forward(*networks, {**PAIR, "both_ways": False})
    apply(declared)
    whole = snapshot.nft()
    shell(f"nft flush set inet bridgenet {name}")
    assert check(declared).changed
    report = apply(declared)
    assert report.before != report.after
    assert snapshot.nft() == whole
    shell(f"nft flush set inet bridgenet {name}")
    apply({}, purge=True)
    assert "bridgenet" not in snapshot.nft()


def test_of_others() -> None:
    """An entry belongs to one project; an element without our comment belongs to nobody that we know."""
    story = Story(OFF)
    story.changes(forward(NETWORK), project="theirs")
    with pytest.raises(BridgenetError, match="network of br0 belongs to project 'theirs', not 'ours'; remove it"):
        apply(forward(NETWORK), project="ours")
    with pytest.raises(BridgenetError, match="so it is not removed"):
        apply(forward(NETWORK, label="x"), state="absent", project="ours")
    shell('nft \'add element inet bridgenet accepted { "veth0" . "ens33" }\'')
    with pytest.raises(BridgenetError, match=r"forward veth0 <-> ens33 exists and is not ours; remove it"):
        apply(forward(PAIR), project="ours")
    apply(forward({"bridge": "br7"}))
    assert '"veth0" . "ens33"' in snapshot.nft()


def test_foreign_table() -> None:
    """A table of that name which is not ours stays untouched."""
    shell("nft add table inet bridgenet")
    with pytest.raises(BridgenetError, match="the nftables table inet bridgenet exists and is not ours; remove it"):
        apply(forward(NETWORK))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "nft 'add table inet mine; add chain inet mine through "
            "{ type filter hook forward priority 5; policy drop; }'",
            "the nftables chain 'through' of table inet mine drops forwarded packets, also those that forward "
            "accepts; let them pass there: "
            "`nft insert rule inet mine through meta mark and 0x1000 == 0x1000 accept`",
        ),
        (
            "nft 'add table ip filter; add chain ip filter FORWARD "
            "{ type filter hook forward priority 7; policy drop; }'",
            "`nft insert rule ip filter FORWARD meta mark and 0x1000 == 0x1000 accept`",
        ),
        (
            "nft 'add table inet firewalld; add chain inet firewalld filter_FORWARD "
            "{ type filter hook forward priority filter + 10; policy accept; }'",
            "firewalld's rules stand and reject forwarded packets, but it does not answer",
        ),
    ],
)
def test_obstacle(script: str, words: str) -> None:
    """A chain of somebody else that drops, and is not iptables': said, with the rule that helps, and left alone."""
    story = Story(f"{OFF}\n{script}")
    before = snapshot.nft()
    report = story.changes(forward(NETWORK))
    assert len(report.warnings) == 1
    assert words in report.warnings[0]
    assert before in snapshot.nft()
    for command in re.findall("`(nft insert[^`]*)`", report.warnings[0]):
        shell(command)
    assert not apply(forward(NETWORK), state="absent").warnings


def test_without_nft(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is named, and where it comes from."""
    find = _programs.find
    monkeypatch.setattr(_programs, "find", lambda name: None if name == "nft" else find(name))
    with pytest.raises(BridgenetError, match=r"the program nft is missing on this host; install it \(Debian: `apt"):
        apply(forward(NETWORK))
    assert not apply(forward(NETWORK), state="absent").changed


def test_same_place_twice() -> None:
    """One entry for a place, whichever way it is written."""
    with pytest.raises(BridgenetError, match="are the same forward 'ens33 and veth0'"):
        apply(forward(PAIR, {**TURNED, "both_ways": False}))
    with pytest.raises(BridgenetError, match="are the same forward label"):
        apply(forward(PAIR, NETWORK, label="x"))
