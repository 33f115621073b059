# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets of SCTP, whose table not every kernel has."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.module_utils._listeners import endpoints, missing
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import Listener

# Server at any address, server at two of them, and a client, which only calls.
TABLE = """\
 ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS
0000000000000000 0000000000000000 2   10  33   9000      0 41001 0.0.0.0
0000000000000000 0000000000000000 0   10  34   9001   1000 41002 *10.1.0.1 fd00:0000:0000:0000:0000:0000:0000:0001
0000000000000000 0000000000000000 2   7   35   9002      0 41003 10.1.0.1
"""


def test_who_listens() -> None:
    ports = [("sctp", 9000), ("sctp", 9001), ("sctp", 9002), ("tcp", 9000)]
    assert endpoints(TABLE, ports) == [
        ("41001", Listener("sctp", "0.0.0.0", 9000)),  # noqa: S104
        ("41002", Listener("sctp", "10.1.0.1", 9001)),
        ("41002", Listener("sctp", "fd00::1", 9001)),
    ]
    assert endpoints(TABLE, [("tcp", 9000), ("sctp", 9003)]) == []
    assert endpoints("", ports) == []


def test_addresses_of_others() -> None:
    """What an interface has is not tried, and what is the host's by itself is no other's."""
    assert missing(["127.0.0.9", "203.0.113.9"], set()) == {"203.0.113.9"}
    assert missing(["203.0.113.9"], {"203.0.113.9"}) == set()
