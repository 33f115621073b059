#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may talk to whom through the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: forward
short_description: Manage who may talk to whom through the host
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Accepts forwarded connections between two links, or makes the network of a bridge an isolated one, for IPv4 and IPv6
    alike, and whether or not bridged packets pass the host's firewall.
  - Entries are elements of sets in the table C(inet bridgenet) of nftables, which is ours alone, and whose rules are
    always the same. With the last element goes the table. Packets of links that nobody declared are never touched.
  - An accept in one table of the firewall does not rescue a packet from another one. So what is accepted gets the mark
    bit C(0x1000), and where the host drops forwarded packets, one rule in its own chain accepts what has that bit. It
    stands at the head of C(DOCKER-USER) where Docker manages the host, otherwise at the head of C(FORWARD) where the
    policy of that chain is C(DROP), or a rule in it drops or rejects everything, in either variant of iptables, for
    IPv4 and IPv6 each. It comes with the first entry of any project, follows the host's firewall with every task of
    this module, and goes with the last entry.
  - Where firewalld runs, the bridge of a network joins its zone C(trusted), now and permanently, and leaves it with the
    entry. A bridge that somebody put into another zone stays there, and a warning says so.
  - Another chain of nftables that drops forwarded packets is left alone. A warning names it and what helps.
requirements:
  - the program C(nft) (Debian package nftables) on the target
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.forward
  - nslab.bridgenet.task
seealso:
  - module: nslab.bridgenet.masquerade
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: A namespace behind a veth may talk to the world, and the world to it, whatever the host's policy is
  # iptables -A FORWARD -i ens33 -o veth_right -j ACCEPT
  # iptables -A FORWARD -i veth_right -o ens33 -j ACCEPT
  nslab.bridgenet.forward:
    interface: veth_right
    other: ens33

- name: The same, but the world only answers
  # iptables -A FORWARD -i ens33 -o veth_right -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
  # iptables -A FORWARD -i veth_right -o ens33 -j ACCEPT
  nslab.bridgenet.forward:
    interface: veth_right
    other: ens33
    both_ways: false

- name: Two networks that do not see each other, one of them without a way out
  nslab.bridgenet.forward:
    config:
      - bridge: br0
      - bridge: br1
        internal: true

- name: Remove an entry
  nslab.bridgenet.forward:
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
    - interface: veth_right
      other: ens33
      both_ways: true
      label: veth_right/ens33
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - printf %s 'add element inet bridgenet accepted { "br0" . "br0" comment "bridgenet:1:default:br0" }' | nft -f -
    - iptables -w -t filter -I FORWARD -m mark --mark 0x1000/0x1000 -m comment --comment bridgenet:1:forward -j ACCEPT
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
    resource_module("forward")


if __name__ == "__main__":
    main()
