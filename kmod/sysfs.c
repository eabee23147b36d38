// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/vt/VT<number>/; each file is described in ABI/sysfs-vtgpio.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>

#include "vtgpio.h"

struct vtgpio_attribute {
	struct attribute attr;
	ssize_t (*show)(struct vtgpio *vt, const struct vtgpio_attribute *attr, char *buf);
	ssize_t (*store)(struct vtgpio *vt, const struct vtgpio_attribute *attr,
			 const char *buf, size_t count);
	size_t arg;	/* an offset in struct vtgpio, or a slot */
};

#define VTGPIO_RO(_name, _show, _arg)					\
	static struct vtgpio_attribute vtgpio_attr_##_name = {		\
		.attr = { .name = #_name, .mode = 0444 },		\
		.show = _show, .arg = _arg,				\
	}

#define VTGPIO_RW(_name)						\
	static struct vtgpio_attribute vtgpio_attr_##_name = {		\
		.attr = { .name = #_name, .mode = 0644 },		\
		.show = vtgpio_##_name##_show,				\
		.store = vtgpio_##_name##_store,			\
	}

const char * const vtgpio_methods[VTGPIO_NR_METHODS] = {
	[VTGPIO_PARK] = "park",
	[VTGPIO_STOP] = "stop",
	[VTGPIO_SIGNAL] = "signal",
};

static const char * const vtgpio_modes[] = { "unfreeze", "freeze" };

/* What is read is never older than the last exit or fork. */
static void vtgpio_lock_fresh(struct vtgpio *vt)
{
	spin_lock_irq(&vt->lock);
	if (!vt->watched || vt->stale)
		vtgpio_refresh(vt, true);
}

/* --- mode, tdf, method, watchdog ------------------------------------------ */

static ssize_t vtgpio_mode_show(struct vtgpio *vt,
				const struct vtgpio_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", vtgpio_modes[READ_ONCE(vt->paused)]);
}

static ssize_t vtgpio_mode_store(struct vtgpio *vt,
				 const struct vtgpio_attribute *attr,
				 const char *buf, size_t count)
{
	int freeze = sysfs_match_string(vtgpio_modes, buf), err;

	if (freeze < 0)
		return freeze;
	err = vtgpio_drive(vt, freeze);
	/* A module that pauses by itself, and drives no line, has no other way. */
	if (err == -ENODEV && vt->period_ms && !vt->lines.signal) {
		if (freeze)
			vtgpio_pause(vt, ktime_get_ns());
		else
			vtgpio_resume(vt, ktime_get_ns());
		err = 0;
	}
	return err ?: count;
}

VTGPIO_RW(mode);

static ssize_t vtgpio_tdf_show(struct vtgpio *vt,
			       const struct vtgpio_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(vt->tdf));
}

static ssize_t vtgpio_tdf_store(struct vtgpio *vt,
				const struct vtgpio_attribute *attr,
				const char *buf, size_t count)
{
	u32 tdf;
	int err;

	err = kstrtou32(buf, 10, &tdf);
	if (err)
		return err;
	if (!tdf)
		return -EINVAL;

	spin_lock_irq(&vt->lock);
	err = vtgpio_clock_set_dilation(vt, tdf);
	if (!err)
		vt->tdf = tdf;
	spin_unlock_irq(&vt->lock);
	return err ?: count;
}

VTGPIO_RW(tdf);

static ssize_t vtgpio_method_show(struct vtgpio *vt,
				  const struct vtgpio_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", vtgpio_methods[READ_ONCE(vt->method)]);
}

static ssize_t vtgpio_method_store(struct vtgpio *vt,
				   const struct vtgpio_attribute *attr,
				   const char *buf, size_t count)
{
	int which = sysfs_match_string(vtgpio_methods, buf), err = 0;

	if (which < 0)
		return which;
	if (which == VTGPIO_PARK && !vtgpio_can_park())
		return -EOPNOTSUPP;
	spin_lock_irq(&vt->lock);
	if (vt->paused)
		err = -EBUSY;
	else
		vt->method = which;
	spin_unlock_irq(&vt->lock);
	return err ?: count;
}

VTGPIO_RW(method);

static ssize_t vtgpio_watchdog_ms_show(struct vtgpio *vt,
				       const struct vtgpio_attribute *attr,
				       char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(vt->watchdog_ms));
}

static ssize_t vtgpio_watchdog_ms_store(struct vtgpio *vt,
					const struct vtgpio_attribute *attr,
					const char *buf, size_t count)
{
	unsigned int ms;
	int err;

	err = kstrtouint(buf, 10, &ms);
	if (err)
		return err;
	if (ms > VTGPIO_MAX_MS)
		return -ERANGE;
	spin_lock_irq(&vt->lock);
	vt->watchdog_ms = ms;
	/* It counts from the beginning of the pause, and looks at that itself. */
	if (vt->paused && ms)
		mod_delayed_work(system_wq, &vt->watchdog, 0);
	spin_unlock_irq(&vt->lock);
	return count;
}

