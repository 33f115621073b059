# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small decoder for the three bulk dumps: links, addresses and routes; and for what there is of nftables.

pyroute2's costs 27 times as much for these, because it builds some 43 attribute
objects for every link. It stays the reference: a test holds this file against it on
the same bytes. Layouts: linux/netlink.h, rtnetlink.h, if_link.h, if_addr.h.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ._model import BridgeOptions, PortOptions, Route, TunOptions, VxlanOptions

NLMSG_ERROR = 2
NLMSG_DONE = 3

_HEADER = struct.Struct("=IH10x")  # length, type; flags, sequence, port
_ATTR = struct.Struct("=HH")  # length, type
# What follows the header, up to the attributes:
_IFINFO = struct.Struct("=16xBxHiII")  # family, device type, index, flags, change
_IFADDR = struct.Struct("=16xBBBBI")  # family, prefix length, flags, scope, index
_RTMSG = struct.Struct("=16xBBBBBBBBI")  # family, dst_len, src_len, tos, table, protocol, scope, type, flags
_NFGENMSG = struct.Struct("=16xB3x")  # family
_RTGENMSG = struct.Struct("=16xB3x")  # family
_NDMSG = struct.Struct("=16xB3xiHBB")  # family, index, state, flags, type
_RTNEXTHOP = struct.Struct("=HxxI")  # length, interface
_U32 = struct.Struct("=I")
_BE32 = struct.Struct("!I")
_U16 = struct.Struct("=H")
_BE16 = struct.Struct("!H")

_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_QDISC, _IFLA_MASTER = 1, 3, 4, 5, 6, 10
_IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_AF_SPEC, _IFLA_CARRIER, _IFLA_LINK_NETNSID = 18, 20, 26, 33, 37
_IFLA_PROP_LIST = 52
_BR_FORWARD_DELAY, _BR_AGEING_TIME, _BR_STP_STATE, _BR_VLAN_FILTERING = 1, 4, 5, 7
_BR_ROOT_ID, _BR_BRIDGE_ID, _BR_TOPOLOGY_CHANGE = 10, 11, 14
_BR_NF_CALL_IPTABLES, _BR_NF_CALL_IP6TABLES, _BR_NF_CALL_ARPTABLES, _BR_VLAN_DEFAULT_PVID = 36, 37, 38, 39
_TUN_OWNER, _TUN_GROUP, _TUN_TYPE, _TUN_PI, _TUN_VNET_HDR, _TUN_PERSIST, _TUN_MULTI_QUEUE = 1, 2, 3, 4, 5, 6, 7
_VXLAN_ID, _VXLAN_GROUP, _VXLAN_LINK, _VXLAN_LOCAL, _VXLAN_TTL, _VXLAN_LEARNING = 1, 2, 3, 4, 5, 7
_VXLAN_PORT, _VXLAN_GROUP6, _VXLAN_LOCAL6, _VXLAN_COLLECT_METADATA = 15, 16, 17, 25
_DEVCONF_DISABLE_IPV6 = 26
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_NETNSA_NSID = 1
_NFTA_TABLE_NAME = 1
_NFTA_CHAIN_TABLE, _NFTA_CHAIN_NAME, _NFTA_CHAIN_HOOK, _NFTA_CHAIN_POLICY = 1, 3, 4, 5
_NFTA_HOOK_HOOKNUM = 1
_NDA_DST = 1
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_MULTIPATH, _RTA_TABLE = 1, 4, 5, 6, 9, 15

_BR_KERNEL_STP = 1  # net/bridge/br_private.h

IFF_UP = 1
_IFF_TAP = 2  # linux/if_tun.h
IFA_F_PERMANENT, IFA_F_SECONDARY = 0x80, 0x01
RT_TABLE_MAIN = 254
_NFT_FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}  # NFPROTO_*, linux/netfilter.h
_NF_FORWARD, _NF_DROP = 2, 0
RTN_UNICAST = 1
_NUD_PERMANENT, _NTF_EXT_LEARNED = 0x80, 0x10  # linux/neighbour.h
_ALL_ZERO = struct.pack("=HH6x", 10, 2)  # NDA_LLADDR
RTPROT_KERNEL, RTPROT_RA = 2, 9
_AF_INET6 = int(socket.AF_INET6)

