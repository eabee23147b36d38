// SPDX-License-Identifier: MIT
/*
 * Runs in a guest, with a serial line in raw mode.
 *
 *   serial-program echo DEVICE COUNT   answers each byte with the next one; then prints what came when
 *   serial-program tell DEVICE COUNT   says again and again what time it is
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int open_raw(const char *path)
{
	int line = open(path, O_RDWR | O_NOCTTY);
	if (line < 0)
		err(1, "%s", path);
	struct termios settings;
	if (tcgetattr(line, &settings) < 0)
		err(1, "tcgetattr");
	cfmakeraw(&settings);
	if (tcsetattr(line, TCSANOW, &settings) < 0)
		err(1, "tcsetattr");
	return line;
}

static unsigned long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void echo(int line, int count)
{
	struct note {
		unsigned char byte;
		unsigned long long at;
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
		note->at = now();
	}
	for (int i = 0; i < count; i++)
		printf("%d %llu\n", notes[i].byte, notes[i].at);
}

static void tell(int line, int count)
{
	char text[32];

	for (int i = 0; i < count; i++) {
		int length = snprintf(text, sizeof text, "%llu\n", now());
		if (write(line, text, length) != length)
			err(1, "write");
	}
}

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(2, "usage: serial-program echo|tell DEVICE COUNT");
	int line = open_raw(argv[2]);
	int count = atoi(argv[3]);
	if (strcmp(argv[1], "echo") == 0)
		echo(line, count);
	else
		tell(line, count);
	return 0;
}