VTGPIO_RW(watchdog_ms);

static ssize_t vtgpio_clock_show(struct vtgpio *vt,
				 const struct vtgpio_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", vt->clock ? "hidden" : "visible");
}

VTGPIO_RO(clock, vtgpio_clock_show, 0);

static ssize_t vtgpio_tracking_show(struct vtgpio *vt,
				    const struct vtgpio_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", vt->watched ? "events" : "scans");
}

VTGPIO_RO(tracking, vtgpio_tracking_show, 0);

/* --- processes ------------------------------------------------------------ */

static ssize_t vtgpio_slot_show(struct vtgpio *vt,
				const struct vtgpio_attribute *attr, char *buf)
{
	struct vtgpio_process *proc;
	pid_t nr = 0;

	vtgpio_lock_fresh(vt);
	proc = vt->slots[attr->arg];
	if (proc)
		nr = pid_vnr(proc->pid);
	spin_unlock_irq(&vt->lock);
	return sysfs_emit(buf, "%d\n", nr);
}

static ssize_t vtgpio_slot_store(struct vtgpio *vt,
				 const struct vtgpio_attribute *attr,
				 const char *buf, size_t count)
{
	struct pid *pid = NULL;
	int nr, err;

	err = kstrtoint(buf, 10, &nr);
	if (err)
		return err;
	if (nr < 0)
		return -EINVAL;
	if (nr) {
		pid = vtgpio_find_pid(nr);
		if (IS_ERR(pid))
			return PTR_ERR(pid);
		err = vtgpio_clock_join(vt, pid);
	}

	if (!err) {
		vtgpio_lock_fresh(vt);
		if (pid)
			err = vtgpio_add(vt, pid, false, attr->arg);
		else
			vtgpio_clear_slot(vt, attr->arg);
		spin_unlock_irq(&vt->lock);
	}
	put_pid(pid);
	return err ?: count;
}

static ssize_t vtgpio_pids_show(struct vtgpio *vt,
				const struct vtgpio_attribute *attr, char *buf)
{
	struct vtgpio_process *proc;
	int len = 0;

	vtgpio_lock_fresh(vt);
	list_for_each_entry(proc, &vt->processes, node)
		if (!proc->root)
			len += sysfs_emit_at(buf, len, "%d%s\n", pid_vnr(proc->pid),
					     proc->tree ? "/tree" : "");
	spin_unlock_irq(&vt->lock);
	return len;
}

/* "+123", "-123" or "+123/tree": what is left of @word is the number. */
static int vtgpio_parse(char *word, bool *add, bool *tree, pid_t *nr)
{
	char *slash = strchr(word, '/');
	unsigned int value;
	int err;

	if (*word != '+' && *word != '-')
		return -EINVAL;
	*add = *word == '+';
	*tree = slash;
	if (slash) {
		if (!*add || strcmp(slash, "/tree"))
			return -EINVAL;
		*slash = '\0';
	}
	/* Not kstrtoint(): that takes another sign. */
	if (word[1] < '0' || word[1] > '9')
		return -EINVAL;
	err = kstrtouint(word + 1, 10, &value);
	if (err)
		return err;
	if (!value || value > INT_MAX)
		return -EINVAL;
	*nr = value;
	return 0;
}

struct vtgpio_change {
	struct pid *pid;
	bool add;
	bool tree;
};

/* One word to one change; the pid is the caller's to put. */
static int vtgpio_change(struct vtgpio *vt, char *word, struct vtgpio_change *change)
{
	pid_t nr;
	int err;

	err = vtgpio_parse(word, &change->add, &change->tree, &nr);
	if (err)
		return err;
	if (change->add) {
		change->pid = vtgpio_find_pid(nr);
		if (IS_ERR(change->pid))
			return PTR_ERR(change->pid);
		if (vtgpio_clock_lacks(vt, change->pid) >= 0)
			return 0;
		put_pid(change->pid);
		return -EBUSY;
	}
	change->pid = find_get_pid(nr);
	return change->pid ? 0 : -ESRCH;
}

/*
 * All of it, or nothing: what cannot be done is found out beforehand. A process
 * that ends meanwhile is off the list anyway.
 */
