// SPDX-License-Identifier: MIT
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail.h"

/* RTM_NEWADDR (rtnetlink(7)) with room for three addresses. */
struct address_request {
	struct nlmsghdr head;
	struct ifaddrmsg message;
	char attributes[3 * RTA_SPACE(sizeof(struct in6_addr))];
};

struct address_answer {
	struct nlmsghdr head;
	struct nlmsgerr error;
};

static void address_attribute(struct address_request *request, unsigned short type, const void *data, size_t size)
{
	struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->head.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), data, size);
	request->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(request->head.nlmsg_len) + RTA_SPACE(size));
}

static void address_fill(struct address_request *request, const struct node_address *address)
{
	if (address->family == AF_INET) {
		address_attribute(request, IFA_LOCAL, &address->v4, sizeof(address->v4));
		address_attribute(request, IFA_ADDRESS, &address->v4, sizeof(address->v4));
		if (address->prefix < 31) {
			struct in_addr broadcast = { address->v4.s_addr | htonl(0xffffffffu >> address->prefix) };

			address_attribute(request, IFA_BROADCAST, &broadcast, sizeof(broadcast));
		}
	} else {
		address_attribute(request, IFA_ADDRESS, &address->v6, sizeof(address->v6));
		request->message.ifa_flags = IFA_F_NODAD;
	}
}

/* Sends the request and takes the kernel's answer: 0, or what went wrong as an errno. */
static int address_ask(int route, const struct address_request *request)
{
	struct address_answer answer;

	if (send(route, request, request->head.nlmsg_len, 0) < 0)
		return errno;
	/* The kernel answers before send() returns. */
	if (recv(route, &answer, sizeof(answer), MSG_DONTWAIT) < 0)
		return errno;
	return answer.head.nlmsg_type == NLMSG_ERROR ? -answer.error.error : EPROTO;
}

static void address_add(int route, const struct node_interface *interface, const struct node_address *address)
{
	struct address_request request = {
		.head = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
			.nlmsg_type = RTM_NEWADDR,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
		},
		.message = {
			.ifa_family = (unsigned char)address->family,
			.ifa_prefixlen = address->prefix,
			.ifa_index = if_nametoindex(interface->name),
		},
	};
	char text[INET6_ADDRSTRLEN];
	int error;

	address_fill(&request, address);
	error = address_ask(route, &request);
	if (error)
		fail("interface %s: cannot add the address %s/%u: %s", interface->name,
		     inet_ntop(address->family, &address->v6, text, sizeof(text)), address->prefix, strerror(error));
}

void address_add_all(const struct node *node)
{
	int route;

	if (!node->address_count)
		return;
	route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (route < 0)
		fail("cannot open a route socket: %s", strerror(errno));
	for (unsigned int i = 0; i < node->address_count; i++)
		address_add(route, &node->interfaces[node->addresses[i].interface], &node->addresses[i]);
	close(route);
}
