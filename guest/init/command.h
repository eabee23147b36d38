/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_COMMAND_H
#define ONECLOCK_COMMAND_H

#include <stdnoreturn.h>
#include <sys/types.h>

/* Runs `text` with /bin/sh in the foreground of the console. */
pid_t command_start(const char *text, const char *hostname);

/* Takes the status of whatever ends until the command does, and returns that of the command (waitpid(2)). */
int command_wait(pid_t command);

/* Takes the status of whatever ends. Sleeps without a timer where there is nothing to wait for. */
noreturn void command_reap_forever(void);

#endif
