# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Masquerading, in nftables and in iptables: a life, every option, forwarding, and what is not ours."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _firewall, _nft, _programs
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

ORIGINAL = Path("/run/nslab.bridgenet/original")
SWITCH4, SWITCH6 = "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"

# A fresh machine forwards nothing, whatever this one does.
OFF = "sysctl -qw net/ipv4/ip_forward=0 net/ipv6/conf/all/forwarding=0"
LINKS = (
    f"{OFF}; ip link add name x0 address 02:00:00:00:00:01 type veth peer name y0 address 02:00:00:00:00:02;"
    "ip link set dev x0 up; ip link set dev y0 up"
)

backends = pytest.mark.parametrize("backend", ["nftables", "iptables"])


def masquerade(backend: str, **options: Any) -> dict[str, list[dict[str, Any]]]:
    """One entry."""
    return {"masquerade": [{"source": "10.0.0.0/16", "backend": backend, "label": "blue", **options}]}


def rules(backend: str) -> str:
    """What stands there, in the words of the backend."""
    return snapshot.nft() if backend == "nftables" else shell("iptables -t nat -S; ip6tables -t nat -S")


@backends
@pytest.mark.parametrize("where", [{"bridge": "br0"}, {"out_interface": "x0"}])
@pytest.mark.parametrize("source", ["10.0.0.0/16", "10.1.2.3/32", "fd00:1::/64"])
def test_life(backend: str, where: dict[str, str], source: str) -> None:
    """Fresh, again, absent, absent again."""
    declared = masquerade(backend, source=source, **where)
    story = Story(OFF)
    story.changes(declared)
    assert "bridgenet:1:default:blue" in rules(backend)
    story.changes(declared, state="absent")
    assert "bridgenet:1:default:blue" not in rules(backend)
    assert "bridgenet" not in snapshot.nft(), "the table goes with its last element"
    story.stays(declared, state="absent")


