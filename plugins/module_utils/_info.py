# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host looks like, as data: the module netns_info. It only reads."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from . import _labels, _names, _namespaces
from ._errors import BridgenetError
from ._kernel import Kernel
from ._model import HOST, Link, Namespace
from ._reader import Scope, read
from ._resources._base import shown_link


def info_module() -> None:
    """The whole of the module `netns_info`."""
    module = AnsibleModule(
        argument_spec={"names": {"type": "list", "elements": "str"}},
        supports_check_mode=True,
    )
    names = module.params["names"]
    try:
        if names is not None:
            names = [name if name == HOST else _names.namespace(name) for name in names]
        namespaces = describe(names)
    except BridgenetError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, namespaces=namespaces)


def describe(names: Collection[str] | None) -> list[dict[str, Any]]:
    """The namespaces of those names, the host's own first; None is all. All are read: a peer may be anywhere."""
    if os.geteuid() != 0:
        raise BridgenetError("networks and namespaces can only be read by root; use `become: true`")
    with Kernel() as kernel:
        published = _namespaces.published()
        host = read(kernel, Scope(namespaces=set(published)))
        inodes = {HOST: _namespaces.inode(kernel.home), **published}
    return [
        _namespace(namespace, inodes[name])
        for name, namespace in host.namespaces.items()
        if names is None or name in names
    ]


def _namespace(namespace: Namespace, inode: int) -> dict[str, Any]:
    return {
        "name": namespace.name,
        "inode": inode,
        **_label(namespace.label),
        "links": [_link(link) for link in namespace.links.values()],
    }


def _link(link: Link) -> dict[str, Any]:
    shown = shown_link(link, "", "")
    shown.update(kind=link.kind, index=link.index, master=link.master, **_label(link.label or ""))
    if link.peer:
        shown["peer"] = {"name": link.peer[1], "namespace": link.peer[0]}
    return shown


def _label(text: str) -> dict[str, str]:
    label = _labels.parse(text)
    return {"project": label.project if label else "", "label": label.object if label else ""}
