// SPDX-License-Identifier: MIT
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user.h"

#define SPAWN_SHELL "/bin/sh"
#define SPAWN_MAX_HOSTNAME 64
/* PATH, HOME, TERM, HOSTNAME, USER, LOGNAME, and the end. */
#define SPAWN_DEFAULTS 7

/* What the child could not do; it is told to the parent together with the errno. */
enum spawn_step {
	SPAWN_STREAMS,
	SPAWN_TERMINAL,
	SPAWN_USER,
	SPAWN_CWD,
	SPAWN_EXEC,
};

struct spawn_failure {
	enum spawn_step step;
	int error;
};

/* The streams of a program: its own ends, and ours. */
struct spawn_streams {
	int theirs[3];
	int ours[3];
};

static void spawn_close(int *descriptors, int count)
{
	for (int i = 0; i < count; i++)
		if (descriptors[i] >= 0)
			close(descriptors[i]);
}

static int spawn_pipe(int *from, int *into)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	*from = ends[0];
	*into = ends[1];
	return 0;
}

static int spawn_make_pipes(struct spawn_streams *streams)
{
	if (spawn_pipe(&streams->theirs[0], &streams->ours[0]))
		return -1;
	for (int stream = 1; stream <= 2; stream++)
		if (spawn_pipe(&streams->ours[stream], &streams->theirs[stream]))
			return -1;
	return 0;
}

/* The program has the terminal's own side as all of its streams, we have the other. */
static int spawn_make_terminal(struct spawn_streams *streams, const struct request *request)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int lock = 0;

	streams->ours[0] = master;
	if (master < 0 || ioctl(master, TIOCSPTLCK, &lock))
		return -1;
	spawn_resize(master, request->rows, request->columns);
	streams->ours[1] = fcntl(master, F_DUPFD_CLOEXEC, 3);
	streams->theirs[0] = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return streams->ours[1] < 0 || streams->theirs[0] < 0 ? -1 : 0;
}

/* Adds NAME=VALUE, where the environment does not have NAME yet. */
static void spawn_default(char **environment, char *variable)
{
	size_t name = (size_t)(strchr(variable, '=') - variable) + 1;

	for (; *environment; environment++)
		if (!strncmp(*environment, variable, name))
			return;
	*environment = variable;
}

static char **spawn_environment(const struct request *request, const struct user *user)
{
	static char *environment[ONECLOCK_AGENT_MAX_WORDS + SPAWN_DEFAULTS];
	static char host[sizeof("HOSTNAME=") + SPAWN_MAX_HOSTNAME] = "HOSTNAME=";
	static char home[sizeof("HOME=") + USER_MAX_HOME];
	static char name[sizeof("USER=") + USER_MAX_NAME], login[sizeof("LOGNAME=") + USER_MAX_NAME];

	memset(environment, 0, sizeof(environment));
	memcpy(environment, request->environment, request->environment_count * sizeof(char *));
	gethostname(host + strlen("HOSTNAME="), SPAWN_MAX_HOSTNAME);
	snprintf(home, sizeof(home), "HOME=%s", user ? user->home : "/root");
	spawn_default(environment, (char *)SPAWN_PATH);
	spawn_default(environment, home);
	spawn_default(environment, (char *)"TERM=linux");
	spawn_default(environment, host);
	if (user) {
		snprintf(name, sizeof(name), "USER=%s", user->name);
		snprintf(login, sizeof(login), "LOGNAME=%s", user->name);
		spawn_default(environment, name);
		spawn_default(environment, login);
	}
	return environment;
}

static struct spawn_failure spawn_failed(enum spawn_step step)
{
	return (struct spawn_failure){ step, errno };
}

