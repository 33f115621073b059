# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's small decoder against pyroute2's, on the same bytes of real dumps."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pyroute2.netlink.nfnetlink.nftsocket import nft_chain_msg, nft_table_msg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from ansible_collections.nslab.bridgenet.plugins.module_utils import _decode
from ansible_collections.nslab.bridgenet.plugins.module_utils._decode import (
    AddressRow,
    ChainRow,
    LinkRow,
    RouteRow,
)
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import (
    BridgeOptions,
    PortOptions,
    Route,
    TunOptions,
    VxlanOptions,
)
from ansible_collections.nslab.bridgenet.plugins.module_utils._netlink import NETLINK_NETFILTER, Socket
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import inside, shell

RICH = """
for name in a b; do ip netns add $name; done
ip link add name br0 address 02:00:00:00:00:01 type bridge stp_state 1 forward_delay 400 ageing_time 12345 \
    nf_call_iptables 1 nf_call_arptables 1
ip link add name br1 address 02:00:00:00:00:02 type bridge nf_call_ip6tables 1
for number in 1 2 3 4 5; do
    ip link add name v$number mtu 14${number}0 master br0 type veth peer name p$number netns a
    ip link set dev v$number up
    ip -n a link set dev p$number up alias "bridgenet:1:default:label of $number"
    ip -n a address add 10.1.$number.1/24 dev p$number
done
ip link set dev v1 type bridge_slave isolated on cost 65535 priority 63
ip link set dev v2 type bridge_slave hairpin on learning off
ip link set dev v3 type bridge_slave guard on priority 0 cost 1
ip link set dev v4 nomaster
ip link set dev v4 mtu 600
ip link set dev v4 alias 'caf\u00e9, and "quotes"'
sysctl -qw net/ipv6/conf/v5/disable_ipv6=1
ip link add name x0 type veth peer name y0
ip link property add dev x0 altname another-name altname x0-with-a-name-that-is-longer-than-fifteen-bytes
ip -n a link add name x0 type veth peer name y0 netns b
ip link set dev br0 up; ip link set dev br1 up; ip link set dev x0 up; ip link set dev y0 up
ip link add link x0 name m0 type macvlan 2>/dev/null || true
ip tuntap add dev tun0 mode tun pi multi_queue
ip tuntap add dev tap0 mode tap user 0 group 7 vnet_hdr
ip link add name vx0 type vxlan id 16777215 local 127.0.0.1 dstport 4789 nolearning
ip link add name vx1 type vxlan id 5 local ::1 dstport 8472 ttl 7
ip link add name vx2 type vxlan id 6 group 239.0.0.1 dev x0 dstport 4790
ip link add name vx3 type vxlan external dstport 4791
ip link set dev vx0 master br1
ip link set dev vx0 type bridge_slave neigh_suppress on
for entry in "00:00:00:00:00:00 198.18.0.3" "00:00:00:00:00:00 198.18.0.2" "02:00:00:00:00:07 198.18.0.4"; do
    set -- $entry
    bridge fdb append $1 dev vx0 dst $2 self permanent
done
bridge fdb append 00:00:00:00:00:00 dev vx1 dst fd00::2 self permanent extern_learn
ip address add 10.0.0.1/16 dev br0
ip address add 10.0.0.2/16 dev br0
ip address add 10.0.0.3/24 dev br0 label br0:three
ip address add 10.2.0.1 peer 10.2.0.2/32 dev x0
ip address add 192.0.2.1/31 dev x0
ip address add fd00::1/64 dev br0 nodad
ip address add fd00::2/128 dev br1 nodad
ip address add 2001:db8::1/64 dev x0 valid_lft 1000 preferred_lft 500
ip address add 10.255.0.1/32 dev lo
ip address add fd00:ffff::1/128 dev lo
ip route add default via 10.0.0.9
ip route add default via 10.0.0.8 metric 100 proto static
ip route add 10.10.0.0/16 via 10.0.0.9 proto dhcp src 10.0.0.2
ip route add 10.11.0.0/16 dev x0
ip route add 10.12.0.0/16 nexthop via 10.0.0.9 dev br0 nexthop via 192.0.2.0 dev x0
ip route add 10.13.0.0/16 via 10.0.0.9 table 1000
ip route add blackhole 10.14.0.0/16
ip route add unreachable 10.15.0.0/16
ip route add 10.16.0.5 via 10.0.0.9 tos 4 proto ra
ip -6 route add default via fd00::9
ip -6 route add fd01::/64 via fd00::9 metric 5 proto ra
ip -6 route add fd02::/64 dev br0
ip -6 route add fd03::/64 nexthop via fd00::9 dev br0 nexthop via fd00::8 dev br0
ip -6 route add blackhole fd04::/64
"""


