// SPDX-License-Identifier: MIT
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../protocols/agent/agent.h"

/* For how long a console device may take to name its ports. */
#define AGENT_WAIT_MS 5000

/* linux/virtio_ids.h and linux/virtio_console.h, as sysfs writes them. */
#define AGENT_CONSOLE_DEVICE "0x0003"
#define AGENT_FEATURE_MULTIPORT 1

static int agent_port = -1;

/* The first line of the file DIRECTORY/NAME/LEAF, without its end. */
static bool agent_read(const char *directory, const char *name, const char *leaf, char *line, size_t size)
{
	char path[512];
	ssize_t got;
	int file;

	if (snprintf(path, sizeof(path), "%s/%s/%s", directory, name, leaf) >= (int)sizeof(path))
		return false;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	got = read(file, line, size - 1);
	close(file);
	if (got < 0)
		return false;
	line[got] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* Whether a console device with named ports is there, so that it is worth waiting for its ports. */
static bool agent_expected(void)
{
	static const char devices[] = "/sys/bus/virtio/devices";
	char line[128];
	struct dirent *entry;
	bool found = false;
	DIR *list = opendir(devices);

	if (!list)
		return false;
	while (!found && (entry = readdir(list))) {
		if (entry->d_name[0] == '.')
			continue;
		if (!agent_read(devices, entry->d_name, "device", line, sizeof(line)))
			continue;
		if (strcmp(line, AGENT_CONSOLE_DEVICE))
			continue;
		if (!agent_read(devices, entry->d_name, "features", line, sizeof(line)))
			continue;
		found = strlen(line) > AGENT_FEATURE_MULTIPORT && line[AGENT_FEATURE_MULTIPORT] == '1';
	}
	closedir(list);
	return found;
}

static bool agent_find(void)
{
	static const char ports[] = "/sys/class/virtio-ports";
	char path[sizeof("/dev/") + sizeof(((struct dirent *)0)->d_name)];
	char line[128];
	struct dirent *entry;
	DIR *list = opendir(ports);

	if (!list)
		return false;
	while (agent_port < 0 && (entry = readdir(list))) {
		if (entry->d_name[0] == '.')
			continue;
		if (!agent_read(ports, entry->d_name, "name", line, sizeof(line)))
			continue;
		if (strcmp(line, ONECLOCK_AGENT_PORT))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		agent_port = open(path, O_RDWR | O_CLOEXEC);
	}
	closedir(list);
	return agent_port >= 0;
}

static int64_t agent_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Looks again at each of the kernel's device events, until the port is there. */
static bool agent_wait(int events)
{
	int64_t end = agent_now_ms() + AGENT_WAIT_MS;
	char event[8192];

	for (;;) {
		struct pollfd wait = { .fd = events, .events = POLLIN };
		int64_t left = end - agent_now_ms();

		if (left <= 0)
			return false;
		if (poll(&wait, 1, (int)left) < 0 && errno != EINTR)
			return false;
		while (recv(events, event, sizeof(event), MSG_DONTWAIT) > 0)
			;
		if (agent_find())
			return true;
	}
}

bool agent_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	bool found;
	int events;

	if (agent_find())
		return true;
	if (!agent_expected())
		return false;
	events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (events < 0)
		return false;
	/* Subscribe first, look afterwards: a port that comes in between is not missed. */
	found = bind(events, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		(agent_find() || agent_wait(events));
	close(events);
	return found;
}

bool agent_send(const uint8_t *report, size_t size)
{
	if (agent_port < 0)
		return false;
	while (size > 0) {
		ssize_t put = write(agent_port, report, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		report += put;
		size -= (size_t)put;
	}
	return true;
}
