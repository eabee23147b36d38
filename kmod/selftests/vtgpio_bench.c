// SPDX-License-Identifier: GPL-2.0
/*
 * How far apart the first and the last process stop:
 * vtgpio_bench VTGPIO.KO WIRE.KO [ROUNDS]
 *
 * "module" is the time from the moment when the first process is told to stop
 * until none can run any more, as the module measures it. "seen" is the same as
 * the processes see it: each spins and writes down when it last ran, and the
 * latest of all counts; with virtual time they see nothing. "latency" is from the edge's interrupt until all were
 * told, "resume" likewise. Medians, in microseconds; the ratios are to the
 * method signal.
 */
#define _GNU_SOURCE
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ROUNDS	1000

struct series {
	double value[MAX_ROUNDS];
	unsigned int count;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double part(struct series *series, double part)
{
	if (!series->count)
		return -1;
	qsort(series->value, series->count, sizeof(double), compare);
	return series->value[(unsigned int)(part * (series->count - 1))];
}

static void put(struct series *series, double value)
{
	if (series->count < MAX_ROUNDS)
		series->value[series->count++] = value;
}

/*
 * How long one of them still ran after the first had been told to stop; their
 * clock is @behind that of this program.
 */
static double seen_spread(unsigned int count, uint64_t behind)
{
	uint64_t begin = number_in("paused_at_ns") - behind, last = begin;
	unsigned int i;

	for (i = 0; i < count; i++)
		if (workers[i].last_ns > last)
			last = workers[i].last_ns;
	return (last - begin) / 1e3;
}

static double measure(const char *method, unsigned int count, unsigned int rounds,
		      double *seen_median)
{
	static struct series seen, module, latency, resume;
	unsigned int round;

	seen.count = module.count = latency.count = resume.count = 0;
	if (write_file("method", method)) {
		printf("%-8s %5u  not in this kernel\n", method, count);
		return -1;
	}
	for (round = 0; round < rounds; round++) {
		uint64_t behind = clock_hidden() ? number_in("frozen_ns") : 0;

		sleep_ms(4 + rand() % 5);
		if (!freeze())
			continue;
		sleep_ms(2);
		put(&seen, seen_spread(count, behind));
		put(&module, number_in("pause_spread_ns") / 1e3);
		put(&latency, number_in("pause_latency_ns") / 1e3);
		unfreeze();
		put(&resume, number_in("resume_latency_ns") / 1e3);
	}
	*seen_median = part(&seen, 0.5);
	printf("%-8s %5u %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f", method, count,
	       part(&module, 0.5), part(&module, 0.9), *seen_median, part(&seen, 0.9),
	       part(&latency, 0.5), part(&resume, 0.5));
	return part(&module, 0.5);
}

int main(int argc, char **argv)
{
	static const char * const methods[] = { "signal", "stop", "park" };
	static const unsigned int counts[] = { 1, 2, 4, 8, 16, 64 };
	unsigned int rounds = argc > 3 ? atoi(argv[3]) : 100, c, m, i;
	bool fine = true;

	if (argc < 3) {
		fprintf(stderr, "usage: vtgpio_bench VTGPIO.KO WIRE.KO [ROUNDS]\n");
		return 2;
	}
	if (rounds > MAX_ROUNDS)
		rounds = MAX_ROUNDS;
	workers_init();
	/* The bench itself must get a processor while all of them spin. */
	if (nice(-20) == -1 || load(argv[2], "") ||
	    load(argv[1], "pause=wire-in signal=wire-out watchdog_ms=0")) {
		fprintf(stderr, "cannot load the modules\n");
		return 1;
	}
	printf("%ld processors, %u rounds\n", sysconf(_SC_NPROCESSORS_ONLN), rounds);
	printf("%-8s %5s %8s %8s %8s %8s %8s %8s %7s %7s\n", "method", "procs", "module",
	       "(p90)", "seen", "(p90)", "latency", "resume", "ratio", "seen");

	for (c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
		double signal_module = 0, signal_seen = 0, module, seen = 0;

		for (i = 0; i < counts[c]; i++) {
			start_worker(i, body_spin);
			if (write_number("pids", "+%lld", workers[i].pid))
				fine = false;
		}
		for (m = 0; m < sizeof(methods) / sizeof(*methods); m++) {
			module = measure(methods[m], counts[c], rounds, &seen);
			if (module < 0)
				continue;
			if (m == 0) {
				signal_module = module;
				signal_seen = seen;
			}
			printf(" %7.2f %7.2f\n", module / signal_module,
			       signal_seen > 0 ? seen / signal_seen : -1);
			fflush(stdout);
			if (m == 2 && counts[c] == 16 && module > signal_module / 2)
				fine = false;
		}
		workers_clear();
		write_file("mode", "unfreeze");
	}
	printf("misses of the barrier: %lld of %lld pauses and as many resumes\n",
	       number_in("barrier_misses"), number_in("pauses"));
	unload("vtgpio");
	unload("vtgpio_wire");
	printf("%s: 16 processes stop within half the time of signals in turn\n",
	       fine ? "ok" : "not ok");
	return !fine;
}
