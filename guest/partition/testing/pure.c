// SPDX-License-Identifier: MIT
/* Runs on this machine: what of the library touches no processor. Says nothing where all is well. */
#include <stdio.h>
#include <stdlib.h>

#include "../clock.h"
#include "../queue.h"

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #what);      \
			exit(1);                                               \
		}                                                              \
	} while (0)

static uint64_t state = 1;

/* Of 0 to `below` - 1; the same in every run. */
static uint64_t draw(uint64_t below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % below;
}

/* Absences of any length, looked at at any time: each tick is own or missed, and none is both. */
static void count_ticks(void)
{
	for (int run = 0; run < 2000; run++) {
		struct partition_clock clock = { .since = draw(1000), .period = 1 + draw(50) };
		uint64_t now = clock.since, own = 0, missed = 0, expected = 0;

		for (int step = 0; step < 50; step++) {
			uint64_t late, away = 0;

			if (draw(2)) {
				/* Here for a while, and perhaps looking at the clock. */
				for (uint64_t until = now + 1 + draw(100); now < until; now++)
					expected += now > clock.since && (now - clock.since) % clock.period == 0;
				now--;
				if (draw(2)) {
					late = partition_clock_uncounted(&clock, now);
					own += late;
					clock.ticks += late;
					CHECK(partition_clock_next(&clock) > now);
					CHECK(partition_clock_next(&clock) - now <= clock.period);
				}
				now++;
			}
			/* Away from `now` to the entry, both included. */
			for (uint64_t until = now + draw(200); ; now++) {
				away += now > clock.since && (now - clock.since) % clock.period == 0;
				if (now == until)
					break;
			}
			CHECK(partition_clock_warp(&clock, now, away, &late));
			own += late;
			missed += away;
			clock.ticks += late;
			CHECK(own == expected);
			CHECK(own + missed == (now - clock.since) / clock.period);
			CHECK(clock.ticks == own + missed);
			now++;
		}
	}
}

static void end_of_time(void)
{
	struct partition_clock clock = { .since = 5, .period = UINT64_MAX / 2 };
	uint64_t own = 7;

	CHECK(partition_clock_next(&clock) == 5 + UINT64_MAX / 2);
	clock.ticks = 1;
	CHECK(partition_clock_next(&clock) == UINT64_MAX);
	clock.ticks = UINT64_MAX;
	CHECK(partition_clock_next(&clock) == 5);
	clock = (struct partition_clock){ .since = 0, .period = 10, .ticks = 3 };
	/* More than have passed: nothing changes. */
	CHECK(!partition_clock_warp(&clock, 59, 3, &own) && clock.ticks == 3 && own == 7);
	CHECK(partition_clock_warp(&clock, 59, 2, &own) && clock.ticks == 5 && own == 0);
}

static void order_timers(void)
{
	for (int run = 0; run < 500; run++) {
		struct partition_timer timers[20], *first = NULL, *timer;
		bool set[20] = { false };
		uint64_t last = 0;
		int left = 0;

		for (int i = 0; i < 20; i++) {
			timers[i].at = draw(8);
			partition_timers_add(&first, &timers[i]);
			set[i] = true;
		}
		for (int i = 0; i < 5; i++) {
			uint64_t which = draw(20);

			CHECK(partition_timers_remove(&first, &timers[which]) == set[which]);
			set[which] = false;
		}
		for (uint64_t tick = 0; tick < 8; tick++) {
			const struct partition_timer *before = NULL;

			while ((timer = partition_timers_take(&first, tick))) {
				CHECK(set[timer - timers] && timer->at == tick && timer->at >= last);
				/* Of one time, in the order in which they were set. */
				CHECK(!before || timer > before);
				before = timer;
				last = timer->at;
				set[timer - timers] = false;
			}
		}
		for (int i = 0; i < 20; i++)
			left += set[i];
		CHECK(left == 0 && !first);
	}
}

static void pass_deadlines(void)
{
	struct partition_deadline early = { .at = 10 }, late = { .at = 20 }, *first = NULL;

	partition_deadlines_add(&first, &late);
	partition_deadlines_add(&first, &early);
	/* At the deadline itself it has not passed. */
	CHECK(!partition_deadlines_take(&first, 10));
	CHECK(partition_deadlines_take(&first, 11) == &early);
	CHECK(!partition_deadlines_remove(&first, &early));
	CHECK(partition_deadlines_remove(&first, &late));
	CHECK(!partition_deadlines_take(&first, UINT64_MAX));
}

int main(void)
{
	count_ticks();
	end_of_time();
	order_timers();
	pass_deadlines();
	return 0;
}
