// SPDX-License-Identifier: MIT
#include "console.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

void console_reserve(void)
{
	int null;

	do
		null = open("/dev/null", O_RDWR);
	while (null >= 0 && null <= 2);
	if (null > 2)
		close(null);
}

void console_open(void)
{
	static const char *const devices[] = { "/dev/hvc0", "/dev/console", "/dev/null" };
	struct termios settings;
	int console = -1;

	for (size_t i = 0; console < 0 && i < sizeof(devices) / sizeof(devices[0]); i++)
		console = open(devices[i], O_RDWR | O_NOCTTY);
	if (console < 0)
		return;
	for (int stream = 0; stream <= 2; stream++)
		if (stream != console)
			dup2(console, stream);
	if (console > 2)
		close(console);

	/*
	 * The session is init's own, which never ends: were the command its leader, the end of the command would
	 * hang up the terminal for what the command left running. Init is then in the background of its own
	 * terminal, and draining it must not raise SIGTTOU.
	 */
	signal(SIGTTOU, SIG_IGN);
	setsid();
	ioctl(0, TIOCSCTTY, 0);
	if (tcgetattr(0, &settings) == 0) {
		settings.c_oflag &= ~(tcflag_t)OPOST;
		tcsetattr(0, TCSANOW, &settings);
	}
}

void console_print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vdprintf(1, format, arguments);
	va_end(arguments);
}

void console_drain(void)
{
	tcdrain(1);
}
