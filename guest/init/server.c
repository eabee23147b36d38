// SPDX-License-Identifier: MIT
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec.h"
#include "file.h"
#include "outbox.h"
#include "request.h"
#include "strays.h"

/* Bytes of the size before a message. */
#define SERVER_MAX_SIZE 3
/* The controller is told what was taken in portions of at least this much. */
#define SERVER_TAKEN_STEP (ONECLOCK_AGENT_WINDOW / 4)
#define SERVER_OPERATIONS ONECLOCK_AGENT_MAX_OPERATIONS
#define SERVER_WAITS (1 + SERVER_OPERATIONS * EXEC_WAITS + STRAYS_MAX)

enum server_kind {
	SERVER_FREE,
	SERVER_EXEC,
	SERVER_PUT,
	SERVER_GET,
};

struct server_operation {
	enum server_kind kind;
	union {
		/* Both begin with it. */
		uint32_t id;
		struct exec exec;
		struct file file;
	};
};

struct server {
	int port;
	const struct server_watch *watch;
	bool watch_ended;
	int watch_status;

	/* What has been read from the port and not been looked at. */
	uint8_t in[16384];
	size_t in_first;
	size_t in_size;
	/* What the controller is to be told to be taken. */
	uint32_t taken;

	/* The message that comes from the port, as far as it is there: its size, and its bytes. */
	size_t message_size;
	unsigned int size_bytes;
	bool size_known;
	size_t message_filled;
	uint8_t message[ONECLOCK_AGENT_MAX_MESSAGE];
	struct request request;

	struct outbox outbox;
	/* Something had to be left undone since there was no room in the outbox. */
	bool pressed;

	struct server_operation operations[SERVER_OPERATIONS];
	struct strays strays;
};

static struct server server_state;

static bool server_has_room(struct server *server, size_t room)
{
	if (outbox_room(&server->outbox) >= room)
		return true;
	server->pressed = true;
	return false;
}

/* --- what the controller says --- */

static struct server_operation *server_find(struct server *server, uint32_t id)
{
	for (int i = 0; i < SERVER_OPERATIONS; i++)
		if (server->operations[i].kind != SERVER_FREE && server->operations[i].id == id)
			return &server->operations[i];
	return NULL;
}

static struct server_operation *server_find_free(struct server *server)
{
	for (int i = 0; i < SERVER_OPERATIONS; i++)
		if (server->operations[i].kind == SERVER_FREE)
			return &server->operations[i];
	return NULL;
}

static const char *server_begin(struct server *server, const struct request *request)
{
	struct server_operation *operation = server_find_free(server);

	if (server_find(server, request->id))
		return "an operation has the id of another";
	if (!operation)
		return "there are too many operations";
	if (request->type == ONECLOCK_AGENT_TO_GUEST_EXEC)
		operation->kind = exec_begin(&operation->exec, request, &server->outbox) ? SERVER_EXEC : SERVER_FREE;
	else if (request->type == ONECLOCK_AGENT_TO_GUEST_PUT)
		operation->kind = file_begin_put(&operation->file, request, &server->outbox) ? SERVER_PUT : SERVER_FREE;
	else
		operation->kind = file_begin_get(&operation->file, request, &server->outbox) ? SERVER_GET : SERVER_FREE;
	return NULL;
}

static const char *server_credit(struct server_operation *operation, uint32_t credit)
{
	uint32_t *has = operation->kind == SERVER_EXEC ? &operation->exec.credit : &operation->file.credit;

	if (operation->kind == SERVER_PUT)
		return "credit for a file that is put";
	if (credit > ONECLOCK_AGENT_MAX_CREDIT - *has)
		return "there is too much credit";
	*has += credit;
	return NULL;
}

