# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the connections that can carry tasks to a host."""

from __future__ import annotations

from typing import Any

import yaml
from ansible.plugins.connection import local, ssh


def _plain(value: Any) -> Any:
    """Without the versions and deprecations of ansible-core: they are those of another collection."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key not in ("version_added", "deprecated")}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _options(documentation: str) -> dict[str, Any]:
    options: dict[str, Any] = _plain(yaml.safe_load(documentation).get("options", {}))
    return options


class ModuleDocFragment:
    """Whatever ansible.builtin.ssh and ansible.builtin.local take, in the release of ansible-core that runs.

    Ansible gives a connection plugin only the variables that its own options name, so those of the connection
    underneath have to be among them.
    """

    DOCUMENTATION: str = yaml.safe_dump({"options": {**_options(local.DOCUMENTATION), **_options(ssh.DOCUMENTATION)}})