@pytest.fixture(autouse=True)
def rich(machine: None) -> None:
    """A machine with something of everything."""
    shell(RICH)


class _Recording(Socket):
    """Keeps the bytes of its dumps."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        super().__init__(protocol)
        self.dumps: list[list[bytes]] = []

    def _dump(self, kind: int, payload: bytes) -> list[bytes]:
        self.dumps.append(super()._dump(kind, payload))
        return self.dumps[-1]


def decoded(dump: list[bytes], family: type[Any]) -> Iterator[Any]:
    """The messages of a dump by pyroute2."""
    for data in dump:
        message = family(data)
        message.decode()
        yield message


def nested(message: Any, *path: str) -> Any:
    """An attribute inside attributes, None where one of them is missing."""
    for name in path:
        if message is None:
            return None
        message = message.get_attr(name)
    return message


def reference_link(message: Any) -> LinkRow:
    """A link by pyroute2."""
    data = nested(message, "IFLA_LINKINFO", "IFLA_INFO_DATA")
    kind = nested(message, "IFLA_LINKINFO", "IFLA_INFO_KIND") or ""
    bridge = port = tun = vxlan = None
    plain = not any(nested(data, f"IFLA_VXLAN_{name}") for name in ("GROUP", "GROUP6", "LINK", "COLLECT_METADATA"))
    if kind == "vxlan" and plain:
        vxlan = VxlanOptions(
            vni=data.get_attr("IFLA_VXLAN_ID"),
            local=data.get_attr("IFLA_VXLAN_LOCAL") or data.get_attr("IFLA_VXLAN_LOCAL6") or "",
            port=data.get_attr("IFLA_VXLAN_PORT"),
            learning=bool(data.get_attr("IFLA_VXLAN_LEARNING")),
            ttl=data.get_attr("IFLA_VXLAN_TTL"),
        )
    if kind == "tun":
        numbers = [data.get_attr(f"IFLA_TUN_{name}") for name in ("OWNER", "GROUP")]
        tun = TunOptions(
            mode={1: "tun", 2: "tap"}[data.get_attr("IFLA_TUN_TYPE")],
            owner="" if numbers[0] is None else str(numbers[0]),
            group="" if numbers[1] is None else str(numbers[1]),
            multi_queue=bool(data.get_attr("IFLA_TUN_MULTI_QUEUE")),
            packet_info=bool(data.get_attr("IFLA_TUN_PI")),
            vnet_hdr=bool(data.get_attr("IFLA_TUN_VNET_HDR")),
        )
    if kind == "bridge":
        bridge = BridgeOptions(
            stp=data.get_attr("IFLA_BR_STP_STATE") != 0,
            forward_delay=data.get_attr("IFLA_BR_FORWARD_DELAY"),
            ageing_time=data.get_attr("IFLA_BR_AGEING_TIME"),
            vlan_filtering=bool(data.get_attr("IFLA_BR_VLAN_FILTERING")),
            nf_call_iptables=bool(data.get_attr("IFLA_BR_NF_CALL_IPTABLES")),
            nf_call_ip6tables=bool(data.get_attr("IFLA_BR_NF_CALL_IP6TABLES")),
            nf_call_arptables=bool(data.get_attr("IFLA_BR_NF_CALL_ARPTABLES")),
        )
    if nested(message, "IFLA_LINKINFO", "IFLA_INFO_SLAVE_KIND") == "bridge":
        slave = nested(message, "IFLA_LINKINFO", "IFLA_INFO_SLAVE_DATA")
        port = PortOptions(
            isolated=bool(slave.get_attr("IFLA_BRPORT_ISOLATED")),
            hairpin=bool(slave.get_attr("IFLA_BRPORT_MODE")),
            cost=slave.get_attr("IFLA_BRPORT_COST"),
            priority=slave.get_attr("IFLA_BRPORT_PRIORITY"),
            learning=bool(slave.get_attr("IFLA_BRPORT_LEARNING")),
            bpdu_guard=bool(slave.get_attr("IFLA_BRPORT_GUARD")),
            neigh_suppress=bool(slave.get_attr("IFLA_BRPORT_NEIGH_SUPPRESS")),
        )
    conf = nested(message, "IFLA_AF_SPEC", "AF_INET6", "IFLA_INET6_CONF")
    return LinkRow(
        index=message["index"],
        name=message.get_attr("IFLA_IFNAME"),
        kind=kind,
        mac=message.get_attr("IFLA_ADDRESS") or "",
        mtu=message.get_attr("IFLA_MTU"),
        up=bool(message["flags"] & 1),
        ipv6=conf is not None and conf["disable_ipv6"] == 0,
        alias=message.get_attr("IFLA_IFALIAS") or "",
        link=message.get_attr("IFLA_LINK") or 0,
        netnsid=message.get_attr("IFLA_LINK_NETNSID"),
        master=message.get_attr("IFLA_MASTER") or 0,
        bridge=bridge,
        port=port,
        tun=tun,
        vxlan=vxlan,
        persistent=tun is not None and bool(data.get_attr("IFLA_TUN_PERSIST")),
        carrier=bool(message.get_attr("IFLA_CARRIER")),
        qdisc=message.get_attr("IFLA_QDISC") or "",
        altnames=tuple(value for _name, value in (message.get_attr("IFLA_PROP_LIST") or {"attrs": ()})["attrs"]),
        default_pvid=data.get_attr("IFLA_BR_VLAN_DEFAULT_PVID") if kind == "bridge" else None,
    )


@pytest.mark.parametrize("namespace", ["", "a", "b"])
def test_links(namespace: str) -> None:
    """Every field of every link."""
    with inside(namespace):
        source = _Recording()
        rows = source.links()
    assert rows == [reference_link(message) for message in decoded(source.dumps[0], ifinfmsg)]
    assert len(rows) >= {"": 17, "a": 7, "b": 2}[namespace]
    if namespace == "":
        numbers = {row.name: row.vxlan.vni if row.vxlan else None for row in rows if row.kind == "vxlan"}
        assert numbers == {"vx0": 16777215, "vx1": 5, "vx2": None, "vx3": None}
    assert _decode.links(source.dumps[0] * 2) == rows * 2, "also where the layout of a message is known"
    source.close()


def test_flood() -> None:
    """What somebody set for everybody; neither what is of one container, nor what a routing daemon set."""
    source = Socket()
    found = {row.name: source.flood(row.index) for row in source.links() if row.vxlan}
    assert found == {"vx0": ("198.18.0.2", "198.18.0.3"), "vx1": ()}
    source.close()


@pytest.mark.parametrize("namespace", ["", "a", "b"])
def test_addresses(namespace: str) -> None:
    """Every address that is neither the kernel's nor a router's, and whether it is a secondary."""
    with inside(namespace):
        source = _Recording()
        rows = source.addresses()
    expected: dict[int, list[AddressRow]] = {}
    for message in decoded(source.dumps[0], ifaddrmsg):
        flags = message.get_attr("IFA_FLAGS")
        ipv6 = message["family"] == socket.AF_INET6
        if ipv6 and (not flags & 0x80 or message["scope"] == 253):
            continue
        text = f"{message.get_attr('IFA_LOCAL') or message.get_attr('IFA_ADDRESS')}/{message['prefixlen']}"
        if text not in ("127.0.0.1/8", "::1/128"):
            secondary = not ipv6 and bool(flags & 0x01)
            expected.setdefault(message["index"], []).append(AddressRow(text, secondary))
    assert rows == expected
    found = {row.address: row.secondary for several in rows.values() for row in several}
    if namespace == "":
        assert found["10.0.0.1/16"] is False
        assert found["10.0.0.2/16"] is True
        assert found["10.0.0.3/24"] is False
        assert {"10.2.0.1/32", "192.0.2.1/31", "fd00::1/64", "fd00:ffff::1/128", "10.255.0.1/32"} <= set(found)
        assert "2001:db8::1/64" not in found
    source.close()


@pytest.mark.parametrize("namespace", ["", "a"])
def test_routes(namespace: str) -> None:
    """Every unicast route of the main table that the kernel did not make."""
    with inside(namespace):
        source = _Recording()
        rows = source.routes(True)
    expected = []
    for dump in source.dumps:
        for message in decoded(dump, rtmsg):
            if message["type"] != 1 or message["proto"] == 2 or message.get_attr("RTA_TABLE") != 254:
                continue
            ipv6 = message["family"] == socket.AF_INET6
            target = message.get_attr("RTA_DST")
            to = f"{target}/{message['dst_len']}" if message["dst_len"] else "::/0" if ipv6 else "default"
            route = Route(to, message.get_attr("RTA_GATEWAY") or "", message.get_attr("RTA_PRIORITY") or 0)
            several = message.get_attr("RTA_MULTIPATH")
            for hop in several or ():
                expected.append(RouteRow(hop["oif"], route, False))
            if not several:
                expected.append(RouteRow(message.get_attr("RTA_OIF"), route, message["proto"] != 9))
    assert rows == expected
    if namespace == "":
        seen = {(row.route.to, row.route.via, row.route.metric) for row in rows if row.managed}
        assert {
            ("default", "10.0.0.9", 0),
            ("default", "10.0.0.8", 100),
            ("10.11.0.0/16", "", 0),
            ("::/0", "fd00::9", 1024),
            ("fd02::/64", "", 1024),
        } <= seen
        assert not [
            row for row in rows if row.route.to in ("10.13.0.0/16", "10.14.0.0/16", "10.15.0.0/16", "fd04::/64")
        ]
        assert [row.managed for row in rows if row.route.to == "10.12.0.0/16"] == [False, False]
        assert [row.managed for row in rows if row.route.to == "fd01::/64"] == [False]
    source.close()


NFT = """
nft -f - <<'END'
add table ip a
add chain ip a forward { type filter hook forward priority 5; policy drop; }
add chain ip a input { type filter hook input priority 0; policy drop; }
add chain ip a plain
add table ip6 a
add chain ip6 a forward { type filter hook forward priority -5; policy accept; }
add table inet b
add chain inet b forward { type filter hook forward priority 0; policy drop; }
add table bridge b
add chain bridge b forward { type filter hook forward priority 0; policy drop; }
add table arp c
add chain arp c input { type filter hook input priority 0; policy drop; }
add table netdev c
add chain netdev c ingress { type filter hook ingress device "br0" priority 0; policy drop; }
add table inet empty
END
"""


def test_nftables() -> None:
    """Every table and chain, whether forwarded packets pass it, and what it does with those that no rule accepts."""
    shell(NFT)
    source = _Recording(NETLINK_NETFILTER)
    tables, chains = source.nft_tables(), source.nft_chains()
    source.close()
    families = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
    by_table, by_chain = (
        [*decoded(dump, family)] for dump, family in zip(source.dumps, (nft_table_msg, nft_chain_msg))
    )
    assert tables == {(families[one["nfgen_family"]], one.get_attr("NFTA_TABLE_NAME")) for one in by_table}
    assert chains == [
        ChainRow(
            families[one["nfgen_family"]],
            one.get_attr("NFTA_CHAIN_TABLE"),
            one.get_attr("NFTA_CHAIN_NAME"),
            nested(one, "NFTA_CHAIN_HOOK", "NFTA_HOOK_HOOKNUM") == 2,
            one.get_attr("NFTA_CHAIN_POLICY") == 0,
        )
        for one in by_chain
    ]
    assert {("inet", "empty"), ("arp", "c"), ("netdev", "c")} <= tables
    assert [(row.family, row.table) for row in chains if row.at_forward and row.drops] == [
        ("ip", "a"),
        ("inet", "b"),
        ("bridge", "b"),
    ]
    assert [row.name for row in chains if not row.at_forward and not row.drops] == ["plain"]


def test_truncated() -> None:
    """Nonsense is an error, not an endless loop."""
    with pytest.raises(ValueError, match="shorter than its header"):
        list(_decode.messages(bytes(32)))
    source = _Recording()
    source.links()
    source.close()
    message = source.dumps[0][-1]
    assert len(_decode.links([message[:-1]])) == 1
