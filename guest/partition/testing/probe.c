// SPDX-License-Identifier: MIT
/*
 * Counts everything, and says so at its end. What it does is set as it is compiled:
 *	PERIOD		of its ticks
 *	WORK		own time that it uses between two waits, with interrupts off where LOCKED is 1
 *	HANDLING	own time that each handler uses
 *	WARPS		it ends after so many warps
 */
#include "partition.h"

#define LINE 3

static uint64_t own, missed, at_once, kept, warps, fired, late;
static uint64_t errors, last;

static void tick(void)
{
	own++;
}

static void line(unsigned int number, uint32_t count)
{
	(void)number;
	if (count == 1 && partition_now() % LINE_PERIOD == 0)
		at_once++;
	else
		kept += count;
	if (HANDLING)
		partition_work(HANDLING);
}

static void warp(const struct oneclock_hc_warp *warp)
{
	warps++;
	missed += warp->ticks;
	/* Where interrupts were off for several, only the last is seen. */
	errors += warp->sequence <= last || warp->entered > partition_now();
	last = warp->sequence;
}

static void fire(struct partition_timer *timer)
{
	fired++;
	/* At the tick, or, where that was missed, at the entry. */
	late += partition_ticks() - timer->at;
	partition_timer_set(timer, 7, fire);
}

void partition_main(void)
{
	static const struct partition_hooks hooks = { .tick = tick, .warp = warp };
	static struct partition_timer timer;
	uint64_t began = partition_now();

	partition_start(PERIOD, &hooks);
	partition_line(LINE, line);
	partition_timer_set(&timer, 7, fire);
	while (warps < WARPS) {
		if (WORK) {
			bool locked = LOCKED ? partition_lock() : false;

			partition_work(WORK);
			if (LOCKED)
				partition_unlock(locked);
		}
		partition_wait();
	}
	/* A line that was raised while another interrupt of it waited comes at a wait. */
	for (int i = 0; i < 4; i++)
		partition_wait();
	partition_lock();
	partition_printf("began %lu now %lu ticks %lu own %lu missed %lu line %lu kept %lu fired %lu late %lu errors %lu\n",
			 began, partition_now(), partition_ticks(), own, missed, at_once, kept,
			 fired, late, errors);
}
