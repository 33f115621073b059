# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process as a systemd unit: text. Pure.

systemd reads `%`, `$`, quotes and backslashes in a unit (systemd.syntax(7), systemd.service(5)),
so every word that comes from a person is quoted for it. No word is read by a shell: the one
that sets the host name runs a constant, and gets the words as its arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from . import _known_names, _labels
from ._labels import Label
from ._process import RESTARTS, Process

DIRECTORY = "/etc/systemd/system"

_PLAIN = re.compile(r"[A-Za-z0-9_./:=,+-]+\Z")
_INSIDE = re.compile(r"^NetworkNamespacePath=/run/netns/(.+)$", re.MULTILINE)

# ProtectHostname= cannot name the host before systemd 258, and forbids to. As another user than root the name
# needs a capability, which is given away again before the command begins.
_NAMED = ("unshare", "--uts", "--", "sh", "-c", 'hostname "$0" && exec "$@"')
_UNPRIVILEGED = ("setpriv", "--ambient-caps=-all", "--inh-caps=-all", "--")


def name(service: str) -> str:
    """What systemd calls it."""
    return f"bridgenet-{service}.service"


def path(service: str) -> str:
    """The file of a unit."""
    return f"{DIRECTORY}/{name(service)}"


def namespace(unit: str) -> str:
    """The namespace that a unit that is there names; "" is the host's own."""
    found = _INSIDE.search(unit)
    return found[1] if found else ""


def label(text: str) -> str:
    """Whose a file is: its first line, without the #."""
    return _labels.of_file(text)


# --- systemd's quoting ---


def word(value: str) -> str:
    """One word of ExecStart=, as systemd.service(5) wants it."""
    return _quoted(value.replace("$", "$$"))


def _quoted(value: str) -> str:
    """One word of a list. A % begins a specifier wherever it stands."""
    if _PLAIN.match(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("%", "%%")
    return f'"{escaped}"'


# --- the file ---


def text(service: str, namespace: str, process: Process, owner: Label) -> str:
    """The whole unit."""
    lines = ["[Unit]", f"Description={service}{f' in namespace {namespace}' if namespace else ''}"]
    lines += ["", "[Service]", "Type=exec", f"SyslogIdentifier={service}"]
    if namespace:
        lines.append(f"NetworkNamespacePath=/run/netns/{namespace}")
        lines.append(f"BindReadOnlyPaths=-{_known_names.hosts_path(namespace)}:/etc/hosts")
        lines.append(f"BindReadOnlyPaths=-{_known_names.resolver_path(namespace)}:/etc/resolv.conf")
    if process.user:
        lines.append(f"User={process.user}")
    if process.group:
        lines.append(f"Group={process.group}")
    if process.working_dir:
        lines.append(f"WorkingDirectory={process.working_dir.replace('%', '%%')}")
    lines += [f"Environment={_quoted(f'{key}={value}')}" for key, value in process.environment]
    command = process.command
    if process.hostname:
        if process.user or process.group:
            lines.append("AmbientCapabilities=CAP_SYS_ADMIN")
            command = (*_UNPRIVILEGED, *command)
        command = (*_NAMED, process.hostname, *command)
    lines.append(f"ExecStart={' '.join(map(word, command))}")
    lines += [f"Restart={RESTARTS[process.restart]}", "TimeoutStopSec=10"]  # as long as `docker stop` waits
    about = "# Written by nslab.bridgenet.netns_service, which removes it with state: absent.\n"
    return f"# {owner}\n{about}" + "".join(f"{line}\n" for line in lines)


def settings(unit: str) -> dict[str, str | list[str]]:
    """The settings of a unit by name; one that is there several times is a list."""
    found: dict[str, str | list[str]] = {}
    for key, value in _assignments(unit.splitlines()):
        known = found.get(key)
        if known is None:
            found[key] = value
        else:
            found[key] = [*([known] if isinstance(known, str) else known), value]
    return found


def _assignments(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        key, sign, value = line.partition("=")
        if sign and not line.startswith(("#", ";")):
            yield key, value
