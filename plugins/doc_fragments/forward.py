# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a forward entry."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module forward, and for the list of that name."""

    OPTIONS = r"""
interface:
  description:
    - The link from which connections to O(other) are accepted, with their replies.
    - Either O(interface) and O(other), or O(bridge) is required. None of them has to exist.
    - It only accepts. What else the link may do is up to the host's own policy. Between two bridges that are declared
      by O(bridge), it makes an exception from their isolation.
  type: str
other:
  description:
    - The link to which connections from O(interface) are accepted.
  type: str
both_ways:
  description:
    - Whether connections from O(other) to O(interface) are accepted as well.
    - Changed in place.
  type: bool
  default: true
bridge:
  description:
    - The bridge of an isolated network. Its ports talk to each other, and out, and get the replies. Nothing else
      comes in, least of all from another bridge that is declared by this option.
    - Out is not into a bridge of somebody else, like that of Docker. There the host's own policy holds. Where it is
      C(DROP) and the uplink of the host is a bridge, another entry with O(interface) and O(other) opens the way.
    - The host itself is reached as before. Where firewalld runs, the bridge joins its zone C(trusted), by which all
      that listens on the host is reached.
  type: str
internal:
  description:
    - Whether nothing from the network of O(bridge) may go out either. The host's own address on the bridge is still
      reached.
    - Changed in place.
  type: bool
  default: false
icc:
  description:
    - Whether the ports of O(bridge) talk to each other. V(false) takes that only from what the host's firewall sees,
      which is what one port sends to another by the host's address, and with C(bridge-nf-call-iptables) everything.
      The ports themselves are kept apart by O(nslab.bridgenet.bridge_port#module:isolated).
    - Changed in place.
  type: bool
  default: true
allow:
  description:
    - Bridges to whose networks connections from that of O(bridge) are accepted, with their replies. That is an
      exception from isolation, also where O(internal) closes either of them.
    - The list is exact. What is taken out of it is closed again.
    - Changed in place.
  type: list
  elements: str
  default: []
routed:
  description:
    - Whether connections into the network of O(bridge) are accepted that come from anywhere but the bridge of another
      such network. Who is outside needs a route there.
    - Changed in place.
  type: bool
  default: false
forwarding:
  description:
    - Whether to turn on forwarding of IPv4, by C(net/ipv4/ip_forward), where it is off.
    - V(false) leaves it alone. The original values come back with the removal of the last labelled object.
  type: bool
  default: false
forwarding_ipv6:
  description:
    - Whether to turn on forwarding of IPv6, by C(net/ipv6/conf/all/forwarding), where it is off. C(accept_ra) becomes
      V(2) where it is V(1), or the host would lose its router-advertised default route.
    - V(false) leaves it alone, as O(forwarding) does.
  type: bool
  default: false
label:
  description:
    - Whose the entry is, written to its comments. Up to 100 letters, digits, C(_), C(.), C(/), C(:) and C(-). Without
      it, the name of O(bridge), or C(INTERFACE/OTHER).
    - The entry of the same label with another O(bridge), O(interface) or O(other) is replaced.
    - With O(state=absent), an entry that does not carry this label is an error.
  type: str
"""
    ALL: Options = parse(OPTIONS, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("forward", "Who may talk to whom through the host", ALL)
