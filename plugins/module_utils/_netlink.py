# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that talks netlink, and the only one that imports pyroute2.

What is written is encoded by pyroute2's message classes; what is read in bulk goes
through _decode. pyroute2 is imported when the first message is written, because its
import alone takes 0.1 to 0.25 s and a run that finds nothing to do needs none of it.
"""

from __future__ import annotations

import errno
import functools
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from . import _conntrack, _decode, _qdisc
from ._errors import BridgenetError
from ._model import Qdisc, Vlan
from ._templates import HEADERS, Template, shape_of, spans

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC = 36, 37, 38
RTM_NEWNSID, RTM_GETNSID = 88, 90

_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_DUMP, _NLM_F_DUMP_INTR = 1, 4, 0x300, 0x10
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND = 0x100, 0x200, 0x400, 0x800

NETLINK_NETFILTER = 12
_NFT_MSG_GETTABLE, _NFT_MSG_GETCHAIN = (
    10 << 8 | 1,
    10 << 8 | 4,
)  # NFNL_SUBSYS_NFTABLES, linux/netfilter/nfnetlink.h
AF_BRIDGE = 7
_VLAN_PVID, _VLAN_UNTAGGED, _VLAN_RANGE_BEGIN, _VLAN_RANGE_END = 0x2, 0x4, 0x8, 0x10  # BRIDGE_VLAN_INFO_*

_SOL_NETLINK = 270
_NETLINK_CAP_ACK, _NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK = 10, 11, 12
_NLM_F_ACK_TLVS = 0x200
_NLMSGERR_ATTR_MSG = 1
_EXT_MASK_VLANS, _EXT_MASK_SKIP_STATS = 4, 8  # RTEXT_FILTER_BRVLAN_COMPRESSED, RTEXT_FILTER_SKIP_STATS
_IFLA_EXT_MASK = 29
_IFLA_IFNAME = 3

_SEQUENCE = struct.Struct("=I")
_FLAGS = struct.Struct("=6xH")  # of a message's header
_DUMPS = 50  # how often what others change meanwhile is read
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_KIND = struct.Struct("=H")
_ID = struct.Struct("=i")
_GETNSID = functools.partial(
    struct.Struct("=IHHIIB3xHHI").pack, 28, RTM_GETNSID, _NLM_F_REQUEST, 0, 0, 0, 8, 3
)  # rtgenmsg, NETNSA_FD

# Acknowledgements queue up in the socket's buffer while a send runs: a batch stays well below it.
BATCH = 100

OLDEST_PYROUTE2 = (0, 7, 2)


@dataclass(frozen=True)
class Message:
    """One request: `family` names pyroute2's class, `attrs` is its notation of attributes."""

    family: str  # "link", "address", "route", "neighbour", "nsid", "vlan" or "qdisc"
    type: int
    flags: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    attrs: list[tuple[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class NeighbourRow:
    """An entry of a neighbour table or of a forwarding database as one message tells it (linux/neighbour.h)."""

    index: int  # of the link
    state: int
    flags: int
    address: str  # "" where there is none
    mac: str
    vlan: int | None
    vni: int | None
    master: int  # the index of the bridge, 0 for none
    updated: int | None  # ticks since it was last confirmed, or learned


class Refused(OSError):
    """The kernel refused a message: errno, and its own words where it has some."""


def _version(text: str) -> tuple[int, ...]:
    digits = []
    for part in text.split(".")[:3]:
        number = "".join(character for character in part if character.isdigit())
        digits.append(int(number or 0))
    return tuple(digits)


_classes: dict[str, Callable[..., Any]] = {}


def require_pyroute2() -> None:
    """Import pyroute2, or say what to install."""
    if _classes:
        return
    fix = (
        "install it: `apt install python3-pyroute2` (Debian 12 and later), or `pip install pyroute2` for the "
        "Python that Ansible uses on this host; the role nslab.bridgenet.lab_host does it"
    )
    try:
        import importlib.metadata

        import pyroute2
        from pyroute2.netlink import nlmsg
        from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
        from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
        from pyroute2.netlink.rtnl.ndmsg import ndmsg
        from pyroute2.netlink.rtnl.nsidmsg import nsidmsg
        from pyroute2.netlink.rtnl.rtmsg import rtmsg
        from pyroute2.netlink.rtnl.tcmsg import tcmsg
    except ImportError as error:
        raise BridgenetError(f"the Python library pyroute2 is missing on this host ({error}); {fix}") from error
    found = str(getattr(pyroute2, "__version__", ""))
    if not found[:1].isdigit():  # Debian's package says "unknown"
        found = importlib.metadata.version("pyroute2")
    if _version(found) < OLDEST_PYROUTE2:
        raise BridgenetError(f"pyroute2 {found} on this host is too old, 0.7.2 or later is needed; {fix}")
    _classes.update(link=ifinfmsg, address=ifaddrmsg, route=rtmsg, nsid=nsidmsg, neighbour=ndmsg, vlan=ifinfmsg)
    attributes = (("TCA_UNSPEC", "none"), ("TCA_KIND", "asciiz"), ("TCA_OPTIONS", "cdata"))
    _classes["qdisc"] = type("qdiscmsg", (nlmsg,), {"fields": tcmsg.fields, "nla_map": attributes})


def _encode_anew(message: Message) -> bytes:
    encoder = _classes[message.family]()
    encoder.update(message.fields)
    encoder["attrs"] = message.attrs
    header = encoder["header"]
    header["type"] = message.type
    header["flags"] = message.flags | _NLM_F_REQUEST | _NLM_F_ACK
    header["sequence_number"] = 0
    encoder.encode()
    return bytes(encoder.data)


_templates: dict[tuple[Any, ...], Template | None] = {}


def _encode(message: Message, sequence: int) -> bytes:
    """A message on the wire. pyroute2 encodes the first of each shape; those after it differ in values only.

    Encoding anew takes a quarter of the time of an endpoint, filling in a tenth of that.
    """
    if message.family not in HEADERS:
        return _numbered(bytearray(_encode_anew(message)), sequence)
    shape = (message.family, message.type, message.flags, *message.fields.items(), shape_of(message.attrs))
    if shape not in _templates:
        anew = _encode_anew(message)
        made = Template(anew, tuple(spans(anew, 16 + HEADERS[message.family], message.attrs)))
        # Where filling in would not give what pyroute2 gives, pyroute2 does it every time.
        _templates[shape] = made if bytes(made.filled(message.attrs)) == anew else None
    template = _templates[shape]
    return _numbered(template.filled(message.attrs) if template else bytearray(_encode_anew(message)), sequence)


def _numbered(data: bytearray, sequence: int) -> bytes:
    _SEQUENCE.pack_into(data, 8, sequence)
    return bytes(data)


def _outcome(data: bytes, start: int, end: int, flags: int) -> Refused | None:
    """The error of an NLMSG_ERROR payload, None for an acknowledgement."""
    code = struct.unpack_from("=i", data, start)[0]
    if code == 0:
        return None
    words = os.strerror(-code)
    if flags & _NLM_F_ACK_TLVS:
        position = start + 20  # the code, and the header of the request (NETLINK_CAP_ACK)
        while position + 4 <= end:
            length, kind = struct.unpack_from("=HH", data, position)
            if length < 4:
                break
            if kind == _NLMSGERR_ATTR_MSG:
                said = data[position + 4 : position + length].split(b"\0", 1)[0]
                words += f" ({said.decode('utf-8', 'replace')})"
            position += (length + 3) & ~3
    return Refused(-code, words)


def _vlans(infos: Iterable[tuple[int, int]]) -> Iterator[Vlan]:
    """The VLANs of (flags, number), where the ends of a range stand for all of it."""
    first = 0
    for flags, vid in infos:
        if flags & _VLAN_RANGE_BEGIN:
            first = vid
            continue
        for number in range(first if flags & _VLAN_RANGE_END else vid, vid + 1):
            yield Vlan(number, bool(flags & _VLAN_PVID), bool(flags & _VLAN_UNTAGGED))


class Socket:
    """A socket of NETLINK_ROUTE, or of another protocol; it stays in the namespace in which it was made."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._sequence = 0
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_GET_STRICT_CHK, 1)
        self._explained = False  # what is refused

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()

    def send(self, batch: Sequence[Message]) -> list[Refused | None]:
        """Send messages at once; the outcome of each, because the kernel goes on behind a failing one."""
        require_pyroute2()
        if not self._explained:
            for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK):
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
            self._explained = True
        first = self._sequence + 1
        data = b"".join(_encode(message, first + offset) for offset, message in enumerate(batch))
        self._sequence += len(batch)
        self._socket.send(data)
        outcomes: dict[int, Refused | None] = {}
        while len(outcomes) < len(batch):
            answer = self._socket.recv(65536)
            position = 0
            while position + 16 <= len(answer):
                length, kind, flags, sequence, _port = struct.unpack_from("=IHHII", answer, position)
                if kind == _decode.NLMSG_ERROR and sequence >= first:
                    outcomes[sequence - first] = _outcome(answer, position + 16, position + length, flags)
                position += (length + 3) & ~3
        return [outcomes[offset] for offset in range(len(batch))]

    def _dump(self, kind: int, payload: bytes) -> list[bytes]:
        """The messages of a consistent dump: one during which something changed is told, and asked for again."""
        for _again in range(_DUMPS):
            found = self._dump_once(kind, payload)
            if found is not None:
                return found
        raise BridgenetError(
            f"the network was changed by others during each of {_DUMPS} attempts to read it; run this again when they "
            "are done"
        )

    def _dump_once(self, kind: int, payload: bytes) -> list[bytes] | None:
        self._sequence += 1
        header = _HEADER.pack(16 + len(payload), kind, _NLM_F_REQUEST | _NLM_F_DUMP, self._sequence, 0)
        self._socket.send(header + payload)
        found: list[bytes] = []
        flags = 0  # any message may tell of the interruption (nl_dump_check_consistent, include/net/netlink.h)
        while True:
            for answer, message in _decode.messages(self._socket.recv(65536)):
                flags |= _FLAGS.unpack_from(message)[0]
                if answer == _decode.NLMSG_ERROR:
                    code = struct.unpack_from("=i", message, 16)[0]
                    raise Refused(-code, os.strerror(-code))
                if answer == _decode.NLMSG_DONE:
                    return None if flags & _NLM_F_DUMP_INTR else found
                found.append(message)

    def links(self) -> list[_decode.LinkRow]:
        """All links of the namespace."""
        return _decode.links(self._dump(RTM_GETLINK, struct.pack("=16xHHI", 8, _IFLA_EXT_MASK, _EXT_MASK_SKIP_STATS)))

    def addresses(self) -> dict[int, list[_decode.AddressRow]]:
        """Interface index -> addresses."""
        return _decode.addresses(self._dump(RTM_GETADDR, bytes(8)))

    def local_addresses(self) -> set[str]:
        """The plain addresses of all interfaces, also those that the kernel gave."""
        return _decode.local_addresses(self._dump(RTM_GETADDR, bytes(8)))

    def routes(self, ipv6: bool) -> list[_decode.RouteRow]:
        """The unicast routes of the main table, of IPv4 or also of IPv6."""
        found = []
        for family in (socket.AF_INET, socket.AF_INET6)[: 2 if ipv6 else 1]:
            request = struct.pack("=8BI", family, 0, 0, 0, _decode.RT_TABLE_MAIN, 0, 0, 0, 0)
            found += _decode.routes(self._dump(RTM_GETROUTE, request))
        return found

    def neighbours(self, family: int) -> list[NeighbourRow]:
        """The neighbours of all links (AF_UNSPEC), or what all bridges have learned (AF_BRIDGE).

        Decoded by pyroute2: they are read rarely.
        """
        require_pyroute2()
        found = []
        for data in self._dump(RTM_GETNEIGH, struct.pack("=B11x", family)):
            message = _classes["neighbour"](data)
            message.decode()
            times = message.get_attr("NDA_CACHEINFO")
            found.append(
                NeighbourRow(
                    message["ifindex"],
                    message["state"],
                    message["flags"],
                    message.get_attr("NDA_DST") or "",
                    message.get_attr("NDA_LLADDR") or "",
                    message.get_attr("NDA_VLAN"),
                    message.get_attr("NDA_VNI"),
                    message.get_attr("NDA_MASTER") or 0,
                    times["ndm_updated"] if times else None,
                )
            )
        return found

    def flood(self, index: int) -> tuple[str, ...]:
        """Where a VXLAN link sends what is for everybody, as somebody has set it."""
        return _decode.flood(self._dump(RTM_GETNEIGH, struct.pack("=B3xi4x", AF_BRIDGE, index)))

    def flows(self, family: int) -> list[_conntrack.Flow]:
        """The flows of AF_INET or AF_INET6 that the kernel remembers; of NETLINK_NETFILTER.

        A kernel without that part of netlink tells none: they are forgotten in their own time.
        """
        try:
            return list(_conntrack.flows(self._dump(_conntrack.GET, _conntrack.request(family))))
        except Refused as refused:
            if refused.errno in (errno.EINVAL, errno.EOPNOTSUPP):
                return []
            raise

    def forget(self, flow: _conntrack.Flow) -> None:
        """Let the kernel forget a flow, if it still remembers it; of NETLINK_NETFILTER."""
        self._sequence += 1
        payload = _conntrack.request(flow.family) + flow.key
        header = (16 + len(payload), _conntrack.DELETE, _NLM_F_REQUEST | _NLM_F_ACK, self._sequence, 0)
        self._socket.send(struct.pack("=IHHII", *header) + payload)
        code = -struct.unpack_from("=i", self._socket.recv(65536), 16)[0]
        if code not in (0, errno.ENOENT):
            raise Refused(code, os.strerror(code))

    def vlans(self) -> dict[int, tuple[Vlan, ...]]:
        """Interface index -> VLANs, of all bridge ports and bridges. Decoded by pyroute2: they are read rarely."""
        require_pyroute2()
        request = struct.pack("=B15xHHI", AF_BRIDGE, 8, _IFLA_EXT_MASK, _EXT_MASK_VLANS)
        found = {}
        for data in self._dump(RTM_GETLINK, request):
            message = _classes["vlan"](data)
            message.decode()
            spec = message.get_attr("IFLA_AF_SPEC")
            infos = spec.get_attrs("IFLA_BRIDGE_VLAN_INFO") if spec else []
            found[int(message["index"])] = tuple(_vlans((info["flags"], info["vid"]) for info in infos))
        return found

    def qdiscs(self) -> dict[int, Qdisc]:
        """Interface index -> what somebody set there. Decoded by pyroute2: they are read rarely."""
        require_pyroute2()
        found: dict[int, list[_qdisc.Row]] = {}
        for data in self._dump(RTM_GETQDISC, bytes(20)):
            message = _classes["qdisc"](data)
            message.decode()
            place = (message["index"], message["handle"], message["parent"])
            options = message.get_attr("TCA_OPTIONS")
            row = _qdisc.Row(*place, message.get_attr("TCA_KIND"), bytes(options or b""))
            found.setdefault(row.index, []).append(row)
        return {index: _qdisc.read(rows) for index, rows in found.items()}

    def knows_qdisc(self, kind: str) -> bool:
        """Whether the kernel has this kind, loading its module if need be; asked in a namespace for nothing else."""
        fields = {"family": 0, "index": 1, "handle": 0, "parent": _qdisc.ROOT}
        message = Message("qdisc", RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, fields, [("TCA_KIND", kind)])
        refused = self.send([message])[0]
        return refused is None or refused.errno not in (errno.ENOENT, errno.EOPNOTSUPP)

    def index(self, name: str) -> int:
        """The index of a link by its name, 0 where there is none."""
        message = self._link(name)
        return int(_ID.unpack_from(message, 20)[0]) if message else 0

    def links_of(self, names: Iterable[str]) -> list[_decode.LinkRow]:
        """Of some links those that are there, each asked for by its name."""
        rows = _decode.links([message for message in map(self._link, names) if message])
        return list({row.index: row for row in rows}.values())  # one may have another of the names as well

    def _link(self, name: str) -> bytes:
        """What an RTM_GETLINK dump tells of a link, b"" where there is none of that name."""
        self._sequence += 1
        raw = name.encode() + b"\0"
        attr = struct.pack("=HH", 4 + len(raw), _IFLA_IFNAME) + raw + bytes(-len(raw) % 4)
        mask = struct.pack("=HHI", 8, _IFLA_EXT_MASK, _EXT_MASK_SKIP_STATS)
        payload = bytes(16) + attr + mask
        self._socket.send(
            struct.pack("=IHHII", 16 + len(payload), RTM_GETLINK, _NLM_F_REQUEST, self._sequence, 0) + payload
        )
        data = self._socket.recv(65536)
        if _KIND.unpack_from(data, 4)[0] != _decode.NLMSG_ERROR:
            return data
        code = -_ID.unpack_from(data, 16)[0]
        if code != errno.ENODEV:
            raise Refused(code, os.strerror(code))
        return b""

    def way_to(self, address: str) -> int:
        """The index of the interface by which the kernel reaches an address (RTM_GETROUTE), 0 where it does not."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        raw = socket.inet_pton(family, address)
        self._sequence += 1
        payload = struct.pack("=8BI", family, 8 * len(raw), 0, 0, 0, 0, 0, 0, 0)
        payload += struct.pack("=HH", 4 + len(raw), 1) + raw  # RTA_DST
        header = struct.pack("=IHHII", 16 + len(payload), RTM_GETROUTE, _NLM_F_REQUEST, self._sequence, 0)
        self._socket.send(header + payload)
        return _decode.out_interface(self._socket.recv(65536))

    def knows(self, kind: str) -> bool:
        """Whether the kernel can make this kind of link, loading its module if need be; nothing is made.

        A kind that exists validates the MAC address first and refuses one that is multicast
        (rtnl_newlink, net/core/rtnetlink.c).
        """
        attrs = [("IFLA_ADDRESS", "01:00:00:00:00:00"), ("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", kind)]})]
        fields = {"index": 0, "flags": 0, "change": 0}
        refused = self.send([Message("link", RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, fields, attrs)])[0]
        return refused is not None and refused.errno == errno.EADDRNOTAVAIL

    def can_filter_vlans(self) -> bool:
        """Whether the kernel can make a bridge that heeds VLANs; asked in a namespace for nothing else."""
        data = {"attrs": [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", {"attrs": [("IFLA_BR_VLAN_FILTERING", 1)]})]}
        attrs = [("IFLA_IFNAME", "br0"), ("IFLA_LINKINFO", data)]
        fields = {"index": 0, "flags": 0, "change": 0}
        refused = self.send([Message("link", RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, fields, attrs)])[0]
        return refused is None or refused.errno != errno.EOPNOTSUPP

    def namespace_ids(self) -> list[int]:
        """All ids that this namespace has for others (RTM_GETNSID)."""
        return _decode.namespace_ids(self._dump(RTM_GETNSID, bytes(4)))

    def ids_of(self, descriptors: Sequence[int]) -> list[int]:
        """This namespace's ids of other ones (RTM_GETNSID, linux/net_namespace.h), -1 where it has none."""
        found = []
        for start in range(0, len(descriptors), BATCH):
            part = descriptors[start : start + BATCH]
            self._socket.send(b"".join(map(_GETNSID, part)))
            for _answer in part:
                data = self._socket.recv(4096)
                refused = _KIND.unpack_from(data, 4)[0] == _decode.NLMSG_ERROR
                found.append(-1 if refused else _ID.unpack_from(data, 24)[0])
        return found

    def nft_tables(self) -> set[tuple[str, str]]:
        """(family, name) of all tables of nftables; of a socket of NETLINK_NETFILTER."""
        return _decode.nft_tables(self._dump(_NFT_MSG_GETTABLE, bytes(4)))

    def nft_chains(self) -> list[_decode.ChainRow]:
        """All chains of nftables; of a socket of NETLINK_NETFILTER."""
        return _decode.nft_chains(self._dump(_NFT_MSG_GETCHAIN, bytes(4)))
