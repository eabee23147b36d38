// SPDX-License-Identifier: MIT
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../protocols/relay/relay.h"

#define HEADER ONECLOCK_RELAY_HEADER
#define WINDOW ONECLOCK_RELAY_WINDOW
#define CREDIT_SIZE 4
/* Credit is given in portions of at least this much: a frame for each write would be one too many. */
#define CREDIT_STEP (WINDOW / 4)
/* Nothing tells of a server that begins to listen, so it is tried again after this long. */
#define RETRY_MS 10

enum relay_state {
	/* There is no connection, or none any more. */
	RELAY_IDLE,
	/* Nobody listens at the TCP port yet. */
	RELAY_REFUSED,
	RELAY_CONNECTING,
	RELAY_OPEN,
	/* The controller has closed; what came before is still written to the TCP side. */
	RELAY_DRAINING,
	/* The TCP side has closed, and the controller is to be told. */
	RELAY_ENDED,
};

struct relay {
	int port;
	uint16_t tcp_port;

	enum relay_state state;
	int tcp;
	uint32_t connection;
	/* What the controller has room for, and what has been written since it got credit. */
	uint32_t room;
	uint32_t written;

	/* A ring with what goes to the TCP side. */
	uint8_t data[WINDOW];
	size_t data_first;
	size_t data_size;

	/* The frame that comes from the port, as far as it is there: its header, and what is left of its body. */
	uint8_t header[HEADER];
	size_t header_size;
	size_t body_left;
	uint8_t credit[CREDIT_SIZE];
	size_t credit_size;

	/* The frame that goes to the port. */
	uint8_t out[HEADER + ONECLOCK_RELAY_MAX_DATA];
	size_t out_size;
	size_t out_done;
};

static uint32_t relay_u32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void relay_put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* The body, of `size` bytes, is in its place already. */
static void relay_put_frame(struct relay *relay, uint32_t connection, uint8_t type, size_t size)
{
	relay_put_u32(relay->out, connection);
	relay->out[4] = type;
	relay->out[5] = 0;
	relay->out[6] = (uint8_t)size;
	relay->out[7] = (uint8_t)(size >> 8);
	relay->out_size = HEADER + size;
	relay->out_done = 0;
}

static void relay_leave(struct relay *relay, enum relay_state state)
{
	if (relay->tcp >= 0)
		close(relay->tcp);
	relay->tcp = -1;
	/* What waits for a server that is not there yet still waits. */
	if (state != RELAY_REFUSED)
		relay->data_size = 0;
	relay->state = state;
}

static void relay_connect(struct relay *relay)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(relay->tcp_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int one = 1;

	relay->tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (relay->tcp < 0) {
		relay_leave(relay, RELAY_ENDED);
		return;
	}
	setsockopt(relay->tcp, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(relay->tcp, (struct sockaddr *)&address, sizeof(address)) == 0)
		relay->state = RELAY_OPEN;
	else if (errno == EINPROGRESS)
		relay->state = RELAY_CONNECTING;
	else
		relay_leave(relay, errno == ECONNREFUSED ? RELAY_REFUSED : RELAY_ENDED);
}

static void relay_connected(struct relay *relay)
{
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(relay->tcp, SOL_SOCKET, SO_ERROR, &error, &size);
	if (!error)
		relay->state = RELAY_OPEN;
	else
		relay_leave(relay, error == ECONNREFUSED ? RELAY_REFUSED : RELAY_ENDED);
}

/* --- from the port to TCP --- */

static bool relay_has_connection(const struct relay *relay)
{
	return relay->state != RELAY_IDLE && relay->state != RELAY_DRAINING;
}

