# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that enters a namespace, run by a real shell beside programs that only pretend. No root needed."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.plugin_utils._entering import Entrance

MARK = "0123456789abcdef"
PROGRAMS = {
    "ip": 'echo "ip $1 $2 $3" >>"$LOG"; shift 3; exec "$@"',
    "id": 'case $1 in -u) echo "$LOGIN";; -g) echo 50;; -G) echo 50 51;; -un) echo admin;; esac',
    "stat": 'echo 4; [ "$4" != /run/netns/leftover ] || { echo 5; exit; }; [ "$4" != /run/netns/gone ] && echo 4',
    "sudo": '[ "$SUDO" != denied ] && echo sudo >>"$LOG" && shift && exec "$@"; echo sudo: password >&2; exit 1',
    "setpriv": 'echo "setpriv $*" >>"$LOG"; shift 3; exec "$@"',
}


class Shell:
    """A login on a host: a shell, and the programs that it finds."""

    def __init__(self, directory: Path) -> None:
        self.bin, self.log = directory / "bin", directory / "log"
        self.bin.mkdir()
        for name, script in PROGRAMS.items():
            self.write(name, script)
        for name in ("cat", "env", "tr", "true"):
            (self.bin / name).symlink_to(Path("/usr/bin", name))

    def write(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, command: str, login: int = 0, sudo: str = "", stdin: bytes = b"") -> tuple[int, str, str]:
        self.log.write_text("", encoding="utf-8")
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env={"PATH": str(self.bin), "HOME": "/home/a b", "LOGIN": str(login), "LOG": str(self.log), "SUDO": sudo},
            input=stdin,
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode()

    def did(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def entrance(namespace: str = "ns1", sudo: bool = False) -> Entrance:
    return Entrance("lab1", namespace, sudo, MARK)


def test_root_enters_without_sudo(shell: Shell) -> None:
    assert shell.run(entrance(sudo=True).command("echo hello; exit 7")) == (7, "hello\n", "")
    assert shell.did() == ["ip netns exec ns1"]


def test_a_login_enters_through_sudo_and_is_itself_inside(shell: Shell) -> None:
    shown = 'echo "$HOME $USER $LOGNAME"; echo "${SUDO_USER-none}"'
    assert shell.run(entrance(sudo=True).command(shown), login=40) == (0, "/home/a b admin admin\nnone\n", "")
    did = shell.did()
    assert did[:2] == ["sudo", "ip netns exec ns1"]
    assert did[2].startswith("setpriv --reuid=40 --regid=50 --groups=50,51 env ")


@pytest.mark.parametrize("status", [0, 1, 2, 126, 255])
@pytest.mark.parametrize("login", [0, 40])
def test_the_exit_status_and_the_input_are_the_command_s(shell: Shell, login: int, status: int) -> None:
    command = entrance(sudo=True).command(f"cat; exit {status}")
    done = shell.run(command, login=login, stdin=b"line 1\nline 2\x00")
    assert done == (status, "line 1\nline 2\x00", "")
    assert entrance().refusal(done[1] + done[2]) is None


@given(text=st.text(st.characters(exclude_characters="\0", codec="utf-8")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@pytest.mark.parametrize("login", [0, 40])
def test_no_text_means_anything_to_a_shell_on_the_way(shell: Shell, login: int, text: str) -> None:
    command = entrance(sudo=True).command(f"printf %s {shlex.quote(text)}")
    assert shell.run(command, login=login)[:2] == (0, text)


def test_the_script_passes_through_other_login_shells() -> None:
    """Neither a line break nor a quote that csh or fish would read in their own way."""
    script = shlex.split(entrance().command("true"))[2]
    assert "\n" not in script
    assert "'" not in script


@pytest.mark.parametrize(
    ("namespace", "sudo", "login", "without", "said"),
    [
        ("gone", False, 0, "", "host 'lab1' has no network namespace 'gone'; create it first"),
        ("leftover", False, 0, "", "host 'lab1' has no network namespace 'leftover'"),
        ("gone", False, 40, "", "host 'lab1' has no network namespace 'gone'"),
        ("ns1", False, 40, "", "the login on host 'lab1' is not root, and only root can enter network namespace 'ns1'"),
        ("ns1", False, 40, "", "set bridgenet_sudo: true"),
        ("ns1", True, 40, "sudo", "host 'lab1' has no program `sudo`"),
        ("ns1", True, 40, "setpriv", "host 'lab1' has no program `setpriv`"),
    ],
)
def test_what_is_refused(shell: Shell, namespace: str, sudo: bool, login: int, without: str, said: str) -> None:
    if without:
        (shell.bin / without).unlink()
    way = entrance(namespace, sudo)
    status, output, errors = shell.run(way.command("echo inside"), login=login)
    assert (status, output, shell.did()) == (125, "", [])
    refusal = way.refusal(errors)
    assert refusal is not None
    assert said in refusal


def test_sudo_that_asks_for_a_password(shell: Shell) -> None:
    way = entrance(sudo=True)
    status, output, errors = shell.run(way.command("echo inside"), login=40, sudo="denied")
    assert (status, output) == (125, "")
    refusal = way.refusal(errors)
    assert refusal is not None
    assert "does not let the login enter network namespace 'ns1' without a password" in refusal
    assert refusal.endswith("(sudo: password)")


def test_a_refusal_reads_its_input_to_the_end(shell: Shell) -> None:
    command = entrance("gone").command("cat", drain=True)
    assert shell.run(command, stdin=b"x" * 1_000_000)[0] == 125


def test_a_terminal_between_does_not_hide_a_refusal() -> None:
    assert entrance("gone").refusal(f"noise\r\n{MARK} missing\r\nShared connection closed.\r\n")


def test_what_a_command_prints_is_no_refusal() -> None:
    assert entrance().refusal("fedcba9876543210 missing\n") is None
