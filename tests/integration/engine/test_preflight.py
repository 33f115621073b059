# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight: every conflict at once and what others have, and the machine stays as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _inspection, _netlink
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._findings import CONFLICT, NOTICE, OK, Finding
from ansible_collections.nslab.bridgenet.tests.integration.engine import driver, snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import Network, blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell

OFF = "sysctl -qw net/ipv4/ip_forward=0 net/ipv6/conf/all/forwarding=0"
FORWARD: Network = {"forward": [{"bridge": "br0", "label": "blue"}]}


def found(objects: driver.Objects, **options: Any) -> list[Finding]:
    """What it says; it changes nothing."""
    before = snapshot.state()
    findings = _inspection.inspect(driver.task(objects, **options))
    snapshot.same(before, snapshot.state(), "the preflight changed the machine")
    return findings


def of(findings: list[Finding], severity: str, topic: str = "") -> list[Finding]:
    """Those of one kind."""
    return [one for one in findings if one.severity == severity and topic in ("", one.topic)]


def test_nothing_in_the_way() -> None:
    """On a quiet host that forwards, all is well, before and after."""
    shell("sysctl -qw net/ipv4/ip_forward=1")
    declared = {**blue(), **FORWARD}
    assert {one.severity for one in found(declared)} == {OK}
    driver.apply(declared)
    assert {one.severity for one in found(declared)} == {OK}
    assert {one.severity for one in found(declared, state="absent")} <= {OK}


def test_what_only_a_change_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyroute2 a run would be refused; check mode shows the whole change."""
    monkeypatch.setattr(_netlink, "_classes", {})
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    (missing,) = of(found(blue()), CONFLICT)
    assert "pyroute2 is missing on this host" in missing.what
    looked = _inspection.inspect(driver.task(blue()), check_mode=True)
    assert of(looked, CONFLICT) == []
    assert missing.what in [one.what for one in of(looked, NOTICE, "host")]


def test_every_conflict_at_once() -> None:
    """Names that are taken and networks that overlap; each says what, why and what to do, as the task itself would."""
    shell(
        "ip link add name br0 type bridge; ip link add name br9 type veth; ip netns add ns1;"
        "ip link add name up0 type bridge; ip address add 10.1.0.7/16 dev up0; ip link set dev up0 up"
    )
    declared = blue()
    declared["bridge"] += [
        {"name": "br9"},
        {"name": "br1", "addresses": ["10.1.3.1/24"]},
        {"name": "br2", "addresses": ["10.1.4.1/24"]},
        {"name": "br3", "addresses": ["10.3.1.1/24"]},
    ]
    conflicts = of(found(declared), CONFLICT)
    assert all(one.what and one.why and one.done for one in conflicts)
    overlaps = "overlaps 10.1.0.0/16, to which this host is connected by 'up0'"
    assert {(one.topic, one.what, one.why) for one in conflicts} == {
        ("netns", "namespace 'ns1'", "exists and is not ours"),
        ("bridge", "bridge 'br0'", "exists and is not ours"),
        ("bridge", "bridge 'br9'", "interface 'br9' in the host exists and is a veth, not a bridge"),
        ("host", "address '10.1.3.1/24' of interface 'br1'", f"its network 10.1.3.0/24 {overlaps}"),
        ("host", "address '10.1.4.1/24' of interface 'br2'", f"its network 10.1.4.0/24 {overlaps}"),
    }
    with pytest.raises(BridgenetError, match="exists and is not ours"):
        driver.apply(declared)
    shell("ip link del br0; ip link del br9; ip netns del ns1")
    assert {one.topic for one in of(found(declared), CONFLICT)} == {"host"}, "what is mended is not said again"
    shell("ip address del 10.1.0.7/16 dev up0; ip address add 10.7.0.7/16 dev up0")
    shell("ip route add 10.3.0.0/16 via 10.7.0.99")
    findings = found(declared)
    assert not of(findings, CONFLICT)
    assert any("overlaps 10.3.0.0/16, which this host reaches by up0" in one.why for one in of(findings, NOTICE))


INDEX = "$(ip -o link show dev its0 | cut -d: -f1)"
OWNERS = {
    "podman": """
        mkdir -p /etc/containers/networks
        echo '{"network_interface": "its0"}' > /etc/containers/networks/x.json
    """,
    "CNI": """
        mkdir -p /etc/cni/net.d
        echo '{"plugins": [{"bridge": "its0"}]}' > /etc/cni/net.d/x.conflist
    """,
    "libvirt": """
        mkdir -p /run/libvirt/network
        echo "<network><bridge name='its0'/></network>" > /run/libvirt/network/default.xml
    """,
    "NetworkManager": f"""
        mkdir -p /run/NetworkManager/devices
        printf '[device]\\nmanaged=true\\n' > /run/NetworkManager/devices/{INDEX}
    """,
    "systemd-networkd": f"""
        mkdir -p /run/systemd/netif/links
        echo ADMIN_STATE=configured > /run/systemd/netif/links/{INDEX}
    """,
}


@pytest.mark.parametrize("whose", OWNERS)
def test_owner(whose: str) -> None:
    """A bridge in the way is named with whom it belongs to; so is one that is only joined, which is no conflict."""
    shell(f"ip link add name its0 type bridge\n{OWNERS[whose]}")
    (conflict,) = of(found({"bridge": [{"name": "its0"}]}), CONFLICT)
    assert conflict.what == "bridge 'its0'"
    assert conflict.why == f"exists and is not ours: its0 belongs to {whose}"
    pair = {
        **container("ns1", "10.4.0.2/24", gateway="10.4.0.1"),
        "bridge_port": [{"name": "vethns1", "master": "its0"}],
    }
    findings = found(pair)
    assert not of(findings, CONFLICT)
    joined = "it joins its0, which belongs to "
    assert [one.why for one in of(findings, NOTICE, "owner")] == [joined + whose]
    driver.apply(pair)
    assert [one.why for one in of(found(pair), OK, "owner")] == [joined + whose]
    moved: Network = {"bridge": [{"name": "br1"}], "bridge_port": [{"name": "vethns1", "master": "br1"}]}
    assert not of(found(moved), NOTICE), "a port of ours may move"


def test_a_manager_on_ours() -> None:
    """A network manager that has one of our links may take away what it has."""
    driver.apply({"bridge": [{"name": "its0"}]})
    shell(OWNERS["NetworkManager"])
    (notice,) = of(found({"bridge": [{"name": "its0"}]}), NOTICE)
    assert notice.what == "bridge 'its0'"
    assert "NetworkManager manages it" in notice.why


def test_a_port_of_others() -> None:
    """What is taken out of somebody else's bridge."""
    shell("ip link add name its0 type bridge; ip link add name p0 type veth peer name p1; ip link set p0 master its0")
    shell(OWNERS["libvirt"])
    findings = found({"bridge": [{"name": "br1"}], "bridge_port": [{"name": "p0", "master": "br1"}]})
    (notice,) = of(findings, NOTICE)
    assert (notice.what, notice.why) == ("bridge port 'p0'", "it is a port of its0, which belongs to libvirt")


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("iptables -P FORWARD DROP", "iptables: chain FORWARD"),
        ("ip6tables-legacy -P FORWARD DROP", "ip6tables-legacy: chain FORWARD"),
        ("iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER", "chain DOCKER-USER"),
        ("iptables -A FORWARD -i lo -j ACCEPT; iptables -A FORWARD -j REJECT", "iptables: chain FORWARD"),
    ],
)
def test_a_host_that_drops(script: str, what: str) -> None:
    """Where our one rule goes, as its command; and that it is there; and that without forward entries nothing helps."""
    shell(f"sysctl -qw net/ipv4/ip_forward=1\n{script}")
    (closed,) = of(found(blue()), NOTICE)
    assert closed.done.startswith("nothing: masquerade alone opens no way")
    declared = {**blue(), **FORWARD}
    (opened,) = of(found(declared), NOTICE)
    assert what in opened.what
    command = driver.check(declared).actions
    assert opened.done.rpartition(": ")[2] in command
    driver.apply(declared)
    (stands,) = of(found(declared), OK, "firewall")
    assert (stands.what, stands.done) == (opened.what, "our rule stands there")
    assert not of(found(declared), NOTICE)


