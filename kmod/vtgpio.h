/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VTGPIO_H
#define VTGPIO_H

#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/task_work.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct device;
struct gpio_desc;
struct task_struct;
struct tracepoint;
struct vt_clock;

#define VTGPIO_SLOTS		16
#define VTGPIO_TDF_NORMAL	1000
#define VTGPIO_MAX_MS		(24 * 3600 * 1000)

/* How the registered processes are stopped; the order is that of the names. */
enum vtgpio_method {
	VTGPIO_PARK,	/* each thread waits on its way back to user mode */
	VTGPIO_STOP,	/* SIGSTOP, while no other CPU runs user code */
	VTGPIO_SIGNAL,	/* SIGSTOP to each process in turn */
	VTGPIO_NR_METHODS,
};

/* One thread. The list of its process holds a reference, a queued work another. */
struct vtgpio_thread {
	struct callback_head work;	/* parks the thread */
	struct callback_head kick;	/* makes a sleeping thread run @work */
	struct list_head node;		/* in vtgpio_process.threads */
	struct list_head pending;	/* in vtgpio.pending, while @queued */
	struct vtgpio *vt;
	struct task_struct *task;
	refcount_t refs;
	bool queued;			/* @work is with the task */
	bool parked;			/* the task sleeps in @work */
	bool dropped;			/* the process has left the list */
};

struct vtgpio_process {
	struct list_head node;		/* in vtgpio.processes */
	struct list_head threads;
	struct pid *pid;
	struct vtgpio_process *root;	/* whose tree this belongs to; NULL: listed itself */
	bool tree;			/* its children belong to the list too */
	bool signalled;			/* SIGSTOP was sent */
	bool clock;			/* has the clock, or cannot have it */
	s8 slot;			/* pid_01 is 0; -1: none */
};

struct vtgpio_latency {
	u64 last;
	u64 worst;
};

struct vtgpio_lines {
	struct gpio_desc *signal;	/* NULL: this board only listens */
	struct gpio_desc *pause;	/* NULL: none */
	struct gpio_desc *resume;	/* NULL: the pause line's other edge */
	int pause_irq;
	int resume_irq;
	bool guessed;			/* an edge was, and its level is not read yet */
};

struct vtgpio {
	struct kobject kobj;
	struct device *dev;
	struct vtgpio_lines lines;
	struct vt_clock *clock;		/* NULL: the kernel has no virtual time */

	struct mutex drive;		/* protects the level of the signal line */

	/*
	 * Protects everything below but the works. Taken in hard interrupts.
	 */
	spinlock_t lock;
	struct list_head processes;
	struct list_head pending;	/* threads with a queued work */
	unsigned int nr_processes;
	unsigned int nr_threads;
	unsigned int outstanding;	/* works that tasks still have */
	wait_queue_head_t drained;	/* @outstanding became 0 */
	bool ever_queued;
	bool stale;			/* a thread may be missing: look for it */
	bool watched;			/* births and deaths are seen */
	bool dead;			/* being removed */
	struct vtgpio_process *slots[VTGPIO_SLOTS];

	bool paused;
	enum vtgpio_method method;	/* changes only while not paused */
	u32 tdf;
	unsigned int watchdog_ms;
	unsigned int period_ms;		/* set once */
	u64 paused_at;			/* when the last pause began to tell processes */
	u64 resumed_at;
	u64 frozen_ns;			/* of the pauses that have ended */
	bool clock_whole;		/* it has stood since the pause began */
	u64 clock_before;		/* how long it had stood until then */
	u64 pauses;
	u64 notified_pauses;		/* of which user space was told */
	u64 notified_resumes;
	u64 resumes;
	u64 edges;
	u64 watchdog_releases;
	u64 barrier_misses;
	struct vtgpio_latency pause_latency;
	struct vtgpio_latency resume_latency;
	struct vtgpio_latency pause_spread;

	struct work_struct after;	/* what is left to process context */
	struct delayed_work watchdog;
	struct delayed_work period;
};

/* See hold.c; the last two are known after vtgpio_hold_release(). */
struct vtgpio_hold {
	unsigned long flags;
	u64 begin;		/* when this CPU stopped running user code */
	unsigned int sent;	/* CPUs that were asked */
	unsigned int missed;	/* that did not come in time */
	u64 arrived;		/* when the last one of the others did */
};

