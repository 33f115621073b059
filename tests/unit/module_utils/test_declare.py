# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as they are declared: every bad value is answered with its name and the fix, before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import Route
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._base import Context, Resource
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._registry import RESOURCES

CONTEXT = Context("default", "host1")
P0 = {"name": "p0"}
MEMBER = {"name": "v0", "master": "br0"}


def declare(module: str, **options: Any) -> Resource:
    """One object."""
    return RESOURCES[module].declare(options, CONTEXT)


LOG = {"hook": "forward", "prefix": "a"}
PORT = {"host_port": "80", "address": "10.0.0.1", "bridge": "br0"}
VXLAN = {"name": "x0", "vni": 5, "local": "198.18.0.1"}


@pytest.mark.parametrize(
    ("module", "options", "message"),
    [
        ("netns", {"name": "../x"}, "namespace name '../x': allowed are"),
        ("netns", {"name": "x" * 64}, "has 64 characters, at most 63 are allowed; shorten it"),
        ("netns", {"name": "a", "label": "a b"}, "label 'a b': allowed are"),
        ("netns", {"name": "a", "sysctls": {"kernel.hostname": "x"}}, "sysctl 'kernel.hostname': only keys below net"),
        ("netns", {"name": "a", "sysctls": {"net/../kernel/x": "1"}}, "only keys below net"),
        (
            "netns",
            {"name": "a", "sysctls": {"net.ipv4.neigh.default.gc_thresh3": "1"}},
            "sysctl 'net.ipv4.neigh.default.gc_thresh3': all namespaces of a host share this one",
        ),
        ("bridge", {"name": "bridge-0123456789"}, "has 17 characters, at most 15 are allowed; shorten it"),
        ("bridge", {"name": "br 0"}, "interface name 'br 0'"),
        ("bridge", {"name": "br0", "namespace": "a/b"}, "namespace name 'a/b'"),
        ("bridge", {"name": "br0", "mac": "01:00:00:00:00:01"}, "is multicast"),
        ("bridge", {"name": "br0", "mtu": 67}, "MTU 67 is out of range"),
        ("bridge", {"name": "br0", "addresses": ["10.0.0.1"]}, "write it like 10.10.0.1/16"),
        (
            "bridge",
            {"name": "br0", "addresses": ["10.0.0.1/8", "10.0.0.1/8"]},
            "interface 'br0': address '10.0.0.1/8' is declared twice; say it once",
        ),
        ("bridge", {"name": "br0", "forward_delay": 1}, "forward_delay 1 is out of range: 2 to 30 seconds"),
        ("bridge", {"name": "br0", "forward_delay": 31}, "forward_delay 31 is out of range"),
        ("bridge", {"name": "br0", "ageing_time": -1}, "ageing_time -1 is out of range"),
        ("bridge", {"name": "br0", "ageing_time": 1000001}, "ageing_time 1000001 is out of range"),
        (
            "bridge",
            {"name": "br0", "vlans": [{"vid": "x"}]},
            "bridge 'br0': vid 'x' is no VLAN; give a number, or a range",
        ),
        ("bridge", {"name": "br0", "routes": [{"to": "x"}]}, "network 'x'"),
        ("bridge", {"name": "br0", "routes": [{"to": "10.0.0.0/8", "via": "x"}]}, "next hop 'x'"),
        ("bridge", {"name": "br0", "routes": [{"to": "10.0.0.0/8", "via": "fd00::1"}]}, "mixes IPv4 and IPv6"),
        ("bridge", {"name": "br0", "routes": [{"to": "10.0.0.0/8", "metric": -1}]}, "metric -1 is out of range"),
        ("bridge", {"name": "br0", "routes": [{"to": "10.0.0.0/8", "metric": 2**32}]}, "is out of range"),
        ("bridge_port", {**MEMBER, "vlans": [{"vid": "0"}]}, "vid '0' is out of range: 1 to 4094 are possible"),
        ("bridge_port", {**MEMBER, "vlans": [{"vid": "4095"}]}, "vid '4095' is out of range"),
        (
            "bridge_port",
            {**MEMBER, "vlans": [{"vid": "9-8"}]},
            "a range ends above where it begins",
        ),
        ("bridge_port", {**MEMBER, "vlans": [{"vid": "8-8"}]}, "vid '8-8' is out of range"),
        ("bridge_port", {**MEMBER, "vlans": [{"vid": "-8"}]}, "vid '-8' is no VLAN"),
        ("bridge_port", {**MEMBER, "vlans": [{"vid": "8-"}]}, "vid '8-' is no VLAN"),
        ("bridge_port", {**MEMBER, "vlans": [{"vid": "5"}, {"vid": "4-6"}]}, "VLAN 5 is declared twice; say it once"),
        ("bridge_port", {**MEMBER, "vlans": [{"vid": "4-6", "pvid": True}]}, "pvid is of one VLAN, not of '4-6'"),
        (
            "bridge_port",
            {**MEMBER, "vlans": [{"vid": "4", "pvid": True}, {"vid": "6", "pvid": True}]},
            "bridge port 'v0': VLANs 4 and 6 are pvid; frames without a tag belong to one, say which",
        ),
        ("qdisc", {"name": "v0"}, "qdisc of 'v0' has neither tbf nor netem; give one of them, or both"),
        ("qdisc", {"name": "v0", "tbf": {"rate": "10"}}, "rate '10': write a number and one of bit, kbit, mbit"),
        ("qdisc", {"name": "v0", "tbf": {"rate": "-1bit"}}, "rate '-1bit': write a number"),
        ("qdisc", {"name": "v0", "tbf": {"rate": "9bit"}}, "rate '9bit' is no multiple of 8bit"),
        ("qdisc", {"name": "v0", "tbf": {"rate": "0bit"}}, "rate '0bit' is no multiple of 8bit"),
        (
            "qdisc",
            {"name": "v0", "tbf": {"rate": "8bit", "burst": "9mbit"}},
            "burst '9mbit': write a number and one of b, kb",
        ),
        ("qdisc", {"name": "v0", "tbf": {"rate": "8bit", "burst": "1.3b"}}, "burst '1.3b' is no whole number of b"),
        (
            "qdisc",
            {"name": "v0", "tbf": {"rate": "8bit"}},
            "burst '16kb' takes more than 200 s, or no time at all, at 8bit",
        ),
        (
            "qdisc",
            {"name": "v0", "tbf": {"rate": "8mbit", "burst": "0b"}},
            "burst '0b' takes more than 200 s, or no time",
        ),
        (
            "qdisc",
            {"name": "v0", "tbf": {"rate": "200gbit", "burst": "1500b"}},  # 60 ns, and the kernel counts by 64
            "burst '1500b' takes more than 200 s, or no time",
        ),
        (
            "qdisc",
            {"name": "v0", "tbf": {"rate": "8mbit", "limit": "1kb"}},
            "a limit of '1kb' is out of range: from the burst",
        ),
        (
            "qdisc",
            {"name": "v0", "tbf": {"rate": "8mbit", "limit": "1mb", "latency": "5ms"}},
            "latency and limit say the same in two ways; give one of them",
        ),
        ("qdisc", {"name": "v0", "netem": {"delay": "5"}}, "delay '5': write a number and one of us, ms, s"),
        ("qdisc", {"name": "v0", "netem": {"delay": "201s"}}, "delay '201s' is out of range: up to 200s is possible"),
        ("qdisc", {"name": "v0", "netem": {"jitter": "5ms"}}, "jitter varies a delay; give delay, too"),
        ("qdisc", {"name": "v0", "netem": {"loss": "101%"}}, "loss '101%': write a percentage from 0% to 100%"),
        ("qdisc", {"name": "v0", "netem": {"loss": "5"}}, "loss '5': write a percentage"),
        ("qdisc", {"name": "v0", "netem": {"limit": 0}}, "limit 0 is out of range"),
        ("veth", {"name": "v0"}, "veth 'v0' has no peer; say peer: {name: ...}"),
        ("veth", {"name": "v0", "peer": {"name": "p%d"}}, "interface name 'p%d'"),
        ("veth", {"name": "v0", "peer": {"name": "p0", "namespace": "x y"}}, "namespace name 'x y'"),
        ("veth", {"name": "v0", "peer": {"name": "p0", "mtu": 70000}}, "MTU 70000 is out of range"),
        ("veth", {"name": "v0", "peer": {"name": "p0", "mac": "zz"}}, "MAC address 'zz'"),
        ("veth", {"name": "v0", "peer": {"name": "v0"}}, "both ends have the same name in the same place"),
        ("tuntap", {"name": "t0"}, "tuntap 't0' has no mode; say mode: tap for Ethernet frames, or mode: tun"),
        ("tuntap", {"name": "t%d", "mode": "tap"}, "interface name 't%d'"),
        ("tuntap", {"name": "t0", "mode": "tun", "mac": "02:00:00:00:00:01"}, "a tun has no MAC address; drop mac"),
        ("tuntap", {"name": "t0", "mode": "tap", "owner": "a b"}, "owner 'a b': allowed are letters, digits"),
        ("tuntap", {"name": "t0", "mode": "tap", "group": "-g"}, "group '-g': allowed are letters, digits"),
        ("tuntap", {"name": "t0", "mode": "tap", "owner": "4294967295"}, "owner '4294967295' is out of range: 0 to"),
        ("vxlan", {"name": "x0", "local": "198.18.0.1"}, "vxlan 'x0' has no vni; say vni: the number of its network"),
        ("vxlan", {"name": "x0", "vni": 5}, "vxlan 'x0' has no local; say local: the address of this host"),
        ("vxlan", {"name": "x0", "vni": 0, "local": "198.18.0.1"}, "vni 0 is out of range: 1 to 16777215 are possible"),
        ("vxlan", {"name": "x0", "vni": 2**24, "local": "198.18.0.1"}, "vni 16777216 is out of range"),
        ("vxlan", {"name": "x0", "vni": 5, "local": "fe80::1"}, "is link-local, which needs a device"),
        ("vxlan", {"name": "x0", "vni": 5, "local": "239.0.0.1"}, "is multicast"),
        ("vxlan", {**VXLAN, "port": 70000}, "port 70000 is out of range"),
        ("vxlan", {**VXLAN, "ttl": 256}, "ttl 256 is out of range: 0 to 255"),
        ("vxlan", {**VXLAN, "peers": ["198.18.0.1"]}, "peer '198.18.0.1' is its own local address"),
        ("vxlan", {**VXLAN, "peers": ["198.18.0.2", "198.18.0.2"]}, "peer '198.18.0.2' is declared twice"),
        ("vxlan", {**VXLAN, "peers": ["lab2"]}, "address 'lab2'"),
        ("bridge_port", {"name": "v0"}, "bridge port 'v0' has no master"),
        ("bridge_port", {"name": "v0", "master": "v0"}, "cannot be its own master"),
        ("bridge_port", {"name": "v0", "master": "x" * 16}, "at most 15"),
        ("bridge_port", {"name": "v0", "master": "br0", "cost": 0}, "cost 0 is out of range: 1 to 65535"),
        ("bridge_port", {"name": "v0", "master": "br0", "cost": 65536}, "cost 65536 is out of range"),
        ("bridge_port", {"name": "v0", "master": "br0", "priority": 64}, "priority 64 is out of range: 0 to 63"),
        ("interface", {"name": "a/b"}, "interface name 'a/b'"),
        ("interface", {"name": "x0", "addresses": ["10.0.0.255/24"]}, "broadcast address"),
        ("masquerade", {"source": "10.0.0.0/99", "bridge": "br0"}, "network '10.0.0.0/99'"),
        ("masquerade", {"source": "10.0.0.0/8"}, "say either out_interface"),
        ("masquerade", {"source": "10.0.0.0/8", "bridge": "a", "out_interface": "b"}, "say either out_interface"),
        ("masquerade", {"source": "10.0.0.0/8", "bridge": 'a"b'}, "interface name 'a\"b'"),
        ("sysctl_bridge_nf", {"namespace": "a b"}, "namespace name 'a b'"),
        ("packet_log", {**LOG, "prefix": ""}, "packet_log prefix '': allowed are 1 to 29 letters"),
        ("packet_log", {**LOG, "prefix": 30 * "x"}, "allowed are 1 to 29 letters"),
        ("packet_log", {**LOG, "prefix": 64 * "x", "group": 1}, "allowed are 1 to 63 letters"),
        ("packet_log", {**LOG, "prefix": 'a"b'}, "choose such a prefix"),
        ("packet_log", {**LOG, "prefix": "a$b"}, "choose such a prefix"),
        ("packet_log", {**LOG, "prefix": "a\nb"}, "choose such a prefix"),
        ("packet_log", {**LOG, "prefix": "-a"}, "the first of them a letter, digit or _"),
        ("packet_log", {**LOG, "table": "nat"}, "packet_log 'a': the hook forward has no table nat; say table: filter"),
        ("packet_log", {**LOG, "group": 65536}, "packet_log 'a': group 65536 is out of range: 0 to 65535 are possible"),
        ("packet_log", {**LOG, "group": -1}, "group -1 is out of range"),
        ("packet_log", {**LOG, "source": "10.0.0.0/0"}, "source 0.0.0.0/0 is every address; leave it out"),
        ("packet_log", {**LOG, "source": "10.0.0.0/33"}, "network '10.0.0.0/33'"),
        ("packet_log", {**LOG, "source": "10.0.0.1", "destination": "fd00::1"}, "mix IPv4 and IPv6; declare one for"),
        ("packet_log", {**LOG, "source": "10.0.0.1", "protocol": "icmpv6"}, "and protocol mix IPv4 and IPv6"),
        ("packet_log", {**LOG, "hook": "prerouting", "out_interface": "a"}, "out_interface is not known at"),
        ("packet_log", {**LOG, "hook": "postrouting", "in_interface": "a"}, "in_interface is not known at"),
        ("packet_log", {**LOG, "in_interface": "a/b"}, "interface name 'a/b'"),
        (
            "publish",
            {**PORT, "host_port": "80a"},
            "publish 80a/tcp: host_port '80a' is no port; write it like 8080, or",
        ),
        ("publish", {**PORT, "host_port": "0"}, "host_port '0': 0 is out of range: 1 to 65535 are possible"),
        ("publish", {**PORT, "host_port": "80-65536"}, "65536 is out of range"),
        ("publish", {**PORT, "host_port": "81-80"}, "a range begins with its smaller port; write 80-81"),
        ("publish", {**PORT, "host_port": "80-"}, "'80-' is no port"),
        ("publish", {**PORT, "host_port": "٨"}, "is no port"),
        ("publish", {**PORT, "port": "70000"}, "publish 80/tcp: port '70000': 70000 is out of range"),
        (
            "publish",
            {**PORT, "host_port": "80-82", "port": "1-2"},
            "host_port 80-82 is 3 ports and port 1-2 is 2; write ranges of equal length",
        ),
        ("publish", {**PORT, "address": "10.0.0.0/8"}, "address '10.0.0.0/8'"),
        ("publish", {**PORT, "address": "127.0.0.1"}, "address '127.0.0.1' is a loopback, which nobody else reaches"),
        ("publish", {**PORT, "bridge": None}, "publish 80/tcp has no bridge; name the one by which the host reaches"),
        ("publish", {**PORT, "bridge": "a b"}, "interface name 'a b'"),
        (
            "publish",
            {**PORT, "host_address": "fd00::1"},
            "host address 'fd00::1' is IPv6, the container's is IPv4; give",
        ),
        ("publish", {**PORT, "host_address": "::"}, "host_address '::' is of another family than address '10.0.0.1'"),
        ("publish", {**PORT, "address": "fd00::1", "host_address": "::1"}, "or let systemd-socket-proxyd(8) listen on"),
        ("publish", {**PORT, "host_address": "x"}, "address 'x'"),
        ("publish", {**PORT, "label": "a b"}, "label 'a b': allowed are"),
        ("forward", {}, "forward: say either interface and other (who may talk to whom) or bridge (an isolated"),
        ("forward", {"interface": "a"}, "forward a: say either interface and other"),
        ("forward", {"other": "a"}, "forward a: say either interface and other"),
        ("forward", {"bridge": "br0", "other": "a"}, "forward br0: say either interface and other"),
        ("forward", {"bridge": "br 0"}, "interface name 'br 0'"),
        ("forward", {"interface": "a", "other": "b*"}, "interface name 'b*'"),
        ("forward", {"interface": "a", "other": "a"}, "forward a to a: that is one interface; give two, or say bridge"),
        ("forward", {"interface": "a", "other": "b", "internal": True}, "internal belongs to bridge; drop it"),
        ("forward", {"interface": "a", "other": "b", "icc": False}, "icc belongs to bridge; drop it"),
        ("forward", {"interface": "a", "other": "b", "allow": ["c"]}, "allow belongs to bridge; drop it"),
        ("forward", {"interface": "a", "other": "b", "routed": True}, "routed belongs to bridge; drop it"),
        ("forward", {"bridge": "br0", "allow": ["br0"]}, "network of br0: allow names br0 itself; drop it, or say icc"),
        ("forward", {"bridge": "br0", "allow": ["b*"]}, "interface name 'b*'"),
        ("forward", {"bridge": "br0", "internal": True, "routed": True}, "internal closes what routed opens; drop one"),
        ("forward", {"bridge": "br0", "both_ways": False}, "both_ways belongs to interface and other; drop it"),
        ("forward", {"bridge": "br0", "label": 'a"b'}, "label 'a\"b'"),
        ("sysctl_bridge_nf", {"persist": True}, "keeps nothing; name a value"),
        ("sysctl_bridge_nf", {"namespace": "a", "iptables": True, "load": True}, "load and persist are for the host"),
    ],
)
def test_refused(module: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BridgenetError) as caught:
        declare(module, **options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("given", "route"),
    [
        ({"to": "default", "via": "10.0.0.1"}, Route("default", "10.0.0.1", 0)),
        ({"to": "0.0.0.0/0", "via": "10.0.0.1"}, Route("default", "10.0.0.1", 0)),
        ({"to": "default", "via": "fd00::1"}, Route("::/0", "fd00::1", 1024)),
        ({"to": "::/0", "via": "FD00::1"}, Route("::/0", "fd00::1", 1024)),
        ({"to": "10.1.2.3/8", "metric": 7}, Route("10.0.0.0/8", "", 7)),
        ({"to": "fd00::/64", "metric": 0}, Route("fd00::/64", "", 1024)),
    ],
)
def test_routes_are_canonical(given: dict[str, Any], route: Route) -> None:
    resource: Any = declare("interface", name="x0", routes=[given])
    assert resource.link.routes == (route,)


