# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a change, what it has touched is read back, and only that."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _engine, _netlink, _reader
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._kernel import Kernel
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import Host
from ansible_collections.nslab.bridgenet.plugins.module_utils._operation_base import Operation
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import Network, blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell


def network(count: int, gone: int = 0) -> Network:
    """Containers that know each other by name; those behind them are absent."""
    whole = blue(*(container(f"ns{number}", f"10.10.1.{number}/16") for number in range(1, count + 1)))
    names = [f"ns{number}" for number in range(1, count + 1)]
    hosts = {f"10.10.1.{number}": [name] for number, name in enumerate(names, 1)}
    whole["netns_names"] = [{"name": "network/blue", "namespaces": names, "hosts": hosts}]
    for number in range(count + 1, count + 1 + gone):
        whole["netns"].append({"name": f"ns{number}", "state": "absent"})
    return whole


class _Watched(Kernel):
    """Notes what is asked of the kernel after the change."""

    asked: list[str]

    def apply(self, operations: Sequence[Operation]) -> None:
        super().apply(operations)
        self.asked.clear()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests of the read back."""
    found: list[str] = []
    socket = _netlink.Socket

    class Counted(socket):  # type: ignore[misc,valid-type]
        """One that notes them."""

        def _dump(self, kind: int, payload: bytes) -> list[bytes]:
            found.append(f"dump {kind}")
            return super()._dump(kind, payload)  # type: ignore[no-any-return]

        def _link(self, name: str) -> bytes:
            found.append(f"link {name}")
            return super()._link(name)  # type: ignore[no-any-return]

        def ids_of(self, descriptors: Sequence[int]) -> list[int]:
            found.extend("id" for _descriptor in descriptors)
            return super().ids_of(descriptors)  # type: ignore[no-any-return]

    monkeypatch.setattr("ansible_collections.nslab.bridgenet.plugins.module_utils._kernel.Socket", Counted)
    monkeypatch.setattr(_engine, "Kernel", type("_Kernel", (_Watched,), {"asked": found}))
    return found


def test_one_more_and_one_less_of_many(asked: list[str]) -> None:
    """However many there are, as much is read back: the new pair, its bridge, the new namespace, no other one."""
    counts = []
    for count in (2, 9):
        apply(network(count))
        apply(network(count + 1))
        new = f"link vethns{count + 1}"
        assert sorted(one for one in asked if "link" in one) == ["link br0", new]
        assert asked.count("id") == 1
        counts.append(len(asked))
        apply(network(count, gone=1))
        assert sorted(one for one in asked if "link" in one) == ["link br0", new]
        assert "id" not in asked
        counts.append(len(asked))
    assert counts[:2] == counts[2:]


def test_nothing_of_a_firewall_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its programs are started once."""
    apply(network(1))
    looks = []
    reading = _reader._firewall.reading

    def noted(home: int, look: _reader._firewall.Look) -> object:
        looks.append(look)
        return reading(home, look)

    monkeypatch.setattr(_reader._firewall, "reading", noted)
    apply(network(2))
    assert len(looks) == 1
    more = network(2)
    more["masquerade"].append({"source": "10.20.0.0/16", "bridge": "br0"})
    apply(more)
    assert len(looks) == 3, "and here it changes"


class _Meddling(Kernel):
    """Somebody else changes the machine between our change and our looking at it."""

    script = ""

    def apply(self, operations: Sequence[Operation]) -> None:
        super().apply(operations)
        shell(self.script)


@pytest.mark.parametrize(
    ("script", "count", "message"),
    [
        pytest.param("ip link del dev vethns3", 3, "veth 'vethns3' is None, not", id="gone"),
        pytest.param("ip link set dev vethns3 mtu 1400", 3, "veth 'vethns3' is .*'mtu': 1400", id="another MTU"),
        pytest.param("ip link set dev vethns3 nomaster", 3, "bridge port 'vethns3' is None, not", id="no port"),
        pytest.param("ip address add 192.0.2.9/24 dev vethns3", 3, "veth 'vethns3' is .*192.0.2.9", id="an address"),
        pytest.param("ip link set dev br0 mtu 1400", 3, "bridge 'br0' is .*'mtu': 1400", id="its bridge"),
        pytest.param("ip -n ns3 link set dev eth0 down", 3, "veth 'vethns3' is", id="the other end"),
        pytest.param("ip -n ns3 link set dev lo down", 3, "namespace 'ns3' is .*'loopback': False", id="inside"),
        pytest.param(
            "echo 10.9.9.9 x >>/etc/netns/ns1/hosts", 3, "list of names 'network/blue' is .*10.9.9.9", id="a name"
        ),
        pytest.param("ip netns add ns2", 1, "namespace 'ns2' is .*, not None", id="there again"),
        pytest.param("ip link add name vethns2 type veth", 1, "veth 'vethns2' is .*, not None", id="a link again"),
    ],
)
def test_what_is_touched_is_looked_at(script: str, count: int, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From two containers to three, or to one."""
    apply(network(2))
    after = network(count, gone=2 - count if count < 2 else 0)
    if count < 2:
        after["veth"].append({"name": "vethns2", "state": "absent"})
    monkeypatch.setattr(_engine, "Kernel", type("_Kernel", (_Meddling,), {"script": script}))
    with pytest.raises(BridgenetError, match=f"after the change the host is not as planned: .*{message}"):
        apply(after)


def test_it_is_as_if_all_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put together of both looks is what one look at everything would tell."""
    read = _engine.read
    hosts: list[tuple[Host, Host]] = []

    def twice(kernel: Kernel, scope: _reader.Scope, seen: _reader.Seen) -> Host:
        host = read(kernel, scope, seen)
        hosts.append((host, read(kernel, scope)))
        return host

    monkeypatch.setattr(_engine, "read", twice)
    for objects in (network(2), network(3), network(2, gone=1), blue(container("ns1", "10.10.0.99/16", "other"))):
        report = apply(objects, purge=True)
        for host, whole in hosts:
            assert host == whole
            for name, namespace in whole.namespaces.items():
                for link in namespace.links.values():
                    assert host.namespaces[name].links[link.name].__dict__ == link.__dict__
        assert len(hosts) == 2
        hosts.clear()
        assert check(objects, purge=True).before == report.after
        hosts.clear()
    state = snapshot.state()
    assert not apply(objects, purge=True).changed
    snapshot.same(state, snapshot.state())
