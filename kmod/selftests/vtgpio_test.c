// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of vtgpio in a running kernel: vtgpio_test VTGPIO.KO WIRE.KO [CYCLES]
 *
 * Prints TAP; the exit status is 0 when every test passed. Needs root, /proc and
 * /sys. WIRE.KO is vtgpio_wire.ko, whose lines are joined by a cable.
 */
#define _GNU_SOURCE
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *wire_file;
static unsigned int cycles = 1000;

static void reset(void)
{
	write_file("/sys/module/vtgpio_wire/parameters/level", "0");
	if (!access("/sys/module/vtgpio", F_OK))
		unload("vtgpio");
	workers_clear();
}

/*
 * A process that has left the list runs. But where it has the clock of those
 * that are on it, it stands as long as they do.
 */
static bool is_off(unsigned int index)
{
	return clock_hidden() ? stands(index) : runs(index);
}

static void wire(bool level)
{
	SAME(write_file("/sys/module/vtgpio_wire/parameters/level", level ? "1" : "0"), 0);
}

/* --- loading ---------------------------------------------------------------- */

static void test_no_description(void)
{
	SAME(load(module_file, ""), -ENODEV);
}

static void test_bad_parameters(void)
{
	SAME(load(module_file, "pause="), -EINVAL);
	SAME(load(module_file, "pause=no-such-line"), -ENODEV);
	SAME(load(module_file, "pause=no-such-chip:1"), -ENODEV);
	SAME(load(module_file, "pause=vtgpio-wire:99"), -EINVAL);
	SAME(load(module_file, "pause=vtgpio-wire:65535"), -EINVAL);
	SAME(load(module_file, "pause=wire-in resume=no-such-line"), -ENODEV);
	SAME(load(module_file, "pause=wire-in signal=no-such-line"), -ENODEV);
	SAME(load(module_file, "signal=wire-out"), -EINVAL);
	SAME(load(module_file, "resume=wire-in"), -EINVAL);
	SAME(load(module_file, "pause=wire-in method=no-such-method"), -EINVAL);
	SAME(load(module_file, "pause=wire-in watchdog_ms=99999999"), -EINVAL);
	SAME(load(module_file, "pause=wire-in number=x"), -EINVAL);
	/* The input end cannot be driven, and the output end has no edges. */
	CHECK(load(module_file, "pause=wire-in signal=wire-in2") < 0);
	SAME(access("/sys/module/vtgpio", F_OK), -1);
	SAME(access("/sys/vt", F_OK), -1);
}

static void test_busy_line(void)
{
	struct gpio_v2_line_request request = { .offsets = { 1 }, .num_lines = 1 };
	struct gpiochip_info info;
	char path[32];
	int i, fd = -1;

	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/dev/gpiochip%d", i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && !ioctl(fd, GPIO_GET_CHIPINFO_IOCTL, &info) &&
		    !strcmp(info.label, "vtgpio-wire"))
			break;
		close(fd);
	}
	if (!CHECK(i < 8))
		return;
	request.config.flags = GPIO_V2_LINE_FLAG_INPUT;
	SAME(ioctl(fd, GPIO_V2_GET_LINE_IOCTL, &request), 0);
	SAME(load(module_file, "pause=wire-in"), -EBUSY);
	close(request.fd);
	close(fd);
	start("pause=wire-in");
}

static void test_lines_by_offset(void)
{
	char text[64];

	if (!start("pause=vtgpio-wire:1 signal=vtgpio-wire:0"))
		return;
	CHECK(freeze());
	CHECK(unfreeze());
	SAME(number_in("edges"), 2);
	read_file("/sys/module/vtgpio/parameters/pause", text, sizeof(text));
	SAME(strcmp(text, "vtgpio-wire:1"), 0);
}

static void test_same_line_twice(void)
{
	if (!start("pause=wire-in resume=wire-in signal=wire-out"))
		return;
	CHECK(freeze());
	CHECK(unfreeze());
}

static void test_number(void)
{
	folder = "/sys/vt/VT12";
	if (start("number=12 " ONE_LINE)) {
		CHECK(freeze());
		CHECK(unfreeze());
		SAME(access("/sys/vt/VT7", F_OK), -1);
	}
	folder = "/sys/vt/VT7";
}

static void test_defaults(void)
{
	static const char * const zero[] = {
		"syncpause", "pauses", "resumes", "edges", "frozen_ns",
		"pause_latency_ns", "pause_latency_worst_ns", "resume_latency_ns",
		"resume_latency_worst_ns", "pause_spread_ns",
		"pause_spread_worst_ns", "processes", "threads",
		"watchdog_releases", "barrier_misses", "pid_01", "pid_16"
	};
	unsigned int i;
	char text[64];

	if (!start(ONE_LINE))
		return;
	for (i = 0; i < sizeof(zero) / sizeof(*zero); i++)
		if (!SAME(number_in(zero[i]), 0))
			strncat(why, zero[i], sizeof(why) - strlen(why) - 1);
	CHECK(wait_for("mode", "unfreeze", 0));
	CHECK(has_pids(""));
	SAME(number_in("tdf"), 1000);
	SAME(number_in("watchdog_ms"), 10000);
	CHECK(wait_for("method", "park", 0));
	read_file("clock", text, sizeof(text));
	CHECK(!strcmp(text, "visible") || !strcmp(text, "hidden"));
	SAME(number_in("pid_17"), -ENOENT);
	SAME(number_in("pid_00"), -ENOENT);
}

