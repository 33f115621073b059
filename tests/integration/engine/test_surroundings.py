# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with a life of its own: what others left, hold, switched off or took away."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.plugins.filter.expand import expand
from ansible_collections.nslab.bridgenet.plugins.module_utils import _kernel
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import Objects, apply, check, host
from ansible_collections.nslab.bridgenet.tests.integration.engine.networks import blue
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import shell
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story
from ansible_collections.nslab.bridgenet.tests.integration.engine.test_undo import undoes

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")


def converges(objects: Objects) -> None:
    """A change as predicted, and nothing to do after it."""
    predicted = check(objects)
    assert apply(objects) == predicted
    assert not apply(objects).changed


# --- names in /run/netns ---


def test_dangling_name_hides_nothing() -> None:
    shell("ip netns add keep; ln -s /proc/999999/ns/net /run/netns/gone")
    assert apply({"netns": [{"name": "keep"}]}, state="absent").changed
    assert not Path("/run/netns/keep").exists()
    assert Path("/run/netns/gone").is_symlink()


def test_dangling_name_in_the_way() -> None:
    """Of a container that is gone; it may be anybody's, so it stays."""
    shell("ln -s /proc/999999/ns/net /run/netns/gone")
    with pytest.raises(BridgenetError, match="/run/netns/gone is a symbolic link to /proc/999999/ns/net, which is not"):
        apply({"netns": [{"name": "before"}, {"name": "gone"}]})
    assert [entry.name for entry in Path("/run/netns").iterdir()] == ["gone"]


def test_name_that_is_a_link() -> None:
    """Only the link goes, as `ip netns` users make it for a container; what it names lives on."""
    shell("ip netns add real; ln -s /run/netns/real /run/netns/alias")
    assert apply({"netns": [{"name": "alias"}]}, state="absent").actions == ("ip netns del alias",)
    assert not Path("/run/netns/alias").is_symlink()
    shell("ip -n real link show dev lo")


def test_second_name_takes_nothing_along() -> None:
    shell("ip netns add one; ip link add name v0 type veth peer name p0 netns one")
    shell("touch /run/netns/two; mount --bind /run/netns/one /run/netns/two")
    assert apply({"netns": [{"name": "two"}]}, state="absent").actions == ("ip netns del two",)
    shell("ip link show dev v0; ip -n one link show dev p0")


# --- descriptors ---


@pytest.fixture
def few_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kernel, "_MOST", 220)


@pytest.mark.usefixtures("few_descriptors")
def test_few_descriptors() -> None:
    """More namespaces than can be open at once; a descriptor that waits in a message is not given away."""
    names = [f"n{number}" for number in range(60)]
    veths = [
        {"name": f"h{name}", "peer": {"name": f"p{name}", "namespace": name, "up": False}, "ipv6": False}
        for name in names
    ]
    converges({"netns": [{"name": name} for name in names], "veth": veths})
    for name in names:
        assert host().namespaces[name].links[f"p{name}"].peer == ("", f"h{name}")
    assert len(apply({}, purge=True).actions) == 2 * len(names)
    assert list(host().namespaces) == [""]


@pytest.mark.usefixtures("few_descriptors")
def test_too_few_descriptors_to_hold_what_goes() -> None:
    names = [{"name": f"n{number}"} for number in range(100)]
    apply({"netns": names})
    before = snapshot.state()
    with pytest.raises(BridgenetError, match="100 namespaces at once need as many file descriptors"):
        apply({"netns": names}, state="absent")
    snapshot.same(before, snapshot.state())


# --- pairs ---


def test_ends_that_only_look_like_a_pair() -> None:
    """Indices begin anew in every namespace: two ends may name each other's index and be strangers."""
    with ExitStack() as held:
        for name, index, other in (("a", 7, 9), ("b", 9, 7)):
            far = f"/run/netns/{name}x"
            shell(
                f"ip netns add {name}; ip netns add {name}x;"
                f"ip -n {name} link add name e0 index {index} type veth peer name p0 index {other} netns {name}x"
            )
            held.enter_context(Path(far).open("rb"))  # its peer lives on in a namespace without a name
            shell(f"umount --lazy {far}; rm {far}")
        assert host().namespaces["a"].links["e0"].peer is None
        apply({"netns": [{"name": "a"}]}, state="absent")
        shell("ip -n b link show dev e0")


# --- routes ---


def test_default_route_moves_both_ways() -> None:
    def through(number: int) -> Objects:
        return {
            "netns": [{"name": "c"}],
            "veth": [
                {
                    "name": f"h{one}",
                    "exclusive": True,
                    "peer": {
                        "name": f"e{one}",
                        "namespace": "c",
                        "addresses": [f"10.{one}.0.2/24"],
                        "routes": [{"to": "default", "via": f"10.{one}.0.1"}] if one == number else [],
                    },
                }
                for one in (0, 1)
            ],
        }

    for number in (0, 1, 0):
        converges(through(number))


