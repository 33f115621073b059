# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command and fail if this machine's own network is not as it was before: network_guard.py COMMAND..."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

# The kernel takes links and namespaces away after the command that deleted them has returned.
SETTLE_SECONDS = float(os.environ.get("NETWORK_GUARD_SETTLE_SECONDS", "10"))
POLL_SECONDS = 0.2

IP_QUERIES = ("-d link", "addr", "-4 route show table all", "-6 route show table all", "-4 rule", "-6 rule")
VOLATILE_KEYS = re.compile(
    r"(.*_timer|valid_life_time|preferred_life_time|expires|used|age|quota|fdb_n_learned|topology_change.*)"
)
VOLATILE_TEXT = (
    (re.compile(r"^#.*\n", re.MULTILINE), ""),  # iptables-save prints the time
    (re.compile(r"\[\d+:\d+\]"), "[N:N]"),
    (re.compile(r"packets \d+ bytes \d+"), "packets N bytes N"),
    (re.compile(r" expires [0-9smhd]+"), ""),
)
# Written by the kernel on its own, or random on every read.
VOLATILE_SYSCTLS = re.compile(r"net/netfilter/nf_conntrack_count|net/ipv4/tcp_fastopen_key|.*/flush|.*_secret")

Snapshot = dict[str, str]


def output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def without_volatile(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_volatile(item) for key, item in value.items() if not VOLATILE_KEYS.fullmatch(key)}
    if isinstance(value, list):
        return [without_volatile(item) for item in value]
    return value


def masked(text: str) -> str:
    for pattern, replacement in VOLATILE_TEXT:
        text = pattern.sub(replacement, text)
    return text


def ip_sections() -> Snapshot:
    """What iproute2 shows, an object per line, in an order of its own making."""
    sections = {}
    for query in IP_QUERIES:
        objects = without_volatile(json.loads(output("ip", "-j", *query.split()) or "[]"))
        sections[f"ip {query}"] = "\n".join(sorted(json.dumps(item, sort_keys=True) for item in objects))
    return sections


def firewall_sections() -> Snapshot:
    sections = {}
    if shutil.which("nft"):
        sections["nft list ruleset"] = masked(output("nft", "list", "ruleset"))
    for family, program in (("ip", "iptables-legacy-save"), ("ip6", "ip6tables-legacy-save")):
        # Asking creates a table that is not there yet. (What iptables-nft did is in nft's own list.)
        tables = Path(f"/proc/net/{family}_tables_names")
        if shutil.which(program) and tables.exists() and tables.read_text():
            sections[program] = masked(output(program))
    return sections


def sysctls() -> dict[str, str]:
    values = {}
    root = Path("/proc/sys")
    for path in root.glob("net/**/*"):
        name = str(path.relative_to(root))
        if path.is_dir() or VOLATILE_SYSCTLS.fullmatch(name):
            continue
        try:
            values[name] = path.read_text().strip()
        except OSError:  # write-only, or unset
            continue
    return values


def snapshot() -> Snapshot:
    directory = Path("/run/netns")
    namespaces = sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []
    settings = "\n".join(f"{name} = {value}" for name, value in sorted(sysctls().items()))
    return {**ip_sections(), **firewall_sections(), "network namespaces": "\n".join(namespaces), "sysctl": settings}


def only_known(settings: str, known: str) -> str:
    """Leave out what a kernel module that was loaded meanwhile has added: loaded modules may stay."""
    names = {line.partition(" = ")[0] for line in known.splitlines()}
    return "\n".join(line for line in settings.splitlines() if line.partition(" = ")[0] in names)


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """The lines that differ, section by section; empty where nothing does."""
    lines: list[str] = []
    for section in sorted(before.keys() | after.keys()):
        old, new = before.get(section, ""), after.get(section, "")
        if section == "sysctl":
            new = only_known(new, old)
        lines += list(
            difflib.unified_diff(
                old.splitlines(), new.splitlines(), f"{section} (before)", f"{section} (after)", lineterm="", n=0
            )
        )
    return lines


def settled_differences(before: Snapshot) -> list[str]:
    deadline = time.monotonic() + SETTLE_SECONDS
    while (found := differences(before, snapshot())) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return found


def main(command: list[str]) -> int:
    if not command:
        sys.exit(__doc__)
    before = snapshot()
    status = subprocess.run(command, check=False).returncode
    found = settled_differences(before)
    if found:
        print("network guard: this machine's own network is not as it was before", *found, sep="\n")
        return status or 1
    print("network guard: this machine's own network is as it was before")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
