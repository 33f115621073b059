#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Source NAT for a network."""

from __future__ import annotations

DOCUMENTATION = r"""
module: masquerade
short_description: Manage source NAT for networks
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Has packets from a network leave the host with the host's own address, either by a given link, or by any link but
    the bridge of that network.
  - Entries are changed in place, and only ours. Each carries its label as a comment.
  - O(state=absent) removes the entry for O(source) and O(out_interface) or O(bridge). With the last entry goes the
    table of ours.
  - It accepts nothing in the firewall. Where the policy of the host's C(FORWARD) chain is C(DROP), packets are dropped
    as before; see M(nslab.bridgenet.forward).
requirements:
  - the program C(nft) (Debian package nftables) or C(iptables) on the target
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.masquerade
  - nslab.bridgenet.task
seealso:
  - module: nslab.bridgenet.bridge
  - module: nslab.bridgenet.forward
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: The network of a bridge leaves with the host's address, and the host forwards
  # echo 1 > /proc/sys/net/ipv4/ip_forward
  # iptables -t nat -A POSTROUTING -s 10.10.0.1/16 ! -o br0 -j MASQUERADE
  nslab.bridgenet.masquerade:
    source: 10.10.0.0/16
    bridge: br0
    forwarding: true

- name: The same by the outgoing link, for a veth without a bridge
  # iptables -t nat -A POSTROUTING -s 10.1.1.0/24 -o ens33 -j MASQUERADE
  nslab.bridgenet.masquerade:
    source: 10.1.1.0/24
    out_interface: ens33

- name: Two networks by one task, as iptables rules
  nslab.bridgenet.masquerade:
    config:
      - source: 10.10.0.0/16
        bridge: br0
        backend: iptables
      - source: 10.20.0.0/16
        bridge: br1
        backend: iptables

- name: Remove an entry, in whatever backend it is
  # iptables -t nat -D POSTROUTING -s 10.10.0.1/16 ! -o br0 -j MASQUERADE
  nslab.bridgenet.masquerade:
    source: 10.10.0.0/16
    bridge: br0
    state: absent
"""

RETURN = r"""
before:
  description: The entries as they were, in the form of O(config). One that did not exist is not in the list.
  returned: success
  type: list
  elements: dict
  sample: []
after:
  description: The entries as they are now, or would be, in the form of O(config).
  returned: success
  type: list
  elements: dict
  sample:
    - source: 10.10.0.0/16
      bridge: br0
      backend: iptables
      label: 10.10.0.0/16/br0
      forwarding: true
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - sysctl -qw net/ipv4/ip_forward=1
    - iptables -w -t nat -A POSTROUTING -s 10.10.0.0/16 '!' -o br0 -m comment --comment
      bridgenet:1:default:10.10.0.0/16/br0 -j MASQUERADE
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
    resource_module("masquerade")


if __name__ == "__main__":
    main()
