# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.module_utils._names import LABEL_BYTES
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._base import Context
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._registry import RESOURCES

NETWORKS = {
    "blue": {"bridge": "br0", "subnet": "10.10.0.0/16"},
    "dual": {"bridge": "br1", "subnet": "10.20.0.0/16", "enable_ipv6": True, "ipv6_subnet": "fd20::/64"},
    "inner": {"bridge": "br3", "subnet": "10.40.0.0/16", "internal": True},
    "open": {"bridge": "br4", "subnet": "10.50.0.0/16", "gateway_mode": "routed"},
    "flat": {"bridge": "br2", "subnet": "10.30.0.0/16", "gateway": False},
    "theirs": {"bridge": "docker0", "subnet": "172.17.0.0/16", "external": True},
}
BLUE = {"blue": {"ipv4_address": "10.10.0.10"}}
DUAL = {"dual": {"ipv4_address": "10.20.0.10", "ipv6_address": "fd20::10"}}
FLAT = {"flat": {"ipv4_address": "10.30.0.10"}}
THEIRS = {"theirs": {"ipv4_address": "172.17.0.10"}}


def lists(*ports, networks=None, **keys):
    """Of one container with these ports."""
    return expand(NETWORKS, {"web": {"networks": networks or BLUE, "ports": list(ports), **keys}})


def published(*ports, networks=None):
    """As (host address, port of the host, address, port, protocol)."""
    found = lists(*ports, networks=networks)["publish"]
    for one in found:
        RESOURCES["publish"].declare(one, Context("default", "host1"))
    return [
        (one.get("host_address", ""), one["host_port"], one["address"], one["port"], one["protocol"]) for one in found
    ]


@pytest.mark.parametrize(
    ("short", "expected"),
    [
        ("8081:80", ("", "8081", "80", "tcp")),
        ("127.0.0.1:8082:80", ("127.0.0.1", "8082", "80", "tcp")),
        ("5353:53/udp", ("", "5353", "53", "udp")),
        ("0.0.0.0:5353:53/SCTP", ("", "5353", "53", "sctp")),
        ("9000-9005:80-85", ("", "9000-9005", "80-85", "tcp")),
        ("127.0.0.1:9000-9000:80/tcp", ("127.0.0.1", "9000", "80", "tcp")),
        ("1:65535", ("", "1", "65535", "tcp")),
    ],
)
def test_short(short, expected):
    where, host_port, port, protocol = expected
    assert published(short) == [(where, host_port, "10.10.0.10", port, protocol)]


@pytest.mark.parametrize(
    ("long", "expected"),
    [
        ({"target": 80, "published": 8080}, ("", "8080", "80", "tcp")),
        ({"target": "80", "published": "8080", "host_ip": "127.0.0.1"}, ("127.0.0.1", "8080", "80", "tcp")),
        ({"target": "80-81", "published": "1-2", "protocol": "udp", "mode": "host"}, ("", "1-2", "80-81", "udp")),
        (
            {
                "name": "web",
                "app_protocol": "http",
                "mode": "ingress",
                "target": 80,
                "published": 8080,
                "host_ip": None,
            },
            ("", "8080", "80", "tcp"),
        ),
    ],
)
def test_long(long, expected):
    where, host_port, port, protocol = expected
    assert published(long) == [(where, host_port, "10.10.0.10", port, protocol)]


def test_families():
    """The host address decides; none is both, where the container has both."""
    assert published("80:80", "[fd00::1]:81:80", "0.0.0.0:82:80", "[::]:83:80", networks=DUAL) == [
        ("", "80", "10.20.0.10", "80", "tcp"),
        ("", "80", "fd20::10", "80", "tcp"),
        ("fd00::1", "81", "fd20::10", "80", "tcp"),
        ("", "82", "10.20.0.10", "80", "tcp"),
        ("", "83", "fd20::10", "80", "tcp"),
    ]


def test_the_network_of_the_default_route():
    both = {**BLUE, "dual": {**DUAL["dual"], "gw_priority": 10}, **FLAT, "inner": {"gw_priority": 20}}
    found = lists("8080:80", networks=both)
    assert [(one["address"], one["bridge"]) for one in found["publish"]] == [("10.20.0.10", "br1"), ("fd20::10", "br1")]
    hairpins = {one["master"]: one.get("hairpin") for one in found["bridge_port"]}
    assert hairpins == {"br0": False, "br1": True, "br2": False, "br3": False}
    # IPv4 leaves here, and IPv6 there.
    both["dual"] = DUAL["dual"]
    found = lists("8080:80", networks=both)["publish"]
    assert [(one["address"], one["bridge"]) for one in found] == [("10.10.0.10", "br0"), ("fd20::10", "br1")]


def test_forwarding_and_labels():
    (one,) = lists("127.0.0.1:80:8080")["publish"]
    assert (one["forwarding"], one["label"]) == (True, "web/127.0.0.1:80/tcp")
    containers = {
        "c" * 63: {"networks": DUAL, "ports": ["[2001:db8:1111:2222:3333:4444:5555:6666]:60000-60001:1-2/sctp"]}
    }
    (one,) = expand(NETWORKS, containers, forwarding=False)["publish"]
    assert one["forwarding"] is False
    assert len(one["label"]) <= LABEL_BYTES
    assert one["label"].startswith("c" * 63 + "/")


