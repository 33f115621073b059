# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a namespace."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module netns, and for the list of that name."""

    OPTIONS = r"""
name:
  description:
    - The name of the namespace, its file in C(/run/netns).
  type: str
  required: true
loopback:
  description:
    - Whether C(lo) is up. In a namespace that is created it is up unless this is V(false).
    - Changed in place.
  type: bool
sysctls:
  description:
    - Sysctls inside the namespace, by their keys in slash form (V(net/ipv4/ip_forward)) or dotted form
      (V(net.ipv4.ip_forward)). Say slash form where the name of a link has a dot.
    - Only keys below C(net) are a namespace's own; another one, or one that the kernel does not have, is an error.
    - Values are numbers or strings. Say V(1) and V(0), not V(true) and V(false).
    - A key that is no longer declared keeps its value.
    - Changed in place.
  type: dict
label:
  description:
    - Whose the namespace is, written to the alias of its loopback. Up to 100 letters, digits, C(_), C(.), C(/), C(:)
      and C(-). Without it, O(name).
    - Changed in place.
    - With O(state=absent), a namespace that does not carry this label is an error. Without a label the namespace of
      that name is removed, whosever it is.
  type: str
"""
    ALL: Options = parse(OPTIONS, Shared.OWNED, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("netns", "Network namespaces", ALL)
