# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module preflight takes what transaction takes, and says so."""

from __future__ import annotations

import yaml

from ansible_collections.nslab.bridgenet.plugins.modules import preflight, transaction


def test_the_same_lists() -> None:
    lists = [
        {
            name
            for name in yaml.safe_load(module.DOCUMENTATION)["extends_documentation_fragment"]
            if name.endswith(".list")
        }
        for module in (preflight, transaction)
    ]
    assert lists[0] == lists[1]