/* --- pause and resume --------------------------------------------------------- */

static void one_pause(void)
{
	start_worker(0, body_tick);
	start_worker(1, body_tick);
	SAME(add(workers[0].pid), 0);
	CHECK(runs(0));
	CHECK(freeze());
	CHECK(stands(0));
	CHECK(runs(1));	/* is not on the list */
	CHECK(unfreeze());
	CHECK(runs(0));
	SAME(number_in("edges"), 2);
	SAME(number_in("pauses"), 1);
	SAME(number_in("resumes"), 1);
	CHECK(number_in("pause_latency_ns") > 0);
	CHECK(number_in("resume_latency_ns") > 0);
	CHECK(number_in("pause_latency_worst_ns") >= number_in("pause_latency_ns"));
}

static void test_local_freeze(void)
{
	if (start(ONE_LINE))
		one_pause();
}

static void test_two_lines(void)
{
	if (start("pause=wire-in resume=wire-in2 signal=wire-out"))
		one_pause();
}

static void test_method_stop(void)
{
	if (start(ONE_LINE " method=stop"))
		one_pause();
}

static void test_method_signal(void)
{
	if (start(ONE_LINE " method=signal"))
		one_pause();
}

/* A line that cannot be read in its own interrupt, as one of virtio-gpio. */
static void test_sleeping_line(void)
{
	SAME(unload("vtgpio_wire"), 0);
	SAME(load(wire_file, "can_sleep=1"), 0);
	if (start(ONE_LINE)) {
		one_pause();
		workers_clear();
		/* A short one comes to nothing, a stuck one does not. */
		wire(1);
		wire(0);
		CHECK(wait_for("mode", "unfreeze", 5000));
		wire(1);
		CHECK(wait_for("mode", "freeze", 5000));
		wire(0);
		CHECK(wait_for("mode", "unfreeze", 5000));
		SAME(unload("vtgpio"), 0);
	}
	SAME(unload("vtgpio_wire"), 0);
	SAME(load(wire_file, ""), 0);
}

static void test_remote_freeze(void)
{
	if (!start("pause=wire-in"))
		return;
	start_worker(0, body_tick);
	SAME(add(workers[0].pid), 0);
	wire(1);
	CHECK(wait_for("mode", "freeze", 5000));
	CHECK(stands(0));
	wire(0);
	CHECK(wait_for("mode", "unfreeze", 5000));
	CHECK(runs(0));
	/* Without a signal line there is nothing to drive. */
	SAME(write_file("mode", "freeze"), -ENODEV);
}

static void test_held_by_two(void)
{
	if (!start(ONE_LINE))
		return;
	start_worker(0, body_tick);
	SAME(add(workers[0].pid), 0);
	CHECK(freeze());
	wire(1);
	/* The line stays up until the last one lets it go. */
	SAME(write_file("mode", "unfreeze"), 0);
	CHECK(stands(0));
	wire(0);
	CHECK(wait_for("mode", "unfreeze", 5000));
	CHECK(runs(0));
	SAME(number_in("pauses"), 1);
}

static void test_second_pause(void)
{
	if (!start(ONE_LINE))
		return;
	CHECK(freeze());
	CHECK(freeze());
	wire(1);
	SAME(number_in("pauses"), 1);
	SAME(number_in("edges"), 1);
	wire(0);
	CHECK(unfreeze());
	CHECK(unfreeze());
	SAME(number_in("resumes"), 1);
	SAME(number_in("edges"), 2);
}

static void *write_freeze(void *unused)
{
	write_file("mode", "freeze");
	return unused;
}

static void test_simultaneous(void)
{
	pthread_t threads[16];
	unsigned int round, i;

	if (!start(ONE_LINE))
		return;
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 16; i++)
			pthread_create(&threads[i], NULL, write_freeze, NULL);
		for (i = 0; i < 16; i++)
			pthread_join(threads[i], NULL);
		CHECK(wait_for("mode", "freeze", 5000));
		CHECK(unfreeze());
	}
	SAME(number_in("pauses"), 20);
	SAME(number_in("resumes"), 20);
}

static void test_frozen_time(void)
{
	long long frozen, outside;
	uint64_t begin;

	if (!start(ONE_LINE))
		return;
	begin = now_ns();
	CHECK(freeze());
	sleep_ms(200);
	CHECK(number_in("frozen_ns") >= 200000000);
	CHECK(unfreeze());
	outside = now_ns() - begin;
	frozen = number_in("frozen_ns");
	CHECK(frozen >= 200000000);
	CHECK(frozen <= outside);
	sleep_ms(20);
	SAME(number_in("frozen_ns"), frozen);
	CHECK(freeze());
	CHECK(unfreeze());
	CHECK(number_in("frozen_ns") > frozen);
}

static int pollable(const char *name)
{
	char path[64], text[32];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (read(fd, text, sizeof(text)) < 0)
		return -1;
	return fd;
}

/* The number that is in the file now, or -1 when nothing happens. */
static int next_change(int fd, int ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLPRI };
	char text[32] = "";

	if (poll(&wait, 1, ms) != 1 || !(wait.revents & POLLPRI))
		return -1;
	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		return -2;
	return atoi(text);
}

static void test_syncpause(void)
{
	int fd, i;

	if (!start(ONE_LINE))
		return;
	fd = pollable("syncpause");
	SAME(next_change(fd, 50), -1);
	for (i = 1; i <= 10; i++) {
		CHECK(freeze());
		SAME(next_change(fd, 5000), i);
		CHECK(unfreeze());
		SAME(next_change(fd, 20), -1);
	}
	close(fd);
}

