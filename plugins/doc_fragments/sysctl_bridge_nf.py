# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the bridge-nf-call sysctls."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module sysctl_bridge_nf, and for the list of that name."""

    OPTIONS = r"""
iptables:
  description:
    - Whether IPv4 packets between ports of a bridge pass the firewall, C(net/bridge/bridge-nf-call-iptables).
    - V(true) without the kernel module C(br_netfilter) is an error, unless O(load=true). V(false) without the module
      is fine, as nothing passes then.
    - Changed in place.
  type: bool
ip6tables:
  description:
    - Like O(iptables), for IPv6 packets.
    - Changed in place.
  type: bool
arptables:
  description:
    - Like O(iptables), for ARP packets.
    - Changed in place.
  type: bool
load:
  description:
    - Whether to load the kernel module C(br_netfilter) where a value of V(true) needs it. That turns all three
      switches on, in the host and in every namespace. It is not undone.
    - An error with a namespace.
  type: bool
  default: false
persist:
  description:
    - V(true) keeps the declared values across a boot and the loading of the module, by
      C(/etc/sysctl.d/90-nslab-bridgenet.conf) and C(/etc/udev/rules.d/90-nslab-bridgenet.rules). With O(load=true),
      C(/etc/modules-load.d/nslab-bridgenet.conf) has the module loaded at boot.
    - V(false) removes these files.
    - V(true) is an error with a namespace, which does not outlive a boot, and without a value to keep.
  type: bool
"""
    ALL: Options = parse(OPTIONS, Shared.NAMESPACE, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("sysctl_bridge_nf", "Whether bridged packets pass the firewall", ALL)
