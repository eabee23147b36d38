// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of virtual time: what processes in it see, and what all others do not.
 *
 * The program controls, in real time, children in virtual time. A child is
 * asked for its clocks over a pipe; as the controller reads real time before
 * and after, it knows how far behind the child's clock is, to within the best
 * round trip of many.
 *
 * Run as root, or as process 1 of a kernel.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"
#include "tap.h"
#include "vdso.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

#define MS 1000000LL
#define SEC 1000000000LL

/* Real time that a loaded machine may take to do what it should do at once. */
static long long late_ns = 400 * MS;

typedef long long ns_t;

static ns_t ts_ns(const struct timespec *ts)
{
	return ts->tv_sec * SEC + ts->tv_nsec;
}

static struct timespec ns_ts(ns_t ns)
{
	return (struct timespec){ .tv_sec = ns / SEC, .tv_nsec = ns % SEC };
}

/* --- clocks --------------------------------------------------------------- */

static int (*vdso_clock_gettime)(clockid_t, struct timespec *);
static int (*vdso_gettimeofday)(struct timeval *, void *);
static time_t (*vdso_time)(time_t *);

static void find_vdso(void)
{
	vdso_clock_gettime = vdso_sym("__vdso_clock_gettime");
	vdso_gettimeofday = vdso_sym("__vdso_gettimeofday");
	vdso_time = vdso_sym("__vdso_time");
}

static ns_t sys_clock(clockid_t id)
{
	struct timespec ts;

	if (syscall(SYS_clock_gettime, id, &ts))
		return -1;
	return ts_ns(&ts);
}

static ns_t now(void)
{
	return sys_clock(CLOCK_MONOTONIC);
}

enum reading {
	SYS_REALTIME, SYS_MONOTONIC, SYS_RAW, SYS_REALTIME_COARSE,
	SYS_MONOTONIC_COARSE, SYS_BOOTTIME, SYS_TAI, SYS_GETTIMEOFDAY, SYS_TIME,
	VDSO_REALTIME, VDSO_MONOTONIC, VDSO_RAW, VDSO_REALTIME_COARSE,
	VDSO_MONOTONIC_COARSE, VDSO_BOOTTIME, VDSO_TAI, VDSO_GETTIMEOFDAY,
	VDSO_TIME,
	OTHER_SYSINFO, OTHER_UPTIME, OTHER_TIMES, OTHER_ADJTIMEX,
	READINGS
};

static const struct {
	const char *name;
	clockid_t id;
	ns_t unit;	/* a reading can be this much off */
	enum reading ref;	/* what the controller compares it with, or 0 */
} readings[READINGS] = {
	[SYS_REALTIME] = { "REALTIME", CLOCK_REALTIME, 1 },
	[SYS_MONOTONIC] = { "MONOTONIC", CLOCK_MONOTONIC, 1 },
	[SYS_RAW] = { "MONOTONIC_RAW", CLOCK_MONOTONIC_RAW, 1 },
	[SYS_REALTIME_COARSE] = { "REALTIME_COARSE", CLOCK_REALTIME_COARSE, 10 * MS, SYS_REALTIME },
	[SYS_MONOTONIC_COARSE] = { "MONOTONIC_COARSE", CLOCK_MONOTONIC_COARSE, 10 * MS, SYS_MONOTONIC },
	[SYS_BOOTTIME] = { "BOOTTIME", CLOCK_BOOTTIME, 1 },
	[SYS_TAI] = { "TAI", CLOCK_TAI, 1 },
	[SYS_GETTIMEOFDAY] = { "gettimeofday", -1, 1000 },
	[SYS_TIME] = { "time", -1, SEC + 10 * MS, SYS_REALTIME },
	[VDSO_REALTIME] = { "vDSO REALTIME", CLOCK_REALTIME, 1 },
	[VDSO_MONOTONIC] = { "vDSO MONOTONIC", CLOCK_MONOTONIC, 1 },
	[VDSO_RAW] = { "vDSO MONOTONIC_RAW", CLOCK_MONOTONIC_RAW, 1 },
	[VDSO_REALTIME_COARSE] = { "vDSO REALTIME_COARSE", CLOCK_REALTIME_COARSE, 10 * MS, SYS_REALTIME },
	[VDSO_MONOTONIC_COARSE] = { "vDSO MONOTONIC_COARSE", CLOCK_MONOTONIC_COARSE, 10 * MS, SYS_MONOTONIC },
	[VDSO_BOOTTIME] = { "vDSO BOOTTIME", CLOCK_BOOTTIME, 1 },
	[VDSO_TAI] = { "vDSO TAI", CLOCK_TAI, 1 },
	[VDSO_GETTIMEOFDAY] = { "vDSO gettimeofday", -1, 1000 },
	[VDSO_TIME] = { "vDSO time", -1, SEC + 10 * MS, SYS_REALTIME },
	[OTHER_SYSINFO] = { "sysinfo uptime", -1, SEC, SYS_BOOTTIME },
	[OTHER_UPTIME] = { "/proc/uptime", -1, 10 * MS, SYS_BOOTTIME },
	[OTHER_TIMES] = { "times", -1, 50 * MS, OTHER_TIMES },
	[OTHER_ADJTIMEX] = { "adjtimex", -1, 1000, SYS_REALTIME },
};

static ns_t read_uptime(void)
{
	char buf[64] = "";
	int fd = open("/proc/uptime", O_RDONLY);
	long sec, hundredths;

	if (fd < 0)
		return -1;
	if (read(fd, buf, sizeof(buf) - 1) <= 0 ||
	    sscanf(buf, "%ld.%2ld", &sec, &hundredths) != 2)
		sec = hundredths = -1;
	close(fd);
	return sec * SEC + hundredths * 10 * MS;
}

/* Returns -1 if the kernel does not have it. */
static ns_t read_clock(enum reading r)
{
	struct timex tx = { 0 };
	struct timespec ts;
	struct timeval tv;
	struct sysinfo si;
	struct tms tms;

	switch (r) {
	case SYS_GETTIMEOFDAY:
		if (syscall(SYS_gettimeofday, &tv, NULL))
			return -1;
		return tv.tv_sec * SEC + tv.tv_usec * 1000LL;
	case SYS_TIME:
#ifdef SYS_time
		return syscall(SYS_time, NULL) * SEC;
#else
		return -1;
#endif
	case VDSO_GETTIMEOFDAY:
		if (!vdso_gettimeofday || vdso_gettimeofday(&tv, NULL))
			return -1;
		return tv.tv_sec * SEC + tv.tv_usec * 1000LL;
	case VDSO_TIME:
		return vdso_time ? vdso_time(NULL) * SEC : -1;
	case OTHER_SYSINFO:
		return sysinfo(&si) ? -1 : si.uptime * SEC;
	case OTHER_UPTIME:
		return read_uptime();
	case OTHER_TIMES:
		return times(&tms) * (SEC / sysconf(_SC_CLK_TCK));
	case OTHER_ADJTIMEX:
		if (adjtimex(&tx) < 0)
			return -1;
		return tx.time.tv_sec * SEC + tx.time.tv_usec *
			(tx.status & STA_NANO ? 1LL : 1000LL);
	default:
		if (r < VDSO_REALTIME)
			return sys_clock(readings[r].id);
		if (!vdso_clock_gettime ||
		    vdso_clock_gettime(readings[r].id, &ts))
			return -1;
		return ts_ns(&ts);
	}
}

/* --- /proc ---------------------------------------------------------------- */

