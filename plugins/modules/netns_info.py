#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's namespaces look like."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netns_info
short_description: Gather the network namespaces of a host and what is in them
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Returns the named network namespaces of a host, and the host's own, with their links, addresses and routes, and with
    whose they are.
  - It reads everything, whoever created it, changes nothing, and waits for no lock.
options:
  names:
    description:
      - The namespaces to return, by their names in C(/run/netns). An empty string is the host itself.
      - One that does not exist is not returned. Without this option, all are.
    type: list
    elements: str
requirements:
  - Linux, and root on the target
  - Python 3.9 or later on the target
attributes:
  diff_mode:
    description: Returns details on what has changed, or would change in C(check_mode), when in diff mode.
    support: N/A
    details: This module changes nothing.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
seealso:
  - module: nslab.bridgenet.netns
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: Everything
  # ip netns list
  # ip addr; ip route
  # ip -all netns exec ip addr; ip -all netns exec ip route
  nslab.bridgenet.netns_info:
  register: found

- name: The addresses of each container
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.links | map(attribute='addresses') | flatten | join(', ') }}"
  loop: "{{ found.namespaces | rejectattr('name', 'eq', '') }}"
  loop_control:
    label: "{{ item.name }}"

- name: One namespace, and the host itself
  nslab.bridgenet.netns_info:
    names:
      - ns1
      - ""
  register: found

- name: What the project made on the host
  ansible.builtin.debug:
    msg: "{{ found.namespaces[0].links | selectattr('project', 'eq', 'demo') | map(attribute='name') }}"
"""

RETURN = r"""
namespaces:
  description: The host itself first, and then the namespaces, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name in C(/run/netns), an empty string for the host itself.
      returned: always
      type: str
      sample: ns1
    inode:
      description: What C(/proc/PID/ns/net) shows for every process inside. Two names of one namespace share it.
      returned: always
      type: int
      sample: 4026532281
    project:
      description: The project in its label, an empty string where the namespace is not ours.
      returned: always
      type: str
      sample: default
    label:
      description: The object in its label, an empty string where the namespace is not ours.
      returned: always
      type: str
      sample: ns1
    links:
      description: The links, in the order of the kernel.
      returned: always
      type: list
      elements: dict
      contains:
        name:
          description: The name of the link.
          returned: always
          type: str
          sample: eth0
        index:
          description: The kernel's number for the link.
          returned: always
          type: int
          sample: 7
        kind:
          description: Its kind, like V(veth) or V(bridge), an empty string for a physical link and a loopback.
          returned: always
          type: str
          sample: veth
        mac:
          description: The MAC address, an empty string for a link without one.
          returned: always
          type: str
          sample: "02:97:08:c7:5c:e6"
        mtu:
          description: The largest packet, in bytes.
          returned: always
          type: int
          sample: 1500
        up:
          description: Whether the link is administratively up.
          returned: always
          type: bool
          sample: true
        ipv6:
          description: Whether the link speaks IPv6.
          returned: always
          type: bool
          sample: true
        master:
          description: The bridge, or other master, of which the link is a port, an empty string for none.
          returned: always
          type: str
          sample: ""
        project:
          description: The project in its label, an empty string where the link is not ours.
          returned: always
          type: str
          sample: ""
        label:
          description: The object in its label, an empty string where the link is not ours.
          returned: always
          type: str
          sample: ""
        peer:
          description: The other end of a veth pair.
          returned: for a veth whose other end is in the host or in a named namespace
          type: dict
          contains:
            name:
              description: Its name.
              returned: always
              type: str
              sample: veth1
            namespace:
              description: Its namespace, an empty string for the host itself.
              returned: always
              type: str
              sample: ""
        addresses:
          description:
            - The addresses with their prefix lengths. Link-local and router-advertised ones of IPv6, and those that a
              loopback always has, are left out.
          returned: always
          type: list
          elements: str
          sample:
            - 10.10.0.10/16
        routes:
          description:
            - The unicast routes of the main table by this link. Those that the kernel makes for addresses, and
              router-advertised ones, are left out.
          returned: always
          type: list
          elements: dict
          contains:
            to:
              description: The destination, V(default) for all of IPv4, V(::/0) for all of IPv6.
              returned: always
              type: str
              sample: default
            via:
              description: The next hop.
              returned: if there is one
              type: str
              sample: 10.10.0.1
            metric:
              description: The metric.
              returned: if it is not the kernel's default
              type: int
              sample: 100
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._info import info_module


def main() -> None:
    """Called by Ansible."""
    info_module()


if __name__ == "__main__":
    main()
