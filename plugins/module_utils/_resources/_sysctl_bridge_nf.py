# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether bridged packets pass the host's firewall: bridge-nf-call-*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._draft import Draft
from .._errors import BridgenetError
from .._model import HOST, Host
from .._reader import Scope
from ._base import STATE, Context, Options, Resource, declared_namespace, is_present

SPEC: dict[str, Any] = {
    "namespace": {"type": "str"},
    "iptables": {"type": "bool"},
    "ip6tables": {"type": "bool"},
    "arptables": {"type": "bool"},
    "load": {"type": "bool", "default": False},
    "persist": {"type": "bool"},
    **STATE,
}

_CALLS = ("iptables", "ip6tables", "arptables")
MODULE = "br_netfilter"
_SYSCTLS = "/etc/sysctl.d/90-nslab-bridgenet.conf"
_RULE = "/etc/udev/rules.d/90-nslab-bridgenet.rules"
_LOAD = "/etc/modules-load.d/nslab-bridgenet.conf"
_FILES = (_SYSCTLS, _RULE, _LOAD)

_HEAD = "# Written by nslab.bridgenet.sysctl_bridge_nf, which removes it with state: absent.\n"
# sysctl.d alone is too early where the module is loaded later: loading sets every value to 1.
_RULE_TEXT = (
    _HEAD + 'ACTION=="add", SUBSYSTEM=="module", KERNEL=="br_netfilter", '
    'RUN+="/usr/lib/systemd/systemd-sysctl --prefix=/net/bridge"\n'
)


def _key(call: str) -> str:
    return f"net/bridge/bridge-nf-call-{call}"


@dataclass(frozen=True)
class SysctlBridgeNf(Resource):
    """The three switches of one namespace."""

    namespace: str
    calls: tuple[tuple[str, bool], ...]
    load: bool
    persist: bool | None

    @property
    def what(self) -> str:
        return f"bridge-nf-call settings of {f'namespace {self.namespace!r}' if self.namespace else 'the host'}"

    def widen(self, scope: Scope) -> None:
        if self.namespace:
            scope.namespaces.add(self.namespace)
        scope.sysctls.setdefault(self.namespace, set()).update(_key(call) for call in _CALLS)
        if not self.namespace:
            scope.files.update(_FILES)

    def predict(self, draft: Draft) -> None:
        if not self.present:
            if self.namespace == HOST:
                draft.restore_host_sysctls([_key(call) for call in _CALLS])
                draft.files.update(dict.fromkeys(_FILES, ""))
            return
        draft.need(self.namespace)
        loaded = draft.current.br_netfilter or MODULE in draft.modules
        if not loaded and any(value for _call, value in self.calls):
            if not self.load:
                raise BridgenetError(
                    f"{self.what}: {MODULE} is not loaded, so bridged packets pass no firewall; say load: true to "
                    "load it for the whole host, or false"
                )
            draft.modules.append(MODULE)
            loaded = True
        if MODULE in draft.modules:  # which is just being loaded, and sets them in every namespace
            for call in _CALLS:
                draft.sysctls[self.namespace].setdefault(_key(call), "1")
        if loaded:
            for call, value in self.calls:
                self._set(draft, _key(call), "1" if value else "0")
        if self.persist is not None:
            self._persist(draft)

    def _set(self, draft: Draft, key: str, value: str) -> None:
        if draft.sysctls[self.namespace].get(key) == value:
            return
        if self.namespace == HOST:
            draft.set_host_sysctl(key, value)
        else:
            draft.sysctls[self.namespace][key] = value

    def _persist(self, draft: Draft) -> None:
        draft.files.update(dict.fromkeys(_FILES, ""))
        if self.persist:
            lines = [f"{_key(call).replace('/', '.')} = {int(value)}\n" for call, value in self.calls]
            draft.files[_SYSCTLS] = _HEAD + "".join(lines)
            draft.files[_RULE] = _RULE_TEXT
            if self.load:
                draft.files[_LOAD] = f"{_HEAD}{MODULE}\n"

    def view(self, host: Host) -> Options | None:
        namespace = host.namespaces.get(self.namespace)
        if namespace is None:
            return None
        shown: Options = {"namespace": self.namespace} if self.namespace else {}
        for call in _CALLS:
            shown[call] = namespace.sysctls.get(_key(call), "0") == "1"
        if not self.namespace:
            shown["persist"] = bool(host.files.get(_SYSCTLS))
            files = {path: host.files[path].splitlines()[1:] for path in _FILES if host.files.get(path)}
            if files:
                shown["files"] = files
        return shown


def declare(options: Mapping[str, Any], context: Context) -> SysctlBridgeNf:
    """From the options of one object."""
    namespace = declared_namespace(options)
    present = is_present(options, context)
    persist = options.get("persist")
    calls = tuple((call, bool(options[call])) for call in _CALLS if options.get(call) is not None)
    if namespace and (persist or options.get("load")):
        raise BridgenetError(
            f"namespace {namespace!r}: load and persist are for the host, a namespace does not outlive a boot; drop "
            "them"
        )
    if persist and not calls:
        raise BridgenetError("persist: true without iptables, ip6tables or arptables keeps nothing; name a value")
    return SysctlBridgeNf(present, namespace, calls, bool(options.get("load")), persist)
