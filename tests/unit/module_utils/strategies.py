# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategies: hosts as they may be found, and what may be declared for them.

Names are few, so that what is declared meets what is there. Choices are made from
prepared combinations, simplest first: one draw instead of ten.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils import _iptables
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import (
    HOST,
    BridgeOptions,
    Entry,
    Firewall,
    Host,
    Link,
    Namespace,
    Original,
    PortOptions,
    TunOptions,
    VxlanOptions,
)
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._forward import Forward
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._masquerade import Masquerade
from ansible_collections.nslab.bridgenet.tests.unit.module_utils.attached import (
    ATTACHED,
    DECLARED_NAMES,
    DECLARED_VLANS,
    FOUND_PUBLICATIONS,
    declared_publications,
    declared_qdiscs,
    known_names,
    standing,
)
from ansible_collections.nslab.bridgenet.tests.unit.module_utils.memory import (
    FORWARD4,
    FORWARD6,
    LOCALNET,
    LOOPBACK,
    is_ipv6,
    listing,
    network,
    route,
    split,
)

Options = dict[str, Any]
Declaration = dict[str, list[Options]]

NAMESPACES = ("a", "b", "c")
SECOND = "also"  # a second name of one of them
BRIDGES = ("br0", "br1")
VETHS = ("v0", "v1", "v2")
PEERS = ("p0", "p1", "eth0")
TUNS = ("t0", "t1")
VXLANS = ("x0", "x1")
LINKS = (*BRIDGES, *VETHS, *PEERS, *TUNS, *VXLANS)
MTUS = (1500, 1400, 1280, 1500, 1000)
MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")

flags = st.booleans()


def combinations(**choices: Iterable[Any]) -> list[Options]:
    """Every choice of some options, where None leaves one out; those with few options first."""
    names = list(choices)
    found = [
        {name: value for name, value in zip(names, values) if value is not None}
        for values in itertools.product(*choices.values())
    ]
    return sorted(found, key=len)


def _subsets(pool: list[Any], most: int) -> list[list[Any]]:
    return [list(chosen) for size in range(most + 1) for chosen in itertools.permutations(pool, size)]


def _addresses(name: str) -> list[list[str]]:
    """An interface's own addresses: networks of two interfaces may not overlap."""
    number = LINKS.index(name)
    pool = [f"10.{number}.0.{host}/24" for host in (1, 2, 3)]
    return _subsets([*pool, f"10.{number}.1.1/32", f"fd00:{number}::1/64"], 3)


def _routes(name: str) -> list[list[Options]]:
    """Routes out of an interface, some through a next hop that an address or another route leads to."""
    number = LINKS.index(name)
    far, near, behind = (f"10.{base + number}.0" for base in (50, 100, 150))
    pool: list[Options] = [
        {"to": f"{far}.0/24", "via": f"10.{number}.0.9"},
        {"to": f"{far}.0/24", "via": f"10.{number}.0.8"},
        {"to": f"{far}.0/24", "via": f"10.{number}.0.9", "metric": 7},
        {"to": f"{near}.0/24"},
        {"to": f"{behind}.0/24", "via": f"{near}.9"},
        {"to": f"fd01:{number}::/64", "via": f"fd00:{number}::9"},
        {"to": f"fd02:{number}::/64"},
    ]
    found = []
    for chosen in _subsets(pool, 2):
        if len({(one["to"], one.get("metric")) for one in chosen}) == len(chosen):
            found.append(chosen)
    return found


