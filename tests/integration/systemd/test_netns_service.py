# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services on a real systemd: a life, every option, what a process sees, and what happens when it does not stay."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.systemd.hosts import Story, SystemdHost

SLEEP = ["sleep", "infinity"]
Objects = dict[str, list[dict[str, Any]]]


NAMES = {
    "name": "blue",
    "namespaces": ["a"],
    "hosts": {"10.0.0.2": "db", "fd00::2": "db"},
    "nameservers": ["10.0.0.1", "fd00::1"],
    "search": ["lan", "example.org"],
}


def service(**options: Any) -> Objects:
    """A namespace, and a service in it."""
    return {"netns": [{"name": "a"}], "netns_service": [{"name": "web", "namespace": "a", "command": SLEEP, **options}]}


def absent(objects: Objects) -> Objects:
    return {module: [{**one, "state": "absent"} for one in found] for module, found in objects.items()}


def test_life(host: SystemdHost) -> None:
    """Fresh, again, absent, absent again."""
    story = Story(host)
    untouched = host.state()
    everything = {**service(hostname="web"), "netns_names": [NAMES]}
    report = story.changes(everything)
    assert "systemctl daemon-reload" in report["actions"]
    assert report["actions"][-1] == "systemctl start -- bridgenet-web.service"
    assert [view[2]["running"] for view in report["after"] if view[0] == "netns_service"] == [True]
    inode = host.shell("stat --dereference --format %i /run/netns/a")
    assert host.shell(f"stat --dereference --format %i /proc/{host.pid('web')}/ns/net") == inode
    story.changes(absent(everything))
    assert host.state() == untouched
    story.stays(absent(everything))


ODD = ["a b", "", "%d", "%%", "$HOME", "${HOME}", "$$", '"', "'", "\\", "\\n", "a\tb", ";", "-x", "ä€", "#", "x\\"]


def test_every_word_arrives_as_it_is(host: SystemdHost) -> None:
    """Whatever a shell or systemd would make of it, in the command as in the environment."""
    python = ["python3", "-c", "import time; time.sleep(1e6)  # 100% $x"]
    variables = {f"V{number}": word for number, word in enumerate(ODD)}
    for hostname in ({}, {"hostname": "web"}):
        host.engine(service(command=[*python, *ODD], environment=variables, **hostname))
        pid = host.pid("web")
        words = host.shell(f"tr '\\0' '\\n' </proc/{pid}/cmdline").split("\n")[:-1]
        assert words == [*python, *ODD]
        seen = host.shell(f"tr '\\0' '\\n' </proc/{pid}/environ").split("\n")
        assert [f"{key}={value}" for key, value in variables.items() if f"{key}={value}" not in seen] == []


def test_what_a_process_sees(host: SystemdHost) -> None:
    """A host name, hosts and resolv.conf of its own, which the host's own do not follow."""
    before = host.shell("hostname; cat /etc/hosts /etc/resolv.conf")
    host.engine({**service(hostname="web.lan", user="daemon", working_dir="/var/tmp"), "netns_names": [NAMES]})
    pid = host.pid("web")
    assert host.shell(f"nsenter --target {pid} --uts hostname") == "web.lan\n"
    assert host.shell(f"nsenter --target {pid} --mount cat /etc/hosts").splitlines()[1:] == [
        "127.0.0.1 localhost",
        "::1 localhost ip6-localhost ip6-loopback",
        "# bridgenet:1:default:blue",
        "10.0.0.2 db",
        "fd00::2 db",
    ]
    assert host.shell(f"nsenter --target {pid} --mount cat /etc/resolv.conf").splitlines()[1:] == [
        "search lan example.org",
        "nameserver 10.0.0.1",
        "nameserver fd00::1",
    ]
    assert host.shell(f"stat --format %U /proc/{pid}; readlink /proc/{pid}/cwd") == "daemon\n/var/tmp\n"
    assert set(host.shell(f"grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/{pid}/status | cut -f2").split()) == {"0" * 16}
    assert host.shell("hostname; cat /etc/hosts /etc/resolv.conf") == before


