# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of any link."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module interface, and for the list of that name."""

    OPTIONS = r"""
name:
  description:
    - The name of the link. A link that does not exist is an error. Check mode assumes it.
  type: str
  required: true
"""
    ALL: Options = parse(OPTIONS, Shared.NAMESPACE, Shared.LINK, Shared.EXCLUSIVE, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("interface", "Links that exist already", ALL)
