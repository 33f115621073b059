# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that brings a network back at boot. Pure.

It is what a plan does on an empty host, each step so that it may be started again: by whom it
was made shows in labels and MAC addresses, as the engine has them.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from . import _boot, _files, _forwarding, _nft, _sysctl
from ._firewall_steps import AddRule, BindInterfaces, ChangeTable, KeepRule
from ._model import HOST
from ._operation_base import NetlinkOperation, Operation
from ._operations import AttachNamespace, CreateBridge, CreateNamespace, CreateVeth, LoadModule, SetNsid, SetSysctl
from ._operations_flows import ForgetFlows
from ._operations_tun import CreateTun
from ._operations_vxlan import CreateVxlan

_HEAD = r"""
# Brings back what was declared, on a host where nothing of it stands; started again, it does no harm.
# Written by nslab.bridgenet.transaction, which removes it with persist: false.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C
record=%s

fail() {
    echo "$*; remove it, and start this again" >&2
    exit 1
}

# Lines "KEY BEFORE OURS": what the host had before our first write comes back with the last of what was made.
remember() {
    mkdir -p "${record%%/*}"
    awk -v record="$record" '
        function keep(key, before, ours) {
            if (key in kept) return
            kept[key] = before "\", \"" ours
            keys[++count] = key
        }
        BEGIN { while ((getline line < record) > 0) if (split(line, word, "\"") == 7) keep(word[2], word[4], word[6]) }
        { keep($1, $2, $3) }
        END {
            for (number = 1; number <= count; number++)
                printf "%%s \"%%s\": [\"%%s\"]", (number > 1 ? ",\n" : "{\n"), keys[number], kept[keys[number]]
            print "\n}"
        }' >"$record.new"
    mv "$record.new" "$record"
}

# KEY OURS: the line for a setting that is there.
was() {
    [ ! -e "/proc/sys/$1" ] || echo "$1 $(cat "/proc/sys/$1") $2"
}

# KEY VALUE [BEFORE]: a setting of the host itself.
setting() {
    if [ $# -eq 3 ]; then
        echo "$1 $3 $2" | remember
    elif [ -e "/proc/sys/$1" ] && [ "$(cat "/proc/sys/$1")" != "$2" ]; then
        was "$1" "$2" | remember
    fi
    [ ! -e "/proc/sys/$1" ] || sysctl -qw "$1=$2"
}

# IPv4 forwarding, and what the kernel changes with it.
forward4() {
    [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ] || return 0
    {
        was net/ipv4/ip_forward 1
        was net/ipv4/conf/all/accept_redirects 0
        for path in /proc/sys/net/ipv4/conf/*/forwarding; do
            [ "$path" = /proc/sys/net/ipv4/conf/all/forwarding ] || was "${path#/proc/sys/}" 1
        done
    } | remember
    sysctl -qw net/ipv4/ip_forward=1
}

# The same of IPv6; a router goes on hearing router advertisements only where accept_ra is 2.
forward6() {
    [ "$(cat /proc/sys/net/ipv6/conf/all/forwarding)" = 0 ] || return 0
    {
        for path in /proc/sys/net/ipv6/conf/*/accept_ra; do
            [ "$(cat "$path")" != 1 ] || was "${path#/proc/sys/}" 2
        done
        for path in /proc/sys/net/ipv6/conf/*/forwarding; do
            was "${path#/proc/sys/}" 1
        done
    } | remember
    for path in /proc/sys/net/ipv6/conf/*/accept_ra; do
        [ "$(cat "$path")" != 1 ] || echo 2 >"$path"
    done
    sysctl -qw net/ipv6/conf/all/forwarding=1
}

# NAME LABEL: a namespace. One that has no label and nothing that is up was not finished.
namespace() {
    if loopback=$(ip -n "$1" -o link show dev lo 2>/dev/null); then
        case $loopback in
            *" alias $2") return ;;
            *" alias "*) fail "namespace $1 exists and is not ours" ;;
        esac
        [ -z "$(ip -n "$1" -o link show up)" ] || fail "namespace $1 exists and is not ours"
    else
        rm -f "/run/netns/$1"
        ip netns add "$1"
    fi
    ip -n "$1" link set dev lo alias "$2"
}

# NAME OTHER: one more name for a namespace.
second_name() {
    [ ! "/run/netns/$1" -ef "/run/netns/$2" ] || return 0
    ! ip -n "$1" link show dev lo >/dev/null 2>&1 || fail "namespace $1 exists and is another one than $2"
    rm -f "/run/netns/$1"
    nsenter --net="/run/netns/$2" sh -c 'exec ip netns attach "$0" "$$"' "$1"
}

# NAME MAC [NAMESPACE]: whether a link is there, which by its MAC address is ours.
made() {
    link=$(ip ${3:+-n "$3"} -o link show dev "$1" 2>/dev/null) || return 1
    case $link in
        *" $2 "*) ;;
        *) fail "interface $1 exists${3:+ in namespace $3} and is not ours" ;;
    esac
}

# NAME [NAMESPACE]: whether a tun or tap is there that is ours, by its label, or that was only begun.
made_tun() {
    link=$(ip ${2:+-n "$2"} -d -o link show dev "$1" 2>/dev/null) || return 1
    case $link in
        *" alias bridgenet:1:"*) ;;
        *" alias "* | *",UP,"* | *",UP>"*) fail "interface $1 exists${2:+ in namespace $2} and is not ours" ;;
        *" persist on"*) ;;
        *) fail "interface $1 exists${2:+ in namespace $2} and is not ours" ;;
    esac
}

# One at a time, as every change of this host's network.
exec 9</proc/self/ns/net
# Not for ever: a task may hold it that waits for a service, which systemd starts after this script.
flock -w 120 9 || { echo "another change of this host's networks takes longer than 120 seconds" >&2; exit 1; }
"""