def test_the_hosts_own_namespace(host: SystemdHost) -> None:
    """Without a namespace the process sees what the host sees."""
    Story(host).changes({"netns_service": [{"name": "web", "command": SLEEP}]})
    pid = host.pid("web")
    assert host.shell(f"readlink /proc/{pid}/ns/net /proc/{pid}/ns/uts") == host.shell(
        "readlink /proc/1/ns/net /proc/1/ns/uts"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({}, {"command": ["sleep", "1000000"]}, id="command"),
        pytest.param({}, {"command": "sleep 'infinity' 1d"}, id="command as text"),
        pytest.param({}, {"hostname": "web"}, id="hostname"),
        pytest.param({"hostname": "web"}, {"hostname": "web2", "user": "daemon:daemon"}, id="user with hostname"),
        pytest.param({}, {"user": "daemon"}, id="user"),
        pytest.param({}, {"environment": {"A": "1"}}, id="environment"),
        pytest.param({}, {"working_dir": "/tmp"}, id="working_dir"),
        pytest.param({}, {"restart": "unless-stopped"}, id="restart"),
        pytest.param({"label": "one"}, {"label": "two"}, id="label"),
    ],
)
def test_option(host: SystemdHost, old: dict[str, Any], new: dict[str, Any]) -> None:
    """There and back; the process is another one each time."""
    story = Story(host)
    story.begins(service(**old))
    first, pid = host.state(), host.pid("web")
    story.changes(service(**new))
    host.engine(service(**old))
    assert host.state() == first
    assert host.pid("web") != pid


def test_what_did_not_change_runs_on(host: SystemdHost) -> None:
    """Another service comes, changes and goes beside it."""
    host.engine(service())
    pid = host.pid("web")
    other = {"name": "other", "namespace": "a", "command": SLEEP}
    for objects in ([other], [{**other, "restart": "always"}], [{**other, "state": "absent"}]):
        assert host.engine({"netns_service": [*service()["netns_service"], *objects]})["report"]["changed"]
        assert host.pid("web") == pid


def test_started_again_after_it_ended(host: SystemdHost) -> None:
    """Whoever ended it."""
    host.engine(service())
    end = "systemctl kill --signal=KILL bridgenet-web; while systemctl --quiet is-active bridgenet-web; do :; done"
    for command in ("systemctl stop bridgenet-web", end):
        host.shell(command)
        report = host.engine(service())["report"]
        assert report["actions"] == ["systemctl start -- bridgenet-web.service"]
        assert host.pid("web")


def test_restarted_in_a_namespace_that_was_made_anew(host: SystemdHost) -> None:
    """By somebody, or by the same task."""
    host.engine(service())
    host.shell("ip netns del a")
    report = host.engine(service())["report"]
    assert report["actions"][0] == "systemctl stop -- bridgenet-web.service"
    host.shell("ip netns del a; ip netns add a; ip -n a link set dev lo alias bridgenet:1:default:a up")
    assert host.engine(service(), check=True)["report"]["changed"]
    host.engine(service())
    assert host.shell(f"ip netns identify {host.pid('web')}") == "a\n"


def test_in_a_second_name_of_a_namespace(host: SystemdHost) -> None:
    """As the declaration has it for network_mode: container:NAME; both go together."""
    both = {
        "netns": [{"name": "a"}, {"name": "b", "same_as": "a"}],
        "netns_service": [{"name": name, "namespace": name, "command": SLEEP, "hostname": name} for name in "ab"],
    }
    Story(host).changes(both)
    places = host.shell(f"readlink /proc/{host.pid('a')}/ns/net /proc/{host.pid('b')}/ns/net").split()
    assert places[0] == places[1] != host.shell("readlink /proc/1/ns/net").strip()
    names = [host.shell(f"nsenter --target {host.pid(name)} --uts hostname").strip() for name in "ab"]
    assert names == ["a", "b"]
    assert host.engine(absent(both))["report"]["changed"]


def test_a_namespace_that_somebody_else_holds(host: SystemdHost) -> None:
    """The service is no holder, as it is stopped; a person's process is."""
    host.engine(service())
    host.shell("systemd-run --quiet --unit=holder --property=NetworkNamespacePath=/run/netns/a sleep infinity")
    before = host.state()
    error = host.engine(absent(service()))["error"]
    assert "namespace 'a' is still held by" in error
    assert str(host.pid("web")) not in error
    assert host.state() == before
    host.shell("systemctl stop holder")


