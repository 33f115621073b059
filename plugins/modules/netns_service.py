#!/usr/bin/python
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long-running commands inside namespaces."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netns_service
short_description: Manage long-running commands inside network namespaces
version_added: 0.1.0
author: nslab.bridgenet contributors (@nslab)
description:
  - Keeps a command running inside a network namespace, as a unit of systemd, with a host name of its own, and with the
    namespace's C(/etc/hosts) and C(/etc/resolv.conf).
  - The command is started again where its options or its namespace change, and where it does not run. A unit that did
    not change runs on.
  - O(state=absent) stops it and removes what was made for it.
requirements:
  - systemd 247 or later on the target
  - the programs C(unshare) and C(setpriv) (Debian package util-linux), and C(hostname), where O(hostname) is used
extends_documentation_fragment:
  - nslab.bridgenet.attributes
  - nslab.bridgenet.netns_service
  - nslab.bridgenet.task
notes:
  - On a host that is not run by systemd, a service is an error before the first change.
seealso:
  - module: nslab.bridgenet.netns
  - module: nslab.bridgenet.netns_names
  - module: nslab.bridgenet.transaction
"""

EXAMPLES = r"""
- name: A web server in a namespace
  # ip netns exec ns1 python3 -m http.server 8000
  nslab.bridgenet.netns_service:
    name: web
    namespace: ns1
    command: python3 -m http.server 8000
    working_dir: /srv/www
    user: nobody
    restart: on-failure

- name: Two services with names of their own
  nslab.bridgenet.netns_service:
    config:
      - name: web
        namespace: ns1
        hostname: web
        command: [python3, -m, http.server, "8000"]
      - name: db
        namespace: ns2
        hostname: db
        command: [/opt/db/bin/db, --data, /srv/db]

- name: Stop it, and remove its unit
  nslab.bridgenet.netns_service:
    name: web
    state: absent
"""

RETURN = r"""
before:
  description:
    - The services as they were. One that did not exist is not in the list.
    - C(running) is whether the command runs, in the namespace that has the name now. C(unit) has the settings of the
      unit.
  returned: success
  type: list
  elements: dict
  sample: []
after:
  description: The services as they are now, or would be, in the same form.
  returned: success
  type: list
  elements: dict
  sample:
    - name: web
      namespace: ns1
      label: web
      running: true
      unit:
        Description: web in namespace ns1
        Type: exec
        SyslogIdentifier: web
        NetworkNamespacePath: /run/netns/ns1
        BindReadOnlyPaths:
          - -/etc/netns/ns1/hosts:/etc/hosts
          - -/etc/netns/ns1/resolv.conf:/etc/resolv.conf
        ExecStart: python3 -m http.server 8000
        Restart: "no"
        TimeoutStopSec: "10"
actions:
  description: What was done, or would be done, as commands for a shell.
  returned: success
  type: list
  elements: str
  sample:
    - systemctl stop -- bridgenet-web.service
    - rm -f /etc/systemd/system/bridgenet-web.service
    - systemctl daemon-reload
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
    resource_module("netns_service")


if __name__ == "__main__":
    main()
