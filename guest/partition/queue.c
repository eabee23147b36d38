// SPDX-License-Identifier: MIT
#include "queue.h"

/* Timers and deadlines are linked alike, and are not the same type. */
#define ADD(first, item)                                                       \
	do {                                                                   \
		while (*(first) && (*(first))->at <= (item)->at)               \
			(first) = &(*(first))->next;                           \
		(item)->next = *(first);                                       \
		*(first) = (item);                                             \
	} while (0)

#define REMOVE(first, item)                                                    \
	do {                                                                   \
		while (*(first) && *(first) != (item))                         \
			(first) = &(*(first))->next;                           \
		if (!*(first))                                                 \
			return false;                                          \
		*(first) = (item)->next;                                       \
		return true;                                                   \
	} while (0)

void partition_timers_add(struct partition_timer **first, struct partition_timer *timer)
{
	ADD(first, timer);
}

bool partition_timers_remove(struct partition_timer **first, struct partition_timer *timer)
{
	REMOVE(first, timer);
}

struct partition_timer *partition_timers_take(struct partition_timer **first, uint64_t tick)
{
	struct partition_timer *timer = *first;

	if (!timer || timer->at > tick)
		return NULL;
	*first = timer->next;
	return timer;
}

void partition_deadlines_add(struct partition_deadline **first, struct partition_deadline *deadline)
{
	ADD(first, deadline);
}

bool partition_deadlines_remove(struct partition_deadline **first,
				struct partition_deadline *deadline)
{
	REMOVE(first, deadline);
}

struct partition_deadline *partition_deadlines_take(struct partition_deadline **first, uint64_t now)
{
	struct partition_deadline *deadline = *first;

	if (!deadline || deadline->at >= now)
		return NULL;
	*first = deadline->next;
	return deadline;
}
