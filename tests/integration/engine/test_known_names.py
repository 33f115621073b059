# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What namespaces know by name: a life, every option, whose the files are, and what a process sees that runs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

Objects = dict[str, list[dict[str, Any]]]

HOSTS = {"10.0.0.2": ["b", "web"], "10.0.0.1": "a"}
LOOPBACK = "# bridgenet:1:default:localhost\n127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
BLUE = "# bridgenet:1:default:blue\n10.0.0.1 a\n10.0.0.2 b web\n"


def names(*lists: dict[str, Any], namespaces: str = "ab") -> Objects:
    """Lists of names, and the namespaces that know them."""
    return {"netns": [{"name": name} for name in namespaces], "netns_names": list(lists)}


def blue(**options: Any) -> dict[str, Any]:
    """One list."""
    return {"name": "blue", "namespaces": ["b", "a"], "hosts": HOSTS, **options}


def seen(namespace: str, file: str) -> str:
    """A file in /etc as `ip netns exec` shows it."""
    return shell(f"ip netns exec {namespace} cat /etc/{file}")


def files() -> dict[str, str]:
    """All that is in /etc/netns."""
    return {path: text for path, text in snapshot.files().items() if path.startswith("/etc/netns")}


def test_life() -> None:
    """Fresh, again, absent, absent again."""
    story = Story()
    report = story.changes(names(blue()))
    shown = {"name": "blue", "namespaces": ["a", "b"], "hosts": {"10.0.0.1": ["a"], "10.0.0.2": ["b", "web"]}}
    assert ("netns_names", "list of names 'blue'", shown) in report.after
    assert files() == dict.fromkeys(("/etc/netns/a/hosts", "/etc/netns/b/hosts"), LOOPBACK + BLUE)
    assert seen("a", "hosts") == LOOPBACK + BLUE
    assert shell("ip netns exec a getent hosts web 10.0.0.1") == "10.0.0.2        b web\n10.0.0.1        a\n"
    story.changes(names(blue(state="absent")))
    assert not Path("/etc/netns").exists()
    story.stays(names(blue(state="absent")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({}, {"hosts": {"10.0.0.1": "a"}}, id="a name less"),
        pytest.param({}, {"hosts": {**HOSTS, "fd00::1": ["a"]}}, id="IPv6"),
        pytest.param({}, {"hosts": {"10.0.0.2": ["web", "b"], "10.0.0.1": "a"}}, id="another order"),
        pytest.param({}, {"namespaces": ["a"]}, id="namespaces"),
        pytest.param({}, {"hosts": None, "nameservers": ["10.0.0.9"]}, id="from hosts to nameservers"),
        pytest.param({"nameservers": ["10.0.0.9"]}, {"nameservers": ["10.0.0.9", "fd00::9"]}, id="nameservers"),
        pytest.param({"nameservers": ["10.0.0.9"]}, {"nameservers": ["10.0.0.9"], "search": ["lan"]}, id="search"),
    ],
)
def test_option(old: dict[str, Any], new: dict[str, Any]) -> None:
    """There and back."""
    story = Story()
    story.changes(names(blue(**old)))
    first = snapshot.state()
    story.changes(names(blue(**new)))
    story.changes(names(blue(**old)))
    snapshot.same(first, snapshot.state())


def test_several_lists_in_one_namespace() -> None:
    """Each is there for itself."""
    story = Story()
    red = {"name": "red", "namespaces": ["b", "c"], "hosts": {"10.1.0.1": "c", "10.1.0.2": "b"}}
    story.changes(names(blue(), red, namespaces="abc"))
    assert seen("b", "hosts") == f"{LOOPBACK}{BLUE}# bridgenet:1:default:red\n10.1.0.1 c\n10.1.0.2 b\n"
    assert "red" not in seen("a", "hosts")
    assert "blue" not in seen("c", "hosts")
    story.changes(names(blue(state="absent", namespaces=["b"])))
    assert "blue" not in seen("b", "hosts")
    assert "blue" in seen("a", "hosts")
    story.changes({}, purge=True)
    assert not Path("/etc/netns").exists()


