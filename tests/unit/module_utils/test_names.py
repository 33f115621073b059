# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and values: what is accepted in which form, and that an error names the value and the fix."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils import _labels, _names
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._labels import Label

BAD_WORDS = ["", "a/b", "..", ".", "../x", "a b", "a'b", 'a"b', "a%d", "-x", "a\n", "ä", "a:b", "a;b", "$(reboot)"]


@pytest.mark.parametrize("name", ["a", "br0", "eth0.100", "veth-1", "_x", "0", "x" * 15])
def test_interface(name: str) -> None:
    assert _names.interface(name) == name


@pytest.mark.parametrize("name", [*BAD_WORDS, "x" * 16])
def test_bad_interface(name: str) -> None:
    with pytest.raises(BridgenetError) as caught:
        _names.interface(name)
    assert repr(name) in str(caught.value)
    assert "shorten it" in str(caught.value) or "choose such a name" in str(caught.value)


@pytest.mark.parametrize("name", ["a", "web.1", "x" * 63])
def test_namespace(name: str) -> None:
    assert _names.namespace(name) == name


@pytest.mark.parametrize("name", [*BAD_WORDS, "x" * 64])
def test_bad_namespace(name: str) -> None:
    with pytest.raises(BridgenetError) as caught:
        _names.namespace(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("name", [*BAD_WORDS, "x" * 16])
def test_bad_project(name: str) -> None:
    with pytest.raises(BridgenetError):
        _names.project(name)


@pytest.mark.parametrize("name", ["blue", "ns1/blue", "10.0.0.0/8/br0", "fd00::/64/br0", "x" * 100])
def test_label(name: str) -> None:
    assert _names.label(name) == name
    assert _labels.parse(str(Label("default", name))) == Label("default", name)


@pytest.mark.parametrize("name", ["", "a b", "a'", "a\n", "/a", "x" * 101, 'a"', "a%"])
def test_bad_label(name: str) -> None:
    with pytest.raises(BridgenetError, match="choose such a label"):
        _names.label(name)


@pytest.mark.parametrize(
    "text", ["", "eth0 uplink", "bridgenet:2:p:o", "bridgenet:1:p", "bridgenet:1::o", "bridgenet:1:p:"]
)
def test_not_a_label(text: str) -> None:
    assert _labels.parse(text) is None


def test_mac() -> None:
    assert _names.mac("02:AB:cd:00:00:01") == "02:ab:cd:00:00:01"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("01:00:5e:00:00:01", "multicast"),
        ("ff:ff:ff:ff:ff:ff", "multicast"),
        ("00:00:00:00:00:00", "all zero"),
        ("02-00-00-00-00-01", "colons"),
        ("02:00:00:00:00", "six pairs"),
        ("02:00:00:00:00:0g", "six pairs"),
        ("", "six pairs"),
    ],
)
def test_bad_mac(value: str, why: str) -> None:
    with pytest.raises(BridgenetError, match=why) as caught:
        _names.mac(value)
    assert repr(value) in str(caught.value)
    assert "write it like 02:00:00:00:00:01" in str(caught.value)


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_generated_mac(host: str, project: str, name: str) -> None:
    """Valid, always the same, and another one on another host."""
    mac = _names.generated_mac(host, project, name)
    assert _names.mac(mac) == mac
    assert mac.startswith("02:")
    assert mac == _names.generated_mac(host, project, name)
    assert mac != _names.generated_mac(host + "x", project, name)


@pytest.mark.parametrize("value", [68, 1280, 1500, 65535])
def test_mtu(value: int) -> None:
    assert _names.mtu(value) == value


@pytest.mark.parametrize("value", [-1, 0, 67, 65536])
def test_bad_mtu(value: int) -> None:
    with pytest.raises(BridgenetError, match=f"MTU {value} is out of range: 68 to 65535 bytes"):
        _names.mtu(value)


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        ("10.10.0.1/16", "10.10.0.1/16"),
        ("10.0.0.0/31", "10.0.0.0/31"),
        ("10.0.0.1/32", "10.0.0.1/32"),
        ("FD00::0001/64", "fd00::1/64"),
        ("fd00::/64", "fd00::/64"),
        ("10.0.0.1/255.255.0.0", "10.0.0.1/16"),
    ],
)
def test_address(value: str, canonical: str) -> None:
    assert _names.address(value) == canonical


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("10.0.0.1", "no prefix length"),
        ("10.0.0.0/24", "the network address of 10.0.0.0/24"),
        ("10.0.0.255/24", "the broadcast address of 10.0.0.0/24"),
        ("10.0.0.300/24", "300"),
        ("10.0.0.1/33", "33"),
        ("0.0.0.0/8", "no address that an interface can have"),
        ("224.0.0.1/8", "no address that an interface can have"),
        ("ff02::1/64", "no address that an interface can have"),
        ("::/64", "no address that an interface can have"),
        ("x/24", "x"),
        ("", "no prefix length"),
    ],
)
def test_bad_address(value: str, why: str) -> None:
    with pytest.raises(BridgenetError, match=why) as caught:
        _names.address(value)
    assert repr(value) in str(caught.value)


@given(st.ip_addresses(), st.data())
def test_addresses_are_canonical(address: ipaddress.IPv4Address | ipaddress.IPv6Address, data: st.DataObject) -> None:
    """What is accepted is accepted again, unchanged."""
    length = data.draw(st.integers(0, address.max_prefixlen))
    try:
        canonical = _names.address(f"{address}/{length}")
    except BridgenetError:
        return
    assert _names.address(canonical) == canonical
    assert _names.family(canonical) == address.version
    assert address in _names.network_of(canonical)


def test_subnet() -> None:
    assert _names.subnet("10.10.3.4/16") == "10.10.0.0/16"
    assert _names.subnet("fd00::5/64") == "fd00::/64"
    assert _names.subnet("10.0.0.1") == "10.0.0.1/32"
    with pytest.raises(BridgenetError, match=r"network '10\.0\.0\.0/x'.*write it like 10\.10\.0\.0/16"):
        _names.subnet("10.0.0.0/x")


def test_gateway() -> None:
    assert _names.gateway("FD00::0001") == "fd00::1"
    with pytest.raises(BridgenetError, match=r"next hop '10\.0\.0\.1/8'.*write it like 10\.10\.0\.1"):
        _names.gateway("10.0.0.1/8")


@pytest.mark.parametrize(
    "function",
    [_names.interface, _names.namespace, _names.project, _names.label, _names.address, _names.subnet, _names.gateway],
)
@given(value=st.text())
def test_any_text(function: Callable[[str], str], value: str) -> None:
    """Nothing but BridgenetError, whatever somebody writes; what is accepted needs no quoting in a shell."""
    try:
        accepted: Any = function(value)
    except BridgenetError:
        return
    assert accepted.isascii()
    assert not set(accepted) & set(" \t\n'\"\\$`;&|<>()*?[]#~!{}%")
