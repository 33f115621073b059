# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a masquerade entry."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module masquerade, and for the list of that name."""

    OPTIONS = r"""
source:
  description:
    - The network whose source addresses are translated, like V(10.10.0.0/16), IPv4 or IPv6. Bits behind the prefix
      length are cleared, so V(10.10.0.1/16) is the same.
  type: str
  required: true
out_interface:
  description:
    - Translate what leaves by this link.
    - Exactly one of O(out_interface) and O(bridge) is required. Neither has to exist.
  type: str
bridge:
  description:
    - Translate what leaves by any link but this bridge.
    - With O(backend=nftables) that is what came in by the bridge, and not what the host itself sends from an address in
      O(source), such as that of the bridge; with V(iptables) it is both.
  type: str
backend:
  description:
    - V(nftables) uses the table C(inet bridgenet), which is ours alone, and in which networks are elements of sets.
    - V(iptables) uses a rule in the chain C(POSTROUTING) of the table C(nat).
    - V(auto) is V(nftables) where the program C(nft) works, otherwise V(iptables). With O(state=absent), it is both.
    - With another backend than before, the entry of the same label moves.
  type: str
  choices: [auto, nftables, iptables]
  default: auto
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
    - Whose the entry is, written to its comment. Up to 100 letters, digits, C(_), C(.), C(/), C(:) and C(-). Without
      it, C(SOURCE/WHERE), where C(WHERE) is O(bridge) or O(out_interface).
    - The entry of the same label and IP version with another O(source), O(bridge) or O(out_interface) is replaced.
    - With O(state=absent), an entry that does not carry this label is an error.
  type: str
"""
    ALL: Options = parse(OPTIONS, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("masquerade", "Source NAT", ALL)
