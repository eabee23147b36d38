// SPDX-License-Identifier: MIT
#include "request.h"

#include <limits.h>
#include <string.h>

#include "wire.h"

#define REQUEST_MAX_SIGNAL 64
#define REQUEST_MAX_MODE 07777

/* Where the value of a field goes, and of what kind it is. */
enum request_kind {
	REQUEST_NUMBER,
	REQUEST_SIGNAL,
	REQUEST_FLAG,
	REQUEST_TEXT,
	REQUEST_ARGUMENT,
	REQUEST_VARIABLE,
	REQUEST_BYTES,
	REQUEST_TERMINAL,
};

struct request_rule {
	uint32_t type;
	uint32_t field;
	enum request_kind kind;
	/* Into struct request. */
	size_t place;
};

#define RULE(type, field, kind, member)                                                                     \
	{ ONECLOCK_AGENT_TO_GUEST_##type, ONECLOCK_AGENT_##type##_##field, REQUEST_##kind,                  \
	  offsetof(struct request, member) }

static const struct request_rule request_rules[] = {
	RULE(EXEC, ID, NUMBER, id),
	RULE(EXEC, ARGV, ARGUMENT, argv),
	RULE(EXEC, COMMAND, TEXT, command),
	RULE(EXEC, CWD, TEXT, cwd),
	RULE(EXEC, ENVIRONMENT, VARIABLE, environment),
	RULE(EXEC, TERMINAL, TERMINAL, terminal),
	RULE(EXEC, USER, TEXT, user),
	RULE(EXEC, CREDIT, NUMBER, credit),
	RULE(STDIN, ID, NUMBER, id),
	RULE(STDIN, BYTES, BYTES, bytes),
	RULE(STDIN, END, FLAG, end),
	RULE(SIGNAL, ID, NUMBER, id),
	RULE(SIGNAL, NUMBER, SIGNAL, signal),
	RULE(RESIZE, ID, NUMBER, id),
	RULE(RESIZE, TERMINAL, TERMINAL, terminal),
	RULE(CREDIT, ID, NUMBER, id),
	RULE(CREDIT, BYTES, NUMBER, credit),
	RULE(PUT, ID, NUMBER, id),
	RULE(PUT, PATH, TEXT, path),
	RULE(PUT, MODE, NUMBER, mode),
	RULE(FILE_DATA, ID, NUMBER, id),
	RULE(FILE_DATA, BYTES, BYTES, bytes),
	RULE(FILE_DATA, END, FLAG, end),
	RULE(GET, ID, NUMBER, id),
	RULE(GET, PATH, TEXT, path),
	RULE(GET, CREDIT, NUMBER, credit),
	RULE(CANCEL, ID, NUMBER, id),
};

static const char *request_terminal(struct request *request, const struct wire_field *field)
{
	struct wire_reader reader = { field->bytes, field->bytes + field->size, false };
	struct wire_field part;

	request->terminal = true;
	while (wire_next(&reader, &part)) {
		if (part.number != ONECLOCK_AGENT_TERMINAL_ROWS && part.number != ONECLOCK_AGENT_TERMINAL_COLUMNS)
			continue;
		if (part.type != WIRE_VARINT || part.value > UINT16_MAX)
			return "the size of a terminal is not from 0 to 65535";
		if (part.number == ONECLOCK_AGENT_TERMINAL_ROWS)
			request->rows = (uint16_t)part.value;
		else
			request->columns = (uint16_t)part.value;
	}
	return reader.broken ? "it is no message" : NULL;
}

static const char *request_text(struct request *request, const struct request_rule *rule, struct wire_field *field)
{
	char *text = wire_text(field);

	if (!text)
		return "a text has a zero byte";
	if (rule->kind == REQUEST_ARGUMENT) {
		if (request->argc == ONECLOCK_AGENT_MAX_WORDS)
			return "there are too many arguments";
		request->argv[request->argc++] = text;
	} else if (rule->kind == REQUEST_VARIABLE) {
		if (request->environment_count == ONECLOCK_AGENT_MAX_WORDS)
			return "the environment is too large";
		if (!strchr(text, '=') || text[0] == '=')
			return "a variable of the environment is not NAME=VALUE";
		request->environment[request->environment_count++] = text;
	} else {
		*(char **)((char *)request + rule->place) = text;
	}
	return NULL;
}

