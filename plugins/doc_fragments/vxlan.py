# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a VXLAN link."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module vxlan, and for the list of that name."""

    OPTIONS = r"""
name:
  description:
    - The name of the link. A link of that name that is no VXLAN is an error, and so is one with a multicast group, a
      device or C(external).
  type: str
  required: true
vni:
  description:
    - The number of the network, V(1) to V(16777215), which is the same on all of its hosts. Required with
      O(state=present).
    - One that another link with the same O(port) and family has already is an error.
    - With another value the link is recreated.
  type: int
local:
  description:
    - The address of this host that the link sends from. Its family is that of the packets in which frames travel.
      Required with O(state=present).
    - With another value the link is recreated.
  type: str
port:
  description:
    - The UDP port of all hosts, V(1) to V(65535). V(4789) for a link that is created.
    - With another value the link is recreated.
  type: int
learning:
  description:
    - Whether the link learns from what it receives behind which host a MAC address is. V(true) for a link that is
      created. A routing daemon that tells this wants V(false).
    - With another value the link is recreated.
  type: bool
ttl:
  description:
    - The TTL of the packets in which frames travel, V(1) to V(255). V(0) is the kernel's choice, and that of a link
      that is created.
    - With another value the link is recreated.
  type: int
peers:
  description:
    - The addresses of the other hosts. Each of them gets a copy of what is for everybody, and of what is for a MAC
      address of which nobody knows where it is (head-end replication, entries of C(00:00:00:00:00:00) in the
      forwarding database of the link).
    - Added to those that are there, or exactly these where O(exclusive) is V(true). Entries that are marked as learned
      elsewhere are neither shown nor removed.
    - Leave it out where a routing daemon such as FRR sets them. They are then neither shown nor changed, and a link
      that is recreated with O(learning=false) starts without any.
    - Changed in place.
  type: list
  elements: str
mtu:
  description:
    - The MTU of the link, 68 to 65535 bytes. What carries it needs 50 bytes more with IPv4, and 70 bytes more with
      IPv6.
    - A link that is created has V(1450) with an IPv4 O(local) address and V(1430) with an IPv6 one, which fits an
      underlay of 1500 bytes.
    - Changed in place.
  type: int
mac:
  description:
    - The MAC address of the link. Six pairs of hexadecimal digits with colons, in upper or lower case. A multicast
      address is an error.
    - A link that is created without it gets C(02) and a hash of O(inventory_host), O(project) and the label, so that
      it is known beforehand and differs from host to host.
    - Changed in place.
  type: str
exclusive:
  description:
    - Whether O(addresses), O(routes) and O(peers), where they are declared, are exact.
    - Otherwise they are added to those that are there.
  type: bool
  default: false
label:
  description:
    - Whose the link is, written to its alias. Up to 100 letters, digits, C(_), C(.), C(/), C(:) and C(-). Without
      it, O(name).
    - Changed in place.
    - With O(state=absent), a link that does not carry this label is an error. Without a label the link of that
      name is removed, whosever it is.
  type: str
"""
    ALL: Options = {**parse(Shared.NAMESPACE, Shared.LINK, Shared.OWNED, Shared.STATE), **parse(OPTIONS)}
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("vxlan", "VXLAN links", ALL)