def test_routes_of_others_keep_what_we_do_not_model() -> None:
    shell("ip link add name x0 type veth peer name y0; ip link set dev x0 up; ip link set dev y0 up")
    shell("ip address add 192.0.2.1/24 dev x0; ip address add 192.0.2.9/24 dev x0")
    shell("ip route add 198.51.100.0/24 via 192.0.2.2 dev x0 proto dhcp src 192.0.2.1 mtu 1400")
    before = shell("ip route show 198.51.100.0/24")
    converges({"interface": [{"name": "x0", "ipv6": False}]})
    assert apply({"interface": [{"name": "x0", "addresses": ["192.0.2.9/24"]}]}, state="absent").changed
    assert shell("ip route show 198.51.100.0/24") == before


# --- IPv6 off by default ---


@pytest.mark.parametrize("key", ["all", "default"])
def test_namespace_without_ipv6(key: str) -> None:
    sysctls = {f"net.ipv6.conf.{key}.disable_ipv6": True}
    converges(
        {
            "netns": [{"name": "n", "sysctls": sysctls}],
            "veth": [{"name": "h", "peer": {"name": "e", "namespace": "n"}}],
            "bridge": [{"name": "b", "namespace": "n"}],
        }
    )


@pytest.mark.parametrize("ipv6", [True, False, None])
def test_ipv6_of_a_namespace_that_stands(ipv6: bool | None) -> None:
    """Switched off for all of its links, and on again; an end that is declared without stays so."""
    six = ["fd00::2/64"] if ipv6 else []
    own = {} if ipv6 is None else {"ipv6": ipv6}

    def declared(value: int) -> Objects:
        addresses = ["10.9.0.2/24", *(six if not value else [])]
        peer = {"name": "e", "namespace": "n", "addresses": addresses, **({} if value and ipv6 else own)}
        return {
            "netns": [{"name": "n", "sysctls": {"net.ipv6.conf.all.disable_ipv6": value}}],
            "veth": [{"name": "h", "exclusive": True, "peer": peer}],
        }

    story = Story()
    story.changes(declared(0))
    story.changes(declared(1))
    assert snapshot.sysctl("net/ipv6/conf/e/disable_ipv6", "n") == "1"
    story.changes(declared(0))
    assert snapshot.sysctl("net/ipv6/conf/e/disable_ipv6", "n") == str(int(ipv6 is False))
    assert undoes(declared(1)) > 0
    # A link that comes with it begins as the others are.
    with_another = declared(0)
    peer = {"name": "e2", "namespace": "n", **own, **({"addresses": ["fd00:2::2/64"]} if ipv6 else {})}
    with_another["veth"].append({"name": "h2", "peer": peer})
    assert undoes(with_another) > 0
    story.stays(with_another)


def test_host_without_ipv6_by_default() -> None:
    shell("sysctl -qw net/ipv6/conf/default/disable_ipv6=1")
    converges({"bridge": [{"name": "b"}, {"name": "six", "ipv6": True, "addresses": ["fd00::1/64"]}]})


# --- what is not ours ---


def test_the_mac_address_of_a_bridge_that_containers_join() -> None:
    """It is that of its uplink, by which others know the host, and has to stay."""
    shell(
        "ip link add name br9 type bridge; ip link add name lan0 address 52:54:00:00:00:01 type veth peer name far0;"
        "ip link set dev lan0 master br9; ip address add 10.9.0.1/24 dev br9; ip link set dev br9 up"
    )
    lan = {"bridge": "br9", "external": True, "subnet": "10.9.0.0/24", "ip_range": "10.9.0.128/25"}
    containers = {name: {"networks": {"lan": {}}} for name in "abcd"}
    lists = expand({"lan": lan}, containers)
    lists.pop("members")
    converges(lists)
    assert snapshot.link("br9")["address"] == "52:54:00:00:00:01"


@pytest.mark.parametrize(
    "objects",
    [
        {"bridge": [{"name": "wan"}]},
        {"veth": [{"name": "wan", "peer": {"name": "p0"}}]},
        {"veth": [{"name": "v0", "peer": {"name": "wan"}}]},
        {"vxlan": [{"name": "wan", "vni": 7, "local": "198.18.0.1"}]},
        {"tuntap": [{"name": "wan", "mode": "tap"}]},
    ],
)
def test_another_name_of_a_link(objects: Objects) -> None:
    """The kernel takes it for the link itself."""
    shell("ip link add name up0 type veth peer name far0; ip link property add dev up0 altname wan")
    before = snapshot.state()
    for run in (check, apply):
        with pytest.raises(BridgenetError, match="wan is an alternative name of 'up0' in the host already"):
            run(objects)
    snapshot.same(before, snapshot.state())
    assert apply({"bridge": [{"name": "br0"}], "bridge_port": [{"name": "up0", "master": "br0"}]}).changed


