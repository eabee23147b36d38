// SPDX-License-Identifier: MIT
#include "clock.h"

uint64_t partition_clock_uncounted(const struct partition_clock *clock, uint64_t now)
{
	return (now - clock->since) / clock->period - clock->ticks;
}

uint64_t partition_clock_next(const struct partition_clock *clock)
{
	uint64_t span, at;

	if (__builtin_mul_overflow(clock->ticks + 1, clock->period, &span) ||
	    __builtin_add_overflow(clock->since, span, &at))
		return UINT64_MAX;
	return at;
}

bool partition_clock_warp(struct partition_clock *clock, uint64_t now, uint64_t missed,
			  uint64_t *own)
{
	uint64_t all = partition_clock_uncounted(clock, now);

	if (missed > all)
		return false;
	*own = all - missed;
	clock->ticks += missed;
	return true;
}
