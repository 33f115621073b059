# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and ids of namespaces: those of others that are adopted, second names, nsids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _programs
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import driver, snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply
from ansible_collections.nslab.bridgenet.tests.integration.engine.processes import process
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_undo import undoes

# Somebody else's namespace, with a file of its own, as a container engine keeps it.
FOREIGN = "touch /run/box; unshare --net=/run/box ip link set dev lo up"

INSPECT = "inspect --type container --format {{.State.Pid}}"

Objects = dict[str, list[dict[str, Any]]]


def netns(**options: Any) -> Objects:
    """One namespace."""
    return {"netns": [{"name": "a", **options}]}


def adopted(**options: Any) -> Objects:
    """The foreign one, under a name."""
    return netns(adopt={"path": "/run/box"}, **options)


def plugged(netns: Objects) -> Objects:
    """A namespace on a bridge."""
    return {
        **netns,
        "bridge": [{"name": "br0", "addresses": ["10.10.0.1/24"]}],
        "veth": [{"name": "v0", "peer": {"name": "eth0", "namespace": "a", "addresses": ["10.10.0.2/24"]}}],
        "bridge_port": [{"name": "v0", "master": "br0"}],
    }


def inode(path: str) -> int:
    """Which namespace it is."""
    return Path(path).stat().st_ino


# --- adopt ---


def test_life_of_an_adopted_namespace() -> None:
    """Published, plugged in, let go; it goes on without a trace."""
    story = Story(FOREIGN)
    report = story.changes(adopted())
    assert report.after == [("netns", "namespace 'a'", {"name": "a", "loopback": True, "label": "a", "adopted": True})]
    assert snapshot.link("lo", "a")["ifalias"] == "bridgenet:1:default:a@a"
    assert inode("/run/netns/a") == inode("/run/box")
    story.changes(plugged(adopted()))
    shell("ping -c1 -W5 -q 10.10.0.2")
    story.stays(plugged(netns()))
    story.changes(plugged(netns()), state="absent")
    assert snapshot.namespaces() == {}
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]
    inside = json.loads(shell("nsenter --net=/run/box ip -j -d link"))
    assert [one["ifname"] for one in inside] == ["lo"]
    assert "ifalias" not in inside[0]
    assert "UP" in inside[0]["flags"]
    story.stays(plugged(netns()), state="absent")
    story.stays(adopted(), state="absent")


def test_adopted_in_the_change_that_plugs_it_in() -> None:
    """One transaction, and one that takes all back but leaves what others put inside."""
    story = Story(f"{FOREIGN}; nsenter --net=/run/box ip link add name x0 address 02:00:00:00:00:01 type bridge")
    story.changes(plugged(adopted(loopback=False, sysctls={"net/ipv4/ip_forward": 1}, label="box")))
    assert not snapshot.is_up(snapshot.link("lo", "a"))
    story.changes(plugged(adopted()), state="absent")
    inside = json.loads(shell("nsenter --net=/run/box ip -j link"))
    assert [one["ifname"] for one in inside] == ["lo", "x0"]


@pytest.mark.parametrize("everything", [True, False])
def test_purge_lets_go(everything: bool) -> None:
    """What was plugged in goes by its label, the namespace stays."""
    story = Story(FOREIGN)
    story.changes(plugged(adopted()))
    left: Objects = {} if everything else {"bridge": [{"name": "br0"}]}
    story.changes(left, purge=True)
    assert snapshot.namespaces() == {}
    assert [one["ifname"] for one in snapshot.links()] == (["lo"] if everything else ["lo", "br0"])
    inside = json.loads(shell("nsenter --net=/run/box ip -j -d link"))
    assert [(one["ifname"], one.get("ifalias")) for one in inside] == [("lo", None)]


def test_a_foreign_alias_stays() -> None:
    """A loopback with an alias gets no label, neither when it comes nor when it goes."""
    story = Story(f"{FOREIGN}; nsenter --net=/run/box ip link set dev lo alias theirs")
    story.changes(adopted())
    assert snapshot.link("lo", "a")["ifalias"] == "theirs"
    story.stays({}, purge=True)
    story.changes(adopted(), state="absent")
    assert json.loads(shell("nsenter --net=/run/box ip -j link"))[0]["ifalias"] == "theirs"


