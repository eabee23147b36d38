/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_REQUEST_H
#define ONECLOCK_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../protocols/agent/agent.h"

/* What the controller asks of the agent: a ToGuest of protocols/agent/agent.proto. */
struct request {
	/* One of ONECLOCK_AGENT_TO_GUEST_…; what follows is 0 where the message of that type does not have it. */
	uint32_t type;
	uint32_t id;
	/* Either `command` or at least one of `argv`, which ends with NULL. */
	char *argv[ONECLOCK_AGENT_MAX_WORDS + 1];
	unsigned int argc;
	char *command;
	char *cwd;
	char *environment[ONECLOCK_AGENT_MAX_WORDS];
	unsigned int environment_count;
	char *user;
	char *path;
	bool terminal;
	uint16_t rows;
	uint16_t columns;
	int signal;
	uint32_t mode;
	uint32_t credit;
	const uint8_t *bytes;
	size_t size;
	bool end;
};

/*
 * Reads a message of `size` bytes into `request`, which then points into it; texts in it are moved. Returns NULL, or
 * what no controller says about it.
 */
const char *request_parse(struct request *request, uint8_t *message, size_t size);

#endif