def test_the_commands_do_not_grow_with_the_square_of_the_members() -> None:
    """Nor do the options, and the result."""
    many = [f"n{number}" for number in range(40)]
    hosts = {f"10.0.1.{number}": name for number, name in enumerate(many)}
    objects: Objects = {
        "netns": [{"name": name} for name in many],
        "netns_names": [{"name": "blue", "namespaces": many, "hosts": hosts}],
    }
    actions = [line for line in check(objects).actions if "/etc/netns" in line]
    assert len(actions) == 2
    assert sum(map(len, actions)) < 100 * len(many)


def test_a_namespace_takes_its_files_along() -> None:
    """By its name; the lists of the others go on, and a person's file stays."""
    story = Story("mkdir -p /etc/netns/a; echo 192.0.2.1 mine >/etc/netns/a/services")
    story.changes(names(blue(nameservers=["10.0.0.9"])))
    story.changes({"netns": [{"name": "a", "state": "absent"}]})
    assert sorted(files()) == ["/etc/netns/a/services", "/etc/netns/b/hosts", "/etc/netns/b/resolv.conf"]


def test_second_names_have_files_of_their_own() -> None:
    """As ip-netns(8) looks by name; they go with the owner's."""
    story = Story()
    second = {"netns": [{"name": "a"}, {"name": "b", "same_as": "a"}], "netns_names": [blue()]}
    story.changes(second)
    assert seen("b", "hosts") == seen("a", "hosts") == LOOPBACK + BLUE
    story.changes({"netns": [{"name": "a", "state": "absent"}]})
    assert not Path("/etc/netns").exists()


def test_an_exclusive_namespace_knows_only_what_is_declared() -> None:
    """Of a network that it has left; who is still in it knows it still."""
    story = Story()
    story.changes(names(blue()))
    story.changes({"netns": [{"name": "a", "exclusive": True}]})
    assert list(files()) == ["/etc/netns/b/hosts"]


def test_a_file_that_somebody_changed_is_mended() -> None:
    """And check mode says in which namespace it differs."""
    apply(names(blue()))
    path = Path("/etc/netns/a/hosts")
    path.write_text(path.read_text(encoding="utf-8").replace("10.0.0.2", "10.0.0.3"), encoding="utf-8")
    before = next(view for module, _what, view in check(names(blue())).before if module == "netns_names")
    assert before["namespaces"] == ["a"]
    assert before["differing"] == {"b": {"hosts": {"10.0.0.1": ["a"], "10.0.0.2": ["b", "web"]}}}
    assert apply(names(blue())).changed
    assert seen("a", "hosts") == LOOPBACK + BLUE


@pytest.mark.parametrize("file", ["hosts", "resolv.conf"])
def test_a_file_in_the_way(file: str) -> None:
    """Somebody's is left alone, unless it is handed over; whatever its encoding."""
    shell(f"mkdir -p /etc/netns/b; printf '10.9.9.9 m\\344nner\\n' >/etc/netns/b/{file}")
    before = Path("/etc/netns/b", file).read_bytes()
    objects = names(blue(nameservers=["10.0.0.9"]))
    for run in (check, apply):
        with pytest.raises(BridgenetError, match=f"file '/etc/netns/b/{file}' exists and is not ours; .*take_over"):
            run(objects)
    assert Path("/etc/netns/b", file).read_bytes() == before
    apply(names(blue(nameservers=["10.0.0.9"], take_over=True)))
    assert "10.9.9.9" not in seen("b", file)


def test_a_link_in_the_way_is_not_followed() -> None:
    """It may lead to the host's own file."""
    shell("mkdir -p /etc/netns/b; ln -s /etc/hosts /etc/netns/b/hosts")
    before = Path("/etc/hosts").read_text(encoding="utf-8")
    with pytest.raises(BridgenetError, match="exists and is not ours"):
        apply(names(blue()))
    with pytest.raises(BridgenetError, match="what this run had done was undone"):
        apply(names(blue(take_over=True)))
    assert Path("/etc/hosts").read_text(encoding="utf-8") == before
    assert not Path("/etc/netns/a").exists()