def test_adopted_under_another_name_of_somebody_else() -> None:
    """As podman does it: the namespace has a name already, which is not ours to take away."""
    story = Story("ip netns add a-first; ip netns add z-last")
    for theirs in ("a-first", "z-last"):
        declared = plugged({"netns": [{"name": "a", "adopt": {"path": f"/run/netns/{theirs}"}}]})
        story.changes(declared)
        shell("ping -c1 -W5 -q 10.10.0.2")
        assert inode("/run/netns/a") == inode(f"/run/netns/{theirs}")
        story.changes({}, purge=True)
        assert list(snapshot.namespaces()) == ["a-first", "z-last"]
        assert "ifalias" not in snapshot.link("lo", theirs)


def test_adopt_by_pid() -> None:
    """The namespace of a running process, which goes on."""
    with process("unshare", "--net") as running:
        there = f"/proc/{running.pid}/ns/net"
        declared = plugged(netns(adopt={"pid": running.pid}))
        predicted = driver.check(declared)
        assert driver.apply(declared) == predicted
        assert predicted.actions[0] == f"ip netns attach a {running.pid}"
        assert not driver.apply(declared).changed
        assert inode("/run/netns/a") == inode(there)
        shell("ping -c1 -W5 -q 10.10.0.2")
        apply({}, purge=True)
        assert snapshot.namespaces() == {}
        assert running.poll() is None
        assert [one["ifname"] for one in json.loads(shell(f"nsenter --net={there} ip -j link"))] == ["lo"]


def test_name_passes_on_to_what_was_started_anew() -> None:
    """A container that was started again has another namespace: its name and its link move there."""
    script = "for name in old new; do touch /run/$name; unshare --net=/run/$name true; done; ln -s /run/old /run/box"
    story = Story(script)
    story.changes(plugged(adopted()))
    old = Path("/run/box")
    assert undo_of_passing_on() > 5
    shell("ln -sfn /run/old /run/box")
    old.unlink()
    shell("ln -s /run/new /run/box")
    declared = plugged(adopted())
    predicted = driver.check(declared)
    assert driver.apply(declared) == predicted
    assert not driver.apply(declared).changed
    assert inode("/run/netns/a") == inode("/run/new")
    shell("ping -c1 -W5 -q 10.10.0.2")
    inside = json.loads(shell("nsenter --net=/run/old ip -j -d link"))
    assert [(one["ifname"], one.get("ifalias")) for one in inside] == [("lo", None)]


def undo_of_passing_on() -> int:
    """Undone at every position; in the end it is done, and taken back."""
    shell("ln -sfn /run/new /run/box")
    count = undoes(plugged(adopted()))
    shell("ln -sfn /run/old /run/box")
    apply(plugged(adopted()))
    return count


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"adopt": {"pid": 4194304}}, "process 4194304 has no network namespace: /proc/4194304/ns/net is not there"),
        ({"adopt": {"pid": 0}}, "adopt names the pid 0; the pid of a process is 1 or more"),
        ({"adopt": {"path": "/run/none"}}, "/run/none has no network namespace: /run/none is not there"),
        ({"adopt": {"path": "/etc/hostname"}}, "/etc/hostname is no network namespace"),
        ({"adopt": {"path": "box"}}, "adopt names the path 'box'; write it from the root"),
        ({"adopt": {"path": "/proc/thread-self/ns/net"}}, "namespace 'a' is the host's own namespace; adopt that of"),
        ({"adopt": {}}, "adopt names nothing; say exactly one of pid, path, podman and docker"),
        ({"adopt": {"pid": 1, "podman": "x"}}, "adopt names pid and podman; say exactly one of"),
        ({"adopt": {"docker": "--help"}}, "container '--help': allowed are letters"),
        ({"adopt": {"pid": 1}, "same_as": "b"}, "adopt and same_as exclude each other"),
        ({"same_as": "a"}, "same_as names itself"),
        ({"same_as": "none"}, "missing on this host: namespace none; create it first"),
        ({"nsid": -1}, "nsid -1 is out of range: 0 to 2147483647 are possible"),
        ({"wait": -1}, "wait -1 is negative"),
    ],
)
def test_bad_input(options: dict[str, Any], message: str) -> None:
    """Refused before the first change."""
    before = snapshot.state()
    with pytest.raises(BridgenetError) as caught:
        apply(netns(**options))
    assert message in str(caught.value)
    snapshot.same(before, snapshot.state())


def test_a_name_in_the_way() -> None:
    """A namespace under that name which was not adopted is not touched."""
    shell(f"{FOREIGN}; ip netns add a; ip netns add b")
    for options, meant in (({"adopt": {"path": "/run/box"}}, "that of /run/box"), ({"same_as": "b"}, "'b'")):
        with pytest.raises(BridgenetError, match=f"namespace 'a' exists and is another one than {meant}; remove"):
            apply(netns(**options))


# --- same_as ---


