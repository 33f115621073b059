# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resources by the name of their module, in the order in which they are predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from .._model import Entry
from . import (
    _bridge,
    _bridge_port,
    _forward,
    _interface,
    _masquerade,
    _netns,
    _netns_names,
    _netns_service,
    _packet_log,
    _publish,
    _qdisc,
    _sysctl_bridge_nf,
    _tuntap,
    _veth,
    _vxlan,
)
from ._base import Context, Options, Resource


@dataclass(frozen=True)
class Kind:
    """A kind of resource: the argument spec of one object, and what makes a resource of its options."""

    spec: Mapping[str, Any]
    required: tuple[str, ...]
    declare: Callable[[Mapping[str, Any], Context], Resource]
    # (comment, options) of what stands in the firewall, for purge
    stale: Callable[[Mapping[Entry, str]], list[tuple[str, Options]]] | None = None


RESOURCES = {
    "sysctl_bridge_nf": Kind(_sysctl_bridge_nf.SPEC, (), _sysctl_bridge_nf.declare),
    "netns": Kind(_netns.SPEC, ("name",), _netns.declare),
    "bridge": Kind(_bridge.SPEC, ("name",), _bridge.declare),
    "veth": Kind(_veth.SPEC, ("name",), _veth.declare),
    "tuntap": Kind(_tuntap.SPEC, ("name",), _tuntap.declare),
    "vxlan": Kind(_vxlan.SPEC, ("name",), _vxlan.declare),
    "bridge_port": Kind(_bridge_port.SPEC, ("name",), _bridge_port.declare),
    "interface": Kind(_interface.SPEC, ("name",), _interface.declare),
    "qdisc": Kind(_qdisc.SPEC, ("name",), _qdisc.declare),
    "masquerade": Kind(_masquerade.SPEC, ("source",), _masquerade.declare, _masquerade.stale),
    "forward": Kind(_forward.SPEC, (), _forward.declare, _forward.stale),
    "publish": Kind(_publish.SPEC, ("host_port", "address"), _publish.declare, _publish.stale),
    "packet_log": Kind(_packet_log.SPEC, ("hook", "prefix"), _packet_log.declare, _packet_log.stale),
    "netns_names": Kind(_netns_names.SPEC, ("name",), _netns_names.declare),
    "netns_service": Kind(_netns_service.SPEC, ("name",), _netns_service.declare),
}
