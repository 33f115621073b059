#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One packet, hop by hop."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packet_path
short_description: Send one packet and see every interface that it crosses
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Sends one ICMP echo request, one TCP SYN or one UDP datagram from a namespace to an address. The packet carries a
    tag, by which it and its answer are told from all other traffic, also behind a NAT.
  - Returns, in the order of time, every interface that the packet and its answer crossed, in the host and in all named
    namespaces, with direction, addresses and MAC addresses. If no answer came, it returns where the packet was seen
    last.
  - It captures by packet sockets, and starts no other program unless O(hooks=true). While it runs, bridges are in
    promiscuous mode, as by C(tcpdump), so that they show what they only pass on.
  - It looks and changes nothing, so it never reports a change, also if it writes files to O(pcap_directory).
options:
  namespace:
    description:
      - The namespace that sends, by its name in C(/run/netns). Without it, or with an empty string, the host itself.
    type: str
  to:
    description:
      - The IPv4 or IPv6 address to send to.
    type: str
    required: true
  protocol:
    description:
      - V(icmp) is an echo request. V(tcp) is a SYN; if a SYN-ACK comes back, the kernel takes the connection back by a
        RST. V(udp) is a datagram of 23 bytes.
    type: str
    choices: [icmp, tcp, udp]
    default: icmp
  port:
    description:
      - The port to send to. Required with O(protocol=tcp) and O(protocol=udp).
    type: int
  timeout:
    description:
      - How long to wait for the answer, in seconds. The module returns as soon as the answer is there.
    type: float
    default: 1
  namespaces:
    description:
      - Where to look, besides O(namespace). An empty string is the host itself. Without it, the host and all named
        namespaces.
      - Name a few on a host with hundreds of namespaces, above all with O(hooks=true).
    type: list
    elements: str
  hooks:
    description:
      - Whether to say which hooks of netfilter the packet and its answer passed in each namespace. That is done by an
        nftables table with a name of its own, which counts these two packets alone, and which is removed before the
        module returns.
      - Needs the program C(nft). A bridge's own hooks (family C(bridge)) are not counted, but with
        C(bridge-nf-call-iptables) a bridged packet passes the hooks of IP, and then it shows here.
    type: bool
    default: false
  pcap_directory:
    description:
      - A directory on the target for captures that Wireshark and C(tcpdump) read, a file for every interface that was
        crossed, with the packet and its answer. Without it, nothing is written.
      - It is created if it does not exist. A file of the same name is replaced, others stay.
    type: path
requirements:
  - Linux, and root on the target
  - Python 3.9 or later on the target
attributes:
  check_mode:
    description: Can run in C(check_mode), and then predicts the change without making it.
    support: none
    details: A packet is sent, so the task is skipped.
  diff_mode:
    description: Returns details on what has changed, or would change in C(check_mode), when in diff mode.
    support: N/A
    details: This module changes nothing.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
notes:
  - Times are those of the kernel. They are lengthened a little by the captures themselves, and by O(hooks=true).
  - An answer to UDP is what comes back to where the datagram came from, whatever is in it.
  - A network whose other end is no named namespace of this host, like the network behind the uplink, ends at the last
    interface of this host.
seealso:
  - module: nslab.bridgenet.netns_info
  - module: nslab.bridgenet.reachability
  - module: nslab.bridgenet.sysctl_bridge_nf
"""

EXAMPLES = r"""
- name: The way of a ping between two containers
  # tcpdump -i veth1 -w veth1.pcap & tcpdump -i br0 -w br0.pcap & ...
  # ip netns exec ns1 ping -c 1 10.10.0.20
  nslab.bridgenet.packet_path:
    namespace: ns1
    to: 10.10.0.20
    pcap_directory: /var/tmp/ping
  register: path

- name: Show it
  ansible.builtin.debug:
    msg: "{{ path.drawing }}"

- name: Does a TCP connection reach the web server, and does a rule drop it
  nslab.bridgenet.packet_path:
    namespace: ns1
    to: 198.51.100.9
    protocol: tcp
    port: 80
    hooks: true
  register: path