def test_life_of_a_second_name() -> None:
    """The same namespace under another name, used by either, and gone with the first."""
    story = Story()
    both = {"netns": [{"name": "b", "same_as": "a"}, {"name": "a"}]}
    report = story.changes(both)
    assert inode("/run/netns/a") == inode("/run/netns/b")
    assert snapshot.link("lo", "a")["ifalias"] == "bridgenet:1:default:a=a,b"
    assert report.after[0][2] == {"name": "b", "loopback": True, "label": "a", "same_as": "a"}
    assert report.after[1][2] == {"name": "a", "loopback": True, "label": "a", "second_names": ["b"]}
    story.changes({"netns": [{"name": "b"}]}, state="absent")
    assert snapshot.link("lo", "a")["ifalias"] == "bridgenet:1:default:a"
    story.changes(both)
    pair = {"veth": [{"name": "v0", "peer": {"name": "p0", "namespace": "b"}}]}
    story.changes(pair)
    assert snapshot.link("p0", "a")
    story.stays({"veth": [{"name": "v0", "peer": {"name": "p0", "namespace": "a"}}]})
    story.stays({**both, **pair})
    story.changes(netns(), state="absent")
    assert snapshot.namespaces() == {}
    assert [one["ifname"] for one in snapshot.links()] == ["lo"]


def test_second_name_and_what_is_inside_in_one_change() -> None:
    """By whichever name; two objects at one place are found out."""
    story = Story()
    whole = {
        "netns": [{"name": "b", "same_as": "a", "sysctls": {"net/ipv4/ip_forward": 1}}, {"name": "a"}],
        "veth": [{"name": "v0", "peer": {"name": "p0", "namespace": "b", "addresses": ["10.10.0.2/24"]}}],
    }
    twice = {**whole, "bridge": [{"name": "x", "namespace": "a"}, {"name": "x", "namespace": "b"}]}
    with pytest.raises(BridgenetError, match="bridge 'x' in namespace 'a' is declared twice"):
        apply(twice)
    story.changes(whole)
    story.changes(whole, state="absent")


def test_second_name_of_an_adopted_namespace() -> None:
    """It goes with the first; the namespace lives on."""
    story = Story(FOREIGN)
    both = {"netns": [*adopted()["netns"], {"name": "b", "same_as": "a"}]}
    story.changes(both)
    assert snapshot.link("lo", "a")["ifalias"] == "bridgenet:1:default:a@a,b"
    story.changes(netns(), state="absent")
    assert snapshot.namespaces() == {}
    assert shell("nsenter --net=/run/box true") == ""


def test_second_name_of_a_foreign_namespace() -> None:
    """Only the name is ours."""
    story = Story("ip netns add b")
    story.changes(netns(same_as="b"))
    story.changes({}, purge=True)
    assert list(snapshot.namespaces()) == ["b"]
    assert "ifalias" not in snapshot.link("lo", "b")


def test_purge_knows_all_names() -> None:
    """Those of ours go, that of somebody else stays; a second name that is declared keeps the first."""
    story = Story()
    both = {"netns": [{"name": "a", "label": "x"}, {"name": "b", "same_as": "a"}]}
    story.changes(both)
    story.stays({"netns": [{"name": "b", "same_as": "a"}]}, purge=True)
    story.changes({"netns": [{"name": "a", "label": "x"}]}, purge=True)
    assert list(snapshot.namespaces()) == ["a"]
    apply(both)
    shell("touch /run/netns/theirs; mount --bind /run/netns/a /run/netns/theirs")
    apply({}, purge=True)
    assert list(snapshot.namespaces()) == ["theirs"]
    assert "ifalias" not in snapshot.link("lo", "theirs")


def test_absent_of_the_first_and_present_of_the_second() -> None:
    """That cannot be."""
    apply({"netns": [{"name": "a"}, {"name": "b", "same_as": "a"}]})
    declared = {"netns": [{"name": "a", "state": "absent"}, {"name": "b", "same_as": "a"}]}
    with pytest.raises(BridgenetError, match=r"namespace 'a', of which it is to be a second name, is to be absent"):
        apply(declared)


def test_inside_a_namespace_that_a_purge_takes_a_name_from() -> None:
    """Somebody gave ours another name: what is declared inside by that one is found there."""
    pair = {"name": "v0", "namespace": "a", "peer": {"name": "p0"}}
    apply({"netns": [{"name": "a"}], "veth": [pair]})
    shell("touch /run/netns/b; mount --bind /run/netns/a /run/netns/b")
    apply({"veth": [{**pair, "namespace": "b", "mtu": 1400}]}, purge=True)
    assert snapshot.link("v0", "b")["mtu"] == 1400
    assert not Path("/run/netns/a").exists()


