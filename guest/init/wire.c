// SPDX-License-Identifier: MIT
#include "wire.h"

#include <string.h>

#define TAG(field, type) ((uint32_t)(field) << 3 | (type))

/* Bytes of a varint at most: 64 bits, seven in each. */
#define WIRE_MAX_VARINT 10

uint8_t *wire_put_varint(uint8_t *at, uint32_t value)
{
	while (value >= 0x80) {
		*at++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8_t)value;
	return at;
}

uint8_t *wire_put_number(uint8_t *at, uint32_t field, uint32_t value)
{
	at = wire_put_varint(at, TAG(field, WIRE_VARINT));
	return wire_put_varint(at, value);
}

uint8_t *wire_put_head(uint8_t *at, uint32_t field, uint32_t size)
{
	at = wire_put_varint(at, TAG(field, WIRE_LENGTH));
	return wire_put_varint(at, size);
}

uint8_t *wire_put_bytes(uint8_t *at, uint32_t field, const void *bytes, size_t size)
{
	at = wire_put_head(at, field, (uint32_t)size);
	memcpy(at, bytes, size);
	return at + size;
}

size_t wire_head_size(uint32_t field, uint32_t size)
{
	uint8_t scratch[WIRE_MAX_HEAD];

	return (size_t)(wire_put_head(scratch, field, size) - scratch);
}

static bool wire_break(struct wire_reader *reader)
{
	reader->broken = true;
	return false;
}

static bool wire_varint(struct wire_reader *reader, uint32_t *value)
{
	uint64_t number = 0;

	for (unsigned int i = 0; i < WIRE_MAX_VARINT && reader->at < reader->end; i++) {
		uint8_t byte = *reader->at++;

		/* What is lost of a tenth byte is refused with all else above 32 bits, but for a padded zero. */
		number |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		if (number > UINT32_MAX)
			return wire_break(reader);
		*value = (uint32_t)number;
		return true;
	}
	return wire_break(reader);
}

static bool wire_skip(struct wire_reader *reader, size_t size)
{
	if (size > (size_t)(reader->end - reader->at))
		return wire_break(reader);
	reader->at += size;
	return true;
}

bool wire_next(struct wire_reader *reader, struct wire_field *field)
{
	uint32_t tag, size;

	if (reader->broken || reader->at == reader->end)
		return false;
	*field = (struct wire_field){ .head = reader->at };
	if (!wire_varint(reader, &tag))
		return false;
	field->number = tag >> 3;
	field->type = tag & 7;
	if (!field->number)
		return wire_break(reader);
	switch (field->type) {
	case WIRE_VARINT:
		return wire_varint(reader, &field->value);
	case WIRE_FIXED64:
		return wire_skip(reader, 8);
	case WIRE_FIXED32:
		return wire_skip(reader, 4);
	case WIRE_LENGTH:
		if (!wire_varint(reader, &size))
			return false;
		field->bytes = reader->at;
		field->size = size;
		return wire_skip(reader, size);
	default:
		return wire_break(reader);
	}
}

char *wire_text(struct wire_field *field)
{
	char *text = (char *)field->head;

	if (memchr(field->bytes, '\0', field->size))
		return NULL;
	memmove(text, field->bytes, field->size);
	text[field->size] = '\0';
	return text;
}