# An attribute in a nest of a link is known by the way to it.
_NESTED = 14  # bits of a type
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_KIND, _INFO_SLAVE_DATA = (_IFLA_LINKINFO << _NESTED | kind for kind in (1, 2, 4, 5))
_BRPORT_PRIORITY, _BRPORT_COST, _BRPORT_MODE, _BRPORT_GUARD, _BRPORT_LEARNING, _BRPORT_SUPPRESS, _BRPORT_ISOLATED = (
    _INFO_SLAVE_DATA << _NESTED | kind for kind in (2, 3, 4, 5, 8, 32, 33)
)
_INET6 = _IFLA_AF_SPEC << _NESTED | _AF_INET6
_INET6_CONF = _INET6 << _NESTED | 2
_NESTS = (_IFLA_LINKINFO, _INFO_SLAVE_DATA, _IFLA_AF_SPEC, _INET6)
# What is read of a link besides the data of its kind: way -> bytes to skip, and the form, "" for all of it.
_VALUES = {
    **dict.fromkeys(
        (_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_IFALIAS, _IFLA_QDISC, _INFO_KIND, _INFO_SLAVE_KIND),
        (0, ""),
    ),
    **dict.fromkeys((_IFLA_MTU, _IFLA_LINK, _IFLA_MASTER, _BRPORT_COST), (0, "I")),
    **dict.fromkeys(
        (_IFLA_CARRIER, _BRPORT_MODE, _BRPORT_GUARD, _BRPORT_LEARNING, _BRPORT_SUPPRESS, _BRPORT_ISOLATED), (0, "B")
    ),
    _IFLA_LINK_NETNSID: (0, "i"),
    _BRPORT_PRIORITY: (0, "H"),
    _INET6_CONF: (4 * _DEVCONF_DISABLE_IPV6, "I"),
}
_AF_BRIDGE = 7
_SCOPE_LINK = 253
_OF_LOOPBACK = ("127.0.0.1/8", "::1/128")


@dataclass
class LinkRow:
    """A link as one message tells it: other links only by their indices."""

    index: int
    name: str
    kind: str
    mac: str
    mtu: int
    up: bool
    ipv6: bool
    alias: str
    link: int  # a veth's peer, in the namespace of `netnsid` or in this one
    netnsid: int | None
    master: int
    bridge: BridgeOptions | None
    port: PortOptions | None
    tun: TunOptions | None
    vxlan: VxlanOptions | None  # none also where it has a group, a device or no VNI of its own
    persistent: bool  # of a tun or tap
    carrier: bool
    default_pvid: int | None  # of a bridge, where the kernel can filter VLANs
    qdisc: str  # the kind of that at the root
    altnames: tuple[str, ...]  # more names by which the kernel knows it


@dataclass
class RouteRow:
    """A unicast route of the main table."""

    index: int  # of the interface
    route: Route
    managed: bool  # neither a router's advertisement nor one of several next hops: those are only looked at


@dataclass(frozen=True)
class ChainRow:
    """A chain of nftables."""

    family: str
    table: str
    name: str
    at_forward: bool  # it sees forwarded packets
    drops: bool  # what none of its rules accepts


def messages(data: bytes) -> list[tuple[int, bytes]]:
    """(type, message) of every netlink message in `data`."""
    found = []
    position = 0
    size = len(data)
    while position + 16 <= size:
        length, kind = _HEADER.unpack_from(data, position)
        if length < 16:
            raise ValueError("netlink message shorter than its header")
        found.append((kind, data[position : position + length]))
        position += (length + 3) & ~3
    return found


