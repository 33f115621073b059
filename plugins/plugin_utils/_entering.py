# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line that enters a network namespace, and what the host answers when it cannot. Starts nothing."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

# Run by the host's sh with the arguments MARK NAMESPACE SUDO DRAIN COMMAND. One line, and without single quotes, so
# that login shells that are no descendants of Bourne's pass it on as well.
#
# What is mounted on /run/netns/NAME has the device of any other namespace; a file that `ip netns add` left when it was
# killed has not. A refusal first reads the input to its end, lest the sender breaks off before it has read the answer.
#
# sudo (seen with 1.9.16) compares the path of a program with that in sudoers, whatever a link leads to. Debian has ip
# in both; the documentation says /usr/sbin/ip, and the PATH of a login has only /usr/bin.
#
# Behind sudo the login gets itself back: what a task makes belongs to the login, as everywhere, and `become` starts
# from there. sudo's own failure has the status 1, as that of many a command: then ask it once more.
_SCRIPT = " ".join(
    line.strip()
    for line in """
    mark=$1; name=$2; sudo=$3; drain=$4; command=$5;
    refuse() { printf "\\n%s %s\\n" "$mark" "$1" >&2; [ "$drain" = no ] || cat >/dev/null; exit 125; };
    set -- $(stat -Lc %d /proc/self/ns/net "/run/netns/$name" 2>/dev/null);
    [ "$#" = 2 ] && [ "$1" = "$2" ] || refuse missing;
    ip=$(PATH=$PATH:/usr/sbin:/sbin; command -v ip) || refuse ip;
    [ "$ip" != /usr/bin/ip ] || [ ! -x /usr/sbin/ip ] || ip=/usr/sbin/ip;
    uid=$(id -u);
    [ "$uid" != 0 ] || exec "$ip" netns exec "$name" /bin/sh -c "$command";
    [ "$sudo" = yes ] || refuse login;
    command -v sudo >/dev/null || refuse sudo;
    command -v setpriv >/dev/null || refuse setpriv;
    user=$(id -un);
    sudo -n "$ip" netns exec "$name"
    setpriv --reuid="$uid" --regid="$(id -g)" --groups="$(id -G | tr " " ,)"
    env -u SUDO_COMMAND -u SUDO_GID -u SUDO_UID -u SUDO_USER
    HOME="$HOME" LOGNAME="$user" PATH="$PATH" SHELL="${SHELL-/bin/sh}" USER="$user"
    ${SSH_AUTH_SOCK+SSH_AUTH_SOCK="$SSH_AUTH_SOCK"}
    /bin/sh -c "$command";
    status=$?;
    [ "$status" != 1 ] || sudo -n "$ip" netns exec "$name" true </dev/null >/dev/null 2>&1 || refuse denied;
    exit "$status"
    """.splitlines()
)

_REFUSALS = {
    "missing": (
        "host {host!r} has no network namespace {namespace!r}; create it first, with the module nslab.bridgenet.netns "
        "or `ip netns add {namespace}`, or name another one in bridgenet_namespace"
    ),
    "ip": "host {host!r} has no program `ip`, which enters namespaces; install iproute2 there",
    "login": (
        "the login on host {host!r} is not root, and only root can enter network namespace {namespace!r}; log in as "
        "root, or set bridgenet_sudo: true to enter through `sudo -n`"
    ),
    "sudo": (
        "host {host!r} has no program `sudo`, through which bridgenet_sudo enters network namespace {namespace!r}; "
        "install it there, or log in as root"
    ),
    "setpriv": "host {host!r} has no program `setpriv`, which bridgenet_sudo needs; install util-linux there",
    "denied": (
        "sudo on host {host!r} does not let the login enter network namespace {namespace!r} without a password; allow "
        "it in sudoers, as in `LOGIN ALL=(root) NOPASSWD: /usr/sbin/ip netns exec *`, or log in as root"
    ),
}


@dataclass(frozen=True)
class Entrance:
    """A way into a namespace of a host."""

    host: str
    namespace: str
    sudo: bool
    mark: str  # tells our refusal from whatever the command prints; nobody else knows it

    def command(self, line: str, drain: bool = False) -> str:
        """The line that runs a line inside. With `drain`, a refusal takes in all input first."""
        words = [self.mark, self.namespace, _yes_no(self.sudo), _yes_no(drain), line]
        return shlex.join(["/bin/sh", "-c", _SCRIPT, "netns", *words])

    def refusal(self, output: str) -> str | None:
        """What the host refused, what a person can do about it, and what sudo said; None where it let us in."""
        found = re.search(rf"^{self.mark} (\w+)\r?$", output, re.MULTILINE)
        if not found:
            return None
        message = _REFUSALS[found[1]].format(host=self.host, namespace=self.namespace)
        said = [said.strip() for said in output.splitlines() if said.startswith("sudo: ")]
        return f"{message} ({'; '.join(said)})" if said and found[1] == "denied" else message


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
