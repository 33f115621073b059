# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel changes together with a forwarding switch. Pure: values in, values out.

Sources: inet_forward_change (net/ipv4/devinet.c), addrconf_fixup_forwarding and
addrconf_forward_change (net/ipv6/addrconf.c), Documentation/networking/ip-sysctl.rst.
"""

from __future__ import annotations

from collections.abc import Mapping

SWITCH4 = "net/ipv4/ip_forward"
SWITCH6 = "net/ipv6/conf/all/forwarding"
SWITCHES = (SWITCH4, SWITCH6)


def followers(switch: str, interfaces: list[str]) -> list[str]:
    """The keys that writing `switch` changes, for the names below net/ipv4/conf or net/ipv6/conf."""
    if switch == SWITCH4:
        keys = [f"net/ipv4/conf/{name}/forwarding" for name in interfaces if name != "all"]
        return ["net/ipv4/conf/all/accept_redirects", *keys]
    return [f"net/ipv6/conf/{name}/forwarding" for name in interfaces if name != "all"]


def router_advertisements(interfaces: list[str]) -> list[str]:
    """The keys that must be 2, not 1, for a router that keeps its own router-advertised default route."""
    return [f"net/ipv6/conf/{name}/accept_ra" for name in interfaces]


def write(values: dict[str, str], key: str, value: str) -> None:
    """Set a key in `values`, and what the kernel sets with it."""
    values[key] = value
    for follower, other in effects(values, key, value).items():
        values[follower] = other


def effects(values: Mapping[str, str], key: str, value: str) -> dict[str, str]:
    """The followers among `values` and what they become when `key` is written."""
    if key == SWITCH4:
        found = {name: value for name in values if name.startswith("net/ipv4/conf/") and name.endswith("/forwarding")}
        if "net/ipv4/conf/all/accept_redirects" in values:
            found["net/ipv4/conf/all/accept_redirects"] = "0" if value != "0" else "1"
        return found
    if key == SWITCH6:
        return {
            name: value
            for name in values
            if name.startswith("net/ipv6/conf/") and name.endswith("/forwarding") and name != key
        }
    return {}
