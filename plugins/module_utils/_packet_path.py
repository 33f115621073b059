# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module packet_path: sends one packet, and sees where it goes. It looks, and changes nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from . import _files, _hooks, _names, _namespaces, _packets, _path, _pcap, _probe, _programs
from ._capture import Capture, Frame, wait_for_stamps
from ._errors import BridgenetError
from ._hooks import Passage
from ._kernel import Kernel
from ._model import HOST, place
from ._path import Hop
from ._probe import Probe, Recogniser


@dataclass(frozen=True)
class Question:
    """What is asked for."""

    namespace: str
    probe: Probe
    timeout: float
    namespaces: Sequence[str] | None  # where to look; None is everywhere
    hooks: bool = False
    pcap_directory: str = ""


def packet_path_module() -> None:
    """The whole of the module `packet_path`."""
    module = AnsibleModule(
        argument_spec={
            "namespace": {"type": "str"},
            "to": {"type": "str", "required": True},
            "protocol": {"type": "str", "choices": ["icmp", "tcp", "udp"], "default": "icmp"},
            "port": {"type": "int"},
            "timeout": {"type": "float", "default": 1},
            "namespaces": {"type": "list", "elements": "str"},
            "hooks": {"type": "bool", "default": False},
            "pcap_directory": {"type": "path"},
        },
        required_if=[("protocol", "tcp", ["port"]), ("protocol", "udp", ["port"])],
        supports_check_mode=False,
    )
    try:
        result, warnings = ask(declare(module.params))
    except (BridgenetError, OSError) as error:
        module.fail_json(msg=str(error))
        raise  # fail_json does not return
    for warning in warnings:
        module.warn(warning)
    module.exit_json(changed=False, **result)


def declare(params: Mapping[str, Any]) -> Question:
    """From the options."""
    port, timeout, directory = params.get("port"), params["timeout"], params.get("pcap_directory")
    if port is not None and params["protocol"] == "icmp":
        raise BridgenetError(f"port {port}: ICMP has no ports; drop it, or say protocol: tcp or udp")
    if port is not None and not 1 <= port <= 65535:
        raise BridgenetError(f"port {port} is out of range: 1 to 65535 are possible")
    if not 0 < timeout <= 3600:
        raise BridgenetError(f"timeout {timeout:g} is out of range: more than 0 and up to 3600 seconds are possible")
    if directory and not os.path.isabs(directory):
        raise BridgenetError(f"pcap_directory {directory!r} is not an absolute path; write it from the root")
    wanted = params.get("namespaces")
    return Question(
        namespace=_place(params.get("namespace") or HOST),
        probe=_probe.new(params["protocol"], _names.asked(params["to"]), port or 0),
        timeout=timeout,
        namespaces=[_place(name) for name in wanted] if wanted is not None else None,
        hooks=params.get("hooks", False),
        pcap_directory=directory or "",
    )


def _place(name: str) -> str:
    return _names.namespace(name) if name else HOST


def ask(question: Question) -> tuple[dict[str, Any], list[str]]:
    """Send the packet and follow it; what is returned, and warnings."""
    if os.geteuid() != 0:
        raise BridgenetError("packets can only be captured by root; use `become: true`")
    with Kernel() as kernel:
        places = _places(kernel, question)
        with ExitStack() as stack:
            refused, probe, send = "", question.probe, None
            try:
                with kernel.inside(question.namespace):
                    probe, send = stack.enter_context(_probe.prepared(question.probe))
            except OSError as error:
                refused = error.strerror or str(error)
            table = stack.enter_context(_counted(kernel, places, probe)) if question.hooks and send else ""
            addresses = {}
            bridges: set[_path.Place] = set()
            capture = stack.enter_context(Capture({_packets.PROTOCOLS[probe.protocol], *_packets.ECHO_REQUESTS}))
            for name in places:
                socket = kernel.socket(name)
                inside = {row.name: row.index for row in socket.links() if row.kind == "bridge"}
                bridges.update((name, bridge) for bridge in inside)
                addresses[name] = socket.local_addresses()
                with kernel.inside(name):
                    capture.open(name, inside.values())
            frames: list[Frame] = []
            if send:
                wait_for_stamps(kernel.home)
                try:
                    send()
                except OSError as error:
                    refused = error.strerror or str(error)
                frames = capture.until(0 if refused else question.timeout, _last(probe, question.namespace))
            lost = capture.lost()
            passages = [one for name in places if table for one in _read(kernel, name, table)]
    path = _path.hops(frames, probe, bridges)
    result = _path.outcome(path, question.namespace, addresses, passages, refused, question.timeout)
    files = _keep(path, question.pcap_directory) if question.pcap_directory else []
    warnings = [f"{lost} packets came too fast to be looked at: hops may be missing; limit namespaces"] if lost else []
    return {
        "arrived": result.arrived,
        "answered": result.answered,
        "answer": result.answer,
        "ended": result.ended,
        "hops": [_shown(hop, path[0].frame.time) for hop in path],
        "hooks": [_counts(one) for one in passages],
        "drawing": _path.drawing(path, passages, probe, question.namespace, result).splitlines(),
        "pcap_files": files,
    }, warnings


