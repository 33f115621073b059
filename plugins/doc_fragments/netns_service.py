# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a service."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module netns_service, and for the list of that name."""

    OPTIONS = r"""
name:
  description:
    - The name of the service. Its unit is C(bridgenet-NAME.service), and its messages stand in the journal under
      the name.
  type: str
  required: true
namespace:
  description:
    - The namespace in which the command runs, by its name in C(/run/netns). Without it, or with an empty string, the
      host's own.
    - A namespace that does not exist is an error; create it by M(nslab.bridgenet.netns) before, or in the same
      M(nslab.bridgenet.transaction). Check mode assumes it.
    - Where the namespace has been made anew, the command is started again, in the new one.
    - The process sees C(/etc/netns/NAMESPACE/hosts) and C(/etc/netns/NAMESPACE/resolv.conf), where they are there, in
      place of the host's files, as with C(ip netns exec). M(nslab.bridgenet.netns_names) writes them.
  type: str
command:
  description:
    - The program and its arguments, as a list of words, or as a string that is split into words as a shell does it.
      No shell reads it, so every word arrives as it is. A program without a slash is looked for in the usual
      directories.
    - It has to stay in the foreground. One that ends within a second of its start is an error, which shows its last
      words, and the change is undone.
    - Required with O(state=present). Another command is another process.
  type: raw
hostname:
  description:
    - A host name of the process's own, in a UTS namespace of its own. Without it, that of the host. Only with
      O(namespace). For an address of that name, see M(nslab.bridgenet.netns_names).
  type: str
environment:
  description:
    - Variables for the process, as text or numbers. They can be read by every user of the host, so a secret belongs
      in a file.
  type: dict
user:
  description:
    - As whom the process runs, C(USER) or C(USER:GROUP), names or numbers. Without it, as root.
  type: str
working_dir:
  description:
    - The directory in which the process begins, as an absolute path. Without it, C(/).
  type: str
restart:
  description:
    - When the command is started again after it ended, in the words of the Compose specification. V(unless-stopped) is
      the same as V(always), as one that was stopped by C(systemctl) stays so.
    - No service is started by a boot, after which there is no namespace to run it in. The next run of the task makes
      both. With O(nslab.bridgenet.transaction#module:persist) the boot brings back both, whatever this option says.
  type: str
  choices: ["no", always, on-failure, unless-stopped]
  default: "no"
label:
  description:
    - Whose the service is, written to the first line of its unit. Up to 100 letters, digits, C(_), C(.), C(/), C(:)
      and C(-). Without it, O(name).
    - With O(state=absent), a service that does not carry this label is an error.
  type: str
"""
    ALL: Options = parse(OPTIONS, Shared.OWNED, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("netns_service", "Services", ALL)
