# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running container of podman without a network is plugged into one, and taken out again unharmed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._info import gather
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell

PLUGGED = {
    "bridge": [{"name": "br0", "addresses": ["10.10.0.1/24"]}],
    "netns": [{"name": "web", "adopt": {"podman": "web"}}],
    "veth": [
        {
            "name": "veth-web",
            "peer": {
                "name": "eth0",
                "namespace": "web",
                "addresses": ["10.10.0.2/24"],
                "routes": [{"to": "default", "via": "10.10.0.1"}],
            },
        }
    ],
    "bridge_port": [{"name": "veth-web", "master": "br0"}],
}


@pytest.fixture(autouse=True)
def web(options: str) -> Iterator[None]:
    """The container."""
    shell(f"podman run --detach --name web --network none {options} localhost/tiny /bin/sleep 1000")
    yield
    shell("podman rm --all --force --time 0")


def state() -> tuple[bool, int]:
    """Whether it runs, and as which process."""
    said = shell("podman inspect web 2>/dev/null")  # podman 5 warns of a host with cgroups v1
    found: dict[str, Any] = json.loads(said)[0]["State"]
    return found["Running"], found["Pid"]


def links() -> list[tuple[str, str]]:
    """Name and alias of what is inside the container."""
    found = json.loads(shell(f"nsenter --net=/proc/{state()[1]}/ns/net ip -j -d link"))
    return [(one["ifname"], one.get("ifalias", "")) for one in found]


def names() -> list[str]:
    """What is published, without what podman itself publishes."""
    return [name for name in snapshot.namespaces() if not name.startswith("netns-")]


def ping() -> None:
    """Both ways."""
    shell("ping -c1 -W5 -q 10.10.0.2")
    with inside("web"):
        shell("ping -c1 -W5 -q 10.10.0.1")


def test_plugged_in_and_taken_out() -> None:
    """One transaction each; the container never notices."""
    before, published = state(), snapshot.namespaces()
    assert before[0]
    assert links() == [("lo", "")]
    predicted = check(PLUGGED)
    assert apply(PLUGGED) == predicted
    assert not apply(PLUGGED).changed
    ping()
    with inside("web"):
        assert snapshot.addresses(snapshot.link("eth0")) == ["10.10.0.2/24"]
    found = gather(["web"], ["pids"])["namespaces"][0]
    assert found["adopted"]
    assert found["pids"] == [{"pid": before[1], "command": "sleep"}]

    assert apply(PLUGGED, state="absent").changed
    assert not apply(PLUGGED, state="absent").changed
    assert state() == before
    assert links() == [("lo", "")]
    assert snapshot.namespaces() == published
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]


def test_declared() -> None:
    """By the declaration: into a network beside a container of ours, out of the network, and let go."""
    networks = {"blue": {"bridge": "br0", "subnet": "10.10.0.0/24", "gateway": "10.10.0.1"}}

    def lists(**web: Any) -> dict[str, list[dict[str, Any]]]:
        ours = {"networks": {"blue": {"ipv4_address": "10.10.0.3"}}}
        return expand(networks, {"web": {"adopt": {"podman": "web"}, **web}, "ours": ours})

    before = state()
    plugged = lists(networks={"blue": {"ipv4_address": "10.10.0.2"}})
    predicted = check(plugged)
    assert apply(plugged) == predicted
    assert not apply(plugged).changed
    ping()
    with inside("ours"):
        shell("ping -c1 -W5 -q 10.10.0.2")

    assert apply(lists()).changed  # the networks of a container are exact
    assert [name for name, _label in links()] == ["lo"]
    assert apply(lists(state="absent")).changed
    assert state() == before
    assert links() == [("lo", "")]
    assert names() == ["ours"]


def test_purged() -> None:
    """What the project made goes, and the container stays."""
    before = state()
    apply(PLUGGED)
    apply({}, purge=True)
    assert state() == before
    assert links() == [("lo", "")]
    assert names() == []
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]


def test_started_anew() -> None:
    """The container has another namespace then: the next run plugs it in again."""
    apply(PLUGGED)
    shell("podman restart --time 0 web")
    assert links() == [("lo", "")]
    predicted = check(PLUGGED)
    assert predicted.changed
    assert apply(PLUGGED) == predicted
    assert not apply(PLUGGED).changed
    ping()
    apply(PLUGGED, state="absent")
    assert state()[0]
    assert links() == [("lo", "")]


def test_not_there_and_not_running() -> None:
    """An error that says so, before the first change; what is to be absent is not looked for."""
    other = {**PLUGGED, "netns": [{"name": "web", "adopt": {"podman": "other"}}]}
    with pytest.raises(BridgenetError, match=r"podman knows no container 'other' (?s:.*)start it first, or correct"):
        apply(other)
    shell("podman stop --time 0 web")
    with pytest.raises(BridgenetError, match="the podman container 'web' is not running; start it first"):
        apply(PLUGGED)
    assert names() == []
    assert not apply(PLUGGED, state="absent").changed


def test_taken_out_after_its_end() -> None:
    """The container is gone, its name and its link are not: they go, too."""
    apply(PLUGGED)
    shell("podman rm --force --time 0 web")
    assert names() == ["web"]
    apply(PLUGGED, state="absent")
    assert names() == []
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]