/* What a header says is done, or is to be done with the body behind it. False: no controller says that. */
static bool relay_take_header(struct relay *relay)
{
	uint32_t connection = relay_u32(relay->header);
	uint8_t type = relay->header[4];
	size_t size = (size_t)relay->header[6] | (size_t)relay->header[7] << 8;
	bool mine = relay_has_connection(relay) && connection == relay->connection;

	relay->body_left = size;
	relay->credit_size = 0;
	switch (type) {
	case ONECLOCK_RELAY_OPEN:
		relay_leave(relay, RELAY_IDLE);
		relay->connection = connection;
		relay->room = WINDOW;
		relay->written = 0;
		relay_connect(relay);
		return size == 0;
	case ONECLOCK_RELAY_DATA:
		return size <= ONECLOCK_RELAY_MAX_DATA && (!mine || size <= WINDOW - relay->data_size);
	case ONECLOCK_RELAY_CREDIT:
		return size == CREDIT_SIZE;
	case ONECLOCK_RELAY_CLOSE:
		if (mine && relay->state == RELAY_OPEN && relay->data_size > 0)
			relay->state = RELAY_DRAINING;
		else if (mine)
			relay_leave(relay, RELAY_IDLE);
		return size == 0;
	default:
		return false;
	}
}

static void relay_keep(struct relay *relay, const uint8_t *bytes, size_t size)
{
	size_t end = (relay->data_first + relay->data_size) % WINDOW;
	size_t first = size < WINDOW - end ? size : WINDOW - end;

	memcpy(relay->data + end, bytes, first);
	memcpy(relay->data, bytes + first, size - first);
	relay->data_size += size;
}

static void relay_take_body(struct relay *relay, const uint8_t *bytes, size_t size)
{
	relay->body_left -= size;
	if (!relay_has_connection(relay) || relay_u32(relay->header) != relay->connection)
		return;
	if (relay->header[4] == ONECLOCK_RELAY_DATA) {
		/* What comes after the TCP side has closed is for nobody. */
		if (relay->state != RELAY_ENDED)
			relay_keep(relay, bytes, size);
		return;
	}
	memcpy(relay->credit + relay->credit_size, bytes, size);
	relay->credit_size += size;
	if (relay->credit_size == CREDIT_SIZE)
		relay->room += relay_u32(relay->credit);
}

static bool relay_take(struct relay *relay, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		bool body = relay->body_left > 0;
		size_t wanted = body ? relay->body_left : HEADER - relay->header_size;
		size_t part = size < wanted ? size : wanted;

		if (body) {
			relay_take_body(relay, bytes, part);
		} else {
			memcpy(relay->header + relay->header_size, bytes, part);
			relay->header_size += part;
			if (relay->header_size == HEADER) {
				relay->header_size = 0;
				if (!relay_take_header(relay))
					return false;
			}
		}
		bytes += part;
		size -= part;
	}
	return true;
}

static const char *relay_read_port(struct relay *relay)
{
	uint8_t bytes[16384];
	ssize_t got = read(relay->port, bytes, sizeof(bytes));

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? NULL : strerror(errno);
	if (got == 0)
		return "the controller has closed the port";
	return relay_take(relay, bytes, (size_t)got) ? NULL : "what comes from the port is no frame";
}

static void relay_write_tcp(struct relay *relay)
{
	size_t size = relay->data_size;
	ssize_t put;

	if (size > WINDOW - relay->data_first)
		size = WINDOW - relay->data_first;
	put = send(relay->tcp, relay->data + relay->data_first, size, MSG_NOSIGNAL);
	if (put < 0) {
		if (errno != EAGAIN && errno != EINTR)
			relay_leave(relay, relay->state == RELAY_DRAINING ? RELAY_IDLE : RELAY_ENDED);
		return;
	}
	relay->data_first = (relay->data_first + (size_t)put) % WINDOW;
	relay->data_size -= (size_t)put;
	relay->written += (uint32_t)put;
	if (relay->state == RELAY_DRAINING && relay->data_size == 0)
		relay_leave(relay, RELAY_IDLE);
}

/* --- from TCP to the port --- */

