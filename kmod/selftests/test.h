/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests and the bench of vtgpio share. */
#ifndef VTGPIO_TEST_H
#define VTGPIO_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_WORKERS 256
#define ONE_LINE "pause=wire-in signal=wire-out"
#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

#define CHECK(condition) check(condition, #condition, __FILE__, __LINE__)
#define SAME(found, wanted) same(found, wanted, #found, __FILE__, __LINE__)

struct test {
	const char *name;
	void (*run)(void);
};

/* One process of a test, seen through memory that is shared with it. */
struct worker {
	pid_t pid;
	volatile uint64_t count;
	volatile uint64_t last_ns;	/* CLOCK_MONOTONIC when it last ran */
	volatile int cpu;		/* where that was */
	volatile int error;		/* errno of what it did, or 0 */
	volatile int64_t result;
};

extern const struct test clock_tests[];
extern const unsigned int nr_clock_tests;

extern bool failed;		/* the present test */
extern char why[512];
extern const char *skipped;	/* why the test cannot be run here */

/* The first that is not as it should be fails the test. */
bool check(bool condition, const char *text, const char *file, int line);
bool same(long long found, long long wanted, const char *text, const char *file, int line);

extern const char *module_file;
extern struct worker *workers;
extern const char *folder;		/* /sys/vt/VT7 */

uint64_t now_ns(void);
void sleep_ms(unsigned int ms);

/* 0, or a negative errno. */
int load(const char *file, const char *parameters);
int unload(const char *name);

/* Length read or 0, or a negative errno; relative to the folder, if not absolute. */
int read_file(const char *name, char *text, size_t size);
int write_file(const char *name, const char *text);
long long number_in(const char *name);
int write_number(const char *name, const char *format, long long value);

void workers_init(void);
void workers_clear(void);
pid_t start_worker(unsigned int index, void (*body)(struct worker *worker));
void stop_worker(unsigned int index);
void body_tick(struct worker *worker);	/* counts each millisecond */
void body_spin(struct worker *worker);	/* counts as fast as it can */

bool stands(unsigned int index);
bool runs(unsigned int index);
bool reaches(unsigned int index, uint64_t count);

bool start(const char *parameters);	/* loads the module */
int add(pid_t pid);
bool has_pids(const char *text);
bool clock_hidden(void);
bool wait_for(const char *name, const char *value, unsigned int ms);
bool freeze(void);
bool unfreeze(void);

#endif