ADDRESSES = {name: st.sampled_from(_addresses(name)) for name in LINKS}
ROUTES = {name: st.sampled_from(_routes(name)) for name in LINKS}
SCALARS = st.sampled_from(
    combinations(up=[None, True, True, False], ipv6=[None, True, False], mtu=[None, *MTUS], mac=[None, *MACS])
)
SHAPES = st.sampled_from(list(itertools.product((True, False), (True, False), MTUS, MACS)))  # up, ipv6, MTU, MAC
BRIDGE_OPTIONS = st.sampled_from(
    [
        BridgeOptions(stp, delay, ageing, filtering, nf, False, False)
        for stp, delay, ageing, filtering, nf in itertools.product(
            (False, True), (1500, 200), (30000, 0), (False, True), (False, True)
        )
    ]
)
PORT_OPTIONS = st.sampled_from(
    [
        PortOptions(isolated, hairpin, cost, priority, learning, False, isolated)
        for isolated, hairpin, cost, priority, learning in itertools.product(
            (False, True), (False, True), (2, 7), (32, 0), (True, False)
        )
    ]
)
DECLARED_FILTERING = st.sampled_from([{}, {}, {"vlan_filtering": True}, {"vlan_filtering": False}])
DECLARED_BRIDGES = st.sampled_from(
    combinations(
        stp=[None, True, False],
        forward_delay=[None, 2, 15],
        ageing_time=[None, 0],
        nf_call_iptables=[None, True, False],
    )
)
DECLARED_PORTS = st.sampled_from(
    combinations(isolated=[None, True, False], hairpin=[None, True], cost=[None, 2, 9], learning=[None, True, False])
)
TUN_OPTIONS = st.sampled_from(
    [
        TunOptions(mode, owner, "", queues, False, header)
        for mode, owner, queues, header in itertools.product(
            ("tap", "tun"), ("", "0", "7"), (False, True), (False, True)
        )
    ]
)
DECLARED_TUNS = st.sampled_from(
    [
        {"mode": mode, **options}
        for mode in ("tap", "tun")
        for options in combinations(
            owner=[None, "", "7", "8"], group=[None, "9"], multi_queue=[None, True], vnet_hdr=[None, False]
        )
    ]
)
FLOODS = [(), ("198.18.0.2",), ("198.18.0.2", "198.18.0.3"), ("198.18.0.4",)]
VXLAN_OPTIONS = {
    name: st.sampled_from(
        [
            (VxlanOptions(vni, "198.18.0.1", port, learning, 0), flood)
            for vni, port, learning, flood in itertools.product(numbers, (4789, 8472), (True, False), FLOODS)
        ]
    )
    for name, numbers in (("x0", (5, 6)), ("x1", (7, 8)))
}
DECLARED_VXLANS = {
    name: st.sampled_from(
        [
            {"vni": vni, "local": "198.18.0.1", **options}
            for vni in numbers
            for options in combinations(
                learning=[None, False], ttl=[None, 9], port=[None, 8472], peers=[None, *map(list, FLOODS)]
            )
        ]
    )
    for name, numbers in (("x0", (5, 6)), ("x1", (7, 8, 5)))
}
DECLARED_NAMESPACES = st.sampled_from(
    combinations(loopback=[None, True, False], sysctls=[None, {"net/ipv4/ip_forward": "1"}, {"net.ipv4.ip_forward": 0}])
)
OWNED_NAMESPACES = st.sampled_from(combinations(take_over=[True, True, True, None], label=[None, None, "x"]))
OWNED = st.sampled_from(
    combinations(take_over=[True, True, True, None], label=[None, None, "x"], exclusive=[None, True])
)
ABSENT = st.sampled_from([{}, {}, {}, {"state": "absent"}])


KNOWN = known_names(("a", "b", SECOND))


def labels(name: str) -> st.SearchStrategy[str]:
    """Ours mostly, another project's, somebody's own words, none."""
    ours = f"bridgenet:1:default:{name}"
    return st.sampled_from([ours, ours, ours, "bridgenet:1:default:x", f"bridgenet:1:other:{name}", "theirs", ""])


def _settled(draw: st.DrawFn, link: Link) -> Link:
    """A link with addresses and routes that it can have."""
    ipv6 = bool(link.ipv6) and (link.mtu or 0) >= 1280
    addresses = [one for one in draw(ADDRESSES[link.name]) if not is_ipv6(one) or (ipv6 and link.up)]
    secondary = [
        one
        for position, one in enumerate(addresses)
        if not is_ipv6(one) and any(network(other) == network(one) for other in addresses[:position])
    ]
    routes = []
    for one in sorted(draw(ROUTES[link.name]) if link.up else (), key=lambda one: "via" in one):
        reached = [*map(network, addresses), *(network(other.to) for other in routes if not other.via)]
        if is_ipv6(one["to"]) and not ipv6:
            continue
        if "via" not in one or any(ipaddress.ip_address(one["via"]) in there for there in reached):
            routes.append(route(**one))
    return dataclasses.replace(
        link,
        ipv6=ipv6,
        addresses=tuple(sorted(addresses)),
        routes=tuple(sorted(routes, key=lambda one: (one.to, one.via, one.metric))),
        secondary=tuple(secondary),
    )


