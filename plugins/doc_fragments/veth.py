# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a veth pair."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, below, listed, module, parse


class ModuleDocFragment:
    """For the module veth, and for the list of that name."""

    OPTIONS = r"""
name:
  description:
    - The name of the near end. A link of that name that is no veth is an error.
    - With another name or O(namespace) of the near end the pair is recreated, where the peer stays the same.
  type: str
  required: true
peer:
  description:
    - The far end. Required with O(state=present); O(state=absent) does not need it.
    - With another O(peer.name) or O(peer.namespace) the pair is recreated. All other changes are made in place.
    - In a recreated pair, the end that stays where it is keeps what it had and nobody declares, except for its MAC
      address. Declare what the other end is to have.
  type: dict
label:
  description:
    - Whose the pair is, written to the alias of the near end. Up to 100 letters, digits, C(_), C(.), C(/), C(:) and
      C(-). Without it, O(name).
    - Changed in place.
    - With O(state=absent), a pair that does not carry this label is an error. Without a label the pair with that near
      end is removed, whosever it is.
  type: str
"""
    PEER = r"""
name:
  description:
    - The name of the far end. In one namespace, it differs from O(name) of the near end.
    - A link of that name that is the end of another pair is an error, unless it is ours or O(take_over=true); that
      other pair is removed then.
  type: str
  required: true
"""
    ALL: Options = parse(OPTIONS, Shared.NAMESPACE, Shared.LINK, Shared.EXCLUSIVE, Shared.OWNED, Shared.STATE)
    ALL["peer"]["suboptions"] = below("peer", parse(PEER, Shared.NAMESPACE, Shared.LINK))
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("veth", "Veth pairs", ALL)
