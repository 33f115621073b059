# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What not every kernel has, on the kernel, the Python and the pyroute2 of a Debian that boots."""

from __future__ import annotations

import re
import shlex

from ansible_collections.nslab.bridgenet.tests.vm.image import ROOT
from ansible_collections.nslab.bridgenet.tests.vm.machine import INSIDE, VirtualMachine


def passes(vm: VirtualMachine, *arguments: str) -> None:
    """Run pytest inside. Nothing may be skipped: everything is there."""
    environment = ["env", "CI=true", "BRIDGENET_VM=1", "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"]
    command = [*environment, "python3", "-m", "pytest", "--durations=5", *arguments]
    said = vm.run(f"cd {INSIDE}; {shlex.join(command)}")
    print(said)
    assert re.search(r"=+ [0-9]+ passed(, [0-9]+ deselected)? in ", said), said[-2000:]


def test_engine(vm: VirtualMachine) -> None:
    """The tests of the engine that are marked for it; to look for them inside would take longer than to run them."""
    files = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("tests/integration/engine/test_*.py"))]
    passes(vm, "-m", "vm", *(name for name in files if "pytest.mark.vm" in (ROOT / name).read_text(encoding="utf-8")))


def test_machine(vm: VirtualMachine) -> None:
    """What changes the machine itself: modules that are loaded, the kernel's log."""
    passes(vm, "tests/vm/inside")


def test_bridge_nf_after_a_boot(vm: VirtualMachine) -> None:
    """A setting that is kept is there after a boot, in which the module comes after the settings of sysctl.d."""
    task = '{"sysctl_bridge_nf": [{"iptables": False, "ip6tables": True, "load": True, "persist": True}]}'
    module = "ansible_collections.nslab.bridgenet.tests.integration.engine"
    vm.run(f"cd /opt; python3 -c 'from {module} import driver; driver.apply({task})'")
    vm.reboot()
    assert vm.fetch("/proc/sys/net/bridge/bridge-nf-call-iptables") == "0\n"
    assert vm.fetch("/proc/sys/net/bridge/bridge-nf-call-arptables") == "1\n"
    vm.run(f"cd /opt; python3 -c 'from {module} import driver; driver.apply({task}, state=\"absent\")'")
    assert vm.run("ls /etc/sysctl.d /etc/modules-load.d /etc/udev/rules.d | grep -c nslab || true") == "0\n"
