# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One peer, one size, in a sandbox: build, look, build again, remove, look. Prints phase -> seconds as JSON."""

from __future__ import annotations

import json
import sys

import peers
import state


def measure(peer: peers.Peer, count: int) -> dict[str, float]:
    state.settle()
    found = {"fresh": peer.fresh(count)}
    state.check_built(count, peer.complete)
    steps = (
        ("nothing to do", peer.nothing, count),
        ("nothing to do, files", peer.nothing_with_files, count),
        ("one more", peer.more, count + 1),
        ("one less", peer.less, count),
    )
    for phase, step, there in steps:
        seconds = step(count)
        if seconds is not None:
            found[phase] = seconds
            state.check_built(there, peer.complete)
    absent = peer.absent(count)
    if absent is not None:
        found["absent"] = absent
        state.check_gone()
    return found


if __name__ == "__main__":
    print(json.dumps(measure(peers.PEERS[sys.argv[1]](), int(sys.argv[2]))))
