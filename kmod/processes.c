// SPDX-License-Identifier: GPL-2.0
/*
 * The registered processes and their threads.
 *
 * A process is held by its struct pid, so a number that is used again never
 * stands for another process. Where the kernel has trace points, births and
 * deaths are seen as they happen: a thread that is born while the list is
 * paused never runs. Where it has none, the list is brought up to date before
 * and after each pause, and whenever it is read.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/delay.h>
#include <linux/tracepoint.h>

#include "vtgpio.h"

/* Kernel threads that look like threads of a process; 6.1 has the first two. */
#ifdef PF_USER_WORKER
#define VTGPIO_NO_USER	(PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)
#else
#define VTGPIO_NO_USER	(PF_KTHREAD | PF_IO_WORKER)
#endif

/* Not part of the load average, and woken by what kills the task. */
#define VTGPIO_PARKED	(TASK_IDLE | TASK_WAKEKILL | TASK_FREEZABLE)

static typeof(task_work_add) *vtgpio_task_work_add;

bool vtgpio_can_park(void)
{
	return vtgpio_task_work_add;
}

/* --- threads ------------------------------------------------------------- */

static void vtgpio_put_thread(struct vtgpio_thread *thread)
{
	if (!refcount_dec_and_test(&thread->refs))
		return;
	put_task_struct(thread->task);
	kfree(thread);
}

static void vtgpio_work_done(struct vtgpio *vt)
{
	if (!--vt->outstanding)
		wake_up(&vt->drained);
}

/* Runs in the thread, with no lock held, as it is about to return to user mode. */
static void vtgpio_park(struct callback_head *work)
{
	struct vtgpio_thread *thread =
		container_of(work, struct vtgpio_thread, work);
	struct vtgpio *vt = thread->vt;

	spin_lock_irq(&vt->lock);
	while (vt->paused && !thread->dropped && !(current->flags & PF_EXITING) &&
	       !fatal_signal_pending(current)) {
		/* It may have been in fork(), with a child that nobody saw. */
		if (!vt->watched && !vt->dead)
			queue_work(system_highpri_wq, &vt->after);
		thread->parked = true;
		set_current_state(VTGPIO_PARKED);
		spin_unlock_irq(&vt->lock);
		schedule();
		spin_lock_irq(&vt->lock);
	}
	__set_current_state(TASK_RUNNING);
	thread->parked = false;
	thread->queued = false;
	list_del(&thread->pending);
	vtgpio_put_thread(thread);
	vtgpio_work_done(vt);
	spin_unlock_irq(&vt->lock);
}

/* That it was sent has made the thread run vtgpio_park(). */
static void vtgpio_kicked(struct callback_head *kick)
{
	struct vtgpio_thread *thread =
		container_of(kick, struct vtgpio_thread, kick);
	struct vtgpio *vt = thread->vt;

	spin_lock_irq(&vt->lock);
	vtgpio_put_thread(thread);
	vtgpio_work_done(vt);
	spin_unlock_irq(&vt->lock);
}

/*
 * TWA_RESUME leaves a thread that sleeps in a system call alone: it parks when
 * it comes back from there, and the call is not interrupted.
 */
static void vtgpio_queue(struct vtgpio_thread *thread)
{
	struct vtgpio *vt = thread->vt;

	if (thread->queued)
		return;
	if (vtgpio_task_work_add(thread->task, &thread->work, TWA_RESUME)) {
		vt->stale = true;	/* it is exiting */
		return;
	}
	/* The task cannot get past vt->lock, which is held here. */
	thread->queued = true;
	refcount_inc(&thread->refs);
	list_add(&thread->pending, &vt->pending);
	vt->outstanding++;
	vt->ever_queued = true;
}

static void vtgpio_drop_thread(struct vtgpio_thread *thread)
{
	thread->dropped = true;
	if (thread->parked)
		wake_up_process(thread->task);
	list_del(&thread->node);
	thread->vt->nr_threads--;
	vtgpio_put_thread(thread);
}

