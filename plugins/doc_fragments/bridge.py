# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a bridge."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module bridge, and for the list of that name."""

    OPTIONS = r"""
name:
  description:
    - The name of the bridge. A link of that name that is no bridge is an error.
  type: str
  required: true
stp:
  description:
    - Whether the bridge takes part in the Spanning Tree Protocol. A bridge that is created does not.
    - With it, a port passes nothing for twice O(forward_delay) after it has joined.
    - Changed in place.
  type: bool
forward_delay:
  description:
    - How long a port listens, and then learns, before it forwards, in seconds, V(2) to V(30). Only with O(stp=true).
      V(15) for a bridge that is created.
    - Another bridge that is the root of the spanning tree gives its own to all. Then that of this bridge cannot be
      seen; it is taken to be as declared, with a warning where the two differ.
    - Changed in place. Shown only where it is declared.
  type: int
ageing_time:
  description:
    - How long the bridge remembers behind which port a MAC address is, in seconds, V(0) to V(1000000). V(300) for a
      bridge that is created.
    - With V(0) it remembers nothing, and floods every packet to all ports.
    - While the topology of a spanning tree changes, for half a minute or so, the kernel takes twice the forward_delay,
      and that of the bridge cannot be seen; it is taken to be as declared, with a warning.
    - Changed in place. Shown only where it is declared.
  type: int
vlan_filtering:
  description:
    - Whether the bridge heeds VLAN tags. A bridge that is created does not. V(true) is an error on a kernel without
      VLAN filtering.
    - Changed in place.
  type: bool
nf_call_iptables:
  description:
    - Whether IPv4 packets between ports of this bridge pass the firewall even where the sysctl of all bridges
      (M(nslab.bridgenet.sysctl_bridge_nf)) says no.
    - Changed in place.
  type: bool
nf_call_ip6tables:
  description:
    - Like O(nf_call_iptables), for IPv6 packets.
    - Changed in place.
  type: bool
nf_call_arptables:
  description:
    - Like O(nf_call_iptables), for ARP packets.
    - Changed in place.
  type: bool
accept_ra:
  description:
    - Whether the host takes addresses and default routes from router advertisements that come by this bridge. V(0) is
      never, and V(2) is always, also where the host forwards. Without it the bridge has what the host gives to new
      interfaces.
    - Where containers are on the bridge it should be V(0), or any of them can make itself the host's default route.
    - An error where the bridge has no IPv6, for want of it in the kernel or of an O(mtu) of 1280 bytes.
    - Changed in place.
  type: int
  choices: [0, 2]
label:
  description:
    - Whose the bridge is, written to its alias. Up to 100 letters, digits, C(_), C(.), C(/), C(:) and C(-). Without
      it, O(name).
    - Changed in place.
    - With O(state=absent), a bridge that does not carry this label is an error. Without a label the bridge of that
      name is removed, whosever it is.
  type: str
"""
    EXCLUSIVE = r"""
exclusive:
  description:
    - Whether O(addresses), O(routes) and O(vlans), where they are declared, are exact, so that what they do not name is
      removed. Otherwise they are added to what is there.
    - Also whether, where O(label) is declared, the task declares every VXLAN link of the O(project) with that label.
      Then those that it does not declare are removed, so that a network does not reach other hosts any more. Otherwise
      they stay until a purge. With O(state=absent) and a label, they always go.
  type: bool
  default: false
"""
    ALL: Options = parse(OPTIONS, Shared.NAMESPACE, Shared.LINK, Shared.VLANS, EXCLUSIVE, Shared.OWNED, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("bridge", "Bridges", ALL)
