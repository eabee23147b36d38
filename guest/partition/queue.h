/* SPDX-License-Identifier: MIT */
#ifndef PARTITION_QUEUE_H
#define PARTITION_QUEUE_H

#include "partition.h"

/* Lists in order of time; of one time, in the order in which they were set. */

void partition_timers_add(struct partition_timer **first, struct partition_timer *timer);
/* Returns whether it was there. */
bool partition_timers_remove(struct partition_timer **first, struct partition_timer *timer);
/* Takes out the first that is due at `tick` or before; NULL: none is. */
struct partition_timer *partition_timers_take(struct partition_timer **first, uint64_t tick);

void partition_deadlines_add(struct partition_deadline **first, struct partition_deadline *deadline);
bool partition_deadlines_remove(struct partition_deadline **first,
				struct partition_deadline *deadline);
/* Takes out the first that has passed at `now`; at the deadline itself, it has not. */
struct partition_deadline *partition_deadlines_take(struct partition_deadline **first, uint64_t now);

#endif
