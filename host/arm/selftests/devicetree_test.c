// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of vtgpio with lines that the device tree describes:
 * devicetree_test VTGPIO.KO [button]
 *
 * The node is that of MACHINE.dts. With `button`, the pause line is a button: the
 * line "# button" asks whoever reads this to press it once, and the signal line
 * can be read back. Prints TAP; the exit status is 0 when every test passed.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#define BUTTON_MS	20000

static bool reads(const char *name, const char *value)
{
	return wait_for(name, value, 0);
}

/* Whether a line of the file has both words. */
static bool line_with(const char *path, const char *word, const char *other)
{
	char text[512];
	bool found = false;
	FILE *file = fopen(path, "r");

	while (file && !found && fgets(text, sizeof(text), file))
		found = strstr(text, word) && strstr(text, other);
	if (file)
		fclose(file);
	return found;
}

static void test_load(void)
{
	if (start(""))
		CHECK(!access(folder, F_OK));
}

static void test_properties(void)
{
	SAME(number_in("watchdog_ms"), 4000);
	SAME(number_in("pauses"), 0);
	CHECK(reads("mode", "unfreeze"));
}

static void test_interrupt(void)
{
	CHECK(line_with("/proc/interrupts", "vtgpio", "Edge"));
}

static void test_clock(void)
{
	CHECK(clock_hidden());
}

static void test_signal(void)
{
	const char *lines = "/sys/kernel/debug/gpio";

	SAME(write_file("mode", "freeze"), 0);
	CHECK(line_with(lines, "signal", "out hi"));
	SAME(write_file("mode", "unfreeze"), 0);
	CHECK(line_with(lines, "signal", "out lo"));
	SAME(number_in("pauses"), 0);
}

static void test_button(void)
{
	start_worker(0, body_tick);
	SAME(add(workers[0].pid), 0);
	CHECK(runs(0));
	printf("# button\n");
	fflush(stdout);
	if (CHECK(wait_for("pauses", "1", BUTTON_MS)) &&
	    CHECK(wait_for("resumes", "1", BUTTON_MS))) {
		printf("# frozen for %lld ns, stopped %lld ns after the edge\n",
		       number_in("frozen_ns"), number_in("pause_latency_ns"));
		CHECK(number_in("frozen_ns") > 0);
		SAME(number_in("edges"), 2);
		SAME(number_in("watchdog_releases"), 0);
		CHECK(runs(0));
	}
	stop_worker(0);
}

static void test_reload(void)
{
	SAME(unload("vtgpio"), 0);
	CHECK(access(folder, F_OK));
	test_load();
	SAME(unload("vtgpio"), 0);
}

static const struct {
	const char *name;
	void (*run)(void);
	bool button;	/* needs one */
} tests[] = {
	{ "a module without parameters takes the node's lines", test_load, false },
	{ "the node's numbers", test_properties, false },
	{ "the pause line raises an interrupt at its edges", test_interrupt, false },
	{ "the kernel hides frozen time", test_clock, false },
	{ "mode drives the signal line", test_signal, true },
	{ "edges of the chip pause and resume", test_button, true },
	{ "it can be unloaded and loaded again", test_reload, false },
};

int main(int argc, char **argv)
{
	bool button = argc > 2 && !strcmp(argv[2], "button");
	unsigned int number, failed_tests = 0, skipped_tests = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: devicetree_test VTGPIO.KO [button]\n");
		return 2;
	}
	module_file = argv[1];
	folder = "/sys/vt/VT3";
	workers_init();
	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(tests));
	for (number = 1; number <= ARRAY_SIZE(tests); number++) {
		failed = false;
		skipped = NULL;
		if (tests[number - 1].button && !button) {
			skipped = " # SKIP the lines of this machine have no levels";
			skipped_tests++;
		} else {
			tests[number - 1].run();
		}
		if (failed) {
			failed_tests++;
			printf("# %s\n", why);
		}
		printf("%s %u - %s%s\n", failed ? "not ok" : "ok", number,
		       tests[number - 1].name, skipped ?: "");
		fflush(stdout);
	}
	printf("# %zu passed, %u failed, %u skipped\n",
	       ARRAY_SIZE(tests) - failed_tests - skipped_tests, failed_tests, skipped_tests);
	return failed_tests != 0;
}
