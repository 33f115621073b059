# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who speaks BGP with whom."""

from __future__ import annotations

DOCUMENTATION = r"""
name: bgp_sessions
short_description: Tell which hosts of an inventory speak BGP with which
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Every host has sessions with the route reflectors, and these with all hosts.
  - The role P(nslab.bridgenet.evpn#role) does this for you.
positional: _input, hosts, own, reflectors, address
options:
  _input:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  hosts:
    description: The hosts that are to have the control plane. Those whose C(evpn_state) is V(absent) are left out.
    type: list
    elements: str
    required: true
  own:
    description: The name of the host itself, C(inventory_hostname). It must be one of O(hosts).
    type: str
    required: true
  reflectors:
    description: The names of the route reflectors, which must be among O(hosts). By default the first two of them.
    type: list
    elements: str
    default: []
  address:
    description:
      - The address of the host itself. Without it, and for the others, the first that is an address of
        C(container_bridge_network_vxlan_address), C(ansible_host), the name of the host, and the IPv4 address in
        C(ansible_facts.default_ipv4).
    type: str
    default: ""
seealso:
  - plugin: nslab.bridgenet.underlay
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Who are our neighbours?
  ansible.builtin.debug:
    msg: "{{ hostvars | nslab.bridgenet.bgp_sessions(groups['evpn'], inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description:
    - C(address), that of the host itself, C(reflector), whether it is one, C(reflectors), the addresses of those that
      it has sessions with, and C(clients), those of the other hosts where it is a reflector.
  type: dict
  sample: {address: 198.18.0.1, reflector: true, reflectors: [198.18.0.2], clients: [198.18.0.3]}
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _evpn


def bgp_sessions(
    variables: Mapping[str, Mapping[str, Any]],
    hosts: Iterable[str],
    own: str,
    reflectors: Iterable[str] = (),
    address: str = "",
) -> dict[str, Any]:
    """Tell them."""
    try:
        return _evpn.sessions(variables, hosts, own, reflectors, address)
    except BridgenetError as error:
        raise AnsibleFilterError(str(error)) from None  # Ansible would print every cause as well


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"bgp_sessions": bgp_sessions}
