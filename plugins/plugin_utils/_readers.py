# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers for what a person wrote in YAML: each gives a plain value of one type, or says what to write instead.

A template gives text where a number or a truth value was meant, so both forms are understood.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Callable

from ..module_utils._errors import BridgenetError

Reader = Callable[[str, Any], Any]

_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0")


@contextmanager
def at(what: str) -> Iterator[None]:
    """Tell where in the declaration a value is wrong."""
    try:
        yield
    except BridgenetError as error:
        raise BridgenetError(f"{what}: {error}") from error


def named(what: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The entries of a mapping from names; nothing given is no entry."""
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise BridgenetError(f"{what}s are {_kind(value)}, not a mapping; write them as NAME: {{...}}")
    for name, entry in value.items():
        yield text(f"{what} name", name), entry


def fields(value: Any, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The keys of one object, each read by its reader; a key without a value was not given."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BridgenetError(f"{_shown(value)} is {_kind(value)}, not a mapping; valid keys: {', '.join(readers)}")
    for key in value:
        if key not in readers:
            raise BridgenetError(f"unknown key {_shown(key)}; {choices(str(key), readers)}")
    return {str(key): readers[key](str(key), entry) for key, entry in value.items() if entry is not None}


def choices(wrong: str, valid: Iterable[str]) -> str:
    """What could have been meant, and all that is possible."""
    names = list(valid)
    close = difflib.get_close_matches(wrong, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}valid: {', '.join(names) or 'none'}"


def pairs(key: str, value: Any, signs: str, form: str) -> Iterator[tuple[str, Any]]:
    """The entries of a mapping, or of a list of words with one of `signs` in each, which reads like `form`."""
    if isinstance(value, Mapping):
        for name, entry in value.items():
            yield text(key, name), entry
        return
    if not isinstance(value, (list, tuple)):
        raise BridgenetError(f"{key} is neither a mapping nor a list; write a mapping, or a list of {form}")
    for entry in value:
        word = text(key, entry)
        at = min((word.index(sign) for sign in signs if sign in word), default=0)
        if not at:
            raise BridgenetError(f"{key} {word!r} is not of the form {form}; write it so")
        yield word[:at], word[at + 1 :]


def text(key: str, value: Any) -> str:
    """A word."""
    if not isinstance(value, str):
        raise BridgenetError(f"{key} {_shown(value)} is {_kind(value)}, not text; put it in quotes")
    return str(value)


def one_or_more(key: str, value: Any) -> list[str]:
    """A reader of a word, or of a list of them."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return [text(key, one) for one in values]


def state(key: str, value: Any) -> str:
    """present or absent."""
    word = text(key, value)
    if word not in ("present", "absent"):
        raise BridgenetError(f"{key} {word!r} is not possible; {choices(word, ('present', 'absent'))}")
    return word


def flag(key: str, value: Any) -> bool:
    """true or false."""
    word = str(value).lower() if isinstance(value, (bool, int, str)) else ""
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise BridgenetError(f"{key} {_shown(value)} is neither true nor false; write one of the two")


def whole(key: str, value: Any) -> int:
    """A whole number."""
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        try:
            return int(value)
        except ValueError:
            pass
    raise BridgenetError(f"{key} {_shown(value)} is not a whole number; write it in digits")


def address(key: str, value: Any) -> ipaddress.IPv4Address:
    """An IPv4 address."""
    word = _without_prefix(key, value)
    try:
        return ipaddress.IPv4Address(word)
    except ValueError as error:
        raise BridgenetError(f"{key} {word!r} is no IPv4 address ({error}); write it like 10.10.0.10") from error


def ipv6_address(key: str, value: Any) -> ipaddress.IPv6Address:
    """An IPv6 address."""
    word = _without_prefix(key, value)
    try:
        if "%" not in word:
            return ipaddress.IPv6Address(word)
    except ValueError as error:
        raise BridgenetError(f"{key} {word!r} is no IPv6 address ({error}); write it like fd71::10") from error
    raise BridgenetError(f"{key} {word!r} names an interface, which it has anyway; leave out the % part")


def _without_prefix(key: str, value: Any) -> str:
    word = text(key, value)
    if "/" in word:
        raise BridgenetError(
            f"{key} {word!r} has a prefix length; write {word.partition('/')[0]}, the subnet gives the rest"
        )
    return word


def address_or_false(key: str, value: Any) -> ipaddress.IPv4Address | bool:
    """An IPv4 address, or false for none."""
    return address(key, value) if _is_address(key, value) else False


def ipv6_address_or_false(key: str, value: Any) -> ipaddress.IPv6Address | bool:
    """An IPv6 address, or false for none."""
    return ipv6_address(key, value) if _is_address(key, value) else False


def _is_address(key: str, value: Any) -> bool:
    if isinstance(value, (bool, int)) or str(value).lower() in _YES + _NO:
        if flag(key, value):
            raise BridgenetError(f"{key} {_shown(value)} is not possible; write an address, or false for none")
        return False
    return True


def addresses(key: str, value: Any) -> dict[str, ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """A mapping from names to addresses of either family."""
    if not isinstance(value, Mapping):
        raise BridgenetError(f"{key} {_shown(value)} is {_kind(value)}, not a mapping; write it as {{NAME: ADDRESS}}")
    found: dict[str, ipaddress.IPv4Address | ipaddress.IPv6Address] = {}
    for name, entry in value.items():
        shown = text(f"{key} name", name)
        where = f"{key}: {shown!r}"
        found[shown] = ipv6_address(where, entry) if ":" in str(entry) else address(where, entry)
    return found


def anything(_key: str, value: Any) -> Any:
    """What somebody else reads."""
    return value


def _kind(value: Any) -> str:
    """How a person calls the type of a value."""
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "empty" if value is None else f"a {type(value).__name__}"


def _shown(value: Any) -> str:
    """A value as YAML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(str(value)) if isinstance(value, str) else str(value)
