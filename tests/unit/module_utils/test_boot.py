# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings a network back at boot, as text: it follows from the declaration alone, and a shell can read it."""

from __future__ import annotations

import dataclasses
import shlex
import subprocess
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _boot, _persistence
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import HOST, Boot, Host, Original
from ansible_collections.nslab.bridgenet.plugins.module_utils._plan import plan
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._base import Context
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._registry import RESOURCES
from ansible_collections.nslab.bridgenet.tests.unit.module_utils.memory import LOOPBACK, empty_host

NETWORK: dict[str, list[dict[str, Any]]] = {
    "netns": [{"name": "ns1", "sysctls": {"net.ipv4.ip_unprivileged_port_start": 0}}],
    "bridge": [{"name": "br0", "label": "blue", "ipv6": False, "addresses": ["10.10.0.1/16"]}],
    "veth": [
        {
            "name": "veth1",
            "label": "ns1/blue",
            "ipv6": False,
            "peer": {
                "name": "eth0",
                "namespace": "ns1",
                "ipv6": False,
                "addresses": ["10.10.0.10/16"],
                "routes": [{"to": "default", "via": "10.10.0.1"}],
            },
        }
    ],
    "bridge_port": [{"name": "veth1", "master": "br0"}],
    "masquerade": [{"source": "10.10.0.0/16", "bridge": "br0", "forwarding": True, "label": "blue"}],
}


def host() -> Host:
    """One that systemd runs."""
    keys = {"net/ipv4/ip_unprivileged_port_start": "1024", "net/ipv6/conf/default/disable_ipv6": "0"}
    return dataclasses.replace(empty_host(), systemd=True, fresh=keys, boots={"default": Boot()})


def planned(current: Host, objects: dict[str, list[dict[str, Any]]], persist: bool | None = True) -> Host:
    context = Context("default", "host1")
    declared = [(name, RESOURCES[name].declare(one, context)) for name in RESOURCES for one in objects.get(name, ())]
    return plan(current, [one for _name, one in _persistence.declare(declared, persist, context)]).predicted


def steps(script: str) -> str:
    """What it does, behind its functions."""
    return script.partition("flock ")[2].partition("\n")[2]


def test_what_the_script_does() -> None:
    boot = planned(host(), NETWORK).boots["default"]
    done = steps(boot.script)
    firewall, rest = done[: done.index("\n# The host\n")], done[done.index("\n# The host\n") :]
    assert firewall.startswith("\n# The firewall\nnft list table inet bridgenet >/dev/null 2>&1 || nft -f - <<'END'\n")
    assert firewall.endswith(
        "nft -f - <<'END'\n"
        'add element inet bridgenet masquerade4 { "br0" . 10.10.0.0/16 comment "bridgenet:1:default:blue" }\nEND\n'
    )
    assert (
        rest
        == """
# The host
forward4

# Bridge br0
made br0 02:a8:e9:2e:b5:6f || ip link add name br0 address 02:a8:e9:2e:b5:6f type bridge
ip link set dev br0 alias bridgenet:1:default:blue

# Namespace ns1
namespace ns1 bridgenet:1:default:ns1
ip -n ns1 link set dev lo up
ip netns exec ns1 sysctl -qw net/ipv4/ip_unprivileged_port_start=0

# Pair: veth1, eth0 in namespace ns1
made veth1 02:17:b3:48:72:45 || ip link add name veth1 address 02:17:b3:48:72:45 mtu 1500 master br0 up \
type veth peer name eth0 address 02:aa:3d:4e:c3:69 mtu 1500 netns ns1
ip link set dev veth1 alias bridgenet:1:default:ns1/blue
sysctl -qw net/ipv6/conf/veth1/disable_ipv6=1
ip netns exec ns1 sysctl -qw net/ipv6/conf/eth0/disable_ipv6=1
ip -n ns1 link set dev eth0 up
ip -n ns1 address replace 10.10.0.10/16 dev eth0
ip -n ns1 route replace default via 10.10.0.1 dev eth0 proto static

# Interface br0
sysctl -qw net/ipv6/conf/br0/disable_ipv6=1
ip link set dev br0 up
ip address replace 10.10.0.1/16 dev br0
"""
    )


