# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gets through, and above all what must not.

A ping that must fail is one packet; that it was sent and where it was lost is seen from
counters, so no test rests on waiting for an answer that does not come.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import Network, blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell

OUTSIDE = "198.51.100.9"
# Somebody outside, who knows no way back to the containers' own addresses and counts who asks.
PREPARE = f"""
ip netns add outside
ip link add name up0 type veth peer name out0 netns outside
ip address add 198.51.100.1/24 dev up0
ip link set dev up0 up
ip -n outside address add {OUTSIDE}/24 dev out0
ip -n outside link set dev out0 up
ip -n outside link set dev lo up
ip netns exec outside nft -f - <<'END'
table ip seen {{
    counter by_address {{ }}
    counter by_gateway {{ }}
    chain input {{
        type filter hook input priority 0;
        icmp type echo-request ip saddr 198.51.100.1 counter name by_gateway
        icmp type echo-request ip saddr 10.10.0.0/16 counter name by_address
    }}
}}
END
"""


def reaches(source: str, target: str) -> bool:
    """Whether one ping from a namespace is answered; long enough only where it must be."""
    return "1 received" in shell(f"ip netns exec {source} ping -c1 -W5 -q {target} || true")


def asks(source: str, target: str) -> None:
    """One ping whose answer is of no interest."""
    shell(f"ip netns exec {source} ping -c1 -W0.2 -q {target} || true")


def seen(counter: str) -> int:
    """How many packets the outside host counted."""
    with inside("outside"):
        found = re.search(r"packets (\d+)", shell(f"nft list counter ip seen {counter}"))
    assert found
    return int(found[1])


def watch(namespace: str, source: str) -> None:
    """Count what comes from an address: ARP, and any packet."""
    script = "\n".join(
        f"table {family} seen {{ counter c {{ }}; chain i {{ type filter hook input priority 0;"
        f" {family} saddr {'ip ' if family == 'arp' else ''}{source} counter name c; }}; }}"
        for family in ("arp", "ip")
    )
    with inside(namespace):
        shell(f"nft '{script}'")


def heard(namespace: str) -> int:
    """How much of it came since, until now."""
    with inside(namespace):
        listed = shell("nft list counter arp seen c; nft list counter ip seen c")
        shell("nft reset counters")
    return sum(int(number) for number in re.findall(r"packets (\d+)", listed))


@pytest.fixture
def outside() -> None:
    """The host outside."""
    shell("sysctl -qw net/ipv4/ip_forward=0")
    shell(PREPARE)


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("backend", ["nftables", "iptables"])
@pytest.mark.parametrize("where", [{"bridge": "br0"}, {"out_interface": "up0"}])
def test_masquerade(backend: str, where: dict[str, str]) -> None:
    """Outside sees the gateway's address, and never the container's; containers see each other's own."""
    network = blue()
    network["masquerade"] = [{"source": "10.10.0.0/16", "backend": backend, "forwarding": True, **where}]
    apply(network)
    assert reaches("ns1", OUTSIDE)
    assert (seen("by_gateway"), seen("by_address")) == (1, 0)
    watch("ns2", "10.10.0.10")
    assert reaches("ns1", "10.10.0.20")
    assert heard("ns2") > 0


@pytest.mark.usefixtures("outside")
def test_without_masquerade() -> None:
    """Forwarded but not translated: outside sees the container's address, and has no way to answer."""
    network = blue()
    del network["masquerade"]
    apply(network)
    shell("sysctl -qw net/ipv4/ip_forward=1")
    asks("ns1", OUTSIDE)
    assert (seen("by_gateway"), seen("by_address")) == (0, 1)


@pytest.mark.usefixtures("outside")
def test_without_forwarding() -> None:
    """Masquerading alone turns no forwarding on."""
    network = blue()
    network["masquerade"][0]["forwarding"] = False
    apply(network)
    asks("ns1", OUTSIDE)
    assert (seen("by_gateway"), seen("by_address")) == (0, 0)


@pytest.mark.usefixtures("outside")
def test_another_source_is_not_translated() -> None:
    """Only the network that was named."""
    network = blue()
    network["masquerade"][0]["source"] = "10.10.0.20/32"
    apply(network)
    asks("ns1", OUTSIDE)
    assert (seen("by_gateway"), seen("by_address")) == (0, 1)
    assert reaches("ns2", OUTSIDE)


@pytest.mark.usefixtures("outside")
def test_after_teardown() -> None:
    """Nothing of it goes on working."""
    apply(blue())
    assert reaches("ns1", OUTSIDE)
    apply({"masquerade": [{"source": "10.10.0.0/16", "bridge": "br0"}]}, state="absent")
    apply(blue(container("ns3", "10.10.0.30/16")) | {"masquerade": []})
    asks("ns3", OUTSIDE)
    assert seen("by_gateway") == 1


