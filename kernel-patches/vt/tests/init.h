/* SPDX-License-Identifier: GPL-2.0 */
/* Lets a test program be the whole user space of a kernel. */
#ifndef INIT_H
#define INIT_H

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static inline void init_begin(void)
{
	int fd;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 0777);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	fd = open("/dev/console", O_RDWR);
	if (fd >= 0) {
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		if (fd > 2)
			close(fd);
	}
}

/*
 * Process 1 is under rules of its own (signals, for one), so the tests run in a
 * child of it. Returns in the child only.
 */
static inline void init_if_first(void)
{
	pid_t pid, got;
	int status = 0;

	if (getpid() != 1)
		return;
	init_begin();
	pid = fork();
	if (!pid)
		return;
	do {
		got = wait(&status);
	} while (got >= 0 && got != pid);
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

#endif /* INIT_H */
