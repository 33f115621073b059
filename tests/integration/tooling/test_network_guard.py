# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard of `make test`, inside a private network namespace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GUARD = Path(__file__).parents[2] / "network_guard.py"


def guard(script: str) -> subprocess.CompletedProcess[str]:
    """Run the guard around a shell script, in a namespace where the settle time need not be waited for."""
    mount = "mount --make-rprivate / && mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec"
    return subprocess.run(
        [
            "unshare",
            "--net",
            "--mount",
            "sh",
            "-c",
            f'{mount} "$@"',
            "sh",
            sys.executable,
            str(GUARD),
            "sh",
            "-c",
            script,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NETWORK_GUARD_SETTLE_SECONDS": "0"},
    )


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("ip link add left0 type bridge", "left0"),
        ("ip addr add 192.0.2.1/32 dev lo", "192.0.2.1"),
        ("ip link set lo up && ip route add 192.0.2.0/24 dev lo", "192.0.2.0/24"),
        ("ip rule add from 192.0.2.1 lookup 7", "192.0.2.1"),
        ("ip netns add left0", "left0"),
        ("nft add table inet left0", "left0"),
        (
            "read on </proc/sys/net/ipv4/ip_forward; echo $((1 - on)) >/proc/sys/net/ipv4/ip_forward",
            "net/ipv4/ip_forward",
        ),
    ],
)
def test_a_difference_fails_and_is_named(script: str, named: str) -> None:
    result = guard(script)
    assert result.returncode == 1, result.stdout
    assert named in result.stdout


def test_what_is_taken_away_again_is_no_difference() -> None:
    result = guard("ip link add left0 type bridge; ip netns add left0; ip netns del left0; ip link del left0")
    assert result.returncode == 0, result.stdout


def test_volatile_fields_do_not_count() -> None:
    # The counter of the rule moves while the command runs.
    prepare = "nft 'table inet t { chain c { type filter hook output priority 0; counter } }'; ip link set lo up"
    inner = f"{sys.executable} {GUARD} ping -c 1 -W 1 127.0.0.1"
    result = guard(f"{prepare} && {inner}")
    assert "is as it was before" in result.stdout, result.stdout


def test_the_status_of_the_command_is_passed_on() -> None:
    assert guard("exit 7").returncode == 7
