/* SPDX-License-Identifier: MIT */
/*
 * The contract of constants.ts for C, which also says what it all means. A unit test compares the two.
 */
#ifndef ONECLOCK_RELAY_H
#define ONECLOCK_RELAY_H

/* The name of the virtio console port. */
#define ONECLOCK_RELAY_PORT "oneclock.board"

#define ONECLOCK_RELAY_HEADER 8
#define ONECLOCK_RELAY_MAX_DATA 8192
#define ONECLOCK_RELAY_WINDOW 65536

/* Frames. */
#define ONECLOCK_RELAY_OPEN 1
#define ONECLOCK_RELAY_DATA 2
#define ONECLOCK_RELAY_CREDIT 3
#define ONECLOCK_RELAY_CLOSE 4
#define ONECLOCK_RELAY_READY 5

#endif
