# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel modules that come late, and the lines that the kernel logs."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell

CALL = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def wait_for(value: str) -> None:
    """Until udev has set it."""
    end = time.monotonic() + 60
    while CALL.read_text(encoding="ascii").strip() != value:
        assert time.monotonic() < end, f"it is not {value}"
        time.sleep(0.1)


def test_br_netfilter_comes_late() -> None:
    """Not loaded is a state; loaded when told; a setting that is kept survives that the module comes anew."""
    assert not CALL.exists()
    assert not apply({"sysctl_bridge_nf": [{"iptables": False}]}).changed
    with pytest.raises(BridgenetError, match=r"br_netfilter is not loaded.*load: true"):
        apply({"sysctl_bridge_nf": [{"iptables": True}]})
    declared = {"sysctl_bridge_nf": [{"iptables": False, "ip6tables": True, "load": True, "persist": True}]}
    predicted = check(declared)
    assert not CALL.exists()
    assert apply(declared) == predicted
    assert CALL.read_text(encoding="ascii") == "0\n"
    shell("udevadm control --reload; rmmod br_netfilter; modprobe br_netfilter")  # by itself it looks every 3 s
    wait_for("0")
    assert apply(declared, state="absent").changed
    shell("udevadm control --reload; rmmod br_netfilter; modprobe br_netfilter; udevadm settle")
    assert CALL.read_text(encoding="ascii") == "1\n"
    shell("rmmod br_netfilter")


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_log_lines(backend: str) -> None:
    """A log rule writes a line with its prefix to the kernel's log."""
    network = blue()
    rule = {"hook": "postrouting", "prefix": f"seen by {backend}: ", "protocol": "icmp", "backend": backend}
    declared = {**network, "packet_log": [rule]}
    shell("dmesg --clear")
    apply(declared)
    try:
        shell("ip netns exec ns1 ping -c1 -W20 -q 10.0.2.15")
        assert f"seen by {backend}: " not in shell("dmesg"), "it leaves by no interface"
        shell("ip netns exec ns1 ping -c1 -W20 -q 10.0.2.2")
    finally:
        apply(declared, state="absent")
    lines = [line for line in shell("dmesg").splitlines() if f"seen by {backend}: " in line]
    assert len(lines) == 1
    assert re.search(r" OUT=eth0 .*SRC=10\.10\.0\.10 DST=10\.0\.2\.2 ", lines[0])
