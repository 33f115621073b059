# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has and lacks, in one look: run by its Ansible's Python, with the question as JSON in the only argument.

One process for everything, so that a host which lacks nothing costs little.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

OLDEST = (0, 7, 2)  # of pyroute2


def missing_packages(names: list[str]) -> list[str]:
    """The Debian packages that are not installed."""
    argv = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *names]
    listing = subprocess.run(argv, check=False, capture_output=True, text=True).stdout.splitlines()
    return [name for name in names if f"{name} installed" not in listing]


def usable(version: str) -> bool:
    """Whether a pyroute2 is new enough; 0.7.2, 0.7.3.post1 and 0.9.dev0 are versions."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3]) >= OLDEST


def has_pyroute2() -> bool:
    """Whether this Python has one that is new enough."""
    try:
        return usable(importlib.metadata.version("pyroute2"))
    except importlib.metadata.PackageNotFoundError:
        return False


def has_own(python: str) -> bool:
    """Whether the environment that this role made for pyroute2 is there and works."""
    if not pathlib.Path(python).exists():
        return False
    argv = [python, "-c", "import importlib.metadata; print(importlib.metadata.version('pyroute2'))"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    return done.returncode == 0 and usable(done.stdout)


def owner(directory: pathlib.Path, marker: str) -> str:
    """Whose a directory is: ours with our marker beside a virtual environment, or one that was only begun."""
    if not os.path.lexists(directory):
        return "nobody"
    if directory.is_symlink() or not directory.is_dir():
        return "others"
    names = {path.name for path in directory.iterdir()}
    if not names:
        return "nobody"
    marked = marker in names and ("pyvenv.cfg" in names or names == {marker})
    return "ours" if marked else "others"


def running(unit: str) -> bool:
    """Whether systemd runs a service."""
    argv = ["systemctl", "is-active", "--quiet", unit]
    return shutil.which(argv[0]) is not None and subprocess.run(argv, check=False).returncode == 0


def loadable(names: list[str]) -> list[str]:
    """The kernel modules that are not loaded and could be; one that is built in, or not there, is not among them."""
    index = pathlib.Path("/lib/modules", platform.release(), "modules.dep")
    if not names or not index.exists():
        return []
    paths = [line.partition(":")[0] for line in index.read_text().splitlines()]
    known = {pathlib.PurePath(path).name.partition(".ko")[0] for path in paths}
    return [name for name in names if name in known and not pathlib.Path("/sys/module", name).exists()]


def digest(path: str) -> str:
    """Of a file's content; empty where there is none."""
    file = pathlib.Path(path)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def main() -> None:
    """Answer."""
    question = json.loads(sys.argv[1])
    managers, digests, directory = question["managers"], question["digests"], question["directory"]
    installed = sorted(name for name in managers if pathlib.Path(managers[name]["program"]).exists())
    directory_owner = owner(pathlib.Path(directory), question["marker"])
    files = [manager["path"] for manager in managers.values()] + [directory] * (directory_owner == "ours")
    apt = shutil.which("apt-get") is not None
    answer = {
        "apt": apt,
        "packages": missing_packages(question["packages"]) if apt else [],
        "programs": [] if apt else [name for name in question["programs"] if shutil.which(name) is None],
        "pyroute2": has_pyroute2(),
        "directory_owner": directory_owner,
        "own_pyroute2": has_own(f"{directory}/bin/python"),
        "distribution_python": "/usr/lib/python3/dist-packages" in sys.path,
        "kernel_modules": loadable(question["kernel_modules"]),
        "unaware": [name for name in installed if digest(managers[name]["path"]) != digests[name]],
        "running": [name for name in installed if running(name)],
        "files": [path for path in files if pathlib.Path(path).exists()],
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
