/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_OUTBOX_H
#define ONECLOCK_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../protocols/agent/agent.h"

/* Room for any message without data, and for one with data. Whoever puts one in makes sure of that first. */
#define OUTBOX_SMALL 1024
#define OUTBOX_DATA (OUTBOX_SMALL + ONECLOCK_AGENT_MAX_DATA)

/* Messages of the agent on their way to the port. */
struct outbox {
	uint8_t bytes[4 * OUTBOX_DATA];
	/* How much of them is written. */
	size_t first;
	size_t size;
};

size_t outbox_room(const struct outbox *outbox);

/* A message that has its size before it already. */
void outbox_raw(struct outbox *outbox, const uint8_t *message, size_t size);

void outbox_started(struct outbox *outbox, uint32_t id, uint32_t pid);
void outbox_output(struct outbox *outbox, uint32_t id, uint32_t stream, const uint8_t *bytes, size_t size);
/* `status` as waitpid(2) gives it. */
void outbox_ended(struct outbox *outbox, uint32_t id, int status);
void outbox_file_data(struct outbox *outbox, uint32_t id, const uint8_t *bytes, size_t size);
void outbox_done(struct outbox *outbox, uint32_t id, uint32_t mode);
/* `error` is put behind the text, where it is not 0. */
void outbox_refused(struct outbox *outbox, uint32_t id, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void outbox_credit(struct outbox *outbox, uint32_t id, uint32_t bytes);
void outbox_taken(struct outbox *outbox, uint32_t bytes);

/* Writes what the port takes, which may be nothing. Returns 0 or an errno. */
int outbox_write(struct outbox *outbox, int port);

/* Writes everything, and waits for the port where it has to. Returns 0 or an errno. */
int outbox_flush(struct outbox *outbox, int port);

#endif