MASQUERADES = [
    Masquerade(source, bridge=bridge) for source in ("10.0.0.0/16", "10.1.0.0/16", "fd00::/64") for bridge in BRIDGES
]
ENTRIES = [one.entry(backend) for one in MASQUERADES for backend in ("nftables", "iptables")]
COMMENTS = ("bridgenet:1:default:n0", "bridgenet:1:default:x", "bridgenet:1:other:n0")
FOUND_ENTRIES: st.SearchStrategy[dict[Entry, str]] = st.dictionaries(
    st.sampled_from(ENTRIES), st.sampled_from(COMMENTS), max_size=3
)
PAIRS = (("v0", "br0"), ("br0", "v0"), ("br0", "br1"))
FORWARDS = [
    *(Forward(bridge=bridge, internal=internal) for bridge in BRIDGES for internal in (False, True)),
    Forward(bridge="br0", icc=False, allow=("br1", "v0")),
    Forward(bridge="br1", routed=True, allow=("br0",)),
    *(
        Forward(*pair, both_ways)
        for pair in (("v0", "br0"), ("br0", "v0"), ("br0", "br1"))
        for both_ways in (True, False)
    ),
]
FOUND_FORWARDS = st.lists(
    st.tuples(st.sampled_from(FORWARDS), st.sampled_from(COMMENTS)), max_size=3, unique_by=lambda one: one[0].place
)
GATES = st.sampled_from([(), (_iptables.gate("iptables", "FORWARD"),), (_iptables.gate("iptables", "DOCKER-USER"),)])


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    """A host as somebody may have left it."""
    there = [
        HOST,
        *draw(st.sampled_from([chosen for chosen in _subsets(list(NAMESPACES), 3) if chosen == sorted(chosen)])),
    ]
    links: dict[str, dict[str, Link]] = {}
    for place in there:
        loopback = dataclasses.replace(LOOPBACK, up=place == HOST or draw(flags))
        if place != HOST:
            loopback = dataclasses.replace(loopback, label=draw(labels(place)))
        links[place] = {"lo": loopback}
        for name in draw(st.sampled_from([[], ["br0"], ["br1"], ["br0", "br1"]])):
            up, ipv6, _mtu, mac = draw(SHAPES)
            made = dataclasses.replace(LOOPBACK, name=name, kind="bridge", mac=mac, mtu=1500, up=up, ipv6=ipv6)
            links[place][name] = dataclasses.replace(made, bridge=draw(BRIDGE_OPTIONS), label=draw(labels(name)))
    for name in draw(st.sampled_from(_subsets(list(VETHS), 3))):
        near, far = draw(st.sampled_from(there)), draw(st.sampled_from(there))
        other = draw(st.sampled_from(PEERS))
        if name in links[near] or other in links[far]:
            continue
        label, at_near = draw(labels(name)), draw(st.sampled_from([True, True, False]))
        for place, one, peer, own in ((near, name, (far, other), at_near), (far, other, (near, name), not at_near)):
            up, ipv6, mtu, mac = draw(SHAPES)
            masters = [bridge.name for bridge in links[place].values() if bridge.kind == "bridge"]
            # Below IPv6's MTU a port takes IPv6 off its bridge; that is refused, so none is there.
            master = draw(st.sampled_from(["", *masters])) if mtu >= 1280 else ""
            links[place][one] = dataclasses.replace(
                LOOPBACK,
                name=one,
                kind="veth",
                mac=mac,
                mtu=mtu,
                up=up,
                ipv6=ipv6,
                label=label if own else "",
                master=master,
                port=draw(PORT_OPTIONS) if master else None,
                peer=peer,
            )
    for name in draw(st.sampled_from([[], [], ["t0"], ["t1"], ["t0", "t1"]])):
        place, options = draw(st.sampled_from(there)), draw(TUN_OPTIONS)
        up, ipv6, mtu, mac = draw(SHAPES)
        made = dataclasses.replace(
            LOOPBACK, name=name, kind="tun", tun=options, persistent=True, label=draw(labels(name))
        )
        made = dataclasses.replace(made, mac=mac if options.mode == "tap" else "", mtu=mtu, up=up, ipv6=ipv6)
        masters = [bridge.name for bridge in links[place].values() if bridge.kind == "bridge"]
        if options.mode == "tap" and mtu >= 1280 and masters and draw(flags):
            made = dataclasses.replace(made, master=draw(st.sampled_from(masters)), port=draw(PORT_OPTIONS))
        links[place][name] = made
    for name in draw(st.sampled_from([[], [], ["x0"], ["x1"], ["x0", "x1"]])):
        place, (vxlan, flood) = draw(st.sampled_from(there)), draw(VXLAN_OPTIONS[name])
        up, ipv6, mtu, mac = draw(SHAPES)
        made = dataclasses.replace(LOOPBACK, name=name, kind="vxlan", mac=mac, mtu=mtu, up=up, ipv6=ipv6)
        made = dataclasses.replace(made, vxlan=vxlan, flood=flood, label=draw(labels(name)))
        masters = [bridge.name for bridge in links[place].values() if bridge.kind == "bridge"]
        if mtu >= 1280 and masters and draw(flags):
            made = dataclasses.replace(made, master=draw(st.sampled_from(masters)), port=draw(PORT_OPTIONS))
        links[place][name] = made
    for place in there:
        for link in list(links[place].values()):
            if link.kind == "bridge":
                smallest = min((one.mtu or 0 for one in links[place].values() if one.master == link.name), default=1500)
                link = dataclasses.replace(link, mtu=draw(st.sampled_from([smallest, smallest, 1450])))
            links[place][link.name] = _attached(draw, _settled(draw, link)) if link.kind else link
    entries = draw(FOUND_ENTRIES)
    published = standing(draw(FOUND_PUBLICATIONS))
    entries.update(published)
    for one, comment in draw(FOUND_FORWARDS):
        entries.update(dict.fromkeys(one.elements(), comment))
    entries.update(dict.fromkeys(draw(GATES), _iptables.GATE_COMMENT))  # where the host needed one once
    nft, _rules = split(entries)
    switches = draw(st.integers(0, 255))
    values = {
        FORWARD4: str(switches & 1),
        FORWARD6: str(switches >> 1 & 1),
        "net/ipv4/conf/all/accept_redirects": str(switches >> 2 & 1),
        "net/ipv4/conf/default/forwarding": str(switches >> 3 & 1),
        "net/ipv4/conf/x/forwarding": str(switches >> 4 & 1),
        "net/ipv6/conf/x/forwarding": str(switches >> 5 & 1),
        "net/ipv6/conf/x/accept_ra": str((switches >> 6 & 3) % 3),
    }
    values.update({LOCALNET.format(name): draw(st.sampled_from("001")) for name in ("default", *BRIDGES)})
    values.update({LOCALNET.format(one.key[0]): "1" for one in published if one.set == "localnet"})
    values = {key: value for key, value in values.items() if _stands(key, links[HOST])}
    inside = {"net/ipv4/ip_forward": draw(st.sampled_from("01"))}
    originals = draw(
        st.sampled_from(
            [
                {},
                {FORWARD4: Original("0", "1"), "net/ipv4/conf/x/forwarding": Original("1", "1")},
                {FORWARD6: Original("0", "1"), "net/ipv6/conf/x/accept_ra": Original("1", "2")},
            ]
        )
    )
    names = {place: place for place in there[1:]}
    if there[1:] and draw(flags):
        names[SECOND] = draw(st.sampled_from(there[1:]))
        loopback = links[names[SECOND]]["lo"]
        if loopback.label:
            ours = draw(st.sampled_from(["", f",{SECOND}"]))
            links[names[SECOND]]["lo"] = dataclasses.replace(loopback, label=f"{loopback.label}={names[SECOND]}{ours}")
    originals = {**originals, **{LOCALNET.format(one.key[0]): Original("0", "1") for one in published if draw(flags)}}
    originals = {key: one for key, one in originals.items() if _stands(key, links[HOST])}
    return Host(
        namespaces={place: Namespace(place, links[place], values if place == HOST else inside) for place in there},
        names=names,
        firewall=Firewall(entries, listing(nft) if nft else "", gates=draw(GATES)),
        names_known=draw(KNOWN),
        originals=originals,
        fresh={"net/ipv4/ip_forward": "0"},
    )