static void test_poll_resumes(void)
{
	int mode, resumes, i;

	if (!start(ONE_LINE))
		return;
	mode = pollable("mode");
	resumes = pollable("resumes");
	for (i = 1; i <= 10; i++) {
		CHECK(freeze());
		SAME(next_change(mode, 5000), 0);
		SAME(next_change(resumes, 20), -1);
		CHECK(unfreeze());
		SAME(next_change(resumes, 5000), i);
		SAME(next_change(mode, 5000), 0);
		SAME(next_change(mode, 20), -1);
	}
	close(mode);
	close(resumes);
}

/* What the agent waits for: a change of `mode`, at the pause and at its end. */
static void test_inotify(void)
{
	struct pollfd wait = { .fd = inotify_init1(IN_CLOEXEC), .events = POLLIN };
	struct inotify_event event;
	char path[64];
	int i;

	if (wait.fd < 0) {
		skipped = "this kernel has no inotify";
		return;
	}
	if (!start(ONE_LINE))
		return;
	snprintf(path, sizeof(path), "%s/mode", folder);
	CHECK(inotify_add_watch(wait.fd, path, IN_MODIFY) >= 0);
	for (i = 0; i < 10; i++) {
		/* One event for what is written to it, one for what comes of that. */
		CHECK(i % 2 ? unfreeze() : freeze());
		do {
			if (!SAME(poll(&wait, 1, 5000), 1))
				break;
			SAME(read(wait.fd, &event, sizeof(event)), sizeof(event));
			CHECK(event.mask & IN_MODIFY);
		} while (poll(&wait, 1, 50) == 1);
	}
	/* Only of what comes, where nobody here writes. */
	wire(1);
	SAME(poll(&wait, 1, 5000), 1);
	SAME(read(wait.fd, &event, sizeof(event)), sizeof(event));
	wire(0);
	SAME(poll(&wait, 1, 5000), 1);
	close(wait.fd);
}

static void period(const char *parameters)
{
	uint64_t begin;
	int fd, i;

	if (!start(parameters))
		return;
	fd = pollable("syncpause");
	start_worker(0, body_tick);
	SAME(add(workers[0].pid), 0);
	begin = now_ns();
	for (i = 1; i <= 10; i++) {
		CHECK(next_change(fd, 5000) >= i);
		CHECK(stands(0));
		SAME(write_file("mode", "unfreeze"), 0);
	}
	CHECK(now_ns() - begin >= 10 * 50000000ull);
	CHECK(runs(0));
	close(fd);
}

static void test_period(void)
{
	period("period_ms=50 " ONE_LINE);
}

static void test_period_without_lines(void)
{
	period("period_ms=50");
}

static void test_period_listening(void)
{
	period("period_ms=50 pause=wire-in");
}

static void test_watchdog(void)
{
	uint64_t begin;

	if (!start("watchdog_ms=300 " ONE_LINE))
		return;
	start_worker(0, body_tick);
	SAME(add(workers[0].pid), 0);
	begin = now_ns();
	CHECK(freeze());
	CHECK(stands(0));
	CHECK(wait_for("mode", "unfreeze", 5000));
	CHECK(now_ns() - begin >= 300000000);
	CHECK(runs(0));
	SAME(number_in("watchdog_releases"), 1);
	/* The line was let go, so the next edge can come. */
	sleep_ms(20);
	CHECK(freeze());
	CHECK(unfreeze());
	SAME(number_in("watchdog_releases"), 1);
	sleep_ms(400);
	SAME(number_in("watchdog_releases"), 1);

	SAME(write_file("watchdog_ms", "0"), 0);
	CHECK(freeze());
	sleep_ms(500);
	CHECK(stands(0));
	/* It counts from the beginning of the pause. */
	SAME(write_file("watchdog_ms", "100"), 0);
	CHECK(wait_for("mode", "unfreeze", 5000));
	SAME(number_in("watchdog_releases"), 2);
}

static void test_line_stuck(void)
{
	if (!start("pause=wire-in watchdog_ms=100"))
		return;
	start_worker(0, body_tick);
	SAME(add(workers[0].pid), 0);
	wire(1);
	CHECK(wait_for("mode", "freeze", 5000));
	CHECK(wait_for("mode", "unfreeze", 5000));
	CHECK(runs(0));
	wire(0);
	sleep_ms(20);
	SAME(number_in("resumes"), 1);
	wire(1);
	CHECK(wait_for("mode", "freeze", 5000));
}

/* The edge does not come back: nothing stops, and `mode` says so. */
static void test_line_never_rises(void)
{
	if (!start("pause=wire-free signal=wire-out"))
		return;
	start_worker(0, body_tick);
	SAME(add(workers[0].pid), 0);
	SAME(write_file("mode", "freeze"), 0);
	CHECK(!wait_for("mode", "freeze", 300));
	CHECK(runs(0));
	SAME(number_in("pauses"), 0);
	SAME(number_in("edges"), 0);
	SAME(number_in("frozen_ns"), 0);
	/* The line is up all the same, until it is let go. */
	SAME(number_in("/sys/module/vtgpio_wire/parameters/level"), 1);
	SAME(unload("vtgpio"), 0);
	SAME(number_in("/sys/module/vtgpio_wire/parameters/level"), 0);
}

/* --- what is written --------------------------------------------------------- */

