#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What namespaces know by name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netns_names
short_description: Manage the names that network namespaces know
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Writes C(/etc/netns/NAME/hosts) and C(/etc/netns/NAME/resolv.conf). C(ip netns exec NAME), the connection plugin
    P(nslab.bridgenet.netns#connection) and the services of M(nslab.bridgenet.netns_service) show them in place of the
    host's C(/etc/hosts) and C(/etc/resolv.conf).
  - A list of names is written once and known to many namespaces, such as those of one network. A namespace may know
    several lists.
  - Files are written in place, so that a process that runs sees new names at once. Where such a file comes or goes, the
    services in that namespace are started again, as they see only a file that was there when they started.
  - The files go with the name of their namespace (M(nslab.bridgenet.netns) with O(state=absent)).
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.netns_names
  - nslab.bridgenet.task
notes:
  - A machine that loses power while a file is written may have half of it. The next run writes it anew.
  - Files in C(/etc) outlive a reboot, namespaces do not.
seealso:
  - module: nslab.bridgenet.netns
  - module: nslab.bridgenet.netns_service
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: Two namespaces that find each other by name
  # mkdir -p /etc/netns/ns1 /etc/netns/ns2
  # tee /etc/netns/ns1/hosts /etc/netns/ns2/hosts
  nslab.bridgenet.netns_names:
    name: blue
    namespaces: [ns1, ns2]
    hosts:
      10.10.0.10: [ns1, web]
      10.10.0.20: ns2

- name: A name server for one of them
  nslab.bridgenet.netns_names:
    name: dns
    namespaces: [ns1]
    nameservers: [10.10.0.1]
    search: [lab.example.com]

- name: The name servers of the host, also where it asks itself only
  nslab.bridgenet.netns_names:
    name: dns
    namespaces: [ns1, ns2]
    host_nameservers: true

- name: Forget the names
  nslab.bridgenet.netns_names:
    name: blue
    state: absent
"""

RETURN = r"""
before:
  description:
    - The lists as they were, in the form of O(config). One that no namespace knew is not in the list.
    - Namespaces whose files say something else are in C(differing), each with what they say.
  returned: success
  type: list
  elements: dict
  sample: []
after:
  description: The lists as they are now, or would be, in the same form.
  returned: success
  type: list
  elements: dict
  sample:
    - name: blue
      namespaces: [ns1, ns2]
      hosts:
        10.10.0.10: [ns1, web]
        10.10.0.20: [ns2]
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - mkdir -p /etc/netns/ns1 /etc/netns/ns2
    - printf %s '...' | tee /etc/netns/ns1/hosts /etc/netns/ns2/hosts >/dev/null
assumed:
  description: What check mode assumed, because an earlier task would have created it.
  returned: in check mode, if anything was assumed
  type: list
  elements: str
  sample:
    - namespace ns1
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._module import resource_module


def main() -> None:
    """Called by Ansible."""
    resource_module("netns_names")


if __name__ == "__main__":
    main()
