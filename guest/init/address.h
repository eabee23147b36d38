/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_ADDRESS_H
#define ONECLOCK_ADDRESS_H

#include "node.h"

/* Gives the interfaces of the node, which have their names already, their addresses. */
void address_add_all(const struct node *node);

#endif
