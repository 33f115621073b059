# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's firewall as it stands: our entries in nftables and iptables, and what of others is in their way."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Callable

from . import _files, _firewalld, _iptables, _namespaces, _nft, _nft_log, _programs
from ._decode import ChainRow
from ._errors import BridgenetError
from ._model import Bindings, Entry, Firewall, Rule
from ._netlink import NETLINK_NETFILTER, Socket
from ._programs import ProgramError, Running

_LEGACY_TABLES = {4: "/proc/net/ip_tables_names", 6: "/proc/net/ip6_tables_names"}
_NFT_FAMILIES = {4: "ip", 6: "ip6"}
_VERSION = ["nft", "--version"]
_SILENT = (
    "firewalld's rules stand and reject forwarded packets, but it does not answer, so that no bridge can join its "
    "trusted zone; start it, or remove what it left: `nft delete table inet firewalld`"
)

Saved = tuple[str, str, Running]  # a program of iptables, a table, and its `-S -v`


@dataclass
class Look:
    """What has to be read."""

    backends: set[str] = field(default_factory=set)  # what the task needs: auto, nftables, iptables
    tables: set[str] = field(default_factory=set)  # of iptables, where our rules may stand; empty is nothing at all
    gates: bool = False  # whether others drop what we let pass
    ports: bool = False  # whether ports are published, for containers that may lose them

    def add_everything(self) -> None:
        """All that may carry our comment, wherever it is."""
        self.tables.update(_iptables.TABLES)
        self.gates = True


@dataclass(frozen=True)
class _Nftables:
    """What there is of nftables, whosever it is."""

    tables: set[tuple[str, str]]  # family, name
    chains: list[ChainRow]


@contextmanager
def reading(home: int, look: Look) -> Iterator[Callable[[], Firewall]]:
    """Start what tells the firewall as far as `look` asks; the function that it gives collects the outcome.

    So the programs run while the rest of the host is read. `home` is a descriptor of the namespace that this thread
    is in. Entries are read in every backend that is there; `auto` prefers nftables where it works, or would be new. A
    program that is missing has written nothing: only the step that needs it asks for it, so that check mode can do
    without.
    """
    if not (look.backends or look.tables or look.ports):
        yield Firewall
        return
    with ExitStack() as started:
        nftables = _nftables(look)
        there = nftables.tables if nftables else ()
        listings = {
            table: started.enter_context(Running(["nft", "list", "table", *table.split()]))
            for table in (_nft.TABLE, _nft_log.TABLE)
            if tuple(table.split()) in there
        }
        version = None if not nftables or listings.get(_nft.TABLE) else started.enter_context(Running(_VERSION))
        saved = [
            (program, name, started.enter_context(Running([program, "-w", "-t", name, "-S", "-v"])))
            for program, name in _tables_of_iptables(look, nftables)
        ]
        active = _asked_of_firewalld(started) if look.gates else None
        yield lambda: _collected(home, look, nftables, listings, version, saved, active)


def _asked_of_firewalld(started: ExitStack) -> Running | None:
    """The question to firewalld, where it may run: also one that runs without its rules."""
    there = os.path.isdir(_firewalld.DIRECTORY) and os.path.exists(_firewalld.BUS)
    if not there or _programs.find(_firewalld.ACTIVE[0]) is None:
        return None
    return started.enter_context(Running(_firewalld.ACTIVE))


def _nftables(look: Look) -> _Nftables | None:
    """None where nftables cannot be used."""
    if _programs.find("nft") is None:
        return None
    try:
        with closing(Socket(NETLINK_NETFILTER)) as asker:
            return _Nftables(asker.nft_tables(), asker.nft_chains())
    except OSError as error:
        if "nftables" not in look.backends:
            return None
        raise BridgenetError(
            f"this kernel has no nftables ({error.strerror}); install one with the module nf_tables, or say "
            "backend: iptables where there is that choice"
        ) from error