/* lines.c */
int vtgpio_lines_get(struct vtgpio *vt);
int vtgpio_lines_listen(struct vtgpio *vt);
void vtgpio_lines_ignore(struct vtgpio *vt);
int vtgpio_drive(struct vtgpio *vt, bool freeze);

/* processes.c */
bool vtgpio_can_park(void);
int vtgpio_processes_init(void);
void vtgpio_processes_exit(void);
void vtgpio_watch(struct vtgpio *vt);
void vtgpio_unwatch(struct vtgpio *vt);
void vtgpio_refresh(struct vtgpio *vt, bool prune);
struct pid *vtgpio_find_pid(pid_t nr);
int vtgpio_add(struct vtgpio *vt, struct pid *pid, bool tree, int slot);
int vtgpio_remove(struct vtgpio *vt, struct pid *pid);
void vtgpio_clear_slot(struct vtgpio *vt, int slot);
void vtgpio_join(struct vtgpio *vt);
struct vtgpio_process *vtgpio_listed(struct vtgpio *vt, struct pid *pid);
void vtgpio_drain(struct vtgpio *vt);
void vtgpio_stop_process(struct vtgpio *vt, struct vtgpio_process *proc);
void vtgpio_start_process(struct vtgpio *vt, struct vtgpio_process *proc);

/* hold.c */
void vtgpio_hold_init(void);
void vtgpio_hold_begin(struct vtgpio_hold *hold);
void vtgpio_hold_release(struct vtgpio_hold *hold);
void vtgpio_hold_end(struct vtgpio_hold *hold);
void vtgpio_hold_drain(void);

/* pause.c */
void vtgpio_pause(struct vtgpio *vt, u64 edge);
void vtgpio_resume(struct vtgpio *vt, u64 edge);
u64 vtgpio_frozen_ns(struct vtgpio *vt, u64 now);
void vtgpio_pause_init(struct vtgpio *vt);
void vtgpio_pause_start(struct vtgpio *vt);
void vtgpio_pause_exit(struct vtgpio *vt);

/* clock.c */
#ifdef CONFIG_VIRTUAL_TIME
int vtgpio_clock_create(struct vtgpio *vt);
void vtgpio_clock_put(struct vtgpio *vt);
void vtgpio_clock_pause(struct vtgpio *vt);
void vtgpio_clock_go(struct vtgpio *vt);
void vtgpio_clock_stop(struct vtgpio *vt);
u64 vtgpio_clock_pause_ns(struct vtgpio *vt);
int vtgpio_clock_set_dilation(struct vtgpio *vt, u32 tdf);
int vtgpio_clock_lacks(struct vtgpio *vt, struct pid *pid);
int vtgpio_clock_join(struct vtgpio *vt, struct pid *pid);
#else
static inline int vtgpio_clock_create(struct vtgpio *vt)
{
	return 0;
}

static inline void vtgpio_clock_put(struct vtgpio *vt) { }
static inline void vtgpio_clock_pause(struct vtgpio *vt) { }
static inline void vtgpio_clock_go(struct vtgpio *vt) { }
static inline void vtgpio_clock_stop(struct vtgpio *vt) { }

static inline u64 vtgpio_clock_pause_ns(struct vtgpio *vt)
{
	return 0;
}

static inline int vtgpio_clock_set_dilation(struct vtgpio *vt, u32 tdf)
{
	return 0;
}

static inline int vtgpio_clock_lacks(struct vtgpio *vt, struct pid *pid)
{
	return 0;
}

static inline int vtgpio_clock_join(struct vtgpio *vt, struct pid *pid)
{
	return 0;
}
#endif

/* sysfs.c */
extern const char * const vtgpio_methods[VTGPIO_NR_METHODS];
int vtgpio_sysfs_init(void);
void vtgpio_sysfs_exit(void);
int vtgpio_sysfs_add(struct vtgpio *vt, unsigned int number);
void vtgpio_sysfs_remove(struct vtgpio *vt);
void vtgpio_notify(struct vtgpio *vt, bool paused, bool resumed);
extern const struct kobj_type vtgpio_ktype;

#endif /* VTGPIO_H */
