/*
 * Copyright (c) 2026, nslab.bridgenet contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The kernel's own price of a container bridge network: the state that the engine builds and
 * removes, with the same messages, but without reading, planning or checking anything.
 *
 *     floor build N | remove N
 *
 * Prints the seconds that it took. To be run in a network and mount namespace of its own with
 * an empty directory /run/netns.
 */
#define _GNU_SOURCE
#include "rtnl.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>

#include <linux/veth.h>

#define BRIDGE "br0"
#define GATEWAY "10.10.0.1"
#define PREFIX 16
#define GROUP 0x62720000 /* any that nobody else uses */
#define LABEL "bridgenet:1:default:"
#define CREATE (NLM_F_CREATE | NLM_F_EXCL)

static struct batch batch;
static int home; /* the namespace of this thread, and a socket in it */
static int home_socket;

static const char *numbered(const char *format, int number)
{
	static char text[128];

	snprintf(text, sizeof(text), format, number);
	return text;
}

static struct in_addr address_of(int number)
{
	struct in_addr address = { htonl(ntohl(inet_addr(GATEWAY)) + number) };

	return address;
}

/* The bridge is end 0; a pair has the ends 2k - 1 and 2k. */
static void attribute_mac(int type, int end)
{
	unsigned char mac[6] = { 0x02, 0, 0, 0, end >> 8, end };

	attribute(&batch, type, mac, sizeof(mac));
}

static void change_link(int type, int flags, unsigned int up)
{
	struct ifinfomsg body = { .ifi_flags = up, .ifi_change = up };

	message(&batch, type, flags, &body, sizeof(body));
}

static void set_up(const char *name)
{
	change_link(RTM_NEWLINK, 0, IFF_UP);
	attribute_text(&batch, IFLA_IFNAME, name);
}

static void add_address(unsigned int index, struct in_addr address)
{
	struct ifaddrmsg body = { .ifa_family = AF_INET, .ifa_prefixlen = PREFIX, .ifa_index = index };

	message(&batch, RTM_NEWADDR, CREATE, &body, sizeof(body));
	attribute(&batch, IFA_LOCAL, &address, sizeof(address));
	attribute(&batch, IFA_ADDRESS, &address, sizeof(address));
}

static void add_default_route(unsigned int index)
{
	struct rtmsg body = {
		.rtm_family = AF_INET,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_type = RTN_UNICAST,
	};
	struct in_addr gateway = address_of(0);

	message(&batch, RTM_NEWROUTE, CREATE, &body, sizeof(body));
	attribute(&batch, RTA_GATEWAY, &gateway, sizeof(gateway));
	attribute_u32(&batch, RTA_OIF, index);
}

static void ipv6_off(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return; /* a kernel without IPv6 */
	checked(fd, path);
	checked(write(fd, "1", 1), path);
	close(fd);
}

/* Returns the bridge's index; it is still down, because ports join faster then. */
static unsigned int create_bridge(void)
{
	struct rtattr *info;

	change_link(RTM_NEWLINK, CREATE, 0);
	attribute_text(&batch, IFLA_IFNAME, BRIDGE);
	attribute_mac(IFLA_ADDRESS, 0);
	info = nest(&batch, IFLA_LINKINFO);
	attribute_text(&batch, IFLA_INFO_KIND, "bridge");
	nest_end(&batch, info);
	change_link(RTM_NEWLINK, 0, 0);
	attribute_text(&batch, IFLA_IFNAME, BRIDGE);
	attribute_text(&batch, IFLA_IFALIAS, LABEL "blue");
	transact(home_socket, &batch);
	return if_nametoindex(BRIDGE);
}

static void raise_bridge(unsigned int index)
{
	ipv6_off(BRIDGE);
	set_up(BRIDGE);
	add_address(index, address_of(0));
	transact(home_socket, &batch);
}

/* A namespace with its loopback up and labelled before it has a name; a descriptor of it, and a socket in it. */
static int create_namespace(int number, int *inside)
{
	const char *path;
	int namespace;

	checked(unshare(CLONE_NEWNET), "unshare");
	namespace = checked(open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC), OWN_NAMESPACE);
	*inside = rtnl_socket();
	set_up("lo");
	attribute_text(&batch, IFLA_IFALIAS, numbered(LABEL "ns%d", number));
	transact(*inside, &batch);
	path = numbered(NAMESPACES "/ns%d", number);
	close(checked(open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0), path));
	checked(mount(OWN_NAMESPACE, path, "none", MS_BIND, NULL), "mount");
	checked(setns(home, CLONE_NEWNET), "setns");
	return namespace;
}

