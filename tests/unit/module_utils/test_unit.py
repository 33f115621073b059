# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units as text: what a person wrote comes through systemd's quoting unharmed, or is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils import _unit
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._labels import Label
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._base import Context
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._registry import RESOURCES

CONTEXT = Context("default", "host1")
SERVICE = {"name": "web", "namespace": "ns1", "command": ["sleep", "infinity"]}


def declare(**options: Any) -> Any:
    return RESOURCES["netns_service"].declare({**SERVICE, **options}, CONTEXT)


def unit(**options: Any) -> dict[str, Any]:
    """The settings of its unit."""
    service = declare(**options)
    return _unit.settings(_unit.text(service.name, service.namespace, service.process, service.label))


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("sleep", "sleep"),
        ("--port=80", "--port=80"),
        ("/a/b.c", "/a/b.c"),
        ("", '""'),
        ("a b", '"a b"'),
        ("50%", '"50%%"'),
        ("$HOME", '"$$HOME"'),
        ("${A}", '"$${A}"'),
        ('"', '"\\""'),
        ("'", '"\'"'),
        ("\\", '"\\\\"'),
        ("a\tb", '"a\\tb"'),
        (";", '";"'),
        ("ä", '"ä"'),
    ],
)
def test_quoting(word: str, quoted: str) -> None:
    assert _unit.word(word) == quoted


def words(line: str) -> list[str]:
    """A line taken apart as systemd.service(5) tells it."""
    found = []
    for text in re.findall(r'"(?:[^"\\]|\\.)*"|[^\s"]+', line):
        plain = text[1:-1] if text.startswith('"') else text
        plain = re.sub(r"\\(.)", lambda match: {"t": "\t"}.get(match[1], match[1]), plain, flags=re.DOTALL)
        found.append(plain.replace("%%", "%").replace("$$", "$"))
    return found


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\t"))))
def test_quoting_loses_nothing(given_words: list[str]) -> None:
    line = " ".join(map(_unit.word, given_words))
    assert words(line) == given_words
    assert "\n" not in line
    assert "%" not in line.replace("%%", "")
    assert "$" not in line.replace("$$", "")


def test_the_whole_unit() -> None:
    process = declare(
        hostname="web.lan",
        user="daemon:adm",
        environment={"B": 2, "A": "50% $x"},
        working_dir="/srv/100%/a b",
        restart="unless-stopped",
    ).process
    assert (
        _unit.text("web", "ns1", process, Label("p", "web"))
        == """# bridgenet:1:p:web
# Written by nslab.bridgenet.netns_service, which removes it with state: absent.
[Unit]
Description=web in namespace ns1

[Service]
Type=exec
SyslogIdentifier=web
NetworkNamespacePath=/run/netns/ns1
BindReadOnlyPaths=-/etc/netns/ns1/hosts:/etc/hosts
BindReadOnlyPaths=-/etc/netns/ns1/resolv.conf:/etc/resolv.conf
User=daemon
Group=adm
WorkingDirectory=/srv/100%%/a b
Environment="A=50%% $x"
Environment=B=2
AmbientCapabilities=CAP_SYS_ADMIN
ExecStart=unshare --uts -- sh -c "hostname \\"$$0\\" && exec \\"$$@\\"" web.lan setpriv --ambient-caps=-all \
--inh-caps=-all -- sleep infinity
Restart=always
TimeoutStopSec=10
"""
    )


def test_the_hosts_own_namespace() -> None:
    assert set(unit(namespace="")) == {
        "Description",
        "Type",
        "SyslogIdentifier",
        "ExecStart",
        "Restart",
        "TimeoutStopSec",
    }


@pytest.mark.parametrize("command", ["sleep 'a b' 3", ["sleep", "a b", 3], ("sleep", "a b", "3")])
def test_commands(command: Any) -> None:
    assert declare(command=command).process.command == ("sleep", "a b", "3")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "a b"}, "service name 'a b': allowed are"),
        ({"name": "../x"}, "service name '../x': allowed are"),
        ({"name": "w" * 64}, "has 64 characters, at most 63 are allowed"),
        ({"namespace": "a/b"}, "namespace name 'a/b': allowed are"),
        ({"command": None}, "service 'web' has no command; write a list of words"),
        ({"command": []}, "has no command"),
        ({"command": ""}, "has no command"),
        ({"command": {"a": "b"}}, "has no command"),
        ({"command": "sleep 'a"}, "cannot be split into words (No closing quotation); close the quote"),
        ({"command": ["sh", "-c", "a\nb"]}, "has a line break or another control character"),
        ({"command": ["sh", "a\rb"]}, "has a line break or another control character"),
        ({"command": ["sh", "a\0b"]}, "has a line break or another control character"),
        ({"command": ["sh", "a\x85b"]}, "has a line break or another control character"),
        ({"command": ["sh", "a\u2028b"]}, "has a line break or another control character"),
        ({"command": ["sh", "\udcff"]}, "is not UTF-8"),
        ({"command": ["sleep", True]}, "command True is neither text nor a number; put it in quotes"),
        ({"command": ["sleep", None]}, "command None is neither text nor a number"),
        ({"command": ["-sleep"]}, "command '-sleep' is no name of a program: it may not begin with one of @-:+!|"),
        ({"command": ["+sleep"]}, "is no name of a program"),
        ({"command": ["", "a"]}, "command '' is no name of a program"),
        ({"environment": {"A-B": "1"}}, "environment variable 'A-B': allowed are letters, digits and '_'"),
        ({"environment": {1: "1"}}, "environment variable 1: allowed are"),
        ({"environment": {"A": "1\n[Service]"}}, "environment variable A '1\\n[Service]' has a line break"),
        ({"environment": {"A": True}}, "environment variable A True is neither text nor a number; put it in quotes"),
        ({"hostname": "a b"}, "hostname 'a b': allowed are 1 to 64 letters"),
        ({"hostname": "-a"}, "hostname '-a': allowed are"),
        ({"hostname": "a" * 65}, "allowed are 1 to 64"),
        ({"hostname": "a", "namespace": ""}, "hostname is for a namespace, and this command runs in the host's own"),
        ({"user": "a b"}, "service 'web': user 'a b': allowed are letters"),
        ({"user": ":adm"}, "user ':adm' is neither USER nor USER:GROUP"),
        ({"user": "a:b c"}, "service 'web': group 'b c': allowed are letters"),
        ({"user": "a:"}, "user 'a:' is neither USER nor USER:GROUP"),
        ({"user": "a\nb"}, "user 'a\\nb': allowed are"),
        ({"user": "%i"}, "user '%i': allowed are"),
        ({"working_dir": "srv"}, "working_dir 'srv' is no absolute path"),
        ({"working_dir": "/srv\\"}, "is no absolute path without a backslash"),
        ({"working_dir": "/srv "}, "a space at its end"),
        ({"working_dir": "/a\nb"}, "has a line break"),
    ],
)
def test_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BridgenetError) as caught:
        declare(**options)
    assert message in str(caught.value)


def test_absent_needs_only_a_name() -> None:
    service = RESOURCES["netns_service"].declare({"name": "web", "state": "absent"}, CONTEXT)
    assert service.owns() == [("netns_service", "web")]
