#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The membership of a link in a bridge."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bridge_port
short_description: Manage the ports of bridges
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Makes links ports of a bridge, takes them out of it, and sets the options of ports. Link and bridge are in the same
    namespace.
  - Every change is made in place.
  - O(state=absent) takes the link out of its bridge. The link itself stays.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.bridge_port
  - nslab.bridgenet.task
seealso:
  - module: nslab.bridgenet.bridge
  - module: nslab.bridgenet.transaction
  - module: nslab.bridgenet.veth
"""

EXAMPLES = r"""
- name: A port
  # ip link set veth1 master br0
  nslab.bridgenet.bridge_port:
    name: veth1
    master: br0

- name: Two ports by one task that may not talk to each other
  # ip link set veth1 master br0
  # bridge link set dev veth1 isolated on
  nslab.bridgenet.bridge_port:
    config:
      - name: veth1
        master: br0
        isolated: true
      - name: veth2
        master: br0
        isolated: true

- name: A port in VLAN 10, and a trunk that carries VLANs 10 and 20 to 29 with tags
  # bridge vlan del dev veth1 vid 1
  # bridge vlan add dev veth1 vid 10 pvid untagged
  # bridge vlan del dev veth2 vid 1
  # bridge vlan add dev veth2 vid 10
  # bridge vlan add dev veth2 vid 20-29
  nslab.bridgenet.bridge_port:
    config:
      - name: veth1
        master: br0
        vlans: [{vid: 10, pvid: true, untagged: true}]
        exclusive: true
      - name: veth2
        master: br0
        vlans: [{vid: 10}, {vid: 20-29}]
        exclusive: true

- name: Take a link out of its bridge
  # ip link set veth1 nomaster
  nslab.bridgenet.bridge_port:
    name: veth1
    state: absent
"""

RETURN = r"""
before:
  description:
    - The ports as they were, in the form of O(config). A link that was no port is not in the list.
    - The cost and the VLANs are shown only where they are declared.
  returned: success
  type: list
  elements: dict
  sample: []
after:
  description: The ports as they are now, or would be, in the form of O(config).
  returned: success
  type: list
  elements: dict
  sample:
    - name: veth1
      master: br0
      isolated: false
      hairpin: false
      learning: true
      bpdu_guard: false
      neigh_suppress: false
      priority: 32
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - ip link set dev veth1 master br0
assumed:
  description: What check mode assumed, because an earlier task would have created it.
  returned: in check mode, if anything was assumed
  type: list
  elements: str
  sample:
    - interface br0
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._module import resource_module


def main() -> None:
    """Called by Ansible."""
    resource_module("bridge_port")


if __name__ == "__main__":
    main()
