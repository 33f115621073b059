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
  - Publishes namespaces of processes and containers under a name, and takes the name away again (O(adopt)).
  - O(state=absent) takes the name away. The namespace goes with it, and every veth pair that has an end inside. One
    that somebody holds would live on without a name; that is an error, see O(absent_when_held).
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

- name: A namespace with an id of its own, before the kernel chooses one
  # ip netns add ns4
  # ip netns set ns4 40
  nslab.bridgenet.netns:
    name: ns4
    nsid: 40

- name: Give the namespace of a process a name
  # ip netns attach shop 4711
  nslab.bridgenet.netns:
    name: shop
    adopt:
      pid: 4711

- name: The same for a container that podman runs without a network
  # ip netns attach web "$(podman inspect -f '{{.State.Pid}}' web)"
  nslab.bridgenet.netns:
    name: web
    adopt:
      podman: web

- name: A second name for a namespace
  nslab.bridgenet.netns:
    name: sidecar
    same_as: ns1

- name: Let go of the container; it goes on
  # ip netns delete web
  nslab.bridgenet.netns:
    name: web
    state: absent

- name: Remove a namespace when the processes inside have ended, or only its name after half a minute
  # ip netns pids ns4
  # ip netns delete ns4
  nslab.bridgenet.netns:
    name: ns4
    wait: 30
    absent_when_held: detach
    state: absent

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
  description:
    - The namespaces as they are now, or would be, in the form of O(config). An adopted one has C(adopted), one with
      second names has them in C(second_names).
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
