# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same network on three releases of Debian: what stands, who reaches whom, and by which pyroute2 it was made."""

from __future__ import annotations

import re

HOST = "-"
CONTAINERS = {"web": "br0", "ns2": "br0", "ns3": "br-red", "ns4": "br-closed"}
WEB, NS2, WEB6, NS3, NS4 = "10.10.0.10", "10.10.0.20", "fd00:10::10", "10.20.0.30", "10.30.0.40"
# Python, what Debian has of pyroute2, nft
VERSIONS = {
    "bullseye": ("3.9", "0.5.14", "0.9.8"),
    "bookworm": ("3.11", "0.7.2", "1.0.6"),
    "trixie": ("3.13", "0.7.7", "1.1.3"),
}
FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).status)"


def test_versions(host, lab):
    """Or it would be another test than it says."""
    python, pyroute2, nft = VERSIONS[lab.name]
    assert host.check_output("/usr/bin/python3 --version").startswith(f"Python {python}.")
    assert host.package("python3-pyroute2").version.startswith(pyroute2)
    assert f"v{nft} " in host.check_output("nft --version")


def test_pyroute2_of_its_own_only_where_it_has_to_be(host, lab):
    python = host.file("/opt/nslab.bridgenet/bin/python")
    assert python.exists is (lab.name == "bullseye")
    if python.exists:
        assert host.check_output(f"{python.path} -c 'import pyroute2; print(pyroute2.__version__)'") == "0.9.7"


def test_namespaces_and_bridges(lab):
    assert lab.namespaces() == set(CONTAINERS)
    for container, bridge in CONTAINERS.items():
        assert set(lab.links(container)) == {"lo", "eth0"}
        labels = {lab.links()[port]["ifalias"] for port in lab.ports(bridge)}
        assert any(label.startswith(f"bridgenet:1:default:{container}/") for label in labels)
    addresses = [address for address in lab.addresses("web", "eth0") if not address.startswith("fe80:")]
    assert addresses == [f"{WEB}/16", f"{WEB6}/64"]
    assert lab.default_gateways("web") == ["10.10.0.1"]


def test_who_reaches_whom(lab):
    lab.assert_answered([("ns2", WEB), ("web", NS2), ("ns2", WEB6), ("ns3", "10.20.0.1"), (HOST, NS3), (HOST, NS4)])
    lab.assert_unanswered([("ns2", NS3), ("ns3", WEB), ("ns4", WEB), ("web", NS4)])


def test_masquerade(lab):
    """As the firewall has it: these hosts have no world."""
    table = lab.host.check_output("nft list table inet bridgenet")
    assert '"br0" . 10.10.0.0/16' in table
    assert '"br-red" . 10.20.0.0/16' in table
    assert '"br-closed" . 10.30.0.0/16' not in table


def test_command(host, lab):
    """A service of systemd, inside."""
    assert host.service("bridgenet-web").is_running
    pid = host.check_output("systemctl show --property=MainPID --value bridgenet-web")
    assert host.check_output(f"ip netns identify {pid}") == "web"
    fetched = lab.inside("ns2", "/usr/bin/python3", "-c", FETCH, f"http://{WEB}:8000/")
    assert fetched == "200"


def test_published_port(host, lab):
    """Where nft can, and not at all where it cannot: ports.yml saw the refusal."""
    table = host.check_output("nft list table inet bridgenet")
    if lab.name == "bullseye":
        assert "published" not in re.sub(r"chain published|goto published", "", table)
        return
    assert f"{WEB} . 8000" in table
    assert lab.inside("ns2", "/usr/bin/python3", "-c", FETCH, "http://10.10.0.1:8081/") == "200"
    assert lab.inside(HOST, "/usr/bin/python3", "-c", FETCH, "http://127.0.0.1:8081/") == "200"