static struct vtgpio_thread *vtgpio_find_thread(struct vtgpio_process *proc,
						struct task_struct *task)
{
	struct vtgpio_thread *thread;

	list_for_each_entry(thread, &proc->threads, node)
		if (thread->task == task)
			return thread;
	return NULL;
}

static void vtgpio_add_thread(struct vtgpio *vt, struct vtgpio_process *proc,
			      struct task_struct *task)
{
	struct vtgpio_thread *thread;

	if (task->exit_state || task->flags & (VTGPIO_NO_USER | PF_EXITING))
		return;
	thread = kzalloc(sizeof(*thread), GFP_ATOMIC | __GFP_NOWARN);
	if (!thread) {
		vt->stale = true;
		return;
	}
	refcount_set(&thread->refs, 1);
	init_task_work(&thread->work, vtgpio_park);
	init_task_work(&thread->kick, vtgpio_kicked);
	thread->vt = vt;
	thread->task = get_task_struct(task);
	list_add_tail(&thread->node, &proc->threads);
	vt->nr_threads++;
}

/* --- processes ----------------------------------------------------------- */

static struct vtgpio_process *vtgpio_find(struct vtgpio *vt, struct pid *pid)
{
	struct vtgpio_process *proc;

	if (!pid)
		return NULL;
	list_for_each_entry(proc, &vt->processes, node)
		if (proc->pid == pid)
			return proc;
	return NULL;
}

/* The process, if a user has put it on the list, not as part of a tree. */
struct vtgpio_process *vtgpio_listed(struct vtgpio *vt, struct pid *pid)
{
	struct vtgpio_process *proc = vtgpio_find(vt, pid);

	return proc && !proc->root ? proc : NULL;
}

static void vtgpio_add_threads(struct vtgpio *vt, struct vtgpio_process *proc,
			       bool fresh)
{
	struct task_struct *leader, *task;

	rcu_read_lock();
	leader = pid_task(proc->pid, PIDTYPE_TGID);
	if (leader)
		for_each_thread(leader, task)
			if (fresh || !vtgpio_find_thread(proc, task))
				vtgpio_add_thread(vt, proc, task);
	rcu_read_unlock();
}

static void vtgpio_forget(struct vtgpio *vt, struct vtgpio_process *proc)
{
	struct vtgpio_thread *thread, *next_thread;
	struct vtgpio_process *other;

	vtgpio_start_process(vt, proc);
	list_for_each_entry_safe(thread, next_thread, &proc->threads, node)
		vtgpio_drop_thread(thread);
	if (proc->slot >= 0)
		vt->slots[proc->slot] = NULL;
	list_del(&proc->node);
	vt->nr_processes--;
	/* What is left of its tree stands for itself. */
	list_for_each_entry(other, &vt->processes, node)
		if (other->root == proc)
			other->root = NULL;
	put_pid(proc->pid);
	kfree(proc);
	if (!vt->nr_processes && vt->paused) {
		vt->clock_whole = false;
		vtgpio_clock_go(vt);
	}
}

static struct vtgpio_process *vtgpio_new(struct vtgpio *vt, struct pid *pid,
					 struct vtgpio_process *root, bool tree)
{
	struct vtgpio_process *proc;

	proc = kzalloc(sizeof(*proc), GFP_ATOMIC | __GFP_NOWARN);
	if (!proc) {
		vt->stale = true;
		return NULL;
	}
	INIT_LIST_HEAD(&proc->threads);
	proc->pid = get_pid(pid);
	proc->root = root;
	proc->tree = tree;
	proc->slot = -1;
	list_add_tail(&proc->node, &vt->processes);
	vt->nr_processes++;
	vtgpio_add_threads(vt, proc, true);
	if (list_empty(&proc->threads)) {
		/* It is exiting, and may be past the point where that is seen. */
		vtgpio_forget(vt, proc);
		return NULL;
	}
	if (vt->paused)
		vtgpio_clock_stop(vt);
	proc->clock = !vtgpio_clock_lacks(vt, pid);
	if (!proc->clock && !vt->dead)
		queue_work(system_highpri_wq, &vt->after);
	return proc;
}