def test_many_names() -> None:
    """An alias has room for so many."""
    names = [character * 60 for character in "abcde"]
    declared = {"netns": [{"name": "a"}, *({"name": name, "same_as": "a"} for name in names)]}
    with pytest.raises(BridgenetError, match="has room for 255; choose shorter names"):
        apply(declared)


# --- nsid ---


def ids() -> dict[str, int]:
    """What `ip netns` says."""
    return {one["name"]: one["id"] for one in json.loads(shell("ip -j netns list")) if "id" in one}


def test_nsid() -> None:
    """Fresh, again, another, taken; given to a new and to an existing namespace."""
    story = Story("ip netns add b")
    pair = {"veth": [{"name": "v0", "peer": {"name": "p0", "namespace": "a"}}]}
    report = story.changes({**netns(nsid=40), **pair})
    assert report.after[0][2]["nsid"] == 40
    assert ids() == {"a": 40}
    story.changes({"netns": [{"name": "b", "nsid": 0, "take_over": True}]})
    assert ids() == {"a": 40, "b": 0}
    with pytest.raises(BridgenetError, match="namespace 'a' has the nsid 40 already, which the kernel never changes"):
        apply(netns(nsid=41))
    with pytest.raises(BridgenetError, match="the nsid 40 is that of namespace 'a'; choose a free one"):
        apply({"netns": [{"name": "c", "nsid": 40}]})
    with pytest.raises(BridgenetError, match="the nsid 7 is that of namespace 'c'; choose a free one"):
        apply({"netns": [{"name": "c", "nsid": 7}, {"name": "d", "nsid": 7}]})
    apply({"netns": [{"name": "c"}], "veth": [{"name": "v1", "peer": {"name": "p1", "namespace": "c"}}]})
    chosen = ids()["c"]
    with pytest.raises(BridgenetError, match=f"has the nsid {chosen} already"):
        apply({"netns": [{"name": "c", "nsid": chosen + 100}]})
    story.stays({"netns": [{"name": "a", "nsid": 40}, {"name": "c", "nsid": chosen}]})


# --- undo ---


@pytest.mark.parametrize(
    ("prepare", "first", "second", "options"),
    [
        pytest.param(FOREIGN, {}, plugged(adopted(nsid=9)), {}, id="adopt"),
        pytest.param(FOREIGN, plugged(adopted()), plugged(adopted()), {"state": "absent"}, id="let go"),
        pytest.param(FOREIGN, plugged(adopted()), {"netns": [{"name": "b"}]}, {"purge": True}, id="purge"),
        pytest.param(
            "", {}, {"netns": [{"name": "a", "nsid": 3}, {"name": "b", "same_as": "a"}]}, {}, id="second name"
        ),
        pytest.param(
            "", {"netns": [{"name": "a"}, {"name": "b", "same_as": "a"}]}, netns(), {"state": "absent"}, id="both"
        ),
    ],
)
def test_undo(prepare: str, first: Objects, second: Objects, options: dict[str, Any]) -> None:
    """Whichever operation fails, all is as it was."""
    shell(prepare)
    if first:
        apply(first)
    assert undoes(second, **options) > 1


# --- container engines ---


def test_adopt_by_the_name_of_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program of the engine is asked for the process; what it says on an error is passed on."""
    program = Path("/run/bin/docker")
    program.parent.mkdir()
    monkeypatch.setattr(_programs, "_PATH", f"{program.parent}:{_programs._PATH}")
    declared = netns(adopt={"docker": "web"})
    with process("unshare", "--net") as running:
        program.write_text(f'#!/bin/sh\n[ "$*" = "{INSPECT} web" ] && echo {running.pid}\n', encoding="ascii")
        program.chmod(0o755)
        report = apply(declared)
        assert report.actions[0] == f"ip netns attach a {running.pid}"
        assert inode("/run/netns/a") == inode(f"/proc/{running.pid}/ns/net")
    program.write_text("#!/bin/sh\necho 0\n", encoding="ascii")
    with pytest.raises(BridgenetError, match="the docker container 'web' is not running; start it first"):
        apply(declared)
    program.write_text("#!/bin/sh\necho No such container >&2; exit 1\n", encoding="ascii")
    with pytest.raises(BridgenetError, match=r"docker knows no container 'web' \(.*No such container\); start it"):
        apply(declared)
    monkeypatch.setattr(_programs, "find", lambda _name: None)
    with pytest.raises(BridgenetError, match=r"docker is missing on this host; install it \(Debian: `apt install doc"):
        apply(declared)