def test_absent_publishes_nothing():
    assert lists("8080:80", state="absent")["publish"] == []
    assert lists()["publish"] == []


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ("8080:80", 'ports is no list; write it like ports: ["8080:80"]'),
        ([80], "80 is a number: either it has no port of the host"),
        ([1342], "YAML took it for a number of base 60; write it in quotes"),
        (
            ["80"],
            "'80' has no port of the host, and one that is chosen anew each time is of no use; write it, like \"8080:",
        ),
        (["80/udp"], 'write it, like "8080:80/udp"'),
        (["127.0.0.1::80"], 'write it, like "127.0.0.1:8080:80"'),
        (["0:80"], "0 is out of range: 1 to 65535 are possible"),
        (["65536:80"], "65536 is out of range"),
        (["80:70000"], "container port '70000': 70000 is out of range"),
        (["a:80"], "host port 'a' is no port; write it like 8080, or a range like 8000-8010"),
        (["80-82:80-81"], "80-82 is 3 ports and 80-81 is 2; write ranges of equal length"),
        (["80-82:80"], "write ranges of equal length"),
        (["82-80:1-3"], "a range begins with its smaller port; write 80-82"),
        (["80:80/icmp"], "protocol 'icmp' is not possible; valid: tcp, udp, sctp"),
        (["80:80/"], "protocol '' is not possible"),
        (["80:80/tpc"], "did you mean 'tcp'?"),
        (["fd00::1:80:80"], "an IPv6 address stands in brackets, like [fd00::1]:8080:80"),
        (["[fd00::1]80:80"], "is not of the form HOST_PORT:PORT"),
        (["1:2:3:4"], "is not of the form HOST_PORT:PORT"),
        (["localhost:80:80"], "host address 'localhost' is no address"),
        (["[::1]:80:80"], "host address '::1' is never translated"),
        (["224.0.0.1:80:80"], "multicast"),
        (["[fd00::1]:80:80"], "it has no IPv6 default route, by which its answers would come back"),
        ([{"published": 80}], "ports: has no target, which is the port of the container"),
        ([{"target": 80}], "ports: has no published, which is the port of the host"),
        ([{"target": 80, "published": 80, "mode": "x"}], "mode 'x' is not possible; valid: host, ingress"),
        ([{"target": 80, "publish": 80}], "unknown key 'publish'; did you mean 'published'?"),
        ([{"target": True, "published": 80}], "container port 'True' is no port"),
        (["80:80", "80:81"], "80/tcp is published here as well; choose another host port"),
        (["80:80", "127.0.0.1:79-81:79-81"], "80/tcp is published here as well"),
        ([None], "is empty, not text"),
    ],
)
def test_refused(ports, message):
    with pytest.raises(AnsibleFilterError) as error:
        expand(NETWORKS, {"web": {"networks": BLUE, "ports": ports}})
    assert "container 'web': " in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"network_mode": "host"}, "with network_mode: host its ports are those of the host already"),
        ({"network_mode": "none"}, "with network_mode: none nobody reaches it"),
        ({"network_mode": "container:other"}, "its namespace is that of container 'other'; write them there"),
        ({"networks": FLAT}, "it has no default route, by which its answers would come back"),
        ({"networks": {"inner": {}}}, "it has no default route, by which its answers would come back"),
        ({"networks": {"open": {}}}, "leads to network 'open', whose gateway_mode is routed: its own addresses"),
        ({"networks": THEIRS}, "its default route leads to network 'theirs', which is external"),
        ({"networks": {}}, "it has no default route"),
    ],
)
def test_no_way(keys, message):
    containers = {"web": {**keys, "ports": ["8080:80"]}, "other": {"networks": BLUE}}
    with pytest.raises(AnsibleFilterError) as error:
        expand(NETWORKS, containers)
    assert message in str(error.value)


def test_default_network():
    (one,) = expand({}, {"web": {"network_mode": "bridge", "ports": ["8080:80"]}})["publish"]
    assert one["bridge"] == "br-default"


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("80:80", "80:81", True),
        ("80:80", "80:80/udp", False),
        ("80-90:80-90", "90:80", True),
        ("80-90:80-90", "91:80", False),
        ("127.0.0.1:80:80", "127.0.0.2:80:80", False),
        ("127.0.0.1:80:80", "0.0.0.0:80:80", True),
        ("127.0.0.1:80:80", "[::]:80:80", False),
        ("80:80", "[fd00::1]:80:80", True),
    ],
)
def test_two_containers(one, other, clash):
    networks = {"dual": {"ipv4_address": "10.20.0.11", "ipv6_address": "fd20::11"}}
    containers = {"a": {"networks": DUAL, "ports": [one]}, "b": {"networks": networks, "ports": [other]}}
    if not clash:
        expand(NETWORKS, containers)
        return
    with pytest.raises(AnsibleFilterError, match=r"container 'b': ports: .* is published by container 'a' as well"):
        expand(NETWORKS, containers)