/* The tree that the process of @task belongs to by descent. */
static struct vtgpio_process *vtgpio_ancestor(struct vtgpio *vt,
					      struct task_struct *task)
{
	struct vtgpio_process *proc;

	while (task != &init_task) {
		task = rcu_dereference(task->real_parent);
		proc = vtgpio_find(vt, task_tgid(task));
		if (proc && proc->tree)
			return proc->root ?: proc;
	}
	return NULL;
}

static void vtgpio_add_descendants(struct vtgpio *vt)
{
	struct vtgpio_process *root, *proc;
	struct task_struct *task;

	rcu_read_lock();
	for_each_process(task) {
		if (task->exit_state || task->flags & VTGPIO_NO_USER)
			continue;
		if (!task_tgid(task) || vtgpio_find(vt, task_tgid(task)))
			continue;
		root = vtgpio_ancestor(vt, task);
		if (!root)
			continue;
		proc = vtgpio_new(vt, task_tgid(task), root, true);
		if (proc && vt->paused)
			vtgpio_stop_process(vt, proc);
	}
	rcu_read_unlock();
}

/*
 * Finds what was born. Called with vt->lock held, in any context; @prune, which
 * takes out what has died, needs process context.
 */
void vtgpio_refresh(struct vtgpio *vt, bool prune)
{
	struct vtgpio_thread *thread, *next_thread;
	struct vtgpio_process *proc, *next;
	bool trees = false;

	vt->stale = !prune;
	list_for_each_entry_safe(proc, next, &vt->processes, node) {
		list_for_each_entry_safe(thread, next_thread, &proc->threads, node)
			if (prune && READ_ONCE(thread->task->exit_state))
				vtgpio_drop_thread(thread);
		vtgpio_add_threads(vt, proc, false);
		/* An exiting thread stays for as long as it is there. */
		if (prune && list_empty(&proc->threads) && !vt->stale) {
			vtgpio_forget(vt, proc);
			continue;
		}
		if (vt->paused)
			vtgpio_stop_process(vt, proc);
		trees |= proc->tree;
	}
	if (trees)
		vtgpio_add_descendants(vt);
}

void vtgpio_stop_process(struct vtgpio *vt, struct vtgpio_process *proc)
{
	struct vtgpio_thread *thread;

	if (vt->method == VTGPIO_PARK) {
		list_for_each_entry(thread, &proc->threads, node)
			vtgpio_queue(thread);
	} else if (!proc->signalled) {
		if (kill_pid(proc->pid, SIGSTOP, 1))
			vt->stale = true;	/* it has exited */
		else
			proc->signalled = true;
	}
}

void vtgpio_start_process(struct vtgpio *vt, struct vtgpio_process *proc)
{
	struct vtgpio_thread *thread;

	if (proc->signalled && kill_pid(proc->pid, SIGCONT, 1))
		vt->stale = true;	/* it has exited */
	proc->signalled = false;
	list_for_each_entry(thread, &proc->threads, node)
		if (thread->parked)
			wake_up_process(thread->task);
}

/* A reference to the process @nr of the caller's namespace, or an error. */
struct pid *vtgpio_find_pid(pid_t nr)
{
	struct task_struct *task;
	struct pid *pid;
	int err = -ESRCH;

	pid = find_get_pid(nr);
	rcu_read_lock();
	task = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
	if (task)
		err = task->flags & VTGPIO_NO_USER ? -EINVAL :
		      task->signal->flags & SIGNAL_GROUP_EXIT ||
		      task->exit_state ? -ESRCH : 0;
	/* A leader may be gone while other threads of the process run on. */
	if (task && task->exit_state && !thread_group_empty(task))
		err = 0;
	rcu_read_unlock();
	if (!err)
		return pid;
	put_pid(pid);
	return ERR_PTR(err);
}

