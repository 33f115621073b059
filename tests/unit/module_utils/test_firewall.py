# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall as text and back: tables of nft, words of iptables, and the steps from one state to another."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils import _iptables, _nft, _nft_log
from ansible_collections.nslab.bridgenet.plugins.module_utils._draft import Draft
from ansible_collections.nslab.bridgenet.plugins.module_utils._firewall_steps import (
    AddRule,
    ChangeTable,
    DelRule,
    firewall_steps,
    guarding_steps,
)
from ansible_collections.nslab.bridgenet.plugins.module_utils._labels import Label
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import (
    HOST,
    Element,
    Entry,
    Firewall,
    Host,
    Log,
    Namespace,
    Rule,
)
from ansible_collections.nslab.bridgenet.plugins.module_utils._operation_base import Operation
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources import (
    _forward,
    _masquerade,
    _packet_log,
    _publish,
)
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._base import Context, standing
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._forward import Forward
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._masquerade import Masquerade
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._publish import Publication

COMMENT = "bridgenet:1:default:x"
GATE = _iptables.gate("iptables", "FORWARD")

names = st.sampled_from(["br0", "veth0", "ens33", "a.b-c_d", "0"])
networks4 = st.sampled_from(["10.0.0.0/8", "10.1.2.3/32", "192.168.1.0/24"])
networks6 = st.sampled_from(["fd00::/64", "fd00::1/128"])
protocols = st.sampled_from(["tcp", "udp", "sctp"])
comments = st.sampled_from([COMMENT, "bridgenet:1:a:b/c:d", ""])
elements = st.one_of(
    st.builds(lambda name, one, two: Element(name, (one, two)), st.sampled_from(["accepted", "replies"]), names, names),
    st.builds(lambda name, one: Element(name, (one,)), st.sampled_from(["bridges", "internal", "routed"]), names),
    st.builds(lambda one, net: Element("masquerade4", (one, net)), names, networks4),
    st.builds(lambda one, net: Element("masquerade_out6", (one, net)), names, networks6),
    st.builds(
        lambda protocol, value: Element("published4", (protocol, "80"), value),
        protocols,
        st.sampled_from([("10.0.0.1", "80"), ("10.0.0.2", "8080")]),
    ),
    st.builds(
        lambda protocol, value: Element("published_at6", ("fd00::1", protocol, "65535"), value),
        protocols,
        st.sampled_from([("fd00::1", "80"), ("2001:db8::a", "1")]),
    ),
    st.builds(lambda one: Element("publishers4", (one, "10.0.0.1")), names),
    st.builds(lambda one: Element("publishers6", (one, "fd00::1")), names),
)
# A map has one value for a key.
tables = st.lists(st.tuples(elements, comments), max_size=8, unique_by=lambda one: (one[0].set, one[0].key)).map(dict)
logged = st.builds(
    Log,
    hook=st.just("forward"),
    table=st.just("filter"),
    prefix=st.sampled_from(["a", "Nat-PREROUTING-1-", "seen: ", "(x) [y] <z> 1=2;3"]),
    source=st.sampled_from(["", "10.0.0.0/8"]),
    destination=st.sampled_from(["", "10.1.2.3/32"]),
    in_interface=st.sampled_from(["", "br0"]),
    out_interface=st.sampled_from(["", "ens33"]),
    protocol=st.sampled_from(["", "tcp", "icmp"]),
    group=st.sampled_from([None, 0, 5]),
)


def listed(text: str) -> str:
    """What nft would list after such `add element` lines."""
    blocks = []
    for name, body in re.findall(r"^add element inet bridgenet (\w+) \{ (.*) \}$", text, re.MULTILINE):
        kind = "map" if name in _nft.PUBLISHED else "set"
        blocks.append(f"\t{kind} {name} {{\n\t\ttype ifname\n\t\telements = {{ {body} }}\n\t}}\n")
    return f'table inet bridgenet {{\n\tcomment "bridgenet:1"\n{"".join(blocks)}}}\n'