def _attached(draw: st.DrawFn, link: Link) -> Link:
    """With its VLANs, where it has some, and how it queues."""
    vlans, qdisc = draw(ATTACHED)
    return dataclasses.replace(link, vlans=vlans if link.kind == "bridge" or link.master else (), qdisc=qdisc)


def _stands(key: str, links: Mapping[str, Link]) -> bool:
    """A sysctl of a bridge goes with it."""
    return not key.endswith("/route_localnet") or key.split("/")[3] in ("default", *links)


def _link(draw: st.DrawFn, name: str, place: str) -> Options:
    options: Options = {"name": name, **draw(SCALARS)}
    if place:
        options["namespace"] = place
    lists = draw(st.sampled_from(["", "addresses", "both", "routes"]))
    if lists in ("addresses", "both"):
        options["addresses"] = draw(ADDRESSES[name])
    if lists in ("routes", "both"):
        options["routes"] = draw(ROUTES[name])
    return _possible(options)


def _possible(options: Options) -> Options:
    """Without what would contradict itself in most examples, because one option rules out another."""
    if options.get("routes"):
        options["up"] = True
        on_link = [one["to"] for one in options["routes"] if "via" not in one]
        there = [network(one) for one in [*options.get("addresses", ()), *on_link]]
        options["routes"] = [
            one
            for one in options["routes"]
            if "via" not in one or any(ipaddress.ip_address(one["via"]) in reached for reached in there)
        ]
    lists = [options.get("addresses", ()), [one["to"] for one in options.get("routes", ())]]
    if any(is_ipv6(one) for found in lists for one in found):
        options["ipv6"] = True
        if options.get("mtu", 0) < 1280:
            options["mtu"] = 1400
    return options