/* Called with vt->lock held. A @slot below 0 is none. */
int vtgpio_add(struct vtgpio *vt, struct pid *pid, bool tree, int slot)
{
	struct vtgpio_process *proc = vtgpio_find(vt, pid);

	if (proc && slot >= 0 && proc->slot >= 0 && proc->slot != slot)
		return -EEXIST;
	if (!proc) {
		proc = vtgpio_new(vt, pid, NULL, tree);
		if (!proc)
			return vt->stale ? -ENOMEM : -ESRCH;
	}
	if (slot >= 0 && vt->slots[slot] != proc) {
		vtgpio_clear_slot(vt, slot);
		vt->slots[slot] = proc;
		proc->slot = slot;
	}
	proc->root = NULL;
	proc->tree |= tree;
	if (vt->paused)
		vtgpio_stop_process(vt, proc);
	if (tree)
		vtgpio_add_descendants(vt);
	return 0;
}

/* With its tree. Called with vt->lock held. */
int vtgpio_remove(struct vtgpio *vt, struct pid *pid)
{
	struct vtgpio_process *proc = vtgpio_listed(vt, pid), *other, *next;

	if (!proc)
		return -ESRCH;
	list_for_each_entry(other, &vt->processes, node)
		if (other->root == proc)
			other->tree = false;
	proc->tree = false;
	list_for_each_entry_safe(other, next, &vt->processes, node)
		if (other->root == proc)
			vtgpio_forget(vt, other);
	vtgpio_forget(vt, proc);
	return 0;
}

void vtgpio_clear_slot(struct vtgpio *vt, int slot)
{
	if (vt->slots[slot])
		vtgpio_remove(vt, vt->slots[slot]->pid);
}

/* A reference to a process that has not been given the clock yet, or NULL. */
static struct pid *vtgpio_clockless(struct vtgpio *vt)
{
	struct vtgpio_process *proc;
	struct pid *pid = NULL;

	spin_lock_irq(&vt->lock);
	list_for_each_entry(proc, &vt->processes, node) {
		if (!proc->clock) {
			pid = get_pid(proc->pid);
			break;
		}
	}
	spin_unlock_irq(&vt->lock);
	return pid;
}

/*
 * Gives the clock to who is on the list without it: descendants that were there
 * before their root was, as those that come later inherit it. May sleep.
 */
void vtgpio_join(struct vtgpio *vt)
{
	struct vtgpio_process *proc;
	struct pid *pid;

	while ((pid = vtgpio_clockless(vt))) {
		if (vtgpio_clock_join(vt, pid) == -EBUSY)
			dev_warn_ratelimited(vt->dev, "process %d keeps the clock that it has, and sees pauses\n",
					     pid_nr(pid));
		spin_lock_irq(&vt->lock);
		proc = vtgpio_find(vt, pid);
		if (proc)
			proc->clock = true;
		spin_unlock_irq(&vt->lock);
		put_pid(pid);
	}
}

/* --- births and deaths --------------------------------------------------- */

#ifdef CONFIG_TRACEPOINTS
static struct tracepoint *vtgpio_fork_point;
static struct tracepoint *vtgpio_exit_point;

/* In the parent, before the child runs for the first time. */
static void vtgpio_forked(void *data, struct task_struct *parent,
			  struct task_struct *child)
{
	struct vtgpio_process *proc, *made;
	struct vtgpio *vt = data;
	unsigned long flags;

	/* Whoever registers the process after this finds the child by itself. */
	smp_mb();
	if (list_empty(&vt->processes))
		return;

	spin_lock_irqsave(&vt->lock, flags);
	proc = vtgpio_find(vt, task_tgid(parent));
	if (!proc) {
		;
	} else if (same_thread_group(parent, child)) {
		if (!vtgpio_find_thread(proc, child))
			vtgpio_add_thread(vt, proc, child);
		if (vt->paused)
			vtgpio_stop_process(vt, proc);
	} else if (proc->tree) {
		made = vtgpio_find(vt, task_tgid(child)) ?:
		       vtgpio_new(vt, task_tgid(child), proc->root ?: proc, true);
		if (made && vt->paused)
			vtgpio_stop_process(vt, made);
	}
	spin_unlock_irqrestore(&vt->lock, flags);
}

