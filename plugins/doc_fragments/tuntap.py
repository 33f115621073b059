# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a tun or tap."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module tuntap, and for the list of that name."""

    OPTIONS = r"""
name:
  description:
    - The name of the device. A link of that name that is no tun or tap is an error, and so is one that is not
      persistent, because it goes with the process that created it.
  type: str
  required: true
mode:
  description:
    - V(tap) carries Ethernet frames, has a MAC address and can be a port of a bridge. V(tun) carries IP packets.
    - Required with O(state=present).
    - With another mode the device is recreated. It keeps what is not declared, but a V(tun) leaves its bridge.
  type: str
  choices: [tun, tap]
owner:
  description:
    - Who besides root may open the device. The name of a user of the host, or a number. An empty string is nobody.
    - A user who does not exist is an error. Check mode assumes it.
    - Where both O(owner) and O(group) are set, a process must have both.
    - A device that is created has none. With another owner the device is recreated.
  type: str
group:
  description:
    - The group whose members may open the device. The name of a group of the host, or a number. An empty string is
      no group.
    - A group that does not exist is an error. Check mode assumes it.
    - A device that is created has none. With another group the device is recreated.
  type: str
multi_queue:
  description:
    - Whether several processes or threads may have the device open at once, each with a queue of its own. Whoever
      opens the device has to ask for the same.
    - V(false) for a device that is created. With another value the device is recreated.
  type: bool
packet_info:
  description:
    - Whether four bytes with flags and protocol go before each packet (C(IFF_NO_PI) is not set).
    - V(false) for a device that is created. With another value the device is recreated.
    - Whoever opens the device sets this anew for itself, so declare it only where that program leaves it alone.
  type: bool
vnet_hdr:
  description:
    - Whether a header for segmentation and checksums goes before each packet (C(IFF_VNET_HDR)), as virtual machines
      want it.
    - V(false) for a device that is created. With another value the device is recreated.
    - Whoever opens the device sets this anew for itself, so declare it only where that program leaves it alone.
  type: bool
mac:
  description:
    - The MAC address of a tap. Six pairs of hexadecimal digits with colons, in upper or lower case. A multicast
      address is an error, and so is any on a tun.
    - A tap that is created without it gets C(02) and a hash of O(inventory_host), O(project) and the label, so that it
      is known beforehand and differs from host to host.
    - Changed in place.
  type: str
label:
  description:
    - Whose the device is, written to its alias. Up to 100 letters, digits, C(_), C(.), C(/), C(:) and C(-). Without
      it, O(name).
    - Changed in place.
    - With O(state=absent), a device that does not carry this label is an error. Without a label the device of that
      name is removed, whosever it is.
  type: str
"""
    ALL: Options = {
        **parse(Shared.NAMESPACE, Shared.LINK, Shared.EXCLUSIVE, Shared.OWNED, Shared.STATE),
        **parse(OPTIONS),
    }
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("tuntap", "Tun and tap devices", ALL)