# --- our table ---


@given(tables)
def test_table_there_and_back(table: dict[Element, str]) -> None:
    assert _nft.parse(listed(_nft.load(table, ports=True))) == table


@given(tables, tables)
def test_change_touches_only_what_differs(before: dict[Element, str], after: dict[Element, str]) -> None:
    text = _nft.change(before, after)
    kept = {one for one, comment in before.items() if after.get(one) == comment}
    added = _nft.parse(listed(text))
    assert added == {one: comment for one, comment in after.items() if one not in kept}
    deleted = _nft.parse(listed(text.replace("add element", "x").replace("delete element", "add element")))
    assert set(deleted) == {Element(one.set, one.key) for one in before if one not in kept}, "a key is enough"
    assert set(deleted.values()) <= {""}, "a comment is no part of the key"


def test_a_single_address_is_listed_without_prefix() -> None:
    listing = 'table inet bridgenet {\n\tset masquerade4 {\n\t\telements = { "br0" . 10.1.2.3 comment "c" }\n\t}\n}\n'
    assert _nft.parse(listing) == {Element("masquerade4", ("br0", "10.1.2.3/32")): "c"}


def test_elements_over_several_lines() -> None:
    body = '"a" . "b" comment "c",\n\t\t\t     "b" . "a",\n\t\t\t     "x" . "y" comment "bridgenet:1:a:b"'
    listing = f"table inet bridgenet {{\n\tset accepted {{\n\t\telements = {{ {body} }}\n\t}}\n}}\n"
    assert list(_nft.parse(listing).values()) == ["c", "", "bridgenet:1:a:b"]
    assert _nft.rules_only(listing) == "table inet bridgenet {\n\tset accepted {\n\t}\n}\n"


def test_rules_as_they_are_written() -> None:
    """However nft sets its lines, and whatever elements there are; not where a rule is another one, or missing."""
    elements = '\t\telements = { "br0" comment "bridgenet:1:default:x" }'
    listing = _nft.SKELETON.replace("    ", "\t").replace("set bridges {", f"set bridges {{\n{elements}\n")
    assert _nft.is_as_written(listing.replace("\t}\n", "\t}\n\n"), ports=True)
    assert not _nft.is_as_written(listing.replace("drop", "accept", 1), ports=True)
    assert not _nft.is_as_written(
        "".join(line for line in listing.splitlines(True) if "return" not in line), ports=True
    )
    assert not _nft.is_as_written("", ports=True)


def test_sets_of_a_later_version_are_left_alone() -> None:
    assert _nft.parse("table inet bridgenet {\n\tset later {\n\t\telements = { 1 }\n\t}\n}\n") == {}


def test_rules_are_constant() -> None:
    """However many entries there are, the rules are the same; every set is used, and every used set is there."""
    many: dict[Element, str] = {Element("bridges", (f"br{number}",)): COMMENT for number in range(1000)}
    assert _nft.load(many, ports=True).count("\n") == _nft.load(
        {Element("bridges", ("br0",)): COMMENT}, ports=True
    ).count("\n")
    assert set(re.findall(r"@(\w+)", _nft.SKELETON)) == set(_nft.SETS)


def test_a_program_without_maps_for_ports() -> None:
    """It gets the other rules, each set of which is there, and no chain that is left without a way to it."""
    assert [_nft.publishes(f"nftables v{version} (Name)") for version in ("0.9.8", "1.0.6", "1.1.3")] == [
        False,
        True,
        True,
    ]
    text = _nft.load({Element("bridges", ("br0",)): COMMENT}, ports=False)
    assert _nft.WITHOUT_PORTS in text
    assert set(re.findall(r"@(\w+)", text)) == set(_nft.SETS) - set(_nft.PUBLISHED)
    chains = re.findall(r"^    chain (\w+)", text, re.MULTILINE)
    assert set(chains) >= set(re.findall(r"goto (\w+)", text))
    assert _nft.is_as_written(_nft.WITHOUT_PORTS, ports=False)
    assert not _nft.is_as_written(_nft.WITHOUT_PORTS, ports=True)