def test_another_project() -> None:
    """Its file is named as such."""
    apply(names(blue()), project="theirs")
    with pytest.raises(BridgenetError, match="'/etc/netns/a/hosts' belongs to project 'theirs', not 'default'"):
        apply({"netns_names": [blue()]})


def test_a_process_that_runs_sees_new_names() -> None:
    """What `ip netns exec` mounted is the same file."""
    apply(names(blue()))
    reader = ["ip", "netns", "exec", "a", "sh", "-c", "while read -r name; do getent hosts $name || echo none; done"]
    with subprocess.Popen(
        reader, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", bufsize=1
    ) as process:
        assert process.stdin
        assert process.stdout

        def ask(name: str) -> str:
            process.stdin.write(f"{name}\n")  # type: ignore[union-attr]
            return process.stdout.readline().split()[0]  # type: ignore[union-attr]

        assert ask("web") == "10.0.0.2"
        apply(names(blue(hosts={"10.0.0.7": "web"})))
        assert ask("web") == "10.0.0.7"
        assert ask("b") == "none"


def test_it_is_undone() -> None:
    """With what fails behind it."""
    apply(names(blue()))
    before = snapshot.state()
    peer = {"name": "y1", "routes": [{"to": "default", "via": "10.9.0.1"}]}
    taken = {"veth": [{"name": "y0", "peer": peer}]}
    with pytest.raises(BridgenetError, match="what this run had done was undone"):
        apply({**names(blue(hosts={"10.0.0.9": "z"}, nameservers=["10.0.0.9"])), **taken})
    snapshot.same(before, snapshot.state())


RESOLVED = "# systemd-resolved\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch example.com\n"


@pytest.mark.parametrize(
    ("host", "resolved", "written"),
    [
        ("nameserver 192.0.2.1\n", RESOLVED, None),
        ("# nobody\n", RESOLVED, None),
        ("nameserver 127.0.0.53\noptions edns0\n", RESOLVED, "search example.com\nnameserver 192.0.2.53\n"),
        ("nameserver 127.0.0.53\nnameserver 192.0.2.1\n", RESOLVED, None),
        ("nameserver ::1\n", "", ""),
    ],
)
def test_the_name_servers_of_the_host(host: str, resolved: str, written: str | None) -> None:
    """Its own file where that is of use in a namespace, those behind systemd-resolved where not."""
    prepare = "rm -f /etc/resolv.conf; mkdir -p /run/systemd/resolve\n"
    prepare += f"printf '{host}' >/etc/resolv.conf; printf '{resolved}' >/run/systemd/resolve/resolv.conf\n"
    objects = names({"name": "dns", "namespaces": ["a"], "host_nameservers": True})
    story = Story(prepare)
    report = story.changes(objects)
    path = Path("/etc/netns/a/resolv.conf")
    assert path.exists() == bool(written)
    assert any("which nobody in a namespace can reach" in warning for warning in report.warnings) == (written == "")
    if written:
        assert path.read_text(encoding="utf-8") == f"# bridgenet:1:default:dns\n{written}"
        Path("/etc/resolv.conf").write_text("nameserver 192.0.2.1\n", encoding="utf-8")
        apply(objects)
        assert not path.exists()


def test_one_resolver_for_a_namespace() -> None:
    """Two lists cannot both say whom it asks."""
    with pytest.raises(BridgenetError, match="list of names 'x' and list of names 'y' are the same file"):
        check(names(*({"name": name, "namespaces": ["a"], "nameservers": ["10.0.0.9"]} for name in "xy")))


def test_check_mode_assumes_a_namespace() -> None:
    """A real run does not."""
    assert check({"netns_names": [blue()]}).assumed == ("namespace a", "namespace b")
    with pytest.raises(BridgenetError, match="missing on this host: namespace a, namespace b"):
        apply({"netns_names": [blue()]})
