# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep everything that the collection could change on this machine, and say later what is different.

    state.py keep FILE
    state.py compare FILE

It runs in the virtual machine, where the collection is below /opt. Left out is what a boot numbers anew, and the
settings of kernel modules that have been loaded in the meantime.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, "/opt")

from ansible_collections.nslab.bridgenet.tests.integration.engine import sandbox, snapshot

OF_MODULES = re.compile(r"/proc/sys/net/(bridge|netfilter|nf_conntrack)")
EXPIRES = re.compile(r'"expires": \d+, ')  # of what the router advertises
UNITS = """
systemctl list-units --all --plain --no-legend 'bridgenet-*'
systemctl list-unit-files --no-legend '*bridgenet*' || true
ip netns identify "$(systemctl show --property=MainPID --value bridgenet-web)" || true
"""


def state() -> dict[str, Any]:
    """Links, addresses, routes, rules and settings in every namespace; the units, who runs where, and all of /etc."""
    Path("/run/netns").mkdir(exist_ok=True)
    inodes = snapshot.namespaces()
    found = snapshot.portable(snapshot.state())
    found["shared"] = {name: [other for other in inodes if inodes[other] == inodes[name]] for name in inodes}
    found[""]["routes"] = [EXPIRES.sub("", route) for route in found[""]["routes"]]
    # The order of its keys is that of the writing. Whether a link of ours came before the first write depends on which
    # of two projects came first, and it goes with what was written of it.
    ours = {name for name, link in found[""]["links"].items() if link.get("ifalias", "").startswith("bridgenet:")}
    original = json.loads(found["files"].pop("/run/nslab.bridgenet/original", "{}"))
    found["original"] = {key: value for key, value in original.items() if not ours.intersection(key.split("/"))}
    found["etc"] = {str(path): content(path) for path in sorted(Path("/etc").rglob("*"))}
    found["units"] = sandbox.shell(UNITS)
    kept: dict[str, Any] = json.loads(json.dumps(found, default=bytes.decode))
    return kept


def content(path: Path) -> str:
    """What tells one file from another."""
    if path.is_symlink():
        return str(path.readlink())
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def without_new_modules(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The later state, where only settings that were there before come from modules."""
    there, found = before[""]["sysctls"], after[""]["sysctls"]
    kept = {key: value for key, value in found.items() if key in there or not OF_MODULES.match(key)}
    return {**after, "": {**after[""], "sysctls": kept}}


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep or compare the state of this machine.")
    parser.add_argument("command", choices=("keep", "compare"))
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "keep":
        arguments.file.write_text(json.dumps(state()), encoding="utf-8")
        return
    before = json.loads(arguments.file.read_text(encoding="utf-8"))
    lines = snapshot.differences(before, without_new_modules(before, state()))
    if lines:
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()
