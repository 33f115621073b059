# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight says: of errors and warnings, whose a link is, limits of the kernel, and settings of others."""

from __future__ import annotations

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _findings, _others
from ansible_collections.nslab.bridgenet.plugins.module_utils._findings import CONFLICT, NOTICE, OK, Finding, Others
from ansible_collections.nslab.bridgenet.plugins.module_utils._inspection import judge
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import HOST, Host, Link, Namespace
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._base import Context, Resource
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._registry import RESOURCES

NOBODY = Others({}, {}, {})
FORWARD = "net/ipv4/ip_forward"


def host(*links: Link, **sysctls: str) -> Host:
    """A host with these links, and a namespace with as many addresses."""
    keys = {"backlog": _findings.BACKLOG, "neighbours": _findings.NEIGHBOURS[4]}
    there = Namespace(HOST, {link.name: link for link in links}, {keys[name]: text for name, text in sysctls.items()})
    addresses = tuple(f"10.0.{number // 250}.{number % 250 + 2}/16" for number in range(len(links)))
    return Host({HOST: there, "c": Namespace("c", {"eth0": Link("eth0", addresses=addresses)})})


def ports(count: int) -> list[Link]:
    """Of the bridge br0."""
    return [Link(f"p{number}", kind="veth", master="br0") for number in range(count)]


# --- errors and warnings ---


def test_an_error_tells_what_why_and_what_to_do() -> None:
    text = "address '10.0.0.1/24' of interface 'br0': its network overlaps; it does; choose another subnet"
    assert _findings.refusal("host", text) == Finding(
        "host",
        CONFLICT,
        "address '10.0.0.1/24' of interface 'br0'",
        "its network overlaps; it does",
        "choose another subnet",
    )
    about = _findings.refusal("bridge", "bridge 'br0' exists and is not ours; remove it", "bridge 'br0'")
    assert (about.what, about.why, about.done) == ("bridge 'br0'", "exists and is not ours", "remove it")
    other = _findings.refusal("veth", "interface 'x' is one; drop it", "veth 'y'")
    assert (other.what, other.why) == ("veth 'y'", "interface 'x' is one")
    assert _findings.refusal("host", "no").what == "no"


def test_conflicts_come_first_and_name_the_owner() -> None:
    refused = Finding("bridge", CONFLICT, "bridge 'docker0'", "exists and is not ours", "choose another name")
    whose = Finding("owner", NOTICE, "bridge 'docker0'", "docker0 belongs to Docker", "it is changed as declared")
    fine, notice = Finding("capacity", OK, "x"), Finding("firewall", NOTICE, "y")
    found = _findings.merged([fine, whose, notice, refused, refused])
    assert [one.severity for one in found] == [CONFLICT, NOTICE, OK]
    assert found[0].why == "exists and is not ours: docker0 belongs to Docker"
    assert _findings.merged([whose]) == [whose], "what is not refused is taken over, or changed"
    assert _findings.drawing(found) == [
        "conflict  bridge 'docker0': exists and is not ours: docker0 belongs to Docker",
        "          choose another name",
        "notice  y",
    ]


# --- whose it is ---


@pytest.mark.parametrize(
    ("name", "others", "whose"),
    [
        ("docker0", NOBODY, ""),
        ("docker0", Others({}, {}, {}, frozenset({"Docker"})), "Docker"),
        ("br-0123456789ab", Others({}, {}, {}, frozenset({"Docker"})), "Docker"),
        ("br-0123456789", Others({}, {}, {}, frozenset({"Docker"})), ""),
        ("virbr0", Others({}, {}, {}, frozenset({"libvirt"})), "libvirt"),
        ("virbr0", Others({"virbr0": "podman"}, {}, {}, frozenset({"libvirt"})), "podman"),
        ("eth0", Others({}, {7: "NetworkManager"}, {}), "NetworkManager"),
        ("eth0", Others({}, {8: "NetworkManager"}, {}), ""),
    ],
)
def test_owner(name: str, others: Others, whose: str) -> None:
    assert _findings.owner(Link(name, index=7), others) == whose


# --- limits ---


@pytest.mark.parametrize(
    ("count", "sysctls", "notices"),
    [
        (0, {}, []),
        (900, {}, []),
        (1000, {}, ["bridge 'br0' has 1000 ports"]),
        (300, {"backlog": "299"}, ["bridge 'br0' has 300 ports"]),
        (300, {"backlog": "300"}, []),
        (300, {"neighbours": "400"}, []),
        (301, {"neighbours": "400"}, ["301 IPv4 addresses of containers"]),
    ],
)
def test_capacity(count: int, sysctls: dict[str, str], notices: list[str]) -> None:
    found = list(_findings.capacity(host(*ports(count), **sysctls)))
    assert [one.what for one in found if one.severity == NOTICE] == notices
    assert all(one.why and one.done for one in found if one.severity == NOTICE)


def test_too_many_ports_is_what_the_plan_refuses() -> None:
    """And it is said together with the rest."""
    context = Context("default", "host1")
    links = {"br0": Link("br0", kind="bridge", label="", mtu=1500, addresses=(), routes=(), up=True, ipv6=False)}
    for number in range(1024):
        name = f"p{number}"
        links[name] = Link(name, kind="veth", label="", mtu=1500, addresses=(), routes=(), up=True, ipv6=False)
    resources: list[Resource] = [
        RESOURCES["bridge_port"].declare({"name": f"p{number}", "master": "br0"}, context) for number in range(1024)
    ]
    resources.append(RESOURCES["netns"].declare({"name": "a", "state": "absent", "label": "x"}, context))
    found = judge(Host({HOST: Namespace(HOST, links)}), resources)
    assert [one.reasons[0] for one in found.refused] == [
        "bridge 'br0' in the host would have 1024 ports, the kernel allows 1023; use a second bridge"
    ]
    assert not found.operations


# --- settings of others ---


def test_the_last_word_on_forwarding() -> None:
    files = [
        ("a", "# net.ipv4.ip_forward = 1\nnet.ipv4.ip_forward=0\nnet.core.somaxconn = 1\n"),
        ("b", "-net/ipv4/ip_forward = 1\n net.ipv6.conf.all.forwarding=0"),
        ("c", "net.ipv4.conf.eth0.forwarding = 0\n"),
    ]
    assert _others.effective(files) == {
        FORWARD: ("1", "b"),
        "net/ipv6/conf/all/forwarding": ("0", "b"),
    }
    assert _others.effective(files[:1]) == {FORWARD: ("0", "a")}