static int put(pid_t pid, const char *file, const char *text)
{
	char path[64];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static long get(pid_t pid, const char *file)
{
	char path[64], buf[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	buf[n] = '\0';
	return atol(buf);
}

static void msleep(long ms)
{
	struct timespec ts = ns_ts(ms * MS);

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
}

/* --- a child that answers ------------------------------------------------- */

struct child {
	pid_t pid;
	int to, from;
};

struct answer {
	ns_t at[READINGS];
};

/* What the child does until its pipe is closed: read the clock that it is told. */
static void answer_clocks(int in, int out)
{
	unsigned char which;
	ns_t at;

	while (read(in, &which, 1) == 1) {
		at = read_clock(which);
		if (write(out, &at, sizeof(at)) != sizeof(at))
			break;
	}
	_exit(0);
}

static struct child child_start(void (*body)(int, int))
{
	int to[2], from[2], fd;
	struct child c;

	if (pipe(to) || pipe(from))
		exit(99);
	c.pid = fork();
	if (!c.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Also those of other children, who wait for their end. */
		for (fd = 3; fd < 1024; fd++)
			if (fd != to[0] && fd != from[1])
				close(fd);
		body(to[0], from[1]);
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	c.to = to[1];
	c.from = from[0];
	return c;
}

static int child_end(struct child *c)
{
	int status;

	close(c->to);
	close(c->from);
	if (waitpid(c->pid, &status, 0) != c->pid)
		return -1;
	return status;
}

static bool ask(struct child *c, enum reading r, ns_t *at)
{
	unsigned char which = r;

	return write(c->to, &which, 1) == 1 &&
		read(c->from, at, sizeof(*at)) == sizeof(*at);
}

struct span {
	ns_t low, high;
};

static bool is_coarse(enum reading r)
{
	return readings[r].id == CLOCK_REALTIME_COARSE ||
		readings[r].id == CLOCK_MONOTONIC_COARSE;
}

static clockid_t fine_of(enum reading r)
{
	return readings[r].id == CLOCK_REALTIME_COARSE ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

/*
 * How far the child's clock is behind the same clock here, as narrow as many
 * round trips make it. A coarse clock is as old as the last tick, which may be
 * late where the machine is busy: it is between the same clock before and the
 * fine one after.
 */
static bool lag_of(struct child *c, enum reading r, struct span *lag)
{
	ns_t before, at, after;
	enum reading ref = readings[r].ref ? readings[r].ref : r;
	bool coarse = is_coarse(r);
	int i;

	lag->low = LLONG_MIN;
	lag->high = LLONG_MAX;
	for (i = 0; i < 40; i++) {
		before = coarse ? sys_clock(readings[r].id) : read_clock(ref);
		if (before < 0 || !ask(c, r, &at) || at < 0)
			return false;
		after = coarse ? sys_clock(fine_of(r)) : read_clock(ref);
		/* before - unit <= at + lag <= after + unit */
		if (before - readings[r].unit - at > lag->low)
			lag->low = before - readings[r].unit - at;
		if (after + readings[r].unit - at < lag->high)
			lag->high = after + readings[r].unit - at;
	}
	return lag->low <= lag->high;
}

/* Freezes a process for some time, and bounds how long it was frozen. */
static struct span freeze_for(pid_t pid, long ms)
{
	struct span f;
	ns_t frozen, going;

	f.high = now();
	put(pid, "freeze", "1");
	frozen = now();
	msleep(ms);
	going = now();
	put(pid, "freeze", "0");
	f.high = now() - f.high;
	f.low = going - frozen;
	return f;
}

/* --- the tests ------------------------------------------------------------ */

static void test_files(void)
{
	static const char *const bad_dilation[] = {
		"0", "-1", "1000001", "1.5", "x", "1000x", "4294967296",
		"99999999999999999999", "\n", " ",
	};
	static const char *const bad_freeze[] = {
		"2", "-1", "x", "on", "00000000000000000000000000000000000000002",
		"4294967297", "\n",
	};
	struct child c = child_start(answer_clocks);
	unsigned int i;
	int status;
	pid_t pid;
	bool good = true;

	tap_ok(get(c.pid, "dilation") == 1000 && get(c.pid, "freeze") == 0,
	       "files: at first 1000 and 0");
	for (i = 0; i < sizeof(bad_dilation) / sizeof(*bad_dilation); i++)
		if (put(c.pid, "dilation", bad_dilation[i]) != -EINVAL) {
			tap_note("dilation accepted '%s'", bad_dilation[i]);
			good = false;
		}
	tap_ok(good, "files: rubbish as dilation is EINVAL");
	good = true;
	for (i = 0; i < sizeof(bad_freeze) / sizeof(*bad_freeze); i++)
		if (put(c.pid, "freeze", bad_freeze[i]) != -EINVAL) {
			tap_note("freeze accepted '%s'", bad_freeze[i]);
			good = false;
		}
	tap_ok(good, "files: rubbish as freeze is EINVAL");
	tap_ok(get(c.pid, "dilation") == 1000 && get(c.pid, "freeze") == 0,
	       "files: rubbish changes nothing");
	tap_ok(!put(c.pid, "dilation", "2000\n") && get(c.pid, "dilation") == 2000,
	       "files: a dilation is read back");
	tap_ok(!put(c.pid, "freeze", "1\n") && get(c.pid, "freeze") == 1 &&
	       !put(c.pid, "freeze", "1") && get(c.pid, "freeze") == 1 &&
	       !put(c.pid, "freeze", "0") && get(c.pid, "freeze") == 0 &&
	       !put(c.pid, "freeze", "0"),
	       "files: freeze is read back, and may be repeated");
	tap_ok(get(getpid(), "dilation") == 1000 && get(getpid(), "freeze") == 0,
	       "files: others stay as they are");
	tap_ok(put(2, "freeze", "1") == -EINVAL,
	       "files: a kernel thread cannot be frozen");
	pid = fork();
	if (!pid) {
		if (setuid(1000))
			_exit(2);
		_exit(put(getpid(), "freeze", "1") != -EACCES &&
		      put(getpid(), "freeze", "1") != -EPERM);
	}
	waitpid(pid, &status, 0);
	tap_ok(!status, "files: not for the unprivileged");
	child_end(&c);
}

/* In a child: vDSO and system calls tell the same time, each not before the other. */
static void body_agree(int in, int out)
{
	static const struct {
		enum reading sys, vdso;
	} pairs[] = {
		{ SYS_REALTIME, VDSO_REALTIME },
		{ SYS_MONOTONIC, VDSO_MONOTONIC },
		{ SYS_RAW, VDSO_RAW },
		{ SYS_REALTIME_COARSE, VDSO_REALTIME_COARSE },
		{ SYS_MONOTONIC_COARSE, VDSO_MONOTONIC_COARSE },
		{ SYS_BOOTTIME, VDSO_BOOTTIME },
		{ SYS_TAI, VDSO_TAI },
		{ SYS_GETTIMEOFDAY, VDSO_GETTIMEOFDAY },
		{ SYS_TIME, VDSO_TIME },
	};
	unsigned int i, n;
	char go, bad = 0;
	ns_t a, b, c;

	while (read(in, &go, 1) == 1) {
		bad = 0;
		for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
			for (n = 0; n < 500; n++) {
				a = read_clock(pairs[i].sys);
				b = read_clock(pairs[i].vdso);
				c = read_clock(pairs[i].sys);
				if (b < 0)
					break;
				if (a > b || b > c) {
					bad = 1 + i;
					break;
				}
			}
		}
		if (write(out, &bad, 1) != 1)
			break;
	}
	_exit(0);
}

static void test_agree(void)
{
	struct child c = child_start(body_agree);
	char bad;

	put(c.pid, "dilation", "1000");
	freeze_for(c.pid, 50);
	tap_ok(write(c.to, "", 1) == 1 && read(c.from, &bad, 1) == 1 && !bad,
	       "clocks: vDSO and system call agree after a freeze (%d)", bad);
	put(c.pid, "dilation", "3000");
	freeze_for(c.pid, 50);
	tap_ok(write(c.to, "", 1) == 1 && read(c.from, &bad, 1) == 1 && !bad,
	       "clocks: vDSO and system call agree when dilated (%d)", bad);
	child_end(&c);
}

static void test_clocks_exclude_frozen(void)
{
	struct span before[READINGS], after, frozen;
	bool have[READINGS];
	struct child c = child_start(answer_clocks);
	int r, ms = 1500;
	ns_t skip;

	/* Have the vDSO's page there before it has to be changed. */
	for (r = 0; r < READINGS; r++)
		ask(&c, r, &skip);
	put(c.pid, "dilation", "1000");
	for (r = 0; r < READINGS; r++) {
		have[r] = lag_of(&c, r, &before[r]);
		if (!have[r])
			continue;
		tap_ok(before[r].low <= 0 && before[r].high >= 0,
		       "clocks: %s does not step on entering", readings[r].name);
	}
	frozen = freeze_for(c.pid, ms);
	for (r = 0; r < READINGS; r++) {
		if (!have[r]) {
			tap_skip("clocks: no %s here", readings[r].name);
			continue;
		}
		if (!lag_of(&c, r, &after)) {
			tap_ok(false, "clocks: %s can be read", readings[r].name);
			continue;
		}
		after.low -= before[r].high;
		after.high -= before[r].low;
		tap_ok(after.low <= frozen.high && after.high >= frozen.low,
		       "clocks: %s excludes the freeze of %lld us (%lld to %lld)",
		       readings[r].name, frozen.low / 1000, after.low / 1000,
		       after.high / 1000);
	}
	child_end(&c);
}

static void test_clocks_dilated(const char *factor)
{
	struct child c = child_start(answer_clocks);
	ns_t t0[READINGS], t1[READINGS], v0[READINGS];
	ns_t t2, t3, v1, low, high, unit;
	long d = atol(factor);
	bool have[READINGS];
	int r;

	put(c.pid, "dilation", factor);
	for (r = 0; r < READINGS; r++) {
		t0[r] = now();
		have[r] = ask(&c, r, &v0[r]) && v0[r] >= 0;
		t1[r] = now();
	}
	/* Some clocks count in seconds. */
	msleep(3000);
	for (r = 0; r < READINGS; r++) {
		if (!have[r])
			continue;
		unit = readings[r].unit;
		t2 = now();
		have[r] = ask(&c, r, &v1);
		t3 = now();
		low = (t2 - t1[r]) / 1000 * d - unit;
		high = ((t3 - t0[r]) / 1000 + 1) * d + unit;
		tap_ok(have[r] && v1 - v0[r] >= low && v1 - v0[r] <= high,
		       "clocks: %s at %s (%lld us in %lld us)", readings[r].name,
		       factor, (v1 - v0[r]) / 1000, (t2 - t1[r]) / 1000);
	}
	child_end(&c);
}

/* In a child: no clock ever runs backward, whatever is done to it. */
static void body_monotonic(int in, int out)
{
	struct pollfd pfd = { .fd = in, .events = POLLIN };
	ns_t last[READINGS] = { 0 }, at, rounds = 0;
	int r;
	char bad = 0;

	do {
		for (r = 0; r < OTHER_SYSINFO; r++) {
			at = read_clock(r);
			if (at < 0)
				continue;
			if (at < last[r])
				bad = 1 + r;
			last[r] = at;
		}
		/* A coarse clock is never ahead of the fine one. */
		at = sys_clock(CLOCK_MONOTONIC_COARSE);
		if (at > sys_clock(CLOCK_MONOTONIC))
			bad = 100;
		rounds++;
	} while (poll(&pfd, 1, 0) == 0);
	if (write(out, &bad, 1) != 1 || write(out, &rounds, sizeof(rounds)) < 0)
		_exit(1);
	_exit(0);
}

static void test_monotonic(void)
{
	static const char *const factors[] = { "2000", "500", "1000", "100000", "1" };
	struct child c = child_start(body_monotonic);
	ns_t rounds = 0;
	char bad = 0;
	int i;

	for (i = 0; i < 300; i++) {
		put(c.pid, "freeze", "1");
		if (i % 3 == 0)
			put(c.pid, "dilation", factors[i / 3 % 5]);
		if (i % 4 == 0)
			msleep(1);
		put(c.pid, "freeze", "0");
		if (i % 5 == 0)
			put(c.pid, "dilation", factors[i / 5 % 5]);
		if (i % 8 == 0)
			msleep(7);
	}
	if (write(c.to, "", 1) != 1 || read(c.from, &bad, 1) != 1 ||
	    read(c.from, &rounds, sizeof(rounds)) != sizeof(rounds))
		rounds = 0;
	tap_ok(rounds && !bad,
	       "clocks: never backward over 300 freezes and 160 dilations (%d, %lld rounds)",
	       bad, rounds);
	child_end(&c);
}

/* --- sleeps --------------------------------------------------------------- */

static int futex(uint32_t *at, int op, uint32_t val, const struct timespec *ts,
		 uint32_t bits)
{
	return syscall(SYS_futex, at, op, val, ts, NULL, bits);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int sig)
{
	(void)sig;
	alarms++;
}

static void catch_alarms(void)
{
	struct sigaction sa = { .sa_handler = count_alarm };

	sigaction(SIGALRM, &sa, NULL);
}

/* Each sleeps @ns and returns 0, or what went wrong. */

static int sleep_nanosleep(ns_t ns)
{
	struct timespec ts = ns_ts(ns);

	return nanosleep(&ts, NULL);
}

static int sleep_until(clockid_t id, ns_t ns)
{
	struct timespec ts = ns_ts(sys_clock(id) + ns);

	return clock_nanosleep(id, TIMER_ABSTIME, &ts, NULL);
}

static int sleep_monotonic_abs(ns_t ns)
{
	return sleep_until(CLOCK_MONOTONIC, ns);
}

static int sleep_realtime_abs(ns_t ns)
{
	return sleep_until(CLOCK_REALTIME, ns);
}

static int sleep_boottime_abs(ns_t ns)
{
	return sleep_until(CLOCK_BOOTTIME, ns);
}

static int sleep_realtime_rel(ns_t ns)
{
	struct timespec ts = ns_ts(ns);

	return clock_nanosleep(CLOCK_REALTIME, 0, &ts, NULL);
}

static int sleep_poll(ns_t ns)
{
	return poll(NULL, 0, ns / MS);
}

static int sleep_ppoll(ns_t ns)
{
	struct timespec ts = ns_ts(ns);

	return ppoll(NULL, 0, &ts, NULL);
}

static int sleep_select(ns_t ns)
{
	struct timeval tv = { .tv_sec = ns / SEC, .tv_usec = ns % SEC / 1000 };
	int ret = select(0, NULL, NULL, NULL, &tv);

	/* Linux tells what is left: nothing. */
	return ret ? ret : tv.tv_sec || tv.tv_usec;
}

static int sleep_pselect(ns_t ns)
{
	struct timespec ts = ns_ts(ns);

	return pselect(0, NULL, NULL, NULL, &ts, NULL);
}

static int sleep_epoll(ns_t ns)
{
	struct epoll_event ev;
	int fd = epoll_create1(0);

	return epoll_wait(fd, &ev, 1, ns / MS);
}

static int sleep_epoll_pwait2(ns_t ns)
{
	/* 64 bits on all architectures, as there has never been another. */
	int64_t ts[2] = { ns / SEC, ns % SEC };
	struct epoll_event ev;
	int fd = epoll_create1(0);

	return syscall(SYS_epoll_pwait2, fd, &ev, 1, ts, NULL, 8);
}

static int timed_out(int ret)
{
	return ret == -1 && errno == ETIMEDOUT ? 0 : ret ? errno : -1;
}

static int sleep_futex(ns_t ns)
{
	struct timespec ts = ns_ts(ns);
	uint32_t word = 0;

	return timed_out(futex(&word, FUTEX_WAIT, 0, &ts, 0));
}

static int sleep_futex_monotonic(ns_t ns)
{
	struct timespec ts = ns_ts(now() + ns);
	uint32_t word = 0;

	return timed_out(futex(&word, FUTEX_WAIT_BITSET, 0, &ts,
			       FUTEX_BITSET_MATCH_ANY));
}

static int sleep_futex_realtime(ns_t ns)
{
	struct timespec ts = ns_ts(sys_clock(CLOCK_REALTIME) + ns);
	uint32_t word = 0;

	return timed_out(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME,
			       0, &ts, FUTEX_BITSET_MATCH_ANY));
}

static int sleep_futex_pi(ns_t ns)
{
	struct timespec ts = ns_ts(sys_clock(CLOCK_REALTIME) + ns);
	uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t holder = fork();
	int ret;

	if (!holder) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		futex(word, FUTEX_LOCK_PI, 0, NULL, 0);
		for (;;)
			pause();
	}
	while (!*(volatile uint32_t *)word)
		sched_yield();
	ret = timed_out(futex(word, FUTEX_LOCK_PI, 0, &ts, 0));
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	return ret;
}

static int sleep_cond(ns_t ns)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct timespec ts = ns_ts(sys_clock(CLOCK_REALTIME) + ns);
	int ret;

	pthread_mutex_lock(&mutex);
	ret = pthread_cond_timedwait(&cond, &mutex, &ts);
	return ret == ETIMEDOUT ? 0 : -1;
}

