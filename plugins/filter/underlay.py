# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has the networks that reach over several hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: underlay
short_description: Tell which hosts of an inventory have the networks that reach over several hosts
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Looks through the variables C(container_bridge_network_networks) of all hosts for networks with C(driver) V(vxlan),
    and through their variables for the addresses by which these hosts reach each other.
  - The role P(nslab.bridgenet.container_bridge_network#role) does this for you.
positional: _input, variables, hosts, own, address
options:
  _input:
    description: The networks of the host itself. Where none of them is a C(vxlan), nothing is looked for.
    type: dict
    required: true
  variables:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  hosts:
    description: The hosts that may have them, such as C(groups["all"]).
    type: list
    elements: str
    required: true
  own:
    description: The name of the host itself, C(inventory_hostname).
    type: str
    required: true
  address:
    description:
      - The address of the host itself. Without it, and for the others, the first that is an address of
        C(container_bridge_network_vxlan_address), C(ansible_host), the name of the host, and the IPv4 address in
        C(ansible_facts.default_ipv4).
    type: str
    default: ""
seealso:
  - plugin: nslab.bridgenet.expand
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Who has our networks?
  ansible.builtin.debug:
    msg: "{{ networks | nslab.bridgenet.underlay(hostvars, groups['all'], inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description:
    - C(own), the name of the host itself, and C(hosts). These have, by their names, C(address), which is empty where
      none is known, and C(networks), by their names, with what all hosts have to agree on.
    - Nothing where the host itself has no such network.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _vxlan


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"underlay": _vxlan.underlay}
