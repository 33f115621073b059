# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand

BLUE = {"blue": {"subnet": "10.10.0.0/16"}}
IN_BLUE = {"networks": {"blue": {"ipv4_address": "10.10.0.10"}}}
SLEEP = ["sleep", "infinity"]


def service(container, networks=None):
    (found,) = expand(networks or {}, {"web": container})["netns_service"]
    return found


def with_command(**keys):
    return {"network_mode": "none", "command": SLEEP, **keys}


def test_a_container_without_a_command_has_no_service():
    assert expand(BLUE, {"web": IN_BLUE})["netns_service"] == []


def test_a_command_in_a_network():
    """It has the container's name."""
    assert service({**IN_BLUE, "command": "sleep 'a b' 1"}, BLUE) == {
        "name": "web",
        "label": "web",
        "namespace": "web",
        "command": ["sleep", "a b", "1"],
        "hostname": "web",
        "restart": "no",
    }


def test_every_key():
    assert service(
        with_command(
            hostname="www",
            environment={"A": 1, "B": "x y"},
            user="daemon:adm",
            working_dir="/srv",
            restart="unless-stopped",
        )
    ) == {
        "name": "web",
        "label": "web",
        "namespace": "web",
        "command": SLEEP,
        "hostname": "www",
        "environment": {"A": "1", "B": "x y"},
        "user": "daemon:adm",
        "working_dir": "/srv",
        "restart": "unless-stopped",
    }


@pytest.mark.parametrize(
    ("given", "key", "read"),
    [
        ({"environment": ["A=b=c", "B="]}, "environment", {"A": "b=c", "B": ""}),
        ({"user": 1000}, "user", "1000"),
        ({"restart": False}, "restart", "no"),
        ({"command": ["sleep", 1, 1.5]}, "command", ["sleep", "1", "1.5"]),
    ],
)
def test_the_forms_that_compose_has(given, key, read):
    assert service(with_command(**given))[key] == read


def test_in_the_hosts_own_namespace():
    assert service({"network_mode": "host", "command": SLEEP}) == {
        "name": "web",
        "label": "web",
        "command": SLEEP,
        "restart": "no",
    }


def test_in_the_namespace_of_another_container():
    lists = expand(BLUE, {"web": IN_BLUE, "side": {"network_mode": "container:web", "command": SLEEP}})
    (found,) = lists["netns_service"]
    assert (found["namespace"], found["hostname"]) == ("side", "side")


def test_absent():
    """Also where no command is declared any more: the namespace could not go."""
    gone = [{"name": "web", "label": "web", "state": "absent"}]
    assert expand({}, {"web": {"state": "absent"}})["netns_service"] == gone
    assert expand({}, {"web": with_command(state="absent")})["netns_service"] == gone


@pytest.mark.parametrize("adopt", [{"pid": 7}, {"path": "/proc/7/ns/net"}, {"podman": "web"}, {"docker": "web"}])
def test_adopt(adopt):
    lists = expand(BLUE, {"web": {**IN_BLUE, "adopt": adopt}})
    assert lists["netns"] == [{"name": "web", "label": "web", "exclusive": True, "adopt": adopt}]
    assert lists["veth"][0]["peer"]["namespace"] == "web"
    assert expand({}, {"web": {"adopt": adopt}})["veth"] == []


REFUSED = {
    "command: line break": (with_command(command=["sh", "-c", "a\nb"]), "command: command 'a\\nb' has a line break"),
    "command: empty": (with_command(command=[]), "command has no command; write a list of words"),
    "command: open quote": (with_command(command="sleep 'a"), "cannot be split into words"),
    "command: mapping": (with_command(command={"a": "b"}), "command {'a': 'b'} is a mapping, not text"),
    "command: truth": (with_command(command=["echo", True]), "command True is neither text nor a number"),
    "none": (
        {"network_mode": "none", "hostname": "x"},
        "container 'web': hostname is for a command, and there is none",
    ),
    "host: hostname": (
        {"network_mode": "host", "command": SLEEP, "hostname": "x"},
        "hostname is for a namespace of its own, and with network_mode: host the command has the host's",
    ),
    "hostname": (with_command(hostname="a b"), "hostname 'a b': allowed are"),
    "environment: form": (with_command(environment=["A"]), "environment 'A' is not of the form NAME=VALUE"),
    "environment: truth": (with_command(environment={"A": True}), "environment variable A True is neither text nor"),
    "environment: name": (with_command(environment={"A B": "1"}), "environment variable 'A B': allowed are"),
    "user": (with_command(user="a b"), "user 'a b': allowed are"),
    "working_dir": (with_command(working_dir="srv"), "working_dir 'srv' is no absolute path"),
    "restart": (with_command(restart="allways"), "restart 'allways' is not possible; did you mean 'always'?"),
    "adopt: two": ({"adopt": {"pid": 1, "docker": "a"}}, "adopt names pid and docker; name exactly one of pid, path"),
    "adopt: none": ({"adopt": {}}, "adopt names nothing; name exactly one of"),
    "adopt: word": ({"adopt": {"lxc": "a"}}, "unknown key 'lxc'; valid: pid, path, podman, docker"),
    "adopt: with a mode": ({"adopt": {"pid": 7}, "network_mode": "none"}, "has both adopt and network_mode"),
}


@pytest.mark.parametrize(("container", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(container, message):
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        expand({}, {"web": container})


def test_a_command_that_is_taken_out():
    """Inside a namespace, which is exclusive, nothing has to be said; on the host itself it has."""
    assert expand(BLUE, {"web": IN_BLUE})["netns"][0]["exclusive"]
    found = expand({}, {"web": {"network_mode": "host"}})["netns_service"]
    assert found == [{"name": "web", "label": "web", "state": "absent"}]