static int vtgpio_apply(struct vtgpio *vt, struct vtgpio_change *changes, unsigned int nr)
{
	unsigned int i;
	int err = 0;

	vtgpio_lock_fresh(vt);
	for (i = 0; i < nr; i++)
		if (!changes[i].add && !vtgpio_listed(vt, changes[i].pid))
			err = -ESRCH;
	spin_unlock_irq(&vt->lock);
	if (err)
		return err;

	/* First, so that whoever it forks has the clock too. */
	for (i = 0; i < nr; i++) {
		if (changes[i].add)
			err = vtgpio_clock_join(vt, changes[i].pid);
		if (err && err != -ESRCH)
			return err;
		err = 0;
	}

	vtgpio_lock_fresh(vt);
	for (i = 0; i < nr && !err; i++) {
		if (changes[i].add)
			err = vtgpio_add(vt, changes[i].pid, changes[i].tree, -1);
		else
			err = vtgpio_remove(vt, changes[i].pid);
		if (err == -ESRCH)
			err = 0;
	}
	spin_unlock_irq(&vt->lock);
	vtgpio_join(vt);
	return err;
}

static ssize_t vtgpio_pids_store(struct vtgpio *vt,
				 const struct vtgpio_attribute *attr,
				 const char *buf, size_t count)
{
	struct vtgpio_change *changes;
	char *text, *rest, *word;
	unsigned int nr = 0, i;
	int err = 0;

	text = kstrndup(buf, count, GFP_KERNEL);
	/* A change takes two characters and a blank at least. */
	changes = kcalloc(count / 3 + 1, sizeof(*changes), GFP_KERNEL);
	if (!text || !changes)
		err = -ENOMEM;

	rest = text;
	while (!err && (word = strsep(&rest, " \t\n"))) {
		if (!*word)
			continue;
		err = vtgpio_change(vt, word, &changes[nr]);
		if (!err)
			nr++;
	}
	if (!err && !nr)
		err = -EINVAL;
	if (!err)
		err = vtgpio_apply(vt, changes, nr);

	for (i = 0; i < nr; i++)
		put_pid(changes[i].pid);
	kfree(changes);
	kfree(text);
	return err ?: count;
}

VTGPIO_RW(pids);

static ssize_t vtgpio_count_show(struct vtgpio *vt,
				 const struct vtgpio_attribute *attr, char *buf)
{
	unsigned int value;

	vtgpio_lock_fresh(vt);
	value = *(unsigned int *)((char *)vt + attr->arg);
	spin_unlock_irq(&vt->lock);
	return sysfs_emit(buf, "%u\n", value);
}

VTGPIO_RO(processes, vtgpio_count_show, offsetof(struct vtgpio, nr_processes));
VTGPIO_RO(threads, vtgpio_count_show, offsetof(struct vtgpio, nr_threads));

/* --- measurements --------------------------------------------------------- */

static ssize_t vtgpio_u64_show(struct vtgpio *vt,
			       const struct vtgpio_attribute *attr, char *buf)
{
	u64 value;

	spin_lock_irq(&vt->lock);
	value = *(u64 *)((char *)vt + attr->arg);
	spin_unlock_irq(&vt->lock);
	return sysfs_emit(buf, "%llu\n", value);
}

static ssize_t vtgpio_frozen_ns_show(struct vtgpio *vt,
				     const struct vtgpio_attribute *attr, char *buf)
{
	u64 value;

	spin_lock_irq(&vt->lock);
	value = vtgpio_frozen_ns(vt, ktime_get_ns());
	spin_unlock_irq(&vt->lock);
	return sysfs_emit(buf, "%llu\n", value);
}

VTGPIO_RO(frozen_ns, vtgpio_frozen_ns_show, 0);

#define VTGPIO_U64(_name, _member)	\
	VTGPIO_RO(_name, vtgpio_u64_show, offsetof(struct vtgpio, _member))

/* Pollable, as are resumes and mode: see vtgpio_notify(). */
VTGPIO_U64(syncpause, pauses);
VTGPIO_U64(pauses, pauses);
VTGPIO_U64(resumes, resumes);
VTGPIO_U64(edges, edges);
VTGPIO_U64(watchdog_releases, watchdog_releases);
VTGPIO_U64(barrier_misses, barrier_misses);
VTGPIO_U64(paused_at_ns, paused_at);
VTGPIO_U64(resumed_at_ns, resumed_at);
VTGPIO_U64(pause_latency_ns, pause_latency.last);
VTGPIO_U64(pause_latency_worst_ns, pause_latency.worst);
VTGPIO_U64(resume_latency_ns, resume_latency.last);
VTGPIO_U64(resume_latency_worst_ns, resume_latency.worst);
VTGPIO_U64(pause_spread_ns, pause_spread.last);
VTGPIO_U64(pause_spread_worst_ns, pause_spread.worst);

/* --- the folder ----------------------------------------------------------- */

