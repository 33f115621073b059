#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a transaction would meet on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Report what a transaction would meet on a host, before the first change
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Takes the options of M(nslab.bridgenet.transaction), reads the host and plans as that module does, and changes
    nothing. O(nslab.bridgenet.transaction#module:preflight) has a transaction do the same before its first change.
  - Reports every conflict at once, where the transaction would stop at the first. That is what others have in the way,
    like overlapping networks, or a bridge of Docker, podman, libvirt or a network manager.
  - Notices what is no conflict, but worth knowing, and what is done about it. That is a host that drops what it
    forwards, firewalld, forwarding that is off or switched off at boot by somebody else, links that a network manager
    has, and limits of the kernel.
options:
  assert:
    description:
      - Whether a conflict is an error, whose message has all of them. V(false) only returns them.
    type: bool
    default: true
  persist:
    description:
      - Whether what is declared comes back at boot, see O(nslab.bridgenet.transaction#module:persist).
    type: bool
  purge:
    description:
      - Whether the transaction removes what is not declared, see O(nslab.bridgenet.transaction#module:purge).
    type: bool
    default: false
  absent_when_held:
    description:
      - What the transaction does with a namespace that goes while somebody holds it, see
        O(nslab.bridgenet.transaction#module:absent_when_held).
    type: str
    choices: [fail, detach]
    default: fail
  wait:
    description:
      - How long the transaction waits for those that hold a namespace, see
        O(nslab.bridgenet.transaction#module:wait). This module does not wait.
    type: int
    default: 0
attributes:
  diff_mode:
    description: Returns details on what has changed, or would change in C(check_mode), when in diff mode.
    support: N/A
    details: This module changes nothing.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.bridge.list
  - nslab.bridgenet.bridge_port.list
  - nslab.bridgenet.forward.list
  - nslab.bridgenet.interface.list
  - nslab.bridgenet.masquerade.list
  - nslab.bridgenet.netns.list
  - nslab.bridgenet.netns_names.list
  - nslab.bridgenet.netns_service.list
  - nslab.bridgenet.packet_log.list
  - nslab.bridgenet.publish.list
  - nslab.bridgenet.qdisc.list
  - nslab.bridgenet.sysctl_bridge_nf.list
  - nslab.bridgenet.task.options
  - nslab.bridgenet.tuntap.list
  - nslab.bridgenet.veth.list
  - nslab.bridgenet.vxlan.list
notes:
  - It takes no lock and does not need pyroute2. It says so where the transaction would need it and it is not there;
    in check mode as a notice, because the transaction then shows what it would do without it.
seealso:
  - module: nslab.bridgenet.transaction
  - module: nslab.bridgenet.netns_info
"""

EXAMPLES = r"""
- name: Would this network fit here?
  nslab.bridgenet.preflight:
    bridge:
      - name: br0
        addresses: [10.10.0.1/16]
    masquerade:
      - source: 10.10.0.0/16
        bridge: br0
        forwarding: true
    forward:
      - bridge: br0
    assert: false
  register: found

- name: Show what is worth knowing
  ansible.builtin.debug:
    msg: "{{ found.drawing }}"
"""

RETURN = r"""
findings:
  description: What was found, conflicts first, then notices, then what is well.
  returned: success and failure
  type: list
  elements: dict
  contains:
    topic:
      description:
        - What it is about. The name of a module, if one of its objects is refused, else V(owner), V(firewall),
          V(firewalld), V(forwarding), V(capacity), V(access), or V(host) for what concerns the host as a whole.
      returned: always
      type: str
      sample: bridge
    severity:
      description:
        - V(conflict) if the transaction would be refused, V(notice) if it is worth knowing, V(ok) if it is well.
      returned: always
      type: str
      sample: conflict
    what:
      description: The object or value.
      returned: always
      type: str
      sample: bridge 'docker0'
    why:
      description: The rule that it meets, empty where nothing is to be said.
      returned: always
      type: str
      sample: "exists and is not ours: docker0 belongs to Docker"
    done:
      description: What the transaction does about it, or what a person can do.
      returned: always
      type: str
      sample: "choose another name, remove it, or say take_over: true"
drawing:
  description: The conflicts and notices, as lines of text.
  returned: success and failure
  type: list
  elements: str
  sample:
    - "conflict  bridge 'docker0': exists and is not ours: docker0 belongs to Docker"
    - "          choose another name, remove it, or say take_over: true"
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._transaction import preflight_module


def main() -> None:
    """Called by Ansible."""
    preflight_module()


if __name__ == "__main__":
    main()