- name: It does, with the address of the host
  ansible.builtin.assert:
    that:
      - path.answer == "SYN-ACK"
      - path.hops | selectattr("translated") | map(attribute="source") | first == "198.51.100.1"
    fail_msg: "{{ path.ended }}"
"""

RETURN = r"""
ended:
  description: What became of the packet, as a sentence. Without an answer, where it was seen last.
  returned: success
  type: str
  sample: answered by 10.10.0.20 with echo reply after 26 µs
arrived:
  description: Whether the packet came in by an interface of a namespace that has its destination address.
  returned: success
  type: bool
  sample: true
answered:
  description: Whether an answer came back. A RST of TCP is one, an error of ICMP is none.
  returned: success
  type: bool
  sample: true
answer:
  description:
    - What the answer is, like V(echo reply), V(SYN-ACK), V(RST-ACK) or V(UDP), or what an error of ICMP says, like
      V(port unreachable). An empty string if there was none.
  returned: success
  type: str
  sample: echo reply
hops:
  description: The interfaces that the packets crossed, in the order of time.
  returned: success
  type: list
  elements: dict
  contains:
    packet:
      description: V(request), V(reply), or V(error) for an error of ICMP about the request.
      returned: always
      type: str
      sample: request
    namespace:
      description: The namespace of the interface, an empty string for the host itself.
      returned: always
      type: str
      sample: ns1
    interface:
      description: The interface.
      returned: always
      type: str
      sample: eth0
    direction:
      description: V(in) for what the interface received, V(out) for what it sent.
      returned: always
      type: str
      sample: out
    source:
      description: The source address.
      returned: always
      type: str
      sample: 10.10.0.10
    source_port:
      description: The source port.
      returned: for TCP and UDP
      type: int
      sample: 40123
    source_mac:
      description: The source MAC address, an empty string on a link without one.
      returned: always
      type: str
      sample: "02:aa:3d:4e:c3:69"
    destination:
      description: The destination address.
      returned: always
      type: str
      sample: 10.10.0.20
    destination_port:
      description: The destination port.
      returned: for TCP and UDP
      type: int
      sample: 80
    destination_mac:
      description: The destination MAC address, an empty string on a link without one.
      returned: always
      type: str
      sample: "02:02:cd:eb:15:21"
    microseconds:
      description: The time since the first hop.
      returned: always
      type: float
      sample: 2.314
    translated:
      description: What a NAT has changed since the hop before, an empty string for nothing.
      returned: always
      type: str
      sample: source was 10.10.0.10
hooks:
  description: The hooks of netfilter that the packets passed. Empty without O(hooks=true).
  returned: success
  type: list
  elements: dict
  contains:
    namespace:
      description: The namespace, an empty string for the host itself.
      returned: always
      type: str
      sample: ""
    packet:
      description: V(request) or V(reply).
      returned: always
      type: str
      sample: request
    hook:
      description: V(prerouting), V(input), V(forward), V(output) or V(postrouting).
      returned: always
      type: str
      sample: forward
    entered:
      description: How often the packet came to the hook.
      returned: always
      type: int
      sample: 1
    left:
      description: How often it was still there behind all rules. Fewer means that a rule dropped it.
      returned: always
      type: int
      sample: 1
drawing:
  description: All of it as lines of text.
  returned: success
  type: list
  elements: str
  sample:
    - "icmp from ns1 to 10.10.0.20: answered by 10.10.0.20 with echo reply after 26 µs"
    - ""
    - request
    - "   0 µs  ns1       eth0     out  10.10.0.10 > 10.10.0.20  02:aa:3d:4e:c3:69 > 02:02:cd:eb:15:21"
pcap_files:
  description: The files that were written, in the order of the path.
  returned: success
  type: list
  elements: str
  sample:
    - /var/tmp/ping/01-ns1-eth0.pcap
    - /var/tmp/ping/02-host-veth1.pcap
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._packet_path import packet_path_module


def main() -> None:
    """Called by Ansible."""
    packet_path_module()


if __name__ == "__main__":
    main()
