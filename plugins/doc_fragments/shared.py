# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several objects have, as YAML texts for the fragments of the objects."""

from __future__ import annotations


class ModuleDocFragment:
    """No module extends this one directly."""

    STATE = r"""
state:
  description:
    - Whether this object is to be there.
    - Without it, the O(state) of the task holds.
  type: str
  choices: [present, absent]
"""

    NAMESPACE = r"""
namespace:
  description:
    - The namespace in which the link is, by its name in C(/run/netns). Without it, or with an empty string,
      the host itself.
    - A namespace that does not exist is an error; create it by M(nslab.bridgenet.netns) before, or in the same
      M(nslab.bridgenet.transaction). Check mode assumes it, empty.
  type: str
"""

    OWNED = r"""
take_over:
  description:
    - Whether an object that exists already and does not carry a label of O(project) becomes ours. It keeps
      what is not declared.
    - Otherwise such an object is an error, and stays untouched.
  type: bool
  default: false
"""

    EXCLUSIVE = r"""
exclusive:
  description:
    - Whether O(addresses) and O(routes), where they are declared, are exact, so that what they do not name is removed.
    - Otherwise they are added to what is there.
  type: bool
  default: false
"""

    VLANS = r"""
vlans:
  description:
    - The VLANs that it belongs to. They do something on a bridge with C(vlan_filtering), and are kept on any other.
    - Added to those that are there, or exact with O(exclusive=true). A VLAN that is there gets the flags that are
      declared. A new bridge, and a port that has just joined, belong to the VLAN that the bridge gives, as a rule
      V(1), with both flags.
    - An error on a kernel without VLAN filtering.
    - Changed in place.
  type: list
  elements: dict
  suboptions:
    vid:
      description: The number of the VLAN, V(1) to V(4094), or several like V(20-29).
      type: str
      required: true
    pvid:
      description:
        - Whether frames that come in without a tag belong to it. One VLAN can be that; it takes the place of another.
        - Of one VLAN, not of a range.
      type: bool
      default: false
    untagged:
      description: Whether its frames go out without a tag.
      type: bool
      default: false
"""

    LINK = r"""
mac:
  description:
    - The MAC address. Six pairs of hexadecimal digits with colons, in upper or lower case. A multicast address is an
      error.
    - A link that is created without it gets C(02) and a hash of O(inventory_host), O(project) and the label, so
      that it is known beforehand and differs from host to host.
    - Changed in place.
  type: str
mtu:
  description:
    - The largest packet, in bytes, V(68) to V(65535).
    - Below V(1280) the kernel takes IPv6 off the link, and an IPv6 address is an error.
    - Changed in place.
  type: int
up:
  description:
    - Whether the link is administratively up. A link that is created is up unless this is V(false).
    - A link that goes down loses its routes and its IPv6 addresses. Routes on a link that is down are an error.
    - Changed in place.
  type: bool
ipv6:
  description:
    - Whether the link speaks IPv6. V(false) sets C(net/ipv6/conf/NAME/disable_ipv6), which takes the IPv6 addresses
      and routes away.
    - A link that is created speaks IPv6 unless this is V(false). Say V(false) where a network has no IPv6; many
      idle links that speak it keep each other busy.
    - Changed in place.
  type: bool
addresses:
  description:
    - Addresses with their prefix lengths, like V(10.10.0.1/16) or V(fd00::1/64).
    - Added to those that are there, or exact with O(exclusive=true).
    - The address of the network itself, a broadcast or multicast address, and one without a prefix length are an
      error. So is one whose network overlaps a network to which another link of the host is connected; choose
      another subnet.
    - An IPv6 address is used at once, without the detection of duplicates. Link-local and router-advertised
      addresses, and those that a loopback always has, are neither shown nor removed.
    - Changed in place.
  type: list
  elements: str
routes:
  description:
    - Unicast routes of the main table that leave by this link.
    - Added to those that are there, or exact with O(exclusive=true). A route with the destination and metric of
      another replaces it.
    - Routes that the kernel makes for addresses, and router-advertised ones, are neither shown nor removed.
    - Changed in place.
  type: list
  elements: dict
  suboptions:
    to:
      description:
        - The destination. V(default), or a network like V(10.20.0.0/16); bits behind the prefix length are cleared.
        - V(default) is that of IPv6 where O(routes[].via) is an IPv6 address.
      type: str
      required: true
    via:
      description:
        - The address of the next hop, of the same family as O(routes[].to). Without it, the destination is on the
          link.
        - It must be reachable on the link, or the kernel refuses the route.
      type: str
    metric:
      description:
        - Of several routes to one destination, the lowest wins. V(0) to V(4294967295).
        - Without it, or with V(0), the kernel's own default, V(0) for IPv4 and V(1024) for IPv6.
      type: int
"""
