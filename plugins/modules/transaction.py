#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of several kinds as one change."""

from __future__ import annotations

DOCUMENTATION = r"""
module: transaction
short_description: Manage objects of several kinds as one change
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Takes the lists of the other modules under their names and makes them one change, with one reading of the host, one
    plan, one lock, one diff, and one undo.
  - What is absent goes first. Then objects are created in the order of the kernel's needs, whatever the order of the
    lists. An object may need another one of the same task, so check mode on an empty host shows the whole change.
  - Objects are described by the modules of their names.
options:
  preflight:
    description:
      - Whether to look for everything that is in the way before the first change, as M(nslab.bridgenet.preflight) does,
        and to fail with all conflicts at once. Otherwise the task fails with the first one.
    type: bool
    default: false
  persist:
    description:
      - Whether what this task declares comes back at boot. V(true) writes a shell script and a unit of systemd that
        runs it, C(/etc/nslab.bridgenet/PROJECT.sh) and C(nslab-bridgenet-PROJECT.service), and has the unit started at
        boot, behind the host's own network and before the services of O(netns_service). The script needs neither this
        collection nor Python, and does no harm where it is started again.
      - It also stands for O(sysctl_bridge_nf[].persist) of the host, where that is not said.
      - V(false), and O(state=absent), remove all this. So does O(purge) where O(persist) is not said. Otherwise what is
        there stays, and brings back what was declared when it was written.
      - A namespace of somebody else, O(netns[].adopt), is not there at boot. It is left out with all that is in it,
        which is a warning, and the next run plugs it in again.
      - V(true) is an error on a host that is not run by systemd, and where the task needs something of ours that
        another task made.
    type: bool
  purge:
    description:
      - Whether to remove everything that carries the label of O(project) and is not declared by this task. That is
        namespaces, bridges, veth pairs, tun and tap devices, VXLAN links, queueing disciplines of these, masquerade,
        forward, publish and packet_log entries, lists of names, services, and what O(persist) wrote. Nothing else
        is ever removed.
    type: bool
    default: false
  absent_when_held:
    description:
      - What to do with a namespace that goes while somebody holds it, see O(netns[].absent_when_held). Holds for those
        that do not say it themselves, and for those that O(purge) removes.
    type: str
    choices: [fail, detach]
    default: fail
  wait:
    description:
      - How long to wait, in seconds, for those that hold a namespace that goes, see O(netns[].wait). Holds for those
        that do not say it themselves, and for those that O(purge) removes.
    type: int
    default: 0
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.bridge.list
  - nslab.bridgenet.bridge_port.list
  - nslab.bridgenet.forward.list
  - nslab.bridgenet.interface.list
  - nslab.bridgenet.masquerade.list
  - nslab.bridgenet.netns.list
  - nslab.bridgenet.netns_names.list
  - nslab.bridgenet.netns_service.list
  - nslab.bridgenet.packet_log.list
  - nslab.bridgenet.publish.list
  - nslab.bridgenet.qdisc.list
  - nslab.bridgenet.sysctl_bridge_nf.list
  - nslab.bridgenet.task
  - nslab.bridgenet.tuntap.list
  - nslab.bridgenet.veth.list
  - nslab.bridgenet.vxlan.list
seealso:
  - module: nslab.bridgenet.preflight
  - module: nslab.bridgenet.bridge
  - module: nslab.bridgenet.bridge_port
  - module: nslab.bridgenet.forward
  - module: nslab.bridgenet.interface
  - module: nslab.bridgenet.masquerade
  - module: nslab.bridgenet.netns
  - module: nslab.bridgenet.netns_info
  - module: nslab.bridgenet.netns_names
  - module: nslab.bridgenet.netns_service
  - module: nslab.bridgenet.packet_log
  - module: nslab.bridgenet.publish
  - module: nslab.bridgenet.qdisc
  - module: nslab.bridgenet.sysctl_bridge_nf
  - module: nslab.bridgenet.tuntap
  - module: nslab.bridgenet.veth
  - module: nslab.bridgenet.vxlan
"""

EXAMPLES = r"""
- name: Two namespaces on a bridge that reach the world with the host's address
  nslab.bridgenet.transaction:
    project: demo
    # ip netns add ns1
    netns:
      - name: ns1
      - name: ns2
    # ip link add br0 type bridge
    # ip addr add 10.10.0.1/16 dev br0
    bridge:
      - name: br0
        addresses: [10.10.0.1/16]
    # ip link add veth1 type veth peer name vpeer1
    # ip link set vpeer1 netns ns1
    veth:
      - name: veth1
        peer:
          name: vpeer1
          namespace: ns1
          addresses: [10.10.0.10/16]
          routes: [{to: default, via: 10.10.0.1}]
      - name: veth2
        peer:
          name: vpeer2
          namespace: ns2
          addresses: [10.10.0.20/16]
          routes: [{to: default, via: 10.10.0.1}]
    # ip link set veth1 master br0
    bridge_port:
      - name: veth1
        master: br0
      - name: veth2
        master: br0
    # iptables -t nat -A POSTROUTING -s 10.10.0.1/16 ! -o br0 -j MASQUERADE
    masquerade:
      - source: 10.10.0.0/16
        bridge: br0
        forwarding: true

- name: Replace one namespace by another, in one change
  nslab.bridgenet.transaction:
    netns:
      - name: ns1
        state: absent
      - name: ns3

- name: Remove all that the project ever made on this host
  nslab.bridgenet.transaction:
    project: demo
    purge: true
"""

RETURN = r"""
before:
  description:
    - The objects as they were, by the names of their lists, and each in the form of that list. What did not exist is
      not in a list.
  returned: success
  type: dict
  sample: {}
after:
  description: The objects as they are now, or would be, in the same form.
  returned: success
  type: dict
  sample:
    netns:
      - name: ns3
        loopback: true
        label: ns3
    persist:
      - name: default
        script: /etc/nslab.bridgenet/default.sh
        checksum: 858d03542adb5bc2
        unit: nslab-bridgenet-default.service
        services: []
        enabled: true
counters:
  description: What the objects have counted, by the names of their lists, as M(nslab.bridgenet.packet_log) has it.
  returned: if O(packet_log) is not empty
  type: dict
  sample: {}
settings:
  description:
    - What changes on the host itself and not on one object, such as IP forwarding, with C(what) it is, and its value
      C(before) and C(after).
  returned: success
  type: list
  elements: dict
  sample:
    - what: sysctl net/ipv4/ip_forward
      before: "0"
      after: "1"
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - ip netns add ns3
    - ip -n ns3 link set dev lo alias bridgenet:1:default:ns3 up
    - ip netns del ns1
findings:
  description: What was found in the way or worth knowing, in the form of M(nslab.bridgenet.preflight).
  returned: success and failure, if O(preflight=true)
  type: list
  elements: dict
  sample: []
drawing:
  description: The conflicts and notices among RV(findings), as lines of text.
  returned: success and failure, if O(preflight=true)
  type: list
  elements: str
  sample: []
assumed:
  description: What check mode assumed, because an earlier task would have created it.
  returned: in check mode, if anything was assumed
  type: list
  elements: str
  sample:
    - interface br0
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._transaction import transaction_module


def main() -> None:
    """Called by Ansible."""
    transaction_module()


if __name__ == "__main__":
    main()
