# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces that somebody holds: who it is, waiting for them, and letting the namespace live on without a name."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _holders
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import Holder
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._base import Patience
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue, container
from ansible_collections.nslab.bridgenet.tests.integration.engine.processes import process
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_undo import undoes

INSIDE = ("nsenter", "--net=/run/netns/ns1")
FIX = "end that, give it time by wait: SECONDS, or say absent_when_held: detach to remove the name only"


def network(**options: Any) -> dict[str, list[dict[str, Any]]]:
    """A container on a bridge."""
    found = blue(container("ns1", "10.10.0.10/16"))
    found["netns"][0].update(options)
    return found


def ns1(**options: Any) -> dict[str, list[dict[str, Any]]]:
    """Its namespace alone, to be absent."""
    return {"netns": [{"name": "ns1", "state": "absent", **options}]}


def refused(objects: dict[str, Any], **options: Any) -> str:
    """What is said when a namespace is held; nothing changes, and check mode says the same."""
    before = snapshot.state()
    with pytest.raises(BridgenetError) as caught:
        apply(objects, **options)
    with pytest.raises(BridgenetError) as foreseen:
        check(objects, **options)
    assert str(foreseen.value) == str(caught.value)
    snapshot.same(before, snapshot.state())
    return str(caught.value)


