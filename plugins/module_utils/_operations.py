# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations on namespaces, links, addresses, routes, sysctls and files."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _files, _names, _programs, _sysctl
from ._draft import IPV6_MIN_MTU
from ._errors import BridgenetError
from ._model import DEFAULTS, HOST, NEW_BRIDGE, BridgeOptions, Link, Original, PortOptions, Route
from ._netlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    RTM_DELADDR,
    RTM_DELROUTE,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWNSID,
    RTM_NEWROUTE,
    Message,
    require_pyroute2,
)
from ._operation_base import NetlinkOperation, Operation, Step, ip_words

if TYPE_CHECKING:
    from ._kernel import Kernel

_IFF_UP = 1
_NEW = NLM_F_CREATE | NLM_F_EXCL
_IFA_F_NODAD = 0x02  # linux/if_addr.h: declared addresses need no detection of duplicates
_RT_TABLE_MAIN, _RTPROT_STATIC, _RTN_UNICAST, _RT_SCOPE_LINK = 254, 4, 1, 253

_BRIDGE_ATTRS = {
    "stp": ("IFLA_BR_STP_STATE", "stp_state"),
    "forward_delay": ("IFLA_BR_FORWARD_DELAY", "forward_delay"),
    "ageing_time": ("IFLA_BR_AGEING_TIME", "ageing_time"),
    "vlan_filtering": ("IFLA_BR_VLAN_FILTERING", "vlan_filtering"),
    "nf_call_iptables": ("IFLA_BR_NF_CALL_IPTABLES", "nf_call_iptables"),
    "nf_call_ip6tables": ("IFLA_BR_NF_CALL_IP6TABLES", "nf_call_ip6tables"),
    "nf_call_arptables": ("IFLA_BR_NF_CALL_ARPTABLES", "nf_call_arptables"),
}
_PORT_ATTRS = {
    "isolated": ("IFLA_BRPORT_ISOLATED", "isolated"),
    "hairpin": ("IFLA_BRPORT_MODE", "hairpin"),
    "cost": ("IFLA_BRPORT_COST", "cost"),
    "priority": ("IFLA_BRPORT_PRIORITY", "priority"),
    "learning": ("IFLA_BRPORT_LEARNING", "learning"),
    "bpdu_guard": ("IFLA_BRPORT_GUARD", "guard"),
    "neigh_suppress": ("IFLA_BRPORT_NEIGH_SUPPRESS", "neigh_suppress"),
}


def unless_made(namespace: str, link: Link, command: str) -> str:
    """A guarded command: every link that we make has a MAC address by which it is known as ours."""
    return f"{shlex.join(['made', link.name, str(link.mac), *([namespace] if namespace else [])])} || {command}"


def _declared(options: Any, names: Mapping[str, tuple[str, str]]) -> list[tuple[str, str, int]]:
    """(netlink attribute, word of iproute2, value) of the options that have a value."""
    found = []
    for name, (attribute, word) in names.items():
        value = getattr(options, name)
        if value is not None:
            found.append((attribute, word, int(value)))
    return found


# --- namespaces ---


@dataclass(frozen=True)
class CreateNamespace(Step):
    """A namespace with its loopback set up and labelled, then published under its name."""

    name: str
    label: str
    loopback: bool

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        require_pyroute2()

    def perform(self, kernel: Kernel) -> None:
        change = SetLink(
            self.name, "lo", (("up", False), ("label", "")), (("up", self.loopback), ("label", self.label))
        )
        kernel.create_namespace(self.name, [change])

    def commands(self) -> tuple[str, ...]:
        loopback = ["link", "set", "dev", "lo", "alias", self.label, "up" if self.loopback else "down"]
        return (shlex.join(["ip", "netns", "add", self.name]), shlex.join(ip_words(self.name) + loopback))

    def guarded(self) -> tuple[str, ...]:
        loopback = shlex.join([*ip_words(self.name), "link", "set", "dev", "lo", "up"])
        return (shlex.join(["namespace", self.name, self.label]), *([loopback] if self.loopback else []))

    def undo(self) -> tuple[Operation, ...]:
        return (DeleteNamespace(self.name),)


