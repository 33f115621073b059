# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on hosts, asked over their own connections: one command each, all at once, nothing installed there."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common.text.converters import to_text
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader

from ..module_utils._errors import BridgenetError
from . import _roster

# Becomes root, or says how to, and then does what it reads.
_ENTRY = " ".join(
    line.strip()
    for line in """
    [ "$(id -u)" != 0 ] || exec /bin/sh -s;
    [ "$1" = yes ] && exec sudo -n /bin/sh -s;
    echo "the login is not root; set bridgenet_sudo: true to ask through sudo -n" >&2; cat >/dev/null; exit 1
    """.splitlines()
)

# Prints JSON values: what ip shows of the host, and then for every namespace its name, its inode, and what ip
# shows of it.
# A namespace that goes meanwhile is left out, and so is a file that is none (see _entering).
_SCRIPT = """
PATH=$PATH:/usr/sbin:/sbin
device=$(stat -Lc %d /proc/self/ns/net) && ip -json link show || exit
cd /run/netns 2>/dev/null || exit 0
for name in *; do
    case $name in *[!A-Za-z0-9_.-]*) continue;; esac
    found=$(stat -Lc "%d %i" "$name" 2>/dev/null) && [ "${found% *}" = "$device" ] || continue
    shown=$(printf "link show\\naddress show\\nroute show default\\n" | ip -json -n "$name" -batch -) || {
        [ -e "$name" ] && exit 1
        continue
    }
    printf "\\"%s\\" %s %s\\n" "$name" "${found#* }" "$shown"
done
"""


@dataclass(frozen=True)
class Question:
    """A host, and how it is reached."""

    host: str
    transport: str  # ssh or local
    sudo: bool
    variables: Collection[str]  # what was set for it
    value: Callable[[str], Any]  # of a variable, without templates

    def connect(self) -> Any:
        """A connection that knows the host's variables."""
        context = PlayContext()
        context.remote_addr = self.value("ansible_host") if "ansible_host" in self.variables else self.host
        connection = connection_loader.get(f"ansible.builtin.{self.transport}", context)
        names = constants.config.get_plugin_vars("connection", connection._load_name)
        known = {name: self.value(name) for name in names if name in self.variables}
        connection.set_options(var_options={"inventory_hostname": self.host, **known})
        return connection


def ask(questions: list[Question], forks: int) -> Iterator[tuple[Question, list[_roster.Container] | BridgenetError]]:
    """The containers of each host, or why it did not tell."""
    connections = [question.connect() for question in questions]
    with ThreadPoolExecutor(max_workers=max(1, forks)) as pool:
        yield from zip(questions, pool.map(_ask, questions, connections))


def _ask(question: Question, connection: Any) -> list[_roster.Container] | BridgenetError:
    words = ["/bin/sh", "-c", _ENTRY, "ask", "yes" if question.sudo else "no"]
    try:
        status, output, errors = connection.exec_command(shlex.join(words), in_data=_SCRIPT.encode(), sudoable=False)
    except AnsibleError as error:
        return BridgenetError(f"host {question.host!r} cannot be reached: {error}")
    if status:
        said = to_text(errors).strip() or f"exit status {status}"
        return BridgenetError(f"host {question.host!r} does not tell what stands on it: {said}")
    try:
        return _roster.standing(*_parsed(to_text(output)))
    except json.JSONDecodeError as error:
        return BridgenetError(f"host {question.host!r} answers with something else than JSON ({error})")


def _parsed(text: str) -> tuple[list[_roster.Entry], list[_roster.Namespace]]:
    """What the host's answer says of the host itself, and of each namespace."""
    host: list[_roster.Entry] = []
    found: list[tuple[str, int, list[_roster.Entry]]] = []
    entries, name, text = host, "", text.strip()
    while text:
        value, end = json.JSONDecoder().raw_decode(text)
        text = text[end:].lstrip()
        if isinstance(value, str):
            name = value
        elif isinstance(value, int):
            entries = []
            found.append((name, value, entries))
        else:
            entries += value
    return host, [_roster.Namespace(name, inode, tuple(entries)) for name, inode, entries in found]
