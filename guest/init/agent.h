/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_AGENT_PORT_H
#define ONECLOCK_AGENT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Opens the agent port. The kernel learns of a console device's ports from messages, which may still be under
 * way when init starts: where there is such a device, this waits for the port, at most 5 s. False: this guest
 * has no agent port.
 */
bool agent_open(void);

/* The agent port; -1: this guest has none. */
int agent_descriptor(void);

/* Writes a whole report. False: there is no agent port, or it does not take the report. */
bool agent_send(const uint8_t *report, size_t size);

#endif
