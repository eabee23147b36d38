/* SPDX-License-Identifier: GPL-2.0 */
/* What a test program says, as kselftest programs do: TAP version 13. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned int tap_passed, tap_failed, tap_skipped;

static inline void tap_note(const char *fmt, ...)
{
	va_list ap;

	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fputc('\n', stdout);
	fflush(stdout);
}

static inline bool tap_ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%s %u ", good ? "ok" : "not ok",
	       tap_passed + tap_failed + tap_skipped + 1);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fputc('\n', stdout);
	fflush(stdout);
	if (good)
		tap_passed++;
	else
		tap_failed++;
	return good;
}

static inline void tap_skip(const char *fmt, ...)
{
	va_list ap;

	printf("ok %u # SKIP ", tap_passed + tap_failed + tap_skipped + 1);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fputc('\n', stdout);
	fflush(stdout);
	tap_skipped++;
}

static inline int tap_end(void)
{
	printf("1..%u\n", tap_passed + tap_failed + tap_skipped);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0\n",
	       tap_passed, tap_failed, tap_skipped);
	fflush(stdout);
	return tap_failed ? 1 : 0;
}

#endif /* TAP_H */
