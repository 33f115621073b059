# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of links: those that a person gives, and those that are made from other names."""

from __future__ import annotations

import hashlib

from ..module_utils import _names
from ..module_utils._errors import BridgenetError

# The kernel keeps these for itself: the loopback, and two that are no interface in net.ipv6.conf.
_TAKEN = ("lo", "all", "default")


def checked(value: str) -> str:
    """A name that a person may give to a link."""
    if value in _TAKEN:
        raise BridgenetError(f"interface name {value!r} is the kernel's own; choose another name")
    return _names.interface(value)


def digest(value: str, length: int) -> str:
    """Hexadecimal digits that stand for a longer name."""
    return hashlib.sha256(value.encode()).hexdigest()[:length]