def test_protocols_are_told_by_number() -> None:
    """nft resolves their names where /etc/protocols is there, and lists numbers where it is not."""
    element = Element("published4", ("udp", "53"), ("10.0.0.1", "53"))
    text = _nft.load({element: COMMENT}, ports=True)
    assert f'published4 {{ 17 . 53 comment "{COMMENT}" : 10.0.0.1 . 53 }}' in text
    assert _nft.parse(listed(text).replace("17 .", "udp .")) == {element: COMMENT}


# --- published ports ---

publications = st.builds(
    Publication,
    protocol=protocols,
    host_address=st.sampled_from(["", "192.0.2.1", "127.0.0.1"]),
    address=st.just("10.0.0.1"),
    host_port=st.integers(1, 65000),
    port=st.integers(1, 65000),
    count=st.integers(1, 50),
)


@given(publications)
def test_publication_there_and_back(declared: Publication) -> None:
    standing: dict[Entry, str] = dict.fromkeys(declared.elements(), COMMENT)
    assert len(standing) == declared.count
    ((comment, options),) = _publish.stale(standing)
    again = _publish.declare({**options, "state": "absent"}, Context("default", "host1"))
    assert (comment, again.publication) == (COMMENT, declared)


def test_flows_are_forgotten_by_range() -> None:
    """Of what changed, and not of TCP, whose senders notice."""
    udp = Publication("udp", "", "10.0.0.1", 8000, 80, 3)
    same = {**dict.fromkeys(udp.elements(), COMMENT)}
    tcp = Publication("tcp", "", "10.0.0.1", 8000, 80)
    at = Publication("sctp", "fd00::1", "fd00::2", 9, 9)
    after: dict[Entry, str] = {**same, **dict.fromkeys([*tcp.elements(), *at.elements()], COMMENT)}
    first, (_table, forget), last = guarding_steps(Firewall(table="x"), Firewall(after))
    assert not first
    assert not last
    assert forget.commands() == (
        'for port in $(seq 8000 8002); do conntrack -D -f ipv4 -p udp --orig-port-dst "$port" || true; done',
        "conntrack -D -f ipv6 -p sctp --orig-dst fd00::1 --orig-port-dst 9 || true",
    )
    less = Firewall({**same, **dict.fromkeys(at.elements(), COMMENT)})
    assert not firewall_steps(Firewall(after, table="x"), less)
    first, (_table,), last = guarding_steps(Firewall(after, table="x"), less)
    assert not first
    assert not last


def test_what_stands_for_an_object() -> None:
    """What is in its places, whosever it is, and what carries its label - by now, where another one took it over."""
    own, taken, place, other = (Element("bridges", (name,)) for name in ("a", "b", "c", "d"))
    label = Label("default", "x")
    firewall = Firewall({own: str(label), taken: str(label), place: "theirs", other: "theirs"})
    assert standing(firewall, label, [place]) == {own: str(label), taken: str(label), place: "theirs"}
    draft = Draft(Host({HOST: Namespace(HOST)}, firewall))
    draft.entries[taken] = "theirs"
    del draft.entries[place]
    assert standing(firewall, label, [place], draft) == {own: str(label)}


# --- what is logged ---


@given(st.dictionaries(logged, st.sampled_from([COMMENT, "bridgenet:1:a:b"]), max_size=4))
def test_logs_there_and_back(logs: dict[Log, str]) -> None:
    text = _nft_log.change({}, logs)
    chains = []
    for chain, rule in re.findall(r"^add rule inet bridgenet_log (\w+) (.*)$", text, re.MULTILINE):
        rule = rule.replace("counter", "counter packets 3 bytes 252").replace("/32 ", " ")
        chains.append(
            f"\tchain {chain} {{\n\t\ttype filter hook forward priority -20; policy accept;\n\t\t{rule}\n\t}}\n"
        )
    found = _nft_log.parse(f"table inet bridgenet_log {{\n{''.join(chains)}}}\n")
    assert found == {log: (comment, (3, 252)) for log, comment in logs.items()}


