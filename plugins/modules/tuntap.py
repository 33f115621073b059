#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tun or tap."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tuntap
short_description: Manage persistent tun and tap devices
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Creates, changes and removes tun and tap devices, in the host or in any namespace, with addresses and routes. What
    the kernel sends by such a link is read by a process that has C(/dev/net/tun) open, and what that process writes
    comes in by the link.
  - The devices are persistent, so that they stay when no process has them open. A virtual machine, a VPN or a test
    opens them by their names.
  - A change of O(mode), O(owner), O(group), O(multi_queue), O(packet_info) or O(vnet_hdr) recreates the device, which
    keeps all else. While a process has the device open, such a change is an error that names the process. All other
    changes are made in place.
  - O(state=absent) removes the device of that name, and a process that has it open loses it.
  - Another O(name) or O(namespace) makes another device.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.task
  - nslab.bridgenet.tuntap
requirements:
  - C(/dev/net/tun) on the target, and Linux 4.17 or later
seealso:
  - module: nslab.bridgenet.bridge_port
  - module: nslab.bridgenet.interface
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: A tap for a virtual machine that runs as the user alice
  # ip tuntap add dev tap0 mode tap user alice
  # ip link set tap0 up
  nslab.bridgenet.tuntap:
    name: tap0
    mode: tap
    owner: alice

- name: Plug it into a bridge
  # ip link set tap0 master br0
  nslab.bridgenet.bridge_port:
    name: tap0
    master: br0

- name: A tun in a namespace, with an address and a route, for a VPN
  # ip netns exec ns1 ip tuntap add dev tun0 mode tun
  # ip netns exec ns1 ip addr add 10.8.0.1/24 dev tun0
  # ip netns exec ns1 ip link set tun0 up
  # ip netns exec ns1 ip route add 10.20.0.0/16 dev tun0
  nslab.bridgenet.tuntap:
    name: tun0
    namespace: ns1
    mode: tun
    ipv6: false
    addresses:
      - 10.8.0.1/24
    routes:
      - to: 10.20.0.0/16

- name: Two taps by one task, one of them for a virtual machine with several queues
  # ip tuntap add dev tap1 mode tap group kvm
  # ip tuntap add dev tap2 mode tap group kvm multi_queue vnet_hdr
  nslab.bridgenet.tuntap:
    config:
      - {name: tap1, mode: tap, group: kvm}
      - {name: tap2, mode: tap, group: kvm, multi_queue: true, vnet_hdr: true}

- name: Remove a tap
  # ip tuntap del dev tap0 mode tap
  nslab.bridgenet.tuntap:
    name: tap0
    state: absent
"""

RETURN = r"""
before:
  description: The devices as they were, in the form of O(config). One that did not exist is not in the list.
  returned: success
  type: list
  elements: dict
  sample: []
after:
  description:
    - The devices as they are now, or would be, in the form of O(config). Users and groups are numbers.
  returned: success
  type: list
  elements: dict
  sample:
    - name: tap0
      mac: "02:5b:21:2e:2c:40"
      mtu: 1500
      up: true
      ipv6: true
      addresses: []
      routes: []
      label: tap0
      mode: tap
      owner: "1000"
      group: ""
      multi_queue: false
      packet_info: false
      vnet_hdr: false
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - ip tuntap add dev tap0 mode tap user 1000
    - ip link set dev tap0 address 02:5b:21:2e:2c:40
    - ip link set dev tap0 alias bridgenet:1:default:tap0 up
assumed:
  description: What check mode assumed, because an earlier task would have created it.
  returned: in check mode, if anything was assumed
  type: list
  elements: str
  sample:
    - user alice
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._module import resource_module


def main() -> None:
    """Called by Ansible."""
    resource_module("tuntap")


if __name__ == "__main__":
    main()
