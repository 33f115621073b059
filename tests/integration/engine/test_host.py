# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host lacks, who else is at work on it, and what must not be cut off."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _engine, _files, _guard, _namespaces, _netlink
from ansible_collections.nslab.bridgenet.plugins.module_utils._decode import LinkRow
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._kernel import Failed, Kernel
from ansible_collections.nslab.bridgenet.plugins.module_utils._netlink import Message, Refused, Socket
from ansible_collections.nslab.bridgenet.plugins.module_utils._operation_base import Operation
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import Objects, apply, check, host
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import sandbox, shell

PAIR = (
    "ip link add name x0 address 02:00:00:00:00:01 type veth peer name y0 address 02:00:00:00:00:02;"
    "ip link set dev x0 up; ip link set dev y0 up; ip address add 192.0.2.1/24 dev x0"
)


def refused(objects: Objects, message: str, **options: Any) -> None:
    """An error before the first change."""
    before = snapshot.state()
    with pytest.raises(BridgenetError, match=message):
        apply(objects, **options)
    snapshot.same(before, snapshot.state())


# --- what is missing ---


@pytest.mark.parametrize(
    ("objects", "missing"),
    [
        ({"bridge": [{"name": "br0", "namespace": "a"}]}, ["namespace a"]),
        ({"veth": [{"name": "v0", "peer": {"name": "p0", "namespace": "a"}}]}, ["namespace a"]),
        (
            {"veth": [{"name": "v0", "namespace": "a", "peer": {"name": "p0", "namespace": "b"}}]},
            ["namespace a", "namespace b"],
        ),
        ({"bridge_port": [{"name": "v0", "master": "br0"}]}, ["interface v0", "interface br0"]),
        (
            {"bridge_port": [{"name": "v0", "namespace": "a", "master": "br0"}]},
            ["namespace a", "interface v0 in namespace a", "interface br0 in namespace a"],
        ),
        ({"interface": [{"name": "v0", "addresses": ["10.0.0.1/24"]}]}, ["interface v0"]),
        ({"interface": [{"name": "v0", "namespace": "a"}]}, ["namespace a", "interface v0 in namespace a"]),
        ({"interface": [{"name": "lo", "namespace": "a", "addresses": ["10.0.0.1/32"]}]}, ["namespace a"]),
        ({"sysctl_bridge_nf": [{"namespace": "a", "iptables": False}]}, ["namespace a"]),
    ],
)
def test_missing(objects: Objects, missing: list[str]) -> None:
    """A single task in check mode assumes what an earlier task would have made; a real run does not."""
    before = snapshot.state()
    report = check(objects)
    assert list(report.assumed) == missing
    snapshot.same(before, snapshot.state())
    refused(objects, f"missing on this host: {', '.join(missing)}; create it first")


def test_assumed_is_as_in_one_change() -> None:
    """Step by step in check mode: the last step's commands are those that it would have in a real run."""
    network = blue(container("ns1", "10.10.0.10/16"))
    port = {"bridge_port": network["bridge_port"]}
    predicted = check(port)
    apply({name: objects for name, objects in network.items() if name != "bridge_port"})
    assert apply(port).actions == predicted.actions


def test_absent_needs_nothing() -> None:
    """What is not there is absent, wherever it would be."""
    for objects in (
        {"bridge": [{"name": "br0", "namespace": "a"}]},
        {"veth": [{"name": "v0", "namespace": "a"}]},
        {"bridge_port": [{"name": "v0", "namespace": "a"}]},
        {"interface": [{"name": "v0", "namespace": "a", "addresses": ["10.0.0.1/24"]}]},
        {"sysctl_bridge_nf": [{"namespace": "a"}]},
        {"masquerade": [{"source": "10.0.0.0/8", "bridge": "br0"}]},
    ):
        report = apply(objects, state="absent")
        assert not report.changed
        assert not report.assumed


def test_no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said at once, also in check mode."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BridgenetError, match="by root; use `become: true`"):
        check({"netns": [{"name": "a"}]})


def test_no_pyroute2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Needed for a change of links only, and named with the fix."""
    monkeypatch.setattr(_netlink, "_classes", {})
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    assert check({"bridge": [{"name": "br0"}]}).changed
    refused({"bridge": [{"name": "br0"}]}, "pyroute2 is missing on this host .*apt install python3-pyroute2")


def test_old_pyroute2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian 11 has 0.5.14."""
    monkeypatch.setattr(_netlink, "_classes", {})
    monkeypatch.setattr("pyroute2.__version__", "0.5.14", raising=False)
    refused({"bridge": [{"name": "br0"}]}, r"pyroute2 0\.5\.14 on this host is too old, 0\.7\.2 or later is needed")


