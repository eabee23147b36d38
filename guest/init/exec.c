// SPDX-License-Identifier: MIT
#include "exec.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "spawn.h"

#define RING ONECLOCK_AGENT_STDIN_WINDOW
/* Credit is given in portions of at least this much: a message for each write would be one too many. */
#define CREDIT_STEP (RING / 4)
/* What is read of a terminal at most when its program has ended: the kernel does not tell how much is there. */
#define TERMINAL_LEFT (128 * 1024)
/* Places in the descriptors that are waited for: the input, then the outputs. */
#define INPUT 0
#define OUTPUT(stream) (1 + (stream))

bool exec_begin(struct exec *exec, const struct request *request, struct outbox *outbox)
{
	char text[SPAWN_MAX_TEXT];
	struct spawned program;
	int error = spawn_program(request, &program, text);

	if (error) {
		outbox_refused(outbox, request->id, error > 0 ? error : 0, "%s", text);
		return false;
	}
	/* Not as a whole: the ring would be touched, and take memory. */
	exec->id = request->id;
	exec->pid = program.pid;
	exec->terminal = request->terminal;
	exec->input = program.input;
	exec->outputs[0] = program.outputs[0];
	exec->outputs[1] = program.outputs[1];
	exec->credit = request->credit;
	exec->ended = false;
	exec->taken = 0;
	exec->input_ends = false;
	exec->data_first = 0;
	exec->data_size = 0;
	outbox_started(outbox, request->id, (uint32_t)program.pid);
	return true;
}

/* --- input --- */

const char *exec_stdin(struct exec *exec, const struct request *request)
{
	size_t end = (exec->data_first + exec->data_size) % RING;
	size_t first = request->size < RING - end ? request->size : RING - end;

	if (exec->input_ends)
		return "there is input behind its end";
	if (request->size > RING - exec->data_size - exec->taken)
		return "there is more input than there is room";
	exec->input_ends = request->end;
	if (exec->input < 0) {
		/* Nobody reads it. Whoever sends it is not to wait for ever. */
		exec->taken += (uint32_t)request->size;
		return NULL;
	}
	if (request->size > 0) {
		memcpy(exec->data + end, request->bytes, first);
		memcpy(exec->data, request->bytes + first, request->size - first);
		exec->data_size += request->size;
	}
	return NULL;
}

static void exec_drop_input(struct exec *exec)
{
	if (exec->input >= 0)
		close(exec->input);
	exec->input = -1;
	exec->taken += (uint32_t)exec->data_size;
	exec->data_size = 0;
}

/* Says the end of the input: to a terminal's program as a person would. False: the terminal takes nothing now. */
static bool exec_end_input(struct exec *exec)
{
	struct termios settings;

	if (!exec->terminal) {
		exec_drop_input(exec);
		return true;
	}
	if (tcgetattr(exec->input, &settings) == 0 && write(exec->input, &settings.c_cc[VEOF], 1) < 0)
		return errno != EAGAIN && errno != EINTR;
	return true;
}

static bool exec_has_input(const struct exec *exec)
{
	return exec->input >= 0 && !exec->ended && (exec->data_size > 0 || exec->input_ends);
}

static void exec_write_input(struct exec *exec)
{
	size_t size = exec->data_size;
	ssize_t put;

	if (size > RING - exec->data_first)
		size = RING - exec->data_first;
	if (size > 0) {
		put = write(exec->input, exec->data + exec->data_first, size);
		if (put < 0) {
			if (errno != EAGAIN && errno != EINTR)
				exec_drop_input(exec);
			return;
		}
		exec->data_first = (exec->data_first + (size_t)put) % RING;
		exec->data_size -= (size_t)put;
		exec->taken += (uint32_t)put;
	}
	/* A terminal stays open: it is said once. */
	if (exec->data_size == 0 && exec->input_ends && exec_end_input(exec) && exec->terminal)
		exec_drop_input(exec);
}

void exec_signal(const struct exec *exec, int signal)
{
	kill(-exec->pid, signal);
}

