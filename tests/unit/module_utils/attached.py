# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategies for what hangs on links and namespaces: VLANs, queueing, names, and published ports."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils import _known_names, _labels, _qdisc
from ansible_collections.nslab.bridgenet.plugins.module_utils._known_names import KnownNames
from ansible_collections.nslab.bridgenet.plugins.module_utils._labels import Label
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import Element, Qdisc, Vlan
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._publish import Publication
from ansible_collections.nslab.bridgenet.tests.unit.module_utils.memory import FIRST_VLANS

Options = dict[str, Any]

# --- VLANs ---

_FOUND_VLANS = [
    FIRST_VLANS,
    (),
    (Vlan(1), Vlan(10, True, True)),
    (Vlan(10, True), Vlan(20), Vlan(21), Vlan(22, False, True)),
]
DECLARED_VLANS = st.sampled_from(
    [
        {},
        {},
        *(
            {"vlans": vlans, **exclusive}
            for vlans in (
                [],
                [{"vid": "10", "pvid": True, "untagged": True}],
                [{"vid": "1"}, {"vid": "20-22"}],
                [{"vid": "1", "untagged": True}, {"vid": "7", "pvid": True}, {"vid": "21-22", "untagged": True}],
            )
            for exclusive in ({}, {"exclusive": True})
        ),
    ]
)

# --- queueing ---

_TBF = [{"rate": "10mbit"}, {"rate": "1gbit", "burst": "64kb"}]
_NETEM = [{"delay": "5ms", "loss": "1%"}, {"duplicate": "2%", "limit": 9}]


def _shapes(netem: bool) -> list[Options]:
    tbfs, netems = [None, *_TBF], [None, *(_NETEM if netem else [])]
    both = ({"tbf": tbf, "netem": emulator} for tbf, emulator in itertools.product(tbfs, netems))
    return [{name: value for name, value in one.items() if value is not None} for one in both if any(one.values())]


def declared_qdiscs(netem: bool) -> st.SearchStrategy[Options]:
    """The options of a queueing discipline; `netem` where the kernel has it."""
    return st.sampled_from(_shapes(netem))


def _shaped(options: Options) -> Qdisc:
    return Qdisc(
        _qdisc.netem("x", options["netem"]) if "netem" in options else None,
        _qdisc.tbf("x", options["tbf"]) if "tbf" in options else None,
    )


ATTACHED = st.sampled_from(
    [
        *itertools.product(_FOUND_VLANS, [Qdisc()] * 3),
        *itertools.product(_FOUND_VLANS, map(_shaped, _shapes(True))),
    ]
)

# --- names ---

_LINES = "10.0.0.2 web\n"
_HOSTS = [
    "",
    *(
        _known_names.with_block("", Label(project, name), _LINES)
        for project, name in (("default", "n0"), ("default", "x"), ("other", "n0"))
    ),
    "10.0.0.9 theirs\n",
]
_RESOLVERS = ["", _known_names.resolver(Label("default", "n0"), ["10.0.0.53"], []), "nameserver 10.9.9.9\n"]


def known_names(namespaces: Sequence[str]) -> st.SearchStrategy[KnownNames]:
    """What is in /etc/netns: nothing, or all that may be, in these namespaces."""
    files = list(itertools.product(_HOSTS, _RESOLVERS))
    shifted = [files[shift:] + files[:shift] for shift in range(len(files))]
    found = [dict(zip(namespaces, chosen)) for chosen in shifted]
    return st.sampled_from(
        [
            KnownNames(),
            *(
                KnownNames(
                    {name: hosts for name, (hosts, _resolver) in one.items()},
                    {name: resolver for name, (_hosts, resolver) in one.items()},
                )
                for one in found
            ),
        ]
    )


DECLARED_NAMES = st.sampled_from(
    [
        {**told, **options}
        for told in (
            {"hosts": {"10.0.0.2": ["web", "www"], "fd00::2": "web"}},
            {"hosts": {"10.0.0.3": "db"}, "nameservers": ["10.0.0.53"], "search": ["lab"]},
            {"nameservers": ["fd00::53"]},
        )
        for options in ({"take_over": True}, {"take_over": True}, {}, {"state": "absent"})
    ]
)

# --- published ports ---

_TARGETS = {"10.0.0.2": "br0", "10.1.0.2": "br1", "fd00::2": "br0"}  # a container, and its bridge
PUBLICATIONS = [
    (Publication(protocol, host_address, address, first, to, count), bridge)
    for address, bridge in _TARGETS.items()
    for protocol in ("tcp", "udp")
    for host_address in ("", "fd00:198::1" if ":" in address else "127.0.0.1")
    for first, to, count in ((8080, 80, 1), (9000, 80, 3), (9001, 81, 1))
    if (address, protocol) != ("10.1.0.2", "tcp") or first == 8080
]
_COMMENTS = ("bridgenet:1:default:c0/p", "bridgenet:1:default:c1/p", "bridgenet:1:other:c0/p")
FOUND_PUBLICATIONS = st.lists(
    st.tuples(st.sampled_from(PUBLICATIONS), st.sampled_from(_COMMENTS)), max_size=2, unique_by=lambda one: one[1]
)


def standing(found: Iterable[tuple[tuple[Publication, str], str]]) -> dict[Element, str]:
    """All elements of published ports, and what follows from them."""
    entries: dict[Element, str] = {}
    taken: set[object] = set()
    for (publication, bridge), comment in found:
        elements = publication.elements()
        if taken.intersection(element.place for element in elements):
            continue
        taken.update(element.place for element in elements)
        entries.update(dict.fromkeys(elements, comment))
        following = [Element(f"publishers{publication.family}", (bridge, publication.address))]
        if publication.family == 4:
            following.append(Element("localnet", (bridge,)))
        entries.update(dict.fromkeys(following, f"{_labels.MARK}publish"))
    return entries


@st.composite
def declared_publications(draw: st.DrawFn, bridges: Container[str]) -> list[Options]:
    """Published ports as options, by bridges that are there, those of one container under its label."""
    found = []
    possible = [one for one in PUBLICATIONS if one[1] in bridges]
    for publication, bridge in draw(st.lists(st.sampled_from(possible), max_size=2, unique=True)) if possible else ():
        options = {**publication.options(), "bridge": bridge}
        options.update(draw(st.sampled_from([{}, {"label": "c0/p"}, {"label": "c1/p"}, {"forwarding": True}])))
        found.append({**options, **draw(st.sampled_from([{}, {}, {}, {"state": "absent"}]))})
    return found