def test_restarted_with_the_container_whose_namespace_was_adopted(host: SystemdHost) -> None:
    """The name passes on to the new one's, and the service with it."""
    start = "systemd-run --quiet --unit=holder --property=PrivateNetwork=yes sleep infinity"
    pids = []
    for _round in range(2):
        host.shell(start)
        pids.append(int(host.shell("systemctl show --property=MainPID --value holder")))
        objects = {"netns": [{"name": "a", "adopt": {"pid": pids[-1]}}], "netns_service": service()["netns_service"]}
        assert host.engine(objects)["report"]["changed"]
        places = host.shell(f"readlink /proc/{pids[-1]}/ns/net /proc/{host.pid('web')}/ns/net").split()
        assert places[0] == places[1]
        host.shell("systemctl stop holder")
    host.engine(absent(objects))


def test_moved_to_another_namespace(host: SystemdHost) -> None:
    """It runs there."""
    story = Story(host)
    story.begins(service(hostname="web"))
    story.changes(
        {
            "netns": [{"name": "a"}, {"name": "b"}],
            "netns_service": [{**service(hostname="web")["netns_service"][0], "namespace": "b"}],
        }
    )
    assert host.shell(f"ip netns identify {host.pid('web')}") == "b\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"command": ["sh", "-c", "echo I cannot; exit 3"]}, "I cannot", id="ends at once"),
        pytest.param({"command": ["sh", "-c", "echo again; exit 1"], "restart": "always"}, "again", id="in a loop"),
        pytest.param({"command": ["true"]}, "last words", id="ends well"),
        pytest.param({"command": ["no-such-program"]}, "no-such-program", id="no program"),
        pytest.param({"command": ["no-such-program"], "hostname": "web"}, "no-such-program", id="no program, named"),
        pytest.param({"working_dir": "/nowhere"}, "200/CHDIR", id="no directory"),
    ],
)
def test_one_that_does_not_stay(host: SystemdHost, options: dict[str, Any], message: str) -> None:
    """The error has its last words, and nothing is left."""
    before = host.state()
    error = host.engine(service(**options), settle=None)["error"]
    assert "service 'web' does not stay up" in error
    assert message in error
    assert "what this run had done was undone" in error
    assert host.state() == before


def test_last_words_of_one_that_the_journal_never_saw_alive(host: SystemdHost) -> None:
    """One without a program has left its cgroup before a busy journald looks there for the unit it belongs to."""
    host.shell(
        """
        journal=$(systemctl show --property=MainPID --value systemd-journald)
        kill -STOP "$journal"
        { for _ in $(seq 400); do
              sleep 0.05; [ "$(systemctl show --property=ActiveState --value bridgenet-web)" != failed ] || break
          done; kill -CONT "$journal"; } >/dev/null 2>&1 &
        """
    )
    error = host.engine(service(command=["no-such-program"]), settle=None)["error"]
    assert "no-such-program" in error


def test_a_user_that_is_not_there(host: SystemdHost) -> None:
    """An error before the first change."""
    done = host.engine(service(user="nobody-knows:daemon"))
    assert done["error"] == "missing on this host: user nobody-knows; create it first"


def test_a_change_that_does_not_stay(host: SystemdHost) -> None:
    """The old one runs again."""
    host.engine(service())
    before = host.state()
    assert "does not stay up" in host.engine(service(command=["false"]), settle=None)["error"]
    assert host.state() == before
    assert host.pid("web")


def test_one_that_cannot_come_back_stops_no_other(host: SystemdHost) -> None:
    """A change starts all services of a namespace again; undone, one finds no more what it needs."""
    needs = "[ -e /run/needed ] && exec sleep infinity"
    services = [
        {"name": "frail", "namespace": "a", "command": ["sh", "-c", needs]},
        {"name": "sound", "namespace": "a", "command": SLEEP},
    ]
    there = {"netns": [{"name": "a"}], "netns_service": services}
    host.shell("touch /run/needed")
    assert "report" in host.engine(there)
    host.shell("rm /run/needed")
    error = host.engine({**there, "netns_names": [NAMES]}, settle=None)["error"]
    assert "service 'frail' does not stay up" in error
    assert host.shell("systemctl is-active bridgenet-sound.service") == "active\n"
    assert "failed" not in host.shell("systemctl list-units --all --plain --no-legend 'bridgenet-*'")


