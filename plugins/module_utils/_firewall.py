# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's firewall as it stands: our entries in nftables and iptables, and what of others is in their way."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from . import _files, _firewalld, _iptables, _namespaces, _nft, _nft_log, _programs
from ._errors import BridgenetError
from ._model import Bindings, Entry, Firewall, Rule
from ._programs import ProgramError

_LEGACY_TABLES = {4: "/proc/net/ip_tables_names", 6: "/proc/net/ip6_tables_names"}
_NFT_FAMILIES = {4: "ip", 6: "ip6"}


@dataclass
class Look:
    """What has to be read."""

    backends: set[str] = field(default_factory=set)  # what the task needs: auto, nftables, iptables
    tables: set[str] = field(default_factory=set)  # of iptables, where our rules may stand; empty is nothing at all
    gates: bool = False  # whether others drop what we let pass

    def add_everything(self) -> None:
        """All that may carry our comment, wherever it is."""
        self.tables.update(_iptables.TABLES)
        self.gates = True


def read(home: int, look: Look) -> Firewall:
    """The firewall, as far as `look` asks. `home` is a descriptor of the namespace that this thread is in.

    Entries are read in every backend that is there; `auto` prefers nftables where it works, or would be new. A program
    that is missing has written nothing: only the step that needs it asks for it, so that check mode can do without.
    """
    if not look.backends and not look.tables:
        return Firewall()
    entries: dict[Entry, str] = {}
    table = log_table = ""
    intact = True
    nftables = _programs.find("nft") is not None
    if nftables:
        try:
            table = _listing(_nft.TABLE)
            log_table = _listing(_nft_log.TABLE)
        except ProgramError:
            if "nftables" in look.backends:
                raise
            nftables = False
    foreign = bool(table) and not _nft.is_ours(table)
    if foreign:
        table = ""
    elif nftables:
        entries.update(_nft.parse(table).items())
        intact = not table or _nft.rules_only(table) == _rules_as_we_load_them(home)
    foreign_log = bool(log_table) and not _nft.is_ours(log_table)
    if foreign_log:
        log_table = ""
    counters: dict[Entry, tuple[int, int]] = {}
    for log, (comment, counts) in _nft_log.parse(log_table).items():
        entries[log], counters[log] = comment, counts
    found = _Iptables(nftables)
    places: dict[Rule, int] = {}
    for program, name, saved in found.saved(look):
        for seen in _iptables.parse(program, name, saved):
            entries[seen.rule] = seen.comment
            places[seen.rule] = seen.place
            counters[seen.rule] = (seen.packets, seen.bytes)
    gates = found.gates() if look.gates else None
    zones = found.zones() if look.gates else None
    obstacles = found.obstacles(gates, zones) if gates is not None else ()
    preferred = "nftables" if nftables or _programs.find("iptables") is None else "iptables"
    return Firewall(
        entries, table, intact, foreign, foreign_log, preferred, gates, obstacles, zones, places, counters, log_table
    )


def _listing(table: str) -> str:
    try:
        return _programs.run(["nft", "list", "table", *table.split()])
    except ProgramError as error:
        if "No such file or directory" in str(error):
            return ""
        raise


def _rules_as_we_load_them(home: int) -> str:
    """Our rules as this nft prints them: loaded into a nameless namespace, because versions print differently."""
    with _namespaces.scratch(home):
        _programs.nft(_nft.SKELETON)
        return _nft.rules_only(_listing(_nft.TABLE))


def _variant(program: str) -> str:
    """Whether a program of iptables stands on nftables, or on the kernel's older tables."""
    path = _programs.find(program)
    return "nft" if path is not None and "nft" in os.path.basename(os.path.realpath(path)) else "legacy"


