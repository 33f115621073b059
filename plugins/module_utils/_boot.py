# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings a network back at boot: where its script and its unit are, and the text of the unit. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from . import _files, _unit
from ._labels import Label

OBJECT = "persist"  # in the label

_ONLINE = "network-online.target"  # comes up only where somebody wants it
# After whatever brings up the host's own network, or writes to its firewall; none of them has to be there.
_AFTER = (
    "network.target",
    _ONLINE,
    "networking.service",
    "NetworkManager.service",
    "systemd-networkd.service",
    "nftables.service",
    "netfilter-persistent.service",
    "ufw.service",
    "firewalld.service",
    "docker.service",
    "libvirtd.service",
)


def name(project: str) -> str:
    """What systemd calls the unit; not as the service of a container."""
    return f"nslab-bridgenet-{project}.service"


def unit_path(project: str) -> str:
    """Its file."""
    return f"{_unit.DIRECTORY}/{name(project)}"


def script_path(project: str) -> str:
    """The file of the script."""
    return f"{_files.SCRIPTS}/{project}.sh"


def label(project: str) -> Label:
    """Whose both files are; their first lines say it."""
    return Label(project, OBJECT)


def unit(project: str, services: Sequence[str], waits: bool) -> str:
    """The unit. It takes along the services of the containers, which follow it.

    `waits` tells whether it needs links of the host itself, which networkd and others make while the boot goes on.
    """
    lines = [f"# {label(project)}", "# Written by nslab.bridgenet.transaction, which removes it with persist: false."]
    lines += ["[Unit]", f"Description=Networks of the project {project}"]
    lines += [f"After={one}" for one in _AFTER]
    lines += [f"Wants={_ONLINE}"] if waits else []
    for service in services:
        lines += [f"Wants={_unit.name(service)}", f"Before={_unit.name(service)}"]
    lines += ["", "[Service]", "Type=oneshot", "RemainAfterExit=yes", f"ExecStart=/bin/sh {script_path(project)}"]
    lines += ["", "[Install]", "WantedBy=multi-user.target"]
    return "".join(f"{line}\n" for line in lines)


def services(text: str) -> list[str]:
    """The services that a unit takes along."""
    wanted = _unit.settings(text).get("Wants", [])
    units = [wanted] if isinstance(wanted, str) else wanted
    prefix, suffix = _unit.name("\0").split("\0")
    return [one[len(prefix) : -len(suffix)] for one in units if one.startswith(prefix)]
