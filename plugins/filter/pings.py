# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands, as the pings that prove it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pings
short_description: List the pings that prove what stands
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Takes C(after) (or C(before)) as M(nslab.bridgenet.transaction) returns it.
  - Every container pings its gateway and the next container of its network, the last one the first, so that each one
    asks and answers. With IPv4 and IPv6, it does so by both.
options:
  _input:
    description: Lists of objects by module name.
    type: dict
    required: true
  limit:
    description: With more containers than this, only a sample of them pings.
    type: int
    default: 20
  sample:
    description: How many containers are in the sample. They are spread evenly over all.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: Ping through what stands
  nslab.bridgenet.reachability:
    matrix: "{{ container_bridge_network_result.after | nslab.bridgenet.pings }}"
"""

RETURN = r"""
_value:
  description:
    - One object for each ping, with the namespace to ping from, the address to ping, and a title, as the option
      C(matrix) of M(nslab.bridgenet.reachability) takes them.
  type: list
  elements: dict
  sample:
    - from: ns1
      to: 10.10.0.1
      title: ns1 to gateway, 10.10.0.1
    - from: ns1
      to: 10.10.0.20
      title: ns1 to ns2, 10.10.0.20
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _standing


def pings(after: Mapping[str, Any], limit: int = 20, sample: int = 10) -> list[dict[str, str]]:
    """List who is to ping whom."""
    return _standing.pings(_standing.networks(after), limit, sample)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"pings": pings}