class _Iptables:
    """What both variants of iptables have; the one that is not called plainly `iptables` matters for gates only."""

    def __init__(self, nftables: bool) -> None:
        self._nftables = nftables
        self._saved: dict[str, str] = {}  # program -> its table filter
        self._chains: list[dict[str, Any]] | None = None

    def saved(self, look: Look) -> Iterable[tuple[str, str, str]]:
        """(program, table, `-S -v`) of all tables that are to be looked at."""
        for family, plain in _iptables.PROGRAMS.items():
            own = _variant(plain)
            others = [variant for variant in _iptables.VARIANTS if variant != own]
            for program, variant in [(plain, own), *((f"{plain}-{variant}", variant) for variant in others)]:
                names = look.tables if program == plain else {"filter"} if look.gates else set()
                for name in sorted(names):
                    if _programs.find(program) is not None and self._is_there(family, variant, name):
                        saved = _programs.run([program, "-w", "-t", name, "-S", "-v"])
                        if name == "filter":
                            self._saved[program] = saved
                        yield program, name, saved

    def _is_there(self, family: int, variant: str, table: str) -> bool:
        """iptables-legacy makes a table by merely looking at it: ask the kernel first."""
        if variant == "nft":
            return not self._nftables or any(
                (chain["family"], chain["table"]) == (_NFT_FAMILIES[family], table) for chain in self._nft_chains()
            )
        try:
            with open(_LEGACY_TABLES[family], encoding="ascii") as handle:
                return table in handle.read().split()
        except FileNotFoundError:
            return False

    def _nft_chains(self) -> list[dict[str, Any]]:
        """The chains of all tables of nftables."""
        if self._chains is None:
            listed = json.loads(_programs.run(["nft", "-j", "list", "chains"]))["nftables"]
            self._chains = [one["chain"] for one in listed if "chain" in one]
        return self._chains

    def gates(self) -> tuple[Rule, ...]:
        """The rules that must stand in chains of others, for what we let pass to get through."""
        found = [_iptables.needed_gate(program, saved) for program, saved in self._saved.items()]
        return tuple(gate for gate in found if gate is not None)

    def _is_managed(self) -> bool:
        """Whether the rules of firewalld stand, in one backend or the other."""
        saved = (line for text in self._saved.values() for line in text.splitlines())
        return any(line in _firewalld.CHAINS for line in saved) or (
            self._nftables and any(chain["table"] == _firewalld.TABLE for chain in self._nft_chains())
        )

    def zones(self) -> Bindings | None:
        """Which interface is bound to which zone of firewalld; None where it does not run."""
        if not self._is_managed():
            return None
        try:
            active = _firewalld.active(_programs.run(_firewalld.ACTIVE))
        except (ProgramError, BridgenetError):
            return None  # its rules outlived it
        files: dict[str, str] = {}
        for directory in _firewalld.FILES:
            files.update({name[:-4]: text for name, text in _files.inside(directory).items() if name.endswith(".xml")})
        return {**active, **_firewalld.permanent(files)}

    def obstacles(self, gates: tuple[Rule, ...], zones: Bindings | None) -> tuple[str, ...]:
        """Chains that may drop what we let pass, and that only a person can change."""
        found = []
        if zones is None and self._is_managed():
            found.append(
                "firewalld's rules stand and reject forwarded packets, but it does not answer, so that no bridge can "
                "join its trusted zone; start it, or remove what it left: `nft delete table inet firewalld`"
            )
        if not self._nftables:
            return tuple(found)
        opened = {
            _NFT_FAMILIES[family]
            for family, plain in _iptables.PROGRAMS.items()
            if any(gate.program in (plain, f"{plain}-nft") and _variant(gate.program) == "nft" for gate in gates)
        }
        for chain in self._nft_chains():
            family, table, name = chain["family"], chain["table"], chain["name"]
            if chain.get("hook") == "forward" and chain.get("policy") == "drop" and family in ("ip", "ip6", "inet"):
                if (table, name) == ("filter", "FORWARD") and family in opened:
                    continue
                rule = f"nft insert rule {family} {table} {name} meta mark and {_nft.MARK} == {_nft.MARK} accept"
                found.append(
                    f"the nftables chain {name!r} of table {family} {table} drops forwarded packets, also those that "
                    f"forward accepts; let them pass there: `{rule}`"
                )
        return tuple(found)
