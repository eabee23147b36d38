// SPDX-License-Identifier: MIT
#include <stdarg.h>

#include "cpu.h"
#include "partition.h"

#define SERIAL_PORT 0x3f8

static void print_char(char letter)
{
	cpu_out8(SERIAL_PORT, (uint8_t)letter);
}

void partition_print(const char *text)
{
	while (*text)
		print_char(*text++);
}

static void print_number(uint64_t number)
{
	char digits[20];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	while (count)
		print_char(digits[--count]);
}

void partition_printf(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	for (; *format; format++) {
		if (*format != '%') {
			print_char(*format);
			continue;
		}
		switch (*++format) {
		case 's':
			partition_print(va_arg(arguments, const char *));
			break;
		case 'u':
			print_number(va_arg(arguments, unsigned int));
			break;
		case 'l':
			format++;
			print_number(va_arg(arguments, uint64_t));
			break;
		default:
			print_char(*format);
		}
	}
	va_end(arguments);
}
