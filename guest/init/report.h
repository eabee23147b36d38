/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_REPORT_H
#define ONECLOCK_REPORT_H

#include <stddef.h>
#include <stdint.h>

/* Characters of a failure's text that are sent; what is longer is cut. */
#define REPORT_MAX_TEXT 1024

/* Holds every report: the text, and the sizes and tags around it. */
#define REPORT_MAX_SIZE (REPORT_MAX_TEXT + 16)

/*
 * A report as the agent port carries it (protocols/agent/agent.proto): the size, then FromGuest. Each returns
 * the number of bytes that it wrote to `out`.
 */
size_t report_ready(uint8_t out[REPORT_MAX_SIZE]);
size_t report_exited(uint8_t out[REPORT_MAX_SIZE], uint32_t code);
size_t report_signalled(uint8_t out[REPORT_MAX_SIZE], uint32_t signal);
size_t report_failed(uint8_t out[REPORT_MAX_SIZE], const char *text);

#endif
