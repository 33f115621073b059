# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of containers on other hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: elsewhere
short_description: Let containers know those of other hosts by name
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Takes the lists of P(nslab.bridgenet.expand#filter), and adds to those of C(netns_names) who is in the same networks
    on other hosts, for networks with C(driver) V(vxlan) or C(shared). Networks of one name, C(vni) and subnet are the
    same.
  - What a host has told in this run, in the fact C(container_bridge_network_members), is all that it has. Of another
    host, its variables tell what is written there. An address that is chosen is as it is known here already; where it
    is not, it is that which would be chosen whatever stands on the other host. A container whose address depends on
    that is left out.
  - A name is that of the container on the host itself, where there is one of that name.
  - The role P(nslab.bridgenet.container_bridge_network#role) does this for you.
positional: _input, networks, variables, hosts, own, standing, project
options:
  _input:
    description: The lists of the host itself.
    type: dict
    required: true
  networks:
    description: The networks of the host itself.
    type: dict
    required: true
  variables:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  hosts:
    description: The hosts that may have them, such as C(groups["all"]).
    type: list
    elements: str
    required: true
  own:
    description: The name of the host itself, C(inventory_hostname).
    type: str
    required: true
  standing:
    description: What is known here already, as the return value C(netns_names) of M(nslab.bridgenet.netns_info).
    type: list
    elements: dict
  project:
    description: Whose lists in O(standing) are those of the declaration.
    type: str
    default: default
seealso:
  - plugin: nslab.bridgenet.expand
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Whom do our containers know?
  ansible.builtin.debug:
    msg: "{{ (lists | nslab.bridgenet.elsewhere(networks, hostvars, groups['all'], inventory_hostname)).netns_names }}"
  vars:
    lists: "{{ networks | nslab.bridgenet.expand(containers) }}"
"""

RETURN = r"""
_value:
  description:
    - The lists. Two containers with one address are an error, and a wrong declaration of another host is a warning.
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.plugin_utils import _members


def elsewhere(
    lists: Mapping[str, Any],
    networks: Any,
    variables: Mapping[str, Mapping[str, Any]],
    hosts: Iterable[str],
    own: str,
    standing: Any = None,
    project: str = "default",
) -> dict[str, Any]:
    """Add them."""
    try:
        known = _members.standing(standing, project)
        return _members.join(lists, _members.elsewhere(networks, variables, hosts, own, known, Display().warning))
    except BridgenetError as error:
        raise AnsibleFilterError(str(error)) from None  # Ansible would print every cause as well


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"elsewhere": elsewhere}
