# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the kernel as iproute2, nft and /proc show it: nothing of the engine is used here."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from .sandbox import inside, shell

State = dict[str, Any]

# What time and traffic change, and what the kernel settles some time after the change that caused it.
_VOLATILE = re.compile(
    r".*_timer|valid_life_time|preferred_life_time|operstate|state|topology_change.*|root_id|designated_.*|tentative"
    r"|[gt]so_max_.*|fdb_n_learned"
)
# Numbers that the kernel gives in the order of creation.
_NUMBERS = ("ifindex", "link_index", "link_netnsid", "no", "id", "port")
_FLAGS = ("LOWER_UP", "NO-CARRIER", "M-DOWN")
# Directories below net that nothing here has to do with, which saves two thirds of the time.
_ELSEWHERE = ("core", "mptcp", "neigh", "unix")
_VOLATILE_SYSCTLS = re.compile(r".*nf_conntrack_count|.*tcp_fastopen_key|.*/flush|.*_secret")
_COUNTERS = re.compile(r"packets \d+ bytes \d+")
# `iptables -A` and -D leave the base chain.
_EMPTY_CHAIN = re.compile(r"\tchain \w+ \{\n\t\ttype [^\n]*\n\t\}\n")
_EMPTY_TABLE = re.compile(r"table \w+ \w+ \{\n\}\n")
_DIRECTORIES = ("/etc/sysctl.d", "/etc/udev/rules.d", "/etc/modules-load.d", "/run/nslab.bridgenet")


def _cleaned(value: Any) -> Any:
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _cleaned(item) for key, item in value.items() if not _VOLATILE.fullmatch(key)}
    if "flags" in kept:
        kept["flags"] = [flag for flag in kept["flags"] if flag not in _FLAGS]
    return kept


def links(namespace: str = "") -> list[dict[str, Any]]:
    """What `ip -d address` says."""
    with inside(namespace):
        found: list[dict[str, Any]] = json.loads(shell("ip -j -d address show"))
        return found


def link(name: str, namespace: str = "") -> dict[str, Any]:
    """One of them."""
    return next(one for one in links(namespace) if one["ifname"] == name)


def is_up(one: dict[str, Any]) -> bool:
    """Whether a link is up."""
    return "UP" in one["flags"]


def addresses(one: dict[str, Any]) -> list[str]:
    """The addresses of a link, without those that the kernel gives."""
    return [f"{found['local']}/{found['prefixlen']}" for found in one["addr_info"] if found["scope"] == "global"]


def routes(namespace: str = "") -> list[dict[str, Any]]:
    """The routes of the main table."""
    with inside(namespace):
        found: list[dict[str, Any]] = json.loads(shell("ip -j -4 route show"))
        return found + json.loads(shell("ip -j -6 route show"))


def sysctl(key: str, namespace: str = "") -> str:
    """One value, by its key in slash form."""
    with inside(namespace):
        return Path("/proc/sys", key).read_text(encoding="ascii").strip()


def _sysctls() -> dict[str, bytes]:
    found = {}
    for directory, directories, names in os.walk("/proc/sys/net"):
        directories[:] = [name for name in directories if name not in _ELSEWHERE]
        for name in names:
            path = f"{directory}/{name}"
            if _VOLATILE_SYSCTLS.fullmatch(path):
                continue
            try:
                descriptor = os.open(path, os.O_RDONLY)  # there are thousands: pathlib takes three times as long
            except PermissionError:  # write-only
                continue
            try:
                found[path] = os.read(descriptor, 4096)
            except OSError:  # not set
                continue
            finally:
                os.close(descriptor)
    return found


def _vlans() -> dict[str, Any]:
    found = json.loads(shell("bridge -j -compressvlans vlan show"))
    return {one["ifname"]: one["vlans"] for one in found if one["vlans"]}


def _qdiscs() -> list[Any]:
    """What is not the kernel's own, with the options that the kernel tells."""
    return [one for one in json.loads(shell("tc -j qdisc show")) if one.get("handle") != "0:"]


