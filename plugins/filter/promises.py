# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a declaration promises, as the pings and connections that prove it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: promises
short_description: List who must reach whom, and who must not
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Takes the lists that P(nslab.bridgenet.expand#filter) makes of a declaration, and gives what they promise, to be
    tested by M(nslab.bridgenet.reachability).
  - Every container with every other one, by each of its addresses, is either to be reached or not to be reached, as the
    networks say by C(internal), C(icc) and C(allow). Every container reaches its gateways, and the host every
    container.
  - Every container and the host ask for each published port of TCP and UDP, of a range for the first and the last one.
    They ask in two ways. By an address of the host, it is to be reached from everywhere but internal networks, and one
    that is published at 127.0.0.1 from the host alone. By the container's own address and port, it is reached by those
    who may talk to the container anyway, and by nobody else.
  - It needs no program that listens there, because the module does so while it asks.
  - What depends on others is left out. That is what leaves the host, what is between networks that are not kept from
    each other, where the host's own policy holds, and between ours and an C(external) one. Neighbours with C(icc=false)
    are left out for ports of the host, because C(bridge-nf-call-iptables) decides there. So is SCTP, because a test is
    not to load its kernel module.
options:
  _input:
    description: Lists of objects by module name.
    type: dict
    required: true
  limit:
    description:
      - How many places of containers in networks, and how many published ports, take part at most. The number of
        questions grows with its square.
      - If there are more, only a sample of them does.
    type: int
    default: 20
  sample:
    description:
      - How many are in the sample. They are pairs of neighbours, spread evenly over all, so that there are both
        containers of one network and of different ones.
    type: int
    default: 10
seealso:
  - module: nslab.bridgenet.reachability
  - plugin: nslab.bridgenet.expand
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Test what is promised
  nslab.bridgenet.reachability:
    matrix: "{{ container_bridge_network_lists | nslab.bridgenet.promises }}"
"""

RETURN = r"""
_value:
  description:
    - One object for each question, as the option C(matrix) of M(nslab.bridgenet.reachability) takes them.
  type: list
  elements: dict
  sample:
    - from: ns1
      to: 10.10.0.1
      name: gateway
      expected: true
      title: ns1 to gateway, 10.10.0.1
    - from: ns1
      to: 10.20.0.10
      name: ns3
      expected: false
      title: ns1 to ns3, 10.20.0.10
    - from: ns1
      to: 10.10.0.1
      protocol: tcp
      port: 8080
      name: 8080/tcp
      expected: true
      title: ns1 to ns3 by 10.10.0.1:8080/tcp
      listen: {namespace: ns3, address: 10.20.0.10, port: 80}
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _promises


def promises(lists: Mapping[str, Any], limit: int = 20, sample: int = 10) -> list[dict[str, Any]]:
    """List who reaches whom, and who does not."""
    return _promises.matrix(lists, limit, sample)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"promises": promises}
