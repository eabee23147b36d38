/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_COMMAND_H
#define ONECLOCK_COMMAND_H

#include <stdbool.h>
#include <stdnoreturn.h>

struct command_end {
	/* Whether a signal killed it. */
	bool signalled;
	/* The signal's number, or what it gave to exit(2). */
	int value;
};

/* Runs `text` with /bin/sh in the foreground of the console, and waits for its end. */
struct command_end command_run(const char *text, const char *hostname);

/* Takes the status of whatever ends. Sleeps without a timer where there is nothing to wait for. */
noreturn void command_reap_forever(void);

#endif
