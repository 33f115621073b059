# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resources by the name of their module, in the order in which they are predicted."""

from __future__ import annotations

from . import _bridge, _bridge_port, _interface, _masquerade, _netns, _sysctl_bridge_nf, _veth

RESOURCES = {
    "sysctl_bridge_nf": _sysctl_bridge_nf,
    "netns": _netns,
    "bridge": _bridge,
    "veth": _veth,
    "bridge_port": _bridge_port,
    "interface": _interface,
    "masquerade": _masquerade,
}
