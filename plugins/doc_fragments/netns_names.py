# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a list of names."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module netns_names, and for the list of that name."""

    OPTIONS = r"""
name:
  description:
    - The name of the list, of up to 100 letters, digits, C(_), C(.), C(/), C(:) and C(-). It stands with O(project) in
      the files, as a comment in front of what is from this list, and tells whose that is. V(localhost) is taken.
  type: str
  required: true
namespaces:
  description:
    - Exactly those namespaces that know the list, by their names in C(/run/netns). Required with O(state=present).
    - A namespace that does not exist is an error; create it by M(nslab.bridgenet.netns) before, or in the same
      M(nslab.bridgenet.transaction). Check mode assumes it.
    - Each name of a namespace has files of its own.
    - With O(state=absent), those that forget the list. Without it, all do.
  type: list
  elements: str
hosts:
  description:
    - Exactly the addresses of the list, each with a name or a list of names. The first of them is what a search by
      address finds.
    - An address has one list of names here, and a name may have several addresses.
    - A name has up to 253 letters, digits, C(_) and C(-), in parts of at most 63 with a C(.) in between. One that means
      an address or the loopback is an error.
    - The file is C(/etc/netns/NAMESPACE/hosts). It has the names of the loopback, too, and what other lists say.
  type: dict
nameservers:
  description:
    - Addresses of name servers, for C(/etc/netns/NAMESPACE/resolv.conf). That file can be of one list only.
    - Without it, and without O(host_nameservers), the host's file is seen.
  type: list
  elements: str
search:
  description:
    - Domains in which a short name is looked for. Only with O(nameservers).
  type: list
  elements: str
host_nameservers:
  description:
    - Whether the namespaces ask the name servers that the host asks. Where C(/etc/resolv.conf) of the host has one that
      is not on its loopback, nothing is written, as that file is seen anyway.
    - Where it has only such as C(127.0.0.53) of systemd-resolved, which are out of reach, the servers and domains that
      systemd-resolved asks (C(/run/systemd/resolve/resolv.conf)) are written. They are looked up by each run, and not
      in between. If there are none, a warning says so.
    - Excludes O(nameservers).
  type: bool
  default: false
take_over:
  description:
    - Whether a file that somebody else wrote becomes ours. Its content is lost.
    - Otherwise such a file is an error, and stays untouched.
  type: bool
  default: false
"""
    ALL: Options = parse(OPTIONS, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("netns_names", "Lists of names that namespaces know", ALL)