@dataclass(frozen=True)
class DeleteNamespace(Step):
    """Take the name away. The namespace itself is held until the whole run has succeeded."""

    name: str

    def perform(self, kernel: Kernel) -> None:
        kernel.withdraw_namespace(self.name)

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(["ip", "netns", "del", self.name]),)

    def undo(self) -> tuple[Operation, ...]:
        return (PublishNamespace(self.name),)


@dataclass(frozen=True)
class AttachNamespace(Step):
    """Publish a namespace that exists under a name, or under one more."""

    name: str
    namespace: str
    path: str  # where it is found
    pid: int = 0  # a process that has it, 0 where it is found by path

    def perform(self, kernel: Kernel) -> None:
        kernel.attach_namespace(self.namespace, self.name)

    def commands(self) -> tuple[str, ...]:
        if self.pid:
            return (shlex.join(["ip", "netns", "attach", self.name, str(self.pid)]),)
        # iproute2 attaches by process only: one that is inside attaches itself.
        itself = ["sh", "-c", 'exec ip netns attach "$0" "$$"', self.name]
        return (shlex.join(["nsenter", f"--net={self.path}", *itself]),)

    def guarded(self) -> tuple[str, ...]:
        return (shlex.join(["second_name", self.name, self.namespace]),)

    def undo(self) -> tuple[Operation, ...]:
        return (DeleteNamespace(self.name),)


@dataclass(frozen=True)
class SetNsid(NetlinkOperation):
    """The id that this namespace has for another one. The kernel never takes it back, so this is not undone."""

    name: str
    number: int

    def message(self, kernel: Kernel) -> Message:
        attrs = [("NETNSA_NSID", self.number), ("NETNSA_FD", kernel.descriptor(self.name))]
        return Message("nsid", RTM_NEWNSID, 0, {"rtgen_family": 0}, attrs)

    def words(self) -> list[str]:
        return ["netns", "set", self.name, str(self.number)]

    def guarded(self) -> tuple[str, ...]:
        # It complains of a file without a namespace, which a crash left.
        return (f"ip netns list-id 2>/dev/null | grep -q '^nsid {self.number} ' || {self.commands()[0]}",)

    def undo(self) -> tuple[Operation, ...]:
        return ()


@dataclass(frozen=True)
class PublishNamespace(Step):
    """Give a withdrawn namespace its name back."""

    name: str

    def perform(self, kernel: Kernel) -> None:
        kernel.publish_namespace(self.name)

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(["ip", "netns", "add", self.name]),)

    def undo(self) -> tuple[Operation, ...]:
        return (DeleteNamespace(self.name),)


# --- links ---


def require_kind(kernel: Kernel, kind: str) -> None:
    """BridgenetError where the kernel cannot make this kind of link."""
    require_pyroute2()
    if not kernel.socket(HOST).knows(kind):
        raise BridgenetError(
            f"this kernel cannot make a {kind}; install a kernel with the module {kind}, or load it: `modprobe {kind}`"
        )