/* In the child. Returns only where the program cannot be started. */
static struct spawn_failure spawn_child(const struct request *request, const struct user *user,
					const struct spawn_streams *streams)
{
	char *const shell[] = { (char *)"sh", (char *)"-c", request->command, NULL };
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	for (int stream = 0; stream <= 2; stream++)
		if (dup2(streams->theirs[request->terminal ? 0 : stream], stream) < 0)
			return spawn_failed(SPAWN_STREAMS);
	if (request->terminal && ioctl(0, TIOCSCTTY, 0))
		return spawn_failed(SPAWN_TERMINAL);
	environ = spawn_environment(request, user);
	if (user && user_become(user))
		return spawn_failed(SPAWN_USER);
	if (chdir(request->cwd ? request->cwd : "/"))
		return spawn_failed(SPAWN_CWD);
	if (request->command)
		execve(SPAWN_SHELL, shell, environ);
	else
		execvp(request->argv[0], request->argv);
	return spawn_failed(SPAWN_EXEC);
}

static void spawn_explain(const struct request *request, enum spawn_step step, char text[SPAWN_MAX_TEXT])
{
	switch (step) {
	case SPAWN_STREAMS:
		snprintf(text, SPAWN_MAX_TEXT, "cannot set up its streams");
		break;
	case SPAWN_TERMINAL:
		snprintf(text, SPAWN_MAX_TEXT, "cannot give it a terminal");
		break;
	case SPAWN_USER:
		snprintf(text, SPAWN_MAX_TEXT, "cannot become %.100s", request->user);
		break;
	case SPAWN_CWD:
		snprintf(text, SPAWN_MAX_TEXT, "cannot go to %.300s", request->cwd ? request->cwd : "/");
		break;
	case SPAWN_EXEC:
		snprintf(text, SPAWN_MAX_TEXT, "cannot run %.300s",
			 request->command ? SPAWN_SHELL : request->argv[0]);
		break;
	}
}

/* Starts the child, and waits until its program runs or cannot. Returns 0 or an errno. */
static int spawn_start(const struct request *request, const struct user *user, struct spawn_streams *streams,
		       pid_t *pid, char text[SPAWN_MAX_TEXT])
{
	struct spawn_failure failure;
	ssize_t got;
	int from, into;

	snprintf(text, SPAWN_MAX_TEXT, "cannot start a process");
	/* It closes when the program runs; what comes out of it before is the reason why it does not. */
	if (spawn_pipe(&from, &into))
		return errno;
	*pid = fork();
	if (*pid == 0) {
		failure = spawn_child(request, user, streams);
		_exit(write(into, &failure, sizeof(failure)) == sizeof(failure) ? 127 : 126);
	}
	if (*pid < 0) {
		int error = errno;

		close(from);
		close(into);
		return error;
	}
	close(into);
	do
		got = read(from, &failure, sizeof(failure));
	while (got < 0 && errno == EINTR);
	close(from);
	if (got != sizeof(failure))
		return 0;
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	spawn_explain(request, failure.step, text);
	return failure.error;
}

int spawn_program(const struct request *request, struct spawned *program, char text[SPAWN_MAX_TEXT])
{
	struct spawn_streams streams = { { -1, -1, -1 }, { -1, -1, -1 } };
	static struct user user;
	int error;

	if (request->user && !user_find(&user, request->user)) {
		snprintf(text, SPAWN_MAX_TEXT, "there is no user %.100s", request->user);
		return -1;
	}
	if (request->terminal ? spawn_make_terminal(&streams, request) : spawn_make_pipes(&streams)) {
		error = errno;
		snprintf(text, SPAWN_MAX_TEXT, "cannot make a %s", request->terminal ? "terminal" : "pipe");
	} else {
		error = spawn_start(request, request->user ? &user : NULL, &streams, &program->pid, text);
	}
	spawn_close(streams.theirs, 3);
	if (error) {
		spawn_close(streams.ours, 3);
		return error;
	}
	for (int stream = 0; stream <= 2; stream++)
		if (streams.ours[stream] >= 0)
			fcntl(streams.ours[stream], F_SETFL, O_NONBLOCK);
	program->input = streams.ours[0];
	program->outputs[0] = streams.ours[1];
	program->outputs[1] = streams.ours[2];
	return 0;
}

void spawn_resize(int master, uint16_t rows, uint16_t columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	ioctl(master, TIOCSWINSZ, &size);
}
