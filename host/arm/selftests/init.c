// SPDX-License-Identifier: GPL-2.0
/*
 * The first process of a machine that runs one test program: init PROGRAM ARGUMENT...
 *
 * Says what machine this is, runs the program, and ends with the line
 * "status N", where N is 0 if the program ended with 0 and the kernel has not
 * complained.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define KLOG_READ_ALL		3
#define KLOG_CONSOLE_LEVEL	8

static void mount_or_die(const char *type, const char *folder)
{
	if (mount(type, folder, type, 0, NULL)) {
		perror(folder);
		exit(1);
	}
}

/* Prints "# NAME: first line of the file", or nothing. */
static void print_file(const char *name, const char *path)
{
	char text[256];
	ssize_t length;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	printf("# %s: %s\n", name, text);
}

static void print_machine(void)
{
	struct utsname kernel;
	struct dirent *entry;
	char path[512];
	DIR *chips;

	print_file("machine", "/proc/device-tree/model");
	print_file("command line", "/proc/cmdline");
	if (!uname(&kernel))
		printf("# kernel: %s %s\n", kernel.release, kernel.machine);
	printf("# processors: %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	chips = opendir("/sys/class/gpio");
	if (!chips)
		return;
	while ((entry = readdir(chips))) {
		if (strncmp(entry->d_name, "gpiochip", 8))
			continue;
		snprintf(path, sizeof(path), "/sys/class/gpio/%s/label", entry->d_name);
		print_file("GPIO chip", path);
		snprintf(path, sizeof(path), "/sys/class/gpio/%s/ngpio", entry->d_name);
		print_file("   lines", path);
	}
	closedir(chips);
}

static int run(char **arguments)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execv(arguments[0], arguments);
		perror(arguments[0]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	if (WIFSIGNALED(status)) {
		printf("# %s was killed by signal %d\n", arguments[0], WTERMSIG(status));
		return 1;
	}
	return WEXITSTATUS(status);
}

/* Whether the kernel's log has something that must not be there; prints it. */
static int complaints(void)
{
	static const char * const words[] = {
		"BUG", "WARNING", "Oops", "Call Trace", "stall", "hung task"
	};
	static char log[1 << 20];
	int length = klogctl(KLOG_READ_ALL, log, sizeof(log) - 1), found = 0;
	char *line, *rest = log;
	unsigned int i;

	log[length > 0 ? length : 0] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
			if (!strstr(line, words[i]))
				continue;
			printf("not ok - the kernel complains: %s\n", line);
			found = 1;
			break;
		}
	}
	return found;
}

int main(int argc, char **argv)
{
	int status;

	mount_or_die("proc", "/proc");
	mount_or_die("sysfs", "/sys");
	mount_or_die("devtmpfs", "/dev");
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	klogctl(KLOG_CONSOLE_LEVEL, NULL, 1);
	print_machine();
	status = argc > 1 ? run(argv + 1) : 0;
	if (complaints())
		status = 1;
	printf("status %d\n", status);
	fflush(stdout);
	/* Whoever reads the line above ends machines that cannot end themselves. */
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