def _places(kernel: Kernel, question: Question) -> list[str]:
    """The namespaces to look into, the origin first; each of them once, whatever names it has."""
    published = {HOST: _namespaces.inode(kernel.home), **_namespaces.published()}
    asked = [question.namespace, *(published if question.namespaces is None else question.namespaces)]
    missing = sorted({name for name in asked if name not in published})
    if missing:
        raise BridgenetError(
            f"{', '.join(map(place, missing))} does not exist on this host; name one that `ip netns list` shows"
        )
    by_inode: dict[int, str] = {}
    for name in asked:
        by_inode.setdefault(published[name], name)
    return list(by_inode.values())


def _last(probe: Probe, origin: str) -> Any:
    """What tells the frame with which an answer comes back."""
    recogniser = Recogniser(probe)

    def is_last(frame: Frame) -> bool:
        packet = _packets.parse_frame(frame.data, frame.ethernet)
        what = recogniser.tell(packet) if packet else ""
        return _path.is_end(what, frame.outgoing, frame.namespace, origin)

    return is_last


# --- hooks ---


@contextmanager
def _counted(kernel: Kernel, places: Sequence[str], probe: Probe) -> Iterator[str]:
    """A table of counters in every namespace, removed whatever happens; also when the process is told to end."""
    name = f"bridgenet_path_{os.getpid()}_{probe.number:08x}"
    text = _hooks.table(name, probe)
    with ExitStack() as stack:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            stack.callback(signal.signal, number, signal.signal(number, _end))
        for one in places:
            stack.callback(_nft, kernel, one, _hooks.removal(name))
            _nft(kernel, one, text)
        yield name


def _nft(kernel: Kernel, namespace: str, text: str) -> None:
    with kernel.inside(namespace):
        _programs.nft(text)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _read(kernel: Kernel, namespace: str, table: str) -> list[Passage]:
    with kernel.inside(namespace):
        return _hooks.passages(namespace, _programs.nft_counters(table))


# --- what is returned ---


def _shown(hop: Hop, start: int) -> dict[str, Any]:
    packet = hop.packet
    shown: dict[str, Any] = {
        "packet": hop.what,
        "namespace": hop.frame.namespace,
        "interface": hop.frame.interface,
        "direction": "out" if hop.frame.outgoing else "in",
        "source": packet.source,
        "destination": packet.destination,
        "source_mac": packet.source_mac,
        "destination_mac": packet.destination_mac,
        "microseconds": round((hop.frame.time - start) / 1000, 3),
        "translated": hop.translated,
    }
    if packet.source_port:
        shown.update(source_port=packet.source_port, destination_port=packet.destination_port)
    return shown


def _counts(one: Passage) -> dict[str, Any]:
    return {
        "namespace": one.namespace,
        "packet": one.what,
        "hook": one.hook,
        "entered": one.entered,
        "left": one.left,
    }


def _keep(path: Sequence[Hop], directory: str) -> list[str]:
    """A file for every interface, in the order of the path."""
    seen: dict[tuple[str, str], list[Frame]] = {}
    for hop in path:
        seen.setdefault((hop.frame.namespace, hop.frame.interface), []).append(hop.frame)
    files = []
    for number, ((namespace, interface), frames) in enumerate(seen.items(), 1):
        file = f"{directory}/{number:02}-{namespace or 'host'}-{interface}.pcap"
        _files.replace(file, _pcap.content([(one.time, one.data) for one in frames], frames[0].ethernet))
        files.append(file)
    return files
