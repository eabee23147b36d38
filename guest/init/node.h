/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_NODE_H
#define ONECLOCK_NODE_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What this guest is, read from the lines of /oneclock/node (written by guest/initramfs.ts):
 *
 *	hostname NAME
 *	root initramfs|host
 *	interface MAC NAME MTU
 *	address NAME ADDRESS/PREFIX
 *	relay TCP-PORT
 *	files
 *	show PATH
 *	agent
 *
 * An address belongs to an interface that an earlier line names. With a relay, the controller reaches that port of
 * the loopback interface. `files` says that there are some in /oneclock/files: a guest without them does not look,
 * since even that would move what it does in virtual time. `show`: a folder of the host that is seen although it is
 * below one that is the guest's own, such as /tmp. `agent`: the controller may have programs run in this guest, and put
 * and get files.
 */

#define NODE_MAX_FILE 65536
#define NODE_MAX_HOSTNAME 64
#define NODE_MAX_INTERFACES 256
#define NODE_MAX_ADDRESSES 1024
#define NODE_MAX_SHOWN 4
#define NODE_MAX_PATH 1024

struct node_interface {
	uint8_t mac[6];
	char name[IFNAMSIZ];
	int mtu;
	/* Whether any of its addresses is of IPv6. */
	bool ipv6;
};

struct node_address {
	/* Index into node.interfaces. */
	unsigned int interface;
	/* AF_INET or AF_INET6. */
	int family;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
	uint8_t prefix;
};

struct node {
	char hostname[NODE_MAX_HOSTNAME + 1];
	bool host_root;
	/* 0: no relay. */
	uint16_t relay_port;
	bool files;
	bool agent;
	unsigned int shown_count;
	char shown[NODE_MAX_SHOWN][NODE_MAX_PATH];
	unsigned int interface_count;
	struct node_interface interfaces[NODE_MAX_INTERFACES];
	unsigned int address_count;
	struct node_address addresses[NODE_MAX_ADDRESSES];
};

/*
 * Reads `size` bytes of description into `node`. The text is cut up in place and needs one more byte of room
 * than `size`. False: it is malformed, and `error` says in which line and why.
 */
bool node_parse(struct node *node, char *text, size_t size, char *error, size_t error_size);

#endif
