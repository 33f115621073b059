# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands, as a table."""

from __future__ import annotations

DOCUMENTATION = r"""
name: table
short_description: Show what stands as a table for each network
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Takes C(after) (or C(before)) as M(nslab.bridgenet.transaction) returns it, and shows every container with
    namespace, interface, address, MAC address and bridge port.
options:
  _input:
    description: Lists of objects by module name.
    type: dict
    required: true
  limit:
    description: How many containers and how many networks are shown at most.
    type: int
    default: 20
"""

EXAMPLES = r"""
- name: Show what stands
  ansible.builtin.debug:
    msg: "{{ container_bridge_network_result.after | nslab.bridgenet.table }}"
"""

RETURN = r"""
_value:
  description: The table.
  type: str
  sample: |-
    network blue: bridge br0, 10.10.0.1/16
      container  namespace  interface  address        MAC                bridge port
      ns1        ns1        vpeer1     10.10.0.10/16  02:5a:9e:0c:41:77  veth1
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _standing


def table(after: Mapping[str, Any], limit: int = 20) -> str:
    """Show what stands."""
    return _standing.table(_standing.networks(after), limit)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"table": table}
