#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published ports."""

from __future__ import annotations

DOCUMENTATION = r"""
module: publish
short_description: Manage published ports
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Sends what comes to a port of the host to a port of a container, for TCP, UDP and SCTP, IPv4 and IPv6, one port or a
    range.
  - The port is reached from outside, from the host itself, at V(127.0.0.1) too, from the container itself, from its
    neighbours on the bridge, and from other networks that are isolated by M(nslab.bridgenet.forward). Who is on the
    same bridge, or on the host, is seen with an address of the host.
  - Each port is an element of a map in the table C(inet bridgenet) of nftables, which is ours alone, and whose rules
    are always the same. Where the host drops forwarded packets, the same rule as for M(nslab.bridgenet.forward) lets
    them pass.
  - With C(bridge-nf-call-iptables) on, a container reaches its own published port only if its bridge port has
    O(nslab.bridgenet.bridge_port#module:hairpin).
  - What the kernel remembers of flows to a UDP or SCTP port is removed whenever that port is published, changed or
    removed, so that senders that never pause come through. This is not undone on failure. Connections by TCP that
    stand go on as they are.
requirements:
  - the program C(nft) (Debian package nftables) on the target
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.publish
  - nslab.bridgenet.task
seealso:
  - module: nslab.bridgenet.forward
  - module: nslab.bridgenet.masquerade
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: Port 8080 of the host, at all of its addresses, is port 80 of a container
  # iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -p tcp --dport 8080 -j DNAT --to 10.10.0.10:80
  nslab.bridgenet.publish:
    host_port: "8080"
    address: 10.10.0.10
    port: "80"
    bridge: br0
    forwarding: true

- name: For the host itself alone, a range, and a name server for IPv6
  nslab.bridgenet.publish:
    config:
      - {host_address: 127.0.0.1, host_port: "8081", address: 10.10.0.10, port: "80", bridge: br0}
      - {host_port: 9000-9010, address: 10.10.0.20, bridge: br0}
      - {host_port: "53", protocol: udp, address: "fd00:10::20", bridge: br0}

- name: Remove a port
  nslab.bridgenet.publish:
    host_port: "8080"
    address: 10.10.0.10
    state: absent
"""

RETURN = r"""
before:
  description: The ports as they were, in the form of O(config). One that was not published is not in the list.
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
    - protocol: tcp
      host_port: "8080"
      address: 10.10.0.10
      port: "80"
      bridge: br0
      label: any:8080/tcp
actions:
  description:
    - What was done, or would be done, as commands for a shell.
    - C(conntrack) is of the Debian package conntrack, which this module itself does not need.
  returned: success
  type: list
  elements: str
  sample:
    - >-
      printf %s 'add element inet bridgenet published4 { 17 . 53 comment "bridgenet:1:default:any:53/udp" :
      10.10.0.10 . 53 }' | nft -f -
    - conntrack -D -f ipv4 -p udp --orig-port-dst 53 || true
    - sysctl -qw net/ipv4/conf/br0/route_localnet=1
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
    resource_module("publish")


if __name__ == "__main__":
    main()
