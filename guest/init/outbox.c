// SPDX-License-Identifier: MIT
#include "outbox.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire.h"

/* Characters of a text that are sent; what is longer is cut. */
#define OUTBOX_MAX_TEXT 512

/* Fields of a message before its bytes. */
#define OUTBOX_MAX_FIELDS (3 * WIRE_MAX_HEAD)

_Static_assert(OUTBOX_SMALL > OUTBOX_MAX_TEXT + 2 * OUTBOX_MAX_FIELDS, "a text has to fit");
_Static_assert(OUTBOX_DATA <= ONECLOCK_AGENT_MAX_MESSAGE, "data have to fit into a message");

size_t outbox_room(const struct outbox *outbox)
{
	return sizeof(outbox->bytes) - outbox->size;
}

/* Where the next message goes. */
static uint8_t *outbox_end(struct outbox *outbox)
{
	if (outbox->first > 0) {
		memmove(outbox->bytes, outbox->bytes + outbox->first, outbox->size);
		outbox->first = 0;
	}
	return outbox->bytes + outbox->size;
}

void outbox_raw(struct outbox *outbox, const uint8_t *message, size_t size)
{
	memcpy(outbox_end(outbox), message, size);
	outbox->size += size;
}

/* Puts in the message `type` of FromGuest: `fields`, and behind them the field `number` with `size` bytes; 0: none. */
static void outbox_put(struct outbox *outbox, uint32_t type, const uint8_t *fields, const uint8_t *fields_end,
		       uint32_t number, const void *bytes, size_t size)
{
	size_t fields_size = (size_t)(fields_end - fields);
	size_t body = fields_size + (number ? wire_head_size(number, (uint32_t)size) + size : 0);
	uint8_t *begin = outbox_end(outbox);
	uint8_t *at = wire_put_varint(begin, (uint32_t)(wire_head_size(type, (uint32_t)body) + body));

	at = wire_put_head(at, type, (uint32_t)body);
	memcpy(at, fields, fields_size);
	at += fields_size;
	if (number)
		at = wire_put_bytes(at, number, bytes, size);
	outbox->size += (size_t)(at - begin);
}

void outbox_started(struct outbox *outbox, uint32_t id, uint32_t pid)
{
	uint8_t fields[OUTBOX_MAX_FIELDS];
	uint8_t *at = wire_put_number(fields, ONECLOCK_AGENT_STARTED_ID, id);

	at = wire_put_number(at, ONECLOCK_AGENT_STARTED_PID, pid);
	outbox_put(outbox, ONECLOCK_AGENT_FROM_GUEST_STARTED, fields, at, 0, NULL, 0);
}

void outbox_output(struct outbox *outbox, uint32_t id, uint32_t stream, const uint8_t *bytes, size_t size)
{
	uint8_t fields[OUTBOX_MAX_FIELDS];
	uint8_t *at = wire_put_number(fields, ONECLOCK_AGENT_OUTPUT_ID, id);

	at = wire_put_number(at, ONECLOCK_AGENT_OUTPUT_STREAM, stream);
	outbox_put(outbox, ONECLOCK_AGENT_FROM_GUEST_OUTPUT, fields, at, ONECLOCK_AGENT_OUTPUT_BYTES, bytes, size);
}

void outbox_ended(struct outbox *outbox, uint32_t id, int status)
{
	uint8_t fields[OUTBOX_MAX_FIELDS];
	uint8_t *at = wire_put_number(fields, ONECLOCK_AGENT_ENDED_ID, id);

	if (WIFSIGNALED(status))
		at = wire_put_number(at, ONECLOCK_AGENT_ENDED_SIGNAL, (uint32_t)WTERMSIG(status));
	else
		at = wire_put_number(at, ONECLOCK_AGENT_ENDED_CODE, (uint32_t)WEXITSTATUS(status));
	outbox_put(outbox, ONECLOCK_AGENT_FROM_GUEST_ENDED, fields, at, 0, NULL, 0);
}

void outbox_file_data(struct outbox *outbox, uint32_t id, const uint8_t *bytes, size_t size)
{
	uint8_t fields[OUTBOX_MAX_FIELDS];
	uint8_t *at = wire_put_number(fields, ONECLOCK_AGENT_FILE_DATA_ID, id);

	outbox_put(outbox, ONECLOCK_AGENT_FROM_GUEST_FILE_DATA, fields, at, ONECLOCK_AGENT_FILE_DATA_BYTES, bytes,
		   size);
}

void outbox_done(struct outbox *outbox, uint32_t id, uint32_t mode)
{
	uint8_t fields[OUTBOX_MAX_FIELDS];
	uint8_t *at = wire_put_number(fields, ONECLOCK_AGENT_DONE_ID, id);

	at = wire_put_number(at, ONECLOCK_AGENT_DONE_MODE, mode);
	outbox_put(outbox, ONECLOCK_AGENT_FROM_GUEST_DONE, fields, at, 0, NULL, 0);
}

void outbox_refused(struct outbox *outbox, uint32_t id, int error, const char *format, ...)
{
	uint8_t fields[OUTBOX_MAX_FIELDS];
	uint8_t *at = wire_put_number(fields, ONECLOCK_AGENT_REFUSED_ID, id);
	char text[OUTBOX_MAX_TEXT];
	size_t size;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	size = strlen(text);
	if (error)
		snprintf(text + size, sizeof(text) - size, ": %s", strerror(error));
	at = wire_put_number(at, ONECLOCK_AGENT_REFUSED_ERROR, (uint32_t)error);
	outbox_put(outbox, ONECLOCK_AGENT_FROM_GUEST_REFUSED, fields, at, ONECLOCK_AGENT_REFUSED_TEXT, text,
		   strlen(text));
}

void outbox_credit(struct outbox *outbox, uint32_t id, uint32_t bytes)
{
	uint8_t fields[OUTBOX_MAX_FIELDS];
	uint8_t *at = wire_put_number(fields, ONECLOCK_AGENT_CREDIT_ID, id);

	at = wire_put_number(at, ONECLOCK_AGENT_CREDIT_BYTES, bytes);
	outbox_put(outbox, ONECLOCK_AGENT_FROM_GUEST_CREDIT, fields, at, 0, NULL, 0);
}

void outbox_taken(struct outbox *outbox, uint32_t bytes)
{
	uint8_t fields[OUTBOX_MAX_FIELDS];

	outbox_put(outbox, ONECLOCK_AGENT_FROM_GUEST_TAKEN, fields,
		   wire_put_number(fields, ONECLOCK_AGENT_TAKEN_BYTES, bytes), 0, NULL, 0);
}

int outbox_write(struct outbox *outbox, int port)
{
	while (outbox->size > 0) {
		ssize_t put = write(port, outbox->bytes + outbox->first, outbox->size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno == EAGAIN ? 0 : errno;
		outbox->first += (size_t)put;
		outbox->size -= (size_t)put;
	}
	outbox->first = 0;
	return 0;
}

int outbox_flush(struct outbox *outbox, int port)
{
	for (;;) {
		struct pollfd wait = { .fd = port, .events = POLLOUT };
		int error = outbox_write(outbox, port);

		if (error || outbox->size == 0)
			return error;
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return errno;
	}
}
