# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""bridge-nf-call-*, at run time and kept, on the host and in a namespace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _programs, _sysctl
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import Objects, apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

# Loading it would change the bridges of the machine that the tests run on.
loaded = pytest.mark.skipif(not Path("/proc/sys/net/bridge").exists(), reason="br_netfilter is not loaded")

CALLS = ("iptables", "ip6tables", "arptables")
FILES = (
    "/etc/sysctl.d/90-nslab-bridgenet.conf",
    "/etc/udev/rules.d/90-nslab-bridgenet.rules",
    "/etc/modules-load.d/nslab-bridgenet.conf",
)
ONES = "sysctl -qw " + " ".join(f"net/bridge/bridge-nf-call-{call}=1" for call in CALLS)


def bridge_nf(**options: Any) -> dict[str, list[dict[str, Any]]]:
    """The switches."""
    return {"sysctl_bridge_nf": [options]}


def values(namespace: str = "") -> list[str]:
    """As they are."""
    return [snapshot.sysctl(f"net/bridge/bridge-nf-call-{call}", namespace) for call in CALLS]


@loaded
def test_life() -> None:
    """Fresh, again, absent, absent again."""
    story = Story(ONES)
    first = snapshot.state()
    story.stays(bridge_nf(iptables=True, ip6tables=True, arptables=True))
    declared = bridge_nf(iptables=False, ip6tables=False, arptables=False, persist=True)
    story.changes(declared)
    assert values() == ["0", "0", "0"]
    story.changes(declared, state="absent")
    snapshot.same(first, snapshot.state())
    story.stays(declared, state="absent")


@loaded
@pytest.mark.parametrize("namespace", ["", "a"])
@pytest.mark.parametrize("call", CALLS)
def test_option(call: str, namespace: str) -> None:
    """There and back, one switch at a time."""
    story = Story(f"{ONES}; ip netns add a")
    story.changes(bridge_nf(namespace=namespace, **{call: False}))
    assert values(namespace) == ["0" if one == call else "1" for one in CALLS]
    if namespace:
        assert values() == ["1", "1", "1"]
    story.changes(bridge_nf(namespace=namespace, **{call: True}))
    assert values(namespace) == ["1", "1", "1"]


@loaded
def test_persist() -> None:
    """Kept, changed, and no longer kept."""
    story = Story(ONES)
    before = snapshot.files()
    story.changes(bridge_nf(iptables=False, persist=True))
    assert Path(FILES[0]).read_text().endswith("net.bridge.bridge-nf-call-iptables = 0\n")
    assert "br_netfilter" in Path(FILES[1]).read_text()
    assert not Path(FILES[2]).exists()
    story.changes(bridge_nf(iptables=True, arptables=False, persist=True))
    assert Path(FILES[0]).read_text().count("\nnet.bridge.") == 2
    story.changes(bridge_nf(iptables=True, persist=False))
    kept = {path: text for path, text in snapshot.files().items() if path.startswith("/etc")}
    assert kept == before


@loaded
def test_load() -> None:
    """What is loaded is not loaded again; kept, it is loaded at boot."""
    story = Story(ONES)
    story.stays(bridge_nf(iptables=True, load=True))
    story.changes(bridge_nf(iptables=False, load=True, persist=True))
    assert Path(FILES[2]).read_text().endswith("br_netfilter\n")
    story.changes(bridge_nf(iptables=False, persist=True))
    assert not Path(FILES[2]).exists()


@loaded
def test_original_comes_back_unless_changed_since() -> None:
    """What somebody set since then stays."""
    shell(ONES)
    apply(bridge_nf(iptables=False, arptables=False))
    shell("sysctl -qw net/bridge/bridge-nf-call-arptables=1; sysctl -qw net/bridge/bridge-nf-call-ip6tables=0")
    apply(bridge_nf(), state="absent")
    assert values() == ["1", "0", "1"]
    assert not Path("/run/nslab.bridgenet").exists()


class _Unloaded:
    """A kernel without br_netfilter, until it is loaded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loads: list[str] = []
        exists, read_all = _sysctl.exists, _sysctl.read_all
        monkeypatch.setattr(_programs, "load_module", self.loads.append)
        monkeypatch.setattr(_sysctl, "exists", lambda name: exists(name) and (name != "net/bridge" or bool(self.loads)))
        monkeypatch.setattr(
            _sysctl,
            "read_all",
            lambda names: read_all(name for name in names if self.loads or not name.startswith("net/bridge")),
        )


def test_not_loaded_is_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the module nothing passes a firewall, so false is how it is."""
    unloaded = _Unloaded(monkeypatch)
    report = apply(bridge_nf(iptables=False, ip6tables=False))
    assert not report.changed
    assert report.after[0][2]["iptables"] is False
    with pytest.raises(BridgenetError, match=r"br_netfilter is not loaded.*load: true"):
        apply(bridge_nf(iptables=True))
    assert unloaded.loads == []


@loaded
def test_loaded_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With load: true it is loaded, and then set."""
    shell(ONES)
    unloaded = _Unloaded(monkeypatch)
    declared: Objects = bridge_nf(iptables=True, arptables=False, load=True)
    predicted = check(declared)
    assert unloaded.loads == []
    assert predicted.actions[0] == "modprobe -- br_netfilter"
    report = apply(declared)
    assert unloaded.loads == ["br_netfilter"]
    assert report == predicted
    assert values() == ["1", "1", "0"]
    assert not apply(declared).changed


@loaded
def test_loaded_for_every_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module sets the switches of all, and only then they are set one by one."""
    shell(f"{ONES}; ip netns add a")
    unloaded = _Unloaded(monkeypatch)
    declared = {
        "sysctl_bridge_nf": [
            {"iptables": True, "load": True},
            {"namespace": "a", "iptables": False, "ip6tables": True},
        ]
    }
    predicted = check(declared)
    report = apply(declared)
    assert unloaded.loads == ["br_netfilter"]
    assert report == predicted
    assert [report.after[1][2][call] for call in ("iptables", "ip6tables", "arptables")] == [False, True, True]
    assert not apply(declared).changed


@pytest.mark.parametrize("option", ["load", "persist"])
def test_a_namespace_outlives_no_boot(option: str) -> None:
    """Load and persist are for the host."""
    with pytest.raises(BridgenetError, match="namespace 'a': load and persist are for the host"):
        apply(bridge_nf(namespace="a", iptables=False, **{option: True}))