def bridge_nf() -> list[str]:
    """Values of bridge-nf-call-iptables to try: both, where the kernel has it."""
    return ["0", "1"] if Path("/proc/sys/net/bridge").exists() else ["-"]


@pytest.mark.parametrize("value", bridge_nf())
@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_bridged_traffic_keeps_its_source(backend: str, value: str) -> None:
    """Also where bridged packets pass the host's firewall."""
    if value != "-":
        shell(f"sysctl -qw net/bridge/bridge-nf-call-iptables={value}")
    network = blue()
    network["masquerade"][0]["backend"] = backend
    apply(network)
    watch("ns2", "10.10.0.1")
    assert reaches("ns1", "10.10.0.20")
    assert heard("ns2") == 0, "the gateway has nothing to say there"


def isolated(network: Network, *names: str) -> Network:
    """A network some of whose ports are isolated."""
    for port in network["bridge_port"]:
        port["isolated"] = port["name"] in names
    return network


def test_isolated_ports() -> None:
    """Isolated ports reach the gateway and ports that are not, but not each other."""
    three = [container(f"ns{number}", f"10.10.0.{number}0/16") for number in (1, 2, 3)]
    apply(isolated(blue(*three), "vethns1", "vethns2"))
    assert reaches("ns1", "10.10.0.1")
    assert reaches("ns1", "10.10.0.30")
    assert reaches("ns2", "10.10.0.30")
    watch("ns2", "10.10.0.10")
    asks("ns1", "10.10.0.20")
    assert heard("ns2") == 0, "not even the ARP request gets there"
    apply(isolated(blue(*[dict(one) for one in three])))
    assert reaches("ns1", "10.10.0.20")
    assert heard("ns2") > 0


@pytest.mark.parametrize("which", ["near end", "far end", "bridge", "no port"])
def test_cut(which: str) -> None:
    """A link that is down, or in no bridge, carries nothing; put right, it does."""
    network = blue()
    apply(network)
    assert reaches("ns1", "10.10.0.20")
    watch("ns2", "10.10.0.10")
    if which == "near end":
        apply({"interface": [{"name": "vethns1", "up": False}]})
    elif which == "far end":
        apply({"interface": [{"name": "eth0", "namespace": "ns1", "up": False}]})
    elif which == "bridge":
        apply({"interface": [{"name": "br0", "up": False}]}, force=True)
    else:
        apply({"bridge_port": [{"name": "vethns1"}]}, state="absent")
    asks("ns1", "10.10.0.20")
    assert heard("ns2") == 0
    for link in (*network["bridge"], *network["veth"], *(pair["peer"] for pair in network["veth"])):
        link["up"] = True
    assert apply(network).changed
    assert reaches("ns1", "10.10.0.20")


def test_networks_without_forwarding_are_apart() -> None:
    """Two bridges, no forwarding: no way from one to the other."""
    shell("sysctl -qw net/ipv4/ip_forward=0")
    network = blue(container("ns1", "10.10.0.10/16"))
    del network["masquerade"]
    other = container("ns2", "10.11.0.20/16", gateway="10.11.0.1")
    other["bridge_port"][0]["master"] = "br1"
    for module, objects in other.items():
        network[module] += objects
    network["bridge"].append({"name": "br1", "addresses": ["10.11.0.1/16"]})
    apply(network)
    assert reaches("ns1", "10.10.0.1")
    watch("ns2", "10.10.0.10")
    asks("ns1", "10.11.0.20")
    assert heard("ns2") == 0
    shell("sysctl -qw net/ipv4/ip_forward=1")
    assert reaches("ns1", "10.11.0.20")
    assert heard("ns2") > 0


def test_loopback_down() -> None:
    """Without its loopback a namespace does not even reach itself."""
    apply({"netns": [{"name": "a", "loopback": False}]})
    assert not reaches("a", "127.0.0.1")
    apply({"netns": [{"name": "a", "loopback": True}]})
    assert reaches("a", "127.0.0.1")


def test_ipv6_at_once() -> None:
    """An IPv6 address can be used the moment it is there, without detection of duplicates."""
    network = blue(container("ns1", "10.10.0.10/16"))
    network["bridge"][0] |= {"ipv6": True, "addresses": ["10.10.0.1/16", "fd00::1/64"]}
    network["veth"][0]["peer"] |= {"ipv6": True, "addresses": ["10.10.0.10/16", "fd00::10/64"]}
    apply(network)
    assert reaches("ns1", "fd00::1")
