/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_CARRIER_H
#define ONECLOCK_CARRIER_H

#include "node.h"

/* Opens the socket on which the kernel tells of changes; before the interfaces are brought up. */
int carrier_listen(void);

/*
 * Waits until every interface of the node can send, which the kernel decides in a work item of its own: what the
 * command sent before that would be lost. An interface that is not connected never can, so the wait is bounded.
 * Closes the socket.
 */
void carrier_wait(int listener, const struct node *node);

#endif