def test_a_rule_that_somebody_changed_is_none_of_ours() -> None:
    rule = f'counter packets 0 bytes 0 log prefix "a" comment "{COMMENT}"'
    chain = "\tchain forward_x {{\n\t\ttype {} hook forward priority -20; policy accept;\n\t\t{}\n\t}}\n"
    assert len(_nft_log.parse(chain.format("filter", rule))) == 1
    assert _nft_log.parse(chain.format("nat", rule)) == {}, "in nat it does not follow connections"
    assert _nft_log.parse(chain.format("filter", f"tcp dport 80 {rule}")) == {}
    assert _nft_log.parse(chain.format("filter", f"{rule}\n\t\taccept")) == {}


def test_with_the_last_log_goes_the_table() -> None:
    one = Log("forward", "filter", "a")
    assert _nft_log.change({one: COMMENT}, {}) == "add table inet bridgenet_log\ndelete table inet bridgenet_log\n"
    assert _nft_log.change({one: COMMENT}, {one: COMMENT}) == "\n"


# --- iptables ---


def saved(*commands: list[str]) -> str:
    """What `iptables -S -v` prints of rules that were appended by such commands."""
    lines = ["-P FORWARD ACCEPT -c 0 0"]
    for argv in commands:
        at = argv.index("-j")
        words = ["-A", argv[5], *argv[6:at], "-c", "7", "588", *argv[at:]]
        lines.append(shlex.join(words))
    return "\n".join(lines) + "\n"


@given(logged)
def test_rules_there_and_back(log: Log) -> None:
    for rule in _packet_log.entries(log, "iptables"):
        assert isinstance(rule, Rule)
        argv = _iptables.argv(rule, COMMENT, "-A")
        (seen,) = _iptables.parse(rule.program, rule.table, saved(["x", "-w", "-t", "filter", "-A", *argv[5:]]))
        assert (seen.rule, seen.comment, seen.place, seen.packets, seen.bytes) == (rule, COMMENT, 1, 7, 588)
        assert _packet_log.found({rule: COMMENT})[rule].log == log


def test_rules_of_others_only_count_as_places() -> None:
    ours = shlex.join(["-A", "FORWARD", "-m", "comment", "--comment", COMMENT, "-c", "0", "0", "-j", "LOG"])
    text = f"-A FORWARD -c 0 0 -j DROP\n-A INPUT -m comment --comment theirs -c 0 0 -j LOG\n{ours}\n"
    assert [(seen.rule.chain, seen.place) for seen in _iptables.parse("iptables", "filter", text)] == [("FORWARD", 2)]
    more = ours.replace(" -c 0 0", " -m mark --mark 0x1 -c 0 0")
    assert list(_iptables.parse("iptables", "filter", more)) == [], "it matches on more than we do"


@pytest.mark.parametrize(
    ("text", "chain"),
    [
        ("-P FORWARD ACCEPT -c 0 0", None),
        ("-P FORWARD DROP -c 0 0\n-N FORWARD_ZONES", None),
        ("-P FORWARD DROP -c 1 2", "FORWARD"),
        ("-P FORWARD DROP -c 1 2\n-N DOCKER-USER\n-A FORWARD -c 3 4 -j DOCKER-USER", "DOCKER-USER"),
        ("-P FORWARD ACCEPT -c 1 2\n-N DOCKER-USER\n-A FORWARD -c 3 4 -j DOCKER-USER", "DOCKER-USER"),
        ("-P FORWARD DROP -c 1 2\n-N DOCKER-USER", "FORWARD"),
        ("-P FORWARD ACCEPT -c 1 2\n-N DOCKER-USER", None),
    ],
)
def test_where_a_gate_is_needed(text: str, chain: str | None) -> None:
    found = _iptables.needed_gate("iptables", text, firewalld=False)
    assert (found.chain if found else None) == chain


