// SPDX-License-Identifier: GPL-2.0
/*
 * Does what a module that groups processes does, for vt_test.c: one clock,
 * worked by files in /sys/module/vt_test_module/parameters.
 *
 *	join		pid of a process that is to live by the clock
 *	freeze		1, 0, or 2 to freeze in a hard interrupt
 *	dilation	thousandths
 *	frozen_ns	for how long the clock has stood still
 *	freeze_pid	a process to freeze, or if negative to let go on
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/virtual_time.h>

static struct vt_clock *group;
static DECLARE_COMPLETION(done);
static struct hrtimer timer;

static enum hrtimer_restart freeze_in_irq(struct hrtimer *t)
{
	vt_clock_freeze(group);
	complete(&done);
	return HRTIMER_NORESTART;
}

static int join_set(const char *val, const struct kernel_param *kp)
{
	struct pid *pid;
	int nr, err;

	err = kstrtoint(val, 0, &nr);
	if (err)
		return err;
	pid = find_get_pid(nr);
	if (!pid)
		return -ESRCH;
	err = vt_clock_join(group, pid);
	put_pid(pid);
	return err;
}

static int freeze_set(const char *val, const struct kernel_param *kp)
{
	int err, how;

	err = kstrtoint(val, 0, &how);
	if (err)
		return err;
	switch (how) {
	case 0:
		return vt_clock_unfreeze(group);
	case 1:
		return vt_clock_freeze(group);
	default:
		reinit_completion(&done);
		hrtimer_start(&timer, ms_to_ktime(1), HRTIMER_MODE_REL_HARD);
		wait_for_completion(&done);
		return 0;
	}
}

static int dilation_set(const char *val, const struct kernel_param *kp)
{
	unsigned int factor;
	int err;

	err = kstrtouint(val, 0, &factor);
	return err ?: vt_clock_set_dilation(group, factor);
}

static int frozen_ns_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%llu\n", vt_clock_frozen_ns(group));
}

static int freeze_pid_set(const char *val, const struct kernel_param *kp)
{
	struct pid *pid;
	int nr, err;

	err = kstrtoint(val, 0, &nr);
	if (err)
		return err;
	pid = find_get_pid(abs(nr));
	if (!pid)
		return -ESRCH;
	err = nr < 0 ? vt_unfreeze_pid(pid) : vt_freeze_pid(pid);
	put_pid(pid);
	return err;
}

static const struct kernel_param_ops join_ops = { .set = join_set };
static const struct kernel_param_ops freeze_ops = { .set = freeze_set };
static const struct kernel_param_ops dilation_ops = { .set = dilation_set };
static const struct kernel_param_ops frozen_ns_ops = { .get = frozen_ns_get };
static const struct kernel_param_ops freeze_pid_ops = { .set = freeze_pid_set };

module_param_cb(join, &join_ops, NULL, 0200);
module_param_cb(freeze, &freeze_ops, NULL, 0200);
module_param_cb(dilation, &dilation_ops, NULL, 0200);
module_param_cb(frozen_ns, &frozen_ns_ops, NULL, 0400);
module_param_cb(freeze_pid, &freeze_pid_ops, NULL, 0200);

static int __init vt_test_init(void)
{
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	timer.function = freeze_in_irq;
	group = vt_clock_create();
	return PTR_ERR_OR_ZERO(group);
}

static void __exit vt_test_exit(void)
{
	vt_clock_unfreeze(group);
	vt_clock_put(group);
}

module_init(vt_test_init);
module_exit(vt_test_exit);
MODULE_DESCRIPTION("Works the virtual clock of a group, for tests");
MODULE_LICENSE("GPL");
