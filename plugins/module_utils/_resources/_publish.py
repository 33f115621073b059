# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A published port, or a range of them: what comes to a port of the host goes to a port of a container."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import _forwarding, _labels, _names, _nft, _sysctl
from .._draft import Draft
from .._errors import BridgenetError
from .._labels import Label
from .._model import HOST, Element, Entry, Firewall, Host, Link, Listener, Place
from .._reader import Scope
from .._shown import shown_label
from ._base import STATE, Context, Options, Resource, is_present

PROTOCOLS = ("tcp", "udp", "sctp")

SPEC: dict[str, Any] = {
    "host_port": {"type": "str"},
    "address": {"type": "str"},
    "port": {"type": "str"},
    "protocol": {"type": "str", "choices": list(PROTOCOLS), "default": "tcp"},
    "host_address": {"type": "str"},
    "bridge": {"type": "str"},
    "forwarding": {"type": "bool", "default": False},
    "label": {"type": "str"},
    **STATE,
}

_ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104


@dataclass(frozen=True, order=True)
class Publication:
    """Ports of the host in a row, and those of a container in the same order; no host address is all of them."""

    protocol: str
    host_address: str
    address: str
    host_port: int
    port: int
    count: int = 1

    @property
    def family(self) -> int:
        """4 or 6."""
        return _names.family(self.address)

    @property
    def text(self) -> str:
        """How a message names it."""
        ports = _names.shown_ports(self.host_port, self.count)
        if not self.host_address:
            return f"{ports}/{self.protocol} (IPv{self.family})"
        where = f"[{self.host_address}]" if self.family == 6 else self.host_address
        return f"{where}:{ports}/{self.protocol}"

    def elements(self) -> dict[Element, int]:
        """As it stands in our table: one element for each port of the host."""
        name = f"published{'_at' if self.host_address else ''}{self.family}"
        where = (self.host_address,) if self.host_address else ()
        found = {}
        for offset in range(self.count):
            number = self.host_port + offset
            value = (self.address, str(self.port + offset))
            found[Element(name, (*where, self.protocol, str(number)), value)] = number
        return found

    def options(self) -> Options:
        """In the form of the options."""
        shown: Options = {"protocol": self.protocol}
        if self.host_address:
            shown["host_address"] = self.host_address
        shown["host_port"] = _names.shown_ports(self.host_port, self.count)
        return {**shown, "address": self.address, "port": _names.shown_ports(self.port, self.count)}


def _standing(entries: Mapping[Entry, str]) -> dict[Element, str]:
    return {
        entry: comment
        for entry, comment in entries.items()
        if isinstance(entry, Element) and entry.set in _nft.PUBLISHED
    }


def _family(element: Element) -> int:
    return int(element.set[-1])


def _publications(elements: Iterable[Element]) -> list[Publication]:
    """What elements stand for; of a range that is incomplete, its parts."""
    found: list[Publication] = []
    for one in sorted(map(_publication, elements)):
        last = found[-1] if found else None
        if last and one == dataclasses.replace(
            last, host_port=last.host_port + last.count, port=last.port + last.count, count=1
        ):
            found[-1] = dataclasses.replace(last, count=last.count + 1)
        else:
            found.append(one)
    return found


def _publication(element: Element) -> Publication:
    *where, protocol, number = element.key
    address, port = element.value
    return Publication(protocol, where[0] if where else "", address, int(number), int(port))


def stale(entries: Mapping[Entry, str]) -> list[tuple[str, Options]]:
    """(comment, options) of what stands, for purge."""
    groups: dict[tuple[str, int], list[Element]] = {}
    for element, comment in _standing(entries).items():
        groups.setdefault((comment, _family(element)), []).append(element)
    # With a label goes all that has it: one of its parts is enough.
    return [(comment, _publications(elements)[0].options()) for (comment, _family_number), elements in groups.items()]


