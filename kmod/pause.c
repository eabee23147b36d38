// SPDX-License-Identifier: GPL-2.0
/*
 * Pause and resume, and what is measured of them.
 */
#include <linux/device.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>

#include "vtgpio.h"

static void vtgpio_measure(struct vtgpio_latency *latency, u64 ns)
{
	latency->last = ns;
	latency->worst = max(latency->worst, ns);
}

static u64 vtgpio_since(u64 from, u64 to)
{
	return to > from ? to - from : 0;
}

/* How long this pause has been, by the clock of the processes if it can tell. */
static u64 vtgpio_pause_ns(struct vtgpio *vt, u64 now)
{
	return vt->clock_whole ? vtgpio_clock_pause_ns(vt) :
				 vtgpio_since(vt->paused_at, now);
}

/* The same of all pauses. Called with vt->lock held. */
u64 vtgpio_frozen_ns(struct vtgpio *vt, u64 now)
{
	return vt->frozen_ns + (vt->paused ? vtgpio_pause_ns(vt, now) : 0);
}

/*
 * Stops the registered processes. @edge is when the line's interrupt came.
 * Nothing happens when they are stopped already. Any context.
 */
void vtgpio_pause(struct vtgpio *vt, u64 edge)
{
	bool hold_others = READ_ONCE(vt->method) != VTGPIO_SIGNAL;
	struct vtgpio_process *proc;
	struct vtgpio_hold hold;
	unsigned long flags;
	u64 end;

	/* Without a look, ten requests at once would hold the CPUs ten times. */
	if (READ_ONCE(vt->paused))
		return;

	if (!vt->watched || READ_ONCE(vt->stale)) {
		spin_lock_irqsave(&vt->lock, flags);
		vtgpio_refresh(vt, false);
		spin_unlock_irqrestore(&vt->lock, flags);
	}

	/*
	 * The hold comes before vt->lock: a CPU that waits for that lock has
	 * interrupts off, and could not be held.
	 */
	if (hold_others)
		vtgpio_hold_begin(&hold);
	spin_lock_irqsave(&vt->lock, flags);
	if (vt->paused || vt->dead) {
		spin_unlock_irqrestore(&vt->lock, flags);
		if (hold_others)
			vtgpio_hold_end(&hold);
		return;
	}

	vt->paused = true;
	vt->paused_at = hold_others ? hold.begin : ktime_get_ns();
	/* First, so that who stops a moment later has run in no time. */
	vtgpio_clock_pause(vt);
	list_for_each_entry(proc, &vt->processes, node)
		vtgpio_stop_process(vt, proc);
	end = ktime_get_ns();
	if (hold_others)
		vtgpio_hold_release(&hold);

	if (hold_others) {
		vt->barrier_misses += hold.missed;
		/*
		 * A CPU that was held ran until it came; one that was not ran
		 * at most until its task was told.
		 */
		vtgpio_measure(&vt->pause_spread,
			       vtgpio_since(hold.begin,
					    hold.missed ? end : min(end, hold.arrived)));
	} else {
		vtgpio_measure(&vt->pause_spread, end - vt->paused_at);
	}
	vt->pauses++;
	vtgpio_measure(&vt->pause_latency, vtgpio_since(edge, end));
	if (vt->watchdog_ms)
		mod_delayed_work(system_wq, &vt->watchdog,
				 msecs_to_jiffies(vt->watchdog_ms));
	queue_work(system_highpri_wq, &vt->after);
	spin_unlock_irqrestore(&vt->lock, flags);
	if (hold_others)
		vtgpio_hold_end(&hold);
}