@pytest.mark.parametrize("kind", ["bridge", "veth"])
def test_kernel_without_a_kind(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that cannot make veths or bridges is found out before the first change."""
    send = Socket.send

    def without(self: Socket, batch: Sequence[Message]) -> list[Refused | None]:
        if any(kind in str(message.attrs) for message in batch):
            return [Refused(95, os.strerror(95))] * len(batch)
        return send(self, batch)

    monkeypatch.setattr(Socket, "send", without)
    refused(blue(), f"this kernel cannot make a {kind}; .*: `modprobe {kind}`")


def test_what_the_kernel_refuses() -> None:
    """What the kernel refuses comes with the kernel's own words and the command."""
    with pytest.raises(Failed, match=r"`ip route add 10.9.0.0/16 via 10.8.0.1 dev br0 .*` failed: "):
        apply({"bridge": [{"name": "br0", "routes": [{"to": "10.9.0.0/16", "via": "10.8.0.1"}]}]})
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    "declared",
    [
        {"bridge": [{"name": "br0", "vlan_filtering": True}]},
        {"bridge": [{"name": "br0", "vlans": []}]},
        {"bridge": [{"name": "br0"}], "bridge_port": [{"name": "v0", "master": "br0", "vlans": [{"vid": "5"}]}]},
    ],
    ids=str,
)
def test_kernel_without_vlans(declared: Any, there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel whose bridges cannot filter VLANs is found out before the first change, also by check mode."""
    shell("ip link add name v0 type veth peer name p0")
    if there:
        shell("ip link add name br1 type bridge")
        links = Socket.links

        def lacking(self: Socket) -> list[LinkRow]:
            return [dataclasses.replace(row, default_pvid=None) for row in links(self)]

        monkeypatch.setattr(Socket, "links", lacking)
    else:
        monkeypatch.setattr(Socket, "can_filter_vlans", lambda self: False)
    before = snapshot.state()
    for run in (check, apply):
        with pytest.raises(BridgenetError, match=r"bridges of this kernel cannot filter VLANs .*Debian's own"):
            run(declared)
    snapshot.same(before, snapshot.state())


def test_probe_of_vlans() -> None:
    """Asking whether bridges can filter VLANs finds what making one finds, and leaves nothing."""
    declared = {"bridge": [{"name": "br0", "vlan_filtering": False, "vlans": []}]}
    able = subprocess.run(
        ["ip", "link", "add", "br9", "type", "bridge", "vlan_filtering", "1"], check=False, capture_output=True
    )
    shell("ip link del dev br9 2>/dev/null || true")
    try:
        check(declared)
    except BridgenetError:
        assert able.returncode != 0
    else:
        assert able.returncode == 0
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]


# --- undo, where faults do not reach ---


def test_namespace_is_published_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be published nothing is left, not even the file."""
    mount = _namespaces._mount

    def failing(source: str, target: str, flags: int) -> None:
        if target.endswith("/a"):
            raise OSError(28, os.strerror(28))
        mount(source, target, flags)

    monkeypatch.setattr(_namespaces, "_mount", failing)
    refused(
        {"netns": [{"name": "b"}, {"name": "a"}]}, r"`ip netns add a; .*` failed: No space left on device; .*undone"
    )


def test_file_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither half a file nor a temporary one is left."""

    def failing(old: str, new: str) -> None:
        raise OSError(30, os.strerror(30))

    shell("sysctl -qw net/ipv4/ip_forward=0")  # a new namespace has what the machine has
    monkeypatch.setattr(_files.os, "rename", failing)
    refused({"masquerade": [{"source": "10.0.0.0/8", "bridge": "b", "forwarding": True}]}, "Read-only file system")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_interrupted(interruption: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who presses control and C gets the machine as it was."""
    before = snapshot.state()

    def interrupted(*_words: object) -> None:
        raise interruption

    monkeypatch.setattr(_namespaces.Publisher, "_bind", interrupted)
    with pytest.raises(interruption):
        apply(blue())
    snapshot.same(before, snapshot.state())


class _Meddling(Kernel):
    """Somebody else changes the machine between our change and our looking at it."""

    script = ""

    def apply(self, operations: Sequence[Operation]) -> None:
        super().apply(operations)
        shell(self.script)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("ip link set dev br0 mtu 1400", r"bridge 'br0' is .*'mtu': 1400.*, not .*'mtu': 1500"),
        ("ip link del dev br0", r"bridge 'br0' is None, not"),
        ("ip -n a address add 10.0.0.9/24 dev p0", "veth 'v0' is"),
    ],
)
def test_not_as_planned(script: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read back after the change must be what was planned."""
    shell("ip netns add a")
    before = snapshot.state()
    monkeypatch.setattr(_engine, "Kernel", type("_Kernel", (_Meddling,), {"script": script}))
    objects: Objects = {
        "bridge": [{"name": "br0"}],
        "veth": [{"name": "v0", "peer": {"name": "p0", "namespace": "a", "addresses": ["10.0.0.1/24"]}}],
    }
    with pytest.raises(BridgenetError, match=f"after the change the host is not as planned: {message}"):
        apply(objects)
    snapshot.same(before, snapshot.state())


def test_what_cannot_be_undone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command to do it by hand."""
    shell(PAIR)
    monkeypatch.setattr(_engine, "Kernel", type("_Kernel", (_Meddling,), {"script": "ip link del dev x0"}))
    objects: Objects = {"interface": [{"name": "x0", "addresses": ["192.0.2.1/24"]}]}
    with pytest.raises(
        BridgenetError, match=r"not everything could be undone, do it by hand: ip address add 192\.0\.2\.1/24"
    ):
        apply(objects, state="absent")


# --- one at a time ---


@contextmanager
def _holder() -> Iterator[subprocess.Popen[str]]:
    """A process that holds this machine's lock."""
    code = (
        "import fcntl, os, sys\n"
        "fcntl.flock(os.open('/proc/self/ns/net', os.O_RDONLY), fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_lock() -> None:
    """Two tasks at once: the second waits no longer than it is told, and names the first."""
    with _holder() as process:
        refused(
            {"netns": [{"name": "a"}]}, rf"pid {process.pid}\) has not ended within lock_timeout \(0", lock_timeout=0
        )
        with pytest.raises(BridgenetError, match=f"pid {process.pid}"):
            check({"netns": [{"name": "a"}]}, lock_timeout=0.2)
        with sandbox():
            assert apply({"netns": [{"name": "a"}]}, lock_timeout=0).changed, "another machine has another lock"
    assert apply({"netns": [{"name": "a"}]}, lock_timeout=0).changed


def test_lock_is_waited_for() -> None:
    """It goes on when the first has ended, also by being killed."""
    with _holder() as process:
        process.send_signal(signal.SIGKILL)
        assert apply({"netns": [{"name": "a"}]}, lock_timeout=60).changed


# --- never cut off the person ---


@pytest.mark.parametrize(
    ("objects", "what"),
    [
        ({"interface": [{"name": "x0", "up": False}]}, "be taken down"),
        ({"interface": [{"name": "x0", "addresses": [], "exclusive": True}]}, "lose an address"),
        ({"interface": [{"name": "x0", "routes": [], "exclusive": True}]}, "lose a route"),
        ({"interface": [{"name": "x0", "addresses": ["192.0.2.1/24"], "state": "absent"}]}, "lose an address"),
        ({"bridge": [{"name": "br0"}], "bridge_port": [{"name": "x0", "master": "br0"}]}, "become a port of br0"),
        ({"veth": [{"name": "x0", "state": "absent"}]}, "be removed"),
        ({"veth": [{"name": "y0", "state": "absent"}]}, "be removed"),
    ],
)
def test_default_route(objects: Objects, what: str) -> None:
    """The interface of the default route stays as it is, unless forced."""
    shell(f"{PAIR}; ip route add default via 192.0.2.9 proto static")
    refused(objects, f"interface 'x0' would {what}, but it carries the default route: .*force: true")
    with pytest.raises(BridgenetError, match="cut off"):
        check(objects)
    assert apply(objects, force=True).changed


def test_default_route_of_somebody_else() -> None:
    """Also one that a router advertised, or with several next hops."""
    shell(f"{PAIR}; ip route add default proto ra nexthop via 192.0.2.9 dev x0 nexthop via 192.0.2.8 dev x0")
    refused({"interface": [{"name": "x0", "up": False}]}, "carries the default route")


def test_port_of_the_bridge_with_the_default_route() -> None:
    """A bridge that carries it needs the ports that are not ours."""
    shell(
        f"{PAIR}; ip link add name br0 address 02:00:00:00:00:09 type bridge; ip link set dev y0 master br0 up;"
        "ip link set dev br0 up; ip address add 198.51.100.1/24 dev br0;"
        "ip route add default via 198.51.100.9 proto static"
    )
    refused({"bridge_port": [{"name": "y0"}]}, "leave br0, but br0, which stands on it, has to stay", state="absent")
    ours = blue(container("ns1", "198.51.100.7/24", gateway="198.51.100.9"))
    ours = {name: ours[name] for name in ("netns", "veth", "bridge_port")}
    assert apply(ours).changed
    assert apply(ours, state="absent").changed


def test_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to whoever is connected to sshd stays."""
    shell(PAIR)
    monkeypatch.setattr(_guard, "ssh_peers", lambda: {"192.0.2.77": ""})
    refused(
        {"interface": [{"name": "x0", "up": False}]},
        "the route to 192.0.2.77, which is connected to sshd, goes through it",
    )


def test_ssh_peers() -> None:
    """Found among the sockets of processes called sshd: established connections, also between link-local addresses."""
    server = (
        "import socket, sys\n"
        "open('/proc/self/comm', 'w').write('sshd')\n"
        "listener = socket.create_server(('', 0), family=socket.AF_INET6, dualstack_ipv6=True)\n"
        "listener.settimeout(30)\n"
        "print(listener.getsockname()[1], flush=True)\n"
        "connections = [listener.accept()[0] for _again in range(3)]\n"
        "print('all', flush=True)\n"
        "sys.stdin.read()\n"
    )
    shell(
        "ip address add 192.0.2.50/32 dev lo; ip netns add away; ip link add x0 type veth peer name y0 netns away;"
        "ip link set x0 up; ip -n away link set y0 up;"
        "ip address add fe80::1/64 dev x0 nodad; ip -n away address add fe80::2/64 dev y0 nodad"
    )
    client = (
        "import socket, sys\n"
        "there = socket.socket(socket.AF_INET6)\n"
        "there.bind(('fe80::2', 0, 0, socket.if_nametoindex('y0')))\n"
        "there.connect(('fe80::1', int(sys.argv[1]), 0, socket.if_nametoindex('y0')))\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", server], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with (
            socket.create_connection(("127.0.0.1", port), source_address=("192.0.2.50", 0)),
            socket.create_connection(("::1", port)),
            subprocess.Popen(
                ["ip", "netns", "exec", "away", sys.executable, "-c", client, str(port)], stdin=subprocess.PIPE
            ),
        ):
            assert process.stdout.readline() == "all\n"
            assert _guard.ssh_peers() == {"192.0.2.50": "", "::1": "", "fe80::2%x0": "x0"}
        process.kill()


# --- networks that overlap ---


def test_overlap_with_a_connected_network() -> None:
    """The host cannot be connected to one network by two interfaces."""
    shell(PAIR)
    refused(
        {"bridge": [{"name": "br0", "addresses": ["192.0.2.129/25"]}]},
        r"192\.0\.2\.128/25 overlaps 192\.0\.2\.0/24, .*'x0'",
    )


def test_overlap_with_a_route() -> None:
    """A less specific route is a warning; the default route is none."""
    shell(
        f"{PAIR}; ip route add 10.0.0.0/8 via 192.0.2.9 proto static; ip route add default via 192.0.2.9 proto static"
    )
    report = apply({"bridge": [{"name": "br0", "addresses": ["10.10.0.1/16"]}]})
    assert report.warnings == (
        "address 10.10.0.1/16 of interface br0: its network 10.10.0.0/16 overlaps 10.0.0.0/8, which this host"
        " reaches by x0",
    )


# --- the engine leaves nothing behind ---


def test_no_descriptor_is_left() -> None:
    """Whatever happens, all descriptors are closed."""
    apply(blue())
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _again in range(3):
        apply(blue())
        apply(blue(container("ns1", "10.10.0.10/16", "other"), container("ns2", "10.10.0.20/16")))
        apply(blue(), state="absent")
        with pytest.raises(BridgenetError):
            apply({"bridge": [{"name": "br0", "namespace": "gone"}]})
        apply(blue())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_home_again() -> None:
    """The thread is in the namespace that it started in."""
    before = Path("/proc/thread-self/ns/net").readlink()
    apply(blue())
    host()
    assert Path("/proc/thread-self/ns/net").readlink() == before
