#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reaches whom."""

from __future__ import annotations

DOCUMENTATION = r"""
module: reachability
short_description: Test who reaches whom, and who must not
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Asks many addresses from many namespaces at once, by ICMP echo, TCP connections or UDP datagrams, and compares the
    answers with what is expected. That may also be that there is none.
  - Fails and names each pair that is not as expected, unless O(assert=false).
  - All questions are asked in parallel by one process. It takes as long as the slowest answer, or O(timeout) if one is
    missing.
options:
  from:
    description:
      - The namespaces that ask, by their names in C(/run/netns). An empty string is the host itself.
      - Each of them asks each address of O(to).
    type: list
    elements: str
  to:
    description:
      - The IPv4 or IPv6 addresses to be asked.
    type: list
    elements: str
  protocol:
    description:
      - How O(from) asks O(to). V(icmp) is a ping. V(tcp) opens a connection and closes it; one that is refused has not
        reached its port.
      - V(udp) sends one datagram. It is for O(matrix[].listen) only, because nobody knows what
        other programs answer.
    type: str
    choices: [icmp, tcp, udp]
    default: icmp
  port:
    description:
      - The port of O(to), for O(protocol=tcp).
    type: int
  expected:
    description:
      - Whether O(to) is to be reached from O(from), or must not be.
    type: bool
    default: true
  matrix:
    description:
      - Single pairs, each with what is expected of it. Alone, or besides O(from) and O(to).
    type: list
    elements: dict
    suboptions:
      from:
        description:
          - The namespace that asks. Without it, or with an empty string, the host itself.
        type: str
        default: ""
      to:
        description:
          - The address to be asked.
        type: str
        required: true
      protocol:
        description:
          - How to ask, see O(protocol).
        type: str
        choices: [icmp, tcp, udp]
        default: icmp
      port:
        description:
          - The port, for O(matrix[].protocol=tcp) and O(matrix[].protocol=udp).
        type: int
      expected:
        description:
          - Whether it is to be reached, or must not be.
        type: bool
        default: true
      name:
        description:
          - What to call O(matrix[].to) in RV(drawing). Addresses of the same name share a column.
        type: str
      title:
        description:
          - What to call this pair in RV(pairs[].said). Without it, namespace and address.
        type: str
      listen:
        description:
          - Where the question has to arrive, such as the port of a container to which a port of the host leads. The
            module listens there while it asks, if nobody else does, and only what it hears there itself is reached. An
            answer by somebody else is none.
          - A program that listens there keeps its port. Then V(tcp) is a connection to that program, which is closed at
            once, and V(udp) is not asked, because a program may not expect what is sent.
          - A program that starts within the second that this takes finds its port in use.
        type: dict
        suboptions:
          namespace:
            description:
              - The namespace in which to listen.
            type: str
            required: true
          address:
            description:
              - The address at which to listen, one of that namespace.
            type: str
            required: true
          port:
            description:
              - The port at which to listen.
            type: int
            required: true
  timeout:
    description:
      - How long to wait for answers after the last question, in seconds. The module returns as soon as all answers are
        there. If it is expected that something is not reached, it waits that long.
    type: float
    default: 1
  unexpected_timeout:
    description:
      - How long to wait for answers that are not expected, in seconds, if that is shorter than O(timeout). What answers
        at all does so as fast as what is expected to.
      - The default is O(timeout).
    type: float
  assert:
    description:
      - Whether a pair that is not as expected is an error. V(false) only returns it.
    type: bool
    default: true
requirements:
  - Linux, and root on the target
  - Python 3.9 or later on the target
attributes:
  check_mode:
    description: Can run in C(check_mode), and then predicts the change without making it.
    support: none
    details: The task is skipped, because what earlier tasks would have created does not answer.
  diff_mode:
    description: Returns details on what has changed, or would change in C(check_mode), when in diff mode.
    support: N/A
    details: This module changes nothing.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
notes:
  - A namespace that does not exist is an error.
seealso:
  - module: nslab.bridgenet.packet_path
  - module: nslab.bridgenet.netns_info
"""

EXAMPLES = r"""
- name: Every container reaches every other one and the gateway
  # ip netns exec ns1 ping -c 1 10.10.0.20
  # ip netns exec ns2 ping -c 1 10.10.0.10
  nslab.bridgenet.reachability:
    from: [ns1, ns2]
    to: [10.10.0.10, 10.10.0.20, 10.10.0.1]
  register: reached

- name: Show it
  ansible.builtin.debug:
    msg: "{{ reached.drawing }}"

- name: Two networks are isolated from each other, and one port is open to the world
  nslab.bridgenet.reachability:
    matrix:
      - {from: ns1, to: 10.20.0.10, expected: false}
      - {from: ns3, to: 10.10.0.10, expected: false}
      - {from: ns1, to: 198.51.100.9, protocol: tcp, port: 80, title: ns1 to the web}

- name: Port 8080 of the host leads to port 80 of a container, in which nothing listens yet
  nslab.bridgenet.reachability:
    matrix:
      - from: ns2
        to: 10.10.0.1
        protocol: tcp
        port: 8080
        listen: {namespace: ns1, address: 10.10.0.10, port: 80}
"""

RETURN = r"""
as_expected:
  description: Whether every pair is as expected.
  returned: success and failure
  type: bool
  sample: true
pairs:
  description: The pairs, those of O(from) and O(to) first.
  returned: success and failure
  type: list
  elements: dict
  contains:
    from:
      description: The namespace that asked, an empty string for the host itself.
      returned: always
      type: str
      sample: ns1
    to:
      description: The address that was asked.
      returned: always
      type: str
      sample: 10.10.0.20
    protocol:
      description: V(icmp), V(tcp) or V(udp).
      returned: always
      type: str
      sample: icmp
    port:
      description: The port, null for ICMP.
      returned: always
      type: int
      sample: 80
    expected:
      description: Whether it is to be reached.
      returned: always
      type: bool
      sample: true
    reached:
      description: Whether it was. Null if it was not asked, see O(matrix[].listen).
      returned: always
      type: bool
      sample: true
    as_expected:
      description: Whether that is the same, or it was not asked.
      returned: always
      type: bool
      sample: true
    answer:
      description:
        - What came back, like V(echo reply), V(connected), V(answered), V(refused), V(somebody else answers), V(host
          unreachable), V(network is unreachable) or V(no answer).
      returned: always
      type: str
      sample: echo reply
    milliseconds:
      description: How long the answer took, null if it was not reached.
      returned: always
      type: float
      sample: 0.051
    said:
      description: All of that in one line.
      returned: always
      type: str
      sample: "ns1 to 10.10.0.20: 0.051 ms"
drawing:
  description:
    - A table with a line for each namespace and a column for each address, as lines of text. An exclamation mark stands
      behind what is not as expected.
    - If every pair has a O(matrix[].name), the columns are those, and the cells C(yes), C(no), C(partly) where only
      some of the addresses are reached, and C(-) where none is asked. With more than 24 names, the table goes on below.
    - Without names, if not every namespace asks every address, or there are more than 12 addresses, a line for each
      pair.
  returned: success and failure
  type: list
  elements: str
  sample:
    - from  10.10.0.10  10.10.0.20
    - ns1   0.021 ms    0.051 ms
    - ns2   0.049 ms    no !
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._reachability import reachability_module


def main() -> None:
    """Called by Ansible."""
    reachability_module()


if __name__ == "__main__":
    main()