static struct attribute *vtgpio_attrs[] = {
	&vtgpio_attr_mode.attr,
	&vtgpio_attr_tdf.attr,
	&vtgpio_attr_method.attr,
	&vtgpio_attr_watchdog_ms.attr,
	&vtgpio_attr_clock.attr,
	&vtgpio_attr_tracking.attr,
	&vtgpio_attr_pids.attr,
	&vtgpio_attr_processes.attr,
	&vtgpio_attr_threads.attr,
	&vtgpio_attr_syncpause.attr,
	&vtgpio_attr_pauses.attr,
	&vtgpio_attr_resumes.attr,
	&vtgpio_attr_edges.attr,
	&vtgpio_attr_watchdog_releases.attr,
	&vtgpio_attr_barrier_misses.attr,
	&vtgpio_attr_frozen_ns.attr,
	&vtgpio_attr_paused_at_ns.attr,
	&vtgpio_attr_resumed_at_ns.attr,
	&vtgpio_attr_pause_latency_ns.attr,
	&vtgpio_attr_pause_latency_worst_ns.attr,
	&vtgpio_attr_resume_latency_ns.attr,
	&vtgpio_attr_resume_latency_worst_ns.attr,
	&vtgpio_attr_pause_spread_ns.attr,
	&vtgpio_attr_pause_spread_worst_ns.attr,
	NULL
};

static const struct attribute_group vtgpio_group = { .attrs = vtgpio_attrs };

/* pid_01 and on, filled by vtgpio_sysfs_init(). */
static char vtgpio_slot_names[VTGPIO_SLOTS][sizeof("pid_00")];
static struct vtgpio_attribute vtgpio_slot_attributes[VTGPIO_SLOTS];
static struct attribute *vtgpio_slot_attrs[VTGPIO_SLOTS + 1];

static const struct attribute_group vtgpio_slot_group = { .attrs = vtgpio_slot_attrs };

static const struct attribute_group *vtgpio_groups[] = {
	&vtgpio_group,
	&vtgpio_slot_group,
	NULL
};

static ssize_t vtgpio_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	const struct vtgpio_attribute *va =
		container_of(attr, struct vtgpio_attribute, attr);

	return va->show(container_of(kobj, struct vtgpio, kobj), va, buf);
}

static ssize_t vtgpio_store(struct kobject *kobj, struct attribute *attr,
			    const char *buf, size_t count)
{
	const struct vtgpio_attribute *va =
		container_of(attr, struct vtgpio_attribute, attr);

	if (!va->store)
		return -EIO;
	return va->store(container_of(kobj, struct vtgpio, kobj), va, buf, count);
}

static const struct sysfs_ops vtgpio_sysfs_ops = {
	.show = vtgpio_show,
	.store = vtgpio_store,
};

static void vtgpio_release(struct kobject *kobj)
{
	struct vtgpio *vt = container_of(kobj, struct vtgpio, kobj);

	vtgpio_clock_put(vt);
	kfree(vt);
}

const struct kobj_type vtgpio_ktype = {
	.release = vtgpio_release,
	.sysfs_ops = &vtgpio_sysfs_ops,
	.default_groups = vtgpio_groups,
};

/* Wakes poll(2), and gives inotify(7) a modification. May sleep. */
void vtgpio_notify(struct vtgpio *vt, bool paused, bool resumed)
{
	if (paused)
		sysfs_notify(&vt->kobj, NULL, "syncpause");
	if (resumed)
		sysfs_notify(&vt->kobj, NULL, "resumes");
	if (paused || resumed)
		sysfs_notify(&vt->kobj, NULL, "mode");
}

static struct kobject *vtgpio_root;

int vtgpio_sysfs_init(void)
{
	unsigned int i;

	for (i = 0; i < VTGPIO_SLOTS; i++) {
		snprintf(vtgpio_slot_names[i], sizeof(vtgpio_slot_names[i]),
			 "pid_%02u", (i + 1) % 100);
		vtgpio_slot_attributes[i] = (struct vtgpio_attribute) {
			.attr = { .name = vtgpio_slot_names[i], .mode = 0644 },
			.show = vtgpio_slot_show,
			.store = vtgpio_slot_store,
			.arg = i,
		};
		vtgpio_slot_attrs[i] = &vtgpio_slot_attributes[i].attr;
	}
	vtgpio_root = kobject_create_and_add("vt", NULL);
	return vtgpio_root ? 0 : -ENOMEM;
}

void vtgpio_sysfs_exit(void)
{
	kobject_put(vtgpio_root);
}

int vtgpio_sysfs_add(struct vtgpio *vt, unsigned int number)
{
	return kobject_add(&vt->kobj, vtgpio_root, "VT%u", number);
}

void vtgpio_sysfs_remove(struct vtgpio *vt)
{
	kobject_del(&vt->kobj);
}
