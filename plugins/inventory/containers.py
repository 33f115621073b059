# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of hosts as hosts of the inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: containers
short_description: List the containers of hosts as hosts of the inventory
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Adds every container that the hosts of the inventory declare for the role
    P(nslab.bridgenet.container_bridge_network#role) as a host of its own, in which tasks run by the connection plugin
    P(nslab.bridgenet.netns#connection).
  - The name of the host is C(CONTAINER.HOST), such as V(web.lab1.example.com). Where two containers would get one name,
    or a host has it already, that is an error.
  - A container with the network mode V(host) is the host itself, under another name.
  - All containers are in the group C(containers), those of a network in C(containers_in_NETWORK), and those of a host
    in C(containers_on_HOST), with C(_) in the place of every character that the name of a group cannot have. They are
    not in the groups of their host, but C(all) means them too.
  - Every variable of the host whose name begins with C(ansible_) or C(bridgenet_) is one of its containers as well, so
    that they are reached as the host is. A template among them is evaluated for the host.
  - The file of this plugin must come after those that define the hosts. In a directory files are read in alphabetical
    order, so C(zz.bridgenet.yml) is a good name.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [nslab.bridgenet.containers]
  hosts:
    description:
      - The names of hosts and groups whose containers are listed. With O(live=true) all of them are asked.
    type: list
    elements: str
    default: [all]
  live:
    description:
      - Whether the hosts are asked what stands on them, instead of taking what is declared. Listed are the network
        namespaces that this collection has made or adopted.
      - Hosts are asked all at once, up to C(forks), each over its own connection, whenever the inventory is read. One
        that cannot be reached, or does not answer, is named in a warning.
      - A login that is not root asks through C(sudo -n /bin/sh -s) where C(bridgenet_sudo) is set. The rule in
        C(sudoers) that the connection plugin needs does not allow that.
    type: bool
    default: false
notes:
  - The name of the file must end with C(bridgenet.yml) or C(bridgenet.yaml).
  - Variables are read from the inventory and from C(group_vars) and C(host_vars) beside its files, not from those
    beside playbooks.
  - Besides, a container has the variables C(bridgenet_host), the inventory's name of the host it is on;
    C(bridgenet_namespace), its name; C(bridgenet_networks), its networks by name, each with C(ipv4_address),
    C(ipv6_address) and C(interface_name); and C(bridgenet_ipv4_address) and C(bridgenet_ipv6_address), those of the
    network that gives the default route, or else of the first by name, or V(null).
  - An address that the declaration leaves to be chosen depends on what stands on the host as well, so it is V(null)
    here. With O(live=true) it is known.
seealso:
  - plugin: nslab.bridgenet.netns
    plugin_type: connection
"""

EXAMPLES = r"""
# inventory/zz.bridgenet.yml, beside inventory/hosts.yml: what the hosts declare.
plugin: nslab.bridgenet.containers

# What stands on the hosts of one group, whatever is declared.
# plugin: nslab.bridgenet.containers
# hosts: [lab_hosts]
# live: true

# Then, from inside every container:
# ansible containers -m ansible.builtin.uri -a url=http://10.10.0.10:8000
# ansible containers_in_blue -m ansible.builtin.command -a 'ping -c 1 10.10.0.1'
"""

import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.inventory.helpers import get_group_vars, sort_groups
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.vars import combine_vars
from ansible.vars.plugins import get_vars_from_inventory_sources

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.plugin_utils import (
    _asking,
    _inventory,
    _parts,
    _readers,
    _roster,
)

try:
    from ansible.template import trust_as_template
except ImportError:  # up to ansible-core 2.18 every string of an inventory may be a template

    def trust_as_template(value: str) -> str:
        """Nothing needs to be said."""
        return value


NETWORKS = "container_bridge_network_networks"
CONTAINERS = "container_bridge_network_containers"
POOLS = "container_bridge_network_address_pools"
GROUP = "containers"

_ENDINGS = ("bridgenet.yml", "bridgenet.yaml")
_OURS = re.compile(r"^plugin\s*:\s*['\"]?nslab\.bridgenet\.containers\b", re.MULTILINE)
_WORD = re.compile(r"[\w.:/-]*")
_CARRIED = ("ansible_", "bridgenet_")
_TRANSPORTS = {"smart": "ssh", "ssh": "ssh", "local": "local"}

Variables = dict[str, Any]


class InventoryModule(BaseInventoryPlugin):
    """What Ansible looks for."""

    NAME = "nslab.bridgenet.containers"

    def verify_file(self, path: str) -> bool:
        """Whether the file is one of this plugin's, by its name."""
        if not super().verify_file(path):
            return False
        if path.endswith(_ENDINGS):
            return True
        if path.endswith((".yml", ".yaml")) and _OURS.search(Path(path).read_text(encoding="utf-8", errors="replace")):
            raise AnsibleParserError(
                f"{path} is for the inventory plugin {self.NAME}, which reads files whose names end with "
                f"{' or '.join(_ENDINGS)}; rename it, as to zz.bridgenet.yml"
            )
        return False

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add the containers."""
        super().parse(inventory, loader, path, cache=cache)
        given = self._read_config_data(path)
        # Ansible does this after the last file, and till then the group "all" has neither hosts nor variables.
        inventory.reconcile_inventory()
        try:
            for option in given:
                if option not in self.get_options():
                    raise BridgenetError(f"unknown option {option!r}; {_readers.choices(option, self.get_options())}")
            hosts = self._chosen(self.get_option("hosts"))
            listed = self._standing(hosts) if self.get_option("live") else self._declared(hosts)
            for host, containers in list(listed):
                for container in containers:
                    self._add(host, container)
        except BridgenetError as error:
            raise AnsibleParserError(f"{path}: {error}") from None  # Ansible would print every cause as well

    def _chosen(self, names: Iterable[str]) -> list[Host]:
        """The hosts that are named, or in a group that is, without those that are containers themselves."""
        if not self.inventory.hosts:
            raise BridgenetError("no host is known yet; let this file come after those that define the hosts")
        chosen: dict[str, Any] = {}
        for name in names:
            if name in self.inventory.groups:
                chosen.update((host.name, host) for host in self.inventory.groups[name].get_hosts())
            elif name in self.inventory.hosts:
                chosen[name] = self.inventory.hosts[name]
            else:
                known = [*self.inventory.groups, *self.inventory.hosts]
                raise BridgenetError(f"hosts: {name!r} is neither a group nor a host; {_readers.choices(name, known)}")
        groups = self.inventory.get_groups_dict()
        hosts = [
            Host(name, self._variables(host), {**host.get_magic_vars(), "groups": groups}, self.templar)
            for name, host in chosen.items()
        ]
        return [host for host in hosts if not host.is_container]

    def _variables(self, host: Any) -> Variables:
        """What the inventory and its group_vars and host_vars say of a host."""
        groups, sources = sort_groups(host.get_groups()), self.inventory.processed_sources
        found: Variables = {}
        for more in (
            get_group_vars(groups),
            get_vars_from_inventory_sources(self.loader, sources, groups, "all"),
            host.get_vars(),
            get_vars_from_inventory_sources(self.loader, sources, [host], "all"),
        ):
            found = combine_vars(found, more)
        return found

    # --- where the containers are ---

    def _declared(self, hosts: Iterable[Host]) -> Iterator[tuple[Host, list[_roster.Container]]]:
        for host in hosts:
            if CONTAINERS not in host.variables:
                continue
            networks, containers, pools = host.value(NETWORKS, {}), host.value(CONTAINERS), host.value(POOLS)
            try:
                share = _parts.share(host.value(_parts.INDEX), host.value(_parts.COUNT))
                yield host, _roster.declared(networks, containers, pools, share)
            except BridgenetError as error:
                raise BridgenetError(f"host {host.name!r}: {error}") from error

    def _standing(self, hosts: Iterable[Host]) -> Iterator[tuple[Host, list[_roster.Container]]]:
        known = {host.name: host for host in hosts}
        questions = [
            _asking.Question(host.name, host.transport, host.sudo, host.variables, host.value)
            for host in known.values()
        ]
        for question, answer in _asking.ask(questions, constants.DEFAULT_FORKS):
            if isinstance(answer, BridgenetError):
                self.display.warning(f"{answer}; its containers are not in the inventory")
            else:
                yield known[question.host], answer

    # --- what the inventory gets ---

    def _add(self, host: Host, container: _roster.Container) -> None:
        name = f"{container.name}.{host.name}"
        if name in self.inventory.hosts:
            raise BridgenetError(
                f"container {container.name!r} of host {host.name!r} would be the host {name!r}, which is there "
                "already; choose another name for one of the two"
            )
        networks = [f"{GROUP}_in_{place.network}" for place in container.places]
        for group in (GROUP, *networks, f"{GROUP}_on_{host.name}"):
            group = self.inventory.add_group(to_safe_group_name(group, force=True, silent=True))
            self.inventory.add_host(name, group=group)
        own = {**container.variables(), "bridgenet_host": host.name}
        if container.namespace:
            own.update(bridgenet_namespace=container.namespace, bridgenet_transport=host.transport)
            own["ansible_connection"] = _inventory.CONNECTION
        for key, value in {**host.carried, **_plain(own)}.items():
            self.inventory.set_variable(name, key, value)


def _plain(value: Any) -> Any:
    """A value in which every text that cannot be a template is as one from a file of the inventory.

    Otherwise `ansible-inventory --list` would show it to other programs with a mark that says it is no template.
    """
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return trust_as_template(value) if isinstance(value, str) and _WORD.fullmatch(value) else value


class Host:
    """A host that has containers, as the inventory knows it."""

    def __init__(self, name: str, variables: Variables, magic: Variables, templar: Any) -> None:
        self.name = name
        self.variables = variables
        self._magic = magic
        self._templar = templar

    def value(self, name: str, default: Any = None) -> Any:
        """The value of a variable."""
        self._templar.available_variables = {**self.variables, **self._magic}
        try:
            return self._templar.template(self.variables.get(name, default))
        except AnsibleError as error:
            raise BridgenetError(
                f"host {self.name!r}: {name} cannot be evaluated ({error}); use variables that the inventory has, "
                "not facts"
            ) from error

    @property
    def is_container(self) -> bool:
        """Whether this plugin has added it, for another file, or a person has written the same."""
        return _inventory.is_container(self.variables)

    @functools.cached_property
    def transport(self) -> str:
        """The connection that can carry tasks into the namespaces of the host."""
        connection = str(self.value("ansible_connection", constants.DEFAULT_TRANSPORT))
        plain = connection.removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
        if plain not in _TRANSPORTS:
            raise BridgenetError(
                f"host {self.name!r}: ansible_connection {connection!r} cannot carry tasks into a namespace, ssh and "
                "local can; use one of these, or leave the host out of `hosts`"
            )
        return _TRANSPORTS[plain]

    @property
    def sudo(self) -> bool:
        """Whether its namespaces are entered through sudo."""
        return bool(_readers.flag("bridgenet_sudo", self.value("bridgenet_sudo", False)))

    @functools.cached_property
    def carried(self) -> Variables:
        """What its containers get from it: values, and in the place of templates a reference to the host's."""
        found: Variables = {"ansible_host": _plain(self.name)} if self.transport == "ssh" else {}
        for name, value in self.variables.items():
            if name.startswith(_CARRIED):
                template = self._templar.is_template(value)
                found[name] = trust_as_template(f"{{{{ hostvars[{self.name!r}][{name!r}] }}}}") if template else value
        return found
