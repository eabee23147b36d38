// SPDX-License-Identifier: MIT
#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "carrier.h"
#include "fail.h"

static int network_socket;

static void network_name(struct ifreq *request, const char *name)
{
	memset(request, 0, sizeof(*request));
	strncpy(request->ifr_name, name, IFNAMSIZ - 1);
}

static void network_raise(const char *name)
{
	struct ifreq request;

	network_name(&request, name);
	if (ioctl(network_socket, SIOCGIFFLAGS, &request))
		fail("interface %s: cannot read its flags: %s", name, strerror(errno));
	request.ifr_flags |= IFF_UP;
	if (ioctl(network_socket, SIOCSIFFLAGS, &request))
		fail("interface %s: cannot bring it up: %s", name, strerror(errno));
}

/* The present name of the device with the MAC address of `interface`. */
static void network_find(const struct node_interface *interface, char name[IFNAMSIZ])
{
	struct if_nameindex *devices = if_nameindex();
	const uint8_t *mac = interface->mac;
	struct ifreq request;

	if (!devices)
		fail("cannot list the network devices: %s", strerror(errno));
	for (struct if_nameindex *device = devices; device->if_name; device++) {
		network_name(&request, device->if_name);
		if (ioctl(network_socket, SIOCGIFHWADDR, &request))
			continue;
		if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER || memcmp(request.ifr_hwaddr.sa_data, mac, 6))
			continue;
		strncpy(name, device->if_name, IFNAMSIZ - 1);
		name[IFNAMSIZ - 1] = '\0';
		if_freenameindex(devices);
		return;
	}
	fail("interface %s: the guest has no network device with the address %02x:%02x:%02x:%02x:%02x:%02x",
	     interface->name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void network_rename(const char *from, const char *to)
{
	struct ifreq request;

	if (!strcmp(from, to))
		return;
	network_name(&request, from);
	strncpy(request.ifr_newname, to, IFNAMSIZ - 1);
	if (ioctl(network_socket, SIOCSIFNAME, &request))
		fail("interface %s: cannot rename the device %s: %s%s", to, from, strerror(errno),
		     errno == EEXIST ? " (as the name of a device that the node does not have)" : "");
}

/* The names may be a permutation of those that the kernel gave, so all are moved out of the way first. */
static void network_rename_all(const struct node *node)
{
	char names[NODE_MAX_INTERFACES][IFNAMSIZ];
	bool moved = false;

	for (unsigned int i = 0; i < node->interface_count; i++) {
		network_find(&node->interfaces[i], names[i]);
		moved |= strcmp(names[i], node->interfaces[i].name) != 0;
	}
	if (!moved)
		return;
	for (unsigned int i = 0; i < node->interface_count; i++) {
		char spare[IFNAMSIZ];

		snprintf(spare, sizeof(spare), "oneclock%u", i % NODE_MAX_INTERFACES);
		network_rename(names[i], spare);
	}
	for (unsigned int i = 0; i < node->interface_count; i++) {
		char spare[IFNAMSIZ];

		snprintf(spare, sizeof(spare), "oneclock%u", i % NODE_MAX_INTERFACES);
		network_rename(spare, node->interfaces[i].name);
	}
}

/* Sets /proc/sys/net/ipv6/LEAF. A kernel without IPv6 has none of them, which is fine until it is needed. */
static void network_ipv6_setting(const char *leaf, const char *value, bool needed)
{
	char path[128];
	size_t size = strlen(value);
	int file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/%s", leaf);
	file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0 && errno == ENOENT && !needed)
		return;
	if (file < 0 || write(file, value, size) != (ssize_t)size)
		fail("cannot write %s to %s: %s%s", value, path, strerror(errno),
		     errno == ENOENT ? " (an IPv6 address needs a kernel with IPv6)" : "");
	close(file);
}

static void network_ipv6(const struct node_interface *interface)
{
	/* The last one: membership of the addresses' own groups is reported at once, not after a random time. */
	static const char *const quiet[] = {
		"accept_dad", "dad_transmits",	"router_solicitations",
		"accept_ra",  "autoconf",	"mldv2_unsolicited_report_interval",
	};
	char leaf[sizeof("conf//mldv2_unsolicited_report_interval") + IFNAMSIZ];

	if (!interface->ipv6) {
		snprintf(leaf, sizeof(leaf), "conf/%s/disable_ipv6", interface->name);
		network_ipv6_setting(leaf, "1", false);
		return;
	}
	/* And once, not again in case a frame was lost. */
	network_ipv6_setting("mld_qrv", "1", true);
	for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++) {
		snprintf(leaf, sizeof(leaf), "conf/%s/%s", interface->name, quiet[i]);
		network_ipv6_setting(leaf, "0", true);
	}
}

void network_up(const struct node *node)
{
	int listener;

	network_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (network_socket < 0)
		fail("cannot open a network socket: %s", strerror(errno));
	network_raise("lo");
	network_rename_all(node);
	for (unsigned int i = 0; i < node->interface_count; i++) {
		const struct node_interface *interface = &node->interfaces[i];
		struct ifreq request;

		network_name(&request, interface->name);
		request.ifr_mtu = interface->mtu;
		if (ioctl(network_socket, SIOCSIFMTU, &request))
			fail("interface %s: cannot set its MTU to %d: %s", interface->name, interface->mtu,
			     strerror(errno));
		network_ipv6(interface);
	}
	address_add_all(node);
	listener = carrier_listen();
	for (unsigned int i = 0; i < node->interface_count; i++)
		network_raise(node->interfaces[i].name);
	close(network_socket);
	carrier_wait(listener, node);
}
