# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of a Debian that boots in a virtual machine, built once and kept as long as its recipe stays the same."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "vm"
SUITE = os.environ.get("BRIDGENET_SUITE", "bookworm")
SIZE = "3G"  # of the disk, whose file is sparse
PACKAGES = (
    "linux-image-cloud-amd64",
    "initramfs-tools",
    "systemd",
    "systemd-sysv",
    "udev",
    "dbus",
    "openssh-server",
    "conntrack",
    "iproute2",
    "iptables",
    "iputils-ping",
    "kmod",
    "nftables",
    "procps",
    "python3",
    "python3-hypothesis",
    "python3-pyroute2",
    "python3-pytest",
)
# What is done in the file system, $1. An emulated processor is slow: nothing starts that nobody needs.
RECIPE = r"""
set -eu
echo bridgenet-vm >"$1/etc/hostname"
echo '127.0.0.1 localhost bridgenet-vm' >"$1/etc/hosts"
echo '/dev/vda / ext4 defaults,noatime 0 0' >"$1/etc/fstab"
cat >"$1/etc/systemd/network/uplink.network" <<END
[Match]
Name=eth0
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
END
chroot "$1" systemctl --quiet enable systemd-networkd ssh
chroot "$1" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer
sed -i 's/^MODULES=.*/MODULES=list/' "$1/etc/initramfs-tools/initramfs.conf"
printf 'virtio_pci\nvirtio_blk\next4\n' >>"$1/etc/initramfs-tools/modules"
chroot "$1" update-initramfs -u
"""


@dataclass(frozen=True)
class Image:
    """The files of one, in a directory of its own."""

    directory: Path

    @property
    def disk(self) -> Path:
        return self.directory / "disk"

    @property
    def kernel(self) -> Path:
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.directory / "initrd"

    @property
    def key(self) -> Path:
        """With which root is let in."""
        return self.directory / "key"

    @property
    def host_key(self) -> str:
        """By which the machine is known."""
        return (self.directory / "host_key.pub").read_text(encoding="ascii")


def run(*argv: object) -> None:
    """A program of this machine; what it says on failure is part of the error."""
    words = [str(word) for word in argv]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"exit status {done.returncode} of {shlex.join(words)}:\n{done.stdout}")


def image() -> Image:
    """The image of this recipe."""
    recipe = "\n".join([SUITE, SIZE, *PACKAGES, RECIPE])
    kept = Image(CACHE / f"{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}")
    if not kept.directory.exists():
        for unfinished in CACHE.glob("*.new"):
            shutil.rmtree(unfinished)
        fresh = Image(kept.directory.with_suffix(".new"))
        fresh.directory.mkdir(parents=True)
        _build(fresh)
        fresh.directory.rename(kept.directory)
    return kept


def _build(fresh: Image) -> None:
    tree, host_key = fresh.directory / "tree", fresh.directory / "host_key"
    hook = fresh.directory / "recipe.sh"
    hook.write_text(RECIPE, encoding="ascii")
    run(
        *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
        *("--dpkgopt=path-exclude=/usr/share/doc/*", f'--customize-hook=sh {shlex.quote(str(hook))} "$1"'),
        *(SUITE, tree),
    )
    for name in (fresh.key, host_key):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bridgenet-vm", "-f", name)
    (tree / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    shutil.copy(fresh.key.with_suffix(".pub"), tree / "root/.ssh/authorized_keys")
    for name in ("host_key", "host_key.pub"):
        shutil.copy(fresh.directory / name, tree / f"etc/ssh/ssh_{name.replace('host', 'host_ed25519')}")
    shutil.copy(_newest(tree, "vmlinuz"), fresh.kernel)
    shutil.copy(_newest(tree, "initrd.img"), fresh.initrd)
    run("mkfs.ext4", "-q", "-d", tree, fresh.disk, SIZE)
    shutil.rmtree(tree)


def _newest(tree: Path, name: str) -> Path:
    return max((tree / "boot").glob(f"{name}-*"))
