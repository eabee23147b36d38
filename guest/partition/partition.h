/* SPDX-License-Identifier: MIT */
/*
 * A library for bare-metal programs that have a processor part of the time: partitions. It counts
 * ticks, exactly, those included that pass while the partition is away; what it has missed it learns
 * at each entry, by one time warp (struct oneclock_hc_warp).
 *
 * Times are nanoseconds of virtual time since the run began. Interrupts are never nested: every hook
 * and handler is called with interrupts off, and may not call partition_delay() or partition_wait().
 * Virtual time passes only in those two and in partition_work(): all else takes none.
 */
#ifndef PARTITION_H
#define PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../protocols/hypercall/hypercall.h"

/* What an operating system, or a program, does with time. Each may be NULL. */
struct partition_hooks {
	/* A tick of the partition's own, at its time; or late, where interrupts were off. */
	void (*tick)(void);
	/*
	 * The partition has entered, and has applied `warp`: partition_ticks() has the ticks in it,
	 * the lines' handlers have had the pending counts. Timers of missed ticks come after this.
	 */
	void (*warp)(const struct oneclock_hc_warp *warp);
};

/* Where the program begins: interrupts are off. When it returns, the partition powers itself off. */
void partition_main(void);

/* Begins to count: ticks are at now + `period`, now + 2 `period` and so on. Once; interrupts on. */
void partition_start(uint64_t period, const struct partition_hooks *hooks);

/* The time. */
uint64_t partition_now(void);

/* Ticks since partition_start(), own ones and missed ones. */
uint64_t partition_ticks(void);

/* The end of the present slot. */
uint64_t partition_slot_end(void);

/*
 * Takes an interrupt line, 0 to ONECLOCK_HC_LINES - 1. `handler` is called with 1 for an interrupt,
 * and with the pending count of a warp. After partition_start(), once for each line.
 */
void partition_line(unsigned int line, void (*handler)(unsigned int line, uint32_t count));

/* Uses the processor for `ns` of the partition's own time; what it is away does not count. */
void partition_work(uint64_t ns);

/* Sleeps until that many more ticks have been counted. */
void partition_delay(uint64_t ticks);

/* Sleeps until there was an interrupt. */
void partition_wait(void);

/* Switches interrupts off; returns what partition_unlock() takes. */
bool partition_lock(void);
void partition_unlock(bool locked);

/* Calls `fire`, once, at a tick. What is in here is the library's while the timer is set. */
struct partition_timer {
	uint64_t at;
	struct partition_timer *next;
	void (*fire)(struct partition_timer *timer);
};

/* Sets a timer that is not set to `ticks` from now, 1 at least. Also from hooks and `fire`. */
void partition_timer_set(struct partition_timer *timer, uint64_t ticks,
			 void (*fire)(struct partition_timer *timer));
/* Returns whether it was set. */
bool partition_timer_cancel(struct partition_timer *timer);

/* By when something is to be done. */
struct partition_deadline {
	/* The caller's, for the trace. */
	uint64_t number;
	uint64_t at;
	bool missed;
	struct partition_deadline *next;
};

/*
 * Sets a deadline that is not set. One that passes before it is met is told to the VMM once, when
 * the partition next looks at its clock: at an entry or a tick.
 */
void partition_deadline_set(struct partition_deadline *deadline, uint64_t number, uint64_t at);
/* What had to be done is done; returns whether in time, which `at` itself still is. */
bool partition_deadline_met(struct partition_deadline *deadline);

/* Writes to the partition's console. */
void partition_print(const char *text);
/* The same, with %s, %u (unsigned int), %lu (uint64_t) and %%. */
void partition_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the partition. */
void partition_end(void) __attribute__((noreturn));
void partition_panic(const char *why) __attribute__((noreturn));

#endif
