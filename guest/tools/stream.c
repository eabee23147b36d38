// SPDX-License-Identifier: MIT
/*
 * Sends a stream of bytes through TCP, and says how many bytes went through in what time of the guest's own
 * clock.
 *
 *	stream listen PORT			one connection, until the sender closes it
 *	stream send ADDRESS PORT BYTES|DURATION [RATE]
 *
 * BYTES: 5000, 10K, 64M, 1G (powers of 1024). DURATION: 500ms, 10s. RATE: 5000bit, 100kbit, 10mbit, 1gbit (powers
 * of 1000) a second; none: as fast as it goes. The sender's time ends when the receiver has had everything.
 */
#include "tools.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define CHUNK 65536
/* A sender may be up before its receiver: for how long, and how often, it tries again. */
#define CONNECT_TRIES 500
#define CONNECT_PAUSE (10 * SECOND / 1000)

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit byte_units[] = {
	{ "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 }, { NULL, 0 },
};
static const struct unit time_units[] = {
	{ "us", 1000 }, { "ms", 1000000 }, { "s", SECOND }, { NULL, 0 },
};
static const struct unit rate_units[] = {
	{ "bit", 1 }, { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", 1000000000 }, { NULL, 0 },
};

static uint8_t chunk[CHUNK];

static void usage(void)
{
	fprintf(stderr, "usage: stream listen PORT\n"
			"       stream send ADDRESS PORT BYTES|DURATION [RATE]\n"
			"BYTES: 5000, 10K, 64M, 1G   DURATION: 500ms, 10s   RATE: 100kbit, 10mbit, 1gbit\n");
	exit(2);
}

static void die(const char *what)
{
	fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A positive whole number and its unit. */
static bool parse(const char *text, const struct unit *units, uint64_t *value)
{
	char *end;
	unsigned long long number;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	for (; units->name; units++) {
		if (strcmp(units->name, end))
			continue;
		*value = number * units->factor;
		return errno == 0 && number > 0 && number <= UINT64_MAX / units->factor;
	}
	return false;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static void sleep_until(uint64_t instant)
{
	struct timespec time = { (time_t)(instant / SECOND), (long)(instant % SECOND) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

static void print_result(const char *done, uint64_t bytes, uint64_t span)
{
	double rate = span ? (double)bytes * 8 * (double)SECOND / (double)span : 0;

	printf("%s %" PRIu64 " bytes in %" PRIu64 ".%09" PRIu64 " s: %.0f bit/s\n", done, bytes, span / SECOND,
	       span % SECOND, rate);
}


static socklen_t parse_address(const char *text, uint16_t port, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		return sizeof(*v6);
	}
	usage();
	return 0;
}

static void receive(uint16_t port)
{
	struct sockaddr_storage address;
	uint64_t bytes = 0;
	uint64_t begin;
	ssize_t got;
	int connection;
	int on = 1;
	/* With IPv6 this takes IPv4 too; a kernel without it has only the other. */
	int listener = socket(AF_INET6, SOCK_STREAM, 0);
	const char *any = "::";

	if (listener < 0) {
		listener = socket(AF_INET, SOCK_STREAM, 0);
		any = "0.0.0.0";
	}
	if (listener < 0)
		die("socket");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, parse_address(any, port, &address)) || listen(listener, 1))
		die("listen");
	connection = accept(listener, NULL, NULL);
	if (connection < 0)
		die("accept");
	close(listener);
	begin = now();
	while ((got = recv(connection, chunk, sizeof(chunk), 0)) != 0) {
		if (got < 0 && errno != EINTR)
			die("receive");
		if (got > 0)
			bytes += (uint64_t)got;
	}
	print_result("received", bytes, now() - begin);
}

static int connect_to(const char *host, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t size = parse_address(host, port, &address);

	for (int i = 1;; i++) {
		int connection = socket(address.ss_family, SOCK_STREAM, 0);

		if (connection < 0)
			die("socket");
		if (connect(connection, (struct sockaddr *)&address, size) == 0)
			return connection;
		if (errno != ECONNREFUSED || i == CONNECT_TRIES)
			die("connect");
		close(connection);
		sleep_until(now() + CONNECT_PAUSE);
	}
}

/* Sends until `bytes` are sent or `span` is over, at `rate` bits a second; 0: no such bound. */
static void transmit(int connection, uint64_t bytes, uint64_t span, uint64_t rate)
{
	/* With a rate, a hundredth of a second's worth at a time. */
	uint64_t most = rate && rate / 800 < CHUNK ? rate / 800 + 1 : CHUNK;
	uint64_t begin = now();
	uint64_t sent = 0;
	ssize_t got;

	while ((!bytes || sent < bytes) && (!span || now() - begin < span)) {
		uint64_t size = bytes && bytes - sent < most ? bytes - sent : most;
		ssize_t put = send(connection, chunk, size, MSG_NOSIGNAL);

		if (put < 0 && errno != EINTR)
			die("send");
		if (put > 0)
			sent += (uint64_t)put;
		if (rate)
			sleep_until(begin + (uint64_t)((unsigned __int128)sent * 8 * SECOND / rate));
	}
	if (shutdown(connection, SHUT_WR))
		die("shutdown");
	/* The receiver sends nothing but its end. */
	while ((got = recv(connection, chunk, sizeof(chunk), 0)) != 0)
		if (got < 0 && errno != EINTR)
			die("wait for the receiver");
	print_result("sent", sent, now() - begin);
}

int stream_main(int count, char **words)
{
	static const struct unit port_units[] = { { "", 1 }, { NULL, 0 } };
	uint64_t port = 0;
	uint64_t bytes = 0;
	uint64_t span = 0;
	uint64_t rate = 0;

	if (count == 3 && !strcmp(words[1], "listen") && parse(words[2], port_units, &port) && port < 65536) {
		receive((uint16_t)port);
		return 0;
	}
	if (count < 5 || count > 6 || strcmp(words[1], "send") || !parse(words[3], port_units, &port) || port > 65535)
		usage();
	if (!parse(words[4], byte_units, &bytes) && !parse(words[4], time_units, &span))
		usage();
	if (count == 6 && !parse(words[5], rate_units, &rate))
		usage();
	transmit(connect_to(words[2], (uint16_t)port), bytes, span, rate);
	return 0;
}
