#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queueing discipline of a link."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qdisc
short_description: Limit the bandwidth of links, delay and lose packets
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Sets the queueing discipline at the root of a link, which holds for what the link sends. What a container receives
    is what the host's end of its veth pair sends.
  - It goes with its link. A queueing discipline has no place for a label; that of this module has the handle C(6272:),
    and any other than that or the kernel's own is somebody else's, an error and left untouched.
  - O(state=absent) gives the link back what the kernel gives by itself. What somebody else set stays.
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.qdisc
  - nslab.bridgenet.task
seealso:
  - module: nslab.bridgenet.interface
  - module: nslab.bridgenet.transaction
  - module: nslab.bridgenet.veth
"""

EXAMPLES = r"""
- name: A container receives 10 Mbit/s at most
  # tc qdisc add dev veth1 root handle 6272: tbf rate 10mbit burst 32kb latency 50ms
  nslab.bridgenet.qdisc:
    name: veth1
    tbf: {rate: 10mbit, burst: 32kb, latency: 50ms}

- name: It sends by a slow line that loses packets
  # tc -n ns1 qdisc add dev eth0 root handle 6272: netem delay 50ms 5ms loss 1%
  # tc -n ns1 qdisc add dev eth0 parent 6272:1 handle 6273: tbf rate 1mbit burst 16kb latency 50ms
  nslab.bridgenet.qdisc:
    name: eth0
    namespace: ns1
    netem: {delay: 50ms, jitter: 5ms, loss: 1%}
    tbf: {rate: 1mbit}

- name: No limit any more
  # tc qdisc del dev veth1 root
  nslab.bridgenet.qdisc:
    name: veth1
    state: absent
"""

RETURN = r"""
before:
  description: What was set by this module before, in the form of O(config). A link without it is not in the list.
  returned: success
  type: list
  elements: dict
  sample: []
after:
  description:
    - What is set now, or would be, in the form of O(config), with the waiting time of a token bucket filter as a limit.
  returned: success
  type: list
  elements: dict
  sample:
    - name: veth1
      tbf:
        rate: 10mbit
        burst: 32kb
        limit: 95268b
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - tc qdisc add dev veth1 root handle 6272: tbf rate 10mbit burst 32kb limit 95268b
assumed:
  description: What check mode assumed, because an earlier task would have created it.
  returned: in check mode, if anything was assumed
  type: list
  elements: str
  sample:
    - interface veth1
"""

from ansible_collections.nslab.bridgenet.plugins.module_utils._module import resource_module


def main() -> None:
    """Called by Ansible."""
    resource_module("qdisc")


if __name__ == "__main__":
    main()
