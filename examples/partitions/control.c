// SPDX-License-Identifier: MIT
/*
 * A controller with a tick of 500 us. The shared timer gives it a sample each millisecond; a step takes
 * 300 us, and is to be done 2 ms after its sample. Samples of its absence it gets at its entry, in one
 * warp, and takes one step for the latest of them: the deadlines of those before have passed.
 */
#include "partition.h"

#define SAMPLE_LINE 0
#define SAMPLE_NS 1000000ULL
#define TICK_NS 500000ULL
#define STEP_NS 300000ULL
#define DEADLINE_NS 2000000ULL
#define ROOM 16

static struct partition_deadline deadlines[ROOM];
static uint64_t sampled, served, late, warped, missed;

/* A deadline for each sample up to now. One of the last ROOM is free: it was met or has passed. */
static void sample(unsigned int line, uint32_t count)
{
	uint64_t latest = partition_now() - partition_now() % SAMPLE_NS;

	(void)line;
	while (count--) {
		uint64_t at = latest - count * SAMPLE_NS;

		partition_deadline_set(&deadlines[sampled % ROOM], sampled, at + DEADLINE_NS);
		sampled++;
	}
}

static void warp(const struct oneclock_hc_warp *warp)
{
	warped++;
	missed += warp->ticks;
}

static void step(void)
{
	uint64_t upto = sampled;

	partition_work(STEP_NS);
	for (; served < upto; served++)
		late += !partition_deadline_met(&deadlines[served % ROOM]);
}

void partition_main(void)
{
	static const struct partition_hooks hooks = { .warp = warp };

	partition_start(TICK_NS, &hooks);
	partition_line(SAMPLE_LINE, sample);
	while (warped < 10) {
		partition_wait();
		if (served < sampled)
			step();
	}
	partition_printf("%lu ticks, %lu of them in %lu warps; %lu samples, %lu of them late\n",
			 partition_ticks(), missed, warped, served, late);
}
