# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a published port."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module publish, and for the list of that name."""

    OPTIONS = r"""
host_port:
  description:
    - The port of the host, 1 to 65535, or a range of them like V(8000-8010).
    - It is an error if a socket of the host is at that port already, or if it is published with another label.
  type: str
  required: true
address:
  description:
    - The address of the container to which connections go, IPv4 or IPv6, without prefix length.
    - With O(state=absent), it only tells IPv4 from IPv6.
  type: str
  required: true
port:
  description:
    - The port of the container, or a range as long as that of O(host_port). Without it, that of O(host_port).
    - Changed in place.
  type: str
protocol:
  description:
    - The protocol. The same port of another one is another object.
  type: str
  choices: [tcp, udp, sctp]
  default: tcp
host_address:
  description:
    - The address of the host at which the port is published, of the same family as O(address). V(127.0.0.1) is for the
      host itself alone.
    - Without it, or with V(0.0.0.0) or V(::), the port is published at all addresses that the host has, or gets. Among
      them is V(127.0.0.1), but not V(::1), from which the kernel lets nothing leave the host.
    - It is an error if the host has no such address and gets none in the same task, unless
      C(net/ipv4/ip_nonlocal_bind), or that of C(ipv6), is 1. A port that is published already is not judged again.
    - No port is published at all addresses and at one of them at the same time.
  type: str
bridge:
  description:
    - The bridge, or other link, by which the host reaches O(address). Required with O(state=present), and it has to be
      there.
    - For a port at V(127.0.0.1) or at all addresses, its C(route_localnet) is turned on. What comes in by it from or to
      C(127.0.0.0/8) is dropped.
    - Changed in place, for all ports of O(address).
  type: str
forwarding:
  description:
    - Whether to turn on forwarding, by C(net/ipv4/ip_forward) or C(net/ipv6/conf/all/forwarding), where it is off.
      For IPv6, C(accept_ra) becomes V(2) where it is V(1), or the host would lose its router-advertised default
      route.
    - V(false) leaves forwarding alone. The original values come back with the removal of the last labelled object.
  type: bool
  default: false
label:
  description:
    - Whose the port is, written to the comments of its elements. Up to 100 letters, digits, C(_), C(.), C(/), C(:) and
      C(-). Without it, C(HOST_ADDRESS:HOST_PORT/PROTOCOL), with C(any) for no O(host_address).
    - The port of the same label and IP version with other values is replaced.
    - With O(state=absent), all that carries this label goes, whatever its ports. Without it, the ports go, whatever
      their label.
    - A port whose label begins with the name of a namespace and C(/) goes with that namespace, see
      M(nslab.bridgenet.netns).
  type: str
"""
    ALL: Options = parse(OPTIONS, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("publish", "Published ports", ALL)
