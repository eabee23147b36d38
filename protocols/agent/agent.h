/* SPDX-License-Identifier: MIT */
/*
 * The contract of agent.proto for C: names, limits and field numbers. A unit test compares this file with
 * agent.proto and with codec.ts.
 */
#ifndef ONECLOCK_AGENT_H
#define ONECLOCK_AGENT_H

/* The name of the virtio console port. */
#define ONECLOCK_AGENT_PORT "oneclock.agent"

/* Bytes in a message, without the size before it. */
#define ONECLOCK_AGENT_MAX_MESSAGE 65536

/* Field numbers of FromGuest, guest to controller. */
#define ONECLOCK_AGENT_FROM_GUEST_READY 1
#define ONECLOCK_AGENT_FROM_GUEST_EXITED 2
#define ONECLOCK_AGENT_FROM_GUEST_FAILED 3

/* Field numbers of Exited. */
#define ONECLOCK_AGENT_EXITED_CODE 1
#define ONECLOCK_AGENT_EXITED_SIGNAL 2

/* Field numbers of Failed. */
#define ONECLOCK_AGENT_FAILED_TEXT 1

#endif
