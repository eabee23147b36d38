// SPDX-License-Identifier: GPL-2.0
/*
 * What the processes see of a pause by their clocks, sleeps and timers: nothing
 * on a kernel with virtual time, all of it on any other. This program itself
 * lives in real time.
 */
#define _GNU_SOURCE
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MS		1000000ll
#define PAUSE_NS	(500 * MS)
#define SLEEP_NS	(1000 * MS)
/* What a loaded machine may do to any process at any time. */
#define LATE_NS		(300 * MS)

static int64_t ns_of(const struct timespec *ts)
{
	return ts->tv_sec * 1000000000ll + ts->tv_nsec;
}

static struct timespec ts_of(int64_t ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

static bool visible_here(void)
{
	if (!clock_hidden())
		skipped = "this kernel has no virtual time";
	return skipped;
}

/* --- readings --------------------------------------------------------------- */

static const struct {
	const char *name;
	clockid_t id;
} clocks[] = {
	{ "REALTIME", CLOCK_REALTIME },
	{ "MONOTONIC", CLOCK_MONOTONIC },
	{ "MONOTONIC_RAW", CLOCK_MONOTONIC_RAW },
	{ "REALTIME_COARSE", CLOCK_REALTIME_COARSE },
	{ "MONOTONIC_COARSE", CLOCK_MONOTONIC_COARSE },
	{ "BOOTTIME", CLOCK_BOOTTIME },
	{ "TAI", CLOCK_TAI },
	{ "gettimeofday()", -1 },
};

enum { BY_LIBRARY, BY_CALL, NR_WAYS };	/* the first is the vDSO, where there is one */

static int64_t reading(unsigned int clock, unsigned int way)
{
	struct timespec ts;
	struct timeval tv;

	if (clocks[clock].id >= 0) {
		if (way == BY_LIBRARY)
			clock_gettime(clocks[clock].id, &ts);
		else
			syscall(SYS_clock_gettime, clocks[clock].id, &ts);
		return ns_of(&ts);
	}
	if (way == BY_LIBRARY)
		gettimeofday(&tv, NULL);
	else
		syscall(SYS_gettimeofday, &tv, NULL);
	return tv.tv_sec * 1000000000ll + tv.tv_usec * 1000ll;
}

/* The greatest step of each clock from one reading to the next, and back. */
static struct steps {
	volatile int64_t forth;
	volatile int64_t back;
} (*steps)[NR_WAYS];

static void body_read(struct worker *worker)
{
	int64_t last[ARRAY_SIZE(clocks)][NR_WAYS] = { }, now;
	unsigned int clock, way;

	for (;; worker->count++) {
		for (clock = 0; clock < ARRAY_SIZE(clocks); clock++) {
			for (way = 0; way < NR_WAYS; way++) {
				struct steps *step = &steps[clock][way];

				now = reading(clock, way);
				if (last[clock][way] && now - last[clock][way] > step->forth)
					step->forth = now - last[clock][way];
				if (last[clock][way] && last[clock][way] - now > step->back)
					step->back = last[clock][way] - now;
				last[clock][way] = now;
			}
		}
	}
}

static void steps_clear(void)
{
	memset(steps, 0, sizeof(*steps) * ARRAY_SIZE(clocks));
}

static void test_readings(void)
{
	unsigned int clock, way;
	bool hidden;

	steps = mmap(NULL, sizeof(*steps) * ARRAY_SIZE(clocks), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!CHECK(steps != MAP_FAILED) || !start(ONE_LINE))
		return;
	hidden = clock_hidden();
	start_worker(0, body_read);
	CHECK(runs(0));
	SAME(add(workers[0].pid), 0);
	CHECK(runs(0));
	steps_clear();
	CHECK(freeze());
	sleep_ms(PAUSE_NS / MS);
	CHECK(unfreeze());
	CHECK(runs(0));
	sleep_ms(50);
	for (clock = 0; clock < ARRAY_SIZE(clocks) && !failed; clock++) {
		for (way = 0; way < NR_WAYS; way++) {
			CHECK(steps[clock][way].back == 0);
			if (hidden)
				CHECK(steps[clock][way].forth < LATE_NS);
			else
				CHECK(steps[clock][way].forth >= PAUSE_NS - 10 * MS);
		}
		if (failed)
			snprintf(why + strlen(why), sizeof(why) - strlen(why), " (%s: %lld, %lld)",
				 clocks[clock].name, (long long)steps[clock][BY_LIBRARY].forth,
				 (long long)steps[clock][BY_CALL].forth);
	}
	munmap(steps, sizeof(*steps) * ARRAY_SIZE(clocks));
}

/* --- how far behind ------------------------------------------------------------ */

/* Puts its CLOCK_MONOTONIC into result whenever error is 1. */
static void body_answer(struct worker *worker)
{
	for (;;) {
		while (worker->error != 1) {
			worker->count++;
			sched_yield();
		}
		worker->result = now_ns();
		worker->error = 2;
	}
}

/* The real clock less that of a worker is within `error` of `ns`. */
struct behind {
	int64_t ns;
	int64_t error;
};

/* The best of many: only in one where nobody else ran in between is it small. */
static struct behind how_far_behind(unsigned int index)
{
	struct worker *worker = &workers[index];
	struct behind best = { 0, INT64_MAX };
	uint64_t limit = now_ns() + 5000000000ull;
	int i;

	for (i = 0; i < 300; i++) {
		int64_t before = now_ns(), after;

		worker->error = 1;
		while (worker->error != 2 && now_ns() < limit)
			sched_yield();
		after = now_ns();
		if (!CHECK(worker->error == 2))
			break;
		if ((after - before + 1) / 2 < best.error) {
			best.error = (after - before + 1) / 2;
			best.ns = before + (after - before) / 2 - worker->result;
		}
	}
	return best;
}

static bool differs_by(struct behind a, struct behind b, int64_t ns)
{
	int64_t off = b.ns - a.ns - ns;
	bool ok = off <= a.error + b.error && -off <= a.error + b.error;

	if (!ok && !failed) {
		failed = true;
		snprintf(why, sizeof(why), "fell back by %lld ns, give or take %lld, not %lld",
			 (long long)(b.ns - a.ns), (long long)(a.error + b.error),
			 (long long)ns);
	}
	return ok;
}

/* Some pauses. Returns for how long, by what the module says. */
static int64_t some_pauses(int count)
{
	int64_t before = number_in("frozen_ns"), sum = 0;
	int i;

	for (i = 0; i < count; i++) {
		CHECK(freeze());
		sleep_ms(20);
		CHECK(unfreeze());
		sum += number_in("resumed_at_ns") - number_in("paused_at_ns");
	}
	SAME(number_in("frozen_ns") - before, sum);
	return sum;
}

static void test_accounts(void)
{
	struct behind before, after;
	int64_t frozen;

	if (!start(ONE_LINE))
		return;
	start_worker(0, body_answer);
	SAME(add(workers[0].pid), 0);
	before = how_far_behind(0);
	frozen = some_pauses(20);
	after = how_far_behind(0);
	CHECK(frozen >= 400 * MS);
	differs_by(before, after, clock_hidden() ? frozen : 0);
	printf("# 20 pauses of %lld ns in all, seen as %lld, give or take %lld\n",
	       (long long)frozen, (long long)(after.ns - before.ns),
	       (long long)(before.error + after.error));
}

/* One that is registered later has the time of the others. */
static void test_one_clock(void)
{
	struct behind first, second;

	if (!start(ONE_LINE) || visible_here())
		return;
	start_worker(0, body_answer);
	start_worker(1, body_answer);
	SAME(add(workers[0].pid), 0);
	some_pauses(5);
	CHECK(freeze());
	SAME(add(workers[1].pid), 0);
	CHECK(stands(0) && stands(1));
	CHECK(unfreeze());
	first = how_far_behind(0);
	second = how_far_behind(1);
	differs_by(first, second, 0);
	CHECK(second.ns >= 100 * MS);
	some_pauses(5);
	differs_by(how_far_behind(0), how_far_behind(1), 0);
}

/* Off the list it keeps the clock, and pauses with nobody left are not its own. */
static void test_off_the_list(void)
{
	struct behind before;
	int64_t frozen;

	if (!start(ONE_LINE) || visible_here())
		return;
	start_worker(0, body_answer);
	SAME(add(workers[0].pid), 0);
	some_pauses(2);
	SAME(write_number("pids", "-%lld", workers[0].pid), 0);
	before = how_far_behind(0);
	some_pauses(3);
	differs_by(before, how_far_behind(0), 0);
	SAME(add(workers[0].pid), 0);
	frozen = some_pauses(3);
	differs_by(before, how_far_behind(0), frozen);
}

/* Worker 0 has worker 1 as a child, and 2 later, when told to by its result. */
static void body_parent(struct worker *worker)
{
	setpgid(0, 0);
	if (!fork())
		body_answer(worker + 1);
	while (!worker[3].result)
		worker->count++;
	if (!fork())
		body_answer(worker + 2);
	body_answer(worker);
}

static void test_tree_has_it(void)
{
	struct behind before, after[3];
	int64_t frozen;
	int i;

	if (!start(ONE_LINE) || visible_here())
		return;
	memset((void *)&workers[1], 0, 3 * sizeof(*workers));
	start_worker(0, body_parent);
	CHECK(runs(0) && runs(1));
	before = how_far_behind(1);
	SAME(write_number("pids", "+%lld/tree", workers[0].pid), 0);
	frozen = some_pauses(5);
	workers[3].result = 1;
	CHECK(runs(2));
	frozen += some_pauses(5);
	for (i = 0; i < 3; i++)
		after[i] = how_far_behind(i);
	differs_by(before, after[1], frozen);
	differs_by(after[0], after[1], 0);
	differs_by(after[0], after[2], 0);
	kill(-workers[0].pid, SIGKILL);
}

/* --- sleeps, timeouts, timers -------------------------------------------------- */

static void wait_nanosleep(void)
{
	struct timespec time = ts_of(SLEEP_NS);

	nanosleep(&time, NULL);
}

static void wait_until(void)
{
	struct timespec time = ts_of(now_ns() + SLEEP_NS);

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void wait_until_date(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time = ts_of(ns_of(&time) + SLEEP_NS);
	clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL);
}

static void wait_poll(void)
{
	poll(NULL, 0, SLEEP_NS / MS);
}

static void wait_select(void)
{
	struct timeval time = { SLEEP_NS / 1000000000, 0 };

	select(0, NULL, NULL, NULL, &time);
}

static void wait_epoll(void)
{
	struct epoll_event event;

	epoll_wait(epoll_create1(0), &event, 1, SLEEP_NS / MS);
}

static void timerfd(int flags, int64_t ns)
{
	struct itimerspec time = { .it_value = ts_of(ns) };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t count;

	timerfd_settime(fd, flags, &time, NULL);
	if (read(fd, &count, sizeof(count)) < 0)
		_exit(1);
}

static void wait_timerfd(void)
{
	timerfd(0, SLEEP_NS);
}

static void wait_timerfd_until(void)
{
	timerfd(TFD_TIMER_ABSTIME, now_ns() + SLEEP_NS);
}

static void wait_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec time = { .it_value = ts_of(SLEEP_NS) };
	sigset_t set;
	timer_t timer;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &time, NULL);
	sigwait(&set, &signal);
}

