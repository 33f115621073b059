# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a declaration leaves to be chosen."""

from __future__ import annotations

DOCUMENTATION = r"""
name: omitted
short_description: List what a declaration of networks and containers leaves to be chosen
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Lists the subnets, MTUs and addresses that P(nslab.bridgenet.expand#filter) chooses, because nobody wrote them. What
    it chooses depends on what stands on the host, which is to be read where this list is not empty.
positional: _input, containers
options:
  _input:
    description: The networks, by name.
    type: dict
    required: true
  containers:
    description: The containers, by name.
    type: dict
    default: {}
  pools:
    description: From where networks get a subnet that have none.
    type: list
    elements: dict
  host_index:
    description:
      - Which one of the hosts of its fleet this is, from V(0) on. It needs O(host_count).
    type: int
  host_count:
    description: How many hosts the fleet will ever have. It needs O(host_index).
    type: int
seealso:
  - plugin: nslab.bridgenet.expand
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read the host, where something depends on it
  nslab.bridgenet.netns_info:
  register: host
  when: networks | nslab.bridgenet.omitted(containers) | length > 0
"""

RETURN = r"""
_value:
  description: What was left out, each in words.
  type: list
  elements: str
  sample:
    - "network 'blue': mtu"
    - "container 'web', network 'blue': ipv4_address"
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _declaration, _omitted, _parts


def omitted(
    networks: Any, containers: Any = None, pools: Any = None, host_index: Any = None, host_count: Any = None
) -> list[str]:
    """List it."""
    try:
        share = _parts.share(host_index, host_count)
        return list(_omitted.omitted(_declaration.parse(networks, containers, pools=pools, share=share)))
    except BridgenetError as error:
        raise AnsibleFilterError(str(error)) from None  # Ansible would print every cause as well


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"omitted": omitted}
