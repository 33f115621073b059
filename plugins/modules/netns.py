#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network namespace."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netns
short_description: Manage named network namespaces
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Creates and removes network namespaces as C(ip netns) keeps them, in C(/run/netns), with the loopback up, and sets
    sysctls inside.
  - A namespace gets its name last. Where a run is killed before that, nothing is left.
  - O(state=absent) takes the name away. The namespace goes with it, and every veth pair that has an end inside. One in
    which a process still runs lives on without a name until that ends.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.netns
  - nslab.bridgenet.task
seealso:
  - module: nslab.bridgenet.netns_info
  - module: nslab.bridgenet.transaction
  - module: nslab.bridgenet.veth
"""

EXAMPLES = r"""
- name: A namespace with its loopback up
  # ip netns add ns1
  # ip netns exec ns1 ip link set lo up
  nslab.bridgenet.netns:
    name: ns1

- name: Two namespaces by one task, one of them with a sysctl inside
  nslab.bridgenet.netns:
    config:
      - name: ns1
      - name: ns2
        sysctls:
          net/ipv4/ip_unprivileged_port_start: 80

- name: Make a namespace ours that somebody else created
  nslab.bridgenet.netns:
    name: ns3
    take_over: true

- name: Remove a namespace, but only if it is ours
  # ip netns delete ns1
  nslab.bridgenet.netns:
    name: ns1
    label: ns1
    state: absent
"""

RETURN = r"""
before:
  description: The namespaces as they were, in the form of O(config). One that did not exist is not in the list.
  returned: success
  type: list
  elements: dict
  sample: []
after:
  description: The namespaces as they are now, or would be, in the form of O(config).
  returned: success
  type: list
  elements: dict
  sample:
    - name: ns1
      loopback: true
      label: ns1
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - ip netns add ns1
    - ip -n ns1 link set dev lo alias bridgenet:1:default:ns1 up
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
    resource_module("netns")


if __name__ == "__main__":
    main()
