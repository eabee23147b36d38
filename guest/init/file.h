/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_FILE_H
#define ONECLOCK_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "outbox.h"
#include "request.h"

/* A file that the controller puts or gets. */
struct file {
	uint32_t id;
	int descriptor;
	mode_t mode;
	/* Of one that is sent: how much of it may be. */
	uint32_t credit;
	/* Of one that is put: its name, and the one it has until it is whole. */
	char path[PATH_MAX];
	char part[PATH_MAX];
};

/* Each answers with Refused and returns false where it cannot be done. */
bool file_begin_put(struct file *file, const struct request *request, struct outbox *outbox);
bool file_begin_get(struct file *file, const struct request *request, struct outbox *outbox);

/* Takes a part of a file that is put. True: the operation is over, and that is said. */
bool file_take(struct file *file, const struct request *request, struct outbox *outbox);

/* Whether a part of a file can be sent. */
bool file_may_send(const struct file *file, size_t room);

/* Sends one. True: the operation is over, and that is said. */
bool file_send(struct file *file, struct outbox *outbox);

/* The controller does not want it any more. */
void file_cancel(struct file *file, struct outbox *outbox);

#endif
