# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration as the modules' lists."""

from __future__ import annotations

DOCUMENTATION = r"""
name: expand
short_description: Turn a declaration of networks and containers into the modules' lists
version_added: 0.1.0
author:
  - nslab.bridgenet contributors (@nslab)
description:
  - Checks a declaration of networks and containers, fills in what it leaves to a default, and gives it as the lists
    that M(nslab.bridgenet.transaction) takes.
  - A declaration that is wrong is refused on the controller, before any host is touched. The error names the value, the
    rule and what to write instead.
  - The role P(nslab.bridgenet.container_bridge_network#role) does this for you.
positional: _input, containers
options:
  _input:
    description:
      - The networks, by name. A name has 1 to 36 letters, digits, V(_), V(.) and V(-).
      - The keys of a network are C(bridge), C(enable_ipv4), C(subnet), C(gateway), C(ip_range), C(enable_ipv6),
        C(ipv6_subnet), C(ipv6_gateway), C(ipv6_range), C(aux_addresses), C(masquerade), C(internal), C(icc),
        C(allow), C(gateway_mode), C(mtu), C(driver), C(vni), C(vxlan_port), C(control_plane), C(external), C(shared)
        and C(state). None is required.
      - C(enable_ipv4) (V(true) by default) and C(enable_ipv6) (V(false) by default) say which addresses there are. One
        of them is V(true). Where IPv6 is off, no link of the network speaks it.
      - C(subnet) is an IPv4 network in CIDR notation, such as V(10.10.0.0/16). Without it, it is that of the bridge
        that stands on O(host) for this network, or else the first one of O(pools) that overlaps nothing in the
        declaration and nothing to which the host has an address or a route. An C(external) network needs it.
      - C(bridge) is the name of the bridge. The default is C(br-NAME) where that has at most 15 characters, else V(br-)
        and 12 hexadecimal digits made from the name.
      - C(gateway) is the address of the bridge, and the next hop of the containers' default route. The default is the
        first address of the subnet. V(false) makes a pure layer 2 network, without address on the host, route and NAT.
      - C(ip_range) is a part of the subnet, from which the addresses are chosen that nobody wrote. The default is the
        whole subnet. A written C(ipv4_address) may lie outside. An C(external) network needs it where a container has
        no C(ipv4_address).
      - C(ipv6_subnet), C(ipv6_gateway) and C(ipv6_range) are the same for IPv6.
      - C(shared) set to V(true) says that other hosts have containers in the network as well. Its subnet is required,
        and addresses are chosen from the part of C(ip_range) that O(host_index) gives this host. One in the part of
        another host cannot be written.
      - C(aux_addresses) are addresses of either family that no container gets, by a name for each.
      - C(masquerade) says whether what leaves the network gets the host's address. V(false) takes the rule away, and
        without the key nothing is done about it.
      - C(internal) set to V(true) leaves the network no way out or in. The address of the bridge still answers. Its
        containers get no default route by it, and it does not masquerade.
      - C(icc) set to V(false) keeps the containers of the network from each other, on the bridge and by way of the
        host.
      - C(allow) is a list of other networks. The containers of this network may begin to talk to theirs, which may
        answer. That goes before C(internal), of either of them. A container whose default route does not lead to the
        other network gets a route to its subnet by the gateway of this one, and so does the other side for its
        answers. Neither network may be C(external) or have C(gateway) V(false).
      - C(gateway_mode) is V(nat) (the default) or V(routed). With V(nat), C(masquerade) tells what leaves the network
        by which address, and nobody outside begins to talk to it. A network that is V(routed) does not masquerade, and
        whoever outside has a route to it may begin to talk to it. It stays kept from the other networks.
      - A network that is V(routed), or that has C(allow), turns on the host's IP forwarding, unless
        O(forwarding=false).
      - C(mtu) is the maximum transmission unit of the bridge and of both ends of every veth, 68 to 65535 bytes, with
        IPv6 at least 1280. The default is that of the link by which the default route of O(host) leaves, and for an
        C(external) network that of its bridge. It follows when that changes, at the next run.
      - C(driver) is V(bridge) (the default), or V(vxlan) for a network that is the same Ethernet on several hosts.
        Every host that declares it with the same C(vni) and name has it, see O(underlay). Each of them has the gateway,
        with the same address and MAC address, and a container uses that of its own host. C(subnet), and with IPv6
        C(ipv6_subnet), is required and the same on all of them, and so are the gateways, C(internal) and C(vxlan_port).
      - C(vni) is the number of such a network, V(1) to V(16777215). C(vxlan_port) is the UDP port, V(4789) by default.
      - C(control_plane) says who tells the host of such a network where the others and their containers are. V(static)
        (the default) are the inventory, and what the network learns from what comes in. V(evpn) is a routing daemon on
        every host, which the role P(nslab.bridgenet.evpn#role) sets up; nothing is learned then. The same on all hosts.
      - The C(mtu) of such a network is by default what the underlay of O(host) carries in VXLAN, which is 50 bytes less
        than its own with IPv4 and 70 with IPv6. More than that is refused.
      - C(external) set to V(true) joins an existing bridge, which is neither changed nor labelled. C(gateway) is then
        only a next hop.
      - C(state) is V(present) (the default) or V(absent).
    type: dict
    required: true
  containers:
    description:
      - The containers, by name. A name has 1 to 63 letters, digits, V(_), V(.) and V(-), and is that of the namespace.
      - The keys of a container are C(networks), C(network_mode) or C(adopt), of which one is required, C(sysctls),
        C(ports), those of its process, and C(state), which is V(present) (the default) or V(absent).
      - C(network_mode) is V(bridge), V(host), V(none) or V(container:NAME), as C(docker run --network) has them.
        V(bridge) is the network C(default). V(host) makes no namespace. V(none) makes one with only C(lo).
        V(container:NAME) is another name for the namespace of that container.
      - The network C(default) is there where a container uses it. Unless it is declared, its bridge is C(br-default),
        it masquerades, and its subnet is from O(pools).
      - C(adopt) takes the namespace of somebody else's process or container in place of one of ours, by exactly one of
        C(pid), C(path), C(podman) and C(docker), as M(nslab.bridgenet.netns) has them. C(networks) plugs it in.
      - C(sysctls) are those inside its namespace, as a mapping or a list of C(KEY=VALUE), and the keys with dots or
        slashes. Only keys below C(net) are a namespace's own. Whether the kernel has a key is seen on the host, before
        the first change. One that is taken out of the declaration keeps its value.
      - C(ports) is a list of published ports, in Compose's short form, such as V(8081:80), V(127.0.0.1:8082:80),
        V(5353:53/udp), V([fd00::1]:80:80) and V(9000-9005:80-85), or in its long form with C(target), C(published),
        C(host_ip) and C(protocol). They lead to the address in the network of the default route, of the family of
        C(host_ip), and without that of both. A port that is taken out of the list goes with the next run. The port of
        the host is required, C(mode), C(name) and C(app_protocol) say nothing here, and C(host_ip) V(::1) is refused.
        With C(network_mode) other than V(bridge) there are none. See M(nslab.bridgenet.publish).
      - C(command) is a list of words, or a string that is split as a shell does it. It is kept running in the namespace
        of the container by M(nslab.bridgenet.netns_service), under the container's name. With it go C(hostname) (the
        container's name by default), C(environment) (a mapping, or a list of C(NAME=VALUE)), C(user), C(working_dir)
        and C(restart), which are Compose's.
      - C(extra_hosts) (a mapping from names to addresses, or a list of C(NAME=ADDRESS)) are names that the container
        knows besides those of its neighbours and its own. C(dns) (one address or a list) are the name servers that it
        asks, C(dns_search) (one or a list) the domains in which it looks for a short name. Without C(dns) it asks those
        of the host, see O(nslab.bridgenet.netns_names#module:host_nameservers).
      - C(networks) has the networks that the container joins, by name, or is a list of their names where there is
        nothing more to say. The keys of each are C(ipv4_address),
        C(ipv6_address), C(aliases), C(mac_address), C(priority), C(gw_priority), C(interface_name),
        C(host_interface_name), C(bandwidth) and C(netem).
      - C(ipv4_address) and C(ipv6_address) are addresses in the network's subnets, without prefix length. Without them,
        they are those that the container has on O(host) already, or else the first free ones from a hash of the
        container's name on. So nobody gets another address because others come, go or change places.
      - C(aliases) are more names (one or a list) by which its neighbours in that network find the container, besides
        its own, which has to be a host name. Several containers may have the same one.
      - C(mac_address) is that of the interface in the container. The default is made from the names of host, project,
        container and network. As a key of the container itself, it is for the network with the highest C(priority), a
        whole number, V(0) by default, and among equals for that of the default route.
      - C(gw_priority) is a whole number, V(0) by default. In several networks the default route uses the one with the
        highest, and among equals the first by name. There is one default route for each of IPv4 and IPv6.
      - C(interface_name) is the name in the container, at most 15 characters. The default is V(eth0), and with several
        networks V(eth0), V(eth1) and so on in the order of the networks' names.
      - C(host_interface_name) is the name of the bridge port, at most 15 characters. The default is V(veth) and 11
        hexadecimal digits made from the names of container and network.
      - C(bandwidth) limits the rate, from the container's side. C(ingress_rate) is what it receives and C(egress_rate)
        what it sends, like V(10mbit); C(ingress_burst) and C(egress_burst) are how much may come at once, like
        V(32kb). See O(nslab.bridgenet.qdisc#module:tbf).
      - C(netem) has C(delay), C(jitter), C(loss) and C(duplicate) for the packets that the container sends, as
        O(nslab.bridgenet.qdisc#module:netem) has them. A limit that is taken out goes with the next run.
    type: dict
    default: {}
  forwarding:
    description: Whether the host's IP forwarding is turned on where the declaration needs it.
    type: bool
    default: true
  backend:
    description: What a masquerade is written with.
    type: str
    choices: [auto, nftables, iptables]
    default: auto
  isolation:
    description:
      - Whether the networks are kept from each other, those that have a bridge of ours.
      - V(false) leaves them to the host's own policy, except for those that are C(internal). It is refused with C(icc)
        V(false), C(allow) and C(gateway_mode) V(routed), which are exceptions from it or need it.
    type: bool
    default: true
  host:
    description:
      - What stands on the host, as the return value C(namespaces) of M(nslab.bridgenet.netns_info). What the
        declaration leaves to be chosen depends on it.
      - Without it, everything is chosen as on an empty host, to see what is wrong before any host is touched.
    type: list
    elements: dict
  project:
    description: Whose objects on O(host) are those of the declaration.
    type: str
    default: default
  pools:
    description:
      - From where networks get a subnet that have none, as Docker's C(default-address-pools) has it. A subnet of
        C(size) bits is taken out of C(base), of the first pool of the family that has one left.
    type: list
    elements: dict
    default:
      - {base: 10.210.0.0/16, size: 21}
      - {base: "fd9d:4e1b:62c0::/48", size: 64}
  purge:
    description:
      - Whether what stands on O(host) and is not declared goes. Otherwise it stays, and nobody is given its address.
    type: bool
    default: false
  host_index:
    description:
      - Which one of the hosts of its fleet this is, from V(0) on. O(pools), and what is C(shared), are parted among the
        hosts by it. It needs O(host_count).
    type: int
  host_count:
    description: How many hosts the fleet will ever have. It needs O(host_index).
    type: int
  inventory_host:
    description: The name of the host in the inventory, for an error that is about its place in the fleet.
    type: str
    default: ""
  underlay:
    description:
      - Who else has the networks with C(driver) V(vxlan), and by which addresses, as P(nslab.bridgenet.underlay#filter)
        gives it. Required where there is such a network.
    type: dict
  state:
    description:
      - V(absent) takes every network and container as one with C(state) V(absent), whatever it says itself. What only
        matters where something is to stand is then not looked at.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: nslab.bridgenet.transaction
  - plugin: nslab.bridgenet.elsewhere
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Build two containers on one bridge
  nslab.bridgenet.transaction:
    netns: "{{ lists.netns }}"
    bridge: "{{ lists.bridge }}"
    veth: "{{ lists.veth }}"
    vxlan: "{{ lists.vxlan }}"
    bridge_port: "{{ lists.bridge_port }}"
    qdisc: "{{ lists.qdisc }}"
    masquerade: "{{ lists.masquerade }}"
    forward: "{{ lists.forward }}"
    publish: "{{ lists.publish }}"
    netns_names: "{{ lists.netns_names }}"
    netns_service: "{{ lists.netns_service }}"
  vars:
    lists: "{{ networks | nslab.bridgenet.expand(containers) }}"
    networks:
      blue:
        bridge: br0
        subnet: 10.10.0.0/16
        masquerade: true
    containers:
      ns1: {networks: {blue: {ipv4_address: 10.10.0.10}}}
      ns2: {networks: {blue: {ipv4_address: 10.10.0.20}}}
"""

