// SPDX-License-Identifier: MIT
/*
 * The tools of the guests in one program, which is the one that it is called
 * as: a static program is large, and a guest of 24 MB has not much room.
 */
#include "tools.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	const char *name = argc > 0 ? basename(argv[0]) : "";

	if (strcmp(name, "gpio") == 0)
		return gpio_main(argc, argv);
	if (strcmp(name, "stream") == 0)
		return stream_main(argc, argv);
	fprintf(stderr, "tools: call it as gpio or stream\n");
	return 2;
}