def test_a_chain_that_nobody_can_open() -> None:
    """The engine's own warning."""
    shell(
        "sysctl -qw net/ipv4/ip_forward=1; nft 'add table inet mine; add chain inet mine through "
        "{ type filter hook forward priority 5; policy drop; }'"
    )
    (notice,) = of(found({**blue(), **FORWARD}), NOTICE, "firewall")
    assert "nft insert rule inet mine through" in notice.why


def test_forwarding() -> None:
    """What is turned on, and who turns it off at boot."""
    shell(OFF)
    Path("/etc/sysctl.d/99-mine.conf").write_text("net.ipv4.ip_forward = 0\n", encoding="ascii")
    switched, boot = of(found(blue()), NOTICE, "forwarding")
    assert switched.what == "net/ipv4/ip_forward is 0"
    assert switched.done.startswith("sysctl -qw net/ipv4/ip_forward=1; it comes back")
    assert boot.why.startswith("/etc/sysctl.d/99-mine.conf sets it to 0 at boot")
    driver.apply(blue())
    assert of(found(blue()), NOTICE) == [boot]
    Path("/etc/sysctl.d/99-mine.conf").unlink()
    assert not of(found(blue()), NOTICE)


def test_held() -> None:
    """Who holds a namespace that is to go."""
    driver.apply(blue())
    with inside("ns1"):
        holder = subprocess.Popen(["sleep", "infinity"])
    try:
        (conflict,) = of(found(blue(), state="absent"), CONFLICT)
        assert conflict.what == "namespace 'ns1'"
        assert f"process {holder.pid} (sleep)" in conflict.why + conflict.done
    finally:
        holder.kill()
        holder.wait()
    assert not of(found(blue(), state="absent"), CONFLICT)


def test_cut_off() -> None:
    """What carries the default route."""
    shell("ip link add name up0 type veth peer name up1; ip address add 10.9.0.1/24 dev up0")
    shell("ip link set dev up1 up; ip link set dev up0 up; ip route add default via 10.9.0.2")
    down = {"interface": [{"name": "up0", "up": False}]}
    (conflict,) = of(found(down), CONFLICT)
    assert conflict.topic == "access"
    assert not of(found(down, force=True), CONFLICT)
