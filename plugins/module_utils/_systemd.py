# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's side of a run: which units of ours there are, what state they are in, starting and stopping them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from . import _programs, _unit
from ._errors import BridgenetError

_SETTLE = 1.0  # a process that lives so long after its start is taken to stay
_PAUSE = 0.05  # systemd tells of the end of a process only those who watch its bus
_JOURNAL_LINES = 10


@dataclass(frozen=True)
class State:
    """A unit as systemd has it; `pid` is 0 where no process runs."""

    word: str
    pid: int

    @property
    def active(self) -> bool:
        """Whether it runs."""
        return self.word == "active"


STOPPED = State("inactive", 0)


def _systemctl(*words: str) -> str:
    return _programs.run(["systemctl", *words])


def is_there() -> bool:
    """Whether this host is run by systemd (sd_booted(3))."""
    return os.path.isdir("/run/systemd/system")


def installed() -> list[str]:
    """The services of which there is a unit file with our kind of name."""
    prefix, suffix = _unit.name("\0").split("\0")
    try:
        names = sorted(os.listdir(_unit.DIRECTORY))
    except FileNotFoundError:
        return []
    return [name[len(prefix) : -len(suffix)] for name in names if name.startswith(prefix) and name.endswith(suffix)]


def states(services: Sequence[str]) -> dict[str, State]:
    """The state of each service, also of one that systemd has never heard of."""
    if not services:
        return {}
    output = _systemctl("show", "--property=Id,ActiveState,MainPID", "--", _unit.name("*"))  # those that are loaded
    known = {}
    for block in filter(None, output.strip().split("\n\n")):
        values = dict(line.split("=", 1) for line in block.splitlines())
        known[values["Id"]] = State(values["ActiveState"], int(values["MainPID"]))
    return {service: known.get(_unit.name(service), STOPPED) for service in services}


def link(unit: str) -> str:
    """What `systemctl enable` makes of a unit that multi-user.target wants."""
    return f"{_unit.DIRECTORY}/multi-user.target.wants/{unit}"


def wanted(unit: str) -> bool:
    """Whether it is started at boot."""
    return os.path.islink(link(unit))


def enable(unit: str) -> None:
    """Have a unit started at boot."""
    _systemctl("enable", "--quiet", "--", unit)


def disable(unit: str) -> None:
    """Have a unit not started at boot, and taken for stopped."""
    _systemctl("disable", "--quiet", "--now", "--", unit)


def reload() -> None:
    """Have systemd read its unit files."""
    _systemctl("daemon-reload")


def stop(services: Sequence[str]) -> None:
    """Stop services, wait until they have ended, and have systemd forget how.

    One that is inactive is left alone: systemd refuses to stop it where it cannot read its file.
    """
    stopping = [_unit.name(service) for service, state in states(services).items() if state != STOPPED]
    if not stopping:
        return
    _systemctl("stop", "--", *stopping)
    failed = [_unit.name(service) for service, state in states(services).items() if state.word == "failed"]
    if failed:
        _systemctl("reset-failed", "--", *failed)


def start(services: Sequence[str], again: bool = False) -> None:
    """Start services, and see that they stay; otherwise none of them runs, or `again` all others."""
    began = time.time()
    why = ""
    try:
        try:
            _systemctl("start", "--", *map(_unit.name, services))
        except _programs.ProgramError as error:
            why = str(error)
        down = _not_staying(services, whole=again) if again or not why else _down(services)
    except BaseException:  # somebody interrupts it
        if not again:
            stop(services)
        raise
    if not why and not down:
        return
    try:
        said = [f"service {name!r} does not stay up; its last words: {_last_words(name, began)}" for name in down]
    finally:
        stop(down if again else services)
    raise BridgenetError("; ".join(said) or why)


def _down(services: Sequence[str]) -> list[str]:
    return [service for service, state in states(services).items() if not state.active]


def _not_staying(services: Sequence[str], whole: bool) -> list[str]:
    """Which of the services that have been started end, or begin anew, within the next second: the first, or all."""
    first = states(services)
    end = time.monotonic() + _SETTLE
    found: dict[str, None] = {}
    while True:
        now = states(services)
        found.update(dict.fromkeys(name for name in now if not now[name].active or now[name].pid != first[name].pid))
        if (found and not whole) or time.monotonic() >= end:
            return list(found)
        time.sleep(_PAUSE)


def _journal(service: str, since: float) -> str:
    """What the unit wrote, and what root's processes wrote of it.

    Journald learns the unit of a sender from its cgroup (systemd.journal-fields(7)); of one that cannot start its
    program, and so ends at once, often too late. Its words are not systemd's own either, so `--unit` would miss them.
    """
    _programs.run(["journalctl", "--sync"])
    unit = _unit.name(service)
    which = [f"_SYSTEMD_UNIT={unit}", "+", f"UNIT={unit}", "_UID=0"]
    options = [f"--since=@{since:.6f}", f"--lines={_JOURNAL_LINES}"]
    return _programs.run(["journalctl", "--no-pager", "--quiet", "--output=cat", *options, *which])


def _last_words(service: str, since: float) -> str:
    lines = [line.strip() for line in _journal(service, since).splitlines()]
    return " / ".join(filter(None, lines)) or "none"
