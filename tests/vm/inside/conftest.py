# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""These tests change the machine that they run on, which must be the virtual one."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def machine() -> None:
    if not os.environ.get("BRIDGENET_VM"):
        pytest.skip("only in the virtual machine of `make vm`")