@dataclass(frozen=True)
class CreateVeth(NetlinkOperation):
    """A veth pair, both ends in place, in one message."""

    near: Link
    far_namespace: str
    far: Link

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        require_kind(kernel, "veth")

    def message(self, kernel: Kernel) -> Message:
        far: list[tuple[str, Any]] = [
            ("IFLA_IFNAME", self.far.name),
            ("IFLA_ADDRESS", self.far.mac),
            ("IFLA_MTU", self.far.mtu),
        ]
        if self.far_namespace != self.namespace:
            far.append(("IFLA_NET_NS_FD", kernel.descriptor(self.far_namespace)))
        peer = {"index": 0, "flags": 0, "change": 0, "attrs": far}
        data = {"attrs": [("VETH_INFO_PEER", peer)]}
        attrs: list[tuple[str, Any]] = [
            ("IFLA_IFNAME", self.near.name),
            ("IFLA_ADDRESS", self.near.mac),
            ("IFLA_MTU", self.near.mtu),
        ]
        if self.near.master:
            attrs.append(("IFLA_MASTER", kernel.index(self.namespace, self.near.master)))
        attrs.append(("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", "veth"), ("IFLA_INFO_DATA", data)]}))
        flags = _IFF_UP if self.near.up else 0
        return Message("link", RTM_NEWLINK, _NEW, {"index": 0, "flags": flags, "change": _IFF_UP}, attrs)

    def words(self) -> list[str]:
        words = ["link", "add", "name", self.near.name, "address", str(self.near.mac), "mtu", str(self.near.mtu)]
        words += ["master", self.near.master] if self.near.master else []
        words += ["up"] if self.near.up else []
        words += ["type", "veth", "peer", "name", self.far.name, "address", str(self.far.mac), "mtu", str(self.far.mtu)]
        if self.far_namespace != self.namespace:
            words += ["netns", self.far_namespace]
        return words

    def guarded(self) -> tuple[str, ...]:
        return (unless_made(self.namespace, self.near, self.commands()[0]),)

    def undo(self) -> tuple[Operation, ...]:
        return (DeleteLinks(self.namespace, (self.near.name,), ()),)


