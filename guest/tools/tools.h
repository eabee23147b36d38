/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_TOOLS_H
#define ONECLOCK_TOOLS_H

/* Each tool's own main(); what they return is the exit status. */
int gpio_main(int argc, char **argv);
int stream_main(int count, char **words);

#endif