static int sleep_sigtimedwait(ns_t ns)
{
	struct timespec ts = ns_ts(ns);
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ret = sigtimedwait(&set, NULL, &ts);
	return ret == -1 && errno == EAGAIN ? 0 : -1;
}

static int sleep_semtimedop(ns_t ns)
{
	struct timespec ts = ns_ts(ns);
	struct sembuf op = { .sem_op = -1 };
	int id = semget(IPC_PRIVATE, 1, 0600), ret;

	if (id < 0)
		return errno == ENOSYS ? -ENOSYS : -1;
	ret = semtimedop(id, &op, 1, &ts);
	ret = ret == -1 && errno == EAGAIN ? 0 : -1;
	semctl(id, 0, IPC_RMID);
	return ret;
}

static int sleep_mq(ns_t ns)
{
	struct timespec ts = ns_ts(sys_clock(CLOCK_REALTIME) + ns);
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	char name[32], buf[8];
	mqd_t q;

	snprintf(name, sizeof(name), "/vt%d", getpid());
	q = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
	if (q < 0)
		return errno == ENOSYS ? -ENOSYS : -1;
	mq_unlink(name);
	return timed_out(mq_timedreceive(q, buf, sizeof(buf), NULL, &ts));
}

static int sleep_setitimer(ns_t ns)
{
	struct itimerval it = { .it_value = { ns / SEC, ns % SEC / 1000 } }, left;

	catch_alarms();
	if (setitimer(ITIMER_REAL, &it, NULL))
		return -1;
	getitimer(ITIMER_REAL, &left);
	if (left.it_value.tv_sec * SEC + left.it_value.tv_usec * 1000LL > ns)
		return -2;
	pause();
	getitimer(ITIMER_REAL, &left);
	if (left.it_value.tv_sec || left.it_value.tv_usec)
		return -3;
	return alarms == 1 ? 0 : -4;
}

