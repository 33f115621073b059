#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VXLAN link."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vxlan
short_description: Manage VXLAN links
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Creates, changes and removes VXLAN links, in the host or in any namespace. As a port of a bridge on each of several
    hosts, they make one Ethernet of these bridges.
  - Which hosts there are is told by O(peers), or by a routing daemon.
  - A change of O(vni), O(local), O(port), O(learning) or O(ttl) recreates the link, which keeps all else. All other
    changes are made in place.
  - Another O(name) or O(namespace) makes another link.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.task
  - nslab.bridgenet.vxlan
seealso:
  - module: nslab.bridgenet.bridge_port
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: Two more hosts have the network 100, too
  # ip link add vx100 type vxlan id 100 local 198.18.0.1 dstport 4789
  # bridge fdb append 00:00:00:00:00:00 dev vx100 dst 198.18.0.2
  # bridge fdb append 00:00:00:00:00:00 dev vx100 dst 198.18.0.3
  # ip link set vx100 up
  nslab.bridgenet.vxlan:
    name: vx100
    vni: 100
    local: 198.18.0.1
    peers:
      - 198.18.0.2
      - 198.18.0.3
    exclusive: true

- name: The containers of a bridge are in it
  # ip link set vx100 master br0
  nslab.bridgenet.bridge_port:
    name: vx100
    master: br0

- name: Leave the addresses to a routing daemon
  # ip link add vx200 type vxlan id 200 local 198.18.0.1 dstport 4789 nolearning
  nslab.bridgenet.vxlan:
    name: vx200
    vni: 200
    local: 198.18.0.1
    learning: false

- name: Leave the network 100
  # ip link del vx100
  nslab.bridgenet.vxlan:
    name: vx100
    state: absent
"""

RETURN = r"""
before:
  description: The links as they were, in the form of O(config). One that did not exist is not in the list.
  returned: success
  type: list
  elements: dict
  sample: []
after:
  description: The links as they are now, or would be, in the form of O(config).
  returned: success
  type: list
  elements: dict
  sample:
    - name: vx100
      mac: "02:5b:21:2e:2c:40"
      mtu: 1450
      up: true
      ipv6: true
      addresses: []
      routes: []
      label: vx100
      vni: 100
      local: 198.18.0.1
      port: 4789
      learning: true
      ttl: 0
      peers: [198.18.0.2]
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - ip link add name vx100 address 02:5b:21:2e:2c:40 mtu 1450 type vxlan id 100 local 198.18.0.1 dstport 4789 learning
    - ip link set dev vx100 alias bridgenet:1:default:vx100 up
    - bridge fdb append 00:00:00:00:00:00 dev vx100 dst 198.18.0.2 self permanent
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
    resource_module("vxlan")


if __name__ == "__main__":
    main()