def test_nothing_is_left_of_one_that_failed(host: SystemdHost) -> None:
    """By itself, before it is removed, or by the way it ends."""
    crash = ["sh", "-c", "sleep 1.5; exit 3"]
    stubborn = ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done"]
    for command in (crash, stubborn):
        assert "report" in host.engine(service(command=command))
        if command == crash:
            host.shell("while systemctl is-active --quiet bridgenet-web.service; do sleep 0.1; done")
        assert "report" in host.engine(absent(service(command=command)))
        assert host.shell("systemctl list-units --all --plain --no-legend 'bridgenet-*'") == ""


def test_a_fault_at_every_position_is_undone(host: SystemdHost) -> None:
    """Changed, moved and removed in one task."""
    there = {
        "netns": [{"name": "a"}, {"name": "b"}],
        "netns_service": [
            {"name": name, "namespace": "a", "command": SLEEP, **more}
            for name, more in (("changed", {}), ("moved", {}), ("removed", {"hostname": "removed"}))
        ],
    }
    wanted = {
        "netns": [{"name": "a"}, {"name": "b"}, {"name": "c"}],
        "netns_service": [
            {"name": "changed", "namespace": "a", "command": ["sleep", "1d"]},
            {"name": "moved", "namespace": "c", "command": SLEEP},
            {"name": "removed", "namespace": "a", "state": "absent"},
            {"name": "new", "namespace": "b", "command": SLEEP, "hostname": "new"},
        ],
    }
    done = host.engine(there)
    assert "report" in done, done
    before, struck = host.state(), set()
    for position in range(100):
        done = host.engine(wanted, fault=position)
        if not done["struck"]:
            break
        struck.add(done["struck"])
        assert "what this run had done was undone" in done["error"]
        assert host.state() == before, f"after a fault of {done['struck']}"
    assert {"StopServices", "WriteUnits", "StartServices"} <= struck
    assert done["report"]["changed"]


def test_purge_takes_ours_only(host: SystemdHost) -> None:
    """A unit of another project stays, and so does a person's."""
    theirs = "/etc/systemd/system/bridgenet-theirs.service"
    host.shell(
        f"printf '[Service]\\nExecStart=sleep infinity\\n' >{theirs}; mkdir -p /etc/netns/a; echo >/etc/netns/a/x"
    )
    host.engine(
        {"netns": [{"name": "b"}], "netns_service": [{"name": "other", "namespace": "b", "command": SLEEP}]},
        project="other",
    )
    before = host.state()
    host.engine(service(hostname="web"))
    host.engine({}, purge=True)
    assert host.state() == before
    host.engine({}, purge=True, project="other")
    host.shell(f"rm {theirs}; rm -r /etc/netns; systemctl daemon-reload")


def test_a_unit_in_the_way(host: SystemdHost) -> None:
    """Somebody else's is left alone, unless it is handed over."""
    unit = "/etc/systemd/system/bridgenet-web.service"
    host.shell(f"printf '[Service]\\nExecStart=sleep infinity\\n' >{unit}")
    before = host.state()
    assert "service 'web' exists and is not ours" in host.engine(service())["error"]
    assert "is not removed" in host.engine(absent(service(label="web")))["error"]
    assert host.state() == before
    assert host.engine(service(take_over=True))["report"]["changed"]


def test_a_process_sees_new_names_without_a_start(host: SystemdHost) -> None:
    """A neighbour that comes, and an address that changes; only where the file itself comes or goes it starts again."""

    def knows(**options: Any) -> int:
        done = host.engine({**service(), "netns_names": [{**NAMES, **options}]})
        assert done["report"]["changed"], done
        return host.pid("web")

    host.engine(service())
    before = host.pid("web")
    pid = knows()
    assert pid != before
    for address in ("10.0.0.3", "10.0.0.4"):
        assert knows(hosts={address: "db", "10.0.0.9": ["new", "x"]}) == pid
        found = host.shell(f"nsenter --target {pid} --mount getent hosts db new")
        assert [line.split()[0] for line in found.splitlines()] == [address, "10.0.0.9"]
    host.engine({"netns_names": [{"name": "blue", "state": "absent"}]})
    assert host.pid("web") != pid
    assert host.shell("[ ! -e /etc/netns ] && echo gone") == "gone\n"
