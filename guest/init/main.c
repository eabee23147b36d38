// SPDX-License-Identifier: MIT
/*
 * PID 1 of a guest: makes it the node that its description says, runs the node's command, and tells the
 * controller how that ended. Afterwards it only takes the status of what ends, so that an idle guest sleeps; or, where
 * the description asks for it, it is the agent: it does what the controller says, beside the command and after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../protocols/agent/agent.h"
#include "../../protocols/relay/relay.h"
#include "agent.h"
#include "command.h"
#include "console.h"
#include "fail.h"
#include "modules.h"
#include "mounts.h"
#include "network.h"
#include "node.h"
#include "port.h"
#include "relay.h"
#include "report.h"
#include "server.h"

#define MAIN_NODE "/oneclock/node"
#define MAIN_RUN "/oneclock/run"
/* The argument, behind `--` on the kernel's command line, of a guest with modules: others do not look for any. */
#define MAIN_MODULES "modules"

/* What the kernel takes as one argument of a program (MAX_ARG_STRLEN: 32 pages), without the zero behind it. */
#define MAIN_MAX_RUN (32 * 4096 - 1)

/* Reads the whole file into `bytes`, which has room for `room`. -1: there is no such file. */
static ssize_t main_read(const char *path, char *bytes, size_t room)
{
	size_t size = 0;
	ssize_t got;
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0 && errno == ENOENT)
		return -1;
	if (file < 0)
		fail("cannot open %s: %s", path, strerror(errno));
	while ((got = read(file, bytes + size, room - size)) > 0)
		size += (size_t)got;
	if (got < 0)
		fail("cannot read %s: %s", path, strerror(errno));
	close(file);
	return (ssize_t)size;
}

static void main_read_node(struct node *node)
{
	static char text[NODE_MAX_FILE + 1];
	char error[256];
	ssize_t size = main_read(MAIN_NODE, text, sizeof(text));

	if (size < 0)
		fail("the initramfs has no " MAIN_NODE);
	if (size > NODE_MAX_FILE)
		fail(MAIN_NODE " has more than %d bytes", NODE_MAX_FILE);
	if (!node_parse(node, text, (size_t)size, error, sizeof(error)))
		fail(MAIN_NODE ", %s", error);
}

/* The node's command, or NULL if it has none. */
static const char *main_read_run(void)
{
	static char text[MAIN_MAX_RUN + 1];
	ssize_t size = main_read(MAIN_RUN, text, sizeof(text));

	if (size < 0)
		return NULL;
	if (size > MAIN_MAX_RUN)
		fail(MAIN_RUN " has more than %d bytes", MAIN_MAX_RUN);
	if (memchr(text, '\0', (size_t)size))
		fail(MAIN_RUN " has a zero byte");
	return text;
}

/* Starts the relay, in a process of its own that goes on as long as the guest does. */
static void main_start_relay(const struct node *node)
{
	int port = port_open(ONECLOCK_RELAY_PORT);
	pid_t relay;

	if (port < 0)
		fail("there is no port " ONECLOCK_RELAY_PORT " for the relay");
	relay = fork();
	if (relay < 0)
		fail("fork: %s", strerror(errno));
	if (relay == 0) {
		console_print("oneclock: the relay ends: %s\n", relay_serve(port, node->relay_port));
		_exit(1);
	}
	close(port);
}

/* What the controller is told of the end of the command. */
static size_t main_describe_end(uint8_t report[REPORT_MAX_SIZE], int status)
{
	return WIFSIGNALED(status) ? report_signalled(report, (uint32_t)WTERMSIG(status)) :
				     report_exited(report, (uint32_t)WEXITSTATUS(status));
}

/* Tells the controller, or whoever reads the console, how the command ended. */
static void main_report_end(int status, bool agent)
{
	uint8_t report[REPORT_MAX_SIZE];

	if (!agent)
		console_print("oneclock: %s %d\n", WIFSIGNALED(status) ? "signal" : "exit",
			      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	/* Whoever hears of the end has all the output. */
	console_drain();
	if (!agent)
		power_off();
	if (!agent_send(report, main_describe_end(report, status)))
		fail("the agent port does not take the report: %s", strerror(errno));
}

static size_t main_end_served(uint8_t report[REPORT_MAX_SIZE], int status)
{
	console_drain();
	return main_describe_end(report, status);
}

/* Does what the controller asks for, beside the command. */
static noreturn void main_serve(const struct node *node, const char *run)
{
	struct server_watch watch = { .pid = -1, .report = main_end_served };

	if (run)
		watch.pid = command_start(run, node->hostname);
	fail("agent: %s", server_serve(agent_descriptor(), &watch));
}

static bool main_has_argument(char **words, const char *wanted)
{
	while (*words && strcmp(*words, wanted))
		words++;
	return *words;
}

int main(int count, char **words)
{
	static struct node node;
	uint8_t report[REPORT_MAX_SIZE];
	const char *run;
	bool agent;

	if (getpid() != 1) {
		fprintf(stderr, "this is the first process of a guest, it does nothing elsewhere\n");
		return 2;
	}
	mounts_kernel();
	console_reserve();
	if (count > 1 && main_has_argument(words + 1, MAIN_MODULES))
		modules_insert();
	agent = agent_open();
	console_open();
	main_read_node(&node);
	run = main_read_run();
	if (sethostname(node.hostname, strlen(node.hostname)))
		fail("cannot set the hostname %s: %s", node.hostname, strerror(errno));
	network_up(&node);
	if (node.host_root)
		mounts_host_root(&node);
	else
		mounts_initramfs_root(&node);
	if (node.relay_port)
		main_start_relay(&node);

	if (node.agent && !agent)
		fail("there is no port " ONECLOCK_AGENT_PORT " for the agent");
	if (!agent && !run)
		console_print("oneclock: ready\n");
	if (agent && !agent_send(report, report_ready(report)))
		fail("the agent port does not take the report: %s", strerror(errno));
	if (node.agent)
		main_serve(&node, run);
	if (run)
		main_report_end(command_wait(command_start(run, node.hostname)), agent);
	command_reap_forever();
}
