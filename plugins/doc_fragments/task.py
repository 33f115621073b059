# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every task that changes a host has in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of a task, its action group, requirements, and what a task promises."""

    OPTIONS = r"""
options:
  state:
    description:
      - Whether the objects are to be there. Holds for every object that has no state of its own.
    type: str
    choices: [present, absent]
    default: present
  project:
    description:
      - The scope of ownership. Everything that is created carries the label C(bridgenet:1:PROJECT:OBJECT) in the
        kernel; an object of another project is left alone.
      - At most 15 letters, digits, C(_), C(.) and C(-).
    type: str
    default: default
  inventory_host:
    description:
      - What makes generated MAC addresses different from host to host. Clones of a machine may share its host name,
        so V({{ inventory_hostname }}) is a good value.
      - Without it, the host name of the target.
    type: str
  lock_timeout:
    description:
      - How long to wait, in seconds, for another task that changes the networks of the same host. After that the
        task fails, and names the process that holds the lock.
    type: int
    default: 60
  force:
    description:
      - Whether to make a change that may cut you off, which is an error otherwise. That is one by which the link with
        the default route, or with the route to the other end of an established SSH connection, is removed, taken
        down, made a port of a bridge, taken out of one, or loses an address or route.
      - It overrides nothing else.
    type: bool
    default: false
attributes:
  action_group:
    description: Use C(group/nslab.bridgenet.bridgenet) in C(module_defaults) to set defaults for all of these modules.
    support: full
    membership:
      - nslab.bridgenet.bridgenet
requirements:
  - Linux, and root on the target
  - Python 3.9 or later on the target
  - pyroute2 0.7.2 or later on the target, where a link, an address or a route changes
    (the role P(nslab.bridgenet.lab_host#role) installs it)
"""
    DOCUMENTATION: str = (
        OPTIONS
        + r"""
notes:
  - Names of links have 1 to 15, names of namespaces 1 to 63 letters, digits, C(_), C(.) and C(-), and begin with a
    letter, a digit or C(_). Every name and value is checked before the first change.
  - What is not declared is left alone.
  - A task is one change. Where an operation fails, those before it are undone, and the message names the operation
    as a command. After the last one the host is read again; if it is not as planned, that is an error, and the
    change is undone, too. The loading of a kernel module is not undone.
  - Tasks on one host wait for each other, see O(lock_timeout).
  - Check mode returns the same RV(before), RV(after) and RV(actions) as a run would. Where a namespace or link is
    missing that an earlier task would have created, check mode assumes it, lists it in RV(assumed) and warns; a run
    fails.
  - The original values of the host's own sysctls are kept in C(/run/nslab.bridgenet/original) and come back with the
    removal of the last labelled object, unless somebody changed them since.
"""
    )