/* Reads what the controller has room for into a frame. */
static void relay_read_tcp(struct relay *relay)
{
	size_t size = ONECLOCK_RELAY_MAX_DATA;
	ssize_t got;

	if (size > relay->room)
		size = relay->room;
	got = recv(relay->tcp, relay->out + HEADER, size, 0);
	if (got > 0) {
		relay->room -= (uint32_t)got;
		relay_put_frame(relay, relay->connection, ONECLOCK_RELAY_DATA, (size_t)got);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		relay_leave(relay, RELAY_ENDED);
	}
}

/* The frame that is due, if there is one beside data. */
static void relay_fill_out(struct relay *relay)
{
	if (relay->state == RELAY_OPEN && relay->written >= CREDIT_STEP) {
		relay_put_u32(relay->out + HEADER, relay->written);
		relay_put_frame(relay, relay->connection, ONECLOCK_RELAY_CREDIT, CREDIT_SIZE);
		relay->written = 0;
	} else if (relay->state == RELAY_ENDED) {
		relay_put_frame(relay, relay->connection, ONECLOCK_RELAY_CLOSE, 0);
		relay->state = RELAY_IDLE;
	}
}

static const char *relay_write_port(struct relay *relay)
{
	ssize_t put = write(relay->port, relay->out + relay->out_done, relay->out_size - relay->out_done);

	if (put < 0)
		return errno == EAGAIN || errno == EINTR ? NULL : strerror(errno);
	relay->out_done += (size_t)put;
	if (relay->out_done == relay->out_size)
		relay->out_size = 0;
	return NULL;
}

/* --- */

/* What to wait for on the TCP side; a side that nothing is wanted of is not waited for, even if it has closed. */
static struct pollfd relay_tcp_wait(const struct relay *relay)
{
	struct pollfd wait = { .fd = relay->tcp };

	if (relay->state == RELAY_CONNECTING || relay->data_size > 0)
		wait.events |= POLLOUT;
	if (relay->state == RELAY_OPEN && relay->out_size == 0 && relay->room > 0)
		wait.events |= POLLIN;
	if (!wait.events)
		wait.fd = -1;
	return wait;
}

static void relay_handle_tcp(struct relay *relay, const struct pollfd *wait)
{
	if (!wait->revents)
		return;
	if (relay->state == RELAY_CONNECTING) {
		relay_connected(relay);
		return;
	}
	if (wait->events & POLLOUT && wait->revents & (POLLOUT | POLLERR | POLLHUP))
		relay_write_tcp(relay);
	/* Writing may have ended it. */
	if (relay->state == RELAY_OPEN && wait->events & POLLIN)
		relay_read_tcp(relay);
}

static const char *relay_begin(struct relay *relay)
{
	relay_put_frame(relay, 0, ONECLOCK_RELAY_READY, 0);
	/* A port can be written to when the controller has it open; until then it looks as if closed. This waits. */
	while (relay->out_size > 0) {
		const char *fault = relay_write_port(relay);

		if (fault)
			return fault;
	}
	if (fcntl(relay->port, F_SETFL, O_NONBLOCK))
		return strerror(errno);
	return NULL;
}

const char *relay_serve(int port, uint16_t tcp_port)
{
	static struct relay relay;
	const char *fault;

	relay.port = port;
	relay.tcp_port = tcp_port;
	relay.tcp = -1;
	fault = relay_begin(&relay);
	while (!fault) {
		struct pollfd waits[2];

		if (relay.out_size == 0)
			relay_fill_out(&relay);
		waits[0] = (struct pollfd){ .fd = port, .events = POLLIN | (relay.out_size > 0 ? POLLOUT : 0) };
		waits[1] = relay_tcp_wait(&relay);
		if (poll(waits, 2, relay.state == RELAY_REFUSED ? RETRY_MS : -1) < 0 && errno != EINTR)
			return strerror(errno);
		relay_handle_tcp(&relay, &waits[1]);
		if (relay.state == RELAY_REFUSED)
			relay_connect(&relay);
		if (waits[0].revents & POLLOUT)
			fault = relay_write_port(&relay);
		if (!fault && waits[0].revents & (POLLIN | POLLHUP | POLLERR))
			fault = relay_read_port(&relay);
	}
	return fault;
}
