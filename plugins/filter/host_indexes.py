# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of a fleet has which index."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_indexes
short_description: Give every host of a fleet an index of its own
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Gives every host that has none the lowest C(container_bridge_network_host_index) that is free. Those that hosts have
    do not change. Two hosts with the same one are an error.
  - The playbook C(nslab.bridgenet.allocate) writes the result into the inventory.
options:
  _input:
    description: The index of every host of the fleet, by its name, null where it has none.
    type: dict
    required: true
  known:
    description: The indexes that have been given out before. Those of hosts that are gone are not given out again.
    type: dict
    default: {}
  count:
    description: How many hosts there can be. More are an error.
    type: int
  prune:
    description: Whether hosts that are gone are forgotten, so that others may have their indexes.
    type: bool
    default: false
seealso:
  - plugin: nslab.bridgenet.expand
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show who gets which
  ansible.builtin.debug:
    msg: "{{ {'lab1': 0, 'lab2': none, 'lab3': none} | nslab.bridgenet.host_indexes(known={'lab0': 1}) }}"
"""

RETURN = r"""
_value:
  description: The indexes of all hosts, by name, in the order of the indexes.
  type: dict
  sample: {lab1: 0, lab0: 1, lab2: 2, lab3: 3}
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _allocation, _readers


def host_indexes(
    given: Mapping[str, Any], known: Mapping[str, Any] | None = None, count: Any = None, prune: Any = False
) -> dict[str, int]:
    """Give them out."""
    plain = {str(name): index for name, index in given.items()}
    before = {str(name): index for name, index in (known or {}).items()}
    try:
        return _allocation.allocate(plain, before, count, _readers.flag("prune", prune))
    except BridgenetError as error:
        raise AnsibleFilterError(str(error)) from None  # Ansible would print every cause as well


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"host_indexes": host_indexes}
