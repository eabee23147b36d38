/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_FAIL_H
#define ONECLOCK_FAIL_H

#include <stdnoreturn.h>

/*
 * The guest cannot be what its description says. Tells the person on the console and the controller on the
 * agent port, then waits for the controller to end the guest; without an agent port the guest powers off.
 */
noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the guest's virtual machine. */
noreturn void power_off(void);

#endif
