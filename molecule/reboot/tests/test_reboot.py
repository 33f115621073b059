# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the boot, before anybody has run anything: what stands is what stood, and it works."""

from __future__ import annotations

import json

import pytest

HOST = "-"
CONTAINERS = {"web", "both", "closed", "beside", "ten", "ten2", "twenty"}
WEB, WEB6, CLOSED = "10.71.0.10", "fd71::10", "10.72.0.20"
TEN, TEN2, TWENTY = "10.75.0.1", "10.75.0.2", "10.75.0.3"
BRIDGE, TAGGED = "10.79.0.1", "10.79.0.10"
UPLINK, OUTSIDE = "10.0.2.15", "10.0.2.2"
FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=60).status)"


def fetched(lab, namespace: str, url: str) -> str:
    return lab.inside(namespace, "/usr/bin/python3", "-c", FETCH, url)


def test_everything_is_as_it_was(host):
    """Links, addresses, routes, rules, settings and files, in every namespace; the units, and who runs where."""
    compared = host.run(
        "python3 /opt/ansible_collections/nslab/bridgenet/molecule/reboot/state.py compare %s", "/root/finished"
    )
    assert compared.rc == 0, compared.stderr


def test_it_was_something(host, lab):
    """Or the comparison would be of nothing."""
    before = json.loads(host.file("/root/finished").content_string)
    assert before["original"]
    assert set(before["inodes"]) == lab.namespaces() == CONTAINERS
    assert before["shared"]["web"] == ["beside", "web"]
    assert {"brr", "brg", "brt", "brv", "vlan9"} <= set(before[""]["links"])
    assert {"vten", "vten2", "vtwenty", "brt"} <= set(before[""]["vlans"])
    assert {"eth0", "eth1", "eth2"} <= set(before["both"]["links"])


@pytest.mark.parametrize("module", ["br_netfilter", "8021q", "sch_netem"])
def test_modules(host, module):
    """The boot had to load them: this kernel has not built them in."""
    assert host.file(f"/sys/module/{module}/initstate").content_string.strip() == "live"


def test_units(host):
    assert host.check_output("systemctl --failed --plain --no-legend") == ""
    assert host.service("nslab-bridgenet-default").is_enabled
    assert host.service("nslab-bridgenet-vlans").is_enabled
    for name in ("nslab-bridgenet-default", "nslab-bridgenet-vlans", "bridgenet-web"):
        assert host.service(name).is_running
    pid = host.check_output("systemctl show --property=MainPID --value bridgenet-web")
    assert host.check_output(f"ip netns identify {pid}") == "web"


def test_who_reaches_whom(lab):
    lab.assert_answered(
        [("both", WEB), ("both", WEB6), ("both", CLOSED), ("web", OUTSIDE), (HOST, WEB), (HOST, CLOSED)]
    )
    lab.assert_unanswered([("web", CLOSED), ("closed", WEB), ("closed", OUTSIDE)])


def test_vlans(lab):
    """Those of a bridge that filters them, and the machine's own, with which a container shares a bridge."""
    lab.assert_answered([("ten", TEN2), ("ten2", TEN), ("both", BRIDGE), (HOST, TAGGED)])
    lab.assert_unanswered([("ten", TWENTY), ("twenty", TEN)])
    (vlan,) = (link for link in lab.ip(HOST, "link", "show", "master", "brv") if link["ifname"] == "vlan9")
    assert vlan["linkinfo"]["info_data"]["id"] == 9


def test_the_machines_own_network_came_first(host):
    """Also what networkd makes after it is called started, such as the VLAN."""
    wants = host.check_output("systemctl show --property=Wants --value nslab-bridgenet-%s", "default").split()
    assert "network-online.target" in wants
    assert "network-online.target" not in host.check_output(
        "systemctl show --property=Wants --value nslab-bridgenet-%s", "vlans"
    )


def test_published_ports(host, lab):
    for namespace, url in (
        ("both", f"http://{WEB}"),
        ("both", f"http://{UPLINK}:8081"),
        (HOST, "http://127.0.0.1:8082"),
    ):
        assert fetched(lab, namespace, f"{url}/") == "200"
    refused = host.run("python3 -c %s %s", FETCH, f"http://{UPLINK}:8082/")
    assert refused.rc != 0
    assert "refused" in refused.stderr
