// SPDX-License-Identifier: MIT
/* Counts the samples of the shared timer, and says at each entry how it got them. */
#include "partition.h"

#define SAMPLE_LINE 0
#define TICK_NS 2000000ULL

static uint64_t present, kept, warps;

static void sample(unsigned int line, uint32_t count)
{
	(void)line;
	/* Of the samples of an absence there are several: this partition is away for 7 ms. */
	if (count == 1)
		present++;
	else
		kept += count;
}

static void report(const struct oneclock_hc_warp *warp)
{
	warps++;
	partition_printf("away from %lu to %lu us: %lu ticks and %u samples missed; in all %lu ticks, %lu samples\n",
			 warp->left / 1000, warp->entered / 1000, warp->ticks,
			 warp->pending[SAMPLE_LINE], partition_ticks(), present + kept);
}

void partition_main(void)
{
	static const struct partition_hooks hooks = { .warp = report };

	partition_start(TICK_NS, &hooks);
	partition_line(SAMPLE_LINE, sample);
	while (warps < 10)
		partition_wait();
}
