# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make test hosts out of namespaces, reached over real SSH.

    python3 testhosts.py --state DIR create NAME...
    python3 testhosts.py --state DIR destroy [NAME...]      (no name: all of them)

A host has its own network, mount, host name, IPC and process namespaces, a copy of /etc, an empty /run, /tmp and
home of root, and an sshd as its first process; everything else is this machine's.

    this machine --- testhostsN --- [ namespace with the bridge "switch", the hosts' gateway ] --- eth0 of each host

So the machine itself sees one link, testhostsN, and no bridge: its own firewall has no say in the hosts' traffic.
N also chooses the subnet 198.18.N.0/24 (RFC 2544). DIR holds the keys, an Ansible inventory and all that destroy
needs. Both commands may be repeated; each prints what it did, nothing if there was nothing to do.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import ipaddress
import json
import os
import pwd
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PACKAGES = {"ip": "iproute2", "nsenter": "util-linux", "ssh-keygen": "openssh-client", "sshd": "openssh-server"}
IP_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")  # of the namespace that the reader is in
TIME_LIMIT = 20  # seconds, for every condition that is waited for

SSHD_CONFIG = """\
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
"""

# A process is kept as its pid and its start time, so that a reused pid is never taken for it.
Process = dict[str, Any]


def run(*command: str, **options: Any) -> str:
    """Run a command; its error output goes where ours goes."""
    return str(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **options).stdout)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + TIME_LIMIT
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(f"not {what} after {TIME_LIMIT} s")
        time.sleep(0.01)


# Processes


def started(pid: int) -> int | None:
    """The start time of a process, the 22nd field of its stat; nothing if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[19])


@contextlib.contextmanager
def handle(process: Process) -> Iterator[int | None]:
    """A pidfd of the process, or nothing if it is gone."""
    try:
        pidfd = os.pidfd_open(process["pid"])
    except ProcessLookupError:
        yield None
        return
    try:
        yield pidfd if started(process["pid"]) == process["started"] else None
    finally:
        os.close(pidfd)


def ended(pidfd: int, limit: float) -> bool:
    """Whether the process ends within the limit; a zombie has ended."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(limit * 1000))


def alive(process: Process) -> bool:
    with handle(process) as pidfd:
        return pidfd is not None and not ended(pidfd, 0)


def kill(process: Process) -> None:
    """End a process. The first process of a process namespace takes all the others with it before it is gone."""
    with handle(process) as pidfd:
        if pidfd is not None:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            if not ended(pidfd, TIME_LIMIT):
                raise TimeoutError(f"process {process['pid']} did not end")


def spawn(namespaces: int, log: Path, program: Callable[[], None], record: Callable[[Process], None]) -> None:
    """Start a process in new namespaces and return once program() has executed something there.

    It goes on only after record(), so that no process is left that nobody knows of, should this one be killed.
    """
    reading, writing = os.pipe()  # its pid, then an error; closed by exec
    waiting, releasing = os.pipe()
    if os.fork() == 0:
        try:
            os.close(releasing)
            os.setsid()
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.unshare(namespaces):
                raise OSError(ctypes.get_errno(), "unshare")
            # A process namespace takes effect for children only.
            child = os.fork()
            if child:
                os.write(writing, f"{child}\n".encode())
                os._exit(0)
            if not os.read(waiting, 1):
                os._exit(1)
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            program()
        except BaseException:
            os.write(writing, traceback.format_exc().encode())
        os._exit(1)
    os.close(writing)
    os.close(waiting)
    os.wait()
    with os.fdopen(reading, encoding="utf-8") as pipe, os.fdopen(releasing, "w", encoding="utf-8") as release:
        pid = pipe.readline().strip()
        if pid.isdigit():
            record({"pid": int(pid), "started": started(int(pid))})
            release.write("go")
            release.flush()
        error = pipe.read()
    if error or not pid.isdigit():
        raise RuntimeError(
            f"could not start: {pid}\n{error}\n{log.read_text(encoding='utf-8') if log.exists() else ''}"
        )


