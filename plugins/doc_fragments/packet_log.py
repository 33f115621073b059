# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a log rule."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module packet_log, and for the list of that name."""

    OPTIONS = r"""
hook:
  description:
    - The hook of the host's firewall at which packets are logged. V(prerouting) is before the host decides where a
      packet goes, V(forward) is on its way through the host, V(postrouting) is before it leaves.
  type: str
  choices: [prerouting, forward, postrouting]
  required: true
prefix:
  description:
    - What each line begins with. Up to 29 characters, or 63 with O(group). Letters, digits, spaces, round, square and
      angle brackets, and any of C(_.:,;/=#+*@-), the first of them a letter, digit or C(_).
    - It is followed by the line directly, so that it should end with a separator.
  type: str
  required: true
table:
  description:
    - V(nat) sees the first packet of a flow, V(filter) every packet.
    - The hook V(forward) has only V(filter). In iptables, the other two have only V(nat).
    - Without it, V(filter) for the hook V(forward), and V(nat) for the other two.
  type: str
  choices: [nat, filter]
source:
  description:
    - Log only what comes from this network or address, like V(10.10.0.0/16) or V(fd00::1).
  type: str
destination:
  description:
    - Log only what goes to this network or address.
  type: str
protocol:
  description:
    - Log only this protocol.
  type: str
  choices: [tcp, udp, sctp, icmp, icmpv6]
in_interface:
  description:
    - Log only what came in by this link. It is not known at the hook V(postrouting). It does not have to exist.
    - For a packet between two ports of one bridge it is the bridge.
  type: str
out_interface:
  description:
    - Log only what goes out by this link. It is not known at the hook V(prerouting). It does not have to exist.
  type: str
group:
  description:
    - The group of NFLOG to which packets go, V(0) to V(65535), for a program like C(ulogd) or C(tcpdump -i nflog:5).
    - Without it, they go to the kernel's own log. There, those of a network namespace, and that is also a container,
      are only printed where C(net/netfilter/nf_log_all_netns) is V(1) on the host. They are counted in any case.
  type: int
backend:
  description:
    - V(nftables) uses a base chain for each rule in the table C(inet bridgenet_log), which is ours alone, ahead of
      the usual chains of O(table) at that hook. At V(prerouting), V(filter) comes after destinations were translated,
      as for a published port; V(nat) sees the first packet of a flow before that.
    - V(iptables) uses a rule at the head of the chain, for IPv4, IPv6, or both.
    - V(auto) is V(nftables) where the program C(nft) works, otherwise V(iptables). With O(state=absent), it is both.
    - With another backend than before, the rule of the same label moves.
  type: str
  choices: [auto, nftables, iptables]
  default: auto
label:
  description:
    - Whose the rule is, written to its comment. Up to 100 letters, digits, C(_), C(.), C(/), C(:) and C(-). Without
      it, C(TABLE/HOOK/PREFIX), with a C(-) for what a label cannot have, and none at its ends.
    - The rule of the same label with other options is replaced, and its counters begin anew.
    - With O(state=absent), a rule that does not carry this label is an error.
  type: str
"""
    ALL: Options = parse(OPTIONS, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("packet_log", "Log rules", ALL)
