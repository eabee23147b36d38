// SPDX-License-Identifier: MIT
#include "report.h"

#include <string.h>

#include "../../protocols/agent/agent.h"
#include "wire.h"

_Static_assert(REPORT_MAX_SIZE <= ONECLOCK_AGENT_MAX_MESSAGE, "a report must fit into a message");

/* The size of the whole, and the head of the one field of FromGuest, whose message has `size` bytes. */
static uint8_t *report_head(uint8_t *at, uint32_t field, uint32_t size)
{
	at = wire_put_varint(at, (uint32_t)wire_head_size(field, size) + size);
	return wire_put_head(at, field, size);
}

size_t report_ready(uint8_t out[REPORT_MAX_SIZE])
{
	return (size_t)(report_head(out, ONECLOCK_AGENT_FROM_GUEST_READY, 0) - out);
}

static size_t report_end(uint8_t *out, uint32_t field, uint32_t value)
{
	uint8_t body[WIRE_MAX_HEAD];
	size_t size = (size_t)(wire_put_number(body, field, value) - body);
	uint8_t *at = report_head(out, ONECLOCK_AGENT_FROM_GUEST_EXITED, (uint32_t)size);

	memcpy(at, body, size);
	return (size_t)(at + size - out);
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
	uint32_t size = (uint32_t)wire_head_size(ONECLOCK_AGENT_FAILED_TEXT, length) + length;
	uint8_t *at = report_head(out, ONECLOCK_AGENT_FROM_GUEST_FAILED, size);

	return (size_t)(wire_put_bytes(at, ONECLOCK_AGENT_FAILED_TEXT, text, length) - out);
}
