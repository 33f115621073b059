# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine alone, in a process of its own as on a target, without what only a controller imports.

Reads the modules' lists as JSON; its argument is their state. Prints the seconds from there to the report, without the
import of pyroute2, and whether something was changed.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.module_utils._engine import Task, run, uncollected
from ansible_collections.nslab.bridgenet.plugins.module_utils._netlink import require_pyroute2
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._base import Context
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._registry import RESOURCES


@uncollected()
def main(lists: dict[str, list[dict[str, Any]]], state: str) -> None:
    require_pyroute2()
    start = time.perf_counter()
    context = Context("default", "bench", state)
    resources = [
        (module, kind.declare(options, context))
        for module, kind in RESOURCES.items()
        for options in lists.get(module, ())
    ]
    report = run(Task("default", resources), check_mode=False)
    print(json.dumps({"seconds": time.perf_counter() - start, "changed": report.changed}))


if __name__ == "__main__":
    main(json.load(sys.stdin), sys.argv[1])
