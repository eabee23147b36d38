/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_SERVER_H
#define ONECLOCK_SERVER_H

#include <stdint.h>
#include <sys/types.h>

#include "report.h"

/* A child that is no operation of the controller's, and of whose end it is told. */
struct server_watch {
	/* -1: there is none. */
	pid_t pid;
	/* Writes what is sent when it has ended with `status` (waitpid(2)), and returns its size. */
	size_t (*report)(uint8_t report[REPORT_MAX_SIZE], int status);
};

/*
 * Does what the controller asks for through `port`, as protocols/agent/agent.proto says, and takes the status of every
 * process that ends. Sleeps where there is nothing to do. Returns when the port is of no use any more, or the controller
 * has broken the protocol, with the reason.
 */
const char *server_serve(int port, const struct server_watch *watch);

#endif