def _attributes(data: bytes, position: int, end: int) -> dict[int, tuple[int, int]]:
    """type -> (start, end) of the attributes between two positions."""
    found = {}
    unpack = _ATTR.unpack_from
    while position + 4 <= end:
        length, kind = unpack(data, position)
        if length < 4:
            break
        found[kind & _TYPE_MASK] = (position + 4, position + length)
        position += (length + 3) & ~3
    return found


def _walk(data: bytes, position: int, end: int, nest: int = 0) -> Iterator[tuple[int, int, int]]:
    """(way, start, end) of the attributes of a link, of its nests as well."""
    for kind, (start, stop) in _attributes(data, position, end).items():
        way = nest << _NESTED | kind
        yield way, start, stop
        if way in _NESTS:
            yield from _walk(data, start, stop, way)


@dataclass(frozen=True)
class _Layout:
    """Where the attributes of a link are. That another one is laid out alike, all their headers at once tell.

    To go from one attribute to the next takes most of the time of decoding, and most links differ in values only.
    """

    mask: int  # of the headers in a message that is read as one number
    headers: int
    spans: dict[int, tuple[int, int]]  # way -> start, end
    values: struct.Struct  # those of _VALUES that are there
    ways: tuple[int, ...]  # which they are

    def told(self, message: bytes) -> dict[int, Any]:
        """The values of a message, each by its way."""
        return dict(zip(self.ways, self.values.unpack_from(message)))


_layouts: dict[tuple[int, bytes], list[_Layout]] = {}  # by the length of the message, and of its first attribute


def _layout(message: bytes) -> _Layout:
    known = _layouts.setdefault((len(message), message[_IFINFO.size : _IFINFO.size + 2]), [])
    number = int.from_bytes(message, "little")
    for layout in known:
        if number & layout.mask == layout.headers:
            return layout
    known.append(_laid_out(message, number))
    return known[-1]


def _laid_out(message: bytes, number: int) -> _Layout:
    spans = {way: (start, end) for way, start, end in _walk(message, _IFINFO.size, len(message))}
    mask = bytearray(len(message))
    text, position, ways = "=", 0, []
    for way, (start, end) in sorted(spans.items(), key=lambda item: item[1]):
        mask[start - 4 : start] = b"\xff" * 4
        if way in _VALUES:
            ways.append(way)
            skipped, kind = _VALUES[way]
            kind = kind or f"{end - start}s"
            text += f"{start + skipped - position}x{kind}"
            position = start + skipped + struct.calcsize(f"={kind}")
    bits = int.from_bytes(mask, "little")
    return _Layout(bits, number & bits, spans, struct.Struct(text), tuple(ways))