@st.composite
def declarations(
    draw: st.DrawFn, current: Host | None = None, netem: bool = True, filters_vlans: bool = True
) -> Declaration:
    """Lists of objects, as a transaction takes them, for what is there and for what comes with them.

    `netem` and `filters_vlans` are what not every kernel has.
    """
    vlans = DECLARED_VLANS if filters_vlans else st.just({})
    filtering = DECLARED_FILTERING if filters_vlans else st.just({})
    found: Declaration = {}
    found["netns"] = [
        {
            "name": name,
            **draw(OWNED),
            **draw(ABSENT),
            **draw(
                st.sampled_from(
                    combinations(loopback=[None, True, False], sysctls=[None, {"net/ipv4/ip_forward": "1"}])
                )
            ),
        }
        for name in draw(st.sampled_from(_subsets(list(NAMESPACES), 3)))
    ]
    if draw(st.sampled_from([False, False, True])):
        found["netns"].append({"name": SECOND, "same_as": draw(st.sampled_from(NAMESPACES)), **draw(ABSENT)})
    there = dict.fromkeys([HOST, *current.names]) if current else {HOST: None}
    for one in found["netns"]:
        if one.get("state") == "absent":
            there.pop(one["name"], None)
        else:
            there[one["name"]] = None
    places = st.sampled_from(list(there))
    links = {
        (place, name): link.tun.mode if link.tun else link.kind
        for place, one in (current.namespaces if current else {}).items()
        if place in there
        for name, link in one.links.items()
        if name != "lo"
    }

    found["bridge"] = []
    for name in draw(st.sampled_from([[], ["br0"], ["br1"], ["br0", "br1"]])):
        place = draw(places)
        options = {**_link(draw, name, place), **draw(DECLARED_BRIDGES), **draw(OWNED), **draw(ABSENT)}
        found["bridge"].append({**options, **draw(filtering), **draw(vlans)})
        links[place, name] = "bridge"
    found["veth"] = []
    far_ends = set()
    for name in draw(st.sampled_from(_subsets(list(VETHS), 3))):
        place, far_place, peer = draw(places), draw(places), draw(st.sampled_from(PEERS))
        if (far_place, peer) in far_ends:
            continue
        far_ends.add((far_place, peer))
        options = {**_link(draw, name, place), **draw(OWNED), **draw(ABSENT), "peer": _link(draw, peer, far_place)}
        found["veth"].append(options)
        links[place, name] = links[far_place, peer] = "veth"
    found["tuntap"] = []
    for name in draw(st.sampled_from([[], [], ["t0"], ["t1"], ["t0", "t1"]])):
        place = draw(places)
        options = {**_link(draw, name, place), **draw(DECLARED_TUNS), **draw(OWNED), **draw(ABSENT)}
        if options["mode"] == "tun":
            options.pop("mac", None)
        found["tuntap"].append(options)
        links[place, name] = options["mode"]
    found["vxlan"] = []
    for name in draw(st.sampled_from([[], [], ["x0"], ["x1"], ["x0", "x1"]])):
        place = draw(places)
        options = {**_link(draw, name, place), **draw(DECLARED_VXLANS[name]), **draw(OWNED), **draw(ABSENT)}
        found["vxlan"].append(options)
        links[place, name] = "vxlan"
    found["bridge_port"] = []
    ends = [end for end, kind in links.items() if kind in ("veth", "tap", "vxlan")]
    for place, name in draw(st.lists(st.sampled_from(ends), max_size=3, unique=True)) if ends else ():
        masters = [end[1] for end, kind in links.items() if kind == "bridge" and end[0] == place]
        if masters:
            options = {"name": name, "namespace": place, "master": draw(st.sampled_from(masters))}
            found["bridge_port"].append({**options, **draw(DECLARED_PORTS), **draw(vlans), **draw(ABSENT)})
    found["interface"] = []
    declared = {
        (one.get("namespace", HOST), one["name"])
        for one in [*found["bridge"], *found["veth"], *found["tuntap"], *found["vxlan"]]
    } | far_ends
    others = [end for end in links if end not in declared]  # said twice, a link may be told to be up and down
    for place, name in draw(st.lists(st.sampled_from(others), max_size=1)) if others else ():
        options = {**_link(draw, name, place), **draw(ABSENT), "exclusive": draw(flags)}
        found["interface"].append(options)
    found["qdisc"] = [
        {"name": name, "namespace": place, **draw(declared_qdiscs(netem)), **draw(ABSENT)}
        for place, name in (draw(st.lists(st.sampled_from(list(links)), max_size=2, unique=True)) if links else ())
    ]
    found["netns_names"] = [
        {"name": "n0", "namespaces": members, **draw(DECLARED_NAMES)}
        for members in (draw(st.sampled_from(_subsets([name for name in there if name], 2))),)
        if members and draw(flags)
    ]
    found["publish"] = draw(declared_publications([name for place, name in links if not place]))
    found["masquerade"] = [
        {"source": one.source, "bridge": one.bridge, **options, **draw(ABSENT)}
        for one, options in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(MASQUERADES),
                    st.sampled_from(
                        combinations(
                            backend=["auto", "nftables", "iptables"], forwarding=[None, True], label=[None, "n0", "x"]
                        )
                    ),
                ),
                max_size=2,
                unique_by=lambda one: (one[0].source, one[0].bridge),
            )
        )
    ]
    found["forward"] = [
        {**one.options(), **options, **draw(ABSENT)}
        for one, options in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(FORWARDS),
                    st.sampled_from(combinations(forwarding=[None, True], label=[None, "n0"])),
                ),
                max_size=2,
                unique_by=lambda one: one[0].place,
            )
        )
    ]
    ports = [
        (place, link.name)
        for place, one in (current.namespaces if current else {}).items()
        for link in one.links.values()
        if link.master
    ]
    made = [*found["veth"], *found["tuntap"], *found["vxlan"]]
    for link in [*made, *(pair["peer"] for pair in found["veth"]), *found["interface"]]:
        if (link.get("namespace", HOST), link["name"]) in ports and link.get("mtu", 1500) < 1280:
            link["mtu"] = 1280  # in the message with which a port leaves, its bridge would still follow it
    return found


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Host, Declaration]:
    """A host, and what is declared for it."""
    current = draw(hosts())
    return current, draw(declarations(current))
