// SPDX-License-Identifier: MIT
#include "report.h"

#include <string.h>

#include "../../protocols/agent/agent.h"

/* Wire types of the protobuf encoding. */
#define WIRE_VARINT 0u
#define WIRE_LENGTH 2u

#define TAG(field, wire) (((uint32_t)(field) << 3) | (wire))

_Static_assert(REPORT_MAX_SIZE <= ONECLOCK_AGENT_MAX_MESSAGE, "a report must fit into a message");

static uint8_t *report_varint(uint8_t *at, uint32_t value)
{
	while (value >= 0x80) {
		*at++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8_t)value;
	return at;
}

static size_t report_varint_size(uint32_t value)
{
	uint8_t scratch[5];

	return (size_t)(report_varint(scratch, value) - scratch);
}

/* The size of the whole, and the head of the one field of FromGuest, whose message has `size` bytes. */
static uint8_t *report_head(uint8_t *at, uint32_t field, uint32_t size)
{
	uint32_t tag = TAG(field, WIRE_LENGTH);

	at = report_varint(at, (uint32_t)(report_varint_size(tag) + report_varint_size(size)) + size);
	at = report_varint(at, tag);
	return report_varint(at, size);
}

size_t report_ready(uint8_t out[REPORT_MAX_SIZE])
{
	return (size_t)(report_head(out, ONECLOCK_AGENT_FROM_GUEST_READY, 0) - out);
}

static size_t report_end(uint8_t *out, uint32_t field, uint32_t value)
{
	uint32_t tag = TAG(field, WIRE_VARINT);
	uint32_t size = (uint32_t)(report_varint_size(tag) + report_varint_size(value));
	uint8_t *at = report_head(out, ONECLOCK_AGENT_FROM_GUEST_EXITED, size);

	at = report_varint(at, tag);
	return (size_t)(report_varint(at, value) - out);
}

size_t report_exited(uint8_t out[REPORT_MAX_SIZE], uint32_t code)
{
	return report_end(out, ONECLOCK_AGENT_EXITED_CODE, code);
}

size_t report_signalled(uint8_t out[REPORT_MAX_SIZE], uint32_t signal)
{
	return report_end(out, ONECLOCK_AGENT_EXITED_SIGNAL, signal);
}

size_t report_failed(uint8_t out[REPORT_MAX_SIZE], const char *text)
{
	uint32_t length = (uint32_t)strnlen(text, REPORT_MAX_TEXT);
	uint32_t tag = TAG(ONECLOCK_AGENT_FAILED_TEXT, WIRE_LENGTH);
	uint32_t size = (uint32_t)(report_varint_size(tag) + report_varint_size(length)) + length;
	uint8_t *at = report_head(out, ONECLOCK_AGENT_FROM_GUEST_FAILED, size);

	at = report_varint(at, tag);
	at = report_varint(at, length);
	memcpy(at, text, length);
	return (size_t)(at + length - out);
}
