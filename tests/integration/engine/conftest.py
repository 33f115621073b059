# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every test of the engine runs on a fresh machine of its own, inside private namespaces of this kernel."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import sandbox


def _missing() -> str:
    if os.geteuid() != 0:
        return "namespaces can only be made by root"
    programs = [name for name in ("ip", "nft", "iptables", "ip6tables", "ping", "sysctl") if not shutil.which(name)]
    return f"not installed: {', '.join(programs)}" if programs else ""


@pytest.fixture(autouse=True)
def machine() -> Iterator[None]:
    """The fresh machine."""
    missing = _missing()
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    with sandbox():
        yield