void exec_resize(const struct exec *exec, uint16_t rows, uint16_t columns)
{
	if (exec->terminal && exec->outputs[0] >= 0)
		spawn_resize(exec->outputs[0], rows, columns);
}

/* --- output --- */

/* How much can be read of an output, at most. */
static size_t exec_output_size(const struct exec *exec, int stream)
{
	struct pollfd wait = { .fd = exec->outputs[stream], .events = POLLIN };
	int size = 0;

	if (exec->outputs[stream] < 0)
		return 0;
	if (exec->terminal)
		return poll(&wait, 1, 0) == 1 && wait.revents & POLLIN ? TERMINAL_LEFT : 0;
	return ioctl(exec->outputs[stream], FIONREAD, &size) ? 0 : (size_t)size;
}

void exec_ended(struct exec *exec, int status)
{
	exec->ended = true;
	exec->status = status;
	exec_drop_input(exec);
	for (int stream = 0; stream <= 1; stream++)
		exec->left[stream] = exec_output_size(exec, stream);
}

static bool exec_has_output(const struct exec *exec, int stream)
{
	return exec->outputs[stream] >= 0 && exec->credit > 0 && (!exec->ended || exec->left[stream] > 0);
}

/* Reads a piece. Nothing is there: then nothing is left either of what was written before the end. */
static void exec_read_output(struct exec *exec, int stream, struct outbox *outbox)
{
	static uint8_t bytes[ONECLOCK_AGENT_MAX_DATA];
	size_t size = sizeof(bytes);
	ssize_t got;

	if (size > exec->credit)
		size = exec->credit;
	if (exec->ended && size > exec->left[stream])
		size = exec->left[stream];
	got = read(exec->outputs[stream], bytes, size);
	if (got > 0) {
		exec->credit -= (uint32_t)got;
		if (exec->ended)
			exec->left[stream] -= (size_t)got;
		outbox_output(outbox, exec->id, (uint32_t)stream + 1, bytes, (size_t)got);
		return;
	}
	if (got < 0 && errno == EINTR)
		return;
	exec->left[stream] = 0;
	if (got < 0 && errno == EAGAIN)
		return;
	/* Nobody has it open any more. */
	close(exec->outputs[stream]);
	exec->outputs[stream] = -1;
}

/* --- */

void exec_wait(const struct exec *exec, struct pollfd waits[EXEC_WAITS], size_t room)
{
	waits[INPUT] = (struct pollfd){ .fd = exec_has_input(exec) ? exec->input : -1, .events = POLLOUT };
	for (int stream = 0; stream <= 1; stream++) {
		bool wanted = exec_has_output(exec, stream) && room >= OUTBOX_DATA;

		waits[OUTPUT(stream)] = (struct pollfd){ .fd = wanted ? exec->outputs[stream] : -1, .events = POLLIN };
	}
}

bool exec_step(struct exec *exec, const struct pollfd waits[EXEC_WAITS], struct outbox *outbox)
{
	if (waits[INPUT].revents && exec_has_input(exec))
		exec_write_input(exec);
	for (int stream = 0; stream <= 1; stream++) {
		/* What is left of an end is there, or there is none: nothing need be waited for. */
		while ((exec->ended || waits[OUTPUT(stream)].revents) && exec_has_output(exec, stream) &&
		       outbox_room(outbox) >= OUTBOX_DATA) {
			exec_read_output(exec, stream, outbox);
			if (!exec->ended)
				break;
		}
	}
	if (exec->taken >= CREDIT_STEP && !exec->ended && outbox_room(outbox) >= OUTBOX_SMALL) {
		outbox_credit(outbox, exec->id, exec->taken);
		exec->taken = 0;
	}
	if (!exec->ended || exec->left[0] > 0 || exec->left[1] > 0 || outbox_room(outbox) < OUTBOX_SMALL)
		return false;
	outbox_ended(outbox, exec->id, exec->status);
	return true;
}
