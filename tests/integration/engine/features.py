# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What not every kernel has. A test that needs it is marked `vm`, and runs in the virtual machine of `make vm`, too."""

from __future__ import annotations

import os

import pytest

from .sandbox import sandbox, shell


def need(what: str, script: str) -> None:
    """Skip the test where a script fails on a fresh machine; in the virtual machine that has it all, it fails."""
    try:
        with sandbox():
            shell(script)
    except AssertionError as error:
        if os.environ.get("BRIDGENET_VM"):
            pytest.fail(f"the virtual machine's kernel lacks {what}: {error}")
        pytest.skip(f"this kernel lacks {what}: `make vm` runs this test")