def script(
    project: str, operations: Iterable[Operation], modules: Iterable[str], settings: Mapping[str, str], ports: bool
) -> str:
    """The script of what a plan does on an empty host.

    `settings` are those that the host gets back, with its own value where that is known: a file in /etc may have set
    ours before. `ports` tells whether this host's nft can publish any.
    """
    lines = [f"# {_boot.label(project)}", (_HEAD % shlex.quote(_files.ORIGINALS)).strip("\n")]
    for heading, commands in _groups(list(operations), modules, settings, ports):
        lines += ["", f"# {heading}", *commands]
    return "\n".join(lines) + "\n"


def _groups(
    operations: Sequence[Operation], modules: Iterable[str], settings: Mapping[str, str], ports: bool
) -> Iterator[tuple[str, list[str]]]:
    """(what a comment says, lines): the firewall first, so that it stands when the first packet passes."""
    loads = [line for name in modules for line in LoadModule(name).guarded()]
    if loads:
        yield "Kernel modules", loads
    walls = [line for one in operations if isinstance(one, (ChangeTable, AddRule)) for line in one.guarded()]
    if any(isinstance(one, ChangeTable) and f" {_nft.TABLE} " in one.text for one in operations):
        table = f"nft list table {_nft.TABLE} >/dev/null 2>&1 || nft -f - <<'END'\n{_nft.skeleton(ports)}END"
        walls.insert(0, table)
    if walls:
        yield "The firewall", walls
    title, lines, about = "", list[str](), set[tuple[str, str]]()
    # firewalld keeps its own in files, and there are no flows yet.
    elsewhere = (ChangeTable, AddRule, BindInterfaces, KeepRule, ForgetFlows)
    for one in operations:
        if isinstance(one, elsewhere):
            continue
        found = _heading(one)
        subjects = _subjects(one)
        if not found and not subjects & about:
            found = _again(subjects)
        if found and found != title:
            if lines:
                yield title, lines
            title, lines, about = found, [], set()
        about |= subjects
        lines += _host_setting(one, settings) if isinstance(one, SetSysctl) else one.guarded()
    if lines:
        yield title, lines


def _heading(one: Operation) -> str:
    """What begins something new."""
    if isinstance(one, (CreateNamespace, AttachNamespace)):
        return f"Namespace {one.name}"
    if isinstance(one, (CreateBridge, CreateVxlan)):
        kind = "Bridge" if isinstance(one, CreateBridge) else "VXLAN link"
        return f"{kind} {_at(one.namespace, one.link.name)}"
    if isinstance(one, CreateVeth):
        near, far = _at(one.namespace, one.near.name), _at(one.far_namespace, one.far.name)
        return f"Pair: {near}, {far}"
    return f"Device {_at(one.namespace, one.name)}" if isinstance(one, CreateTun) else ""


def _again(subjects: set[tuple[str, str]]) -> str:
    """What goes on with something that was begun before, or is about the host."""
    namespace, interface = next(iter(subjects), (HOST, ""))
    if interface:
        return f"Interface {_at(namespace, interface)}"
    return f"Namespace {namespace}" if namespace else "The host"


def _subjects(one: Operation) -> set[tuple[str, str]]:
    """The (namespace, link) that a step is about; without a link, all of the namespace."""
    if isinstance(one, (CreateNamespace, AttachNamespace)):
        return {(one.name, "lo"), (one.name, "")}
    if isinstance(one, SetNsid):
        return {(one.name, "")}
    if isinstance(one, (CreateBridge, CreateVxlan)):
        return {(one.namespace, one.link.name)}
    if isinstance(one, CreateVeth):
        return {(one.namespace, one.near.name), (one.far_namespace, one.far.name)}
    if isinstance(one, CreateTun):
        return {(one.namespace, one.name)}
    if isinstance(one, SetSysctl):
        return {(one.namespace, _sysctl.of_interface(one.key))}
    found = getattr(one, "link", None)
    return {(one.namespace, found)} if isinstance(one, NetlinkOperation) and isinstance(found, str) else set()


def _at(namespace: str, link: str) -> str:
    return f"{link} in namespace {namespace}" if namespace else link


def _host_setting(one: SetSysctl, settings: Mapping[str, str]) -> tuple[str, ...]:
    """A setting that the host gets back, or any other one."""
    if one.namespace != HOST or one.key not in settings:
        return one.guarded()
    if one.key in _forwarding.SWITCHES:
        return ("forward4" if one.key == _forwarding.SWITCH4 else "forward6",)
    before = settings[one.key]
    return (shlex.join(["setting", one.key, one.after, *([before] if before else [])]),)
