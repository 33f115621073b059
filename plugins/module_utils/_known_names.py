# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a namespace knows by name: the text of /etc/netns/NAME/hosts and resolv.conf (ip-netns(8)). Pure.

A hosts file consists of blocks, each behind a comment with the label of the list that it is
from; the first block is the loopback's. A resolv.conf is of one list, as a whole.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from . import _labels
from ._labels import MARK, Label

DIRECTORY = "/etc/netns"

OF_HOST = "/etc/resolv.conf"
OF_RESOLVED = "/run/systemd/resolve/resolv.conf"  # the servers that systemd-resolved asks (systemd-resolved(8))

LOOPBACK = "localhost"  # the block of every file, and so no name for a list
_LOOPBACK_LINES = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"

BEGIN = f"# {MARK}"  # so does every block, and every file of ours

Hosts = tuple[tuple[str, tuple[str, ...]], ...]  # address, names


@dataclass(frozen=True)
class KnownNames:
    """The files of all namespaces that have some: namespace -> content, "" where there is no such file."""

    hosts: Mapping[str, str] = field(default_factory=dict)
    resolvers: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> list[str]:
        """The labels of all lists that are known to a namespace."""
        return list(self._by_label)

    def members(self, owner: str) -> Mapping[str, tuple[str, str]]:
        """The namespaces that know the list of that label: its lines, and the resolv.conf that is of it."""
        return self._by_label.get(owner, {})

    @functools.cached_property
    def _by_label(self) -> Mapping[str, Mapping[str, tuple[str, str]]]:
        found: dict[str, dict[str, tuple[str, str]]] = {}
        for namespace, text in sorted(self.hosts.items()):
            for owner, lines in blocks(text).items() if text.startswith(BEGIN) else ():
                found.setdefault(owner, {})[namespace] = (lines, "")
        for namespace, text in sorted(self.resolvers.items()):
            if text.startswith(BEGIN):
                known = found.setdefault(label(text), {})
                known[namespace] = (known.get(namespace, ("", ""))[0], text)
        return found


def hosts_path(namespace: str) -> str:
    """Its file of names."""
    return f"{DIRECTORY}/{namespace}/hosts"


def resolver_path(namespace: str) -> str:
    """Its file of name servers."""
    return f"{DIRECTORY}/{namespace}/resolv.conf"


def label(text: str) -> str:
    """Whose a file is: its first line, without the #."""
    return _labels.of_file(text)


# --- hosts ---


@functools.lru_cache(maxsize=1024)  # the neighbours in a network have the same file
def blocks(text: str) -> Mapping[str, str]:
    """The blocks of a file of ours: label -> lines."""
    found = {}
    for block in f"\n{text}".split(f"\n{BEGIN}")[1:]:
        owner, _newline, lines = block.partition("\n")
        found[f"{MARK}{owner}"] = lines if lines.endswith("\n") or not lines else f"{lines}\n"
    return found


@functools.lru_cache(maxsize=1024)
def with_block(text: str, owner: Label, lines: str) -> str:
    """A file of ours with a block, or without it where it has no lines; "" where no other block is left."""
    loopback = str(Label(owner.project, LOOPBACK))
    others = {key: body for key, body in blocks(text).items() if key not in (loopback, str(owner))}
    if lines:
        others[str(owner)] = lines
    if not others:
        return ""
    return "".join(f"# {key}\n{body}" for key, body in [(loopback, _LOOPBACK_LINES), *sorted(others.items())])


def lines_of(hosts: Hosts) -> str:
    """The lines of a block."""
    return "".join(f"{address} {' '.join(names)}\n" for address, names in hosts)


@functools.lru_cache(maxsize=1024)
def hosts_of(lines: str) -> Mapping[str, list[str]]:
    """The lines of a block taken apart: address -> names."""
    found: dict[str, list[str]] = {}
    for line in lines.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if address:
            found.setdefault(address, []).extend(names)
    return found


# --- resolv.conf ---


def resolver(owner: Label, nameservers: Sequence[str], search: Sequence[str]) -> str:
    """The whole file."""
    domains = f"search {' '.join(search)}\n" if search else ""
    return f"# {owner}\n{domains}" + "".join(f"nameserver {address}\n" for address in nameservers)


def nameservers_of(text: str) -> list[str]:
    """The name servers in a resolv.conf."""
    return [words[1] for words in _settings(text) if words[0] == "nameserver"]


def search_of(text: str) -> list[str]:
    """The domains in which a short name is looked for, in a resolv.conf; the last line counts (resolv.conf(5))."""
    found = [words[1:] for words in _settings(text) if words[0] in ("search", "domain")]
    return found[-1] if found else []


def _settings(text: str) -> Iterable[list[str]]:
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and not line.startswith(("#", ";")):
            yield words


def is_out_of_reach(text: str) -> bool:
    """Whether a host's resolv.conf is of no use in a namespace: all its servers are on the host's loopback."""
    servers = nameservers_of(text)
    return bool(servers) and not any(map(_is_reachable, servers))


def reachable(text: str) -> list[str]:
    """The servers that can be asked from a namespace; more than three are never asked (resolv.conf(5))."""
    return [server for server in nameservers_of(text) if _is_reachable(server)][:3]


def _is_reachable(server: str) -> bool:
    try:
        address = ipaddress.ip_address(server)
    except ValueError:
        return False  # fe80::1%eth0 is on a link of the host
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)
