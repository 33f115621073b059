# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process of a container, in the words of the Compose specification, as the options of a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils import _process
from ..module_utils._errors import BridgenetError
from . import _readers as read

Options = dict[str, Any]


def words(key: str, value: Any) -> Any:
    """A reader of a command, which the engine takes apart."""
    if isinstance(value, (list, tuple)):
        return list(value)
    return read.text(key, value)


def account(key: str, value: Any) -> str:
    """A reader of a user, whom a number names as well."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else read.text(key, value)


def restart(key: str, value: Any) -> str:
    """A reader of restart; YAML makes false of `no`."""
    word = "no" if value is False else read.text(key, value)
    if word not in _process.RESTARTS:
        raise BridgenetError(f"{key} {word!r} is not possible; {read.choices(word, _process.RESTARTS)}")
    return word


def variables(key: str, value: Any) -> Options:
    """A reader of a mapping, or of a list of NAME=VALUE."""
    return dict(read.pairs(key, value, "=", "NAME=VALUE"))


KEYS: Mapping[str, read.Reader] = {
    "command": words,
    "hostname": read.text,
    "environment": variables,
    "user": account,
    "working_dir": read.text,
    "restart": restart,
}


def service(name: str, namespace: str, given: Mapping[str, Any]) -> Options | None:
    """The options of the service of a container; None where it has no command."""
    asked = {key: given[key] for key in KEYS if given.get(key) or (key == "command" and key in given)}
    if "command" not in asked:
        if asked:
            raise BridgenetError(f"{next(iter(asked))} is for a command, and there is none; write command: [...]")
        return None
    if namespace:
        asked.setdefault("hostname", name)
    elif "hostname" in asked:
        raise BridgenetError(
            "hostname is for a namespace of its own, and with network_mode: host the command has the host's; drop one "
            "of the two"
        )
    return {
        "name": name,
        "label": name,
        **({"namespace": namespace} if namespace else {}),
        **_plain(asked, namespace),
    }


def _plain(options: Options, namespace: str) -> Options:
    """The same options as the engine reads them: every value is checked, and is what JSON has."""
    process = _process.declared("command", namespace, options)
    found: Options = {
        "command": list(process.command),
        "hostname": process.hostname,
        "environment": dict(process.environment),
        "user": ":".join(filter(None, (process.user, process.group))),
        "working_dir": process.working_dir,
        "restart": process.restart,
    }
    return {key: value for key, value in found.items() if value}
