# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A named network namespace."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import _labels, _names, _sysctl
from .._draft import NEW_LOOPBACK, Draft, switched
from .._errors import BridgenetError
from .._labels import Label
from .._model import HOST, NO_IPV6_ALL, NO_IPV6_DEFAULT, Host, Source
from .._reader import Scope
from .._shown import shown_label
from .._touched import Touched
from ._base import NAMESPACES, OWNED, SECOND_NAMES, STATE, Context, Options, Patience, Resource, is_present

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "loopback": {"type": "bool"},
    "sysctls": {"type": "dict"},
    "exclusive": {"type": "bool", "default": False},
    "nsid": {"type": "int"},
    "adopt": {
        "type": "dict",
        "options": {
            "pid": {"type": "int"},
            "path": {"type": "path"},
            "podman": {"type": "str"},
            "docker": {"type": "str"},
        },
    },
    "same_as": {"type": "str"},
    "absent_when_held": {"type": "str", "choices": ["fail", "detach"]},
    "wait": {"type": "int"},
    **OWNED,
    **STATE,
}

_ALIAS_BYTES = 255  # IFALIASZ - 1, linux/if.h
_NAMED = 8  # holders in one message


@dataclass(frozen=True)
class Netns(Resource):
    """A namespace: its names, its loopback, its label, its id, and sysctls inside."""

    name: str
    label: Label
    loopback: bool | None = None
    sysctls: Mapping[str, str] = field(default_factory=dict)
    exclusive: bool = False
    nsid: int | None = None
    adopt: Source | None = None
    same_as: str = ""
    patience: Patience = field(default_factory=Patience)
    take_over: bool = False
    labelled: bool = False  # the label was given, so absent insists on it

    @property
    def what(self) -> str:
        return f"namespace {self.name!r}"

    @property
    def stage(self) -> int:
        return SECOND_NAMES if self.same_as else NAMESPACES

    def widen(self, scope: Scope) -> None:
        scope.namespaces.add(self.name)
        scope.firewall.ports = scope.firewall.ports or bool(self.publishers())
        scope.sysctls.setdefault(self.name, set()).update(self.sysctls, map(_sysctl.model, self.sysctls))
        scope.names = scope.names or self.exclusive or not self.present
        if not self.present:
            scope.leaving.add(self.name)
            return
        scope.enclosed.update(self.encloses())
        scope.nsids = scope.nsids or self.nsid is not None
        if self.adopt:
            scope.adoptions[self.name] = self.adopt
        if self.same_as:
            scope.namespaces.add(self.same_as)
            scope.seconds.add(self.name)

    def owns(self) -> list[tuple[str, str]]:
        return [("netns", self.name)]

    def keeps(self) -> list[tuple[str, str]]:
        return [*self.owns(), *([("netns", self.same_as)] if self.present and self.same_as else [])]

    def second_names(self) -> dict[str, str]:
        return {self.name: self.same_as} if self.present and self.same_as else {}

    def encloses(self) -> list[str]:
        return [self.name] if self.present and self.exclusive else []

    def publishers(self) -> list[str]:
        return [self.name] if self.exclusive or not self.present else []

    def predict(self, draft: Draft) -> None:
        if not self.present:
            if draft.is_published(self.name):
                self._leave(draft)
            draft.forget_names(self.name, self.label.project)
            return
        if self.adopt or self.same_as:
            key = self._join(draft)
        elif draft.is_published(self.name):
            key = draft.key(self.name)
        else:
            key = self._create(draft)
        if key == HOST:
            raise BridgenetError(
                f"{self.what} is the host's own namespace; adopt that of a process or container with one of its own, "
                "or choose another name"
            )
        loopback = draft.links[key]["lo"]
        text = self._label(draft, key, loopback.label or "")
        up = loopback.up if self.loopback is None else self.loopback
        if (text, up) != (loopback.label, loopback.up):
            draft.put(key, loopback.but(label=text, up=up))
        self._set_nsid(draft, key)
        known = draft.current.namespaces.get(key)
        self._set_sysctls(draft, key, known.sysctls if known else draft.current.fresh)

    # --- present ---

    def _create(self, draft: Draft) -> str:
        up = True if self.loopback is None else self.loopback
        text = str(dataclasses.replace(self.label, names=(self.name,)))
        draft.links[self.name] = {"lo": NEW_LOOPBACK.but(up=up, label=text, ipv6=draft.current.ipv6)}
        draft.sysctls[self.name] = {}
        draft.publish(self.name, self.name)
        return self.name

    def _join(self, draft: Draft) -> str:
        """A name for a namespace that exists, or that this very task makes."""
        if self.adopt:
            key = draft.current.adoptees[self.name].key
            meant = f"that of {self.adopt.text}"
        else:
            draft.need(draft.key(self.same_as))
            if not draft.is_published(self.same_as):
                raise BridgenetError(
                    f"{self.what}: namespace {self.same_as!r}, of which it is to be a second name, is to be absent; "
                    "declare both absent, or both present"
                )
            key = draft.key(self.same_as)
            meant = repr(self.same_as)
        if not draft.is_published(self.name):
            draft.publish(self.name, key)
        elif draft.key(self.name) != key:
            self._move(draft, key, meant)
        return key

    def _move(self, draft: Draft, key: str, meant: str) -> None:
        """The name of a namespace that was adopted passes on: its container was started anew."""
        old = draft.key(self.name)
        loopback = draft.links[old]["lo"]
        label = _labels.parse(loopback.label or "")
        if not self.adopt or label is None or not label.adopted or label.published([self.name]) != label.names:
            raise BridgenetError(
                f"{self.what} exists and is another one than {meant}; remove that name first (state: absent), or "
                "choose another name"
            )
        draft.may_remove(str(label), self.label, self.what)
        draft.put(old, loopback.but(label=""))
        for link in list(draft.links[old].values()):
            far = draft.find(*link.peer) if link.peer else None
            if any(end and _labels.parse(end.label or "") for end in (link, far)):
                draft.drop(old, link.name)
        draft.withdraw(self.name)
        draft.publish(self.name, key)

    def _label(self, draft: Draft, key: str, text: str) -> str:
        """The alias of the loopback: whose the namespace is, and all our names of it."""
        label = _labels.parse(text)
        foreign = bool(self.adopt or self.same_as)
        if label is None or label.project != self.label.project:
            if foreign and text:
                return text  # somebody else's, and so is the namespace
            if not foreign:
                draft.claim(text, self.label, self.what, self.take_over)
            label = dataclasses.replace(self.label, names=(self.name,), adopted=foreign)
        else:
            names = label.published(draft.names[key])
            names = names if self.name in names else (*names, self.name)
            owned = self.label.object if names[0] == self.name else label.object
            label = dataclasses.replace(label, object=owned, names=names)
        if len(str(label)) > _ALIAS_BYTES:
            raise BridgenetError(
                f"{self.what}: its label {str(label)!r} has {len(str(label))} bytes, the alias of a loopback has room "
                f"for {_ALIAS_BYTES}; choose shorter names, or a shorter label"
            )
        return str(label)

    def _set_nsid(self, draft: Draft, key: str) -> None:
        if self.nsid is None:
            return
        known = draft.current.namespaces.get(key)
        before = draft.nsids.get(key, known.nsid if known else None)
        if before == self.nsid:
            return
        if before is not None and before >= 0:
            raise BridgenetError(
                f"{self.what} has the nsid {before} already, which the kernel never changes; declare nsid: {before}, "
                "or drop it"
            )
        if self.nsid in draft.current.nsids or self.nsid in draft.nsids.values():
            whose = draft.current.nsids.get(self.nsid) or next(
                (name for name, number in draft.nsids.items() if number == self.nsid), ""
            )
            raise BridgenetError(
                f"{self.what}: the nsid {self.nsid} is that of {f'namespace {whose!r}' if whose else 'another one'}; "
                "choose a free one"
            )
        draft.nsids[key] = self.nsid

    def _set_sysctls(self, draft: Draft, key: str, known: Mapping[str, str]) -> None:
        values = draft.sysctls[key]
        for name, value in self.sysctls.items():
            if _sysctl.model(name) not in known:
                raise BridgenetError(
                    f"{self.what}: this kernel has no sysctl {name} that can be set inside a namespace; correct or "
                    "drop it"
                )
            values[name] = value
        if NO_IPV6_ALL in self.sysctls and NO_IPV6_DEFAULT in values and NO_IPV6_DEFAULT not in self.sysctls:
            values[NO_IPV6_DEFAULT] = values[NO_IPV6_ALL]  # the kernel sets both
        current = draft.current.namespaces.get(key)
        if NO_IPV6_ALL in self.sysctls and current and current.sysctls.get(NO_IPV6_ALL) != values[NO_IPV6_ALL]:
            for link in list(draft.links[key].values()):
                draft.put(key, switched(link, draft.current.ipv6 and values[NO_IPV6_ALL] == "0"))

    # --- absent ---

    def _leave(self, draft: Draft) -> None:
        """The name goes, with the second names where it is the owner's; the namespace, where nobody else has it."""
        key = draft.key(self.name)
        if key == HOST:
            draft.withdraw(self.name)
            return
        loopback = draft.links[key]["lo"]
        text = loopback.label or ""
        draft.may_remove(text, self.label if self.labelled else None, self.what)
        label = _labels.parse(text)
        names = label.published(draft.names[key]) if label else ()
        gone = names if names and names[0] == self.name else (self.name,)
        for name in gone:
            draft.withdraw(name)
            draft.forget_names(name, self.label.project)
        adopted = self.adopt is not None or (label is not None and label.adopted)
        if draft.names[key] or adopted:
            stay = tuple(name for name in names if name not in gone)
            if label and names:
                text = str(dataclasses.replace(label, names=stay)) if stay else ""
                draft.put(key, loopback.but(label=text))
        elif not self._lives_on(draft, key):
            draft.drop_namespace(key)

    def _lives_on(self, draft: Draft, key: str) -> bool:
        """Whether somebody holds a namespace that is to go; that is allowed where it is to be detached."""
        inode = draft.current.namespaces[key].inode
        held = draft.current.holders.get(inode)
        if held is None:
            draft.going[inode] = max(self.patience.wait, draft.going.get(inode, 0))
            return False
        if not held.holders:
            return False
        who = ", ".join(holder.text for holder in held.holders[:_NAMED])
        if len(held.holders) > _NAMED:
            who += f" and {len(held.holders) - _NAMED} more"
        if self.patience.when_held == "detach":
            draft.warnings.append(f"{self.what} loses its name, but lives on, held by {who}")
            return True
        if self.patience.wait and held.waited is None:
            draft.warnings.append(f"{self.what} is held by {who}; a run waits {self.patience.wait} seconds for that")
            return False
        after = f" after {self.patience.wait} seconds" if self.patience.wait else ""
        raise BridgenetError(
            f"{self.what} is still held{after} by {who}; end that, give it time by wait: SECONDS, or say "
            "absent_when_held: detach to remove the name only"
        )

    def is_touched(self, what: Touched) -> bool:
        return self.name in what.names

    def view(self, host: Host) -> Options | None:
        namespace = host.namespaces.get(host.names.get(self.name, ""))
        if namespace is None or self.name not in host.names:
            return None
        shown: Options = {"name": self.name, "loopback": bool(namespace.links["lo"].up)}
        label = _labels.parse(namespace.label)
        if namespace.label:
            shown["label"] = shown_label(namespace.label, self.label.project)
        names = label.published(host.names) if label else ()
        if names and label and label.adopted:
            shown["adopted"] = True
        if self.name in names[1:]:
            shown["same_as"] = names[0]
        elif names[1:]:
            shown["second_names"] = list(names[1:])
        if self.nsid is not None and namespace.nsid is not None:
            shown["nsid"] = namespace.nsid
        if self.sysctls:
            shown["sysctls"] = {key: namespace.sysctls.get(key, "") for key in sorted(self.sysctls)}
        return shown


