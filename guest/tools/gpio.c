// SPDX-License-Identifier: MIT
/*
 * GPIO lines from the shell, by the character device (include/uapi/linux/gpio.h, version 2).
 *
 *	gpio list
 *	gpio get LINE
 *	gpio set [-o] [-n TIMES] LINE LEVEL [DURATION LEVEL]... [DURATION]
 *	gpio watch [-e rising|falling|both] [-n EVENTS] [-t DURATION] LINE
 *
 * LINE is a line's name, CHIP:OFFSET such as gpiochip0:3, or gpioN for line N of the first chip, where no line has that name. LEVEL is 0 or 1. DURATION has a unit: 10ms.
 *
 * set drives a line for as long as it runs; -o as open drain. With -n it does everything so many times. watch prints each
 * edge with the kernel's own time of it, in seconds since the guest began (CLOCK_MONOTONIC), and ends after EVENTS edges,
 * or when DURATION has passed: then with exit status 1 if EVENTS was given.
 *
 * Exit status: 0 fine, 1 an error of the system or too few edges, 2 wrong usage.
 */
#include "tools.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define NSEC 1000000000ull

static const char usage_text[] =
	"usage: gpio list\n"
	"       gpio get LINE\n"
	"       gpio set [-o] [-n TIMES] LINE LEVEL [DURATION LEVEL]... [DURATION]\n"
	"       gpio watch [-e rising|falling|both] [-n EVENTS] [-t DURATION] LINE\n";

struct place {
	char chip[64];
	unsigned int offset;
};

__attribute__((noreturn)) static void usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	fflush(stdout);
	fputs("gpio: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(error));
	exit(1);
}

static uint64_t parse_count(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value == 0)
		usage();
	return value;
}

/* Nanoseconds. */
static uint64_t parse_duration(const char *text)
{
	static const struct {
		const char *name;
		uint64_t size;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", NSEC } };
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*text >= '0' && *text <= '9' && value < UINT64_MAX / NSEC)
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (strcmp(end, units[i].name) == 0)
				return value * units[i].size;
	usage();
}

static uint64_t parse_level(const char *text)
{
	if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
		usage();
	return text[0] == '1';
}

static int open_chip(const char *name, struct gpiochip_info *info)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("%s", path);
	if (ioctl(fd, GPIO_GET_CHIPINFO_IOCTL, info) < 0)
		die("%s", path);
	return fd;
}

static void line_info(int chip, unsigned int offset, struct gpio_v2_line_info *info)
{
	memset(info, 0, sizeof(*info));
	info->offset = offset;
	if (ioctl(chip, GPIO_V2_GET_LINEINFO_IOCTL, info) < 0)
		die("line %u", offset);
}

static int is_chip(const struct dirent *entry)
{
	return strncmp(entry->d_name, "gpiochip", 8) == 0;
}

/* Calls visit for each line, chips in the order of their names, until it says true. */
static bool each_line(bool (*visit)(const struct gpiochip_info *chip, const struct gpio_v2_line_info *line,
				    void *data), void *data)
{
	struct dirent **entries;
	int count = scandir("/dev", &entries, is_chip, alphasort);
	bool found = false;

	if (count < 0)
		die("/dev");
	for (int i = 0; i < count; i++) {
		struct gpiochip_info chip;
		int fd = open_chip(entries[i]->d_name, &chip);

		for (unsigned int offset = 0; !found && offset < chip.lines; offset++) {
			struct gpio_v2_line_info line;

			line_info(fd, offset, &line);
			found = visit(&chip, &line, data);
		}
		close(fd);
		free(entries[i]);
	}
	free(entries);
	return found;
}

static bool print_line(const struct gpiochip_info *chip, const struct gpio_v2_line_info *line, void *data)
{
	(void)data;
	printf("%s:%u %s %s%s\n", chip->name, line->offset, line->name[0] ? line->name : "-",
	       line->flags & GPIO_V2_LINE_FLAG_OUTPUT ? "output" : "input",
	       line->flags & GPIO_V2_LINE_FLAG_USED ? " used" : "");
	return false;
}

struct search {
	const char *name;
	struct place *place;
};

static bool match_line(const struct gpiochip_info *chip, const struct gpio_v2_line_info *line, void *data)
{
	struct search *search = data;

	if (strcmp(line->name, search->name) != 0)
		return false;
	snprintf(search->place->chip, sizeof(search->place->chip), "%s", chip->name);
	search->place->offset = line->offset;
	return true;
}

static struct place find_line(const char *text)
{
	struct place place;
	struct search search = { text, &place };
	char *end;
	int length;
	const char *colon = strchr(text, ':');

	if (colon && (size_t)(colon - text) < sizeof(place.chip) && strncmp(text, "gpiochip", 8) == 0) {
		unsigned long offset = strtoul(colon + 1, &end, 10);

		if (colon[1] && !*end && offset < UINT32_MAX) {
			snprintf(place.chip, sizeof(place.chip), "%.*s", (int)(colon - text), text);
			place.offset = offset;
			return place;
		}
	}
	if (each_line(match_line, &search))
		return place;
	if (sscanf(text, "gpio%u%n", &place.offset, &length) == 1 && !text[length]) {
		snprintf(place.chip, sizeof(place.chip), "gpiochip0");
		return place;
	}
	errno = ENOENT;
	die("line %s", text);
}