@backends
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({"bridge": "br0"}, {"bridge": "br1"}, id="bridge"),
        pytest.param({"out_interface": "x0"}, {"out_interface": "y0"}, id="out_interface"),
        pytest.param({"bridge": "br0"}, {"out_interface": "y0"}, id="bridge to out_interface"),
        pytest.param({"bridge": "br0"}, {"bridge": "br0", "source": "10.5.0.0/16"}, id="source"),
        pytest.param({"bridge": "br0"}, {"bridge": "br0", "label": "red"}, id="label"),
        pytest.param({"bridge": "br0"}, {"bridge": "br0", "forwarding": True}, id="forwarding"),
    ],
)
def test_option(backend: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    """There and back."""
    story = Story(LINKS)
    story.changes(masquerade(backend, **old))
    first = rules(backend)
    story.changes(masquerade(backend, **new))
    if new.get("forwarding"):
        story.stays(masquerade(backend, **old))  # what was turned on is only turned off with the last object
        assert snapshot.sysctl(SWITCH4) == "1"
    else:
        assert first.splitlines() != rules(backend).splitlines()
        story.changes(masquerade(backend, **old))
        assert rules(backend) == first


def test_backend() -> None:
    """From nftables to iptables and back; auto finds it wherever it stands."""
    story = Story(OFF)
    story.changes(masquerade("nftables", bridge="br0"))
    story.stays(masquerade("auto", bridge="br0"))
    story.changes(masquerade("iptables", bridge="br0"))
    assert "inet bridgenet" not in snapshot.nft()
    story.changes(masquerade("nftables", bridge="br0"))
    assert "bridgenet" not in rules("iptables")


@backends
def test_absent_by_auto(backend: str) -> None:
    """Absent does not need to know the backend."""
    story = Story(OFF)
    story.changes(masquerade(backend, bridge="br0"))
    story.changes(masquerade("auto", bridge="br0"), state="absent")


@backends
def test_several(backend: str) -> None:
    """Several entries come and go one by one, in one transaction each."""
    story = Story(OFF)
    one, two, three = (
        {"source": source, "bridge": bridge, "backend": backend}
        for source, bridge in (("10.1.0.0/16", "br1"), ("10.2.0.0/16", "br2"), ("fd00::/64", "br1"))
    )
    story.changes({"masquerade": [one, two]})
    story.changes({"masquerade": [one, two, three]})
    story.changes({"masquerade": [two]}, state="absent")
    story.changes({"masquerade": [one, three]}, state="absent")


@backends
@pytest.mark.parametrize("source", ["10.0.0.0/16", "fd00:1::/64"])
def test_forwarding_comes_and_goes(backend: str, source: str) -> None:
    """Forwarding is turned on, all that the kernel changes with it is noted, and with the last object it comes back."""
    story = Story(f"{LINKS}; sysctl -qw net/ipv4/conf/x0/forwarding=1 net/ipv4/conf/all/accept_redirects=1")
    first = snapshot.state()
    declared = masquerade(backend, source=source, bridge="br0", forwarding=True)
    report = story.changes(declared)
    assert report.before == []
    assert report.after[0][2]["forwarding"] is True
    assert snapshot.sysctl(SWITCH6 if ":" in source else SWITCH4) == "1"
    assert ORIGINAL.exists()
    story.changes(declared, state="absent")
    snapshot.same(snapshot.portable(first), snapshot.portable(snapshot.state()))
    assert not ORIGINAL.parent.exists()


@backends
def test_forwarding_that_is_on_stays_on(backend: str) -> None:
    """What was on before is not ours to turn off."""
    story = Story("sysctl -qw net/ipv4/ip_forward=1")
    story.changes(masquerade(backend, bridge="br0", forwarding=True))
    assert not ORIGINAL.exists()
    story.changes(masquerade(backend, bridge="br0", forwarding=True), state="absent")
    assert snapshot.sysctl(SWITCH4) == "1"


def test_forwarding_stays_while_something_of_ours_is_left() -> None:
    """The host's own values come back with the last labelled object, of whatever kind."""
    story = Story(OFF)
    story.changes(
        {**masquerade("nftables", bridge="br0", forwarding=True), "netns": [{"name": "a"}], "bridge": [{"name": "br0"}]}
    )
    story.changes(masquerade("nftables", bridge="br0"), state="absent")
    assert snapshot.sysctl(SWITCH4) == "1"
    story.changes({"bridge": [{"name": "br0"}]}, state="absent")
    assert snapshot.sysctl(SWITCH4) == "1"
    story.changes({"netns": [{"name": "a"}]}, state="absent")
    assert snapshot.sysctl(SWITCH4) == "0"


def test_what_somebody_changed_since_stays() -> None:
    """A value that is no longer ours is not given back."""
    shell(f"{LINKS}; sysctl -qw net/ipv4/conf/all/accept_redirects=1")
    declared = masquerade("nftables", bridge="br0", forwarding=True)
    apply(declared)
    assert snapshot.sysctl("net/ipv4/conf/all/accept_redirects") == "0"
    shell("sysctl -qw net/ipv4/ip_forward=0; sysctl -qw net/ipv4/ip_forward=2 net/ipv4/conf/x0/forwarding=0")
    apply(declared, state="absent")
    assert snapshot.sysctl(SWITCH4) == "2"
    assert snapshot.sysctl("net/ipv4/conf/x0/forwarding") == "0"


def test_router_advertisements_are_still_heard() -> None:
    """A router ignores router advertisements, and with them its own default route, unless accept_ra is 2."""
    story = Story(f"{LINKS}; sysctl -qw net/ipv6/conf/x0/accept_ra=1 net/ipv6/conf/y0/accept_ra=0")
    first = snapshot.state()
    declared = masquerade("nftables", source="fd00::/64", bridge="br0", forwarding=True)
    report = story.changes(declared)
    switch = next(number for number, action in enumerate(report.actions) if SWITCH6 in action)
    accept = next(number for number, action in enumerate(report.actions) if "x0/accept_ra=2" in action)
    assert accept < switch
    assert snapshot.sysctl("net/ipv6/conf/x0/accept_ra") == "2"
    assert snapshot.sysctl("net/ipv6/conf/y0/accept_ra") == "0"
    story.changes(declared, state="absent")
    snapshot.same(first, snapshot.state())


def test_same_network_of_another_label() -> None:
    """One entry cannot have two owners."""
    story = Story(OFF)
    story.changes(masquerade("nftables", bridge="br0"), project="theirs")
    with pytest.raises(BridgenetError, match=r"10\.0\.0\.0/16 from br0 .*belongs to project 'theirs', not 'ours'"):
        apply(masquerade("nftables", bridge="br0"), project="ours")
    with pytest.raises(BridgenetError, match="so it is not removed"):
        apply(masquerade("nftables", bridge="br0"), state="absent", project="ours")


@backends
def test_rules_of_others_stay(backend: str) -> None:
    """Nothing else in nftables or iptables is touched."""
    story = Story(
        f"{OFF}; nft add table inet theirs;"
        "nft 'add chain inet theirs c { type nat hook postrouting priority 100; }';"
        "nft add rule inet theirs c ip saddr 10.0.0.0/16 masquerade;"
        "iptables -t nat -A POSTROUTING -s 10.0.0.0/16 ! -o br0 -j MASQUERADE;"
        "iptables -t nat -A POSTROUTING -s 10.7.0.0/16 ! -o br0 -m comment --comment theirs -j MASQUERADE"
    )
    first = snapshot.nft()
    story.changes(masquerade(backend, bridge="br0"))
    story.changes(masquerade(backend, bridge="br0"), state="absent")
    assert snapshot.nft() == first


def test_rules_are_written_as_nft_prints_them() -> None:
    """Then one listing tells whether they are as we load them, without loading them anew."""
    apply(masquerade("nftables", bridge="br0"))
    assert _nft.is_as_written(_programs.run(["nft", "list", "table", *_nft.TABLE.split()]), ports=True)


@pytest.mark.parametrize("prints_otherwise", [False, True])
def test_our_table_is_repaired(prints_otherwise: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that somebody took out of our table, or put in, makes a change, whatever nft's words are."""
    if prints_otherwise:
        monkeypatch.setattr(_nft, "is_as_written", lambda _listing, ports: False)
    declared = masquerade("nftables", bridge="br0")
    apply(declared)
    assert not apply(declared).changed
    whole = snapshot.nft()
    shell("nft add rule inet bridgenet postrouting ip saddr 10.9.9.9 accept")
    assert check(declared).changed
    assert apply(declared).changed
    assert snapshot.nft() == whole
    shell("nft flush chain inet bridgenet postrouting")
    assert apply(declared).changed
    assert snapshot.nft() == whole
    shell("nft delete table inet bridgenet")
    assert apply(declared).changed
    assert snapshot.nft() == whole
    assert not apply(declared).changed


def test_what_others_declared_outlives_a_repair() -> None:
    """A task that finds other rules, as those of another version are, puts back what all projects have there."""
    apply(masquerade("nftables", bridge="br9", source="10.9.0.0/16"), project="other")
    whole = snapshot.nft()
    assert "bridgenet:1:other:" in whole
    assert "10.9.0.0/16" in whole
    shell("nft flush chain inet bridgenet postrouting")
    apply(masquerade("nftables", bridge="br0"))
    apply(masquerade("nftables", bridge="br0"), state="absent")
    assert snapshot.nft() == whole


def test_an_element_that_somebody_added_stays() -> None:
    """An element of our sets without our comment is looked at as somebody else's."""
    apply(masquerade("nftables", bridge="br0"))
    shell("nft 'add element inet bridgenet masquerade4 { \"br9\" . 10.9.0.0/16 }'")
    assert not check(masquerade("nftables", bridge="br0")).changed
    apply(masquerade("nftables", source="10.4.0.0/16", bridge="br4", label="green"))
    assert "10.9.0.0/16" in snapshot.nft()


@pytest.mark.parametrize(
    ("there", "backend"),
    [({"nft", "iptables", "ip6tables"}, "nftables"), ({"iptables", "ip6tables"}, "iptables"), ({"nft"}, "nftables")],
)
def test_auto(there: set[str], backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Auto is nftables where it is there, else iptables."""
    find = _programs.find
    monkeypatch.setattr(_programs, "find", lambda name: find(name) if name in there else None)
    report = apply(masquerade("auto", bridge="br0"))
    assert report.after[0][2]["backend"] == backend
    assert not apply(masquerade("auto", bridge="br0")).changed
    assert apply(masquerade("auto", bridge="br0"), state="absent").changed


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("auto", "the program nft is missing on this host; install it"),
        ("iptables", "the program iptables is missing on this host; install it"),
        ("nftables", "the program nft is missing on this host; install it"),
    ],
)
def test_nothing_installed(backend: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program: check mode shows the whole change; to make it is an error with the fix, before the first step."""
    monkeypatch.setattr(_programs, "find", lambda name: None)
    declared = {**masquerade(backend, bridge="br0"), "netns": [{"name": "a"}]}
    before = snapshot.state()
    assert len(check(declared).after) == 2
    with pytest.raises(BridgenetError, match=message):
        apply(declared)
    snapshot.same(before, snapshot.state())


def test_kernel_without_nftables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Auto is iptables then; who insists on nftables reads what is missing."""

    def refuse(_protocol: int) -> None:
        raise OSError(errno.EPROTONOSUPPORT, "Protocol not supported")

    monkeypatch.setattr(_firewall, "Socket", refuse)
    assert check(masquerade("auto", bridge="br0")).after[0][2]["backend"] == "iptables"
    with pytest.raises(BridgenetError, match=r"this kernel has no nftables \(Protocol not supported\); install one"):
        check(masquerade("nftables", bridge="br0"))


@backends
@pytest.mark.parametrize("purge", [False, True])
def test_renamed(backend: str, purge: bool) -> None:
    """Another label for the same network, and another backend as well."""
    story = Story(OFF)
    story.changes(masquerade(backend, bridge="br0", label="blue"), purge=purge)
    story.changes(masquerade(backend, bridge="br0", label="green"), purge=purge)
    other = "iptables" if backend == "nftables" else "nftables"
    story.changes(masquerade(other, bridge="br0", label="red"), purge=purge)
    assert "bridgenet" not in rules(backend)
    story.changes(masquerade(other, bridge="br1", label="red"), purge=purge)
    story.changes({}, purge=True)
    assert "bridgenet" not in snapshot.nft() + snapshot.iptables()
