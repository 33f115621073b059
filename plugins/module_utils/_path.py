# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of one packet through a host: from captured frames to hops, to what became of it, to a drawing. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from . import _packets
from ._capture import Frame
from ._hooks import Passage
from ._model import place
from ._packets import ACK, RST, SYN, Packet
from ._probe import ERROR, REPLY, REQUEST, Probe, Recogniser

Place = tuple[str, str]  # namespace, interface


@dataclass(frozen=True)
class Hop:
    """One of our packets at one interface."""

    what: str  # REQUEST, REPLY or ERROR
    frame: Frame
    packet: Packet
    translated: str  # what a NAT has changed since the hop before, as words

    @property
    def where(self) -> str:
        """The interface, as a message names it."""
        return f"{self.frame.interface} in {place(self.frame.namespace)}"


@dataclass(frozen=True)
class Outcome:
    """What became of the request."""

    arrived: bool  # at an interface of a namespace that has its destination address
    answered: bool
    answer: str  # what kind of answer, or which error of ICMP; "" for none
    ended: str  # a sentence


def hops(frames: Iterable[Frame], probe: Probe, bridges: Container[Place] = ()) -> list[Hop]:
    """Our packets among frames that are in the order of time."""
    recogniser = Recogniser(probe)
    last: dict[str, Packet] = {}
    found = []
    for frame in _in_order(frames, bridges):
        packet = _packets.parse_frame(frame.data, frame.ethernet)
        what = recogniser.tell(packet) if packet else ""
        if packet is None or not what:
            continue
        found.append(Hop(what, frame, packet, _translated(last.get(what), packet)))
        last[what] = packet
    return found


def _in_order(frames: Iterable[Frame], bridges: Container[Place]) -> list[Frame]:
    """A bridge gets its copy of a frame after the frame has gone on (br_handle_frame_finish, net/bridge/br_input.c);
    it stands behind the port by which the frame came in."""
    came: dict[tuple[str, bytes], int] = {}
    found = []
    for frame in frames:
        key = (frame.namespace, frame.data)
        if not frame.outgoing and (frame.namespace, frame.interface) not in bridges:
            came[key] = frame.time
        elif not frame.outgoing:
            frame = dataclasses.replace(frame, time=came.get(key, frame.time))
        found.append(frame)
    return sorted(found, key=lambda frame: frame.time)


def _end(address: str, port: int) -> str:
    if not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def source(packet: Packet) -> str:
    """Address and port."""
    return _end(packet.source, packet.source_port)


def destination(packet: Packet) -> str:
    """Address and port."""
    return _end(packet.destination, packet.destination_port)


def _translated(before: Packet | None, after: Packet) -> str:
    if before is None:
        return ""
    changed = []
    for name, end in (("source", source), ("destination", destination)):
        if end(before) != end(after):
            changed.append(f"{name} was {end(before)}")
    return ", ".join(changed)


def answer(packet: Packet) -> str:
    """What kind of answer a packet is."""
    if packet.is_error:
        return packet.reason
    if packet.protocol == _packets.TCP:
        names = ((SYN, "SYN"), (RST, "RST"), (ACK, "ACK"))
        return "-".join(name for flag, name in names if packet.kind & flag)
    return "UDP" if packet.protocol == _packets.UDP else "echo reply"


def is_end(what: str, outgoing: bool, namespace: str, origin: str) -> bool:
    """Whether an answer has come back to where the request was sent."""
    return what in (REPLY, ERROR) and not outgoing and namespace == origin


