// SPDX-License-Identifier: MIT
#include "strays.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void strays_remove(struct strays *strays, int place)
{
	close(strays->descriptors[place]);
	strays->count--;
	memmove(&strays->descriptors[place], &strays->descriptors[place + 1],
		(size_t)(strays->count - place) * sizeof(int));
}

void strays_add(struct strays *strays, int descriptor)
{
	if (strays->count == STRAYS_MAX)
		strays_remove(strays, 0);
	strays->descriptors[strays->count++] = descriptor;
}

void strays_wait(const struct strays *strays, struct pollfd waits[STRAYS_MAX])
{
	for (int i = 0; i < STRAYS_MAX; i++)
		waits[i] = (struct pollfd){ .fd = i < strays->count ? strays->descriptors[i] : -1, .events = POLLIN };
}

void strays_drop(struct strays *strays, const struct pollfd waits[STRAYS_MAX])
{
	char nothing[4096];

	/* From the last: those behind one that is removed have been dealt with. Some may have been added since. */
	for (int i = strays->count - 1; i >= 0; i--) {
		ssize_t got;

		if (waits[i].fd != strays->descriptors[i] || !waits[i].revents)
			continue;
		got = read(strays->descriptors[i], nothing, sizeof(nothing));
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			strays_remove(strays, i);
	}
}
