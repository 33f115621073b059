# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interfaces of the host that a declaration makes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: interfaces
short_description: List the interfaces of the host that a declaration of networks and containers makes
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Lists the names of the bridges, of their ports, and of the VXLAN links that P(nslab.bridgenet.expand#filter) has in
    its lists, for those who are to keep their hands off them. What is declared absent is among them.
positional: _input, containers
options:
  _input:
    description: The networks, by name.
    type: dict
    required: true
  containers:
    description: The containers, by name.
    type: dict
    default: {}
  pools:
    description: From where networks get a subnet that have none.
    type: list
    elements: dict
  host_index:
    description:
      - Which one of the hosts of its fleet this is, from V(0) on. It needs O(host_count).
    type: int
  host_count:
    description: How many hosts the fleet will ever have. It needs O(host_index).
    type: int
seealso:
  - plugin: nslab.bridgenet.expand
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Which interfaces will be ours?
  ansible.builtin.debug:
    msg: "{{ networks | nslab.bridgenet.interfaces(containers) | join(', ') }}"
"""

RETURN = r"""
_value:
  description: Their names.
  type: list
  elements: str
  sample: [br-blue, veth0f2c9d1ab34]
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _declaration, _parts


def interfaces(
    networks: Any, containers: Any = None, pools: Any = None, host_index: Any = None, host_count: Any = None
) -> list[str]:
    """List them."""
    try:
        share = _parts.share(host_index, host_count)
        declaration = _declaration.parse(networks, containers, pools=pools, share=share)
    except BridgenetError as error:
        raise AnsibleFilterError(str(error)) from None  # Ansible would print every cause as well
    return [
        *(network.bridge for network in declaration.networks if not network.external),
        *(place.host_interface for container in declaration.containers for place in container.endpoints),
        *(network.overlay.link for network in declaration.networks if network.overlay),
    ]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"interfaces": interfaces}