/* Four intervals, each of which has to come at its time. */
static int sleep_setitimer_periodic(ns_t ns)
{
	ns_t each = ns / 4, start = now();
	struct itimerval it = {
		.it_value = { each / SEC, each % SEC / 1000 },
		.it_interval = { each / SEC, each % SEC / 1000 },
	};
	int i;

	catch_alarms();
	if (setitimer(ITIMER_REAL, &it, NULL))
		return -1;
	for (i = 1; i <= 4; i++) {
		while (alarms < i)
			pause();
		if (now() - start < i * each)
			return -2;
	}
	memset(&it, 0, sizeof(it));
	setitimer(ITIMER_REAL, &it, NULL);
	/* A late one may have merged with the next, or come before the end. */
	return 0;
}

static int posix_timer(clockid_t id, int flags, ns_t ns, ns_t interval, timer_t *t)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct itimerspec it = {
		.it_value = ns_ts(flags ? sys_clock(id) + ns : ns),
		.it_interval = ns_ts(interval),
	};

	catch_alarms();
	return timer_create(id, &ev, t) || timer_settime(*t, flags, &it, NULL);
}

static int wait_posix_timer(clockid_t id, int flags, ns_t ns)
{
	struct itimerspec left;
	timer_t t;

	if (posix_timer(id, flags, ns, 0, &t))
		return -1;
	if (timer_gettime(t, &left) || ts_ns(&left.it_value) > ns ||
	    ts_ns(&left.it_value) <= 0)
		return -2;
	pause();
	return alarms == 1 && !timer_delete(t) ? 0 : -3;
}

static int sleep_timer_rel(ns_t ns)
{
	return wait_posix_timer(CLOCK_MONOTONIC, 0, ns);
}

static int sleep_timer_abs(ns_t ns)
{
	return wait_posix_timer(CLOCK_MONOTONIC, TIMER_ABSTIME, ns);
}

static int sleep_timer_realtime(ns_t ns)
{
	return wait_posix_timer(CLOCK_REALTIME, TIMER_ABSTIME, ns);
}

static int sleep_timer_boottime(ns_t ns)
{
	return wait_posix_timer(CLOCK_BOOTTIME, 0, ns);
}

static int sleep_timer_periodic(ns_t ns)
{
	ns_t each = ns / 4, start = now();
	timer_t t;
	int i;

	if (posix_timer(CLOCK_MONOTONIC, 0, each, each, &t))
		return -1;
	for (i = 1; i <= 4; i++) {
		while (alarms < i)
			pause();
		if (now() - start < i * each)
			return -2;
	}
	return timer_delete(t);
}

/* Never fires, but tells when it would have. */
static int sleep_timer_none(ns_t ns)
{
	struct sigevent ev = { .sigev_notify = SIGEV_NONE };
	struct itimerspec it = { .it_value = ns_ts(ns) }, left;
	ns_t start = now(), passed;
	timer_t t;

	if (timer_create(CLOCK_MONOTONIC, &ev, &t) ||
	    timer_settime(t, 0, &it, NULL))
		return -1;
	do {
		struct timespec ts = ns_ts(10 * MS);

		nanosleep(&ts, NULL);
		if (timer_gettime(t, &left))
			return -2;
		passed = now() - start;
		if (ts_ns(&left.it_value) && ts_ns(&left.it_value) + passed < ns)
			return -3;
	} while (ts_ns(&left.it_value));
	return passed >= ns ? 0 : -4;
}

static int timer_fd(clockid_t id, int flags, ns_t ns, ns_t interval)
{
	struct itimerspec it = {
		.it_value = ns_ts(flags ? sys_clock(id) + ns : ns),
		.it_interval = ns_ts(interval),
	}, left;
	int fd = timerfd_create(id, 0);

	if (fd < 0 || timerfd_settime(fd, flags, &it, NULL) ||
	    timerfd_gettime(fd, &left) || ts_ns(&left.it_value) > ns ||
	    ts_ns(&left.it_value) <= 0)
		return -1;
	return fd;
}

static int read_timer_fd(int fd)
{
	uint64_t ticks = 0;

	return read(fd, &ticks, sizeof(ticks)) == sizeof(ticks) ? (int)ticks : -1;
}

static int sleep_timerfd_rel(ns_t ns)
{
	return read_timer_fd(timer_fd(CLOCK_MONOTONIC, 0, ns, 0)) - 1;
}

static int sleep_timerfd_abs(ns_t ns)
{
	return read_timer_fd(timer_fd(CLOCK_REALTIME, TFD_TIMER_ABSTIME, ns, 0)) - 1;
}

static int sleep_timerfd_poll(ns_t ns)
{
	struct pollfd p = {
		.fd = timer_fd(CLOCK_BOOTTIME, TFD_TIMER_ABSTIME, ns, 0),
		.events = POLLIN,
	};

	return poll(&p, 1, -1) - 1;
}

static int sleep_timerfd_periodic(ns_t ns)
{
	ns_t each = ns / 4, start = now();
	int fd = timer_fd(CLOCK_MONOTONIC, 0, each, each), ticks = 0, n;

	do {
		n = read_timer_fd(fd);
		if (n < 1)
			return -1;
		ticks += n;
		if (now() - start < ticks * each)
			return -2;
	} while (ticks < 4);
	return 0;
}

/* Reads only at the end: the ticks are those of virtual time. */
static int sleep_timerfd_overrun(ns_t ns)
{
	ns_t each = ns / 8, start = now();
	int fd = timer_fd(CLOCK_MONOTONIC, 0, each, each), n;
	struct timespec ts = ns_ts(ns);

	nanosleep(&ts, NULL);
	n = read_timer_fd(fd);
	return n >= 8 && n <= (now() - start) / each ? 0 : -1;
}

