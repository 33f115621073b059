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
  gather_subset:
    description:
      - What to return of each namespace besides its name, inode, id and label.
      - V(min) is nothing else, V(all) is everything. V(pids) and V(holders) walk through C(/proc).
      - V(links) is RV(namespaces[].links), V(pids) is RV(namespaces[].pids), and so on. V(names) is RV(netns_names).
    type: list
    elements: str
    choices: [all, min, links, pids, holders, neighbours, fdb, names]
    default: [links]
  pid:
    description:
      - The number of a process, as the target counts it, to find the namespace that it is in. See RV(identified).
    type: int
requirements:
  - Linux, and root on the target
  - Python 3.9 or later on the target
  - pyroute2 0.7.2 or later on the target, for V(neighbours) and V(fdb) of O(gather_subset)
    (the role P(nslab.bridgenet.lab_host#role) installs it)
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
- name: The links, addresses and routes of all namespaces
  # ip netns list
  # ip addr; ip route
  # ip -all netns exec ip addr; ip -all netns exec ip route
  nslab.bridgenet.netns_info:
  register: found

- name: Only their names, inodes and ids
  # ip netns list
  # ip netns list-id
  # ls -i /run/netns
  nslab.bridgenet.netns_info:
    gather_subset: [min]

- name: Which namespace is a process in?
  # ip netns identify 4711
  nslab.bridgenet.netns_info:
    gather_subset: [min]
    pid: 4711
  register: found

- name: The processes in a namespace
  # ip netns pids ns1
  nslab.bridgenet.netns_info:
    names: [ns1]
    gather_subset: [pids]

- name: Who would keep a namespace alive if its name were removed?
  # ls -l /proc/[0-9]*/ns/net /proc/[0-9]*/fd
  # grep nsfs /proc/[0-9]*/mountinfo
  nslab.bridgenet.netns_info:
    names: [ns1]
    gather_subset: [holders]

- name: Who knows whom, after a ping
  # arp -n; ip -all netns exec arp -n
  # bridge fdb show
  nslab.bridgenet.netns_info:
    gather_subset: [links, neighbours, fdb]
  register: found

- name: The port behind which the bridge has learned a MAC address
  ansible.builtin.debug:
    msg: "{{ found.namespaces[0].fdb | selectattr('kind', 'eq', 'learned') | map(attribute='link') }}"

- name: By which names do containers find each other?
  # tail -n +1 /etc/netns/*/hosts
  nslab.bridgenet.netns_info:
    gather_subset: [min, names]

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
    nsid:
      description: The id that the host's own namespace has for it, as C(ip netns list-id) shows it.
      returned: if there is one
      type: int
      sample: 0
    other_names:
      description: Further names of the same namespace, an empty string for the host itself.
      returned: always
      type: list
      elements: str
      sample: []
    adopted:
      description: Whether it was made by somebody else and adopted, see O(nslab.bridgenet.netns#module:adopt).
      returned: always
      type: bool
      sample: false
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
    pids:
      description: The processes inside, but for this module.
      returned: if V(pids) is in O(gather_subset)
      type: list
      elements: dict
      contains:
        pid:
          description: The number of the process, as the target counts it.
          returned: always
          type: int
          sample: 4711
        command:
          description: What the process calls itself, at most 15 characters, without its arguments.
          returned: always
          type: str
          sample: nginx
    holders:
      description:
        - What keeps the namespace alive besides its names in C(/run/netns).
        - A socket of a process that has moved to another namespace does so, too. The kernel does not tell of it.
      returned: if V(holders) is in O(gather_subset)
      type: list
      elements: dict
      contains:
        kind:
          description: One of V(process), V(descriptor) for an open file of a process, and V(mount).
          returned: always
          type: str
          sample: descriptor
        pid:
          description: The process inside, the one that has the file open, or one that sees the mount.
          returned: always
          type: int
          sample: 4711
        command:
          description: What the process calls itself, at most 15 characters, without its arguments.
          returned: always
          type: str
          sample: containerd-shim
        descriptor:
          description: The number of the open file.
          returned: for a descriptor
          type: int
          sample: 7
        path:
          description: Where it is mounted, as the process sees it.
          returned: for a mount
          type: str
          sample: /run/docker/netns/3f8a91d0c2b4
    neighbours:
      description:
        - The neighbour tables of IPv4 (ARP) and IPv6, as C(ip neighbour) shows them. Sorted by link and address.
      returned: if V(neighbours) is in O(gather_subset)
      type: list
      elements: dict
      contains:
        address:
          description: The address of the neighbour.
          returned: always
          type: str
          sample: 10.10.0.20
        link:
          description: The link by which it is reached.
          returned: always
          type: str
          sample: eth0
        mac:
          description: Its MAC address, an empty string where nobody answered.
          returned: always
          type: str
          sample: "02:97:08:c7:5c:e6"
        state:
          description:
            - One of V(incomplete), V(reachable), V(stale), V(delay), V(probe), V(failed), V(permanent), and V(none).
          returned: always
          type: str
          sample: reachable
        router:
          description: Whether it says of itself that it is a router. Only for IPv6.
          returned: always
          type: bool
          sample: false
        updated:
          description: When it last changed, in seconds before now.
          returned: if the kernel tells
          type: int
          sample: 2
    fdb:
      description:
        - The forwarding databases, as C(bridge fdb) shows them. That is behind which port a bridge, or to which host a
          VXLAN, sends what is for a MAC address. Sorted by bridge, link and MAC address.
        - The multicast groups that every link is in are left out.
      returned: if V(fdb) is in O(gather_subset)
      type: list
      elements: dict
      contains:
        mac:
          description: The MAC address.
          returned: always
          type: str
          sample: "02:97:08:c7:5c:e6"
        link:
          description: The link behind which it is, or which has it.
          returned: always
          type: str
          sample: veth1
        bridge:
          description: The bridge whose entry it is, an empty string for none.
          returned: always
          type: str
          sample: br0
        kind:
          description:
            - V(learned) from a packet, until it ages; V(static), as somebody set it; or V(permanent), which is the
              address of a link of this host.
          returned: always
          type: str
          sample: learned
        flags:
          description: Any of V(self), V(master), V(extern_learn), V(offload), V(sticky), as in bridge(8).
          returned: always
          type: list
          elements: str
          sample: [master]
        vlan:
          description: The VLAN.
          returned: if the bridge heeds VLAN tags
          type: int
          sample: 10
        destination:
          description: The address of the host to which a VXLAN sends.
          returned: for an entry of a VXLAN
          type: str
          sample: 192.0.2.7
        vni:
          description: The VXLAN network identifier, where it is not that of the link.
          returned: for an entry of a VXLAN that has one
          type: int
          sample: 42
        updated:
          description: When it was last learned or set, in seconds before now.
          returned: if the kernel tells
          type: int
          sample: 2
    links:
      description: The links, in the order of the kernel.
      returned: if V(links) is in O(gather_subset)
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
        default_route:
          description: Whether a default route leaves by the link, also a router-advertised one.
          returned: always
          type: bool
          sample: false
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
ids:
  description: All ids that the host's own namespace has for others, as C(ip netns list-id) shows them.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id.
      returned: always
      type: int
      sample: 0
    names:
      description: The names of that namespace, none where it has no name.
      returned: always
      type: list
      elements: str
      sample:
        - ns1
netns_names:
  description:
    - The lists of names that namespaces know, those with our mark in C(/etc/netns). They are of all namespaces,
      whatever O(names) says.
  returned: if V(names) is in O(gather_subset)
  type: list
  elements: dict
  contains:
    project:
      description: The project in the label of the list.
      returned: always
      type: str
      sample: default
    name:
      description: The object in the label of the list, as the option C(name) of M(nslab.bridgenet.netns_names).
      returned: always
      type: str
      sample: network/blue
    namespaces:
      description: Who knows it.
      returned: always
      type: list
      elements: str
      sample: [ns1, ns2]
    hosts:
      description: Address -> names.
      returned: if there are some
      type: dict
      sample: {10.10.0.10: [ns1, web]}
    nameservers:
      description: Whom they ask.
      returned: if there are some
      type: list
      elements: str
    search:
      description: The domains in which they look for a short name.
      returned: if there are some
      type: list
      elements: str
    differing:
      description: Namespace -> what stands there, where it is not the same as in the first one.
      returned: if there are some
      type: dict
identified:
  description: Which namespace a process is in.
  returned: with O(pid)
  type: dict
  contains:
    pid:
      description: The number of the process.
      returned: always
      type: int
      sample: 4711
    command:
      description: What the process calls itself, at most 15 characters, without its arguments.
      returned: always
      type: str
      sample: nginx
    inode:
      description: The inode of its namespace.
      returned: always
      type: int
      sample: 4026532281
    names:
      description: The names of its namespace, an empty string for the host's own. None where it has no name.
      returned: always
      type: list
      elements: str
      sample:
        - ns1
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._info import info_module


def main() -> None:
    """Called by Ansible."""
    info_module()


if __name__ == "__main__":
    main()