/* A message about an operation that is under way. */
static const char *server_tell(struct server *server, struct server_operation *operation,
			       const struct request *request)
{
	bool program = operation->kind == SERVER_EXEC;

	switch (request->type) {
	case ONECLOCK_AGENT_TO_GUEST_STDIN:
		return program ? exec_stdin(&operation->exec, request) : "input for what is no program";
	case ONECLOCK_AGENT_TO_GUEST_SIGNAL:
		if (!program)
			return "a signal for what is no program";
		exec_signal(&operation->exec, request->signal);
		return NULL;
	case ONECLOCK_AGENT_TO_GUEST_RESIZE:
		if (!program)
			return "a size for what is no program";
		exec_resize(&operation->exec, request->rows, request->columns);
		return NULL;
	case ONECLOCK_AGENT_TO_GUEST_CREDIT:
		return server_credit(operation, request->credit);
	case ONECLOCK_AGENT_TO_GUEST_FILE_DATA:
		if (operation->kind != SERVER_PUT)
			return "content for what is no file that is put";
		if (file_take(&operation->file, request, &server->outbox))
			operation->kind = SERVER_FREE;
		return NULL;
	default:
		if (program)
			return "a program cannot be cancelled";
		file_cancel(&operation->file, &server->outbox);
		operation->kind = SERVER_FREE;
		return NULL;
	}
}

static const char *server_handle(struct server *server)
{
	struct request *request = &server->request;
	const char *fault = request_parse(request, server->message, server->message_size);
	struct server_operation *operation;

	if (fault)
		return fault;
	switch (request->type) {
	case ONECLOCK_AGENT_TO_GUEST_EXEC:
	case ONECLOCK_AGENT_TO_GUEST_PUT:
	case ONECLOCK_AGENT_TO_GUEST_GET:
		return server_begin(server, request);
	default:
		operation = server_find(server, request->id);
		/* It was on its way when the operation ended. */
		return operation ? server_tell(server, operation, request) : NULL;
	}
}

static const char *server_take_size(struct server *server, uint8_t byte)
{
	server->message_size |= (size_t)(byte & 0x7f) << (7 * server->size_bytes++);
	server->size_known = byte < 0x80;
	if (!server->size_known && server->size_bytes == SERVER_MAX_SIZE)
		return "the size of a message takes too many bytes";
	if (server->size_known && server->message_size > ONECLOCK_AGENT_MAX_MESSAGE)
		return "a message is too long";
	return NULL;
}

/* Takes what has been read, as long as there is room for an answer. */
static const char *server_take(struct server *server)
{
	const char *fault = NULL;

	while (!fault && server->in_size > 0 && server_has_room(server, OUTBOX_SMALL)) {
		const uint8_t *bytes = server->in + server->in_first;
		size_t part = 1;

		if (server->size_known) {
			part = server->message_size - server->message_filled;
			if (part > server->in_size)
				part = server->in_size;
			memcpy(server->message + server->message_filled, bytes, part);
			server->message_filled += part;
		} else {
			fault = server_take_size(server, *bytes);
		}
		server->in_first += part;
		server->in_size -= part;
		server->taken += (uint32_t)part;
		if (fault || !server->size_known || server->message_filled < server->message_size)
			continue;
		fault = server_handle(server);
		server->size_known = false;
		server->size_bytes = 0;
		server->message_size = 0;
		server->message_filled = 0;
	}
	return fault;
}

static const char *server_read_port(struct server *server)
{
	ssize_t got = read(server->port, server->in, sizeof(server->in));

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? NULL : strerror(errno);
	if (got == 0)
		return "the controller has closed the port";
	server->in_first = 0;
	server->in_size = (size_t)got;
	return NULL;
}

/* --- what comes of it --- */

static void server_leave(struct server *server, struct server_operation *operation)
{
	struct exec *exec = &operation->exec;

	operation->kind = SERVER_FREE;
	for (int stream = 0; stream <= 1; stream++) {
		if (exec->outputs[stream] < 0)
			continue;
		if (exec->terminal)
			close(exec->outputs[stream]);
		else
			strays_add(&server->strays, exec->outputs[stream]);
	}
}

static void server_step(struct server *server, struct server_operation *operation, const struct pollfd *waits)
{
	if (operation->kind == SERVER_EXEC) {
		if (exec_step(&operation->exec, waits, &server->outbox))
			server_leave(server, operation);
	} else if (operation->kind == SERVER_GET) {
		bool over = false;

		while (!over && file_may_send(&operation->file, outbox_room(&server->outbox)))
			over = file_send(&operation->file, &server->outbox);
		if (over)
			operation->kind = SERVER_FREE;
	}
}