/* Sets a timeout of a socket. Returns 0, or the errno that stands for none. */
static int set_timeout(int fd, int option, ns_t ns)
{
	struct timeval tv = { .tv_sec = ns / SEC, .tv_usec = ns % SEC / 1000 };

	return setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv)) ? errno : 0;
}

/* What a call on a socket has to end with when its timeout is over. */
static int again(ssize_t ret)
{
	return ret == -1 && errno == EAGAIN ? 0 : ret == -1 ? errno : -1;
}

static int sleep_receive(int fd, ns_t ns)
{
	char byte;

	return set_timeout(fd, SO_RCVTIMEO, ns) ?: again(recv(fd, &byte, 1, 0));
}

/* Sleeps in a pair of Unix sockets, which is full if it is to send. */
static int sleep_pair(int type, int option, ns_t ns)
{
	static const char block[1024];
	int fds[2], ret;

	if (socketpair(AF_UNIX, type, 0, fds))
		return errno;
	if (option == SO_RCVTIMEO) {
		ret = sleep_receive(fds[0], ns);
	} else {
		while (send(fds[0], block, sizeof(block), MSG_DONTWAIT) > 0)
			;
		ret = set_timeout(fds[0], option, ns) ?:
			again(send(fds[0], block, sizeof(block), 0));
	}
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static int sleep_unix_stream(ns_t ns)
{
	return sleep_pair(SOCK_STREAM, SO_RCVTIMEO, ns);
}

static int sleep_unix_dgram(ns_t ns)
{
	return sleep_pair(SOCK_DGRAM, SO_RCVTIMEO, ns);
}

static int sleep_unix_stream_send(ns_t ns)
{
	return sleep_pair(SOCK_STREAM, SO_SNDTIMEO, ns);
}

static int sleep_unix_dgram_send(ns_t ns)
{
	return sleep_pair(SOCK_DGRAM, SO_SNDTIMEO, ns);
}

/* One wait of many pieces: each byte that comes wakes the call. */
static int sleep_unix_trickle(ns_t ns)
{
	static char buf[65536];
	int fds[2], ret;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		return errno;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (send(fds[1], buf, 1, 0) == 1)
			usleep(3000);
		_exit(0);
	}
	/* To be woken in the last tick ends the wait, in real time as well. */
	ret = set_timeout(fds[0], SO_RCVTIMEO, ns + 10 * MS);
	if (!ret && recv(fds[0], buf, sizeof(buf), MSG_WAITALL) < 2)
		ret = -1;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static int sleep_udp(ns_t ns)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? -ENOSYS : errno;
	ret = sleep_receive(fd, ns);
	close(fd);
	return ret;
}

/* Gives a socket that listens on a port of the loopback interface. */
static int tcp_listen(struct sockaddr_in *at)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	socklen_t size = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*at = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd >= 0 && (ioctl(fd, SIOCSIFFLAGS, &lo) ||
			bind(fd, (struct sockaddr *)at, size) || listen(fd, 1) ||
			getsockname(fd, (struct sockaddr *)at, &size))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int sleep_tcp_accept(ns_t ns)
{
	struct sockaddr_in at;
	int fd = tcp_listen(&at), ret;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? -ENOSYS : errno;
	ret = set_timeout(fd, SO_RCVTIMEO, ns) ?: again(accept(fd, NULL, NULL));
	close(fd);
	return ret;
}

static int sleep_tcp(ns_t ns)
{
	struct sockaddr_in at;
	int listening = tcp_listen(&at), fd, ret;

	if (listening < 0)
		return errno == EAFNOSUPPORT ? -ENOSYS : errno;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ret = connect(fd, (struct sockaddr *)&at, sizeof(at)) ? errno :
		sleep_receive(fd, ns);
	close(fd);
	close(listening);
	return ret;
}

