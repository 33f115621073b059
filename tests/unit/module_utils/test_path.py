# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a packet ended to which no answer comes."""

from __future__ import annotations

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._capture import Frame
from ansible_collections.nslab.bridgenet.plugins.module_utils._packets import TCP, Packet
from ansible_collections.nslab.bridgenet.plugins.module_utils._path import Hop, outcome
from ansible_collections.nslab.bridgenet.plugins.module_utils._probe import REQUEST

CLIENT, HOST, WEB, OTHER = "198.18.0.9", "198.18.0.1", "10.0.0.2", "10.0.0.3"
ADDRESSES = {"client": [CLIENT], "": [HOST], "web": [WEB], "other": [OTHER]}


def hop(namespace: str, interface: str, direction: str, to: str, time: int) -> Hop:
    return Hop(REQUEST, Frame(namespace, interface, direction == "out", True, time, b""), Packet(CLIENT, to, TCP), "")


ASKED = [("client", "eth0", "out", HOST), ("", "up0", "in", HOST)]
# The bridge floods what the host has translated.
FLOODED = [*ASKED, ("", "br0", "out", WEB), ("web", "eth0", "in", WEB), ("other", "eth0", "in", WEB)]


@pytest.mark.parametrize(
    ("way", "ended"),
    [
        (ASKED, "it arrived by up0 in the host"),
        ([*ASKED, ("", "br0", "out", WEB)], f"it left by br0 in the host for {WEB}"),
        (FLOODED, "it arrived by eth0 in namespace 'web'"),
        ([*ASKED, ("", "br0", "out", WEB), ("other", "eth0", "in", WEB)], "it came in by eth0 in namespace 'other'"),
    ],
)
def test_where_it_ended(way: list[tuple[str, str, str, str]], ended: str) -> None:
    """Translated on its way, or not."""
    hops = [hop(*one, time) for time, one in enumerate(way)]
    assert outcome(hops, "client", ADDRESSES, [], "", 1.0).ended.startswith(ended)