def test_table_of_somebody_else() -> None:
    shell("nft add table inet bridgenet; nft add chain inet bridgenet theirs")
    before = snapshot.state()
    assert not apply({}, purge=True).changed
    with pytest.raises(BridgenetError, match="the nftables table inet bridgenet exists and is not ours"):
        apply(blue())
    snapshot.same(before, snapshot.state())


def test_rule_that_matches_on_more_is_left_alone() -> None:
    entry = {"source": "10.0.0.0/8", "bridge": "br0", "backend": "iptables", "label": "x"}
    shell(
        "iptables -t nat -A POSTROUTING -s 10.0.0.0/8 ! -o br0 -p tcp -m comment --comment bridgenet:1:default:x "
        "-j MASQUERADE"
    )
    before = snapshot.state()
    converges({"masquerade": [entry]})
    apply({}, purge=True)
    snapshot.same(before, snapshot.state())


# --- sysctls that come back ---


def test_objects_that_somebody_else_removed() -> None:
    before = FORWARD.read_text()
    apply(blue())
    shell("nft flush ruleset; ip link del dev br0; ip -all netns del")
    assert apply({}, purge=True).changed
    assert FORWARD.read_text() == before
    assert not Path("/run/nslab.bridgenet").exists()


@pytest.mark.parametrize("subnet", ["fd00::/64", "10.10.0.0/16"])
def test_settings_of_a_bridge_go_with_it(subnet: str) -> None:
    """Its sysctls were noted down when the host began to forward; they cannot come back without it."""
    before = snapshot.state()
    apply({"bridge": [{"name": "br0", "addresses": [subnet.replace(":/", ":1/").replace(".0.0/", ".0.1/")]}]})
    if "." in subnet:
        shell("sysctl -qw net/ipv4/conf/br0/forwarding=1")
    apply({"masquerade": [{"source": subnet, "bridge": "br0", "forwarding": True}]})
    assert apply({}, purge=True).changed
    snapshot.same(snapshot.portable(before), snapshot.portable(snapshot.state()))


# --- refused in time ---


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("fe80::5/64", "is one that the kernel gives"),
        ("127.0.0.5/8", "is one that the kernel gives"),
        ("fd00::1%lo/64", "leave out the % part"),
        ("10.10.0.1", "has no prefix length"),
        ("10.10.0.0/16", "is the network address of"),
        ("10.10.255.255/16", "is the broadcast address of"),
        ("224.0.0.1/24", "is no address that an interface can have"),
    ],
)
def test_address_that_cannot_be(address: str, message: str) -> None:
    with pytest.raises(BridgenetError, match=message):
        check({"bridge": [{"name": "br0", "addresses": [address]}]})


def test_masquerades_that_overlap() -> None:
    entries = [{"source": source, "out_interface": "up0"} for source in ("10.0.0.0/8", "10.1.0.0/16")]
    with pytest.raises(BridgenetError, match=r"10\.0\.0\.0/8 out of up0 overlaps the entry for 10\.1\.0\.0/16"):
        check({"masquerade": entries})


def test_damaged_record_of_originals() -> None:
    Path("/run/nslab.bridgenet").mkdir()
    Path("/run/nslab.bridgenet/original").write_text("{")
    with pytest.raises(BridgenetError, match=r"/run/nslab\.bridgenet/original, which keeps .*, cannot be read"):
        check({"netns": [{"name": "a"}]})


# --- the lockout guard ---


@pytest.mark.parametrize(
    ("objects", "what"),
    [
        ({"interface": [{"name": "up0", "mac": "02:00:00:00:00:99"}]}, "get another MAC address"),
        ({"interface": [{"name": "up0", "ipv6": False}]}, "lose IPv6"),
        ({"interface": [{"name": "up0", "mtu": 1200}]}, "lose IPv6"),
        ({"interface": [{"name": "v0", "routes": [{"to": "default", "via": "10.9.0.1"}]}]}, "lose its traffic to v0"),
    ],
)
def test_more_ways_to_be_cut_off(objects: Objects, what: str) -> None:
    shell("ip link add name up0 type veth peer name far0; ip link set dev up0 up; ip link set dev far0 up")
    shell("ip link add name v0 type veth peer name p0; ip link set dev v0 up; ip link set dev p0 up")
    shell("ip address add 192.0.2.2/24 dev up0; ip route add default via 192.0.2.1 dev up0 metric 100")
    shell("ip address add 10.9.0.2/24 dev v0")
    before = snapshot.state()
    with pytest.raises(BridgenetError, match=f"interface 'up0' would {what}, but it carries the default route"):
        apply(objects)
    snapshot.same(before, snapshot.state())
