// SPDX-License-Identifier: MIT
#include "port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* For how long a console device may take to name its ports. */
#define PORT_WAIT_MS 5000

/* linux/virtio_ids.h and linux/virtio_console.h, as sysfs writes them. */
#define PORT_CONSOLE_DEVICE "0x0003"
#define PORT_FEATURE_MULTIPORT 1

/* The first line of the file DIRECTORY/NAME/LEAF, without its end. */
static bool port_read(const char *directory, const char *name, const char *leaf, char *line, size_t size)
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
static bool port_expected(void)
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
		if (!port_read(devices, entry->d_name, "device", line, sizeof(line)))
			continue;
		if (strcmp(line, PORT_CONSOLE_DEVICE))
			continue;
		if (!port_read(devices, entry->d_name, "features", line, sizeof(line)))
			continue;
		found = strlen(line) > PORT_FEATURE_MULTIPORT && line[PORT_FEATURE_MULTIPORT] == '1';
	}
	closedir(list);
	return found;
}

/* The descriptor of the port with this name, or -1. */
static int port_find(const char *wanted)
{
	static const char ports[] = "/sys/class/virtio-ports";
	char path[sizeof("/dev/") + sizeof(((struct dirent *)0)->d_name)];
	char line[128];
	struct dirent *entry;
	DIR *list = opendir(ports);
	int port = -1;

	if (!list)
		return -1;
	while (port < 0 && (entry = readdir(list))) {
		if (entry->d_name[0] == '.')
			continue;
		if (!port_read(ports, entry->d_name, "name", line, sizeof(line)))
			continue;
		if (strcmp(line, wanted))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		port = open(path, O_RDWR | O_CLOEXEC);
	}
	closedir(list);
	return port;
}

static int64_t port_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Looks again at each of the kernel's device events, until the port is there. */
static int port_wait(int events, const char *name)
{
	int64_t end = port_now_ms() + PORT_WAIT_MS;
	char event[8192];

	for (;;) {
		struct pollfd wait = { .fd = events, .events = POLLIN };
		int64_t left = end - port_now_ms();
		int port;

		if (left <= 0)
			return -1;
		if (poll(&wait, 1, (int)left) < 0 && errno != EINTR)
			return -1;
		while (recv(events, event, sizeof(event), MSG_DONTWAIT) > 0)
			;
		port = port_find(name);
		if (port >= 0)
			return port;
	}
}

int port_open(const char *name)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int port = port_find(name);
	int events;

	if (port >= 0 || !port_expected())
		return port;
	events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (events < 0)
		return -1;
	/* Subscribe first, look afterwards: a port that comes in between is not missed. */
	if (bind(events, (struct sockaddr *)&address, sizeof(address)) == 0) {
		port = port_find(name);
		if (port < 0)
			port = port_wait(events, name);
	}
	close(events);
	return port;
}
