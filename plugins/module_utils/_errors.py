# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that the engine raises on purpose."""

from __future__ import annotations


class BridgenetError(Exception):
    """A person's mistake or a host in the way: the message names the value, the rule and the fix."""