static void wait_itimer(void)
{
	struct itimerval time = { .it_value.tv_sec = SLEEP_NS / 1000000000 };
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &time, NULL);
	sigwait(&set, &signal);
}

static const struct {
	const char *name;
	void (*wait)(void);
} waits[] = {
	{ "nanosleep()", wait_nanosleep },
	{ "clock_nanosleep(), absolute", wait_until },
	{ "clock_nanosleep(), absolute, REALTIME", wait_until_date },
	{ "poll()", wait_poll },
	{ "select()", wait_select },
	{ "epoll_wait()", wait_epoll },
	{ "timerfd", wait_timerfd },
	{ "timerfd, absolute", wait_timerfd_until },
	{ "timer_create()", wait_timer },
	{ "setitimer()", wait_itimer },
};

/* Waits when told to by result 1: how long is its result then. */
static void body_wait(struct worker *worker)
{
	uint64_t begin;

	while (worker->result != 1)
		sleep_ms(1);
	begin = now_ns();
	worker->count = 1;
	waits[worker - workers].wait();
	worker->result = now_ns() - begin;
	worker->count = 2;
	pause();
}

/*
 * All of them at once. Real time until the last has ended is at least `least`
 * and in each one's own time it was about SLEEP_NS.
 */
static void all_waits(int64_t least, void (*meanwhile)(void))
{
	uint64_t begin, end[ARRAY_SIZE(waits)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		start_worker(i, body_wait);
		SAME(add(workers[i].pid), 0);
	}
	begin = now_ns();
	for (i = 0; i < ARRAY_SIZE(waits); i++)
		workers[i].result = 1;
	for (i = 0; i < ARRAY_SIZE(waits); i++)
		CHECK(reaches(i, 1));
	if (meanwhile)
		meanwhile();
	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		CHECK(reaches(i, 2));
		end[i] = now_ns();
	}
	for (i = 0; i < ARRAY_SIZE(waits) && !failed; i++) {
		CHECK(workers[i].result >= SLEEP_NS);
		CHECK(workers[i].result < SLEEP_NS + LATE_NS);
		CHECK((int64_t)(end[i] - begin) >= least);
		CHECK((int64_t)(end[i] - begin) < least + 2 * LATE_NS);
		if (failed)
			snprintf(why + strlen(why), sizeof(why) - strlen(why),
				 " (%s: %lld of its own, %lld in real time)", waits[i].name,
				 (long long)workers[i].result, (long long)(end[i] - begin));
	}
}

