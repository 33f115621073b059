# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep everything that the collection could change on a host, and say later what is different.

    snapshot.py keep FILE
    snapshot.py compare FILE [--may-stay MOUNT_POINT]

compare prints a unified diff and fails if anything moved. Left out is what moves by itself: timers, counters,
the operational state.
"""

from __future__ import annotations

import argparse
import ctypes
import difflib
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMED = Path("/run/netns")
CLONE_NEWNET = 0x40000000
TIME_LIMIT = 20  # seconds
# What others on the machine mount there goes in every namespace that has a copy of it: containers, images being built.
ELSEWHERE = ("/tmp/", "/var/lib/containerd/", "/var/lib/containers/", "/var/lib/docker/")
SELF_MOVING = re.compile(r"operstate|fdb_n_learned|.*_timer")


def output(*command: str) -> str:
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def settled(value: Any) -> Any:
    """The value without the keys that change by themselves."""
    if isinstance(value, dict):
        return {key: settled(item) for key, item in value.items() if not SELF_MOVING.fullmatch(key)}
    if isinstance(value, list):
        return [settled(item) for item in value]
    return value


def ip(*arguments: str) -> str:
    answer = json.loads(output("ip", "-json", "-details", *arguments) or "[]")
    return json.dumps(settled(answer), indent=1, sort_keys=True)


def addresses() -> str:
    """Links and addresses, once no IPv6 address is tentative any more: until then its routes are missing."""
    limit = time.monotonic() + TIME_LIMIT
    while '"tentative": true' in (text := ip("address")):
        if time.monotonic() > limit:
            raise TimeoutError(f"addresses tentative after {TIME_LIMIT} s: {text}")
        time.sleep(0.1)
    return text


def sysctls() -> str:
    root = Path("/proc/sys/net")
    files = [root / "ipv4/ip_forward"]
    for directory in ("ipv4/conf", "ipv6/conf", "bridge"):
        # To read a stable_secret that nobody set is an error.
        files += sorted(
            path for path in (root / directory).rglob("*") if path.is_file() and path.name != "stable_secret"
        )
    return "".join(f"{path.relative_to(root)} = {path.read_text(encoding='utf-8')}" for path in files)


def iptables_legacy() -> str:
    """The old tables; asking where there are none would create them."""
    text = ""
    for tool, names in (("iptables-legacy-save", "ip_tables_names"), ("ip6tables-legacy-save", "ip6_tables_names")):
        path = Path("/proc/net", names)
        if path.exists() and path.read_text(encoding="utf-8").strip():
            text += re.sub(r"(?m)^#.*\n|\[\d+:\d+\]", "", output(tool))
    return text


def network() -> dict[str, str]:
    """What stands in the present network namespace. nft lists the rules of iptables-nft as well."""
    return {
        "links and addresses": addresses(),
        "IPv4 routes": ip("-4", "route", "show", "table", "all"),
        "IPv6 routes": ip("-6", "route", "show", "table", "all"),
        "rules": ip("rule"),
        "nft": re.sub(r"counter packets \d+ bytes \d+", "counter", output("nft", "list", "ruleset")),
        "iptables": iptables_legacy(),
        "sysctls": sysctls(),
    }


def namespaces() -> Iterator[str]:
    """Enter every named network namespace in turn, and come back."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(file: Path) -> None:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            if libc.setns(descriptor, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns {file}")
        finally:
            os.close(descriptor)

    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    yield "the host"
    for path in sorted(NAMED.iterdir()) if NAMED.is_dir() else []:
        enter(path)
        yield f"namespace {path.name}"
        enter(Path(f"/proc/self/fd/{home}"))
    os.close(home)


def files() -> str:
    """Names, modes and contents under /etc and /run; of the namespaces in NAMED, which are mounts, only the names."""
    lines = []
    for path in sorted(path for top in ("/etc", "/run") for path in Path(top).rglob("*")):
        status = path.lstat()
        content = ""
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file() and path.parent != NAMED:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"{path} {status.st_mode:o} {status.st_uid}:{status.st_gid} {content}")
    return "\n".join(lines)


def mounts() -> str:
    """Mount point, root, options and file system; the ids in front change with every mount."""
    fields = (line.split() for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines())
    return "\n".join(
        sorted(
            f"{field[4]} {field[3]} {field[5]} {field[field.index('-') + 1]}"
            for field in fields
            if not field[4].startswith(ELSEWHERE)
        )
    )


def held_namespaces() -> str:
    """The network namespaces that processes are in, named or not."""
    held = set()
    for path in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            held.add(str(path.readlink()))
        except FileNotFoundError:
            continue  # a process that ended meanwhile
    return "\n".join(sorted(held))


def snapshot() -> dict[str, str]:
    parts = {"files": files(), "mounts": mounts(), "held namespaces": held_namespaces()}
    for place in namespaces():
        parts |= {f"{place}: {part}": text for part, text in network().items()}
    return parts


def differences(before: dict[str, str], after: dict[str, str], may_stay: str) -> list[str]:
    lines: list[str] = []
    for part in sorted(before.keys() | after.keys()):
        old, new = (
            [line for line in state.get(part, "").splitlines() if part != "mounts" or line.split()[0] != may_stay]
            for state in (before, after)
        )
        lines += difflib.unified_diff(old, new, f"{part}, before", f"{part}, now", lineterm="", n=2)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep or compare the state of a host.")
    parser.add_argument("command", choices=("keep", "compare"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--may-stay", default="", metavar="MOUNT_POINT", help="a mount that is no difference")
    arguments = parser.parse_args()
    if arguments.command == "keep":
        arguments.file.write_text(json.dumps(snapshot()), encoding="utf-8")
        return
    lines = differences(json.loads(arguments.file.read_text(encoding="utf-8")), snapshot(), arguments.may_stay)
    if lines:
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()
