# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks inside a network namespace of a host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: netns
short_description: Run tasks inside a network namespace of a host
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Runs the tasks of a play inside a named network namespace (C(/run/netns/NAME)) of a host, so that any module sees
    the links, routes and firewall of that namespace.
  - Connects to the host with P(ansible.builtin.ssh#connection) or P(ansible.builtin.local#connection), see
    O(transport), and enters as C(ip netns exec NAME) does. Files in C(/etc/netns/NAME) stand in for those in C(/etc).
  - Files are transferred to and from the file system of the host, which a network namespace shares.
  - Pipelining, connections that persist, C(become), asynchronous tasks and V(meta=reset_connection) work as they do
    without the namespace.
  - The host is unreachable while the namespace is not there, or cannot be entered. The message names the host, the
    namespace and what to do.
extends_documentation_fragment:
  - nslab.bridgenet.transport
  - connection_pipelining
options:
  namespace:
    description:
      - The name of the namespace, without it the name of the host in the inventory.
      - A name has 1 to 63 letters, digits, V(_), V(.) and V(-), and begins with a letter, a digit or V(_).
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: bridgenet_namespace
  transport:
    description:
      - The connection to the host that the namespace is on, by P(ansible.builtin.ssh#connection) or
        P(ansible.builtin.local#connection).
      - Every option of that plugin is one of this plugin as well, with the same variables. They are listed here.
    type: str
    choices: [ssh, local]
    default: ssh
    vars:
      - name: bridgenet_transport
    env:
      - name: ANSIBLE_BRIDGENET_TRANSPORT
    ini:
      - section: bridgenet_connection
        key: transport
  sudo:
    description:
      - Only root can enter a namespace. Whether a login that is not root enters through C(sudo -n), which must not ask
        for a password. For a login as root this means nothing.
      - Inside, tasks run as the login, not as root, and C(become) works as everywhere.
      - This needs C(sudo) and C(setpriv) (util-linux) on the host.
      - A rule in C(sudoers) that allows C(ip netns exec) makes the login as mighty as root.
    type: bool
    default: false
    vars:
      - name: bridgenet_sudo
    env:
      - name: ANSIBLE_BRIDGENET_SUDO
    ini:
      - section: bridgenet_connection
        key: sudo
notes:
  - Only the network is another one. What a task asks a daemon of the host to do, such as C(systemctl start), the
    daemon does outside the namespace.
  - As with C(ip netns exec), what a task mounts is gone with the task.
seealso:
  - plugin: nslab.bridgenet.containers
    plugin_type: inventory
  - module: nslab.bridgenet.netns
"""

EXAMPLES = r"""
# One task of a play inside a namespace of the host. By hand:
# ip netns exec ns2 curl http://10.10.0.10:8000
- name: Fetch a page from inside ns2
  ansible.builtin.uri:
    url: http://10.10.0.10:8000
  vars:
    ansible_connection: nslab.bridgenet.netns
    bridgenet_namespace: ns2

# A namespace as a host, for plays and for `ansible web -m ansible.builtin.ping`.
- name: Name a namespace of lab1
  ansible.builtin.add_host:
    name: web
    ansible_connection: nslab.bridgenet.netns
    ansible_host: lab1.example.com
    ansible_user: admin
    bridgenet_sudo: true # admin is not root
"""

import secrets
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.connection import ConnectionBase
from ansible.plugins.loader import connection_loader

from ansible_collections.nslab.bridgenet.plugins.module_utils import _names
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.plugin_utils._entering import Entrance

Done = tuple[int, bytes, bytes]  # exit status, output, errors


class Connection(ConnectionBase):
    """A connection to the host, with every command sent through the namespace's door."""

    transport = "nslab.bridgenet.netns"
    has_pipelining = True

    def __init__(self, play_context: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(play_context, *args, **kwargs)
        self._arguments = (args, {**kwargs, "shell": self._shell})
        self._underlying: Any = None

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        """Also those of the connection to the host, which reads the same variables."""
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        transport = self.get_option("transport")
        if self._underlying is None or self._underlying.transport != transport:
            args, kwargs = self._arguments
            self._underlying = connection_loader.get(
                f"ansible.builtin.{transport}", self._play_context, *args, **kwargs
            )
        self._underlying.set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        if transport == "local":
            # Whoever runs Ansible, whatever ansible_user says: `become` compares with this.
            self.set_option("remote_user", self._underlying.default_user)

    def set_option(self, option: str, value: Any) -> None:
        """Also that of the connection to the host."""
        super().set_option(option, value)
        if self._underlying.has_option(option):
            self._underlying.set_option(option, value)

    @property
    def _host(self) -> Any:
        """The connection to the host, up to date with what Ansible has set in this one since."""
        if self._underlying is None:
            self.set_options()
        self._underlying._play_context = self._play_context
        self._underlying.set_become_plugin(self.become)
        return self._underlying

    def is_pipelining_enabled(self, wrap_async: bool = False) -> bool:
        """As without the namespace (ansible-core 2.19 and later ask)."""
        return bool(self._host.is_pipelining_enabled(wrap_async))

    def _connect(self) -> Connection:
        """Nothing is connected before the first command, but a bad name is refused at once."""
        self._entrance()
        self._connected = True
        return self

    def _entrance(self) -> Entrance:
        try:
            namespace = _names.namespace(str(self.get_option("namespace")))
        except BridgenetError as error:
            raise AnsibleError(f"bridgenet_namespace: {error}") from None  # Ansible would print every cause as well
        local = self.get_option("transport") == "local"
        host = "localhost" if local else self.get_option("host") or self._play_context.remote_addr
        return Entrance(str(host), namespace, self.get_option("sudo"), secrets.token_hex(8))

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> Done:
        """Run a command inside."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        entrance = self._entrance()
        # While the connection waits for `become` it sends no data that could be drained.
        line = entrance.command(to_text(cmd), drain=bool(in_data) and not (sudoable and self.become))
        try:
            done: Done = self._host.exec_command(line, in_data=in_data, sudoable=sudoable)
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as error:
            # `become` did not come, or sudo at the door was taken for it: perhaps nobody was let in.
            _check(entrance, self._host.exec_command(entrance.command("true"), sudoable=False), error)
            raise
        _check(entrance, done)
        return done

    def put_file(self, in_path: str, out_path: str) -> None:
        """Onto the host's file system."""
        super().put_file(in_path, out_path)
        self._host.put_file(in_path, out_path)

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """From the host's file system."""
        super().fetch_file(in_path, out_path)
        self._host.fetch_file(in_path, out_path)

    def reset(self) -> None:
        """Reset the connection to the host."""
        self._host.reset()
        self._connected = False

    def close(self) -> None:
        """Close the connection to the host."""
        if self._underlying is not None:
            self._underlying.close()
        self._connected = False


def _check(entrance: Entrance, done: Done, cause: Exception | None = None) -> None:
    status, output, errors = done
    refusal = entrance.refusal(f"{to_text(output)}\n{to_text(errors)}") if status else None
    if refusal:
        raise AnsibleConnectionFailure(refusal) from cause