@pytest.mark.parametrize("policy", ["DROP", "ACCEPT"])
def test_where_a_gate_is_needed_beside_firewalld(policy: str) -> None:
    """It puts back what it knows: nothing in Docker's own chain, which Docker makes anew."""
    docker = f"-P FORWARD {policy} -c 1 2\n-N DOCKER-USER\n-A FORWARD -c 3 4 -j DOCKER-USER"
    found = _iptables.needed_gate("iptables", docker, firewalld=True)
    assert (found.chain if found else None) == ("FORWARD" if policy == "DROP" else None)
    in_iptables = f"{docker}\n-N FORWARD_ZONES"
    assert _iptables.needed_gate("iptables", in_iptables, firewalld=True) is None, "its trusted zone stands before"
    left = _iptables.needed_gate("iptables", in_iptables, firewalld=False)
    assert left is not None
    assert left.chain == "DOCKER-USER"


# --- what a place holds ---


pairs_of_links = st.tuples(names, names).filter(lambda pair: pair[0] != pair[1])
forwards = st.one_of(
    st.builds(lambda pair, both_ways: Forward(*pair, both_ways), pairs_of_links, st.booleans()),
    st.builds(
        lambda flags, allow: Forward(bridge="br1", allow=tuple(sorted(allow)), **flags),
        st.fixed_dictionaries({"internal": st.booleans(), "icc": st.booleans(), "routed": st.booleans()}),
        st.sets(names),
    ),
)


@given(forwards)
def test_forward_there_and_back(declared: Forward) -> None:
    standing: dict[Entry, str] = dict.fromkeys(declared.elements(), COMMENT)
    ((comment, options),) = _forward.stale(standing)
    again = Forward(**options)
    assert not declared.bridge or options == declared.options()
    assert comment == COMMENT
    assert again.elements() == declared.elements()
    assert again.place == declared.place


@pytest.mark.parametrize("source", ["10.0.0.0/16", "fd00::/64"])
@pytest.mark.parametrize("where", [{"bridge": "br0"}, {"out_interface": "ens33"}])
def test_masquerade_there_and_back(source: str, where: dict[str, str]) -> None:
    declared = Masquerade(source, **where)
    for backend in ("nftables", "iptables"):
        entry = declared.entry(backend)
        found = _masquerade.found({entry: COMMENT})[entry]
        assert (found.masquerade, found.backend, found.comment) == (declared, backend, COMMENT)


# --- steps ---


def test_a_damaged_table_is_replaced() -> None:
    before = Firewall({Element("bridges", ("br0",)): COMMENT}, "table inet bridgenet {\n}\n", intact=False)
    (step,), published, last = guarding_steps(before, Firewall(before.entries))
    assert not published
    assert not last
    assert isinstance(step, ChangeTable)
    assert step.text.startswith("add table inet bridgenet\ndelete table inet bridgenet\ntable inet bridgenet {")
    assert step.back.endswith(before.table)


def changes(step: Operation) -> tuple[set[str], set[str]]:
    """The sets from which a change of the table takes, and to which it adds."""
    assert isinstance(step, ChangeTable)
    lost, gained = (re.findall(rf"^{verb} element inet bridgenet (\w+)", step.text, re.MULTILINE) for verb in VERBS)
    return set(lost), set(gained)


VERBS = ("delete", "add")
PORTS = {*_nft.PUBLISHED, "publishers4", "publishers6"}
PORT = {name: (("tcp", "80"), ("10.0.0.1", "80")) if name in _nft.PUBLISHED else ((), ()) for name in _nft.SETS}