@dataclass(frozen=True)
class CreateBridge(NetlinkOperation):
    """A bridge, still down: ports join a bridge faster before it is up."""

    link: Link

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        require_kind(kernel, "bridge")

    def _options(self) -> list[tuple[str, str, int]]:
        """Only what differs from a new bridge: a kernel may lack what nobody asks for, VLAN filtering for one."""
        options = self.link.bridge or NEW_BRIDGE
        differing = {
            name: names for name, names in _BRIDGE_ATTRS.items() if getattr(options, name) != getattr(NEW_BRIDGE, name)
        }
        return _declared(options, differing)

    def message(self, kernel: Kernel) -> Message:
        data = [(attribute, value) for attribute, _word, value in self._options()]
        info = {"attrs": [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", {"attrs": data})]}
        attrs = [("IFLA_IFNAME", self.link.name), ("IFLA_ADDRESS", self.link.mac), ("IFLA_LINKINFO", info)]
        return Message("link", RTM_NEWLINK, _NEW, {"index": 0, "flags": 0, "change": 0}, attrs)

    def words(self) -> list[str]:
        words = ["link", "add", "name", self.link.name, "address", str(self.link.mac), "type", "bridge"]
        for _attribute, word, value in self._options():
            words += [word, str(value)]
        return words

    def guarded(self) -> tuple[str, ...]:
        return (unless_made(self.namespace, self.link, self.commands()[0]),)

    def undo(self) -> tuple[Operation, ...]:
        return (DeleteLinks(self.namespace, (self.link.name,), ()),)


@dataclass(frozen=True)
class DeleteLinks(Step):
    """Links of one namespace; together, because one by one each takes 20 ms."""

    namespace: str
    names: tuple[str, ...]
    again: tuple[Operation, ...]  # what makes them anew, with all that they had

    @classmethod
    def require(cls, kernel: Kernel) -> None:
        require_pyroute2()

    def perform(self, kernel: Kernel) -> None:
        kernel.delete_links(self.namespace, self.names)

    def commands(self) -> tuple[str, ...]:
        return tuple(shlex.join([*ip_words(self.namespace), "link", "del", "dev", name]) for name in self.names)

    def undo(self) -> tuple[Operation, ...]:
        return self.again


Fields = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class SetLink(NetlinkOperation):
    """Fields of one link: mac, mtu, up, label, master ("" is none)."""

    link: str
    before: Fields
    after: Fields
    again: tuple[Operation, ...] = ()  # what the kernel forgets: options of a port that leaves, IPv6 below its MTU

    @property
    def takes_along(self) -> bool:
        return any(
            (name == "up" and not value) or (name == "mtu" and value < IPV6_MIN_MTU) for name, value in self.after
        )

    def message(self, kernel: Kernel) -> Message:
        fields = {"index": 0, "flags": 0, "change": 0}
        attrs: list[tuple[str, Any]] = [("IFLA_IFNAME", self.link)]
        for name, value in self.after:
            if name == "up":
                fields["flags"], fields["change"] = int(value), _IFF_UP
            elif name == "mac":
                attrs.append(("IFLA_ADDRESS", value))
            elif name == "mtu":
                attrs.append(("IFLA_MTU", value))
            elif name == "label":
                attrs.append(("IFLA_IFALIAS", value))
            else:
                attrs.append(("IFLA_MASTER", kernel.index(self.namespace, value) if value else 0))
        return Message("link", RTM_NEWLINK, 0, fields, attrs)

    def words(self) -> list[str]:
        words = ["link", "set", "dev", self.link]
        for name, value in self.after:
            if name == "up":
                words.append("up" if value else "down")
            elif name == "master" and not value:
                words.append("nomaster")
            else:
                words += [{"mac": "address", "label": "alias"}.get(name, name), str(value)]
        return words

    def undo(self) -> tuple[Operation, ...]:
        return (dataclasses.replace(self, before=self.after, after=self.before, again=()), *self.again)


@dataclass(frozen=True)
class SetBridge(NetlinkOperation):
    """Options of a bridge; None is left alone."""

    link: str
    before: BridgeOptions
    after: BridgeOptions

    def message(self, kernel: Kernel) -> Message:
        data = [(attribute, value) for attribute, _word, value in _declared(self.after, _BRIDGE_ATTRS)]
        info = {"attrs": [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", {"attrs": data})]}
        attrs = [("IFLA_IFNAME", self.link), ("IFLA_LINKINFO", info)]
        return Message("link", RTM_NEWLINK, 0, {"index": 0, "flags": 0, "change": 0}, attrs)

    def words(self) -> list[str]:
        words = ["link", "set", "dev", self.link, "type", "bridge"]
        for _attribute, word, value in _declared(self.after, _BRIDGE_ATTRS):
            words += [word, str(value)]
        return words

    def undo(self) -> tuple[Operation, ...]:
        return (dataclasses.replace(self, before=self.after, after=self.before),)


@dataclass(frozen=True)
class SetPort(NetlinkOperation):
    """Options of a bridge port; None is left alone."""

    link: str
    before: PortOptions
    after: PortOptions

    def message(self, kernel: Kernel) -> Message:
        data = [(attribute, value) for attribute, _word, value in _declared(self.after, _PORT_ATTRS)]
        info = {"attrs": [("IFLA_INFO_SLAVE_KIND", "bridge"), ("IFLA_INFO_SLAVE_DATA", {"attrs": data})]}
        attrs = [("IFLA_IFNAME", self.link), ("IFLA_LINKINFO", info)]
        return Message("link", RTM_NEWLINK, 0, {"index": 0, "flags": 0, "change": 0}, attrs)

    def words(self) -> list[str]:
        words = ["link", "set", "dev", self.link, "type", "bridge_slave"]
        for attribute, word, value in _declared(self.after, _PORT_ATTRS):
            numeric = attribute in ("IFLA_BRPORT_COST", "IFLA_BRPORT_PRIORITY")
            words += [word, str(value) if numeric else ("on" if value else "off")]
        return words

    def undo(self) -> tuple[Operation, ...]:
        return (dataclasses.replace(self, before=self.after, after=self.before),)


# --- addresses and routes ---


@dataclass(frozen=True)
class _AddressOperation(NetlinkOperation):
    link: str
    address: str

    def _fields(self, kernel: Kernel) -> tuple[dict[str, int], list[tuple[str, Any]]]:
        plain, length = self.address.split("/")
        family = 10 if _names.family(self.address) == 6 else 2
        fields = {"family": family, "prefixlen": int(length), "index": kernel.index(self.namespace, self.link)}
        return fields, [("IFA_LOCAL", plain), ("IFA_ADDRESS", plain)]


@dataclass(frozen=True)
class AddAddress(_AddressOperation):
    """An address; an IPv6 one without duplicate address detection, which costs over a second."""

    first: bool = False  # of its link: taken back, it takes IPv4 routes along

    @property
    def takes_along(self) -> bool:
        return self.first

    def message(self, kernel: Kernel) -> Message:
        fields, attrs = self._fields(kernel)
        if fields["family"] == 10:
            attrs.append(("IFA_FLAGS", _IFA_F_NODAD))
        return Message("address", RTM_NEWADDR, _NEW, fields, attrs)

    def words(self) -> list[str]:
        return self._words("add")

    def _words(self, verb: str) -> list[str]:
        nodad = ["nodad"] if _names.family(self.address) == 6 else []
        return ["address", verb, self.address, "dev", self.link, *nodad]

    def guarded(self) -> tuple[str, ...]:
        return (shlex.join(ip_words(self.namespace) + self._words("replace")),)

    def undo(self) -> tuple[Operation, ...]:
        return (DelAddress(self.namespace, self.link, self.address),)


@dataclass(frozen=True)
class DelAddress(_AddressOperation):
    """An address less."""

    @property
    def takes_along(self) -> bool:
        return True

    def message(self, kernel: Kernel) -> Message:
        fields, attrs = self._fields(kernel)
        return Message("address", RTM_DELADDR, 0, fields, attrs)

    def words(self) -> list[str]:
        return ["address", "del", self.address, "dev", self.link]

    def undo(self) -> tuple[Operation, ...]:
        return (AddAddress(self.namespace, self.link, self.address),)


@dataclass(frozen=True)
class _RouteOperation(NetlinkOperation):
    link: str
    route: Route

    def _message(self, kernel: Kernel, kind: int, flags: int) -> Message:
        ipv6 = _names.family(self.route.to + self.route.via) == 6
        target, _slash, length = ("", "", "0") if self.route.to in DEFAULTS else self.route.to.partition("/")
        fields = {
            "family": 10 if ipv6 else 2,
            "dst_len": int(length),
            "table": _RT_TABLE_MAIN,
            "proto": _RTPROT_STATIC if kind == RTM_NEWROUTE else 0,
            "scope": 0 if ipv6 or self.route.via else _RT_SCOPE_LINK,
            "type": _RTN_UNICAST,
        }
        attrs: list[tuple[str, Any]] = [("RTA_DST", target)] if target else []
        if self.route.via:
            attrs.append(("RTA_GATEWAY", self.route.via))
        attrs.append(("RTA_OIF", kernel.index(self.namespace, self.link)))
        if self.route.metric:
            attrs.append(("RTA_PRIORITY", self.route.metric))
        return Message("route", kind, flags, fields, attrs)

    def _words(self, verb: str) -> list[str]:
        words = ["route", verb, self.route.to]
        words += ["via", self.route.via] if self.route.via else []
        words += ["dev", self.link]
        words += ["metric", str(self.route.metric)] if self.route.metric else []
        return words


@dataclass(frozen=True)
class AddRoute(_RouteOperation):
    """A route of the main table."""

    def message(self, kernel: Kernel) -> Message:
        return self._message(kernel, RTM_NEWROUTE, _NEW)

    def words(self) -> list[str]:
        return [*self._words("add"), "proto", "static"]

    def guarded(self) -> tuple[str, ...]:
        return (shlex.join([*ip_words(self.namespace), *self._words("replace"), "proto", "static"]),)

    def undo(self) -> tuple[Operation, ...]:
        return (DelRoute(self.namespace, self.link, self.route),)


@dataclass(frozen=True)
class DelRoute(_RouteOperation):
    """A route less."""

    def message(self, kernel: Kernel) -> Message:
        return self._message(kernel, RTM_DELROUTE, 0)

    def words(self) -> list[str]:
        return self._words("del")

    def undo(self) -> tuple[Operation, ...]:
        return (AddRoute(self.namespace, self.link, self.route),)


# --- sysctls, modules, files ---


@dataclass(frozen=True)
class SetSysctl(Step):
    """A sysctl of one namespace; `followers` are the values that the kernel changes with it."""

    namespace: str
    key: str
    before: str
    after: str
    followers: tuple[tuple[str, str], ...] = ()

    def perform(self, kernel: Kernel) -> None:
        with kernel.inside(self.namespace):
            _sysctl.write(self.key, self.after)

    def commands(self) -> tuple[str, ...]:
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        return (shlex.join([*inside, "sysctl", "-qw", f"{self.key}={self.after}"]),)

    def guarded(self) -> tuple[str, ...]:
        # Its module may be loaded later, or never.
        there = "[ ! -e /proc/sys/net/bridge ] || " if self.key.startswith("net/bridge/") else ""
        return (f"{there}{self.commands()[0]}",)

    def undo(self) -> tuple[Operation, ...]:
        back: list[Operation] = [SetSysctl(self.namespace, self.key, self.after, self.before)]
        back += [RestoreSysctl(self.namespace, key, value) for key, value in self.followers]
        return tuple(back)


@dataclass(frozen=True)
class RestoreSysctl(Step):
    """Give a sysctl its earlier value back, where it is still there and has another one."""

    namespace: str
    key: str
    value: str

    def perform(self, kernel: Kernel) -> None:
        with kernel.inside(self.namespace):
            if _sysctl.read_all([self.key]).get(self.key, self.value) != self.value:
                _sysctl.write(self.key, self.value)

    def commands(self) -> tuple[str, ...]:
        return SetSysctl(self.namespace, self.key, "", self.value).commands()

    def undo(self) -> tuple[Operation, ...]:
        return ()


@dataclass(frozen=True)
class LoadModule(Step):
    """A kernel module. It stays: others may use it by now, so this is not undone."""

    name: str

    def perform(self, kernel: Kernel) -> None:
        _programs.load_module(self.name)

    def commands(self) -> tuple[str, ...]:
        return (shlex.join(["modprobe", "--", self.name]),)

    def undo(self) -> tuple[Operation, ...]:
        return ()


@dataclass(frozen=True)
class WriteFile(Step):
    """A whole small file; "" is no file."""

    path: str
    before: str
    after: str

    def perform(self, kernel: Kernel) -> None:
        _files.write(self.path, self.after)

    def commands(self) -> tuple[str, ...]:
        if not self.after:
            return (shlex.join(["rm", "-f", self.path]),)
        put = shlex.join(["install", "-D", "-m", "0644", "/dev/stdin", self.path])
        return (f"printf %s {shlex.quote(self.after)} | {put}",)

    def undo(self) -> tuple[Operation, ...]:
        return (WriteFile(self.path, self.after, self.before),)


@dataclass(frozen=True)
class RecordOriginals(Step):
    """Note down the host's own sysctls before our first write. No kernel state, hence no command."""

    before: tuple[tuple[str, Original], ...]
    after: tuple[tuple[str, Original], ...]

    def perform(self, kernel: Kernel) -> None:
        _files.write(_files.ORIGINALS, _files.originals_text(dict(self.after)))

    def commands(self) -> tuple[str, ...]:
        return ()

    def undo(self) -> tuple[Operation, ...]:
        return (RecordOriginals(self.after, self.before),)
