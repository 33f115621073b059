# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that starts a process: nft, iptables and modprobe, never by way of a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Collection, Sequence

from . import _labels, _names, _namespaces, _nft
from ._errors import BridgenetError
from ._model import Firewall, Masquerade

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_LEGACY_TABLES = {"iptables": "/proc/net/ip_tables_names", "ip6tables": "/proc/net/ip6_tables_names"}


class ProgramError(OSError):
    """A program said no; its words are in the message."""


def find(name: str) -> str | None:
    """The path of a program of the system, None where it is not installed."""
    return shutil.which(name, path=_PATH)


def _run(argv: Sequence[str], text: str = "") -> str:
    path = find(argv[0])
    if path is None:
        raise BridgenetError(
            f"the program {argv[0]} is missing on this host; install it (Debian: `apt install {_package(argv[0])}`)"
        )
    done = subprocess.run(  # pylint: disable=ansible-bad-function
        [path, *argv[1:]], input=text, capture_output=True, text=True, check=False, env={"PATH": _PATH, "LC_ALL": "C"}
    )
    if done.returncode != 0:
        raise ProgramError(
            done.returncode, f"{shlex.join(argv)}: {done.stderr.strip() or f'exit status {done.returncode}'}"
        )
    return done.stdout


def _package(name: str) -> str:
    return {"nft": "nftables", "iptables": "iptables", "ip6tables": "iptables", "modprobe": "kmod"}[name]


def nft(text: str) -> None:
    """Apply nft's own language in one transaction."""
    _run(["nft", "-f", "-"], text)


def load_module(name: str) -> None:
    """modprobe(8)."""
    _run(["modprobe", "--", name])


def _iptables(entry: Masquerade) -> str:
    return "ip6tables" if _names.family(entry.source) == 6 else "iptables"


def iptables_argv(action: str, entry: Masquerade, comment: str) -> list[str]:
    """The command that appends ("-A") or deletes ("-D") a rule; -w waits for the lock of other users of iptables."""
    where = ["-o", entry.out_interface] if entry.out_interface else ["!", "-o", entry.bridge]
    argv = [_iptables(entry), "-w", "-t", "nat", action, "POSTROUTING", "-s", entry.source, *where]
    return [*argv, "-m", "comment", "--comment", comment, "-j", "MASQUERADE"]


def iptables(argv: Sequence[str]) -> None:
    """Run a command of iptables_argv."""
    _run(argv)


def _listing() -> str:
    try:
        return _run(["nft", "list", "table", *_nft.TABLE.split()])
    except ProgramError as error:
        if "No such file or directory" in str(error):
            return ""
        raise


def _legacy_without_nat(program: str) -> bool:
    """iptables-legacy creates the nat table by merely looking at it: ask the kernel first."""
    path = find(program)
    if path is None or "legacy" not in os.path.realpath(path):
        return path is None
    try:
        with open(_LEGACY_TABLES[program], encoding="ascii") as handle:
            return "nat" not in handle.read().split()
    except FileNotFoundError:
        return True


def _iptables_rules(program: str) -> dict[Masquerade, str]:
    found = {}
    if _legacy_without_nat(program):
        return {}
    for line in _run([program, "-w", "-t", "nat", "-S", "POSTROUTING"]).splitlines():
        words = shlex.split(line)
        comment = words[words.index("--comment") + 1] if "--comment" in words else ""
        if _labels.parse(comment) is None or "-s" not in words or "-o" not in words:
            continue
        source = _names.subnet(words[words.index("-s") + 1])
        at = words.index("-o")
        if words[at - 1] == "!":
            entry = Masquerade(source, bridge=words[at + 1], backend="iptables")
        else:
            entry = Masquerade(source, out_interface=words[at + 1], backend="iptables")
        if iptables_argv("-A", entry, comment)[4:] == words:  # what matches on more was not made by us
            found[entry] = comment
    return found


def _rules_as_we_load_them(home: int) -> str:
    """Our rules as this nft prints them: loaded into a nameless namespace, because versions print differently."""
    with _namespaces.scratch(home):
        nft(_nft.SKELETON)
        return _nft.rules_only(_listing())


def firewall(home: int, backends: Collection[str], look: bool) -> Firewall:
    """Our entries as they stand, in the backends that are to be used or, to `look`, in all that are there.

    `home` is a descriptor of the namespace that this thread is in. `auto` prefers nftables where it works.
    """
    entries: dict[Masquerade, str] = {}
    table = ""
    intact = True
    nftables = "nftables" in backends or ((look or "auto" in backends) and find("nft") is not None)
    if nftables:
        try:
            table = _listing()
        except ProgramError:
            if "nftables" in backends:
                raise
            nftables = False
    foreign = bool(table) and not _nft.is_ours(table)
    if foreign:
        table = ""
    elif nftables:
        entries.update(_nft.parse(table))
        intact = not table or _nft.rules_only(table) == _rules_as_we_load_them(home)
    fallback = "auto" in backends and not nftables
    rules = "iptables" in backends or fallback
    if rules and find("iptables") is None:
        choice = "neither nft nor iptables is" if fallback else "iptables is not"
        raise BridgenetError(f"{choice} installed on this host; install one of them (Debian: `apt install nftables`)")
    if rules or look:
        for program in _LEGACY_TABLES:
            entries.update(_iptables_rules(program))
    return Firewall(entries, table, intact, foreign, "nftables" if nftables else "iptables")
