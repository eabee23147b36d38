/* SPDX-License-Identifier: MIT */
#ifndef PARTITION_CLOCK_H
#define PARTITION_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Counts ticks. The k-th, from 1 on, is at `since` + k * `period`. */
struct partition_clock {
	uint64_t since;
	uint64_t period;
	uint64_t ticks;
};

/* Ticks up to `now` that are not counted yet. `now` is never before a time it was called with. */
uint64_t partition_clock_uncounted(const struct partition_clock *clock, uint64_t now);

/* When the next tick is that is not counted yet; UINT64_MAX: after the end of time. */
uint64_t partition_clock_next(const struct partition_clock *clock);

/*
 * Counts `missed` ticks of a warp. Of the others up to `now`, `own` is how many there are, which are
 * not counted yet. Returns false where there are not so many ticks up to `now`.
 */
bool partition_clock_warp(struct partition_clock *clock, uint64_t now, uint64_t missed,
			  uint64_t *own);

#endif