def test_it_is_the_same_where_all_stands() -> None:
    """Neither does a host that forwards already make another one."""
    first = planned(host(), NETWORK)
    assert planned(first, NETWORK).boots == first.boots
    current = host()
    home = dataclasses.replace(
        current.namespaces[HOST], sysctls={**current.namespaces[HOST].sysctls, "net/ipv4/ip_forward": "1"}
    )
    assert planned(dataclasses.replace(current, namespaces={HOST: home}), NETWORK).boots == first.boots


def test_a_shell_reads_it() -> None:
    script = planned(host(), NETWORK).boots["default"].script
    assert script.startswith("# bridgenet:1:default:persist\n")
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_words_are_quoted() -> None:
    """Those from a file of the host, for one."""
    odd, key = "1'; echo $HOME #", "net/bridge/bridge-nf-call-iptables"
    current = host()
    home = current.namespaces[HOST]
    current = dataclasses.replace(
        current,
        namespaces={HOST: dataclasses.replace(home, sysctls={**home.sysctls, key: "0"})},
        originals={key: Original(odd, "0")},
        files=dict.fromkeys(_bridge_nf_files(), ""),
    )
    script = planned(current, {"sysctl_bridge_nf": [{"iptables": False}]}).boots["default"].script
    line = next(line for line in steps(script).splitlines() if line.startswith("setting"))
    assert shlex.split(line) == ["setting", key, "0", odd]


def _bridge_nf_files() -> list[str]:
    directories = {"sysctl.d": "90-nslab-bridgenet.conf", "udev/rules.d": "90-nslab-bridgenet.rules"}
    return [f"/etc/{place}/{name}" for place, name in directories.items()] + [
        "/etc/modules-load.d/nslab-bridgenet.conf"
    ]


def test_the_unit() -> None:
    unit = _boot.unit("p", ["web", "db"], waits=False)
    lines = unit.splitlines()
    assert lines[0] == "# bridgenet:1:p:persist"
    assert "After=docker.service" in lines
    assert not any(line.startswith(("Requires=", "BindsTo=")) for line in lines)
    assert lines.index("Wants=bridgenet-web.service") + 1 == lines.index("Before=bridgenet-web.service")
    assert _boot.services(unit) == ["web", "db"]
    assert lines[-6:] == [
        "Type=oneshot",
        "RemainAfterExit=yes",
        "ExecStart=/bin/sh /etc/nslab.bridgenet/p.sh",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    assert _boot.services(_boot.unit("p", ["web"], waits=True)) == ["web"]
    assert _boot.services(_boot.unit("p", [], waits=False)) == []


@pytest.mark.parametrize(
    ("objects", "waits"),
    [
        ({"bridge_port": [{"name": "veth1", "master": "theirs"}]}, True),
        ({"interface": [{"name": "theirs", "addresses": ["10.9.0.1/24"]}]}, True),
        ({"interface": [{"name": "theirs"}]}, False),
        ({"interface": [{"name": "eth0", "namespace": "ns1", "mtu": 1400}]}, False),
        ({}, False),
    ],
)
def test_it_waits_for_links_of_the_host_itself(objects: dict[str, list[dict[str, Any]]], waits: bool) -> None:
    """networkd makes a VLAN after systemd has called it started; a network of its own waits for nobody."""
    current = host()
    home = current.namespaces[HOST]
    theirs = dataclasses.replace(LOOPBACK, name="theirs", kind="bridge", mac="02:00:00:00:00:09", mtu=1500)
    links = {**home.links, "theirs": theirs}
    current = dataclasses.replace(current, namespaces={HOST: dataclasses.replace(home, links=links)})
    unit = planned(current, {**NETWORK, **objects}).boots["default"].unit
    assert ("Wants=network-online.target" in unit.splitlines()) == waits
    assert "After=network-online.target" in unit.splitlines()


def test_nothing_declared_is_nothing_to_do() -> None:
    assert steps(planned(host(), {}).boots["default"].script) == ""


def test_what_is_said_of_nothing_stays() -> None:
    """None leaves it as it is, False removes it."""
    first = planned(host(), NETWORK)
    assert planned(first, NETWORK, persist=None).boots == first.boots
    assert planned(first, NETWORK, persist=False).boots == {"default": Boot()}
