// SPDX-License-Identifier: GPL-2.0
/*
 * A short time in which the other CPUs run no user code.
 *
 * Each of them is sent one interrupt and waits in it, with interrupts off,
 * until the hold ends. What is done to processes meanwhile happens to all of
 * them at one moment, as far as they can tell, however many they are.
 *
 * The holder does not wait for the others to come: whoever comes late is late
 * by its own interrupt, and what was done by then holds for it all the same.
 *
 * The holder may take locks that are taken in hard interrupts, and no others:
 * whoever has such a lock has interrupts off, so a CPU that waits here has none
 * of them. The wait is bounded all the same.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/processor.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>

#include "vtgpio.h"

#define VTGPIO_HELD_NS		(2 * NSEC_PER_MSEC)
#define VTGPIO_LOOKS		64

static DEFINE_PER_CPU(call_single_data_t, vtgpio_csd);

/* Protects all below, and is held for as long as the hold lasts. */
static DEFINE_SPINLOCK(vtgpio_hold_lock);
static atomic_t vtgpio_generation;	/* odd: a hold is on */
static atomic_t vtgpio_arrived;
static atomic64_t vtgpio_last_arrival;
static atomic_t vtgpio_sent;		/* interrupts that were not handled yet */

/* Looks for a while: reading the clock is slow on some machines. */
static bool vtgpio_generation_is(int generation)
{
	unsigned int i;

	for (i = 0; i < VTGPIO_LOOKS; i++) {
		if (atomic_read_acquire(&vtgpio_generation) != generation)
			return false;
		cpu_relax();
	}
	return true;
}

static void vtgpio_wait_held(void)
{
	int generation = atomic_read_acquire(&vtgpio_generation);
	u64 now = ktime_get_ns();
	u64 limit = now + VTGPIO_HELD_NS;

	if (!(generation & 1))
		return;
	/* The latest one wins; nearly simultaneous ones differ by nothing. */
	if ((s64)now > atomic64_read(&vtgpio_last_arrival))
		atomic64_set(&vtgpio_last_arrival, now);
	atomic_inc_return_release(&vtgpio_arrived);
	while (vtgpio_generation_is(generation) && ktime_get_ns() < limit)
		;
}

static void vtgpio_hold_cpu(void *unused)
{
	vtgpio_wait_held();
	atomic_dec_return_release(&vtgpio_sent);
}

/* The initial value of a module's per-CPU variable cannot hold an address. */
void vtgpio_hold_init(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		INIT_CSD(&per_cpu(vtgpio_csd, cpu), vtgpio_hold_cpu, NULL);
}

/* Leaves interrupts off and the other CPUs waiting. Any context. */
void vtgpio_hold_begin(struct vtgpio_hold *hold)
{
	unsigned int cpu, sent = 0, missed = 0;

	spin_lock_irqsave(&vtgpio_hold_lock, hold->flags);
	hold->begin = ktime_get_ns();
	atomic_set(&vtgpio_arrived, 0);
	atomic64_set(&vtgpio_last_arrival, hold->begin);
	atomic_inc_return_release(&vtgpio_generation);

	/*
	 * No CPU can go offline while this one has its interrupts off; one
	 * that comes online has no registered process yet.
	 */
	for_each_online_cpu(cpu) {
		if (cpu == smp_processor_id())
			continue;
		atomic_inc(&vtgpio_sent);
		/* Refused when that CPU has not come to the last one yet. */
		if (smp_call_function_single_async(cpu, &per_cpu(vtgpio_csd, cpu))) {
			atomic_dec(&vtgpio_sent);
			missed++;
		} else {
			sent++;
		}
	}

	hold->sent = sent;
	hold->missed = missed;
}

/* Lets the other CPUs go on. For the holder; vtgpio_hold_end() has to follow. */
void vtgpio_hold_release(struct vtgpio_hold *hold)
{
	unsigned int came;

	/* A CPU that comes only now sees an even number and does not wait. */
	if (!(atomic_read(&vtgpio_generation) & 1))
		return;
	atomic_inc_return_release(&vtgpio_generation);
	came = atomic_read_acquire(&vtgpio_arrived);
	hold->missed += hold->sent - min(hold->sent, came);
	hold->arrived = atomic64_read(&vtgpio_last_arrival);
}

void vtgpio_hold_end(struct vtgpio_hold *hold)
{
	vtgpio_hold_release(hold);
	spin_unlock_irqrestore(&vtgpio_hold_lock, hold->flags);
}

static void vtgpio_hold_nothing(void *unused)
{
}

/* No CPU is in, or will come to, this file's handler. May sleep. */
void vtgpio_hold_drain(void)
{
	while (atomic_read_acquire(&vtgpio_sent))
		usleep_range(50, 200);
	/* The handlers have counted; this one runs after they have returned. */
	on_each_cpu(vtgpio_hold_nothing, NULL, 1);
}
