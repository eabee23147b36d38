// SPDX-License-Identifier: MIT
#include "node.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* More words than any setting has, so that a word too many is seen. */
#define NODE_MAX_WORDS 5

/* The least and the greatest MTU of an Ethernet device (ETH_MIN_MTU, ETH_MAX_MTU in linux/if_ether.h). */
#define NODE_MIN_MTU 68
#define NODE_MAX_MTU 65535

/* A decimal number of digits only, 0 … max; strtoul would take signs, blanks and what comes after. */
static bool node_number(const char *text, unsigned int max, unsigned int *value)
{
	unsigned int number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		number = number * 10 + (unsigned int)(*text - '0');
		if (number > max)
			return false;
	}
	*value = number;
	return true;
}

static int node_hex(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return -1;
}

static bool node_mac(const char *text, uint8_t mac[6])
{
	if (strlen(text) != 17)
		return false;
	for (int i = 0; i < 6; i++, text += 3) {
		int high = node_hex(text[0]);
		int low = node_hex(text[1]);

		if (high < 0 || low < 0 || (i < 5 && text[2] != ':'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* What the kernel takes as an interface's name (dev_valid_name), in printable ASCII. */
static bool node_interface_name(const char *name)
{
	if (strlen(name) >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || *name == '/' || *name == ':' || *name == '%')
			return false;
	return true;
}

static const char *node_set_hostname(struct node *node, char **words)
{
	for (const char *at = words[1]; *at; at++)
		if (*at < '!' || *at > '~')
			return "a hostname that is not of printable ASCII characters";
	if (node->hostname[0])
		return "a second hostname";
	if (strlen(words[1]) > NODE_MAX_HOSTNAME)
		return "a hostname of more than 64 characters";
	strcpy(node->hostname, words[1]);
	return NULL;
}

static const char *node_set_root(struct node *node, char **words)
{
	if (!strcmp(words[1], "host"))
		node->host_root = true;
	else if (!strcmp(words[1], "initramfs"))
		node->host_root = false;
	else
		return "the root is neither initramfs nor host";
	return NULL;
}

static const char *node_add_interface(struct node *node, char **words)
{
	struct node_interface *interface;
	unsigned int mtu;

	if (node->interface_count == NODE_MAX_INTERFACES)
		return "more than 256 interfaces";
	interface = &node->interfaces[node->interface_count];
	if (!node_mac(words[1], interface->mac))
		return "the MAC address is not six pairs of lower-case hexadecimal digits";
	if (!node_interface_name(words[2]))
		return "no possible name of an interface";
	if (!node_number(words[3], NODE_MAX_MTU, &mtu) || mtu < NODE_MIN_MTU)
		return "the MTU is not a number from 68 to 65535";
	for (unsigned int i = 0; i < node->interface_count; i++) {
		if (!strcmp(node->interfaces[i].name, words[2]))
			return "a second interface of that name";
		if (!memcmp(node->interfaces[i].mac, interface->mac, sizeof(interface->mac)))
			return "a second interface with that MAC address";
	}
	strcpy(interface->name, words[2]);
	interface->mtu = (int)mtu;
	interface->ipv6 = false;
	node->interface_count++;
	return NULL;
}

static const char *node_add_address(struct node *node, char **words)
{
	struct node_address *address;
	unsigned int prefix;
	char *slash = strchr(words[2], '/');

	if (node->address_count == NODE_MAX_ADDRESSES)
		return "more than 1024 addresses";
	if (!slash)
		return "the address has no /PREFIX";
	*slash = '\0';
	address = &node->addresses[node->address_count];
	if (inet_pton(AF_INET, words[2], &address->v4) == 1)
		address->family = AF_INET;
	else if (inet_pton(AF_INET6, words[2], &address->v6) == 1)
		address->family = AF_INET6;
	else
		return "neither an IPv4 nor an IPv6 address";
	if (!node_number(slash + 1, address->family == AF_INET ? 32 : 128, &prefix))
		return "the prefix is not a number that the address can have";
	address->prefix = (uint8_t)prefix;
	for (unsigned int i = 0; i < node->interface_count; i++) {
		if (strcmp(node->interfaces[i].name, words[1]))
			continue;
		address->interface = i;
		if (address->family == AF_INET6)
			node->interfaces[i].ipv6 = true;
		node->address_count++;
		return NULL;
	}
	return "an address of an interface that no earlier line names";
}

static const char *node_set_relay(struct node *node, char **words)
{
	unsigned int port;

	if (node->relay_port)
		return "a second relay";
	if (!node_number(words[1], 65535, &port) || port == 0)
		return "the TCP port is not a number from 1 to 65535";
	node->relay_port = (uint16_t)port;
	return NULL;
}

static const char *node_set_files(struct node *node, char **words)
{
	(void)words;
	node->files = true;
	return NULL;
}

static const char *node_set_agent(struct node *node, char **words)
{
	(void)words;
	node->agent = true;
	return NULL;
}

static const char *node_add_shown(struct node *node, char **words)
{
	if (node->shown_count == NODE_MAX_SHOWN)
		return "more than 4 folders to show";
	if (words[1][0] != '/' || strstr(words[1], "/.."))
		return "no absolute path without ..";
	if (strlen(words[1]) >= NODE_MAX_PATH)
		return "a path of more than 1023 characters";
	strcpy(node->shown[node->shown_count++], words[1]);
	return NULL;
}

static const struct {
	const char *word;
	int words;
	const char *(*set)(struct node *node, char **words);
} node_settings[] = {
	{ "hostname", 2, node_set_hostname },
	{ "root", 2, node_set_root },
	{ "interface", 4, node_add_interface },
	{ "address", 3, node_add_address },
	{ "relay", 2, node_set_relay },
	{ "files", 1, node_set_files },
	{ "show", 2, node_add_shown },
	{ "agent", 1, node_set_agent },
};

static const char *node_line(struct node *node, char *line)
{
	char *words[NODE_MAX_WORDS + 1];
	char *rest = NULL;
	int count = 0;

	for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (count == NODE_MAX_WORDS)
			return "too many words";
		words[count++] = word;
	}
	if (count == 0)
		return "an empty line";
	for (size_t i = 0; i < sizeof(node_settings) / sizeof(node_settings[0]); i++) {
		if (strcmp(node_settings[i].word, words[0]))
			continue;
		if (node_settings[i].words != count)
			return "the setting has another number of words";
		return node_settings[i].set(node, words);
	}
	return "no setting that is known: hostname, root, interface, address, relay, files, show, agent";
}

/* Takes back what cutting the line into words did to it, for the message. */
static void node_mend(char *line, const char *end)
{
	for (; line < end; line++)
		if (!*line)
			*line = ' ';
}

bool node_parse(struct node *node, char *text, size_t size, char *error, size_t error_size)
{
	unsigned int number = 1;
	const char *fault = NULL;

	memset(node, 0, sizeof(*node));
	if (memchr(text, '\0', size)) {
		snprintf(error, error_size, "a zero byte in the description");
		return false;
	}
	text[size] = '\0';
	for (char *end; *text; text = end, number++) {
		end = strchr(text, '\n');
		if (!end)
			fault = "the line is cut off";
		else {
			*end++ = '\0';
			fault = node_line(node, text);
		}
		if (fault) {
			if (end)
				node_mend(text, end - 1);
			snprintf(error, error_size, "line %u: %s: \"%.60s\"", number, fault, text);
			return false;
		}
	}
	if (!node->hostname[0]) {
		snprintf(error, error_size, "no line with the hostname");
		return false;
	}
	return true;
}
