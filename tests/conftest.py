# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes `ansible_collections.nslab.bridgenet` this checkout, wherever it stands: pytest alone is enough."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path

COLLECTION = "ansible_collections.nslab.bridgenet"


def alias(name: str, *paths: Path) -> None:
    """A package without a file of its own; one that is imported already stays."""
    spec = ModuleSpec(name, loader=None, is_package=True)
    spec.submodule_search_locations = [str(path) for path in paths]
    package = sys.modules.setdefault(name, module_from_spec(spec))
    parent, _dot, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)


alias("ansible_collections")
alias("ansible_collections.nslab")
alias(COLLECTION, Path(__file__).parents[1])
