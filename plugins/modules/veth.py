#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A veth pair."""

from __future__ import annotations

DOCUMENTATION = r"""
module: veth
short_description: Manage veth pairs
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Creates, changes and removes pairs of virtual Ethernet links. Either end may be in the host or in any namespace.
    Both are created where they are to be, with their names and MAC addresses.
  - The near end has the options of the object itself, the far end those of O(peer).
  - O(state=absent) removes the pair whose near end has the name.
  - A pair whose O(name), O(namespace), O(peer.name) or O(peer.namespace) changes is recreated, so connections by it
    break. Every other change is made in place.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.task
  - nslab.bridgenet.veth
seealso:
  - module: nslab.bridgenet.bridge_port
  - module: nslab.bridgenet.interface
  - module: nslab.bridgenet.netns
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: A pair from the host into a namespace, with an address and the default route inside
  # ip link add veth1 type veth peer name vpeer1
  # ip link set veth1 up
  # ip link set vpeer1 netns ns1
  # ip netns exec ns1 ip link set vpeer1 up
  # ip netns exec ns1 ip addr add 10.10.0.10/16 dev vpeer1
  # ip netns exec ns1 ip route add default via 10.10.0.1
  nslab.bridgenet.veth:
    name: veth1
    peer:
      name: vpeer1
      namespace: ns1
      addresses:
        - 10.10.0.10/16
      routes:
        - to: default
          via: 10.10.0.1

- name: A pair straight between two namespaces
  # ip link add veth0 type veth peer name veth1
  # ip link set veth0 netns ns0
  # ip link set veth1 netns ns1
  # ip netns exec ns0 ip addr add 192.168.1.98/24 dev veth0
  # ip netns exec ns0 ip link set veth0 up
  # ip netns exec ns1 ip addr add 192.168.1.99/24 dev veth1
  # ip netns exec ns1 ip link set veth1 up
  nslab.bridgenet.veth:
    name: veth0
    namespace: ns0
    addresses:
      - 192.168.1.98/24
    peer:
      name: veth1
      namespace: ns1
      addresses:
        - 192.168.1.99/24

- name: Many pairs by one task, without IPv6, and with exactly these addresses
  nslab.bridgenet.veth:
    inventory_host: "{{ inventory_hostname }}"
    config: "{{ pairs }}"
  vars:
    pairs:
      - name: veth1
        ipv6: false
        exclusive: true
        peer: {name: eth0, namespace: ns1, ipv6: false, addresses: [10.10.0.10/16]}
      - name: veth2
        ipv6: false
        exclusive: true
        peer: {name: eth0, namespace: ns2, ipv6: false, addresses: [10.10.0.20/16]}

- name: Remove a pair
  # ip link del veth1
  nslab.bridgenet.veth:
    name: veth1
    state: absent
"""

RETURN = r"""
before:
  description: The pairs as they were, in the form of O(config). One that did not exist is not in the list.
  returned: success
  type: list
  elements: dict
  sample: []
after:
  description: The pairs as they are now, or would be, in the form of O(config).
  returned: success
  type: list
  elements: dict
  sample:
    - name: veth1
      mac: "02:4c:71:8d:45:c9"
      mtu: 1500
      up: true
      ipv6: true
      addresses: []
      routes: []
      label: veth1
      peer:
        name: vpeer1
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
    - ip link add name veth1 address 02:4c:71:8d:45:c9 mtu 1500 up type veth peer name vpeer1 address 02:97:08:c7:5c:e6
      mtu 1500 netns ns1
    - ip link set dev veth1 alias bridgenet:1:default:veth1
    - ip -n ns1 link set dev vpeer1 up
    - ip -n ns1 address add 10.10.0.10/16 dev vpeer1
    - ip -n ns1 route add default via 10.10.0.1 dev vpeer1 proto static
assumed:
  description: What check mode assumed, because an earlier task would have created it.
  returned: in check mode, if anything was assumed
  type: list
  elements: str
  sample:
    - namespace ns1
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._module import resource_module


def main() -> None:
    """Called by Ansible."""
    resource_module("veth")


if __name__ == "__main__":
    main()
