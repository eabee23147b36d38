// SPDX-License-Identifier: MIT
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "agent.h"
#include "command.h"
#include "console.h"
#include "report.h"

noreturn void fail(const char *format, ...)
{
	uint8_t report[REPORT_MAX_SIZE];
	char text[REPORT_MAX_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* Parts of the text may come from a description that is garbage. */
	for (char *at = text; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';

	console_print("oneclock: init failed: %s\n", text);
	console_drain();
	if (agent_send(report, report_failed(report, text)))
		command_reap_forever();
	power_off();
}

noreturn void power_off(void)
{
	reboot(RB_POWER_OFF);
	/* The kernel has no way to power off; PID 1 must not end all the same. */
	for (;;)
		pause();
}
