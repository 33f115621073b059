# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands, as the addresses of each container."""

from __future__ import annotations

DOCUMENTATION = r"""
name: addresses
short_description: List the addresses of containers
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Takes C(after) (or C(before)) as M(nslab.bridgenet.transaction) returns it, and gives what each container has in
    each of its networks. In check mode, that is what it would have.
options:
  _input:
    description: Lists of objects by module name.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Where is web?
  ansible.builtin.debug:
    msg: "{{ (container_bridge_network_result.after | nslab.bridgenet.addresses).web.blue.ipv4_address }}"
"""

RETURN = r"""
_value:
  description:
    - Container -> network -> C(ipv4_address) and C(ipv6_address) without prefix length, each V(null) where there is
      none, C(mac_address), C(interface_name) and C(host_interface_name).
    - A container that shares the namespace of another is not listed.
  type: dict
  sample:
    web:
      blue:
        ipv4_address: 10.10.0.10
        ipv6_address: null
        mac_address: "02:5a:9e:0c:41:77"
        interface_name: eth0
        host_interface_name: veth1
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _standing


def addresses(after: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """List them."""
    return _standing.addresses(_standing.networks(after))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"addresses": addresses}