static void server_reap(struct server *server)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == server->watch->pid) {
			server->watch_ended = true;
			server->watch_status = status;
		}
		for (int i = 0; i < SERVER_OPERATIONS; i++) {
			struct server_operation *operation = &server->operations[i];

			if (operation->kind == SERVER_EXEC && !operation->exec.ended && operation->exec.pid == pid)
				exec_ended(&operation->exec, status);
		}
	}
}

static void server_report(struct server *server)
{
	uint8_t report[REPORT_MAX_SIZE];

	if (server->watch_ended && server_has_room(server, sizeof(report))) {
		outbox_raw(&server->outbox, report, server->watch->report(report, server->watch_status));
		server->watch_ended = false;
	}
	if (server->taken >= SERVER_TAKEN_STEP && server_has_room(server, OUTBOX_SMALL)) {
		outbox_taken(&server->outbox, server->taken);
		server->taken = 0;
	}
}

/* --- */

/* Waits for something to do, and says what there is. `unmasked`: the signals that may come meanwhile. */
static const char *server_wait(struct server *server, struct pollfd waits[SERVER_WAITS], const sigset_t *unmasked)
{
	static const struct timespec at_once;
	size_t room = outbox_room(&server->outbox);
	bool go_on = server->pressed && room >= OUTBOX_DATA;
	struct pollfd *wait = waits;

	wait->fd = server->port;
	wait->events = POLLOUT * (server->outbox.size > 0) | POLLIN * (server->in_size == 0);
	wait++;
	for (int i = 0; i < SERVER_OPERATIONS; i++, wait += EXEC_WAITS) {
		for (int j = 0; j < EXEC_WAITS; j++)
			wait[j] = (struct pollfd){ .fd = -1 };
		if (server->operations[i].kind == SERVER_EXEC)
			exec_wait(&server->operations[i].exec, wait, room);
	}
	strays_wait(&server->strays, wait);
	server->pressed = false;
	if (ppoll(waits, SERVER_WAITS, go_on ? &at_once : NULL, unmasked) >= 0)
		return NULL;
	if (errno != EINTR)
		return strerror(errno);
	for (int i = 0; i < SERVER_WAITS; i++)
		waits[i].revents = 0;
	return NULL;
}

/* One round. */
static const char *server_turn(struct server *server, const sigset_t *unmasked)
{
	static struct pollfd waits[SERVER_WAITS];
	const char *fault = server_wait(server, waits, unmasked);
	int error;

	server_reap(server);
	if (!fault && server->in_size == 0 && waits[0].revents & (POLLIN | POLLHUP | POLLERR))
		fault = server_read_port(server);
	if (!fault)
		fault = server_take(server);
	for (int i = 0; i < SERVER_OPERATIONS; i++)
		server_step(server, &server->operations[i], waits + 1 + i * EXEC_WAITS);
	strays_drop(&server->strays, waits + 1 + SERVER_OPERATIONS * EXEC_WAITS);
	server_report(server);
	/* Some do not say themselves what they had to leave undone. */
	if (outbox_room(&server->outbox) < OUTBOX_DATA)
		server->pressed = true;
	error = outbox_write(&server->outbox, server->port);
	return fault || !error ? fault : strerror(error);
}

static void server_wake(int signal)
{
	/* That it came is enough. */
	(void)signal;
}

const char *server_serve(int port, const struct server_watch *watch)
{
	struct server *server = &server_state;
	struct sigaction action = { .sa_handler = server_wake };
	sigset_t child, unmasked;
	const char *fault = NULL;

	server->port = port;
	server->watch = watch;
	if (fcntl(port, F_SETFL, O_NONBLOCK))
		return strerror(errno);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &unmasked);
	/* Of those that had ended before, no signal tells. */
	server_reap(server);
	server_report(server);
	while (!fault)
		fault = server_turn(server, &unmasked);
	/* Half a message, and whatever says why behind it, would be no message. */
	outbox_flush(&server->outbox, port);
	return fault;
}
