/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_STRAYS_H
#define ONECLOCK_STRAYS_H

#include <poll.h>

#define STRAYS_MAX 64

/*
 * Outputs of programs that have ended, which others still write to: what a shell has left in the background. It is
 * read and thrown away, so that the writers neither stop nor die of it.
 */
struct strays {
	int count;
	int descriptors[STRAYS_MAX];
};

/* Takes over a descriptor. Where there are too many, the oldest is closed. */
void strays_add(struct strays *strays, int descriptor);

void strays_wait(const struct strays *strays, struct pollfd waits[STRAYS_MAX]);

/* Throws away what has come; closes what nobody writes to any more. */
void strays_drop(struct strays *strays, const struct pollfd waits[STRAYS_MAX]);

#endif