def outcome(
    path: Sequence[Hop],
    origin: str,
    addresses: Mapping[str, Collection[str]],
    passages: Sequence[Passage],
    refused: str,
    timeout: float,
) -> Outcome:
    """What became of it. `addresses` are those of each namespace, `refused` is why it could not be sent."""
    home = place(origin)
    requests = [hop for hop in path if hop.what == REQUEST]
    arrived = any(
        not hop.frame.outgoing and hop.packet.destination in addresses.get(hop.frame.namespace, ()) for hop in requests
    )
    dropped = [one for one in passages if one.dropped]
    by_rule = "".join(
        f"; a rule of {place(one.namespace)} dropped the {one.what} at the hook {one.hook}" for one in dropped
    )
    if refused:
        return Outcome(False, False, "", f"{home} did not send it: {refused}{by_rule}")
    back = [hop for hop in path if is_end(hop.what, hop.frame.outgoing, hop.frame.namespace, origin)]
    if back:
        took = (back[-1].frame.time - path[0].frame.time) / 1000
        kind = answer(back[-1].packet)
        if any(one.namespace == origin and one.what == REPLY for one in dropped):
            return Outcome(True, False, kind, f"the answer came back to {home}{by_rule}")
        if back[-1].what == REPLY:
            ended = f"answered by {back[-1].packet.source} with {kind} after {took:.0f} µs"
            return Outcome(True, True, kind, ended)
        ended = f"refused by {back[-1].packet.source} with ICMP {kind} after {took:.0f} µs"
        return Outcome(arrived, False, kind, ended)
    within = f"within {timeout:g} s"
    if not path:
        passed = any(one.namespace == origin and one.hook == "postrouting" for one in passages)
        why = "no neighbour answers" if passed else "no route, no neighbour that answers, or a rule that drops it"
        return Outcome(False, False, "", f"it left {home} by no interface {within}: {by_rule[2:] or why}")
    last = path[-1]
    if last.what != REQUEST:
        seen = f"{'left' if last.frame.outgoing else 'came in'} by {last.where}"
        ended = f"the {last.what} {seen}, and did not come back to {home} {within}{by_rule}"
        return Outcome(arrived, False, answer(last.packet), ended)
    # Where the bridge floods, the last hop may be a copy in the namespace of somebody else.
    to = requests[-1].packet.destination
    came = [hop for hop in requests if hop.packet.destination == to and not hop.frame.outgoing]
    last = next((hop for hop in reversed(came) if to in addresses.get(hop.frame.namespace, ())), requests[-1])
    if last.frame.outgoing:
        ended = f"it left by {last.where} for {last.packet.destination}, and was seen nowhere behind that {within}"
    elif arrived and last.packet.destination in addresses.get(last.frame.namespace, ()):
        ended = f"it arrived by {last.where}, which did not answer {within}{by_rule}"
    else:
        why = "no forwarding there, no route or neighbour, or a rule that drops it"
        ended = f"it came in by {last.where}, and did not leave again {within}: {by_rule[2:] or why}"
    return Outcome(arrived, False, "", ended)


def drawing(path: Sequence[Hop], passages: Sequence[Passage], probe: Probe, origin: str, result: Outcome) -> str:
    """The way as text."""
    target = _end(probe.target, probe.port)
    lines = [f"{probe.protocol} from {_name(origin)} to {target}: {result.ended}"]
    rows = [
        (
            f"{(hop.frame.time - path[0].frame.time) / 1000:.0f} µs",
            _name(hop.frame.namespace),
            hop.frame.interface,
            "out" if hop.frame.outgoing else "in",
            f"{source(hop.packet)} > {destination(hop.packet)}",
            f"{hop.packet.source_mac} > {hop.packet.destination_mac}" if hop.packet.source_mac else "",
            hop.translated,
        )
        for hop in path
    ]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for number, (hop, row) in enumerate(zip(path, rows)):
        if number == 0 or path[number - 1].what != hop.what:
            lines += ["", hop.what if hop.what == REQUEST else f"{hop.what}: {answer(hop.packet)}"]
        cells = [row[0].rjust(widths[0]), *(cell.ljust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append("  " + "  ".join(cells).rstrip())
    if passages:
        lines += ["", "hooks", *_hook_lines(passages)]
    return "\n".join(lines)


def _hook_lines(passages: Sequence[Passage]) -> list[str]:
    by_place: dict[tuple[str, str], list[str]] = {}
    for one in passages:
        times = f" {one.entered} times" if one.entered > 1 else ""
        words = by_place.setdefault((_name(one.namespace), one.what), [])
        words.append(f"{one.hook}{times}{' (dropped)' if one.dropped else ''}")
    names = max(len(name) for name, _what in by_place)
    kinds = max(len(what) for _name, what in by_place)
    return [
        f"  {name.ljust(names)}  {what.ljust(kinds)}  {', '.join(words)}" for (name, what), words in by_place.items()
    ]


def _name(namespace: str) -> str:
    return namespace or "the host"