static void test_bad_text(void)
{
	static const struct {
		const char *file, *text;
		int err;
	} cases[] = {
		{ "mode", "", 0 },	/* nothing is written at all */
		{ "mode", "frozen", -EINVAL },
		{ "mode", "1", -EINVAL },
		{ "mode", "freeze now", -EINVAL },
		{ "tdf", "0", -EINVAL },
		{ "tdf", "-1", -EINVAL },
		{ "tdf", "fast", -EINVAL },
		{ "tdf", "4294967296", -ERANGE },
		{ "method", "kill", -EINVAL },
		{ "watchdog_ms", "-1", -EINVAL },
		{ "watchdog_ms", "10 ms", -EINVAL },
		{ "watchdog_ms", "99999999", -ERANGE },
		{ "pids", "\n", -EINVAL },
		{ "pids", "1", -EINVAL },
		{ "pids", "+", -EINVAL },
		{ "pids", "+x", -EINVAL },
		{ "pids", "+0", -EINVAL },
		{ "pids", "+-1", -EINVAL },
		{ "pids", "++1", -EINVAL },
		{ "pids", "+1/trees", -EINVAL },
		{ "pids", "+1/", -EINVAL },
		{ "pids", "-1/tree", -EINVAL },
		{ "pids", "+4194305", -ESRCH },
		{ "pids", "+99999999999", -ERANGE },
		{ "pids", "-1", -ESRCH },
		{ "pids", "+2", -EINVAL },	/* kthreadd */
		{ "pid_01", "x", -EINVAL },
		{ "pid_01", "-1", -EINVAL },
		{ "pid_01", "4194305", -ESRCH },
		{ "pid_16", "2", -EINVAL },
		{ "pauses", "0", -EACCES },
		{ "syncpause", "0", -EACCES },
		{ "clock", "hidden", -EACCES },
	};
	unsigned int i;

	if (!start(ONE_LINE))
		return;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int err = write_file(cases[i].file, cases[i].text);

		if (err != cases[i].err && !failed) {
			failed = true;
			snprintf(why, sizeof(why), "'%s' to %s gives %d, not %d",
				 cases[i].text, cases[i].file, err, cases[i].err);
		}
	}
	CHECK(has_pids(""));
	SAME(number_in("tdf"), 1000);
	SAME(write_file("tdf", "2000\n"), 0);
	SAME(number_in("tdf"), 2000);
	CHECK(freeze());
	SAME(write_file("method", "signal"), -EBUSY);
	CHECK(unfreeze());
	SAME(write_file("method", "signal"), 0);
	CHECK(wait_for("method", "signal", 0));
}

static void test_pids(void)
{
	char text[128], wanted[128];
	unsigned int i;

	if (!start(ONE_LINE))
		return;
	for (i = 0; i < 4; i++)
		start_worker(i, body_tick);
	snprintf(text, sizeof(text), "+%d +%d\n+%d/tree", workers[0].pid, workers[1].pid,
		 workers[2].pid);
	snprintf(wanted, sizeof(wanted), "%d\n%d\n%d/tree", workers[0].pid, workers[1].pid,
		 workers[2].pid);
	SAME(write_file("pids", text), 0);
	CHECK(has_pids(wanted));
	SAME(add(workers[0].pid), 0);	/* once more */
	CHECK(has_pids(wanted));
	SAME(number_in("processes"), 3);
	SAME(number_in("threads"), 3);

	/* All of it, or nothing. */
	snprintf(text, sizeof(text), "+%d -%d +4194305", workers[3].pid, workers[0].pid);
	SAME(write_file("pids", text), -ESRCH);
	snprintf(text, sizeof(text), "-%d -%d", workers[0].pid, workers[3].pid);
	SAME(write_file("pids", text), -ESRCH);
	snprintf(text, sizeof(text), "+%d nonsense", workers[3].pid);
	SAME(write_file("pids", text), -EINVAL);
	CHECK(has_pids(wanted));

	snprintf(text, sizeof(text), "-%d +%d -%d -%d", workers[0].pid, workers[3].pid,
		 workers[2].pid, workers[0].pid);
	SAME(write_file("pids", text), 0);
	snprintf(wanted, sizeof(wanted), "%d\n%d", workers[1].pid, workers[3].pid);
	CHECK(has_pids(wanted));
	CHECK(freeze());
	CHECK(stands(1) && stands(3));
	CHECK(is_off(0) && is_off(2));
	CHECK(unfreeze());
	CHECK(runs(0) && runs(2));
}

static void test_slots(void)
{
	char wanted[64];

	if (!start(ONE_LINE))
		return;
	start_worker(0, body_tick);
	start_worker(1, body_tick);
	SAME(write_number("pid_01", "%lld\n", workers[0].pid), 0);
	SAME(write_number("pid_16", "%lld", workers[1].pid), 0);
	SAME(number_in("pid_01"), workers[0].pid);
	SAME(number_in("pid_16"), workers[1].pid);
	snprintf(wanted, sizeof(wanted), "%d\n%d", workers[0].pid, workers[1].pid);
	CHECK(has_pids(wanted));
	SAME(write_number("pid_02", "%lld", workers[0].pid), -EEXIST);
	SAME(write_number("pid_01", "%lld", workers[0].pid), 0);
	CHECK(freeze());
	CHECK(stands(0) && stands(1));
	CHECK(unfreeze());
	/* A failure leaves what was there. */
	SAME(write_file("pid_01", "4194305"), -ESRCH);
	SAME(number_in("pid_01"), workers[0].pid);
	SAME(write_file("pid_01", "0"), 0);
	SAME(number_in("pid_01"), 0);
	snprintf(wanted, sizeof(wanted), "%d", workers[1].pid);
	CHECK(has_pids(wanted));
	/* Another process takes the place of the one that is there. */
	SAME(write_number("pid_16", "%lld", workers[0].pid), 0);
	SAME(number_in("pid_16"), workers[0].pid);
	snprintf(wanted, sizeof(wanted), "%d", workers[0].pid);
	CHECK(has_pids(wanted));
}