static void pause_meanwhile(void)
{
	sleep_ms(100);
	CHECK(freeze());
	sleep_ms(PAUSE_NS / MS);
	CHECK(unfreeze());
}

static void test_waits(void)
{
	if (!start(ONE_LINE) || visible_here())
		return;
	all_waits(SLEEP_NS + PAUSE_NS, pause_meanwhile);
}

/* --- dilation ------------------------------------------------------------------- */

static void test_dilation(void)
{
	struct behind before, after;
	uint64_t begin;
	int64_t passed;

	if (!start(ONE_LINE) || visible_here())
		return;
	SAME(write_file("tdf", "1000001"), -EINVAL);
	SAME(number_in("tdf"), 1000);
	start_worker(0, body_answer);
	SAME(add(workers[0].pid), 0);
	SAME(write_file("tdf", "2000"), 0);
	before = how_far_behind(0);
	begin = now_ns();
	sleep_ms(500);
	passed = now_ns() - begin;
	after = how_far_behind(0);
	/* It gains as much as there is; measuring takes time too. */
	CHECK(before.ns - after.ns >= passed - before.error - after.error);
	CHECK(before.ns - after.ns < passed + LATE_NS);
	/* A pause takes from it what it would have gained meanwhile. */
	before = how_far_behind(0);
	CHECK(freeze());
	sleep_ms(PAUSE_NS / MS);
	CHECK(unfreeze());
	after = how_far_behind(0);
	CHECK(after.ns - before.ns >= PAUSE_NS - LATE_NS);
	stop_worker(0);
	all_waits(SLEEP_NS / 2, NULL);
}

