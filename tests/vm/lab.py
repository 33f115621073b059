# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machine of a Molecule scenario.

    python -m ansible_collections.nslab.bridgenet.tests.vm.lab --state DIR create NAME
    python -m ansible_collections.nslab.bridgenet.tests.vm.lab --state DIR destroy

DIR holds its disk, what it printed, an Ansible inventory in which it is called NAME, and what destroy needs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from ansible_collections.nslab.bridgenet.tests.vm.image import image
from ansible_collections.nslab.bridgenet.tests.vm.machine import VirtualMachine, missing


def create(directory: Path, name: str) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    machine = VirtualMachine(directory)
    if not machine.pid:
        machine.start(image())
        machine.copy_collection()
        print(f"created {name}")
    inventory = {"all": {"hosts": {name: machine.variables}}}
    (directory / "inventory.json").write_text(json.dumps(inventory, indent=2), encoding="utf-8")


def destroy(directory: Path) -> None:
    if directory.exists():
        VirtualMachine(directory).stop()
        shutil.rmtree(directory)
        print("destroyed")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the virtual machine of a scenario.")
    parser.add_argument("--state", type=Path, required=True, help="directory for disk, inventory and state")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("create").add_argument("name", metavar="NAME")
    commands.add_parser("destroy")
    arguments = parser.parse_args()
    directory = arguments.state.resolve()
    if arguments.command == "destroy":
        destroy(directory)
        return
    why = "its image can only be built by root" if os.geteuid() else missing()
    if why:
        sys.exit(f"no virtual machine: {why}")
    create(directory, arguments.name)


if __name__ == "__main__":
    main()