def of_one_network(bridge: str) -> Firewall:
    """An element in every set."""
    keys = {"accepted": (bridge, bridge), "replies": (bridge, "up"), "publishers4": (bridge, "10.0.0.1")}
    elements = [
        Element(name, (bridge, *PORT[name][0]) if PORT[name][0] else keys.get(name, (bridge,)), PORT[name][1])
        for name in _nft.SETS
    ]
    return Firewall(dict.fromkeys(elements, COMMENT), "x")


def test_what_the_table_forbids_comes_first_and_goes_last() -> None:
    """With its exceptions, and with masquerade; what else it lets pass goes at once, and ports come behind links."""
    (first,), (published,), (last,) = guarding_steps(of_one_network("br0"), of_one_network("br1"))
    lasting = {*_nft.FORBIDDING, "accepted", *(name for name in _nft.SETS if name.startswith("masquerade"))}
    assert changes(first) == (set(_nft.SETS) - lasting - PORTS, set(_nft.SETS) - PORTS)
    assert changes(published) == (PORTS, PORTS)
    assert changes(last) == (lasting, set())


def test_a_network_of_another_size_is_masqueraded_in_one_change() -> None:
    """The two intervals overlap."""
    before, after = (
        Firewall({Element("masquerade4", ("br0", subnet)): COMMENT}, "x") for subnet in ("10.0.0.0/16", "10.0.0.0/17")
    )
    (first,), published, last = guarding_steps(before, after)
    assert changes(first) == ({"masquerade4"}, {"masquerade4"})
    assert not published
    assert not last


def test_all_goes_at_the_end() -> None:
    """But for published ports, when nobody is behind them any more."""
    before = of_one_network("br0")
    first, (published,), (last,) = guarding_steps(before, Firewall())
    assert not first
    assert changes(published) == (PORTS, set())
    assert last.commands() == ("printf %s 'add table inet bridgenet\ndelete table inet bridgenet\n' | nft -f -",)
    assert isinstance(last, ChangeTable)
    assert not set(re.findall(r"^add element inet bridgenet (\w+)", last.back, re.MULTILINE)) & PORTS
    without = Firewall(
        {one: COMMENT for one in before.entries if isinstance(one, Element) and one.set not in PORTS}, "x"
    )
    *nothing, (last,) = guarding_steps(without, Firewall())
    assert nothing == [[], []]
    assert isinstance(last, ChangeTable)
    assert last.back.endswith("x")


def test_rules_go_from_the_end_and_come_back_in_place() -> None:
    """Undone in reverse, each of them finds its place as it was."""
    one, two = (Rule("iptables", "filter", "FORWARD", ("-i", name), ("-j", "LOG")) for name in ("a", "b"))
    entries: dict[Entry, str] = {one: COMMENT, two: COMMENT}
    steps = firewall_steps(Firewall(entries, places={one: 2, two: 5}), Firewall())
    assert steps == [DelRule(two, COMMENT, 5), DelRule(one, COMMENT, 2)]
    assert [back.commands()[0].split()[4:7] for step in steps for back in step.undo()] == [
        ["-I", "FORWARD", "5"],
        ["-I", "FORWARD", "2"],
    ]


@pytest.mark.parametrize(("kept", "place"), [((), 0), ((1,), 2), ((3,), 3), ((1, 3), 3)])
def test_a_gate_goes_behind_what_logs(kept: tuple[int, ...], place: int) -> None:
    """Rules that stay at these places, one that goes from the second."""
    rules = {at: Rule("iptables", "filter", "FORWARD", ("-i", f"x{at}"), ("-j", "LOG")) for at in (1, 2, 3)}
    before: dict[Entry, str] = {rules[at]: COMMENT for at in (*kept, 2)}
    after: dict[Entry, str] = {**{rules[at]: COMMENT for at in kept}, GATE: _iptables.GATE_COMMENT}
    places = {rules[at]: at for at in (*kept, 2)}
    steps = firewall_steps(Firewall(before, places=places), Firewall(after))
    assert steps[-1] == AddRule(GATE, _iptables.GATE_COMMENT, place)