static const struct kind {
	const char *name;
	int (*sleep)(ns_t ns);
	bool not_taken_along;	/* when set before entering virtual time */
} kinds[] = {
	{ "nanosleep", sleep_nanosleep },
	{ "clock_nanosleep MONOTONIC abs", sleep_monotonic_abs },
	{ "clock_nanosleep REALTIME abs", sleep_realtime_abs },
	{ "clock_nanosleep REALTIME rel", sleep_realtime_rel },
	{ "clock_nanosleep BOOTTIME abs", sleep_boottime_abs },
	{ "poll", sleep_poll },
	{ "ppoll", sleep_ppoll },
	{ "select", sleep_select },
	{ "pselect", sleep_pselect },
	{ "epoll_wait", sleep_epoll },
	{ "epoll_pwait2", sleep_epoll_pwait2 },
	{ "futex WAIT", sleep_futex },
	{ "futex WAIT_BITSET MONOTONIC", sleep_futex_monotonic },
	{ "futex WAIT_BITSET REALTIME", sleep_futex_realtime },
	{ "futex LOCK_PI", sleep_futex_pi },
	{ "pthread_cond_timedwait", sleep_cond },
	{ "sigtimedwait", sleep_sigtimedwait },
	{ "semtimedop", sleep_semtimedop },
	{ "mq_timedreceive", sleep_mq },
	{ "setitimer", sleep_setitimer },
	{ "setitimer periodic", sleep_setitimer_periodic },
	{ "timer MONOTONIC rel", sleep_timer_rel },
	{ "timer MONOTONIC abs", sleep_timer_abs },
	{ "timer REALTIME abs", sleep_timer_realtime },
	{ "timer BOOTTIME rel", sleep_timer_boottime },
	{ "timer periodic", sleep_timer_periodic },
	{ "timer SIGEV_NONE", sleep_timer_none },
	{ "timerfd MONOTONIC rel", sleep_timerfd_rel },
	{ "timerfd REALTIME abs", sleep_timerfd_abs },
	{ "timerfd BOOTTIME by poll", sleep_timerfd_poll },
	{ "timerfd periodic", sleep_timerfd_periodic },
	{ "timerfd overrun", sleep_timerfd_overrun },
	{ "SO_RCVTIMEO Unix stream", sleep_unix_stream, true },
	{ "SO_RCVTIMEO Unix datagram", sleep_unix_dgram, true },
	{ "SO_SNDTIMEO Unix stream", sleep_unix_stream_send, true },
	{ "SO_SNDTIMEO Unix datagram", sleep_unix_dgram_send, true },
	{ "SO_RCVTIMEO Unix, byte by byte", sleep_unix_trickle, true },
	{ "SO_RCVTIMEO UDP", sleep_udp, true },
	{ "SO_RCVTIMEO TCP accept", sleep_tcp_accept, true },
	{ "SO_RCVTIMEO TCP", sleep_tcp, true },
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

struct slept {
	volatile int ready;
	volatile int done;
	int ret;
	ns_t took;	/* by its own clock */
	ns_t real;	/* of the controller, from the start signal on */
};

static struct {
	volatile int go;
	struct slept kind[KINDS];
} *shared;

static ns_t sleep_ns, sleep_start;

/* A process of which all the sleepers are children, and have its clock. */
static void body_sleepers(int in, int out)
{
	unsigned int i;
	char go;

	if (read(in, &go, 1) != 1)
		_exit(1);
	for (i = 0; i < KINDS; i++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		shared->kind[i].ready = 1;
		while (!shared->go)
			usleep(1000);
		ns_t start = now();

		shared->kind[i].ret = kinds[i].sleep(sleep_ns);
		shared->kind[i].took = now() - start;
		shared->kind[i].done = 1;
		_exit(0);
	}
	for (i = 0; i < KINDS; i++)
		while (!shared->kind[i].ready)
			usleep(1000);
	if (write(out, "", 1) != 1)
		_exit(1);
	while (wait(NULL) > 0)
		;
	_exit(0);
}

/*
 * Lets all kinds sleep @ns at once, does @interfere after 200 ms of real time,
 * and expects them to end not before @real of real time and what @interfere
 * returned, and not much later.
 */
static void run_sleepers(const char *what, const char *dilation, ns_t ns,
			 ns_t (*interfere)(pid_t pid), ns_t real)
{
	struct child c;
	ns_t start, end, extra = 0;
	unsigned int i, left;
	bool early[KINDS] = { 0 };
	char byte;

	memset(shared, 0, sizeof(*shared));
	sleep_ns = ns;
	c = child_start(body_sleepers);
	put(c.pid, "dilation", dilation);
	if (write(c.to, "", 1) != 1 || read(c.from, &byte, 1) != 1) {
		tap_ok(false, "%s: sleepers start", what);
		return;
	}
	sleep_start = start = now();
	shared->go = 1;
	if (interfere) {
		msleep(200);
		extra = interfere(c.pid);
		for (i = 0; i < KINDS; i++)
			early[i] = shared->kind[i].done;
	}
	end = start + real + extra + late_ns + 2 * SEC;
	do {
		usleep(2000);
		left = 0;
		for (i = 0; i < KINDS; i++) {
			struct slept *s = &shared->kind[i];

			if (s->done && !s->real)
				s->real = now() - start;
			left += !s->done;
		}
	} while (left && now() < end);

	for (i = 0; i < KINDS; i++) {
		struct slept *s = &shared->kind[i];
		bool good;

		if (s->done && s->ret == -ENOSYS) {
			tap_skip("%s: no %s here", what, kinds[i].name);
			continue;
		}
		good = s->done && !s->ret && !early[i] && s->took >= ns &&
			s->real >= real + extra && s->real <= real + extra + late_ns;
		tap_ok(good, "%s: %s", what, kinds[i].name);
		if (!good)
			tap_note("done %d early %d returned %d, took %lld us of its time (%lld), %lld us of real time (%lld)",
				 s->done, early[i], s->ret, s->took / 1000,
				 ns / 1000, s->real / 1000, (real + extra) / 1000);
	}
	kill(c.pid, SIGKILL);
	child_end(&c);
	/* Its children die with it. */
	msleep(50);
}

static ns_t interfere_freeze(pid_t pid)
{
	return freeze_for(pid, 1000).low;
}

/* 40 times 5 ms, so that timers meet both states at all moments. */
static ns_t interfere_stutter(pid_t pid)
{
	ns_t frozen = 0;
	int i;

	for (i = 0; i < 40; i++) {
		frozen += freeze_for(pid, 5).low;
		msleep(2);
	}
	return frozen;
}

static ns_t interfere_faster(pid_t pid)
{
	ns_t passed = now() - sleep_start;

	put(pid, "dilation", "10000");
	return passed + (sleep_ns - passed) / 10;
}

static ns_t interfere_slower(pid_t pid)
{
	ns_t passed;

	put(pid, "dilation", "250");
	passed = now() - sleep_start;
	return passed + (sleep_ns - passed) * 4;
}

static ns_t interfere_freeze_faster(pid_t pid)
{
	ns_t passed = now() - sleep_start, frozen;

	put(pid, "freeze", "1");
	frozen = now();
	msleep(300);
	put(pid, "dilation", "10000");
	msleep(300);
	frozen = now() - frozen;
	put(pid, "freeze", "0");
	return frozen + passed + (sleep_ns - passed) / 10;
}

static void test_sleeps(void)
{
	run_sleepers("sleep, frozen", "1000", 600 * MS, interfere_freeze, 600 * MS);
	run_sleepers("sleep, stuttering", "1000", 800 * MS, interfere_stutter, 800 * MS);
	run_sleepers("sleep at 2000", "2000", 800 * MS, NULL, 400 * MS);
	run_sleepers("sleep at 500", "500", 400 * MS, NULL, 800 * MS);
	run_sleepers("sleep at 2000, frozen", "2000", 1600 * MS, interfere_freeze, 800 * MS);
	run_sleepers("sleep made faster", "1000", 4000 * MS, interfere_faster, 0);
	run_sleepers("sleep made slower", "1000", 800 * MS, interfere_slower, 0);
	run_sleepers("sleep made faster while frozen", "1000", 4000 * MS,
		     interfere_freeze_faster, 0);
}

/* One process each, as all would have to be found and frozen at once. */
static void body_one_sleeper(int in, int out)
{
	struct slept s = { 0 };
	unsigned char i;
	ns_t start;

	while (read(in, &i, 1) == 1) {
		start = now();
		if (write(out, &i, 1) != 1)
			break;
		s.ret = kinds[i].sleep(600 * MS);
		s.took = now() - start;
		if (write(out, &s, sizeof(s)) != sizeof(s))
			break;
	}
	_exit(0);
}

static void test_entering_asleep(void)
{
	struct child c[KINDS];
	struct span frozen[KINDS];
	struct slept s;
	unsigned char i, echo;

	for (i = 0; i < KINDS; i++) {
		c[i] = child_start(body_one_sleeper);
		if (write(c[i].to, &i, 1) != 1 || read(c[i].from, &echo, 1) != 1)
			tap_note("child %u does not start", i);
	}
	msleep(150);
	for (i = 0; i < KINDS; i++) {
		frozen[i].high = now();
		put(c[i].pid, "freeze", "1");
		frozen[i].low = now();
	}
	msleep(1000);
	for (i = 0; i < KINDS; i++) {
		frozen[i].low = now() - frozen[i].low;
		put(c[i].pid, "freeze", "0");
	}
	for (i = 0; i < KINDS; i++) {
		bool got = read(c[i].from, &s, sizeof(s)) == sizeof(s);

		child_end(&c[i]);
		if (got && s.ret == -ENOSYS)
			continue;
		if (kinds[i].not_taken_along || kinds[i].sleep == sleep_futex_pi)
			continue;
		if (!tap_ok(got && !s.ret && s.took >= 600 * MS &&
			    s.took <= 600 * MS + late_ns,
			    "taken along asleep: %s", kinds[i].name))
			tap_note("returned %d after %lld us", s.ret, s.took / 1000);
	}
}

/* --- families ------------------------------------------------------------- */

static void *thread_answers(void *arg)
{
	int *fds = arg;

	answer_clocks(fds[0], fds[1]);
	return NULL;
}

static void body_thread(int in, int out)
{
	int fds[2] = { in, out };
	pthread_t t;

	pthread_create(&t, NULL, thread_answers, fds);
	pthread_join(t, NULL);
}

static void body_grandchild(int in, int out)
{
	unsigned char byte;
	pid_t pid;

	/* Not before it has been given its clock. */
	if (read(in, &byte, 1) != 1)
		_exit(1);
	pid = fork();
	if (!pid)
		answer_clocks(in, out);
	close(in);
	close(out);
	waitpid(pid, NULL, 0);
}

static void body_exec(int in, int out)
{
	char a[12], b[12];
	unsigned char byte;

	if (read(in, &byte, 1) != 1)
		_exit(1);
	snprintf(a, sizeof(a), "%d", in);
	snprintf(b, sizeof(b), "%d", out);
	execl("/proc/self/exe", "vt_test", "--answer", a, b, NULL);
}

static void body_vfork(int in, int out)
{
	char a[12], b[12];
	unsigned char byte;
	pid_t pid;

	if (read(in, &byte, 1) != 1)
		_exit(1);
	snprintf(a, sizeof(a), "%d", in);
	snprintf(b, sizeof(b), "%d", out);
	pid = vfork();
	if (!pid) {
		execl("/proc/self/exe", "vt_test", "--answer", a, b, NULL);
		_exit(1);
	}
	close(in);
	close(out);
	waitpid(pid, NULL, 0);
}

static void test_family(void)
{
	static const struct {
		const char *name;
		void (*body)(int, int);
		bool kick;
	} families[] = {
		{ "a thread", body_thread, false },
		{ "a child", body_grandchild, true },
		{ "another program", body_exec, true },
		{ "another program after vfork", body_vfork, true },
	};
	struct span lag, vlag, frozen, second;
	unsigned int i;

	for (i = 0; i < sizeof(families) / sizeof(*families); i++) {
		struct child c = child_start(families[i].body);
		bool vdso, good;

		frozen = freeze_for(c.pid, 200);
		if (families[i].kick && write(c.to, "", 1) != 1)
			tap_note("no kick");
		good = lag_of(&c, SYS_MONOTONIC, &lag) &&
			lag.low <= frozen.high && lag.high >= frozen.low;
		tap_ok(good, "family: %s inherits the clock", families[i].name);
		second = freeze_for(c.pid, 200);
		frozen.low += second.low;
		frozen.high += second.high;
		good = lag_of(&c, SYS_MONOTONIC, &lag) &&
			lag.low <= frozen.high && lag.high >= frozen.low;
		vdso = lag_of(&c, VDSO_MONOTONIC, &vlag);
		tap_ok(good && (!vdso || (vlag.low <= frozen.high &&
					  vlag.high >= frozen.low)),
		       "family: %s is frozen too", families[i].name);
		child_end(&c);
	}
}

/* A frozen process does not run; one that is not does, and sees it. */
static void test_stop(void)
{
	volatile long *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long at[4];
	pid_t pid = fork(), other;
	int i;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (i = 0; i < 3; i++)
			if (!fork())
				break;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			count[i]++;
	}
	/* They are there when it is given its clock, and so outside. */
	for (i = 0; i < 4; i++)
		while (!count[i])
			msleep(1);
	put(pid, "dilation", "1000");
	other = fork();
	if (!other) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			count[8]++;
	}
	msleep(300);
	put(pid, "freeze", "1");
	msleep(50);
	at[0] = count[3];
	at[1] = count[8];
	at[2] = count[0] + count[1] + count[2];
	msleep(500);
	tap_ok(at[0] && at[0] == count[3], "stop: a frozen process that computes stands still");
	tap_ok(at[1] != count[8], "stop: an unrelated process goes on");
	tap_ok(at[2] != count[0] + count[1] + count[2],
	       "stop: children from before go on");
	put(pid, "freeze", "0");
	msleep(300);
	tap_ok(at[0] != count[3], "stop: it goes on");
	kill(other, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(other, NULL, 0);
	waitpid(pid, NULL, 0);
	msleep(50);
}

