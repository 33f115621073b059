# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where tests run side by side, those that share a host or an engine stay together, and begin first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

TOGETHER = ("docker", "systemd", "yardsticks")  # directories


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Its own --dist loadgroup goes by marks, which it does not see with this pytest."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        """The largest scopes first, each on one worker."""

        def _split_scope(self, nodeid: str) -> str:
            directory = Path(nodeid.partition("::")[0]).parent.name
            return directory if directory in TOGETHER else nodeid

    return Together(config, log)
