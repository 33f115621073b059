# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others do in their own time is waited for, and never a time."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60  # seconds; a machine may be slow


def until(happened: Callable[[], bool]) -> None:
    """Until it has happened; an error where it does not."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