/* Ends the pause numbered @which, or any for 0. */
static void vtgpio_end_pause(struct vtgpio *vt, u64 edge, u64 which)
{
	bool hold_others = READ_ONCE(vt->method) != VTGPIO_SIGNAL;
	struct vtgpio_process *proc;
	struct vtgpio_hold hold;
	unsigned long flags;
	u64 length, now;

	if (!READ_ONCE(vt->paused))
		return;

	if (hold_others)
		vtgpio_hold_begin(&hold);
	spin_lock_irqsave(&vt->lock, flags);
	if (vt->paused && (!which || which == vt->pauses)) {
		now = ktime_get_ns();
		list_for_each_entry(proc, &vt->processes, node)
			vtgpio_start_process(vt, proc);
		/* Last, as nobody has come to run by now. */
		vtgpio_clock_go(vt);
		length = vtgpio_pause_ns(vt, now);
		vt->resumed_at = vt->paused_at + length;
		vt->frozen_ns += length;
		vt->clock_whole = false;
		vt->paused = false;
		vt->resumes++;
		now = ktime_get_ns();
		if (hold_others)
			vtgpio_hold_release(&hold);
		vtgpio_measure(&vt->resume_latency, vtgpio_since(edge, now));
		cancel_delayed_work(&vt->watchdog);
		queue_work(system_highpri_wq, &vt->after);
		if (vt->period_ms && !vt->dead)
			mod_delayed_work(system_highpri_wq, &vt->period,
					 msecs_to_jiffies(vt->period_ms));
	}
	spin_unlock_irqrestore(&vt->lock, flags);
	if (hold_others)
		vtgpio_hold_end(&hold);
}

/* Continues the processes; @edge as above. Any context. */
void vtgpio_resume(struct vtgpio *vt, u64 edge)
{
	vtgpio_end_pause(vt, edge, 0);
}

static void vtgpio_after(struct work_struct *work)
{
	struct vtgpio *vt = container_of(work, struct vtgpio, after);
	bool paused, resumed;

	/* Whoever was born while the list was being walked. */
	spin_lock_irq(&vt->lock);
	if (!vt->watched || vt->stale)
		vtgpio_refresh(vt, true);
	paused = vt->notified_pauses != vt->pauses;
	resumed = vt->notified_resumes != vt->resumes;
	vt->notified_pauses = vt->pauses;
	vt->notified_resumes = vt->resumes;
	spin_unlock_irq(&vt->lock);
	vtgpio_join(vt);
	vtgpio_notify(vt, paused, resumed);
}

static void vtgpio_watchdog(struct work_struct *work)
{
	struct vtgpio *vt = container_of(to_delayed_work(work), struct vtgpio,
					 watchdog);
	u64 now = ktime_get_ns(), due, which;

	spin_lock_irq(&vt->lock);
	due = vt->paused_at + vt->watchdog_ms * (u64)NSEC_PER_MSEC;
	if (!vt->paused || !vt->watchdog_ms) {
		spin_unlock_irq(&vt->lock);
		return;
	}
	if (now < due) {
		/* This is another pause than the one that it was set for. */
		mod_delayed_work(system_wq, &vt->watchdog,
				 nsecs_to_jiffies(due - now) + 1);
		spin_unlock_irq(&vt->lock);
		return;
	}
	vt->watchdog_releases++;
	which = vt->pauses;
	spin_unlock_irq(&vt->lock);

	vtgpio_end_pause(vt, now, which);
	/* What this board itself holds up would keep the others stopped. */
	vtgpio_drive(vt, false);
	dev_warn_ratelimited(vt->dev, "paused for more than %u ms, resumed by the watchdog\n",
			     vt->watchdog_ms);
}

static void vtgpio_period(struct work_struct *work)
{
	struct vtgpio *vt = container_of(to_delayed_work(work), struct vtgpio,
					 period);

	if (vtgpio_drive(vt, true) == -ENODEV)
		vtgpio_pause(vt, ktime_get_ns());
}

void vtgpio_pause_init(struct vtgpio *vt)
{
	INIT_WORK(&vt->after, vtgpio_after);
	INIT_DELAYED_WORK(&vt->watchdog, vtgpio_watchdog);
	INIT_DELAYED_WORK(&vt->period, vtgpio_period);
}

void vtgpio_pause_start(struct vtgpio *vt)
{
	if (vt->period_ms)
		schedule_delayed_work(&vt->period, msecs_to_jiffies(vt->period_ms));
}

/* The lines are not listened to any more. */
void vtgpio_pause_exit(struct vtgpio *vt)
{
	spin_lock_irq(&vt->lock);
	vt->dead = true;
	spin_unlock_irq(&vt->lock);
	cancel_delayed_work_sync(&vt->period);
	vtgpio_resume(vt, ktime_get_ns());
	cancel_delayed_work_sync(&vt->watchdog);
	cancel_work_sync(&vt->after);
	vtgpio_drive(vt, false);
}
