# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Undo: whichever operation fails, the machine is as it was, and the error names the operation as a command."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._kernel import Failed
from ansible_collections.nslab.bridgenet.tests.integration.engine import driver, snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import Objects
from ansible_collections.nslab.bridgenet.tests.integration.engine.faults import inject
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

OFF = "sysctl -qw net/ipv4/ip_forward=0 net/ipv6/conf/all/forwarding=0"


def _dying(objects: Objects) -> bool:
    """Whether an id still belongs to a namespace that was made and undone; an adopted one keeps it."""
    ours = [one for one in objects.get("netns", ()) if "nsid" in one and "adopt" not in one]
    wanted = {f"nsid {one['nsid']} " for one in ours}
    ids = shell("ip netns list-id").splitlines()
    return any(f"{line} ".startswith(tuple(wanted)) and "name:" not in line for line in ids)


def undoes(objects: Objects, **options: Any) -> int:
    """Let every event of a task fail in turn; how many there were. In the end the task is carried out."""
    state, host = snapshot.state(), driver.host()
    at = 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            fault = inject(patch, at)
            try:
                report = driver.apply(objects, **options)
            except Failed as error:
                message = str(error)
            else:
                assert fault.victim is None, f"{fault.victim} failed, and nobody said so"
                assert report.changed
                return at
        assert fault.victim is not None, message
        command = "; ".join(fault.victim.commands()) or "noting down the original sysctls"
        assert command in message.split(" failed: ", 1)[0], message
        assert message.endswith("; what this run had done was undone"), message
        now = snapshot.state()
        assert now["inodes"] == state["inodes"], f"another namespace, after {message}"
        snapshot.same(snapshot.portable(state), snapshot.portable(now), f"after {message}")
        assert driver.host() == host, f"after {message}"
        # A namespace that was made and undone keeps its id until the kernel has destroyed it, in its own time.
        end = time.monotonic() + 30
        while _dying(objects):
            assert time.monotonic() < end, "a namespace is left"
        at += 1


def test_fresh_network() -> None:
    """Everything new, with masquerading and forwarding."""
    shell(OFF)
    assert undoes(blue()) > 25


def test_fresh_network_with_iptables() -> None:
    """The same by iptables and for IPv6."""
    shell(OFF)
    network = blue(container("ns1", "10.10.0.10/16"))
    network["masquerade"] = [
        {"source": source, "bridge": "br0", "backend": "iptables", "forwarding": True}
        for source in ("10.10.0.0/16", "fd00::/64")
    ]
    network["bridge"][0] |= {"ipv6": True, "addresses": ["10.10.0.1/16", "fd00::1/64"], "accept_ra": 0}
    assert undoes(network) > 20


def test_teardown() -> None:
    """Everything goes, and would come back with all that it had."""
    shell(OFF)
    network = blue(accept_ra=2)
    network["netns"][0]["sysctls"] = {"net/ipv4/conf/all/rp_filter": 1}
    driver.apply(network)
    shell(
        "ip address add 10.77.0.1/24 dev br0; ip address add 10.77.0.2/24 dev br0;"
        "ip route add 10.78.0.0/16 via 10.77.0.9 proto static;"
        "bridge link set dev vethns1 isolated on cost 7; ip link set dev vethns2 mtu 1400;"
        "ip -n ns2 route add 10.79.0.0/16 via 10.10.0.1 metric 5 proto static;"
        "ip -n ns1 address add 10.10.0.11/16 dev eth0;"
        "ip link set dev br0 type bridge stp_state 0 ageing_time 1000 nf_call_iptables 1"
    )
    assert undoes(blue(accept_ra=2), state="absent") > 4
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]


def test_links_go_and_namespaces_stay() -> None:
    """Pairs and bridge deleted on their own."""
    network = blue()
    driver.apply(network)
    shell("ip -n ns1 link set dev eth0 mtu 1300; ip -n ns2 address add fd00::5/64 dev lo; ip link set dev vethns1 down")
    only_links = {name: network[name] for name in ("bridge", "veth")}
    assert undoes(only_links, state="absent", force=True) > 2


def test_purge() -> None:
    """What is no longer declared goes in the same change in which other things come."""
    driver.apply(blue(container("ns1", "10.10.0.10/16"), container("ns2", "10.10.0.20/16")))
    assert undoes(blue(container("ns2", "10.10.0.20/16"), container("ns3", "10.10.0.30/16")), purge=True) > 10


def test_mixed_change() -> None:
    """Things added, modified, made anew and deleted at once."""
    shell(OFF)
    first = blue(
        container("ns1", "10.10.0.10/16"), container("ns2", "10.10.0.20/16"), container("ns3", "10.10.0.30/16")
    )
    first["netns"][1]["sysctls"] = {"net/ipv4/ip_forward": 0}
    driver.apply(first)
    second = blue(
        container("ns1", "10.10.0.20/16", "vethns2"),  # names and addresses of two containers swapped
        container("ns2", "10.10.0.10/16", "vethns1"),
        container("ns4", "10.10.0.40/16"),
        mtu=1400,
        stp=True,
        mac="02:00:00:00:00:77",
    )
    second["veth"][0] |= {"mtu": 1400}
    second["netns"][1]["sysctls"] = {"net/ipv4/ip_forward": 1}
    second["netns"].append({"name": "ns3", "state": "absent"})
    second["masquerade"][0] |= {"source": "10.10.0.0/17"}
    second["bridge"].append({"name": "br1", "addresses": ["10.11.0.1/24", "fd00::1/64"]})
    second["bridge_port"][0] |= {"isolated": True, "priority": 3}
    second["bridge_port"][1] |= {"master": "br1"}
    assert undoes(second) > 30