/* In the thread that exits. */
static void vtgpio_exited(void *data, struct task_struct *task)
{
	struct vtgpio_thread *thread = NULL;
	struct vtgpio_process *proc;
	struct vtgpio *vt = data;
	unsigned long flags;

	if (list_empty(&vt->processes))
		return;

	spin_lock_irqsave(&vt->lock, flags);
	proc = vtgpio_find(vt, task_tgid(task));
	if (proc)
		thread = vtgpio_find_thread(proc, task);
	if (thread)
		vtgpio_drop_thread(thread);
	/* With a thread missing from the list, vtgpio_refresh() has to decide. */
	if (thread && list_empty(&proc->threads) && !vt->stale)
		vtgpio_forget(vt, proc);
	spin_unlock_irqrestore(&vt->lock, flags);
}

static void vtgpio_point(struct tracepoint *point, void *unused)
{
	if (!strcmp(point->name, "sched_process_fork"))
		vtgpio_fork_point = point;
	else if (!strcmp(point->name, "sched_process_exit"))
		vtgpio_exit_point = point;
}

void vtgpio_watch(struct vtgpio *vt)
{
	if (!vtgpio_fork_point || !vtgpio_exit_point ||
	    tracepoint_probe_register(vtgpio_fork_point, vtgpio_forked, vt))
		return;
	if (tracepoint_probe_register(vtgpio_exit_point, vtgpio_exited, vt)) {
		tracepoint_probe_unregister(vtgpio_fork_point, vtgpio_forked, vt);
		tracepoint_synchronize_unregister();
		return;
	}
	vt->watched = true;
}

void vtgpio_unwatch(struct vtgpio *vt)
{
	if (!vt->watched)
		return;
	tracepoint_probe_unregister(vtgpio_exit_point, vtgpio_exited, vt);
	tracepoint_probe_unregister(vtgpio_fork_point, vtgpio_forked, vt);
	tracepoint_synchronize_unregister();
}
#else
void vtgpio_watch(struct vtgpio *vt)
{
}

void vtgpio_unwatch(struct vtgpio *vt)
{
}
#endif /* CONFIG_TRACEPOINTS */

int vtgpio_processes_init(void)
{
	vtgpio_task_work_add = symbol_get(task_work_add);
#ifdef CONFIG_TRACEPOINTS
	for_each_kernel_tracepoint(vtgpio_point, NULL);
#endif
	return 0;
}

void vtgpio_processes_exit(void)
{
	if (vtgpio_task_work_add)
		symbol_put(task_work_add);
}

/*
 * Empties the list, and waits until no task has a work of this module. A thread
 * that sleeps in a system call is made to come back for that, as by a signal
 * that it ignores. Nothing may add to the list any more.
 */
void vtgpio_drain(struct vtgpio *vt)
{
	struct vtgpio_process *proc, *next;
	struct vtgpio_thread *thread;

	spin_lock_irq(&vt->lock);
	list_for_each_entry_safe(proc, next, &vt->processes, node)
		vtgpio_forget(vt, proc);
	list_for_each_entry(thread, &vt->pending, pending) {
		if (vtgpio_task_work_add(thread->task, &thread->kick, TWA_SIGNAL))
			continue;	/* exiting: it runs its works by itself */
		refcount_inc(&thread->refs);
		vt->outstanding++;
	}
	wait_event_lock_irq(vt->drained, !vt->outstanding, vt->lock);
	spin_unlock_irq(&vt->lock);

	if (!vt->ever_queued)
		return;
	/*
	 * The last task may have been preempted between the end of our function
	 * and its return, which are this module's code.
	 */
#ifdef CONFIG_TASKS_RCU
	synchronize_rcu_tasks();
#else
	synchronize_rcu();
	if (IS_ENABLED(CONFIG_PREEMPTION))
		msleep(100);
#endif
}