def execute(program: str, *arguments: str) -> None:
    """Turn this process into the program, with nothing of our environment."""
    path = str(shutil.which(program, path=PATH))
    os.execve(path, [path, *arguments], {"PATH": PATH})  # noqa: S606


# Links


def ip(*arguments: str, inside: Process | None = None, **options: Any) -> str:
    """Run ip on the machine, or in the network namespace of a process."""
    enter = ["nsenter", "--target", str(inside["pid"]), "--net"] if inside else []
    return run(*enter, "ip", *arguments, **options)


def ip_batch(process: Process, *commands: str) -> None:
    """Run several ip commands in the network namespace of a process."""
    ip("-batch", "-", inside=process, input="\n".join(commands))


def link_exists(name: str, inside: Process | None = None) -> bool:
    return any(link["ifname"] == name for link in json.loads(ip("-json", "link", "show", inside=inside)))


def claim_subnet(switch: Process) -> tuple[str, ipaddress.IPv4Network]:
    """Make the link between the machine and the switch; its number chooses the subnet."""
    routes = json.loads(ip("-json", "-4", "route", "show", "table", "all"))
    taken = [ipaddress.IPv4Network(route["dst"]) for route in routes if route["dst"] != "default"]
    for number in range(256):
        link, subnet = f"testhosts{number}", ipaddress.IPv4Network(f"198.18.{number}.0/24")
        if link_exists(link) or any(subnet.overlaps(other) for other in taken):
            continue
        # To create the link is to claim the number: it fails where another laboratory came first.
        command = ["ip", "link", "add", "name", link, "type", "veth", "peer", "name", "machine"]
        command += ["netns", str(switch["pid"])]
        created = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
        if created.returncode == 0:
            return link, subnet
        if "File exists" not in created.stderr:
            raise RuntimeError(f"{' '.join(command)}: {created.stderr}")
    raise RuntimeError("no free subnet in 198.18.0.0/16")


# What the processes become


def become_switch() -> None:
    """The process that keeps the switch's network namespace has nothing to do."""
    IP_FORWARD.write_text("0", encoding="utf-8")
    execute("sleep", "infinity")


def become_host(name: str, host_key: str, authorized_key: str) -> None:
    """The first process of a host makes the host's own directories, then turns into its sshd."""

    def mount(*arguments: str) -> None:
        run("mount", *arguments)

    mount("--make-rprivate", "/")
    mount("-t", "proc", "proc", "/proc")
    mount("-t", "sysfs", "sysfs", "/sys")
    # A copy, not an overlay: what changes in the machine's /etc meanwhile is no change of this host.
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/tmp")
    run("cp", "-a", "/etc/.", "/tmp")
    for pattern in ("netns", "nslab.bridgenet", "systemd/system/bridgenet-*", "systemd/system/nslab-bridgenet-*"):
        run("rm", "-rf", *map(str, Path("/tmp").glob(pattern)))  # what the machine has of ours, of `make site` say
    mount("--move", "/tmp", "/etc")
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp")
    mount("-t", "tmpfs", "-o", "mode=0700", "tmpfs", pwd.getpwuid(0).pw_dir)
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run")
    for directory in ("sshd", "netns", "lock"):
        Path("/run", directory).mkdir(mode=0o755)

    socket.sethostname(name)
    # sshd without PAM refuses a root whose password is locked by "!".
    shadow = re.sub(r"(?m)^root:[^:]*", "root:*", Path("/etc/shadow").read_text(encoding="utf-8"))
    for file, mode, text in (
        ("hostname", 0o644, f"{name}\n"),
        ("hosts", 0o644, f"127.0.0.1 localhost\n127.0.1.1 {name}\n"),
        ("resolv.conf", 0o644, "# no name server can be reached from here, and none is asked in vain\n"),
        ("shadow", 0o640, shadow),
        ("ssh/sshd_config", 0o644, SSHD_CONFIG),
        ("ssh/ssh_host_ed25519_key", 0o600, host_key),
        ("ssh/authorized_keys", 0o600, authorized_key),
    ):
        path = Path("/etc", file)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    # The same start for every host, whatever the machine's own values are; without duplicate address
    # detection no address is tentative when a test looks.
    IP_FORWARD.write_text("0", encoding="utf-8")
    for scope in ("all", "default"):
        accept_dad = Path(f"/proc/sys/net/ipv6/conf/{scope}/accept_dad")
        if accept_dad.exists():
            accept_dad.write_text("0", encoding="utf-8")

    os.chdir("/")
    execute("sshd", "-D", "-e")