/* Both ends in place: the near one a port of the bridge, up and labelled, the far one inside. */
static void create_pair(int number, int namespace, unsigned int bridge)
{
	struct ifinfomsg far = { .ifi_family = AF_UNSPEC };
	struct rtattr *info, *data, *peer;

	change_link(RTM_NEWLINK, CREATE, IFF_UP);
	attribute_text(&batch, IFLA_IFNAME, numbered("veth%d", number));
	attribute_mac(IFLA_ADDRESS, 2 * number - 1);
	attribute_u32(&batch, IFLA_MASTER, bridge);
	info = nest(&batch, IFLA_LINKINFO);
	attribute_text(&batch, IFLA_INFO_KIND, "veth");
	data = nest(&batch, IFLA_INFO_DATA);
	peer = nest(&batch, VETH_INFO_PEER);
	append(&batch, &far, sizeof(far));
	attribute_text(&batch, IFLA_IFNAME, numbered("vpeer%d", number));
	attribute_mac(IFLA_ADDRESS, 2 * number);
	attribute_u32(&batch, IFLA_NET_NS_FD, namespace);
	nest_end(&batch, peer);
	nest_end(&batch, data);
	nest_end(&batch, info);
	change_link(RTM_NEWLINK, 0, 0); /* an alias in the message above would be ignored */
	attribute_text(&batch, IFLA_IFNAME, numbered("veth%d", number));
	attribute_text(&batch, IFLA_IFALIAS, numbered(LABEL "ns%d/blue", number));
	transact(home_socket, &batch);
	ipv6_off(numbered("veth%d", number));
}

static void settle_inside(int number, int namespace, int inside)
{
	char name[IFNAMSIZ];
	unsigned int index;

	snprintf(name, sizeof(name), "vpeer%d", number);
	checked(setns(namespace, CLONE_NEWNET), "setns");
	ipv6_off(name);
	index = if_nametoindex(name);
	checked(setns(home, CLONE_NEWNET), "setns");
	set_up(name);
	add_address(index, address_of(number));
	add_default_route(index);
	transact(inside, &batch);
}

static void build(int count)
{
	unsigned int bridge = create_bridge();

	for (int number = 1; number <= count; number++) {
		int inside, namespace = create_namespace(number, &inside);

		create_pair(number, namespace, bridge);
		settle_inside(number, namespace, inside);
		close(inside);
		close(namespace);
	}
	raise_bridge(bridge);
}

/* Deleting links one by one takes 20 ms each; together, as one group, less than 1 ms. */
static void into_group(const char *name)
{
	change_link(RTM_NEWLINK, 0, 0);
	attribute_text(&batch, IFLA_IFNAME, name);
	attribute_u32(&batch, IFLA_GROUP, GROUP);
}

static void remove_all(int count)
{
	into_group(BRIDGE);
	for (int number = 1; number <= count; number++) {
		into_group(numbered("veth%d", number));
		if (batch.messages == 100)
			transact(home_socket, &batch);
	}
	change_link(RTM_DELLINK, 0, 0);
	attribute_u32(&batch, IFLA_GROUP, GROUP);
	transact(home_socket, &batch);
	for (int number = 1; number <= count; number++) {
		const char *path = numbered(NAMESPACES "/ns%d", number);

		checked(umount2(path, MNT_DETACH), path);
		checked(unlink(path), path);
	}
}

int main(int argc, char **argv)
{
	int building = argc == 3 && !strcmp(argv[1], "build");
	int count = argc == 3 ? atoi(argv[2]) : 0;
	double start = now();

	if (count < 1 || (!building && strcmp(argv[1], "remove"))) {
		fprintf(stderr, "usage: floor build N | remove N\n");
		return 2;
	}
	home = checked(open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC), OWN_NAMESPACE);
	home_socket = rtnl_socket();
	if (building)
		build(count);
	else
		remove_all(count);
	printf("%.6f\n", now() - start);
	return 0;
}
