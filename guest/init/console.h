/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_CONSOLE_H
#define ONECLOCK_CONSOLE_H

/*
 * Takes the numbers of the standard streams where they are free: a kernel that finds no console before this process
 * runs, since the driver is a module, starts it without them, and what is opened next would have their place.
 */
void console_reserve(void);

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