def _collected(
    home: int,
    look: Look,
    nftables: _Nftables | None,
    listings: Mapping[str, Running],
    version: Running | None,
    saved: Sequence[Saved],
    active: Running | None,
) -> Firewall:
    entries: dict[Entry, str] = {}
    counters: dict[Entry, tuple[int, int]] = {}
    table, foreign = _listed(listings.get(_nft.TABLE))
    ports = _publishes(table, version)
    intact = (
        not table or _nft.is_as_written(table, ports) or _nft.rules_only(table) == _rules_as_we_load_them(home, ports)
    )
    entries.update(_nft.parse(table).items())
    log_table, foreign_log = _listed(listings.get(_nft_log.TABLE))
    for log, (comment, counts) in _nft_log.parse(log_table).items():
        entries[log], counters[log] = comment, counts
    places: dict[Rule, int] = {}
    filters: dict[str, str] = {}  # program -> what it says of its table filter
    for program, name, running in saved:
        said = running.result()
        if name == "filter":
            filters[program] = said
        for seen in _iptables.parse(program, name, said):
            entries[seen.rule] = seen.comment
            places[seen.rule] = seen.place
            counters[seen.rule] = (seen.packets, seen.bytes)
    chains = nftables.chains if nftables else ()
    managed = look.gates and _is_managed(chains, filters)
    # Where somebody flushed its rules, it still knows what it binds when it reloads.
    zones = _zones(active, managed) if active else None
    gates = _gates(filters, managed and zones is not None) if look.gates else None
    docker = any(map(_iptables.has_docker, filters.values()))
    obstacles: tuple[str, ...] = ()
    if gates is not None:
        trusting = _firewalld_in_iptables(filters) if zones is not None else set()
        obstacles = (*([_SILENT] if managed and zones is None else []), *_obstacles(chains, gates, trusting))
    preferred = "nftables" if nftables or _programs.find("iptables") is None else "iptables"
    direct = _firewalld.direct(_files.read(_firewalld.DIRECT))
    concerned = "iptables" in (preferred if one == "auto" else one for one in look.backends)
    concerned |= any(isinstance(one, Rule) and not _iptables.is_gate(one) for one in (*entries, *direct))
    return Firewall(
        entries=entries,
        table=table,
        intact=intact,
        foreign=foreign,
        foreign_log=foreign_log,
        preferred=preferred,
        gates=gates,
        obstacles=obstacles,
        zones=zones,
        filtering=managed,
        direct=direct,
        reloads=concerned and _reloads(zones),
        docker=docker,
        ports=ports,
        places=places,
        counters=counters,
        log_table=log_table,
    )


def _listed(running: Running | None) -> tuple[str, bool]:
    """The listing of our table, "" where there is none; and whether somebody else has one of that name."""
    try:
        listing = running.result() if running else ""
    except ProgramError as error:
        if "No such file or directory" not in str(error):
            raise
        listing = ""  # gone meanwhile
    return (listing, False) if not listing or _nft.is_ours(listing) else ("", True)


def _publishes(table: str, version: Running | None) -> bool:
    """Whether the nft of this host can publish ports; what stands as it loads the whole table needs no question."""
    if version is not None:
        return _nft.publishes(version.result())
    return not table or _nft.is_as_written(table, ports=True) or _nft.publishes(_programs.run(_VERSION))


def _rules_as_we_load_them(home: int, ports: bool) -> str:
    """Our rules as this nft prints them: loaded into a nameless namespace, because versions print differently."""
    with _namespaces.scratch(home):
        _programs.nft(_nft.skeleton(ports))
        return _nft.rules_only(_programs.run(["nft", "list", "table", *_nft.TABLE.split()]))


def _variant(program: str) -> str:
    """Whether a program of iptables stands on nftables, or on the kernel's older tables."""
    path = _programs.find(program)
    return "nft" if path is not None and "nft" in os.path.basename(os.path.realpath(path)) else "legacy"