static void body_signal(int in, int out)
{
	char byte, got = 0;

	catch_alarms();
	if (read(in, &byte, 1) == 1)
		got = 100;
	else if (errno == EINTR)
		got = alarms;
	if (write(out, &got, 1) != 1)
		_exit(1);
}

static void test_signals(void)
{
	struct child c = child_start(body_signal);
	struct pollfd p = { .fd = c.from, .events = POLLIN };
	int status;
	char got = -1;
	ns_t start;

	msleep(100);
	put(c.pid, "freeze", "1");
	kill(c.pid, SIGALRM);
	tap_ok(poll(&p, 1, 300) == 0, "signal: one to a frozen process waits");
	put(c.pid, "freeze", "0");
	tap_ok(poll(&p, 1, 5000) == 1 && read(c.from, &got, 1) == 1 && got == 1,
	       "signal: and comes when it goes on (%d)", got);
	child_end(&c);

	c = child_start(answer_clocks);
	put(c.pid, "freeze", "1");
	msleep(20);
	start = now();
	kill(c.pid, SIGKILL);
	status = child_end(&c);
	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
	       now() - start < 5 * SEC, "exit: a frozen process can be killed");

	c = child_start(body_thread);
	msleep(50);
	put(c.pid, "freeze", "1");
	msleep(20);
	kill(c.pid, SIGKILL);
	status = child_end(&c);
	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	       "exit: one with threads too");

	c = child_start(answer_clocks);
	put(c.pid, "freeze", "1");
	msleep(20);
	kill(c.pid, SIGSTOP);
	msleep(20);
	put(c.pid, "freeze", "0");
	kill(c.pid, SIGCONT);
	tap_ok(ask(&c, SYS_MONOTONIC, &start), "signal: stopped, thawed and continued");
	child_end(&c);

	/* It cannot return from the write before somebody lets it go on. */
	{
		pid_t pid = fork();

		if (!pid)
			_exit(put(getpid(), "freeze", "1"));
		msleep(200);
		status = waitpid(pid, NULL, WNOHANG);
		put(pid, "freeze", "0");
		tap_ok(status == 0 && waitpid(pid, &status, 0) == pid && !status,
		       "freeze: a process can freeze itself");
	}
}

