# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command and its surroundings, as they were declared, or the words in which they are refused. Pure."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import _names
from ._errors import BridgenetError

# Compose's words, and systemd's (systemd.service(5)): one that was stopped stays so.
RESTARTS = {"no": "no", "always": "always", "on-failure": "on-failure", "unless-stopped": "always"}

_PREFIXES = "@-:+!|"  # in front of a program they are systemd's (systemd.service(5))
_UNPRINTABLE = ("Cc", "Zl", "Zp")  # control characters, and what str.splitlines() takes for the end of a line
_HOSTNAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_DIRECTORY = re.compile(r"/[^\\]*(?<![\s])\Z|/\Z")


@dataclass(frozen=True)
class Process:
    """A command and its surroundings; "" is the default."""

    command: tuple[str, ...]
    hostname: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    user: str = ""
    group: str = ""
    working_dir: str = ""
    restart: str = "no"


def declared(what: str, namespace: str, options: Mapping[str, Any]) -> Process:
    """From options; `what` is how a message names it, and "" the host's own namespace."""
    if options.get("hostname") and not namespace:
        raise BridgenetError(
            f"{what}: hostname is for a namespace, and this command runs in the host's own, with the host's name; drop "
            "it, or name a namespace"
        )
    user, group = _account(what, options.get("user") or "")
    return Process(
        command=_command(what, options.get("command")),
        hostname=_hostname(what, options["hostname"]) if options.get("hostname") else "",
        environment=tuple(sorted(_environment(what, options.get("environment") or {}))),
        user=user,
        group=group,
        working_dir=_working_dir(what, options.get("working_dir") or ""),
        restart=options.get("restart") or "no",
    )


def _command(what: str, value: Any) -> tuple[str, ...]:
    """A list of words, or one string that is split as a shell splits it."""
    if isinstance(value, str):
        try:
            value = shlex.split(value)
        except ValueError as error:
            raise BridgenetError(
                f"{what}: command {value!r} cannot be split into words ({error}); close the quote, or write a list"
            ) from error
    if not isinstance(value, (list, tuple)) or not value:
        raise BridgenetError(f"{what} has no command; write a list of words, like [sleep, infinity]")
    words = tuple(_text(what, "command", one) for one in value)
    if not words[0] or words[0][0] in _PREFIXES:
        raise BridgenetError(
            f"{what}: command {words[0]!r} is no name of a program: it may not begin with one of {_PREFIXES}; write "
            "its path"
        )
    return words


def _text(what: str, key: str, value: Any) -> str:
    """A word or number, without anything that would end the line."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise BridgenetError(f"{what}: {key} {value!r} is neither text nor a number; put it in quotes")
    text = str(value)
    if any(unicodedata.category(letter) in _UNPRINTABLE and letter != "\t" for letter in text):
        raise BridgenetError(
            f"{what}: {key} {text!r} has a line break or another control character in it, which a unit file cannot "
            "have; put the text into a file"
        )
    if any(unicodedata.category(letter) == "Cs" for letter in text):
        raise BridgenetError(f"{what}: {key} {text!r} is not UTF-8, which a unit file is; write it so")
    return text


def _environment(what: str, values: Mapping[Any, Any]) -> Iterable[tuple[str, str]]:
    for key, value in values.items():
        if not isinstance(key, str) or not _VARIABLE.match(key):
            raise BridgenetError(
                f"{what}: environment variable {key!r}: allowed are letters, digits and '_', the first of them no "
                "digit; choose such a name"
            )
        yield key, _text(what, f"environment variable {key}", value)


def _hostname(what: str, value: str) -> str:
    if not _HOSTNAME.match(value):
        raise BridgenetError(
            f"{what}: hostname {value!r}: allowed are 1 to 64 letters, digits, '_', '.' and '-', the first and last of "
            "them no '.' or '-'; choose such a name"
        )
    return value


def _account(what: str, value: str) -> tuple[str, str]:
    """USER or USER:GROUP, each a name or a number."""
    user, colon, group = value.partition(":")
    if value and (not user or (colon and not group)):
        raise BridgenetError(f"{what}: user {value!r} is neither USER nor USER:GROUP; write one of the two")
    return _names.account(f"{what}: user", user), _names.account(f"{what}: group", group)


def _working_dir(what: str, value: str) -> str:
    if value and not _DIRECTORY.match(_text(what, "working_dir", value)):
        raise BridgenetError(
            f"{what}: working_dir {value!r} is no absolute path without a backslash or a space at its end; write it "
            "like /srv/web"
        )
    return value
