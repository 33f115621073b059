# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a namespace."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module netns, and for the list of that name."""

    OPTIONS = r"""
name:
  description:
    - The name of the namespace, its file in C(/run/netns).
  type: str
  required: true
loopback:
  description:
    - Whether C(lo) is up. In a namespace that is created it is up unless this is V(false).
    - Changed in place.
  type: bool
sysctls:
  description:
    - Sysctls inside the namespace, by their keys in slash form (V(net/ipv4/ip_forward)) or dotted form
      (V(net.ipv4.ip_forward)). Say slash form where the name of a link has a dot.
    - Only keys below C(net) are a namespace's own. Another one, one that the kernel does not have there, and one that
      only the host can set are errors before the first change. So is one of an interface that is not there.
    - Values are numbers or strings. Say V(1) and V(0), not V(true) and V(false).
    - A key that is no longer declared keeps its value, as the kernel does not know what it was before. A namespace that
      is made anew begins with the kernel's values.
    - Changed in place.
  type: dict
exclusive:
  description:
    - Whether the task declares every pair, device and service of the O(project) that is in the namespace, or leads into
      it, every list of names that it knows, and every published port whose label begins with the name of the
      namespace and C(/). Then those that it does not declare are removed.
    - Otherwise they stay until a purge. Links of others always stay.
    - With O(state=absent), such ports always go.
  type: bool
  default: false
nsid:
  description:
    - The id by which the host's own namespace knows this one, V(0) to V(2147483647), as C(ip netns list-id) shows it.
    - The kernel gives one by itself to a namespace with a veth pair to the host. It never changes an id and never
      takes one back. Another one than a namespace has already is an error, and so is one that is taken. An undone
      task leaves the id of a namespace that it did not create.
  type: int
adopt:
  description:
    - Publish a namespace that exists, of a process or a container, under O(name). Nothing is created, and nothing is
      ever destroyed. Name exactly one.
    - Its loopback gets our label only if it has no alias.
    - O(state=absent) takes the name and the label away, never the namespace. Say it for the pairs that were plugged
      in, too. It does not look for the process or container, which may have ended.
    - The namespace of the host itself is an error, and so is a name that stands for another namespace already, unless
      that one was adopted, too. Then its name passes on, for a container that was started anew.
  type: dict
  suboptions:
    pid:
      description: The number of a process, as the target counts it.
      type: int
    path:
      description: The file of a namespace, like V(/proc/4711/ns/net).
      type: path
    podman:
      description: The name or id of a running container of podman, which has to be installed on the target.
      type: str
    docker:
      description: The name or id of a running container of Docker, whose client has to be installed on the target.
      type: str
same_as:
  description:
    - The name of another namespace of which O(name) is to be a second name. It exists, or the same task makes it.
    - Where that namespace is ours, its second names go with its first one.
    - A name that stands for another namespace already is an error.
    - Excludes O(adopt).
  type: str
absent_when_held:
  description:
    - What to do with O(state=absent) where somebody holds the namespace, so that it would live on without a name. That
      is a process inside, an open file, or a mount anywhere else than in C(/run/netns). An adopted namespace, and one
      that has other names, is meant to live on.
    - V(fail) is an error that names them all, before the first change. V(detach) removes the name only, leaves the
      links, and warns. Without it, V(fail).
    - A socket of a process that has moved to another namespace holds one, too. The kernel does not tell of it.
  type: str
  choices: [fail, detach]
wait:
  description:
    - How long to wait with O(state=absent), in seconds, for those that hold the namespace, before the first change.
      Check mode does not wait; it warns. Without it, V(0).
  type: int
label:
  description:
    - Whose the namespace is, written to the alias of its loopback. Up to 100 letters, digits, C(_), C(.), C(/), C(:)
      and C(-). Without it, O(name).
    - Changed in place.
    - With O(state=absent), a namespace that does not carry this label is an error. Without a label the namespace of
      that name is removed, whosever it is.
  type: str
"""
    ALL: Options = parse(OPTIONS, Shared.OWNED, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("netns", "Network namespaces", ALL)
