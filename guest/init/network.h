/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_NETWORK_H
#define ONECLOCK_NETWORK_H

#include "node.h"

/*
 * Brings up the loopback interface, and each interface of the node with its name, MTU and addresses. Nothing
 * is sent that the node does not ask for: no duplicate address detection, no router solicitation, and no IPv6
 * at all on an interface without an address of it.
 */
void network_up(const struct node *node);

#endif
