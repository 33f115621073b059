# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a bridge port."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module bridge_port, and for the list of that name."""

    OPTIONS = r"""
name:
  description:
    - The name of the link that is, or is to be, a port. A bridge or a loopback cannot be one.
    - A link that does not exist is an error. Check mode assumes it.
  type: str
  required: true
master:
  description:
    - The name of the bridge, in the same namespace. Required with O(state=present). A bridge has at most 1023 ports.
    - A port of another bridge changes over in place, and starts with the options of a new port.
    - With O(state=absent), the port of another bridge stays where it is. Without O(master) it leaves any bridge.
  type: str
isolated:
  description:
    - Whether the port is kept from all other isolated ports of the bridge. A new port is not.
    - Changed in place.
  type: bool
hairpin:
  description:
    - Whether a packet may leave by the port by which it came. A new port does not allow it.
    - Changed in place.
  type: bool
cost:
  description:
    - The cost of the path by this port, for the Spanning Tree Protocol, V(1) to V(65535). The kernel chooses that of
      a new port by its speed.
    - Changed in place.
  type: int
priority:
  description:
    - The priority of the port, for the Spanning Tree Protocol, V(0) to V(63). V(32) for a new port.
    - Changed in place.
  type: int
learning:
  description:
    - Whether the bridge learns MAC addresses from the port. It does from a new one.
    - Changed in place.
  type: bool
bpdu_guard:
  description:
    - Whether the port is disabled when it receives a message of the Spanning Tree Protocol. A new port is not.
    - Changed in place.
  type: bool
neigh_suppress:
  description:
    - Whether the bridge answers ARP requests and neighbour solicitations for neighbours that it knows itself, instead
      of sending them out by this port. For a VXLAN link whose neighbours a routing daemon tells. A new port does not.
    - Changed in place.
  type: bool
"""
    EXCLUSIVE = r"""
exclusive:
  description:
    - Whether O(vlans), where it is declared, is exact, so that the port leaves the VLANs that it does not name.
    - Otherwise they are added to those that are there.
  type: bool
  default: false
"""
    ALL: Options = parse(OPTIONS, Shared.NAMESPACE, Shared.VLANS, EXCLUSIVE, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("bridge_port", "Bridge ports", ALL)