def _string(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")


def _text(data: bytes, span: tuple[int, int]) -> str:
    return _string(data[span[0] : span[1]])


def _u32(data: bytes, attrs: dict[int, tuple[int, int]], kind: int) -> int:
    span = attrs.get(kind)
    return _U32.unpack_from(data, span[0])[0] if span else 0


def _be32(data: bytes, attrs: dict[int, tuple[int, int]], kind: int) -> int | None:
    span = attrs.get(kind)
    return _BE32.unpack_from(data, span[0])[0] if span else None


def _flag(data: bytes, attrs: dict[int, tuple[int, int]], kind: int) -> bool:
    span = attrs.get(kind)
    return bool(span and data[span[0]])


def _bridge(data: bytes, span: tuple[int, int]) -> BridgeOptions:
    attrs = _attributes(data, *span)
    return BridgeOptions(
        stp=_u32(data, attrs, _BR_STP_STATE) != 0,
        forward_delay=_u32(data, attrs, _BR_FORWARD_DELAY),
        ageing_time=_u32(data, attrs, _BR_AGEING_TIME),
        vlan_filtering=_flag(data, attrs, _BR_VLAN_FILTERING),
        nf_call_iptables=_flag(data, attrs, _BR_NF_CALL_IPTABLES),
        nf_call_ip6tables=_flag(data, attrs, _BR_NF_CALL_IP6TABLES),
        nf_call_arptables=_flag(data, attrs, _BR_NF_CALL_ARPTABLES),
        lent=_lent(data, attrs),
    )


def _lent(data: bytes, attrs: dict[int, tuple[int, int]]) -> tuple[str, ...]:
    """The times of a bridge that are those of the spanning tree."""
    if _u32(data, attrs, _BR_STP_STATE) != _BR_KERNEL_STP:
        return ()
    root, own = (data[slice(*attrs.get(kind, (0, 0)))] for kind in (_BR_ROOT_ID, _BR_BRIDGE_ID))
    ageing = ("ageing_time",) if _flag(data, attrs, _BR_TOPOLOGY_CHANGE) else ()
    return ageing if root == own else ("forward_delay", *ageing)


def _default_pvid(data: bytes, span: tuple[int, int]) -> int | None:
    found = _attributes(data, *span).get(_BR_VLAN_DEFAULT_PVID)
    return _U16.unpack_from(data, found[0])[0] if found else None


_ports: dict[tuple[bool | int, ...], PortOptions] = {}  # a thousand ports share a handful of settings


def _port(told: Mapping[int, Any]) -> PortOptions:
    isolated, hairpin, learning, guard, suppress = (
        bool(told.get(way))
        for way in (_BRPORT_ISOLATED, _BRPORT_MODE, _BRPORT_LEARNING, _BRPORT_GUARD, _BRPORT_SUPPRESS)
    )
    cost, priority = told.get(_BRPORT_COST, 0), told.get(_BRPORT_PRIORITY, 0)
    key = (isolated, hairpin, cost, priority, learning, guard, suppress)
    known = _ports.get(key)
    if known is None:
        known = _ports[key] = PortOptions(*key)
    return known


def _tun(data: bytes, attrs: dict[int, tuple[int, int]]) -> TunOptions:
    return TunOptions(
        mode="tap" if data[attrs[_TUN_TYPE][0]] == _IFF_TAP else "tun",
        owner=str(_u32(data, attrs, _TUN_OWNER)) if _TUN_OWNER in attrs else "",
        group=str(_u32(data, attrs, _TUN_GROUP)) if _TUN_GROUP in attrs else "",
        multi_queue=_flag(data, attrs, _TUN_MULTI_QUEUE),
        packet_info=_flag(data, attrs, _TUN_PI),
        vnet_hdr=_flag(data, attrs, _TUN_VNET_HDR),
    )


def _vxlan(data: bytes, attrs: dict[int, tuple[int, int]]) -> VxlanOptions | None:
    others = _VXLAN_GROUP in attrs or _VXLAN_GROUP6 in attrs or _VXLAN_LINK in attrs
    if others or _flag(data, attrs, _VXLAN_COLLECT_METADATA):
        return None
    local = attrs.get(_VXLAN_LOCAL) or attrs.get(_VXLAN_LOCAL6)
    return VxlanOptions(
        vni=_u32(data, attrs, _VXLAN_ID),
        local=_ip(data[local[0] : local[1]]) if local else "",
        port=_BE16.unpack_from(data, attrs[_VXLAN_PORT][0])[0],
        learning=_flag(data, attrs, _VXLAN_LEARNING),
        ttl=data[attrs[_VXLAN_TTL][0]] if _VXLAN_TTL in attrs else 0,
    )


def flood(dump: list[bytes]) -> tuple[str, ...]:
    """The destinations of what a VXLAN link floods, in a dump of its forwarding database.

    Those that are marked as learned elsewhere are a routing daemon's own.
    """
    found = []
    for data in dump:
        if _ALL_ZERO not in data:  # most are of a container's MAC address
            continue
        _family, _index, state, flags, _type = _NDMSG.unpack_from(data)
        to = _attributes(data, _NDMSG.size, len(data)).get(_NDA_DST)
        if to and state & _NUD_PERMANENT and not flags & _NTF_EXT_LEARNED:
            found.append(_ip(data[to[0] : to[1]]))
    return tuple(sorted(found))


def links(dump: list[bytes]) -> list[LinkRow]:
    """The links of an RTM_GETLINK dump; an RTM_NEWLINK of another family is passed over."""
    rows = []
    for message in dump:
        family, _type, index, flags, _change = _IFINFO.unpack_from(message)
        if family == _AF_BRIDGE:
            continue
        layout = _layout(message)
        told, data = layout.told(message), layout.spans.get(_INFO_DATA)
        kind = _string(told.get(_INFO_KIND, b""))
        bridge = port = tun = vxlan = None
        persistent = False
        default_pvid = None
        if kind == "bridge" and data:
            bridge = _bridge(message, data)
            default_pvid = _default_pvid(message, data)
        if kind == "tun" and data:
            attrs = _attributes(message, *data)
            tun, persistent = _tun(message, attrs), _flag(message, attrs, _TUN_PERSIST)
        if kind == "vxlan" and data:
            vxlan = _vxlan(message, _attributes(message, *data))
        if _INFO_SLAVE_DATA in layout.spans and _string(told.get(_INFO_SLAVE_KIND, b"")) == "bridge":
            port = _port(told)
        rows.append(
            LinkRow(
                index,
                _string(told[_IFLA_IFNAME]),
                kind,
                told.get(_IFLA_ADDRESS, b"").hex(":"),
                told.get(_IFLA_MTU, 0),
                bool(flags & IFF_UP),
                told.get(_INET6_CONF) == 0,  # there is none below 1280 bytes of MTU
                _string(told.get(_IFLA_IFALIAS, b"")),
                told.get(_IFLA_LINK, 0),
                told.get(_IFLA_LINK_NETNSID),
                told.get(_IFLA_MASTER, 0),
                bridge,
                port,
                tun,
                vxlan,
                persistent,
                bool(told.get(_IFLA_CARRIER)),
                default_pvid,
                _string(told.get(_IFLA_QDISC, b"")),
                _altnames(message, *layout.spans[_IFLA_PROP_LIST]) if _IFLA_PROP_LIST in layout.spans else (),
            )
        )
    return rows


def _altnames(data: bytes, position: int, end: int) -> tuple[str, ...]:
    """All attributes of such a list are of one type."""
    found = []
    while position + 4 <= end:
        length, _kind = _ATTR.unpack_from(data, position)
        found.append(_string(data[position + 4 : position + length]))
        position += (length + 3) & ~3
    return tuple(found)


def _ip(raw: bytes) -> str:
    if len(raw) == 4:
        return socket.inet_ntoa(raw)
    return socket.inet_ntop(socket.AF_INET6, raw)


@dataclass
class AddressRow:
    """An address of an interface."""

    address: str  # as 10.10.0.1/16
    secondary: bool


def addresses(dump: list[bytes]) -> dict[int, list[AddressRow]]:
    """Interface index -> addresses.

    Left out is what the kernel or a router gave: IPv6 link-local and
    router-advertised addresses, and those that a loopback gets when it comes up.
    """
    found: dict[int, list[AddressRow]] = {}
    for data in dump:
        family, prefix, flags, scope, index = _IFADDR.unpack_from(data)
        attrs = _attributes(data, _IFADDR.size, len(data))
        permanent = family != _AF_INET6 or _u32(data, attrs, _IFA_FLAGS) & IFA_F_PERMANENT
        if not permanent or (family == _AF_INET6 and scope == _SCOPE_LINK):
            continue
        span = attrs.get(_IFA_LOCAL) or attrs.get(_IFA_ADDRESS)
        text = f"{_ip(data[span[0] : span[1]])}/{prefix}" if span else ""
        if text and text not in _OF_LOOPBACK:
            secondary = family != _AF_INET6 and bool(flags & IFA_F_SECONDARY)
            found.setdefault(index, []).append(AddressRow(text, secondary))
    return found


def namespace_ids(dump: list[bytes]) -> list[int]:
    """The ids in a dump of RTM_GETNSID."""
    return [_u32(data, _attributes(data, _RTGENMSG.size, len(data)), _NETNSA_NSID) for data in dump]


def _nft_family(data: bytes) -> str:
    return _NFT_FAMILIES.get(_NFGENMSG.unpack_from(data)[0], "")


def nft_tables(dump: list[bytes]) -> set[tuple[str, str]]:
    """(family, name) of the tables in a dump of NFT_MSG_GETTABLE."""
    found = set()
    for data in dump:
        attrs = _attributes(data, _NFGENMSG.size, len(data))
        found.add((_nft_family(data), _text(data, attrs[_NFTA_TABLE_NAME])))
    return found


def nft_chains(dump: list[bytes]) -> list[ChainRow]:
    """The chains in a dump of NFT_MSG_GETCHAIN (linux/netfilter/nf_tables.h)."""
    found = []
    for data in dump:
        attrs = _attributes(data, _NFGENMSG.size, len(data))
        hook = attrs.get(_NFTA_CHAIN_HOOK)
        number = _be32(data, _attributes(data, *hook), _NFTA_HOOK_HOOKNUM) if hook else None
        found.append(
            ChainRow(
                _nft_family(data),
                _text(data, attrs[_NFTA_CHAIN_TABLE]),
                _text(data, attrs[_NFTA_CHAIN_NAME]),
                number == _NF_FORWARD,
                _be32(data, attrs, _NFTA_CHAIN_POLICY) == _NF_DROP,
            )
        )
    return found


def local_addresses(dump: list[bytes]) -> set[str]:
    """All addresses of an RTM_GETADDR dump."""
    found = set()
    for data in dump:
        attrs = _attributes(data, _IFADDR.size, len(data))
        span = attrs.get(_IFA_LOCAL) or attrs.get(_IFA_ADDRESS)
        if span:
            found.add(_ip(data[span[0] : span[1]]))
    return found


def out_interface(answer: bytes) -> int:
    """The interface of the route in an answer to RTM_GETROUTE, 0 for an error."""
    for kind, data in messages(answer):
        if kind != NLMSG_ERROR:
            return _u32(data, _attributes(data, _RTMSG.size, len(data)), _RTA_OIF)
    return 0


def _next_hops(data: bytes, span: tuple[int, int]) -> Iterator[int]:
    """The interfaces of a route with several next hops (struct rtnexthop)."""
    position, end = span
    while position + 8 <= end:
        length, index = _RTNEXTHOP.unpack_from(data, position)
        if length < 8:
            break
        yield index
        position += (length + 3) & ~3


def routes(dump: list[bytes]) -> list[RouteRow]:
    """The unicast routes of the main table, without those that the kernel made for addresses."""
    rows = []
    for data in dump:
        family, length, _src, _tos, table, protocol, _scope, kind, _flags = _RTMSG.unpack_from(data)
        if kind != RTN_UNICAST or protocol == RTPROT_KERNEL:
            continue
        attrs = _attributes(data, _RTMSG.size, len(data))
        if _RTA_TABLE in attrs:
            table = _u32(data, attrs, _RTA_TABLE)
        if table != RT_TABLE_MAIN:
            continue
        target = attrs.get(_RTA_DST)
        if length == 0:
            to = "::/0" if family == _AF_INET6 else "default"
        elif target:
            to = f"{_ip(data[target[0] : target[1]])}/{length}"
        else:
            continue
        via = attrs.get(_RTA_GATEWAY)
        route = Route(to, _ip(data[via[0] : via[1]]) if via else "", _u32(data, attrs, _RTA_PRIORITY))
        if _RTA_MULTIPATH in attrs:
            rows += [RouteRow(index, route, False) for index in _next_hops(data, attrs[_RTA_MULTIPATH])]
        else:
            rows.append(RouteRow(_u32(data, attrs, _RTA_OIF), route, protocol != RTPROT_RA))
    return rows
