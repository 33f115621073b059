/*
 * Copyright (c) 2026, nslab.bridgenet contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How many datagrams of one flow the kernel takes along in a second. One processor takes each all the
 * way, from the sender's call to the receiver's socket, where it is dropped: nobody reads, nobody is
 * woken up, and many go with one call, so that what is measured is the way.
 *
 *     datagrams answer PORT           answers one datagram, and lets the rest be
 *     datagrams send ADDRESS PORT     sends one, and after its answer BURSTS times BURST
 *
 * What sends prints how many it has sent after the answer, and the datagrams per second of the median burst.
 */
#define _GNU_SOURCE
#include "checked.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { SIZE = 64, AT_ONCE = 64, BURST = 150 * AT_ONCE, BURSTS = 41 };

static int by_value(const void *one, const void *other)
{
	double left = *(const double *)one, right = *(const double *)other;

	return (left > right) - (left < right);
}

static void answer(int fd, struct sockaddr_in *at)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	int least = 1;
	char data[SIZE];

	checked(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)), "SO_RCVBUF");
	checked(bind(fd, (void *)at, sizeof(*at)), "bind");
	puts("listening");
	fflush(stdout);
	checked(recvfrom(fd, data, sizeof(data), 0, (void *)&from, &length), "recvfrom");
	checked(sendto(fd, data, 1, 0, (void *)&from, length), "sendto");
	pause();
}

static void flood(int fd, struct sockaddr_in *to)
{
	static char data[SIZE];
	struct iovec whole = { data, sizeof(data) };
	struct mmsghdr messages[AT_ONCE] = { 0 };
	struct timeval patience = { .tv_sec = 5 };
	double rates[BURSTS];

	for (int one = 0; one < AT_ONCE; one++) {
		messages[one].msg_hdr.msg_iov = &whole;
		messages[one].msg_hdr.msg_iovlen = 1;
	}
	checked(connect(fd, (void *)to, sizeof(*to)), "connect");
	checked(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), "SO_RCVTIMEO");
	checked(send(fd, data, sizeof(data), 0), "send");
	checked(recv(fd, data, sizeof(data), 0), "the answer");
	for (int burst = 0; burst < BURSTS; burst++) {
		double start = now();

		for (int sent = 0; sent < BURST;)
			sent += checked(sendmmsg(fd, messages, AT_ONCE, 0), "sendmmsg");
		rates[burst] = BURST / (now() - start);
	}
	qsort(rates, BURSTS, sizeof(*rates), by_value);
	printf("%d %.0f\n", BURST * BURSTS, rates[BURSTS / 2]);
}

int main(int count, char **words)
{
	struct sockaddr_in where = { .sin_family = AF_INET };
	int fd = checked(socket(AF_INET, SOCK_DGRAM, 0), "socket");

	if (count == 3 && !strcmp(words[1], "answer")) {
		where.sin_port = htons(atoi(words[2]));
		answer(fd, &where);
	} else if (count == 4 && !strcmp(words[1], "send") && inet_pton(AF_INET, words[2], &where.sin_addr) == 1) {
		where.sin_port = htons(atoi(words[3]));
		flood(fd, &where);
	} else {
		fprintf(stderr, "usage: datagrams answer PORT | send ADDRESS PORT\n");
		return 2;
	}
	return 0;
}
