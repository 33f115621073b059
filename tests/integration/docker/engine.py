# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Docker engine inside a sandbox, with an image that holds one program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_SOCKET = "unix:///run/docker/d.sock"
_IMAGE = "sleeper"
_TIME_LIMIT = 60
_CGROUPS = Path("/sys/fs/cgroup")


class NoDocker(Exception):
    """The engine cannot run here; the message says why."""


def _sleeper(path: Path) -> Path:
    """An image with nothing in it but sleep(1) and its libraries."""
    said = subprocess.run(["ldd", "/bin/sleep"], capture_output=True, text=True, check=True).stdout
    with tarfile.open(path, "w") as archive:
        for name in ["/bin/sleep", *re.findall(r"/\S+", said)]:
            archive.add(os.path.realpath(name), arcname=name)
    return path


class Docker:
    """The engine of this sandbox."""

    def run(self, *arguments: str) -> str:
        """A command of its client; what that says."""
        done = subprocess.run(
            ["/usr/bin/docker", "--host", _SOCKET, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": _PATH, "HOME": "/run"},
        )
        if done.returncode != 0:
            raise RuntimeError(f"docker {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def container(self, name: str, network: str, *options: str) -> int:
        """Start a container in a network or mode; the pid of its process."""
        self.run("run", "--detach", "--name", name, "--network", network, *options, _IMAGE, "/bin/sleep", "infinity")
        return int(self.run("inspect", "--format", "{{.State.Pid}}", name))

    def remove_all(self) -> None:
        """Containers, which would outlive the engine."""
        names = self.run("ps", "--all", "--quiet").split()
        if names:
            self.run("rm", "--force", *names)


def _groups() -> set[Path]:
    """What the engine makes in the cgroup file systems: there is no namespace for these here."""
    return {path for path in [*_CGROUPS.glob("docker"), *_CGROUPS.glob("*/docker")] if path.is_dir()}


@contextmanager
def docker(directory: Path, *more: str) -> Iterator[Docker]:
    """An engine, with more options of dockerd, for the duration of a block; call it inside of a sandbox."""
    before = _groups()
    log = directory / "dockerd.log"
    options = ["--data-root", str(directory / "data"), "--exec-root", "/run/docker/exec", "--host", _SOCKET]
    options += ["--pidfile", "/run/docker/d.pid", "--storage-driver", "vfs"]
    options += ["--exec-opt", "native.cgroupdriver=cgroupfs", *more]
    with log.open("w", encoding="utf-8") as output:
        engine = subprocess.Popen(
            [str(shutil.which("dockerd", path=_PATH)), *options],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": _PATH, "HOME": "/run"},
        )
    client = Docker()
    try:
        _wait(client, engine, log)
        client.run("import", str(_sleeper(directory / "image.tar")), _IMAGE)
        _try(client)
        try:
            yield client
        finally:
            client.remove_all()
    finally:
        engine.terminate()
        engine.wait()
        for path in _groups() - before:
            with suppress(FileNotFoundError):  # a hierarchy may have two names
                path.rmdir()


def _try(client: Docker) -> None:
    """Whether it can run a container, too: inside of another one it may not."""
    try:
        client.run("run", "--rm", "--network", "none", _IMAGE, "/bin/sleep", "0")
    except RuntimeError as error:
        client.remove_all()
        raise NoDocker(f"dockerd cannot run a container here: {error}") from error


def _wait(client: Docker, engine: subprocess.Popen[bytes], log: Path) -> None:
    """Until the engine answers."""
    end = time.monotonic() + _TIME_LIMIT
    while True:
        try:
            client.run("version")
        except RuntimeError as error:
            if engine.poll() is not None or time.monotonic() > end:
                last = log.read_text(encoding="utf-8").splitlines()[-1:]
                raise NoDocker(f"dockerd does not run here: {' '.join(last)}") from error
            time.sleep(0.1)
        else:
            return
