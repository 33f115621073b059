#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bridge."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bridge
short_description: Manage bridges
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Creates, changes and removes Linux bridges, in the host or in any namespace, with addresses and routes.
  - Every bridge that is created has a MAC address of its own, which stays the same when ports come and go. Its MTU is
    that of its port with the lowest, or V(1500) without a port, unless O(mtu) is declared.
  - Every change is made in place, no option recreates a bridge. Another name makes another bridge.
  - O(state=absent) removes the bridge of that name. Its ports stay, without a bridge.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.bridge
  - nslab.bridgenet.task
seealso:
  - module: nslab.bridgenet.bridge_port
  - module: nslab.bridgenet.masquerade
  - module: nslab.bridgenet.sysctl_bridge_nf
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: A bridge with the address that is the gateway of its network
  # ip link add br0 type bridge
  # ip link set br0 up
  # ip addr add 10.10.0.1/16 dev br0
  nslab.bridgenet.bridge:
    name: br0
    addresses:
      - 10.10.0.1/16

- name: A bridge without any address, for a pure layer 2 network
  # brctl addbr br0
  # ip link set br0 up
  nslab.bridgenet.bridge:
    name: br0
    ipv6: false
    addresses: []
    exclusive: true

- name: Two bridges by one task, one of them in a namespace
  nslab.bridgenet.bridge:
    config:
      - name: br1
        mtu: 9000
      - name: br0
        namespace: router
        stp: true
        forward_delay: 4

- name: Remove a bridge, but only if it is ours
  # ip link delete br0
  nslab.bridgenet.bridge:
    name: br0
    label: br0
    state: absent
"""

RETURN = r"""
before:
  description:
    - The bridges as they were, in the form of O(config). One that did not exist is not in the list.
    - C(forward_delay), C(ageing_time), C(accept_ra) and C(vlans) are shown only where they are declared.
  returned: success
  type: list
  elements: dict
  sample: []
after:
  description: The bridges as they are now, or would be, in the form of O(config).
  returned: success
  type: list
  elements: dict
  sample:
    - name: br0
      mac: "02:14:5c:2c:8f:55"
      mtu: 1500
      up: true
      ipv6: true
      addresses:
        - 10.10.0.1/16
      routes: []
      label: br0
      stp: false
      vlan_filtering: false
      nf_call_iptables: false
      nf_call_ip6tables: false
      nf_call_arptables: false
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - ip link add name br0 address 02:14:5c:2c:8f:55 type bridge
    - ip link set dev br0 alias bridgenet:1:default:br0
    - ip link set dev br0 up
    - ip address add 10.10.0.1/16 dev br0
assumed:
  description: What check mode assumed, because an earlier task would have created it.
  returned: in check mode, if anything was assumed
  type: list
  elements: str
  sample:
    - namespace router
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._module import resource_module


def main() -> None:
    """Called by Ansible."""
    resource_module("bridge")


if __name__ == "__main__":
    main()