@dataclass(frozen=True)
class PublishRule(Resource):
    """A published port or range, and the forwarding that it needs where told."""

    publication: Publication
    bridge: str
    label: Label
    forwarding: bool
    labelled: bool = False

    @property
    def what(self) -> str:
        if self.labelled and not self.present:  # its ports may become another's in the same task
            return f"publish with label {self.label.object!r} (IPv{self.publication.family})"
        return f"publish {self.publication.text}"

    @property
    def _switch(self) -> str:
        return _forwarding.SWITCH6 if self.publication.family == 6 else _forwarding.SWITCH4

    def widen(self, scope: Scope) -> None:
        scope.firewall.tables.add("filter")
        scope.firewall.gates = True
        if not self.present:
            return
        scope.firewall.backends.add("nftables")
        one = self.publication
        scope.ports.update((one.protocol, one.host_port + offset) for offset in range(one.count))
        if one.host_address:
            scope.host_addresses.add(one.host_address)
        if one.family == 4:
            keys = {_sysctl.route_localnet(self.bridge), _sysctl.route_localnet("default")}
            scope.sysctls.setdefault(HOST, set()).update(keys)
        if self.forwarding:
            scope.forwarding.add(self._switch)

    def owns(self) -> list[tuple[str, str]]:
        label = [("publish label", f"{self.label} IPv{self.publication.family}")]
        if not self.present:  # the label of what goes; its ports may be another's at the same time
            return label
        return label + [
            ("published port", f"{'/'.join(one.key)} IPv{_family(one)}") for one in self.publication.elements()
        ]

    def _labelled(self, firewall: Firewall, comment: str) -> list[Element]:
        """What carries a label; IPv4 and IPv6 are two objects."""
        found = _standing(dict.fromkeys(firewall.by_comment.get(comment, ()), comment))
        return [one for one in found if _family(one) == self.publication.family]

    def predict(self, draft: Draft) -> None:
        draft.forwards = draft.publishes = True
        firewall, mine = draft.current.firewall, str(self.label)
        wanted = self.publication.elements()
        labelled = [one for one in self._labelled(firewall, mine) if draft.entries.get(one) == mine]
        if not self.present:
            # By its ports, or whatever has its label, at whichever ports.
            for gone in labelled if self.labelled else [draft.places.get(one.place) for one in wanted]:
                draft.drop_element(gone)
            return
        if firewall.foreign:
            raise BridgenetError(f"{self.what}: the nftables table {_nft.TABLE} exists and is not ours; remove it")
        if not firewall.ports:
            raise BridgenetError(
                f"{self.what}: the nft of this host is older than 1.0 and has no maps for published ports; install "
                "nftables 1.0.6 or later (Debian 12 has it), or publish nothing on this host"
            )
        for one in wanted:
            here = draft.places.get(one.place)
            if here is not None:
                draft.claim(draft.entries[here], self.label, self.what, None)
        self._check_free(draft.current.listeners, firewall.by_place)
        for one in labelled:
            draft.drop_element(one)  # the same object, with other ports or another container
        for one in wanted:
            draft.put_element(one, mine)
        self._lead(draft)
        draft.warnings += [text for text in firewall.obstacles if text not in draft.warnings]
        if self.forwarding:
            draft.turn_on_forwarding(self._switch, self.what)

    def _lead(self, draft: Draft) -> None:
        """The way to the container: by which bridge, which has to be there."""
        if draft.find(HOST, self.bridge) is None:
            draft.assumed.append(f"interface {self.bridge}")
            draft.put(HOST, Link(self.bridge, "bridge", "", 1500, True, True, "", "", addresses=(), routes=()))
        draft.leads[f"publishers{self.publication.family}", self.publication.address] = self.bridge

    def _check_free(self, listeners: Sequence[Listener], before: Container[Place]) -> None:
        """No socket of the host may lose what comes to it: what has a port has had it first."""
        one = self.publication
        numbers = {number for element, number in one.elements().items() if element.place not in before}
        for socket in listeners:
            if socket.protocol == one.protocol and socket.port in numbers and self._meets(socket.address):
                where = f"[{socket.address}]" if _names.family(socket.address) == 6 else socket.address
                raise BridgenetError(
                    f"{self.what}: port {socket.port}/{socket.protocol} is in use on this host: "
                    f"{socket.process or 'somebody'} listens on {where}:{socket.port}; stop that, or choose another "
                    "host_port"
                )

    def _meets(self, address: str) -> bool:
        """Whether a socket at this address would lose something; one at :: gets IPv4, too, as a rule."""
        one = self.publication
        if address in (_ANY[one.family], _ANY[6]):
            return True
        if address == "::1" or _names.family(address) != one.family:
            return False
        return one.host_address in ("", address)

    def view(self, host: Host) -> Options | None:
        firewall, comment = host.firewall, str(self.label)
        # What stands at its ports is it; else what has its label, and with a label nothing else goes.
        if self.present or not self.labelled:
            found = (firewall.by_place.get(one.place) for one in self.publication.elements())
            comment = next((firewall.entries[one] for one in found if one is not None), comment)
        publications = _publications(self._labelled(firewall, comment))
        if len(publications) != 1:
            return None  # also where elements are missing: it does not do what it says
        shown = publications[0].options()
        bridge = firewall.leads.get((f"publishers{self.publication.family}", shown["address"]))
        if bridge:
            shown["bridge"] = bridge
        shown["label"] = shown_label(comment, self.label.project)
        if self.forwarding:
            shown["forwarding"] = host.namespaces[HOST].sysctls.get(self._switch) != "0"
        return shown


