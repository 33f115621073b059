/*
 * Copyright (c) 2026, nslab.bridgenet contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Just enough of rtnetlink(7) for floor.c and reader.c.
 */
#ifndef RTNL_H
#define RTNL_H

#include "checked.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define NAMESPACES "/run/netns"
#define OWN_NAMESPACE "/proc/thread-self/ns/net"

/* A socket stays in the namespace in which it was made. */
static inline int rtnl_socket(void)
{
	static const int options[] = { NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };
	int fd = checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "socket");
	int on = 1;

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		checked(setsockopt(fd, SOL_NETLINK, options[i], &on, sizeof(on)), "setsockopt");
	return fd;
}

/* Requests that travel in one send. */
struct batch {
	_Alignas(NLMSG_ALIGNTO) char data[32768];
	size_t length;
	struct nlmsghdr *last;
	unsigned int messages;
};

static inline void *append(struct batch *batch, const void *data, size_t size)
{
	char *place = batch->data + batch->length;
	size_t padded = NLMSG_ALIGN(size);

	if (batch->length + padded > sizeof(batch->data))
		fail("batch", ENOBUFS);
	memset(place + size, 0, padded - size);
	if (size)
		memcpy(place, data, size);
	batch->length += padded;
	if (batch->last)
		batch->last->nlmsg_len = batch->data + batch->length - (char *)batch->last;
	return place;
}

/* Start a message; `body` is the fixed part of its family: ifinfomsg, ifaddrmsg, rtmsg. */
static inline void message(struct batch *batch, int type, int flags, const void *body, size_t size)
{
	struct nlmsghdr header = {
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags,
		.nlmsg_seq = ++batch->messages,
	};

	batch->last = NULL;
	batch->last = append(batch, &header, sizeof(header));
	append(batch, body, size);
}

static inline void attribute(struct batch *batch, int type, const void *data, size_t size)
{
	struct rtattr header = { .rta_len = RTA_LENGTH(size), .rta_type = type };

	append(batch, &header, sizeof(header));
	append(batch, data, size);
}

static inline void attribute_text(struct batch *batch, int type, const char *text)
{
	attribute(batch, type, text, strlen(text) + 1);
}

static inline void attribute_u32(struct batch *batch, int type, unsigned int value)
{
	attribute(batch, type, &value, sizeof(value));
}

/* An attribute that holds everything up to nest_end(). */
static inline struct rtattr *nest(struct batch *batch, int type)
{
	struct rtattr header = { .rta_len = RTA_LENGTH(0), .rta_type = type };

	return append(batch, &header, sizeof(header));
}

static inline void nest_end(struct batch *batch, struct rtattr *attribute)
{
	attribute->rta_len = batch->data + batch->length - (char *)attribute;
}

/* Send the batch, wait for every acknowledgement, and empty it. */
static inline void transact(int fd, struct batch *batch)
{
	static _Alignas(NLMSG_ALIGNTO) char answer[65536];
	unsigned int missing = batch->messages;

	checked(send(fd, batch->data, batch->length, 0), "send");
	while (missing) {
		int size = checked(recv(fd, answer, sizeof(answer), 0), "recv");

		for (struct nlmsghdr *header = (void *)answer; NLMSG_OK(header, size); header = NLMSG_NEXT(header, size)) {
			const struct nlmsgerr *error = NLMSG_DATA(header);

			if (header->nlmsg_type != NLMSG_ERROR)
				continue;
			if (error->error)
				fail("netlink", -error->error);
			missing--;
		}
	}
	batch->length = 0;
	batch->last = NULL;
	batch->messages = 0;
}

#endif
