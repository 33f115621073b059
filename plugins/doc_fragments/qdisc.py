# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a queueing discipline."""

from __future__ import annotations

from ansible_collections.nslab.bridgenet.plugins.doc_fragments.shared import ModuleDocFragment as Shared
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._options import Options, listed, module, parse


class ModuleDocFragment:
    """For the module qdisc, and for the list of that name."""

    OPTIONS = r"""
name:
  description:
    - The name of the link that sends. A link that does not exist is an error. Check mode assumes it.
  type: str
  required: true
tbf:
  description:
    - A token bucket filter, C(sch_tbf), which limits the rate of what the link sends.
    - With O(netem), it stands behind that.
    - O(state=present) needs O(tbf), O(netem), or both. What is left out is removed.
    - Changed in place; adding or removing one of the two drops what waits in the queue.
  type: dict
  suboptions:
    rate:
      description:
        - The rate, in V(bit), V(kbit), V(mbit), V(gbit) or V(tbit) per second, like V(10mbit); thousands, as in tc. A
          multiple of V(8bit).
      type: str
      required: true
    burst:
      description:
        - How much may be sent at once, in V(b), V(kb) or V(mb), like V(32kb); 1024 bytes are V(1kb), as in tc. At least
          one frame, the MTU and 14 bytes.
        - Without it, what the rate sends in 10 ms, and V(16kb) at least.
      type: str
    latency:
      description:
        - How long a packet may wait at most, in V(us), V(ms) or V(s). V(50ms) unless O(tbf.limit) is given.
      type: str
    limit:
      description:
        - How much may wait, in V(b), V(kb) or V(mb). At least the burst. Excludes O(tbf.latency).
      type: str
netem:
  description:
    - A network emulator, C(sch_netem), for a link that is slow or loses packets. An error where the kernel has none.
    - Changed in place; adding or removing one of the two drops what waits in the queue.
  type: dict
  suboptions:
    delay:
      description: By how much each packet is delayed, in V(us), V(ms) or V(s), like V(50ms).
      type: str
    jitter:
      description: By how much the delay varies, in V(us), V(ms) or V(s). Needs O(netem.delay).
      type: str
    loss:
      description: How many packets are lost, as a percentage like V(0.5%).
      type: str
    duplicate:
      description: How many packets are sent twice, as a percentage like V(1%).
      type: str
    limit:
      description: How many packets may wait.
      type: int
      default: 1000
"""
    ALL: Options = parse(OPTIONS, Shared.NAMESPACE, Shared.STATE)
    DOCUMENTATION: str = module(ALL)
    LIST: str = listed("qdisc", "Queueing disciplines", ALL)