def wait_for_ssh(name: str, address: str, log: Path) -> None:
    def greeted() -> bool:
        try:
            with socket.create_connection((address, 22), timeout=TIME_LIMIT) as connection:
                return connection.recv(4) == b"SSH-"
        except ConnectionRefusedError:
            return False

    try:
        wait_until(greeted, f"{name} greeted at {address}:22")
    except OSError as error:
        raise RuntimeError(f"{error}; the log of its sshd: {log.read_text(encoding='utf-8')}") from error


class Lab:
    """The hosts of one state directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / "state.json"
        self.state: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8")) if self.file.exists() else {}

    def save(self) -> None:
        """Write everything down: after every step, so that destroy knows whatever was begun."""
        hosts = self.state["hosts"]
        known_hosts = "".join(f"{host['address']} {host['public_key']}\n" for host in hosts.values())
        for path, text in (
            (self.file, json.dumps(self.state, indent=2)),
            (self.directory / "inventory.json", json.dumps(self.inventory(), indent=2)),
            (self.directory / "known_hosts", known_hosts),
        ):
            new = path.with_suffix(".new")
            new.write_text(text, encoding="utf-8")
            new.replace(path)

    def inventory(self) -> dict[str, Any]:
        connection = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.directory / "id_ed25519"),
            "ansible_ssh_common_args": (
                f"-F /dev/null -o UserKnownHostsFile={self.directory / 'known_hosts'}"
                " -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes"
                " -o IdentitiesOnly=yes -o IdentityAgent=none"
                f" -o ControlMaster=auto -o ControlPersist=60s -o ControlPath={self.state['sockets']}/%h"
            ),
            # The distribution's own, which has the distribution's packages.
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        hosts = self.state["hosts"].items()
        return {"all": {"hosts": {name: {"ansible_host": host["address"], **connection} for name, host in hosts}}}

    def make_key(self, name: str) -> tuple[str, str]:
        """A new key pair: the private and the public key."""
        path = self.directory / name
        path.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "testhosts", "-f", str(path))
        return path.read_text(encoding="utf-8"), path.with_suffix(".pub").read_text(encoding="utf-8").strip()

    def make_switch(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        _private_key, public_key = self.make_key("id_ed25519")

        def record(process: Process) -> None:
            # Sockets of shared SSH connections: the path of a socket has to be short.
            sockets = tempfile.mkdtemp(prefix="testhosts-")
            self.state = {"switch": process, "hosts": {}, "authorized_key": public_key, "sockets": sockets}
            self.save()

        spawn(NEWNET, self.directory / "switch.log", become_switch, record)
        switch = self.state["switch"]
        link, subnet = claim_subnet(switch)
        gateway, *addresses, machine = (str(address) for address in subnet.hosts())
        ip_batch(
            switch,
            "link set dev lo up",
            "link add name switch address 02:00:00:00:00:01 up type bridge forward_delay 0",
            f"address add {gateway}/{subnet.prefixlen} dev switch",
            "link set dev machine master switch up",
        )
        ip("address", "add", f"{machine}/{subnet.prefixlen}", "dev", link)
        ip("link", "set", "dev", link, "up")
        self.state.update(link=link, gateway=gateway, free=addresses)
        self.save()

    def make_host(self, name: str) -> None:
        log = self.directory / f"{name}.log"
        private_key, public_key = self.make_key(f"{name}_host_key")
        authorized_key, gateway = self.state["authorized_key"], self.state["gateway"]
        address = self.state["free"].pop(0)
        host = {"address": address, "public_key": public_key, "ready": False}

        def record(process: Process) -> None:
            self.state["hosts"][name] = {**host, "process": process}
            self.save()

        spawn(
            NEWNET | NEWNS | NEWUTS | NEWIPC | NEWPID,
            log,
            lambda: become_host(name, private_key, authorized_key),
            record,
        )
        process = self.state["hosts"][name]["process"]
        ip_batch(
            self.state["switch"],
            f"link add name {name} type veth peer name eth0 netns {process['pid']}",
            f"link set dev {name} master switch up",
        )
        ip_batch(
            process,
            "link set dev lo up",
            "link set dev eth0 up",
            f"address add {address}/24 dev eth0",
            f"route add default via {gateway}",
        )
        wait_for_ssh(name, address, log)
        self.state["hosts"][name]["ready"] = True
        self.save()

    def create(self, names: list[str]) -> None:
        if self.state and not ("link" in self.state and link_exists(self.state["link"])):
            self.destroy([])  # half made, or from before a reboot
        if not self.state:
            self.make_switch()
        for name in names:
            host = self.state["hosts"].get(name)
            if host and host["ready"] and alive(host["process"]):
                continue
            if host:
                self.remove_host(name)
            self.make_host(name)
            print(f"created {name} at {self.state['hosts'][name]['address']}")

    def remove_host(self, name: str) -> None:
        host, switch = self.state["hosts"][name], self.state["switch"]
        kill(host["process"])
        # The namespace goes in its own time after its last process, and the cable to the switch with it.
        wait_until(lambda: not alive(switch) or not link_exists(name, inside=switch), f"cable of {name} gone")
        self.state["free"].append(host["address"])
        del self.state["hosts"][name]
        self.save()

    def remove_sockets(self) -> None:
        """The connections ended with the hosts; each removes its own socket, unless it was killed."""
        sockets = Path(self.state["sockets"])
        if sockets.exists():
            for path in sockets.iterdir():
                path.unlink(missing_ok=True)
            sockets.rmdir()

    def destroy(self, names: list[str]) -> None:
        if self.state:
            for name in [name for name in self.state["hosts"] if not names or name in names]:
                self.remove_host(name)
                print(f"destroyed {name}")
            if self.state["hosts"]:
                return
            kill(self.state["switch"])
            self.remove_sockets()
            link = self.state.get("link")
            wait_until(lambda: not (link and link_exists(link)), f"link {link} gone")
            self.state = {}
        if self.directory.exists():
            shutil.rmtree(self.directory)


def host_name(text: str) -> str:
    """A name that a link can have as well."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,14}", text) or text in ("lo", "machine", "switch"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a name of up to 15 lower-case letters, digits and hyphens")
    return text


def state_directory(text: str) -> Path:
    """A path that ssh options can name without quotes."""
    path = Path(text).resolve()
    if re.search(r"[\s%'\"]", str(path)):
        raise argparse.ArgumentTypeError(f"{str(path)!r} has a space, a quote or a percent sign in it")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description="Make test hosts out of namespaces.")
    parser.add_argument("--state", type=state_directory, required=True, help="directory for keys, inventory and state")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("create").add_argument("names", nargs="+", type=host_name, metavar="NAME")
    commands.add_parser("destroy").add_argument("names", nargs="*", type=host_name, metavar="NAME")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("testhosts.py: only root can make namespaces")
    missing = [f"{tool} (package {package})" for tool, package in PACKAGES.items() if not shutil.which(tool, path=PATH)]
    if missing:
        sys.exit(f"testhosts.py: not installed: {', '.join(missing)}")
    lab = Lab(arguments.state)
    if arguments.command == "create":
        lab.create(arguments.names)
    else:
        lab.destroy(arguments.names)


if __name__ == "__main__":
    main()
