// SPDX-License-Identifier: MIT
/*
 * Runs in a guest: answers each byte of a serial line with the next one, and notes when it came. Prints the times when so
 * many have come.
 *
 *   serial-echo DEVICE COUNT
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: serial-echo DEVICE COUNT");
	int line = open(argv[1], O_RDWR | O_NOCTTY);
	if (line < 0)
		err(1, "%s", argv[1]);
	struct termios settings;
	if (tcgetattr(line, &settings) < 0)
		err(1, "tcgetattr");
	cfmakeraw(&settings);
	if (tcsetattr(line, TCSANOW, &settings) < 0)
		err(1, "tcsetattr");

	int count = atoi(argv[2]);
	struct note {
		unsigned char byte;
		struct timespec at;
	} *notes = calloc(count, sizeof *notes);
	if (!notes)
		err(1, "calloc");
	for (int i = 0; i < count; i++) {
		struct note *note = &notes[i];
		if (read(line, &note->byte, 1) != 1)
			err(1, "read");
		unsigned char answer = note->byte + 1;
		if (write(line, &answer, 1) != 1)
			err(1, "write");
		clock_gettime(CLOCK_MONOTONIC, &note->at);
	}
	for (int i = 0; i < count; i++)
		printf("%d %lld%09ld\n", notes[i].byte, (long long)notes[i].at.tv_sec, notes[i].at.tv_nsec);
	return 0;
}
