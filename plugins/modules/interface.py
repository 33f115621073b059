#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What any existing link has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: interface
short_description: Manage addresses, routes and settings of existing links
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Manages what any link has, whoever created it, in the host or in any namespace. That is addresses, routes, MTU, MAC
    address, IPv6, and whether it is up.
  - It never creates, removes or labels a link. Every change is made in place.
  - O(state=absent) removes the declared addresses and routes, and nothing else.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.interface
  - nslab.bridgenet.task
seealso:
  - module: nslab.bridgenet.bridge
  - module: nslab.bridgenet.transaction
  - module: nslab.bridgenet.veth
"""

EXAMPLES = r"""
- name: An address and a default route in a namespace
  # ip netns exec ns1 ip addr add 10.10.0.10/16 dev vpeer1
  # ip netns exec ns1 ip link set vpeer1 up
  # ip netns exec ns1 ip route add default via 10.10.0.1
  nslab.bridgenet.interface:
    name: vpeer1
    namespace: ns1
    up: true
    addresses:
      - 10.10.0.10/16
    routes:
      - to: default
        via: 10.10.0.1

- name: Exactly one address, whatever was there
  nslab.bridgenet.interface:
    name: vpeer1
    namespace: ns1
    addresses:
      - 10.10.0.11/16
    exclusive: true

- name: The MTU of two links by one task
  # ip link set eth1 mtu 9000
  nslab.bridgenet.interface:
    config:
      - name: eth1
        mtu: 9000
      - name: eth2
        mtu: 9000

- name: Take one address away
  # ip netns exec ns1 ip addr del 10.10.0.11/16 dev vpeer1
  nslab.bridgenet.interface:
    name: vpeer1
    namespace: ns1
    addresses:
      - 10.10.0.11/16
    state: absent
"""

RETURN = r"""
before:
  description: The links as they were, in the form of O(config). One that did not exist is not in the list.
  returned: success
  type: list
  elements: dict
  sample:
    - name: vpeer1
      namespace: ns1
      mac: "02:97:08:c7:5c:e6"
      mtu: 1500
      up: true
      ipv6: true
      addresses: []
      routes: []
after:
  description: The links as they are now, or would be, in the form of O(config).
  returned: success
  type: list
  elements: dict
  sample:
    - name: vpeer1
      namespace: ns1
      mac: "02:97:08:c7:5c:e6"
      mtu: 1500
      up: true
      ipv6: true
      addresses:
        - 10.10.0.10/16
      routes:
        - to: default
          via: 10.10.0.1
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - ip -n ns1 address add 10.10.0.10/16 dev vpeer1
    - ip -n ns1 route add default via 10.10.0.1 dev vpeer1 proto static
assumed:
  description: What check mode assumed, because an earlier task would have created it.
  returned: in check mode, if anything was assumed
  type: list
  elements: str
  sample:
    - interface vpeer1 in namespace ns1
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._module import resource_module


def main() -> None:
    """Called by Ansible."""
    resource_module("interface")


if __name__ == "__main__":
    main()