static void test_change_while_paused(void)
{
	if (!start(ONE_LINE))
		return;
	start_worker(0, body_tick);
	start_worker(1, body_tick);
	SAME(add(workers[0].pid), 0);
	CHECK(freeze());
	SAME(add(workers[1].pid), 0);
	CHECK(stands(0) && stands(1));
	SAME(write_number("pids", "-%lld", workers[0].pid), 0);
	CHECK(is_off(0));
	CHECK(stands(1));
	/* With nobody left on it, they all go on. */
	SAME(write_number("pids", "-%lld", workers[1].pid), 0);
	CHECK(runs(0) && runs(1));
	SAME(add(workers[1].pid), 0);
	CHECK(is_off(0));
	CHECK(stands(1));
	CHECK(unfreeze());
	CHECK(runs(0) && runs(1));
}

/* --- processes that come and go ------------------------------------------------ */

static void test_exit(void)
{
	char wanted[64];

	if (!start(ONE_LINE))
		return;
	start_worker(0, body_tick);
	start_worker(1, body_tick);
	SAME(write_number("pid_01", "%lld", workers[0].pid), 0);
	SAME(write_number("pid_02", "%lld", workers[1].pid), 0);
	stop_worker(0);
	snprintf(wanted, sizeof(wanted), "%d", workers[1].pid);
	CHECK(has_pids(wanted));
	SAME(number_in("pid_01"), 0);
	SAME(number_in("processes"), 1);
	/* One that nobody has waited for has ended as well. */
	kill(workers[1].pid, SIGKILL);
	sleep_ms(50);
	CHECK(has_pids(""));
	SAME(add(workers[1].pid), -ESRCH);
	stop_worker(1);
}

static void test_recycled_pid(void)
{
	pid_t pid;
	int i;

	if (!start(ONE_LINE))
		return;
	pid = start_worker(0, body_tick);
	SAME(add(pid), 0);
	stop_worker(0);
	/* Every number comes again; not all kernels let one choose the next. */
	write_number("/proc/sys/kernel/pid_max", "%lld", pid < 302 ? 302 : pid + 1);
	for (i = 0; i < 5000; i++) {
		write_number("/proc/sys/kernel/ns_last_pid", "%lld", pid - 1);
		if (start_worker(0, body_tick) == pid)
			break;
		stop_worker(0);
	}
	write_number("/proc/sys/kernel/pid_max", "%lld", 32768);
	if (!SAME(workers[0].pid, pid))
		return;
	CHECK(has_pids(""));
	CHECK(freeze());
	CHECK(runs(0));
	CHECK(unfreeze());
}

