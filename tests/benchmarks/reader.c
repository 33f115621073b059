/*
 * Copyright (c) 2026, nslab.bridgenet contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The kernel's own price of looking: the dumps that the engine asks for when there is nothing
 * to do - links, addresses and IPv4 routes, here and in every namespace in /run/netns, with
 * strict filtering and without statistics - received, but not decoded.
 *
 *     reader [files]
 *
 * With `files`, also what a namespace knows by name: /etc/netns/NAME/hosts and resolv.conf. Prints the
 * seconds that it took.
 */
#define _GNU_SOURCE
#include "rtnl.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>

static void dump(int fd, int type, const void *body, size_t size)
{
	static _Alignas(NLMSG_ALIGNTO) char answer[65536];
	static struct batch request;

	request.length = 0;
	message(&request, type, NLM_F_DUMP, body, size);
	request.last->nlmsg_flags &= ~NLM_F_ACK;
	checked(send(fd, request.data, request.length, 0), "send");
	for (;;) {
		int left = checked(recv(fd, answer, sizeof(answer), 0), "recv");

		for (struct nlmsghdr *header = (void *)answer; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
			if (header->nlmsg_type == NLMSG_DONE)
				return;
			if (header->nlmsg_type == NLMSG_ERROR)
				fail("dump", -((struct nlmsgerr *)NLMSG_DATA(header))->error);
		}
	}
}

/* Of the namespace that this thread is in. */
static void read_namespace(void)
{
	struct {
		struct ifinfomsg body;
		struct rtattr header;
		unsigned int mask;
	} links = { .header = { RTA_LENGTH(sizeof(links.mask)), IFLA_EXT_MASK }, .mask = RTEXT_FILTER_SKIP_STATS };
	struct ifaddrmsg addresses = { .ifa_family = AF_UNSPEC };
	struct rtmsg routes = { .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN };
	int fd = rtnl_socket();

	dump(fd, RTM_GETLINK, &links, sizeof(links));
	dump(fd, RTM_GETADDR, &addresses, sizeof(addresses));
	dump(fd, RTM_GETROUTE, &routes, sizeof(routes));
	close(fd);
}

static void read_file(const char *name, const char *file)
{
	static char content[65536], path[512];
	int fd;

	snprintf(path, sizeof(path), "/etc/netns/%s/%s", name, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return;
	checked(fd, path);
	while (checked(read(fd, content, sizeof(content)), path) > 0)
		;
	close(fd);
}

int main(int argc, char **argv)
{
	int files = argc == 2 && !strcmp(argv[1], "files");
	double start = now();
	DIR *directory;
	struct dirent *entry;

	read_namespace();
	directory = opendir(NAMESPACES);
	if (!directory)
		fail(NAMESPACES, errno);
	while ((entry = readdir(directory))) {
		int namespace;

		if (entry->d_name[0] == '.')
			continue;
		namespace = checked(openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC), entry->d_name);
		checked(setns(namespace, CLONE_NEWNET), "setns");
		close(namespace);
		read_namespace();
		if (files) {
			read_file(entry->d_name, "hosts");
			read_file(entry->d_name, "resolv.conf");
		}
	}
	printf("%.6f\n", now() - start);
	return 0;
}