def _floods() -> list[str]:
    """Where VXLAN links send what is for everybody."""
    found = json.loads(shell("bridge -j fdb show"))
    return sorted(f"{one['ifname']} {one['dst']} {one['state']}" for one in found if one["mac"] == "00:00:00:00:00:00")


def _network() -> State:
    output = shell("printf 'address show\\nroute show table all\\nrule show\\n' | ip -j -d -batch -")
    found_links, found_routes, rules = [_cleaned(json.loads(line)) for line in output.splitlines()]
    for one in found_links:
        kept = [address for address in one["addr_info"] if address["scope"] != "link"]
        one["addr_info"] = sorted(kept, key=lambda address: (address.get("secondary", False), address["local"]))
    settled = [
        route
        for route in found_routes
        if route.get("table") == "main" and not route["dst"].startswith("fe80:") and route.get("type") != "multicast"
    ]
    for route in settled:
        route["flags"] = [flag for flag in route["flags"] if flag not in ("linkdown", "dead")]
    bridges = [
        one["linkinfo"]["info_data"] for one in found_links if one.get("linkinfo", {}).get("info_kind") == "bridge"
    ]
    return {
        "links": {one["ifname"]: one for one in found_links},
        # iproute2 tells the default of a kernel that can filter VLANs.
        "vlans": _vlans() if any("vlan_default_pvid" in one for one in bridges) else {},
        "routes": sorted(json.dumps(route, sort_keys=True) for route in settled),
        "rules": rules,
        "floods": _floods() if any(one.get("linkinfo", {}).get("info_kind") == "vxlan" for one in found_links) else [],
        "qdiscs": _qdiscs() if any(one.get("qdisc") in ("tbf", "netem") for one in found_links) else [],
        "sysctls": _sysctls(),
    }


def nft() -> str:
    """All rules of nftables, without counters."""
    return _COUNTERS.sub("packets N bytes N", shell("nft list ruleset"))


def iptables() -> str:
    """The rules of iptables, whose comments nft does not show."""
    saved = shell("iptables-save; ip6tables-save")
    return "".join(line for line in saved.splitlines(keepends=True) if line.startswith("-A"))


def namespaces() -> dict[str, int]:
    """Name -> inode."""
    return {path.name: path.stat().st_ino for path in sorted(Path("/run/netns").iterdir())}


def files() -> dict[str, str]:
    """Path -> content of what the engine may write."""
    found = sorted(path for name in _DIRECTORIES if Path(name).is_dir() for path in Path(name).iterdir())
    found += sorted(Path("/etc/netns").glob("*/*"))
    return {str(path): path.read_text(encoding="utf-8") for path in found if path.is_file()}


def state() -> State:
    """Everything, in every namespace."""
    inodes = namespaces()
    found: State = {"nft": nft(), "iptables": iptables(), "files": files(), "inodes": inodes, "": _network()}
    for name in inodes:
        with inside(name):
            found[name] = _network()
    return found


def portable(found: State) -> State:
    """A state without what differs between two machines of the same make."""
    kept: State = _without_numbers({**found, "inodes": sorted(found["inodes"])})
    kept["nft"] = _EMPTY_TABLE.sub("", _EMPTY_CHAIN.sub("", kept["nft"]))
    return kept


def _without_numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_numbers(item) for key, item in value.items() if key not in _NUMBERS}
    return value


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """What differs, as `place: before -> after`."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [*before, *(key for key in after if key not in before)]
        return [
            line
            for key in keys
            for line in differences(before.get(key), after.get(key), f"{path}/{key}" if path else repr(key))
        ]
    return [] if before == after else [f"{path}: {before!r} -> {after!r}"]


def same(before: State, after: State, why: str = "it is not as it was") -> None:
    """Fail with the differences."""
    __tracebackhide__ = True
    found = differences(before, after)
    assert not found, "\n".join([f"{why}:", *found])