static void test_kill_while_paused(void)
{
	int status;
	pid_t pid;

	if (!start(ONE_LINE))
		return;
	pid = start_worker(0, body_tick);
	SAME(add(pid), 0);
	CHECK(freeze());
	CHECK(stands(0));
	kill(pid, SIGKILL);
	SAME(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	workers[0].pid = 0;
	CHECK(has_pids(""));

	pid = start_worker(0, body_tick);
	SAME(add(pid), 0);
	CHECK(stands(0));
	kill(pid, SIGTERM);
	SAME(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	workers[0].pid = 0;
	CHECK(unfreeze());
}

static void test_parent_sees_nothing(void)
{
	int status, i;
	pid_t pid;

	if (!start(ONE_LINE))
		return;
	pid = start_worker(0, body_tick);
	SAME(add(pid), 0);
	for (i = 0; i < 3; i++) {
		CHECK(freeze());
		CHECK(stands(0));
		SAME(waitpid(pid, &status, WUNTRACED | WCONTINUED | WNOHANG), 0);
		CHECK(unfreeze());
		CHECK(runs(0));
		SAME(waitpid(pid, &status, WUNTRACED | WCONTINUED | WNOHANG), 0);
	}
	/* Who was stopped before the pause is so after it. */
	kill(pid, SIGSTOP);
	SAME(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(freeze());
	CHECK(unfreeze());
	CHECK(stands(0));
	/* And who is continued during it does not run. */
	CHECK(freeze());
	kill(pid, SIGCONT);
	CHECK(stands(0));
	CHECK(unfreeze());
	CHECK(runs(0));
}

static void body_epoll(struct worker *worker)
{
	struct epoll_event event;
	int fd = epoll_create1(0), ready;

	worker->count = 1;
	ready = epoll_wait(fd, &event, 1, 1500);
	worker->error = ready < 0 ? errno : 0;
	worker->result = ready;
	worker->count = 2;
	pause();
}

static void test_calls_go_on(void)
{
	int i;

	if (!start(ONE_LINE))
		return;
	start_worker(0, body_epoll);
	CHECK(reaches(0, 1));
	SAME(add(workers[0].pid), 0);
	for (i = 0; i < 5; i++) {
		CHECK(freeze());
		sleep_ms(20);
		CHECK(unfreeze());
	}
	/* It ends during a pause: its caller hears of it after that. */
	CHECK(freeze());
	sleep_ms(1700);
	SAME(workers[0].count, 1);
	CHECK(unfreeze());
	CHECK(reaches(0, 2));
	SAME(workers[0].error, 0);
	SAME(workers[0].result, 0);
}

static void *thread_tick(void *worker)
{
	body_tick(worker);
	return NULL;
}

/* Three threads that count, the first in worker 0. */
static void body_threads(struct worker *worker)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_tick, worker + 1);
	pthread_create(&thread, NULL, thread_tick, worker + 2);
	body_tick(worker);
}

static void test_threads(void)
{
	char path[64];
	pid_t pid;

	if (!start(ONE_LINE))
		return;
	pid = start_worker(0, body_threads);
	CHECK(runs(0) && runs(1) && runs(2));
	SAME(add(pid), 0);
	SAME(number_in("processes"), 1);
	SAME(number_in("threads"), 3);
	CHECK(freeze());
	CHECK(stands(0) && stands(1) && stands(2));
	CHECK(unfreeze());
	CHECK(runs(0) && runs(1) && runs(2));
	/* A thread is not a process. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, pid + 1);
	if (!access(path, F_OK))
		SAME(add(pid + 1), -ESRCH);
	stop_worker(0);
	CHECK(has_pids(""));
	SAME(number_in("threads"), 0);
}

static void *thread_brief(void *worker)
{
	((struct worker *)worker)->count++;
	return NULL;
}

/* Makes threads all the time, each of which counts. */
static void body_thread_maker(struct worker *worker)
{
	pthread_t thread;

	for (;;)
		if (!pthread_create(&thread, NULL, thread_brief, worker))
			pthread_join(thread, NULL);
}

static void test_newborn_threads(void)
{
	int i;

	if (!start(ONE_LINE))
		return;
	start_worker(0, body_thread_maker);
	SAME(add(workers[0].pid), 0);
	for (i = 0; i < 20; i++) {
		CHECK(runs(0));
		CHECK(freeze());
		CHECK(stands(0));
		CHECK(unfreeze());
	}
	CHECK(number_in("threads") <= 3);
}

/* Makes children all the time, each of which counts. */
static void body_fork_maker(struct worker *worker)
{
	pid_t pid;

	for (;;) {
		pid = fork();
		if (pid == 0) {
			worker->count++;
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

static void test_newborn_children(void)
{
	int i;

	if (!start(ONE_LINE))
		return;
	start_worker(0, body_fork_maker);
	SAME(write_number("pids", "+%lld/tree", workers[0].pid), 0);
	for (i = 0; i < 20; i++) {
		CHECK(runs(0));
		CHECK(freeze());
		CHECK(stands(0));
		CHECK(unfreeze());
	}
	CHECK(number_in("processes") <= 3);
	stop_worker(0);
	CHECK(wait_for("pids", "", 5000));
	SAME(number_in("processes"), 0);
}

/* Worker 0 has a child, 1, which has a child, 2, and another, 3, when told to. */
static void body_tree(struct worker *worker)
{
	setpgid(0, 0);
	if (!fork()) {
		if (!fork())
			body_tick(worker + 2);
		worker[1].result = getpid();
		while (!worker[3].error) {
			worker[1].count++;
			sleep_ms(1);
		}
		if (!fork())
			body_tick(worker + 3);
		if (worker[3].error == 2)
			_exit(0);	/* 2 and 3 are orphans now */
		body_tick(worker + 1);
	}
	body_tick(worker);
}

static void kill_tree(pid_t root)
{
	kill(-root, SIGKILL);
	stop_worker(0);
	sleep_ms(50);
}

static void tree(int orphans)
{
	char wanted[64], how[16];

	if (!start(ONE_LINE))
		return;
	read_file("tracking", how, sizeof(how));
	if (orphans && strcmp(how, "events")) {
		skipped = "this kernel has no trace points";
		return;
	}
	workers[3].error = 0;
	memset((void *)&workers[1], 0, 3 * sizeof(*workers));
	start_worker(0, body_tree);
	CHECK(runs(0) && runs(1) && runs(2));
	SAME(write_number("pids", "+%lld/tree", workers[0].pid), 0);
	snprintf(wanted, sizeof(wanted), "%d/tree", workers[0].pid);
	CHECK(has_pids(wanted));
	SAME(number_in("processes"), 3);
	CHECK(freeze());
	CHECK(stands(0) && stands(1) && stands(2));
	CHECK(unfreeze());
	CHECK(runs(0) && runs(1) && runs(2));
	workers[3].error = orphans ? 2 : 1;
	CHECK(runs(3));
	CHECK(freeze());
	CHECK(stands(0) && stands(2) && stands(3));
	if (!orphans)
		CHECK(stands(1));
	/* One of the tree cannot be taken out alone. */
	SAME(write_number("pids", "-%lld", workers[1].result), -ESRCH);
	SAME(write_number("pids", "-%lld", workers[0].pid), 0);
	CHECK(has_pids(""));
	CHECK(runs(0) && runs(2) && runs(3));
	CHECK(unfreeze());
	kill_tree(workers[0].pid);
}

static void test_tree(void)
{
	tree(0);
}

static void test_tree_orphans(void)
{
	tree(1);
}

static void test_root_ends(void)
{
	pid_t root;

	if (!start(ONE_LINE))
		return;
	memset((void *)&workers[1], 0, 3 * sizeof(*workers));
	root = start_worker(0, body_tree);
	CHECK(runs(0) && runs(1) && runs(2));
	SAME(write_number("pids", "+%lld/tree", root), 0);
	stop_worker(0);
	SAME(number_in("processes"), 2);
	CHECK(freeze());
	CHECK(stands(1) && stands(2));
	CHECK(unfreeze());
	CHECK(runs(1) && runs(2));
	kill_tree(root);
	SAME(number_in("processes"), 0);
}

static void body_exec_maker(struct worker *worker)
{
	char *arguments[] = { "/proc/self/exe", "--child", NULL };
	pid_t pid;

	for (;;) {
		pid = fork();
		if (pid == 0) {
			execv("/proc/self/exe", arguments);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
		worker->count++;
	}
}

/* Says what is still on the list. */
static void print_left(void)
{
	char text[4096], path[64], stat[512], *pid;

	printf("# %lld processes, %lld threads\n", number_in("processes"),
	       number_in("threads"));
	if (read_file("pids", text, sizeof(text)) <= 0)
		return;
	for (pid = strtok(text, "\n"); pid; pid = strtok(NULL, "\n")) {
		snprintf(path, sizeof(path), "/proc/%d/stat", atoi(pid));
		if (read_file(path, stat, sizeof(stat)) < 0)
			strcpy(stat, "not in /proc");
		printf("# %s: %.60s\n", pid, stat);
	}
}

/* Pauses as fast as it goes, among processes that come, go and start programs. */
static void storm(const char *method)
{
	unsigned int i;

	if (!start(ONE_LINE))
		return;
	SAME(write_file("method", method), 0);
	start_worker(0, body_fork_maker);
	start_worker(1, body_thread_maker);
	start_worker(2, body_exec_maker);
	for (i = 0; i < 3; i++)
		SAME(write_number("pids", "+%lld/tree", workers[i].pid), 0);
	for (i = 0; i < 400; i++) {
		/* Every other time as fast as the line goes. */
		write_file("mode", "freeze");
		if (i % 2)
			CHECK(wait_for("mode", "freeze", 5000));
		write_file("mode", "unfreeze");
		if (i % 2)
			CHECK(wait_for("mode", "unfreeze", 5000));
	}
	CHECK(wait_for("mode", "unfreeze", 5000));
	CHECK(runs(0) && runs(1) && runs(2));
	SAME(number_in("pauses"), number_in("resumes"));
	CHECK(number_in("pauses") > 0);
	workers_clear();
	if (!CHECK(wait_for("pids", "", 5000)))
		print_left();
	SAME(number_in("threads"), 0);
}

static void test_storm(void)
{
	storm("park");
}

static void test_storm_stop(void)
{
	storm("stop");
}

/* --- unloading ----------------------------------------------------------------- */

static void unload_while_paused(const char *method)
{
	if (!start(ONE_LINE))
		return;
	SAME(write_file("method", method), 0);
	start_worker(0, body_tick);
	start_worker(1, body_threads);
	CHECK(runs(0));
	SAME(add(workers[0].pid), 0);
	SAME(add(workers[1].pid), 0);
	CHECK(freeze());
	CHECK(stands(0) && stands(1));
	SAME(unload("vtgpio"), 0);
	CHECK(runs(0) && runs(1) && runs(2));
	SAME(access("/sys/vt", F_OK), -1);
}

static void test_unload_while_paused(void)
{
	unload_while_paused("park");
}

static void test_unload_while_paused_signal(void)
{
	unload_while_paused("signal");
}

static void body_sleeper(struct worker *worker)
{
	struct timespec time = { 2, 0 };
	uint64_t begin = now_ns();

	worker->count = 1;
	worker->error = nanosleep(&time, NULL) ? errno : 0;
	worker->result = now_ns() - begin;
	worker->count = 2;
	pause();
}

/* A thread that sleeps still has the module's work, and must not keep it. */
static void test_unload_with_sleeper(void)
{
	uint64_t begin;

	if (!start(ONE_LINE))
		return;
	start_worker(0, body_sleeper);
	CHECK(reaches(0, 1));
	sleep_ms(20);
	SAME(add(workers[0].pid), 0);
	CHECK(freeze());
	CHECK(unfreeze());
	begin = now_ns();
	SAME(unload("vtgpio"), 0);
	CHECK(now_ns() - begin < 1500000000);
	SAME(workers[0].count, 1);
	CHECK(reaches(0, 2));
	SAME(workers[0].error, 0);
	CHECK(workers[0].result >= 2000000000);
}

static long long meminfo(const char *key)
{
	char text[8192], *at;

	if (read_file("/proc/meminfo", text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, key);
	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

static unsigned int interrupts(void)
{
	unsigned int lines = 0;
	char text[65536], *at = text;

	if (read_file("/proc/interrupts", text, sizeof(text)) < 0)
		return 0;
	while ((at = strchr(at, '\n'))) {
		lines++;
		at++;
	}
	return lines;
}

/* With processes of its own: the clock of those before is not this module's. */
static bool load_cycle(void)
{
	if (!start(ONE_LINE))
		return false;
	start_worker(0, body_tick);
	start_worker(1, body_threads);
	SAME(add(workers[0].pid), 0);
	SAME(write_number("pid_07", "%lld", workers[1].pid), 0);
	CHECK(freeze());
	SAME(unload("vtgpio"), 0);
	CHECK(runs(0) && runs(1));
	stop_worker(0);
	stop_worker(1);
	return !failed;
}

static void test_load_cycles(void)
{
	long long slab, slab_end, vmalloc, percpu;
	unsigned int i, lines;
	uint64_t begin;

	for (i = 0; i < 20 && load_cycle(); i++)
		;
	sleep_ms(500);
	slab = meminfo("Slab:");
	vmalloc = meminfo("VmallocUsed:");
	percpu = meminfo("Percpu:");
	lines = interrupts();
	begin = now_ns();
	for (i = 0; i < cycles && load_cycle(); i++)
		;
	SAME(i, cycles);
	sleep_ms(1000);
	slab_end = meminfo("Slab:");
	printf("# %u cycles in %.1f s; Slab %lld to %lld kB, VmallocUsed %lld to %lld kB\n",
	       i, (now_ns() - begin) / 1e9, slab, slab_end, vmalloc, meminfo("VmallocUsed:"));
	/* 64 bytes a cycle would be more than this. */
	CHECK(slab_end - slab <= (long long)cycles * 64 / 1024 + 1024);
	CHECK(meminfo("VmallocUsed:") - vmalloc <= 64);
	CHECK(meminfo("Percpu:") - percpu <= 16);
	SAME(interrupts(), lines);
}

/* --- all of them ---------------------------------------------------------------- */

static const struct test tests[] = {
	{ "a module that is told of no line is not loaded", test_no_description },
	{ "bad parameters are refused", test_bad_parameters },
	{ "a busy line is refused", test_busy_line },
	{ "lines by chip and offset", test_lines_by_offset },
	{ "pause and resume that are one line by name", test_same_line_twice },
	{ "the number of the folder", test_number },
	{ "what is there after loading", test_defaults },
	{ "a local freeze comes back by the line", test_local_freeze },
	{ "pause and resume on two lines", test_two_lines },
	{ "a line that cannot be read in interrupts", test_sleeping_line },
	{ "method stop", test_method_stop },
	{ "method signal", test_method_signal },
	{ "a freeze by the other end", test_remote_freeze },
	{ "a line that two hold up", test_held_by_two },
	{ "a second pause does nothing", test_second_pause },
	{ "requests at once are one pause", test_simultaneous },
	{ "frozen time", test_frozen_time },
	{ "poll on syncpause", test_syncpause },
	{ "poll on resumes and mode", test_poll_resumes },
	{ "inotify on mode", test_inotify },
	{ "pauses by itself", test_period },
	{ "pauses by itself, without lines", test_period_without_lines },
	{ "pauses by itself, without a signal line", test_period_listening },
	{ "the watchdog", test_watchdog },
	{ "a line that is stuck", test_line_stuck },
	{ "a line that never rises", test_line_never_rises },
	{ "bad text is refused", test_bad_text },
	{ "pids", test_pids },
	{ "pid_01 to pid_16", test_slots },
	{ "changes while paused", test_change_while_paused },
	{ "who exits leaves the list", test_exit },
	{ "a number that is used again", test_recycled_pid },
	{ "a paused process can be killed", test_kill_while_paused },
	{ "a parent sees nothing of it", test_parent_sees_nothing },
	{ "system calls go on", test_calls_go_on },
	{ "threads", test_threads },
	{ "threads that are born", test_newborn_threads },
	{ "children that are born", test_newborn_children },
	{ "a tree", test_tree },
	{ "a tree with orphans", test_tree_orphans },
	{ "a tree whose root ends", test_root_ends },
	{ "many pauses among many births", test_storm },
	{ "many pauses among many births, method stop", test_storm_stop },
	{ "unloading resumes", test_unload_while_paused },
	{ "unloading resumes, method signal", test_unload_while_paused_signal },
	{ "unloading does not wait for a sleeper", test_unload_with_sleeper },
};

static const struct test last_tests[] = {
	{ "nothing leaks", test_load_cycles },
};

static unsigned int number, failed_tests, skipped_tests;

static void run_tests(const struct test *list, unsigned int count)
{
	const char *only = getenv("ONLY");
	unsigned int i;

	for (i = 0; i < count; i++) {
		uint64_t begin = now_ns();

		number++;
		failed = false;
		skipped = NULL;
		if (only && !strstr(list[i].name, only))
			continue;
		list[i].run();
		reset();
		if (failed) {
			failed_tests++;
			printf("# %s\n", why);
		}
		skipped_tests += !!skipped;
		printf("%s %u - %s # %s%s (%.1f s)\n", failed ? "not ok" : "ok", number,
		       list[i].name, skipped ? "SKIP " : "", skipped ?: "",
		       (now_ns() - begin) / 1e9);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const unsigned int count = ARRAY_SIZE(tests) + nr_clock_tests + ARRAY_SIZE(last_tests);
	int err;

	if (argc == 2 && !strcmp(argv[1], "--child"))
		return 0;
	if (argc < 3) {
		fprintf(stderr, "usage: vtgpio_test VTGPIO.KO WIRE.KO [CYCLES]\n");
		return 2;
	}
	module_file = argv[1];
	wire_file = argv[2];
	if (argc > 3)
		cycles = atoi(argv[3]);
	workers_init();
	err = load(wire_file, "");
	if (err) {
		fprintf(stderr, "%s: %s\n", wire_file, strerror(-err));
		return 1;
	}

	printf("TAP version 13\n1..%u\n", count);
	run_tests(tests, ARRAY_SIZE(tests));
	run_tests(clock_tests, nr_clock_tests);
	run_tests(last_tests, ARRAY_SIZE(last_tests));
	unload("vtgpio_wire");
	printf("# %u passed, %u failed, %u skipped\n", count - failed_tests - skipped_tests,
	       failed_tests, skipped_tests);
	return failed_tests != 0;
}
