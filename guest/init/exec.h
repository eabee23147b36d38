/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_EXEC_H
#define ONECLOCK_EXEC_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "outbox.h"
#include "request.h"

/* How many descriptors a program is waited for at. */
#define EXEC_WAITS 3

/* A program that the controller has had started. */
struct exec {
	uint32_t id;
	pid_t pid;
	bool terminal;
	/* Its standard input and outputs, or its terminal; -1: closed. */
	int input;
	int outputs[2];
	/* How much output may be sent. */
	uint32_t credit;
	/* It has ended, and how (waitpid(2)). What it has written before is still there, at most this much. */
	bool ended;
	int status;
	size_t left[2];
	/* What it has taken of its input since the controller was told. */
	uint32_t taken;
	/* Nothing comes behind what is in the ring. */
	bool input_ends;
	/* A ring with input. */
	size_t data_first;
	size_t data_size;
	uint8_t data[ONECLOCK_AGENT_STDIN_WINDOW];
};

/* Starts the program of an Exec, and answers. False: it could not be started. */
bool exec_begin(struct exec *exec, const struct request *request, struct outbox *outbox);

/* Each takes a message about the program. The first returns NULL, or what no controller does. */
const char *exec_stdin(struct exec *exec, const struct request *request);
void exec_signal(const struct exec *exec, int signal);
void exec_resize(const struct exec *exec, uint16_t rows, uint16_t columns);

/* It has been waited for. */
void exec_ended(struct exec *exec, int status);

/* What to wait for, with this much room in the outbox. */
void exec_wait(const struct exec *exec, struct pollfd waits[EXEC_WAITS], size_t room);

/*
 * Does what can be done now. True: it has ended, and that is said. Its outputs that others still have open are left to
 * the caller.
 */
bool exec_step(struct exec *exec, const struct pollfd waits[EXEC_WAITS], struct outbox *outbox);

#endif