static const char *request_number(struct request *request, const struct request_rule *rule, uint32_t value)
{
	void *place = (char *)request + rule->place;

	if (rule->kind == REQUEST_FLAG) {
		*(bool *)place = value != 0;
	} else if (rule->kind == REQUEST_SIGNAL) {
		if (value < 1 || value > REQUEST_MAX_SIGNAL)
			return "a signal is not from 1 to 64";
		*(int *)place = (int)value;
	} else {
		*(uint32_t *)place = value;
	}
	return NULL;
}

static const char *request_field(struct request *request, const struct request_rule *rule, struct wire_field *field)
{
	bool number = rule->kind == REQUEST_NUMBER || rule->kind == REQUEST_SIGNAL || rule->kind == REQUEST_FLAG;

	if (field->type != (number ? WIRE_VARINT : WIRE_LENGTH))
		return "a field is of another type";
	if (number)
		return request_number(request, rule, field->value);
	if (rule->kind == REQUEST_TERMINAL)
		return request_terminal(request, field);
	if (rule->kind != REQUEST_BYTES)
		return request_text(request, rule, field);
	if (field->size > ONECLOCK_AGENT_MAX_DATA)
		return "there are more bytes than a message may carry";
	request->bytes = field->bytes;
	request->size = field->size;
	return NULL;
}

/* What a message of its type must have. */
static const char *request_check(const struct request *request)
{
	if (!request->id)
		return "it has no id";
	if (request->credit > ONECLOCK_AGENT_MAX_CREDIT)
		return "there is too much credit";
	switch (request->type) {
	case ONECLOCK_AGENT_TO_GUEST_EXEC:
		return !request->argc == !request->command ? "there is not one of argv and command" : NULL;
	case ONECLOCK_AGENT_TO_GUEST_SIGNAL:
		return request->signal ? NULL : "there is no signal";
	case ONECLOCK_AGENT_TO_GUEST_RESIZE:
		return request->terminal ? NULL : "there is no size";
	case ONECLOCK_AGENT_TO_GUEST_CREDIT:
		return request->credit ? NULL : "there is no credit";
	case ONECLOCK_AGENT_TO_GUEST_PUT:
		if (request->mode > REQUEST_MAX_MODE)
			return "there are more bits than a mode has";
		/* fall through */
	case ONECLOCK_AGENT_TO_GUEST_GET:
		if (!request->path || !*request->path)
			return "there is no path";
		return strlen(request->path) > ONECLOCK_AGENT_MAX_PATH ? "the path is too long" : NULL;
	default:
		return NULL;
	}
}

static const char *request_body(struct request *request, const struct wire_field *whole)
{
	struct wire_reader reader = { whole->bytes, whole->bytes + whole->size, false };
	struct wire_field field;

	while (wire_next(&reader, &field)) {
		for (size_t i = 0; i < sizeof(request_rules) / sizeof(request_rules[0]); i++) {
			const struct request_rule *rule = &request_rules[i];
			const char *fault;

			if (rule->type != request->type || rule->field != field.number)
				continue;
			fault = request_field(request, rule, &field);
			if (fault)
				return fault;
		}
	}
	return reader.broken ? "it is no message" : request_check(request);
}

const char *request_parse(struct request *request, uint8_t *message, size_t size)
{
	struct wire_reader reader = { message, message + size, false };
	struct wire_field field;

	memset(request, 0, sizeof(*request));
	while (wire_next(&reader, &field)) {
		const char *fault;

		if (field.number < ONECLOCK_AGENT_TO_GUEST_EXEC || field.number > ONECLOCK_AGENT_TO_GUEST_CANCEL)
			continue;
		if (field.type != WIRE_LENGTH)
			return "a field is of another type";
		if (request->type)
			return "it asks for two things";
		request->type = field.number;
		fault = request_body(request, &field);
		if (fault)
			return fault;
	}
	if (reader.broken)
		return "it is no message";
	return request->type ? NULL : "it asks for nothing that is known";
}