/* A descriptor of the line, with these flags and, for an output, this level. */
static int request(const char *name, uint64_t flags, uint64_t level)
{
	struct place place = find_line(name);
	struct gpiochip_info chip;
	int fd = open_chip(place.chip, &chip);
	struct gpio_v2_line_request line = {
		.offsets = { place.offset },
		.consumer = "gpio",
		.num_lines = 1,
		.event_buffer_size = 1024,
		.config = { .flags = flags },
	};

	if (flags & GPIO_V2_LINE_FLAG_OUTPUT) {
		line.config.num_attrs = 1;
		line.config.attrs[0].mask = 1;
		line.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
		line.config.attrs[0].attr.values = level;
	}
	if (ioctl(fd, GPIO_V2_GET_LINE_IOCTL, &line) < 0)
		die("line %s", name);
	close(fd);
	return line.fd;
}

static int get(int argc, char **argv)
{
	struct gpio_v2_line_values values = { .mask = 1 };
	int fd;

	if (argc != 2)
		usage();
	/* As it is: an output of somebody else's stays one. */
	fd = request(argv[1], 0, 0);
	if (ioctl(fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0)
		die("line %s", argv[1]);
	printf("%d\n", (int)(values.bits & 1));
	return 0;
}

static void pause_for(uint64_t span, struct timespec *now)
{
	uint64_t nsec = now->tv_nsec + span;

	now->tv_sec += nsec / NSEC;
	now->tv_nsec = nsec % NSEC;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, now, NULL) == EINTR)
		;
}

static int set(int argc, char **argv)
{
	uint64_t flags = GPIO_V2_LINE_FLAG_OUTPUT, times = 1;
	struct timespec now;
	char **steps;
	int option, fd, count;

	while ((option = getopt(argc, argv, "+on:")) != -1) {
		if (option == 'o')
			flags |= GPIO_V2_LINE_FLAG_OPEN_DRAIN;
		else if (option == 'n')
			times = parse_count(optarg);
		else
			usage();
	}
	if (argc - optind < 2)
		usage();
	steps = argv + optind + 1;
	count = argc - optind - 1;
	for (int i = 0; i < count; i++)
		i % 2 == 0 ? parse_level(steps[i]) : parse_duration(steps[i]);

	fd = request(argv[optind], flags, parse_level(steps[0]));
	/* From instant to instant, so that the work between does not add up. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	for (uint64_t round = 0; round < times; round++) {
		for (int i = round == 0 ? 1 : 0; i < count; i++) {
			struct gpio_v2_line_values values = { .mask = 1 };

			if (i % 2 == 1) {
				pause_for(parse_duration(steps[i]), &now);
				continue;
			}
			values.bits = parse_level(steps[i]);
			if (ioctl(fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &values) < 0)
				die("line %s", argv[optind]);
		}
	}
	return 0;
}

static int watch(int argc, char **argv)
{
	uint64_t edges = GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;
	uint64_t wanted = 0, seen = 0, limit = 0;
	struct timespec end = { 0 };
	struct pollfd waiting;
	int option;

	while ((option = getopt(argc, argv, "+e:n:t:")) != -1) {
		if (option == 'n')
			wanted = parse_count(optarg);
		else if (option == 't')
			limit = parse_duration(optarg);
		else if (option == 'e' && strcmp(optarg, "rising") == 0)
			edges = GPIO_V2_LINE_FLAG_EDGE_RISING;
		else if (option == 'e' && strcmp(optarg, "falling") == 0)
			edges = GPIO_V2_LINE_FLAG_EDGE_FALLING;
		else if (option != 'e' || strcmp(optarg, "both") != 0)
			usage();
	}
	if (argc - optind != 1)
		usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	waiting.fd = request(argv[optind], GPIO_V2_LINE_FLAG_INPUT | edges, 0);
	waiting.events = POLLIN;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += limit / NSEC + (end.tv_nsec + limit % NSEC) / NSEC;
	end.tv_nsec = (end.tv_nsec + limit % NSEC) % NSEC;
	while (wanted == 0 || seen < wanted) {
		struct gpio_v2_line_event event;
		struct timespec left, *timeout = NULL;
		int ready;

		if (limit > 0) {
			clock_gettime(CLOCK_MONOTONIC, &left);
			left.tv_sec = end.tv_sec - left.tv_sec;
			left.tv_nsec = end.tv_nsec - left.tv_nsec;
			if (left.tv_nsec < 0) {
				left.tv_nsec += NSEC;
				left.tv_sec--;
			}
			if (left.tv_sec < 0)
				break;
			timeout = &left;
		}
		ready = ppoll(&waiting, 1, timeout, NULL);
		if (ready == 0)
			break;
		if (ready < 0 || read(waiting.fd, &event, sizeof(event)) != sizeof(event))
			die("line %s", argv[optind]);
		printf("%llu.%09llu %s %u\n", event.timestamp_ns / NSEC, event.timestamp_ns % NSEC,
		       event.id == GPIO_V2_LINE_EVENT_RISING_EDGE ? "rising" : "falling", event.line_seqno);
		seen++;
	}
	return wanted > 0 && seen < wanted;
}

int gpio_main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return each_line(print_line, NULL);
	if (argc < 2)
		usage();
	if (strcmp(argv[1], "get") == 0)
		return get(argc - 1, argv + 1);
	if (strcmp(argv[1], "set") == 0)
		return set(argc - 1, argv + 1);
	if (strcmp(argv[1], "watch") == 0)
		return watch(argc - 1, argv + 1);
	usage();
}
