/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_GUEST_RELAY_H
#define ONECLOCK_GUEST_RELAY_H

#include <stdint.h>

/*
 * Joins the connections that the controller opens through `port` to a TCP port of this guest, one at a time, as
 * protocols/relay/constants.ts says. Returns when the port is of no use any more, with the reason.
 */
const char *relay_serve(int port, uint16_t tcp_port);

#endif