def _tables_of_iptables(look: Look, nftables: _Nftables | None) -> Iterator[tuple[str, str]]:
    """(program, table) that are to be looked at, of both variants of iptables.

    The one that is not called plainly `iptables` matters for gates only.
    """
    for family, plain in _iptables.PROGRAMS.items():
        own = _variant(plain)
        others = [variant for variant in _iptables.VARIANTS if variant != own]
        for program, variant in [(plain, own), *((f"{plain}-{variant}", variant) for variant in others)]:
            names = look.tables if program == plain else {"filter"} if look.gates else set()
            for name in sorted(names):
                if _programs.find(program) is not None and _is_there(nftables, family, variant, name):
                    yield program, name


def _is_there(nftables: _Nftables | None, family: int, variant: str, table: str) -> bool:
    """iptables-legacy makes a table by merely looking at it: ask the kernel first."""
    if variant == "nft":
        place = (_NFT_FAMILIES[family], table)
        return nftables is None or any((chain.family, chain.table) == place for chain in nftables.chains)
    try:
        with open(_LEGACY_TABLES[family], encoding="utf-8") as handle:  # "ascii" would be imported first
            return table in handle.read().split()
    except FileNotFoundError:
        return False


def _gates(filters: Mapping[str, str], firewalld: bool) -> tuple[Rule, ...]:
    """The rules that must stand in chains of others, for what we let pass to get through."""
    found = [_iptables.needed_gate(program, said, firewalld) for program, said in filters.items()]
    return tuple(gate for gate in found if gate is not None)


def _is_managed(chains: Iterable[ChainRow], filters: Mapping[str, str]) -> bool:
    """Whether the rules of firewalld stand, in one backend or the other."""
    return bool(_firewalld_in_iptables(filters)) or any(chain.table == _firewalld.TABLE for chain in chains)


def _firewalld_in_iptables(filters: Mapping[str, str]) -> set[str]:
    """The programs of iptables by which firewalld wrote its rules."""
    return {program for program, said in filters.items() if not set(said.splitlines()).isdisjoint(_firewalld.CHAINS)}


def _zones(active: Running, now: bool) -> Bindings | None:
    """Which interface is bound to which zone of firewalld, permanently and now; None where it does not run."""
    try:
        answer = _firewalld.active(active.result())
    except ProgramError:
        return None  # its rules may have outlived it
    files: dict[str, str] = {}
    for directory in _firewalld.FILES:
        files.update({name[:-4]: text for name, text in _files.inside(directory).items() if name.endswith(".xml")})
    return {**(answer if now else {}), **_firewalld.permanent(files)}


def _reloads(zones: Bindings | None) -> bool:
    """Whether firewalld runs, and flushes what others have in iptables when it reloads."""
    if not _firewalld.flushes(_files.read(_firewalld.CONFIGURATION)):
        return False
    with ExitStack() as started:
        active = None if zones is not None else _asked_of_firewalld(started)
        return zones is not None or (active is not None and _zones(active, False) is not None)


def _obstacles(chains: Sequence[ChainRow], gates: Iterable[Rule], trusting: Iterable[str]) -> tuple[str, ...]:
    """Chains that may drop what we let pass, and that only a person can change."""
    opening = {*(gate.program for gate in gates), *trusting}
    opened = {
        _NFT_FAMILIES[family]
        for family, plain in _iptables.PROGRAMS.items()
        if any(program in (plain, f"{plain}-nft") and _variant(program) == "nft" for program in opening)
    }
    found = []
    for chain in chains:
        family, table, name = chain.family, chain.table, chain.name
        if chain.at_forward and chain.drops and family in ("ip", "ip6", "inet"):
            if (table, name) == ("filter", "FORWARD") and family in opened:
                continue
            rule = f"nft insert rule {family} {table} {name} meta mark and {_nft.MARK} == {_nft.MARK} accept"
            found.append(
                f"the nftables chain {name!r} of table {family} {table} drops forwarded packets, also those that "
                f"forward accepts; let them pass there: `{rule}`"
            )
    return tuple(found)
