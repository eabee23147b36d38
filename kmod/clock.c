// SPDX-License-Identifier: GPL-2.0
/*
 * The clock of the registered processes, on kernels with virtual time.
 *
 * It is one for all of them, so it stands from one instant on for all, and all
 * miss the same time. A process that has it keeps it when it leaves the list,
 * and its children inherit it: there is no way back to real time but a jump. So
 * it stands only while somebody is on the list.
 */
#include <linux/err.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/timekeeping.h>
#include <linux/virtual_time.h>

#include "vtgpio.h"

int vtgpio_clock_create(struct vtgpio *vt)
{
	struct vt_clock *clock = vt_clock_create();

	if (IS_ERR(clock))
		return PTR_ERR(clock);
	vt->clock = clock;
	return 0;
}

/* Those who have the clock go on, at normal speed. */
void vtgpio_clock_put(struct vtgpio *vt)
{
	if (!vt->clock)
		return;
	vt_clock_unfreeze(vt->clock);
	vt_clock_set_dilation(vt->clock, VTGPIO_TDF_NORMAL);
	vt_clock_put(vt->clock);
}

/* Called with vt->lock held when a pause begins, in any context. */
void vtgpio_clock_pause(struct vtgpio *vt)
{
	vt->clock_before = vt_clock_frozen_ns(vt->clock);
	if (!vt->nr_processes)
		return;
	vt->paused_at = ktime_get_ns();
	vt->clock_whole = !vt_clock_freeze(vt->clock);
}

/* The same when it ends, or the list becomes empty. */
void vtgpio_clock_go(struct vtgpio *vt)
{
	vt_clock_unfreeze(vt->clock);
}

/* The same when somebody comes on the list during a pause. */
void vtgpio_clock_stop(struct vtgpio *vt)
{
	vt_clock_freeze(vt->clock);
}

/* How long this pause has been, if the clock has stood all the time. */
u64 vtgpio_clock_pause_ns(struct vtgpio *vt)
{
	return vt_clock_frozen_ns(vt->clock) - vt->clock_before;
}

int vtgpio_clock_set_dilation(struct vtgpio *vt, u32 tdf)
{
	return vt_clock_set_dilation(vt->clock, tdf);
}

/* 0 if @pid has the clock, 1 if it could have it, -EBUSY if it has another. */
int vtgpio_clock_lacks(struct vtgpio *vt, struct pid *pid)
{
	struct vt_clock *clock = NULL;
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (task)
		clock = READ_ONCE(task->signal->vt_clock);
	rcu_read_unlock();
	if (clock == vt->clock)
		return 0;
	return clock ? -EBUSY : 1;
}

/* May sleep. */
int vtgpio_clock_join(struct vtgpio *vt, struct pid *pid)
{
	return vt_clock_join(vt->clock, pid);
}