def test_a_bridge_in_the_way_of_another_one() -> None:
    """It goes first, for a route that the other one gets; a port that stays comes back to it."""
    shell("ip link add name x0 address 02:00:00:00:00:09 type veth peer name y0 address 02:00:00:00:00:08")
    route = {"addresses": ["10.11.0.1/24"], "routes": [{"to": "10.99.0.0/16", "via": "10.11.0.9"}]}
    port = {"name": "x0", "isolated": True, "priority": 3}
    driver.apply({"bridge": [{"name": "br0", **route}], "bridge_port": [{**port, "master": "br0"}]})
    bridges = [{"name": "br0", "state": "absent"}, {"name": "br1", **route}]
    assert undoes({"bridge": bridges, "bridge_port": [{**port, "master": "br1"}]}) > 5


def test_changes_of_one_interface() -> None:
    """Addresses, routes, MTU, MAC, IPv6 and down, of a link that somebody else made."""
    shell(
        "ip link add name x0 address 02:00:00:00:00:01 type veth peer name y0 address 02:00:00:00:00:02;"
        "ip link set dev x0 up; ip link set dev y0 up; "
        "ip address add 10.1.0.1/24 dev x0; ip address add 10.1.0.2/24 dev x0; ip address add 10.1.0.3/24 dev x0;"
        "ip address add fd00::1/64 dev x0 nodad;"
        "ip route add 10.2.0.0/16 via 10.1.0.9 proto static;"
        "ip route add 10.4.0.0/16 via 10.1.0.9 metric 9 proto static; ip route add 10.3.0.0/16 dev x0 proto static;"
        "ip -6 route add fd01::/64 via fd00::9 proto static"
    )
    one = {"name": "x0", "exclusive": True, "mac": "02:00:00:00:00:09", "mtu": 1300}
    assert undoes({"interface": [{**one, "addresses": ["10.1.0.2/24", "10.5.0.1/24"], "routes": []}]}) > 5
    assert undoes({"interface": [{"name": "x0", "ipv6": False, "addresses": ["10.1.0.2/24"], "exclusive": True}]}) > 1
    assert undoes({"interface": [{"name": "x0", "up": False}]}) >= 1
    assert (
        undoes(
            {"interface": [{"name": "x0", "up": True, "ipv6": True, "mtu": 1000, "routes": [{"to": "10.2.0.0/16"}]}]}
        )
        > 1
    )


def test_options_of_bridge_and_ports() -> None:
    """Each option of a bridge and a port, at once."""
    driver.apply(blue())
    options = {"stp": True, "forward_delay": 4, "ageing_time": 10, "nf_call_iptables": True, "nf_call_arptables": True}
    ports = {"isolated": True, "hairpin": True, "cost": 9, "priority": 1, "learning": False, "bpdu_guard": True}
    assert (
        undoes(
            {
                "bridge": [{"name": "br0", "label": "blue", **options}],
                "bridge_port": [{"name": "vethns1", "master": "br0", **ports}],
            }
        )
        > 1
    )
    assert undoes({"bridge_port": [{"name": "vethns1"}, {"name": "vethns2"}]}, state="absent") > 1


def test_bridge_nf_and_files() -> None:
    """Switches and the files that keep them."""
    if not snapshot.sysctl("net/ipv4/ip_forward") or not driver.host().br_netfilter:
        pytest.skip("br_netfilter is not loaded")
    declared = {"iptables": False, "ip6tables": False, "persist": True, "load": True}
    assert undoes({"sysctl_bridge_nf": [declared]}) > 4
    assert undoes({"sysctl_bridge_nf": [{**declared, "ip6tables": True, "load": False}]}) > 2
    assert undoes({"sysctl_bridge_nf": [declared]}, state="absent") >= 4


def test_table_repaired() -> None:
    """A table that somebody changed comes back as it was found."""
    driver.apply(blue())
    shell(
        "nft flush chain inet bridgenet postrouting; nft add rule inet bridgenet postrouting ip daddr 10.66.0.1 accept"
    )
    network = blue(container("ns1", "10.10.0.10/16"), container("ns5", "10.10.0.50/16"))
    network["masquerade"].append({"source": "10.30.0.0/16", "out_interface": "eth9"})
    assert undoes(network) > 8


def test_first_address_of_a_link_with_routes() -> None:
    """A link may have routes without an address; taking its first address back would take them along."""
    driver.apply({"bridge": [{"name": "br0"}]})
    shell("ip route add 10.21.0.0/24 dev br0 proto static; ip route add 10.31.0.0/24 via 10.21.0.9 proto static")
    assert undoes({"bridge": [{"name": "br0", "addresses": ["10.1.0.1/24", "10.1.1.1/24"], "mtu": 1400}]}) > 2
