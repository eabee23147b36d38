// SPDX-License-Identifier: MIT
#include "carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail.h"

/* Virtual milliseconds without news from any interface after which those that are down stay down. */
#define CARRIER_PATIENCE 100

int carrier_listen(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int listener = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)))
		fail("cannot listen for changes of the network devices: %s", strerror(errno));
	return listener;
}

/* Whether the kernel's state of `interface` is "up": operational, and not merely switched on. */
static bool carrier_is_up(const struct node_interface *interface)
{
	char path[64 + IFNAMSIZ], state[16] = "";
	ssize_t length;
	int file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/operstate", interface->name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		fail("cannot read %s: %s", path, strerror(errno));
	length = read(file, state, sizeof(state) - 1);
	close(file);
	return length >= 2 && !strncmp(state, "up", 2);
}

static bool carrier_all_up(const struct node *node)
{
	for (unsigned int i = 0; i < node->interface_count; i++)
		if (!carrier_is_up(&node->interfaces[i]))
			return false;
	return true;
}

void carrier_wait(int listener, const struct node *node)
{
	struct pollfd waiting = { .fd = listener, .events = POLLIN };
	char ignored[8192];

	while (!carrier_all_up(node) && poll(&waiting, 1, CARRIER_PATIENCE) > 0)
		while (recv(listener, ignored, sizeof(ignored), 0) > 0)
			;
	close(listener);
}
