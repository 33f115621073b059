# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs tasks of the engine on the host that it is started on: a request a line in, an answer a line out, as JSON."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils import _systemd
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import driver, faults


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The report, or the error; with a fault, also what it struck."""
    struck = None
    with pytest.MonkeyPatch.context() as patch:
        fault = faults.inject(patch, request["fault"]) if request["fault"] is not None else None
        if request["settle"] is not None:
            patch.setattr(_systemd, "_SETTLE", request["settle"])
        run = driver.check if request["check"] else driver.apply
        try:
            found: dict[str, Any] = {"report": dataclasses.asdict(run(request["objects"], **request["options"]))}
        except BridgenetError as error:
            found = {"error": str(error)}
        if fault and fault.victim:
            struck = type(fault.victim).__name__
    return {**found, "struck": struck}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
