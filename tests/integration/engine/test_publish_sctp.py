# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published ports of SCTP by whole associations: sockets of the kernel's own at both ends.

The machines are those of test_publish_traffic, which sees the first packet on every kernel.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.features import need
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside
from ansible_collections.nslab.bridgenet.tests.integration.engine.talk import ask, family_of, listening
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_forward_traffic import (
    FAMILIES,
    NETWORKS,
    build,
    target,
)
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_publish_traffic import (
    LOCALHOST,
    gateway,
    uplink,
)
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_traffic import bridge_nf

pytestmark = pytest.mark.vm

SCTP = 132  # IPPROTO_SCTP
PATIENCE, IMPATIENCE = 60.0, 2.0  # seconds, on an emulated processor


@pytest.fixture(autouse=True)
def sctp(machine: None) -> None:
    """A kernel with sockets of SCTP."""
    need("SCTP", f"python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, {SCTP})'")


def web(name: str, family: int, **options: Any) -> dict[str, Any]:
    """A port of the host that leads to port 80 of a container."""
    base = {"host_port": 8080, "port": 80, "protocol": "sctp", "bridge": "br0", "label": f"web{family}"}
    return {**base, "address": target(name, family), **options}


@pytest.mark.parametrize("policy", ["accept", "drop"])
def test_associations(policy: str) -> None:
    """From outside, the host, a neighbour and another network, both families; and what must not come through."""
    build(policy, bridge_nf()[-1])
    hairpin = [{"name": "pa1", "master": "br0", "hairpin": True}]
    local = web("a1", 4, host_port=8280, host_address=LOCALHOST, label="local")
    publish = [*(web("a1", family) for family in FAMILIES), local]
    apply({"forward": NETWORKS, "publish": publish, "bridge_port": hairpin})
    with listening("a1", (80,), ["sctp"]):
        for family in FAMILIES:
            seen = {"out": target("out", family), "b1": target("b1", family)}
            for source in ("out", "", "a1", "a2", "b1"):
                found = ask(source, "sctp", uplink(family), 8080, PATIENCE)
                assert found == f"80 {seen.get(source, gateway(family))}", f"from {source or 'the host'}, IPv{family}"
            assert not ask("out", "sctp", uplink(family), 8081, IMPATIENCE)
            assert not ask("b1", "sctp", target("a1", family), 80, IMPATIENCE)
        assert ask("", "sctp", LOCALHOST, 8280, PATIENCE) == f"80 {gateway(4)}"
        assert not ask("out", "sctp", uplink(4), 8280, IMPATIENCE)
        apply({"publish": publish}, state="absent")
        assert not ask("out", "sctp", uplink(4), 8080, IMPATIENCE)


@pytest.mark.parametrize("family", FAMILIES)
def test_associations_begin_anew(family: int) -> None:
    """A caller that always has the same port of its own is led to where the port leads now."""
    build("accept", bridge_nf()[0])
    apply({"publish": [web("a1", family)]})
    with listening("a1", (80,), ["sctp"]), listening("a2", (81,), ["sctp"]):
        assert again(family) == "80"
        apply({"publish": [web("a2", family, port=81)]})
        assert again(family) == "81"


def again(family: int) -> str:
    """The port that answers a caller at port 40000."""
    with inside("out"):
        caller = socket.socket(family_of(uplink(family)), socket.SOCK_STREAM, SCTP)
    with caller:
        caller.settimeout(PATIENCE)
        caller.bind(("", 40000))
        caller.connect((uplink(family), 8080))
        answer = caller.recv(100).decode().partition(" ")[0]
        while caller.recv(100):  # until the other end has closed the association
            pass
    return answer


def test_port_that_is_taken() -> None:
    """By a socket of the host, whose process is named."""
    build("accept", bridge_nf()[0])
    with (
        listening("", (8080,), ["sctp"]),
        pytest.raises(BridgenetError, match=r"port 8080/sctp is in use.*process \d+ \(py"),
    ):
        apply({"publish": [web("a1", 4)]})
    apply({"publish": [web("a1", 4)]})
