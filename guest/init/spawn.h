/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_SPAWN_H
#define ONECLOCK_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "request.h"

/* What login(1) gives to root. */
#define SPAWN_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define SPAWN_MAX_TEXT 400

/* A program of the agent, with this side's ends of its streams: not blocking, and closed in other programs. */
struct spawned {
	/* The leader of its own session. */
	pid_t pid;
	int input;
	/* Standard output and error; a terminal has the first alone. */
	int outputs[2];
};

/*
 * Starts the program of an Exec. Returns 0 when it runs; else an errno, or -1 where there is none, and `text` says what
 * could not be done.
 */
int spawn_program(const struct request *request, struct spawned *program, char text[SPAWN_MAX_TEXT]);

/* Sets the size of the terminal whose controlling side `master` is. */
void spawn_resize(int master, uint16_t rows, uint16_t columns);

#endif
