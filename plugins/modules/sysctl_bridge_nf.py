#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether bridged packets pass the firewall."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sysctl_bridge_nf
short_description: Manage whether bridged packets pass the firewall
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Manages the sysctls C(net/bridge/bridge-nf-call-iptables), C(-ip6tables) and C(-arptables), of the host or of a
    namespace. Where they are on, packets between two ports of a bridge pass the firewall as if they were routed.
  - A namespace has switches of its own, and starts with all of them on, whatever the host has.
  - The sysctls exist only with the kernel module C(br_netfilter). Without it nothing passes, so all three count as off.
  - O(state=absent) gives the values of the host back that were there before, and removes the files of O(persist). The
    values of a namespace stay.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.sysctl_bridge_nf
  - nslab.bridgenet.task
seealso:
  - module: nslab.bridgenet.bridge
    description: Its options O(nslab.bridgenet.bridge#module:nf_call_iptables) and so on switch a single bridge on.
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: Traffic between containers on one bridge is none of the firewall's business
  # sysctl net.bridge.bridge-nf-call-iptables=0
  nslab.bridgenet.sysctl_bridge_nf:
    iptables: false
    ip6tables: false
    arptables: false
    persist: true

- name: It is, and the kernel module is loaded where it is not
  # modprobe br_netfilter
  # sysctl net.bridge.bridge-nf-call-iptables=1
  nslab.bridgenet.sysctl_bridge_nf:
    iptables: true
    load: true

- name: The host and a namespace by one task
  nslab.bridgenet.sysctl_bridge_nf:
    config:
      - iptables: true
      - namespace: router
        iptables: false

- name: As it was before
  nslab.bridgenet.sysctl_bridge_nf:
    state: absent
"""

RETURN = r"""
before:
  description:
    - The switches as they were, in the form of O(config).
    - The files that O(persist) keeps are shown with their lines, where they are there.
  returned: success
  type: list
  elements: dict
  sample:
    - iptables: true
      ip6tables: true
      arptables: true
      persist: false
after:
  description: The switches as they are now, or would be, in the form of O(config).
  returned: success
  type: list
  elements: dict
  sample:
    - iptables: false
      ip6tables: true
      arptables: true
      persist: false
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - sysctl -qw net/bridge/bridge-nf-call-iptables=0
assumed:
  description: What check mode assumed, because an earlier task would have created it.
  returned: in check mode, if anything was assumed
  type: list
  elements: str
  sample:
    - namespace router
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._module import resource_module


def main() -> None:
    """Called by Ansible."""
    resource_module("sysctl_bridge_nf")


if __name__ == "__main__":
    main()
