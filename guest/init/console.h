/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_CONSOLE_H
#define ONECLOCK_CONSOLE_H

/*
 * Makes the console (/dev/hvc0 where there is one, else /dev/console) the standard streams of init and of all
 * that it starts, set so that output is passed unchanged, and the controlling terminal of init's session.
 */
void console_open(void);

/* Writes to the console. */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Waits until all output is with the host. */
void console_drain(void);

#endif