/* --- the end, and who has a clock already ---------------------------------------- */

static void test_unload(void)
{
	struct behind before;

	if (!start(ONE_LINE) || visible_here())
		return;
	start_worker(0, body_answer);
	start_worker(1, body_answer);
	SAME(add(workers[0].pid), 0);
	SAME(add(workers[1].pid), 0);
	SAME(write_file("tdf", "3000"), 0);
	SAME(write_number("pids", "-%lld", workers[1].pid), 0);
	CHECK(freeze());
	CHECK(stands(0) && stands(1));
	SAME(unload("vtgpio"), 0);
	CHECK(runs(0) && runs(1));
	/* At normal speed. */
	before = how_far_behind(0);
	sleep_ms(200);
	differs_by(before, how_far_behind(0), 0);
}

static void test_watchdog(void)
{
	struct behind before;

	if (!start("pause=wire-in watchdog_ms=200") || visible_here())
		return;
	start_worker(0, body_answer);
	SAME(add(workers[0].pid), 0);
	before = how_far_behind(0);
	SAME(write_file("/sys/module/vtgpio_wire/parameters/level", "1"), 0);
	CHECK(wait_for("resumes", "1", 5000));
	CHECK(wait_for("watchdog_releases", "1", 5000));
	CHECK(runs(0));
	differs_by(before, how_far_behind(0), number_in("frozen_ns"));
}

static void test_other_clock(void)
{
	char text[64];

	if (!start(ONE_LINE) || visible_here())
		return;
	start_worker(0, body_tick);
	start_worker(1, body_tick);
	snprintf(text, sizeof(text), "/proc/%d/dilation", workers[0].pid);
	SAME(write_file(text, "1000"), 0);
	SAME(add(workers[0].pid), -EBUSY);
	SAME(write_number("pid_01", "%lld", workers[0].pid), -EBUSY);
	snprintf(text, sizeof(text), "+%d +%d", workers[1].pid, workers[0].pid);
	SAME(write_file("pids", text), -EBUSY);
	CHECK(has_pids(""));
	/* That has changed nothing for the other one either. */
	start_worker(2, body_tick);
	SAME(add(workers[2].pid), 0);
	CHECK(freeze());
	CHECK(stands(2));
	CHECK(runs(0) && runs(1));
	CHECK(unfreeze());
}

const struct test clock_tests[] = {
	{ "what clocks show of a pause", test_readings },
	{ "processes miss the time that is accounted", test_accounts },
	{ "all have one time", test_one_clock },
	{ "the time of one that is off the list", test_off_the_list },
	{ "the time of a tree", test_tree_has_it },
	{ "sleeps, timeouts and timers stand still", test_waits },
	{ "dilation", test_dilation },
	{ "clocks go on after unloading", test_unload },
	{ "clocks go on after the watchdog", test_watchdog },
	{ "one that has another clock is refused", test_other_clock },
};
const unsigned int nr_clock_tests = ARRAY_SIZE(clock_tests);