RETURN = r"""
_value:
  description:
    - The lists C(netns), C(bridge), C(veth), C(vxlan), C(bridge_port), C(qdisc), C(masquerade), C(forward),
      C(publish), C(netns_names) and C(netns_service). Their elements have the options of the module of that name.
    - What is declared absent is in them with C(state) V(absent).
    - C(members) tells other hosts who is in the networks with C(driver) V(vxlan) or C(shared), network -> address ->
      names, for P(nslab.bridgenet.elsewhere#filter). Without O(host), it leaves out an address that depends on what
      stands.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from jinja2 import Undefined

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.plugin_utils import (
    _declaration,
    _expansion,
    _members,
    _occupied,
    _parts,
    _readers,
    _vxlan,
)


def expand(
    networks: Any,
    containers: Any = None,
    forwarding: Any = True,
    backend: str = "auto",
    isolation: Any = True,
    host: Any = None,
    project: str = "default",
    pools: Any = None,
    purge: Any = False,
    host_index: Any = None,
    host_count: Any = None,
    underlay: Any = None,
    inventory_host: str = "",
    state: str = "present",
) -> dict[str, Any]:
    """Check and expand."""
    for value in (networks, containers):
        if isinstance(value, Undefined):  # up to ansible-core 2.18
            str(value)  # raises, and names the variable
    try:
        standing = None if host is None else _occupied.read(host, project)
        share = _parts.share(host_index, host_count, inventory_host)
        under = _vxlan.read_underlay(underlay) if underlay else None
        purges = _readers.flag("purge", purge)
        gone = _readers.state("state", state) == "absent"
        declaration = _declaration.parse(networks, containers, standing, pools, purges, share, under, gone)
        found = _expansion.lists(
            declaration,
            _readers.flag("forwarding", forwarding),
            _readers.text("backend", backend),
            _readers.flag("isolation", isolation),
            project,
            under,
        )
        return {**found, "members": _members.members(declaration, settled=standing is not None)}
    except BridgenetError as error:
        raise AnsibleFilterError(str(error)) from None  # Ansible would print every cause as well


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters in this file."""
        return {"expand": expand}