def test_a_process_that_has_ended_holds_nothing() -> None:
    """Nor can its mounts be asked for, while nobody has waited for it."""
    apply(network())
    with subprocess.Popen([*INSIDE, "true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert apply(ns1()).changed


def test_held_by_a_process() -> None:
    """Its pid and command are named, by whichever way the namespace is to go."""
    apply(network())
    with process(*INSIDE) as running:
        expected = f"namespace 'ns1' is still held by process {running.pid} (sleep); {FIX}"
        assert refused(ns1()) == expected
        assert refused(network(), state="absent") == expected
        assert refused({}, purge=True) == expected
    apply({}, purge=True)
    assert snapshot.namespaces() == {}


def test_held_by_an_open_file() -> None:
    """By a descriptor of a process that is elsewhere."""
    apply(network())
    with process(script="exec 7</run/netns/ns1; exec sleep 1000") as running:
        message = refused(ns1())
        assert message == f"namespace 'ns1' is still held by descriptor 7 of process {running.pid} (sleep); {FIX}"


def test_held_by_a_mount() -> None:
    """Here, or in another mount namespace that nothing is propagated to."""
    apply(network())
    shell("touch /run/kept; mount --bind /run/netns/ns1 /run/kept")
    assert "is still held by the mount /run/kept that process" in refused(ns1())
    shell("umount /run/kept")
    with process("unshare", "--mount", "--propagation", "private") as running:
        message = refused(ns1())
        assert f"is still held by the mount /run/netns/ns1 that process {running.pid} (" in message
    with process("unshare", "--mount", "--propagation", "slave"):
        apply(ns1())  # the name's own copy there goes with it
    assert snapshot.namespaces() == {}


@contextmanager
def ended_when_seen(running: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The process ends when it has been looked at for the second time."""
    looked: list[int] = []
    find = _holders.find

    def counting(inodes: Collection[int]) -> dict[int, tuple[Holder, ...]]:
        found = find(inodes)
        looked.append(sum(len(one) for one in found.values()))
        if len(looked) == 2:
            running.kill()
            running.wait()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(_holders, "find", counting)
        yield looked


def test_wait_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on as soon as nobody holds it any more; check mode warns, and does not wait."""
    apply(network())
    with process(*INSIDE) as running:
        with ended_when_seen(running, monkeypatch) as looked:
            predicted = check(ns1(wait=600))
            assert looked == [1]
            assert predicted.changed
            expected = f"namespace 'ns1' is held by process {running.pid} (sleep); a run waits 600 seconds for that"
            assert list(predicted.warnings) == [expected]
        with ended_when_seen(running, monkeypatch) as looked:
            report = apply(ns1(wait=600))
            assert looked == [1, 1, 0]
    assert report.changed
    assert not report.warnings
    assert snapshot.namespaces() == {}
    assert report.after == predicted.after
    assert report.actions == predicted.actions


def test_wait_in_vain() -> None:
    """The error says how long it waited."""
    apply(network())
    with process(*INSIDE), pytest.raises(BridgenetError, match="is still held after 1 seconds by process"):
        apply(ns1(wait=1))


def test_detach() -> None:
    """Only the name goes: the process keeps its network, until what is on the host's side is purged."""
    apply(network())
    with process(*INSIDE) as running:
        before = check(ns1(absent_when_held="detach"))
        report = apply(ns1(absent_when_held="detach"))
        assert report == before
        expected = f"namespace 'ns1' loses its name, but lives on, held by process {running.pid} (sleep)"
        assert list(report.warnings) == [expected]
        assert report.actions == ("ip netns del ns1",)
        assert snapshot.namespaces() == {}
        assert snapshot.link("vethns1")
        shell("ping -c1 -W5 -q 10.10.0.10")
        apply({}, purge=True)
        assert [one["ifname"] for one in snapshot.links()] == ["lo"]
        assert "eth0" not in shell(f"nsenter --net=/proc/{running.pid}/ns/net ip link")


def test_detach_by_purge() -> None:
    """The links of the project go, the name goes, the process stays."""
    apply(network())
    with process(*INSIDE) as running:
        report = apply({}, purge=True, patience=Patience("detach"))
        assert len(report.warnings) == 1
        assert snapshot.namespaces() == {}
        assert [one["ifname"] for one in snapshot.links()] == ["lo"]
        assert running.poll() is None


def test_detach_without_a_holder() -> None:
    """It goes as ever."""
    apply(network())
    report = apply(ns1(absent_when_held="detach", wait=600))
    assert not report.warnings
    assert [one["ifname"] for one in snapshot.links()] == ["lo", "br0"]


def test_undo_of_detaching() -> None:
    """The name comes back."""
    apply(network())
    with process(*INSIDE):
        assert undoes(network(absent_when_held="detach"), state="absent") > 3


def test_a_second_name_is_no_holder() -> None:
    """A namespace that has another name loses one, whoever is inside."""
    shell("ip netns add ns1; touch /run/netns/other; mount --bind /run/netns/ns1 /run/netns/other")
    with process(*INSIDE):
        apply(ns1())
    assert list(snapshot.namespaces()) == ["other"]


def test_an_adopted_namespace_is_meant_to_live_on() -> None:
    """Whoever holds it."""
    with process("unshare", "--net") as running:
        apply({"netns": [{"name": "ns1", "adopt": {"pid": running.pid}}]})
        report = apply(ns1())
        assert not report.warnings
        assert snapshot.namespaces() == {}


def test_only_what_goes_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody walks through /proc for anything else."""
    monkeypatch.setattr(_holders, "find", lambda _inodes: pytest.fail("nothing goes"))
    apply(network())
    apply(network())
    apply({"netns": [{"name": "other", "state": "absent"}]})


def test_a_thread_inside() -> None:
    """Threads of one process may be in different namespaces."""
    apply(network())
    code = (
        "import ctypes, os, threading, time\n"
        "def enter():\n"
        "    fd = os.open('/run/netns/ns1', os.O_RDONLY); ctypes.CDLL(None).setns(fd, 0); os.close(fd)\n"
        "    print('inside', flush=True); time.sleep(1000)\n"
        "threading.Thread(target=enter).start()\n"
    )
    Path("/run/threaded").write_text(code, encoding="ascii")
    with process(script="exec python3 /run/threaded", becomes="python3") as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "inside\n"
        assert f"is still held by process {running.pid} (python3" in refused(ns1())


def test_a_unit_that_ends_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the task itself stops, holds nothing; another unit does."""
    apply(network())
    inode = Path("/run/netns/ns1").stat().st_ino
    holder = Holder("process", 7, "sleep", unit="one.service")
    monkeypatch.setattr(_holders, "find", lambda inodes: dict.fromkeys(inodes, (holder,)))
    assert _holders.wait({inode: 600}, {"one.service"}, patient=True)[inode].holders == ()
    assert _holders.wait({inode: 0}, {"two.service"}, patient=True)[inode].holders == (holder,)