def test_undeclared_is_none() -> None:
    """What is not named is left alone."""
    resource: Any = declare("interface", name="x0", addresses=None, mtu=None)
    assert {name for name, value in resource.link.__dict__.items() if value is not None} == {"name"}


def test_state_of_an_object_goes_before_that_of_the_task() -> None:
    absent = Context("default", "host1", "absent")
    assert not RESOURCES["netns"].declare({"name": "a"}, absent).present
    assert RESOURCES["netns"].declare({"name": "a", "state": "present"}, absent).present
    assert not RESOURCES["netns"].declare({"name": "a", "state": "absent"}, CONTEXT).present


def test_absent_needs_only_a_name() -> None:
    assert not declare("veth", name="v0", state="absent").present
    assert not declare("bridge_port", name="v0", state="absent").present
    assert not declare("tuntap", name="t0", state="absent").present


def test_macs_differ_between_hosts_projects_and_ends() -> None:
    """Clones do not collide."""
    contexts = [CONTEXT, Context("other", "host1"), Context("default", "host2")]
    pairs: list[Any] = [RESOURCES["veth"].declare({"name": "v0", "peer": P0}, context) for context in contexts]
    macs = [mac for pair in pairs for mac in pair.macs]
    assert len(set(macs)) == 6


def test_every_module_is_a_resource() -> None:
    """The argument spec names everything that declare() may need."""
    assert list(RESOURCES) == [
        "sysctl_bridge_nf",
        "netns",
        "bridge",
        "veth",
        "tuntap",
        "vxlan",
        "bridge_port",
        "interface",
        "qdisc",
        "masquerade",
        "forward",
        "publish",
        "packet_log",
        "netns_names",
        "netns_service",
    ]
    for kind in RESOURCES.values():
        assert set(kind.required) <= set(kind.spec)
        assert kind.spec["state"]["choices"] == ["present", "absent"]
        assert "default" not in kind.spec["state"]
