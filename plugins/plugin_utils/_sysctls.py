# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container's sysctls, in the words of the Compose specification."""

from __future__ import annotations

from typing import Any

from ..module_utils import _sysctl
from ..module_utils._errors import BridgenetError
from . import _modes
from . import _readers as read
from ._modes import Mode


def sysctls(key: str, value: Any) -> dict[str, str]:
    """A reader of a mapping, or of a list of KEY=VALUE; whether the kernel has a key is for the host to say."""
    found: dict[str, str] = {}
    for name, setting in read.pairs(key, value, "=", "KEY=VALUE"):
        if not isinstance(setting, (str, int)) or not str(setting).strip():
            raise BridgenetError(f"{key}: {name} has the value {setting!r}, which is no text or number; write one")
        slashed = _sysctl.key(name)
        if slashed in found:
            raise BridgenetError(f"{key}: {name} is given twice; say it once")
        found[slashed] = _sysctl.text(setting)
    return found


def check_namespace(mode: Mode | None) -> None:
    """They are those of a namespace of its own."""
    if mode and mode.kind in (_modes.HOST, _modes.CONTAINER):
        whose = "the host" if mode.kind == _modes.HOST else f"container {mode.owner!r}"
        raise BridgenetError(
            f"sysctls are for a namespace of its own, and network_mode makes it that of {whose}; drop one of the two, "
            "or set them there"
        )
