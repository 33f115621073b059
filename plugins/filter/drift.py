# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hosts differ from their declarations."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drift
short_description: Show how hosts differ from their declarations
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Takes what every host said when P(nslab.bridgenet.container_bridge_network#role) compared it in check mode, and
    tells what differs, as data and as a table. The playbook C(nslab.bridgenet.drift) uses it.
options:
  _input:
    description:
      - What each host said, by its name. C(result) is what M(nslab.bridgenet.transaction) returned, C(why) the message
        of the task that failed instead. An empty object is a host that was not reached.
    type: dict
    required: true
  limit:
    description: How many differences of each host the table shows at most.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: Show what differs
  ansible.builtin.debug:
    msg: "{{ (hosts | nslab.bridgenet.drift).table }}"
  vars:
    hosts:
      lab1: {result: "{{ hostvars.lab1.container_bridge_network_result }}"}
      lab2: {}
"""

RETURN = r"""
_value:
  description: What differs.
  type: dict
  contains:
    hosts:
      description:
        - The hosts, with C(host), C(state) (V(same), V(differs), V(not compared) or V(not reached)), C(why) it was not
          compared, and C(differences). Each of those has an C(object), an C(option) (empty for the object as a whole),
          and what it C(is) and what is C(declared), null where it is not there.
      type: list
      elements: dict
    table:
      description: The lines of a table.
      type: list
      elements: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _drift


def drift(hosts: Mapping[str, Mapping[str, Any]], limit: int = 10) -> dict[str, Any]:
    """Tell what differs."""
    found = [_drift.of_host(str(host), said) for host, said in hosts.items()]
    return {"hosts": _drift.as_data(found), "table": _drift.table(found, limit)}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"drift": drift}
