// SPDX-License-Identifier: MIT
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "node.h"

#define COMMAND_SHELL "/bin/sh"
/* What login(1) gives to root. */
#define COMMAND_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* In the child. Returns only if the shell cannot be started. */
static void command_exec(const char *text, const char *hostname)
{
	char host[sizeof("HOSTNAME=") + NODE_MAX_HOSTNAME];
	char *const arguments[] = { (char *)"sh", (char *)"-c", (char *)text, NULL };
	char *const environment[] = {
		(char *)COMMAND_PATH, (char *)"HOME=/root", (char *)"TERM=linux", host, NULL,
	};

	snprintf(host, sizeof(host), "HOSTNAME=%s", hostname);
	setpgid(0, 0);
	tcsetpgrp(0, getpid());
	signal(SIGTTOU, SIG_DFL);
	execve(COMMAND_SHELL, arguments, environment);
}

pid_t command_start(const char *text, const char *hostname)
{
	int failure[2];
	int number = 0;
	pid_t command;

	/* It closes when the shell runs; what comes out of it before is the reason why it does not. */
	if (pipe2(failure, O_CLOEXEC))
		fail("pipe: %s", strerror(errno));
	command = fork();
	if (command < 0)
		fail("fork: %s", strerror(errno));
	if (command == 0) {
		command_exec(text, hostname);
		number = errno;
		_exit(write(failure[1], &number, sizeof(number)) == sizeof(number) ? 127 : 126);
	}
	close(failure[1]);
	if (read(failure[0], &number, sizeof(number)) == sizeof(number))
		fail("cannot start " COMMAND_SHELL ": %s", strerror(number));
	close(failure[0]);
	return command;
}

int command_wait(pid_t command)
{
	int status;
	pid_t ended;

	do {
		ended = waitpid(-1, &status, 0);
		if (ended < 0 && errno != EINTR)
			fail("waiting for the command: %s", strerror(errno));
	} while (ended != command);
	return status;
}

noreturn void command_reap_forever(void)
{
	for (;;) {
		/* Every process is a child of init or of one of its children: with none left, none can come. */
		if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
			pause();
	}
}
