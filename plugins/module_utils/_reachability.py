# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module reachability: who reaches whom, and whether that is as it should be. It changes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from . import _names, _namespaces
from ._arrivals import Arrival
from ._errors import BridgenetError
from ._kernel import Kernel
from ._model import HOST, place
from ._pings import Answer, Ping, ask

_WIDEST = 12  # columns of a drawn matrix
_WIDEST_NAMED = 24  # the same where cells are one word; what is more goes into another one below
_WORDS = {True: "yes", False: "no", None: "-"}

_HOW: dict[str, Any] = {
    "protocol": {"type": "str", "choices": ["icmp", "tcp", "udp"], "default": "icmp"},
    "port": {"type": "int"},
    "expected": {"type": "bool", "default": True},
}


@dataclass(frozen=True)
class Pair:
    """A question, and the answer that is expected."""

    ping: Ping
    expected: bool
    title: str
    name: str = ""  # of what is asked

    @property
    def column(self) -> str:
        """What is asked, for the head of a table."""
        if self.name:
            return self.name
        ping = self.ping
        return f"{ping.target} {ping.protocol}/{ping.port}" if ping.port else ping.target


def reachability_module() -> None:
    """The whole of the module `reachability`."""
    module = AnsibleModule(
        argument_spec={
            "from": {"type": "list", "elements": "str"},
            "to": {"type": "list", "elements": "str"},
            **_HOW,
            "matrix": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "from": {"type": "str", "default": ""},
                    "to": {"type": "str", "required": True},
                    **_HOW,
                    "name": {"type": "str"},
                    "title": {"type": "str"},
                    "listen": {
                        "type": "dict",
                        "options": {
                            "namespace": {"type": "str", "required": True},
                            "address": {"type": "str", "required": True},
                            "port": {"type": "int", "required": True},
                        },
                    },
                },
            },
            "timeout": {"type": "float", "default": 1},
            "unexpected_timeout": {"type": "float"},
            "assert": {"type": "bool", "default": True},
        },
        required_together=[("from", "to")],
        required_one_of=[("to", "matrix")],
        supports_check_mode=False,
    )
    try:
        pairs = declare(module.params)
        answers = answered(pairs, module.params["timeout"], module.params["unexpected_timeout"])
    except (BridgenetError, OSError) as error:
        module.fail_json(msg=str(error))
        raise  # fail_json does not return
    result = report(pairs, answers)
    wrong = [one["said"] for one in result["pairs"] if not one["as_expected"]]
    if wrong and module.params["assert"]:
        module.fail_json(msg=f"not as expected: {'; '.join(wrong)}", **result)
    module.exit_json(changed=False, **result)


def declare(params: Mapping[str, Any]) -> list[Pair]:
    """From the options: each of `from` to each of `to`, and those of the matrix."""
    asked = [{**params, "from": source, "to": target} for source in params["from"] or () for target in params["to"]]
    asked += params["matrix"] or ()
    for name in ("timeout", "unexpected_timeout"):
        value = params.get(name)
        if value is not None and not 0 < value <= 3600:
            raise BridgenetError(f"{name} {value:g} is out of range: more than 0 and up to 3600 seconds are possible")
    return [_pair(options) for options in asked]


def _pair(options: Mapping[str, Any]) -> Pair:
    source, protocol, listen = options["from"], options["protocol"], options.get("listen")
    target = _names.asked(options["to"])
    where = f"from {source!r} to {target}"
    port = _port(where, protocol, options.get("port"))
    if protocol == "udp" and not listen:
        raise BridgenetError(f"{where}: of UDP nobody knows what answers; say listen, or protocol: tcp")
    arrival = _arrival(where, protocol, listen) if listen else None
    ping = Ping(_names.namespace(source) if source else HOST, target, port, protocol, arrival)
    name = options.get("name") or ""
    title = options.get("title") or f"{source or 'the host'} to {name or (f'{target} port {port}' if port else target)}"
    return Pair(ping, options["expected"], title, name)


def _port(where: str, protocol: str, port: int | None) -> int:
    """The one that is asked; 0 is none."""
    if protocol == "icmp":
        if port is not None:
            raise BridgenetError(f"{where}: ICMP has no ports; drop port, or say protocol: tcp")
        return 0
    if port is None:
        raise BridgenetError(f"{where}: {protocol.upper()} needs a port; say port, or protocol: icmp")
    return _in_range(port)


def _in_range(port: int) -> int:
    if not 1 <= port <= _names.PORT_MAX:
        raise BridgenetError(f"port {port} is out of range: 1 to {_names.PORT_MAX} are possible")
    return port


def _arrival(where: str, protocol: str, listen: Mapping[str, Any]) -> Arrival:
    if protocol == "icmp":
        raise BridgenetError(f"{where}: listen is for ports, which ICMP does not have; drop it, or say protocol: tcp")
    address = _names.asked(listen["address"])
    return Arrival(_names.namespace(listen["namespace"]), address, _in_range(listen["port"]), protocol)