def _source(name: str, options: Mapping[str, Any]) -> Source:
    given = {kind: value for kind, value in options.items() if value is not None}
    if len(given) != 1:
        what = " and ".join(sorted(given)) or "nothing"
        raise BridgenetError(f"namespace {name!r}: adopt names {what}; say exactly one of pid, path, podman and docker")
    kind, value = next(iter(given.items()))
    if kind == "pid" and value < 1:
        raise BridgenetError(f"namespace {name!r}: adopt names the pid {value}; the pid of a process is 1 or more")
    if kind == "path" and not value.startswith("/"):
        raise BridgenetError(f"namespace {name!r}: adopt names the path {value!r}; write it from the root, with a '/'")
    if kind in ("podman", "docker"):
        _names.container(value)
    return Source(kind, str(value))


def _patience(name: str, options: Mapping[str, Any], context: Context) -> Patience:
    wait = options.get("wait")
    wait = context.patience.wait if wait is None else wait
    if wait < 0:
        raise BridgenetError(f"namespace {name!r}: wait {wait} is negative; give a number of seconds, 0 for none")
    return Patience(options.get("absent_when_held") or context.patience.when_held, wait)


def declare(options: Mapping[str, Any], context: Context) -> Netns:
    """From the options of one object."""
    name = _names.namespace(options["name"])
    sysctls = {_sysctl.key(key): _sysctl.text(value) for key, value in (options.get("sysctls") or {}).items()}
    nsid, adopt, same_as = options.get("nsid"), options.get("adopt"), options.get("same_as")
    if nsid is not None and not 0 <= nsid < 2**31:
        raise BridgenetError(f"namespace {name!r}: nsid {nsid} is out of range: 0 to 2147483647 are possible")
    if adopt and same_as:
        raise BridgenetError(f"namespace {name!r}: adopt and same_as exclude each other; drop one of them")
    if same_as == name:
        raise BridgenetError(f"namespace {name!r}: same_as names itself; name another namespace")
    return Netns(
        present=is_present(options, context),
        name=name,
        label=context.label(options.get("label"), name),
        loopback=options.get("loopback"),
        sysctls=sysctls,
        exclusive=bool(options.get("exclusive")),
        nsid=nsid,
        adopt=_source(name, adopt) if adopt is not None else None,
        same_as=_names.namespace(same_as) if same_as else "",
        patience=_patience(name, options, context),
        take_over=bool(options.get("take_over")),
        labelled=options.get("label") is not None,
    )
