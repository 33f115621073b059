#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log rules at the hooks of the host's firewall."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packet_log
short_description: Manage rules that log packets and count them
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Has the host log the packets that pass a hook of its firewall, and returns how many did.
  - In the table nat it matches on C(ct state new,related), because connections have to be followed there.
  - A rule only looks. It is placed and removed on its own; that of others, and its counters, stay as they are.
  - Whether packets between two ports of a bridge pass these hooks at all is up to
    M(nslab.bridgenet.sysctl_bridge_nf), and to O(nslab.bridgenet.bridge#module:nf_call_iptables) of the bridge.
requirements:
  - the program C(nft) (Debian package nftables) or C(iptables) on the target
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.packet_log
  - nslab.bridgenet.task
seealso:
  - module: nslab.bridgenet.sysctl_bridge_nf
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: Log the first packet of each ping before the host decides where it goes, as a rule of iptables
  # iptables -t nat -I PREROUTING -p icmp -j LOG --log-prefix "Nat-PREROUTING-1-"
  nslab.bridgenet.packet_log:
    hook: prerouting
    protocol: icmp
    prefix: Nat-PREROUTING-1-
    backend: iptables

- name: Log pings on their way through the host and when they leave it
  # iptables -t filter -A FORWARD -p icmp -j LOG --log-prefix "Filter-FORWARD-1-"
  # iptables -t nat -I POSTROUTING -p icmp -j LOG --log-prefix "Nat-POSTROUTING-1-"
  nslab.bridgenet.packet_log:
    config:
      - {hook: forward, protocol: icmp, prefix: Filter-FORWARD-1-}
      - {hook: postrouting, protocol: icmp, prefix: Nat-POSTROUTING-1-}
  register: log

- name: How many there were
  # iptables -t filter -nvL FORWARD
  ansible.builtin.debug:
    msg: "{{ log.counters }}"

- name: Remove a rule
  nslab.bridgenet.packet_log:
    hook: forward
    prefix: Filter-FORWARD-1-
    state: absent
"""

RETURN = r"""
before:
  description: The rules as they were, in the form of O(config). One that did not exist is not in the list.
  returned: success
  type: list
  elements: dict
  sample: []
after:
  description: The rules as they are now, or would be, in the form of O(config).
  returned: success
  type: list
  elements: dict
  sample:
    - hook: forward
      table: filter
      prefix: Filter-FORWARD-1-
      protocol: icmp
      backend: nftables
      label: filter/forward/Filter-FORWARD-1
counters:
  description: What the rules have counted, read after the change. In check mode, as it is.
  returned: success
  type: list
  elements: dict
  contains:
    label:
      description: The label of the rule.
      type: str
    packets:
      description: How many packets.
      type: int
    bytes:
      description: How many bytes they had, with their IP headers.
      type: int
  sample:
    - label: filter/forward/Filter-FORWARD-1
      packets: 10
      bytes: 840
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - iptables -w -t nat -I PREROUTING -p icmp -m conntrack --ctstate NEW,RELATED -m comment --comment
      bridgenet:1:default:nat/prerouting/Nat-PREROUTING-1 -j LOG --log-prefix Nat-PREROUTING-1-
assumed:
  description: What check mode assumed, because an earlier task would have created it.
  returned: in check mode, if anything was assumed
  type: list
  elements: str
  sample: []
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._module import resource_module


def main() -> None:
    """Called by Ansible."""
    resource_module("packet_log")


if __name__ == "__main__":
    main()