def answered(pairs: Sequence[Pair], timeout: float, unexpected: float | None = None) -> list[Answer]:
    """Ask all at once. None waits for answers that are not expected as long as for the others."""
    if os.geteuid() != 0:
        raise BridgenetError("namespaces can only be entered by root; use `become: true`")
    published = _namespaces.published()
    places = {pair.ping.source for pair in pairs} | {pair.ping.arrival.namespace for pair in pairs if pair.ping.arrival}
    missing = sorted(places - {HOST, *published})
    if missing:
        raise BridgenetError(
            f"{', '.join(map(place, missing))} does not exist on this host; name one that `ip netns list` shows"
        )
    with Kernel() as kernel:
        brief = timeout if unexpected is None else min(unexpected, timeout)
        limits = [timeout if pair.expected else brief for pair in pairs]
        return ask(kernel, [pair.ping for pair in pairs], limits)


def report(pairs: Sequence[Pair], answers: Sequence[Answer]) -> dict[str, Any]:
    """What is returned. Pure."""
    shown = [_shown(pair, answer) for pair, answer in zip(pairs, answers)]
    return {
        "as_expected": all(one["as_expected"] for one in shown),
        "pairs": shown,
        "drawing": _named_matrix(pairs, answers) or _matrix(pairs, answers) or [one["said"] for one in shown],
    }


def _shown(pair: Pair, answer: Answer) -> dict[str, Any]:
    words = _time(answer) if answer.reached else answer.words
    as_expected = _as_expected(pair, answer)
    if not as_expected:
        words += ", but it is not to be reached" if answer.reached else ", but it is to be reached"
    return {
        "from": pair.ping.source,
        "to": pair.ping.target,
        "protocol": pair.ping.protocol,
        "port": pair.ping.port or None,
        "expected": pair.expected,
        "reached": answer.reached,
        "as_expected": as_expected,
        "answer": answer.words,
        "milliseconds": round(answer.seconds * 1000, 3) if answer.reached else None,
        "said": f"{pair.title}: {words}",
    }


def _as_expected(pair: Pair, answer: Answer) -> bool:
    return answer.reached in (None, pair.expected)


def _time(answer: Answer) -> str:
    return f"{answer.seconds * 1000:.3f} ms"


def _matrix(pairs: Sequence[Pair], answers: Sequence[Answer]) -> list[str]:
    """A table of who reaches whom; none where not everybody is asked by everybody."""
    rows = list(dict.fromkeys(pair.ping.source for pair in pairs))
    columns = list(dict.fromkeys(pair.column for pair in pairs))
    cells = {
        (pair.ping.source, pair.column): (_time(answer) if answer.reached else _WORDS[answer.reached])
        + ("" if _as_expected(pair, answer) else " !")
        for pair, answer in zip(pairs, answers)
    }
    if not pairs or len(columns) > _WIDEST or len(cells) < len(rows) * len(columns):
        return []
    return _drawn(rows, columns, cells)


def _named_matrix(pairs: Sequence[Pair], answers: Sequence[Answer]) -> list[str]:
    """The same where each address has a name: one cell for all addresses of a name, and "-" for what nobody asks."""
    rows = list(dict.fromkeys(pair.ping.source for pair in pairs))
    if not pairs or not all(pair.name for pair in pairs):
        return []
    found: dict[tuple[str, str], list[tuple[bool, bool]]] = {}
    for pair, answer in zip(pairs, answers):
        if answer.reached is not None:
            cell = found.setdefault((pair.ping.source, pair.name), [])
            cell.append((answer.reached, _as_expected(pair, answer)))
    columns = _columns(rows, pairs)
    cells = {}
    for row in rows:
        for column in columns:
            seen = found.get((row, column), [])
            reached = {one for one, _right in seen}
            words = "-" if not seen else "partly" if len(reached) > 1 else _WORDS[True in reached]
            cells[row, column] = words if all(right for _one, right in seen) else f"{words} !"
    lines: list[str] = []
    for start in range(0, len(columns), _WIDEST_NAMED):
        lines += [*([""] if lines else []), *_drawn(rows, columns[start : start + _WIDEST_NAMED], cells)]
    return lines


def _columns(rows: Sequence[str], pairs: Sequence[Pair]) -> list[str]:
    """What is asked, in the order of those who ask, between what is none of them and what has ports only."""
    pinged = {pair.name for pair in pairs if not pair.ping.port}
    places = {name: place for place, name in enumerate(rows)}
    names = dict.fromkeys(pair.name for pair in pairs)
    return sorted(names, key=lambda name: places.get(name, -1 if name in pinged else len(rows)))


def _drawn(rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], str]) -> list[str]:
    lines = [["from", *columns]]
    lines += [[row or "the host", *(cells[row, column] for column in columns)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