static void test_alarms_refused(void)
{
	int status;
	pid_t pid;
	timer_t t;
	int fd = timerfd_create(CLOCK_BOOTTIME_ALARM, 0);

	if (fd < 0) {
		tap_skip("alarm: no alarm timers here");
		return;
	}
	close(fd);
	pid = fork();
	if (!pid) {
		struct sigevent ev = { .sigev_notify = SIGEV_NONE };

		put(getpid(), "dilation", "1000");
		if (timerfd_create(CLOCK_BOOTTIME_ALARM, 0) != -1 ||
		    errno != EOPNOTSUPP)
			_exit(1);
		if (timer_create(CLOCK_BOOTTIME_ALARM, &ev, &t) != -1)
			_exit(2);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	tap_ok(!status, "alarm: timers that wake the machine are refused");
}

static void test_timens(void)
{
	struct child c;
	struct span lag, vlag, frozen;
	pid_t pid;
	int fd, status;

	if (access("/proc/self/ns/time", F_OK)) {
		tap_skip("time namespace: none here");
		return;
	}
	/* The offset is set in a helper, whose child is in the namespace. */
	pid = fork();
	if (pid) {
		waitpid(pid, &status, 0);
		tap_ok(!status, "time namespace: offset and virtual time add up");
		return;
	}
	if (unshare(CLONE_NEWTIME))
		_exit(10);
	fd = open("/proc/self/timens_offsets", O_WRONLY);
	if (fd < 0 || write(fd, "monotonic 1000 0", 16) != 16)
		_exit(11);
	close(fd);
	c = child_start(answer_clocks);
	frozen = freeze_for(c.pid, 200);
	if (!lag_of(&c, SYS_MONOTONIC, &lag) ||
	    lag.low + 1000 * SEC > frozen.high ||
	    lag.high + 1000 * SEC < frozen.low)
		_exit(12);
	if (lag_of(&c, VDSO_MONOTONIC, &vlag) &&
	    (vlag.low + 1000 * SEC > frozen.high ||
	     vlag.high + 1000 * SEC < frozen.low))
		_exit(13);
	child_end(&c);
	_exit(0);
}

static void test_outside(void)
{
	struct child in = child_start(answer_clocks);
	struct child out = child_start(answer_clocks);
	struct span lag;
	bool good = true;
	int r;

	put(in.pid, "dilation", "5000");
	put(in.pid, "freeze", "1");
	msleep(700);
	for (r = 0; r < READINGS; r++) {
		/* A busy machine may be late with its ticks. */
		ns_t slack = readings[r].unit == 10 * MS ? 300 * MS : 0;

		if (!lag_of(&out, r, &lag))
			continue;
		if (lag.low > slack || lag.high < -slack) {
			tap_note("%s is off", readings[r].name);
			good = false;
		}
	}
	tap_ok(good && get(out.pid, "dilation") == 1000 && !get(out.pid, "freeze"),
	       "outside: the clocks of others are real");
	put(in.pid, "freeze", "0");
	child_end(&in);
	child_end(&out);
}

/* --- a group, by a module ------------------------------------------------- */

static int put_param(const char *name, long value)
{
	char path[96], text[24];
	int fd, err = 0;

	snprintf(path, sizeof(path),
		 "/sys/module/vt_test_module/parameters/%s", name);
	snprintf(text, sizeof(text), "%ld", value);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static ns_t group_frozen(void)
{
	char buf[32] = "";
	int fd = open("/sys/module/vt_test_module/parameters/frozen_ns", O_RDONLY);

	if (fd < 0 || read(fd, buf, sizeof(buf) - 1) <= 0)
		return -1;
	close(fd);
	return atoll(buf);
}

static bool lag_is(struct child *c, enum reading r, ns_t lag)
{
	struct span s;

	return lag_of(c, r, &s) && s.low <= lag && s.high >= lag;
}

#define GROUP 5

static void test_group(void)
{
	struct child c[GROUP], late, other;
	int fd = open("/vt_test_module.ko", O_RDONLY), i, err;
	struct span all = { 0, 0 }, lag;
	bool good = true;
	ns_t frozen;
	pid_t gone;

	if (fd < 0) {
		tap_skip("group: no module here");
		return;
	}
	err = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	if (!tap_ok(!err, "group: the module loads"))
		return;
	for (i = 0; i < GROUP; i++) {
		c[i] = child_start(answer_clocks);
		good &= !put_param("join", c[i].pid);
		good &= !put_param("join", c[i].pid);
	}
	tap_ok(good, "group: processes join, also twice");
	tap_ok(put_param("freeze", 0) == -EALREADY && !put_param("freeze", 1) &&
	       put_param("freeze", 1) == -EALREADY,
	       "group: what is so already is said");
	msleep(300);
	for (i = 0; i < GROUP; i++)
		good &= get(c[i].pid, "freeze") == 1;
	tap_ok(!put_param("freeze", 0) && good, "group: all are frozen");
	tap_ok(!put_param("freeze", 2), "group: frozen in a hard interrupt");
	msleep(300);
	put_param("freeze", 0);
	frozen = group_frozen();
	good = true;
	for (i = 0; i < GROUP; i++) {
		good &= lag_is(&c[i], SYS_MONOTONIC, frozen);
		good &= lag_is(&c[i], SYS_REALTIME, frozen);
		good &= lag_is(&c[i], SYS_BOOTTIME, frozen);
		if (!lag_of(&c[i], SYS_MONOTONIC, &lag))
			good = false;
		if (!i || lag.low > all.low)
			all.low = lag.low;
		if (!i || lag.high < all.high)
			all.high = lag.high;
	}
	tap_ok(good && all.low <= all.high,
	       "group: all are behind by the %lld us for which it was frozen",
	       frozen / 1000);

	late = child_start(answer_clocks);
	tap_ok(!put_param("join", late.pid) &&
	       lag_is(&late, SYS_MONOTONIC, frozen) &&
	       (!vdso_clock_gettime || lag_is(&late, VDSO_MONOTONIC, frozen)),
	       "group: who joins later has its time");
	other = child_start(answer_clocks);
	tap_ok(!put_param("freeze_pid", other.pid) && get(other.pid, "freeze") == 1 &&
	       !put_param("freeze_pid", -other.pid) && get(other.pid, "freeze") == 0,
	       "group: a process frozen by its pid");
	tap_ok(put_param("join", other.pid) == -EBUSY,
	       "group: one clock in a life");
	tap_ok(put_param("dilation", 0) == -EINVAL &&
	       put_param("dilation", 1000001) == -EINVAL &&
	       !put_param("dilation", 2000) && get(late.pid, "dilation") == 2000,
	       "group: dilation of all");
	gone = fork();
	if (!gone)
		_exit(0);
	waitpid(gone, NULL, 0);
	tap_ok(put_param("join", gone) == -ESRCH &&
	       put_param("freeze_pid", gone) == -ESRCH &&
	       put_param("join", 2) == -EINVAL,
	       "group: neither the dead nor kernel threads");
	put_param("freeze", 1);
	tap_ok(!syscall(SYS_delete_module, "vt_test_module", 0) &&
	       ask(&late, SYS_MONOTONIC, &frozen),
	       "group: the clock outlives the module");
	for (i = 0; i < GROUP; i++)
		child_end(&c[i]);
	child_end(&late);
	child_end(&other);
}

/* --- leaks ---------------------------------------------------------------- */

struct cache {
	char name[64];
	long objects;
};

#define CACHES 512

static int read_caches(struct cache *caches)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	char line[512];
	int n = 0;

	if (!f)
		return -1;
	while (n < CACHES && fgets(line, sizeof(line), f))
		n += sscanf(line, "%63s %ld", caches[n].name,
			    &caches[n].objects) == 2;
	fclose(f);
	return n;
}

/* The cache that has grown by most objects. */
static const struct cache *most_grown(const struct cache *before, int n_before,
				      const struct cache *after, int n_after)
{
	static struct cache worst;
	int i, j;

	worst.objects = LONG_MIN;
	for (i = 0; i < n_after; i++) {
		for (j = 0; j < n_before; j++)
			if (!strcmp(before[j].name, after[i].name))
				break;
		/* Stacks of tasks, which are given back by and by. */
		if (!strcmp(after[i].name, "vmap_area"))
			continue;
		if (j < n_before &&
		    after[i].objects - before[j].objects > worst.objects) {
			worst = after[i];
			worst.objects -= before[j].objects;
		}
	}
	return &worst;
}

static void cycles(int n)
{
	int i;

	for (i = 0; i < n; i++) {
		pid_t pid = fork();

		if (!pid) {
			int fd = timer_fd(CLOCK_MONOTONIC, 0, 100 * MS, 100 * MS);
			struct itimerval it = { .it_value = { 100, 0 } };
			timer_t t;

			put(getpid(), "dilation", "1000");
			posix_timer(CLOCK_MONOTONIC, 0, 50 * SEC, 0, &t);
			setitimer(ITIMER_REAL, &it, NULL);
			fd = timer_fd(CLOCK_MONOTONIC, 0, 50 * SEC, 0);
			(void)fd;
			poll(NULL, 0, -1);
			_exit(0);
		}
		put(pid, "freeze", "1");
		if (i % 2)
			put(pid, "freeze", "0");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static void test_leaks(void)
{
	struct child c = child_start(answer_clocks);
	static struct cache before[CACHES], after[CACHES];
	const struct cache *worst;
	int i, n_before, n_after;
	ns_t at;

	for (i = 0; i < 1000; i++) {
		put(c.pid, "freeze", "1");
		put(c.pid, "freeze", "0");
	}
	tap_ok(ask(&c, SYS_MONOTONIC, &at), "leak: 1000 freezes of one process");
	child_end(&c);

	cycles(200);
	msleep(2000);
	n_before = read_caches(before);
	if (n_before < 0) {
		tap_skip("leak: no /proc/slabinfo");
		return;
	}
	cycles(1000);
	msleep(2000);
	n_after = read_caches(after);
	worst = most_grown(before, n_before, after, n_after);
	/*
	 * What leaks once in two times makes 500. Objects that are free, but in
	 * the stock of a processor, count as in use, which is a few hundred.
	 */
	tap_ok(n_after > 0 && worst->objects < 400,
	       "leak: 1000 processes frozen and killed leave nothing (%ld objects in %s)",
	       worst->objects, worst->name);
}

static void test_dilated(void)
{
	test_clocks_dilated("2000");
	test_clocks_dilated("500");
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "files", test_files },
	{ "agree", test_agree },
	{ "clocks", test_clocks_exclude_frozen },
	{ "dilated", test_dilated },
	{ "monotonic", test_monotonic },
	{ "outside", test_outside },
	{ "family", test_family },
	{ "stop", test_stop },
	{ "signals", test_signals },
	{ "timens", test_timens },
	{ "alarms", test_alarms_refused },
	{ "sleeps", test_sleeps },
	{ "taken", test_entering_asleep },
	{ "group", test_group },
	{ "leaks", test_leaks },
};

/*
 * VT_TEST_ONLY names one test, VT_TEST_LATE_MS allows a slow machine more time.
 * A kernel takes such settings from its command line for process 1.
 */
int main(int argc, char **argv)
{
	const char *late = getenv("VT_TEST_LATE_MS");
	const char *only = getenv("VT_TEST_ONLY");
	unsigned int i;

	find_vdso();
	if (argc == 4 && !strcmp(argv[1], "--answer"))
		answer_clocks(atoi(argv[2]), atoi(argv[3]));
	init_if_first();
	if (late)
		late_ns = atoll(late) * MS;
	signal(SIGPIPE, SIG_IGN);

	printf("TAP version 13\n");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (access("/proc/self/dilation", F_OK)) {
		tap_skip("this kernel has no virtual time");
		return tap_end() ? 1 : 4;
	}
	tap_note("vDSO: clock_gettime %s, gettimeofday %s, time %s",
		 vdso_clock_gettime ? "yes" : "no",
		 vdso_gettimeofday ? "yes" : "no", vdso_time ? "yes" : "no");

	for (i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		if (!only || !strcmp(only, tests[i].name))
			tests[i].run();
	return tap_end();
}
