# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run ended on each host of a fleet."""

from __future__ import annotations

DOCUMENTATION = r"""
name: outcome
short_description: Show how a run ended on each host
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Takes what was noted down about every host, and gives a table with a line for each. The playbook
    C(nslab.bridgenet.site) ends with it.
options:
  _input:
    description:
      - What was noted down, by the names of the hosts. C(changed) is whether something was, C(stands) what is there,
        and C(failed) the message of the task that failed instead. An empty object is a host that was not reached.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show how it went
  ansible.builtin.debug:
    msg: "{{ hosts | nslab.bridgenet.outcome }}"
  vars:
    hosts:
      lab1: {changed: true, stands: "containers: 2, networks: 1"}
      lab2: {failed: "Make it stand: there is no nft"}
      lab3: {}
"""

RETURN = r"""
_value:
  description: The lines of the table, those of hosts where all went well first.
  type: list
  elements: str
  sample:
    - "host  state        what"
    - "lab1  changed      containers: 2, networks: 1"
    - "lab2  failed       Make it stand: there is no nft"
    - "lab3  not reached"
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _outcome


def outcome(hosts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Show it."""
    return _outcome.table({str(host): said for host, said in hosts.items()})


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"outcome": outcome}
