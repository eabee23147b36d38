// SPDX-License-Identifier: MIT
#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "../../protocols/agent/agent.h"
#include "port.h"

static int agent_port = -1;

bool agent_open(void)
{
	agent_port = port_open(ONECLOCK_AGENT_PORT);
	return agent_port >= 0;
}

int agent_descriptor(void)
{
	return agent_port;
}

bool agent_send(const uint8_t *report, size_t size)
{
	if (agent_port < 0)
		return false;
	while (size > 0) {
		ssize_t put = write(agent_port, report, size);

		if (put < 0 && errno == EINTR)
			continue;
		/* The server of the agent has made it one that does not wait. */
		if (put < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = agent_port, .events = POLLOUT };

			poll(&wait, 1, -1);
			continue;
		}
		if (put <= 0)
			return false;
		report += put;
		size -= (size_t)put;
	}
	return true;
}
