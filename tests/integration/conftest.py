# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where tests run side by side, those that share a host or an engine stay together, and begin first."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOGETHER = ("docker", "systemd", "yardsticks")  # directories


def _group(item: pytest.Item) -> str:
    directory = item.path.relative_to(HERE).parts[0] if HERE in item.path.parents else ""
    return directory if directory in TOGETHER else ""


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        if _group(item):
            item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: not _group(item))
