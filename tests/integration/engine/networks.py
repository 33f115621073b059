# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of the README, as a role hands it to the engine."""

from __future__ import annotations

from typing import Any

Network = dict[str, list[dict[str, Any]]]


def container(name: str, address: str, host_interface: str = "", gateway: str = "10.10.0.1") -> Network:
    """A container on the bridge br0."""
    veth = host_interface or f"veth{name}"
    peer = {
        "name": "eth0",
        "namespace": name,
        "ipv6": False,
        "addresses": [address],
        "routes": [{"to": "default", "via": gateway}],
    }
    pair = {
        "name": veth,
        "label": f"{name}/blue",
        "ipv6": False,
        "exclusive": True,
        "addresses": [],
        "routes": [],
        "peer": peer,
    }
    return {"netns": [{"name": name}], "veth": [pair], "bridge_port": [{"name": veth, "master": "br0"}]}


def blue(*containers: Network, gateway: str = "10.10.0.1/16", **bridge: Any) -> Network:
    """A bridge that masquerades and forwards, and its containers: ns1 and ns2 where none are given."""
    whole: Network = {
        "bridge": [
            {
                "name": "br0",
                "label": "blue",
                "ipv6": False,
                "exclusive": True,
                "addresses": [gateway],
                "routes": [],
                **bridge,
            }
        ],
        "masquerade": [{"source": "10.10.0.0/16", "bridge": "br0", "forwarding": True, "label": "blue"}],
    }
    for one in containers or (container("ns1", "10.10.0.10/16"), container("ns2", "10.10.0.20/16")):
        for module, objects in one.items():
            whole.setdefault(module, []).extend(objects)
    return whole
