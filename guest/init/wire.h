/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_WIRE_H
#define ONECLOCK_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The encoding of protobuf messages, as far as protocols/agent/agent.proto needs it. */

/* Wire types. */
#define WIRE_VARINT 0u
#define WIRE_FIXED64 1u
#define WIRE_LENGTH 2u
#define WIRE_FIXED32 5u

/* The most bytes that a field's head, or a number with its head, takes. */
#define WIRE_MAX_HEAD 10

/* Each returns where the next byte goes. */
uint8_t *wire_put_varint(uint8_t *at, uint32_t value);
uint8_t *wire_put_number(uint8_t *at, uint32_t field, uint32_t value);
/* The head of `size` bytes. */
uint8_t *wire_put_head(uint8_t *at, uint32_t field, uint32_t size);
uint8_t *wire_put_bytes(uint8_t *at, uint32_t field, const void *bytes, size_t size);

/* How many bytes wire_put_head writes. */
size_t wire_head_size(uint32_t field, uint32_t size);

/* What is left of a message that is read. */
struct wire_reader {
	uint8_t *at;
	uint8_t *end;
	/* It is no protobuf message, or has a number that takes more than 32 bits. */
	bool broken;
};

struct wire_field {
	uint32_t number;
	uint32_t type;
	/* Of a varint. */
	uint32_t value;
	/* Of what has a length. */
	uint8_t *bytes;
	size_t size;
	/* Where its head begins. */
	uint8_t *head;
};

/* Takes the next field. False: there is none, or the message is broken. */
bool wire_next(struct wire_reader *reader, struct wire_field *field);

/*
 * A text out of a message: moved over the head of its own field, so that the zero at its end has a place. NULL: it has
 * a zero byte in it. Valid as long as the message is.
 */
char *wire_text(struct wire_field *field);

#endif