def missing(current: Host, predicted: Host, resources: Sequence[Resource]) -> Iterator[BridgenetError]:
    """Ports at an address that the host has not, nor gets in the same task; what stands already is not judged again."""
    rules = [one for one in resources if isinstance(one, PublishRule) and one.present]
    if not any(one.publication.host_address in current.addresses_missing for one in rules):
        return
    links = predicted.namespaces[HOST].links.values()
    coming = {address.partition("/")[0] for link in links for address in link.addresses or ()}
    for rule in rules:
        one = rule.publication
        if one.host_address not in current.addresses_missing or one.host_address in coming:
            continue
        if any(element.place not in current.firewall.by_place for element in one.elements()):
            yield BridgenetError(
                f"{rule.what}: this host has no address {one.host_address}; name one that it has, leave host_address "
                f"out for all of them, or give it that address first (net.ipv{one.family}.ip_nonlocal_bind=1 says that "
                "it comes later)"
            )


def objections(
    current: Mapping[Entry, str], predicted: Mapping[Entry, str], resources: Sequence[Resource]
) -> Iterator[BridgenetError]:
    """What only all of them together tell: one port, one owner; one container, one bridge."""
    rules = [one for one in resources if isinstance(one, PublishRule)]
    if not rules:
        return
    labels = {str(one.label) for one in rules}
    before = {element.place: comment for element, comment in _standing(current).items()}
    after = _standing(predicted)
    for element, comment in after.items():
        former = before.get(element.place, comment)
        if former != comment and former not in labels:
            label = _labels.parse(former)
            yield BridgenetError(
                f"publish {_publication(element).text} is there already, with label "
                f"{label.object if label else former!r}; make that absent in the same task, or choose another "
                "host_port"
            )
    anywhere = {element.place for element in after if "_at" not in element.set}
    for element in after:
        if "_at" in element.set and (element.set.replace("_at", ""), element.key[1:]) in anywhere:
            yield BridgenetError(
                f"publish {_publication(element).text}: that port is published at all addresses of the host as "
                "well; give one of them another host_port"
            )
    for rule in rules:
        one = rule.publication
        if not rule.present or after.keys().isdisjoint(one.elements()):
            continue  # what cannot be had leads nowhere
        if Element(f"publishers{one.family}", (rule.bridge, one.address)) not in predicted:
            yield BridgenetError(
                f"{rule.what}: {one.address} is said to be behind another bridge than {rule.bridge!r}, too; name the "
                "same bridge for all of its ports"
            )


def declare(options: Mapping[str, Any], context: Context) -> PublishRule:
    """From the options of one object."""
    host_port, protocol = str(options["host_port"]), options.get("protocol") or "tcp"
    what = f"publish {host_port}/{protocol}"
    first, count = _names.ports(f"{what}: host_port", host_port)
    port = options.get("port")
    to, to_count = (first, count) if port is None else _names.ports(f"{what}: port", str(port))
    if count != to_count:
        raise BridgenetError(
            f"{what}: host_port {host_port} is {count} ports and port {port} is {to_count}; write ranges of equal "
            "length"
        )
    address = _names.target(options["address"])
    if ipaddress.ip_address(address).is_loopback:
        raise BridgenetError(
            f"{what}: address {address!r} is a loopback, which nobody else reaches; name the address of the container "
            "on the bridge"
        )
    present = is_present(options, context)
    if present and not options.get("bridge"):
        raise BridgenetError(f"{what} has no bridge; name the one by which the host reaches {address}")
    publication = Publication(
        protocol, _host_address(what, options.get("host_address"), address), address, first, to, count
    )
    where = publication.host_address or "any"
    return PublishRule(
        present=present,
        publication=publication,
        bridge=_names.interface(options["bridge"]) if options.get("bridge") else "",
        label=context.label(options.get("label"), f"{where}:{host_port}/{protocol}"),
        forwarding=bool(options.get("forwarding")),
        labelled=options.get("label") is not None,
    )


def _host_address(what: str, value: str | None, address: str) -> str:
    """One of the host's addresses, of the container's family; "" is any of them."""
    family = _names.family(address)
    if not value or value == _ANY[family]:
        return ""
    if value in _ANY.values():
        raise BridgenetError(
            f"{what}: host_address {value!r} is of another family than address {address!r}; name an IPv{family} "
            "address of the host, or leave it out"
        )
    return _names.host_address(what, value, family)
