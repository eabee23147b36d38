// SPDX-License-Identifier: GPL-2.0
/*
 * What a few calls cost a process that is not in virtual time.
 *
 * Prints a line "bench NAME NS" for each: nanoseconds for one call, the median
 * of many batches. Meant for an emulator that counts instructions (one a
 * nanosecond), where the result is exact, and for several runs elsewhere.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "init.h"
#include "vdso.h"

static int (*vdso_clock_gettime)(clockid_t, struct timespec *);
static time_t (*vdso_time)(time_t *);
static int epoll_fd, timer_fd;

static void empty(void)
{
	syscall(SYS_getppid);
}

static void vdso_monotonic(void)
{
	struct timespec ts;

	vdso_clock_gettime(CLOCK_MONOTONIC, &ts);
}

static void vdso_realtime(void)
{
	struct timespec ts;

	vdso_clock_gettime(CLOCK_REALTIME, &ts);
}

static void vdso_coarse(void)
{
	struct timespec ts;

	vdso_clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
}

static void vdso_seconds(void)
{
	vdso_time(NULL);
}

static void sys_monotonic(void)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
}

static void sys_realtime(void)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
}

static void nanosleep_0(void)
{
	struct timespec ts = { 0 };

	nanosleep(&ts, NULL);
}

static void poll_0(void)
{
	poll(NULL, 0, 0);
}

static void select_0(void)
{
	struct timeval tv = { 0 };

	select(0, NULL, NULL, NULL, &tv);
}

static void epoll_0(void)
{
	struct epoll_event ev;

	epoll_wait(epoll_fd, &ev, 1, 0);
}

static void futex_past(void)
{
	static const struct timespec past;
	unsigned int word = 0;

	/* FUTEX_WAIT_BITSET, whose time has come long ago */
	syscall(SYS_futex, &word, 9, 0, &past, NULL, ~0);
}

static void timerfd_set(void)
{
	struct itimerspec it = { .it_value = { 100, 0 } };

	timerfd_settime(timer_fd, 0, &it, NULL);
}

static void fork_wait(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static const struct {
	const char *name;
	void (*call)(void);
	int batch;
} benches[] = {
	{ "getppid", empty, 500 },
	{ "vdso-monotonic", vdso_monotonic, 2000 },
	{ "vdso-realtime", vdso_realtime, 2000 },
	{ "vdso-coarse", vdso_coarse, 2000 },
	{ "vdso-time", vdso_seconds, 2000 },
	{ "sys-monotonic", sys_monotonic, 500 },
	{ "sys-realtime", sys_realtime, 500 },
	{ "nanosleep-0", nanosleep_0, 100 },
	{ "poll-0", poll_0, 500 },
	{ "select-0", select_0, 500 },
	{ "epoll-0", epoll_0, 500 },
	{ "futex-past", futex_past, 100 },
	{ "timerfd-settime", timerfd_set, 200 },
	{ "fork-exit-wait", fork_wait, 4 },
};

#define BATCHES 101

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	double ns[BATCHES];
	struct timespec a, b;
	unsigned int i;
	int j, k;

	init_if_first();
	vdso_clock_gettime = vdso_sym("__vdso_clock_gettime");
	vdso_time = vdso_sym("__vdso_time");
	epoll_fd = epoll_create1(0);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, 0);
	prctl(PR_SET_TIMERSLACK, 1);

	for (i = 0; i < sizeof(benches) / sizeof(*benches); i++) {
		if (!strncmp(benches[i].name, "vdso", 4) &&
		    (!vdso_clock_gettime || !vdso_time))
			continue;
		for (j = -3; j < BATCHES; j++) {
			clock_gettime(CLOCK_MONOTONIC, &a);
			for (k = 0; k < benches[i].batch; k++)
				benches[i].call();
			clock_gettime(CLOCK_MONOTONIC, &b);
			if (j >= 0)
				ns[j] = ((b.tv_sec - a.tv_sec) * 1e9 +
					 b.tv_nsec - a.tv_nsec) / benches[i].batch;
		}
		qsort(ns, BATCHES, sizeof(*ns), by_value);
		printf("bench %s %.1f\n", benches[i].name, ns[BATCHES / 2]);
		fflush(stdout);
	}
	return 0;
}
