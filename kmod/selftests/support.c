// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

bool failed;
char why[512];
const char *skipped;
const char *module_file;
struct worker *workers;
const char *folder = "/sys/vt/VT7";

static const char *base(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

bool check(bool condition, const char *text, const char *file, int line)
{
	if (!condition && !failed) {
		failed = true;
		snprintf(why, sizeof(why), "%s:%d: %s", base(file), line, text);
	}
	return condition;
}

bool same(long long found, long long wanted, const char *text, const char *file, int line)
{
	if (found != wanted && !failed) {
		failed = true;
		snprintf(why, sizeof(why), "%s:%d: %s is %lld, not %lld", base(file), line,
			 text, found, wanted);
	}
	return found == wanted;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

void sleep_ms(unsigned int ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000l };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

int load(const char *file, const char *parameters)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, parameters, 0))
		err = -errno;
	close(fd);
	return err;
}

int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static int open_file(const char *name, int flags)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s%s", *name == '/' ? "" : folder,
		 *name == '/' ? "" : "/", name);
	return open(path, flags | O_CLOEXEC);
}

int read_file(const char *name, char *text, size_t size)
{
	int fd = open_file(name, O_RDONLY), length;

	if (fd < 0)
		return -errno;
	length = read(fd, text, size - 1);
	if (length < 0)
		length = -errno;
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	if (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	return length;
}

int write_file(const char *name, const char *text)
{
	int fd = open_file(name, O_WRONLY), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

long long number_in(const char *name)
{
	char text[64];
	int length = read_file(name, text, sizeof(text));

	return length < 0 ? length : strtoll(text, NULL, 10);
}

int write_number(const char *name, const char *format, long long value)
{
	char text[64];

	snprintf(text, sizeof(text), format, value);
	return write_file(name, text);
}

void workers_init(void)
{
	workers = mmap(NULL, sizeof(*workers) * MAX_WORKERS, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (workers == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
}

pid_t start_worker(unsigned int index, void (*body)(struct worker *worker))
{
	struct worker *worker = &workers[index];
	pid_t pid;

	memset(worker, 0, sizeof(*worker));
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		body(worker);
		_exit(0);
	}
	worker->pid = pid;
	return pid;
}

void stop_worker(unsigned int index)
{
	if (workers[index].pid <= 0)
		return;
	kill(workers[index].pid, SIGKILL);
	waitpid(workers[index].pid, NULL, 0);
	workers[index].pid = 0;
}

void workers_clear(void)
{
	unsigned int i;

	for (i = 0; i < MAX_WORKERS; i++)
		stop_worker(i);
}

void body_tick(struct worker *worker)
{
	for (;;) {
		worker->count++;
		worker->last_ns = now_ns();
		sleep_ms(1);
	}
}

void body_spin(struct worker *worker)
{
	for (;;) {
		worker->count++;
		worker->cpu = sched_getcpu();
		worker->last_ns = now_ns();
	}
}

bool stands(unsigned int index)
{
	uint64_t count;

	sleep_ms(10);
	count = workers[index].count;
	sleep_ms(60);
	return workers[index].count == count;
}

bool reaches(unsigned int index, uint64_t count)
{
	uint64_t limit = now_ns() + 5000000000ull;

	while (workers[index].count < count && now_ns() < limit)
		sleep_ms(1);
	return workers[index].count >= count;
}

bool runs(unsigned int index)
{
	return reaches(index, workers[index].count + 1);
}

bool start(const char *parameters)
{
	return SAME(load(module_file, parameters), 0);
}

int add(pid_t pid)
{
	return write_number("pids", "+%lld", pid);
}

bool has_pids(const char *text)
{
	char found[4096];

	return read_file("pids", found, sizeof(found)) >= 0 && !strcmp(found, text);
}

bool clock_hidden(void)
{
	return wait_for("clock", "hidden", 0);
}

bool wait_for(const char *name, const char *value, unsigned int ms)
{
	uint64_t limit = now_ns() + ms * 1000000ull;
	char text[256];

	do {
		if (read_file(name, text, sizeof(text)) >= 0 && !strcmp(text, value))
			return true;
		sleep_ms(1);
	} while (now_ns() < limit);
	return false;
}

bool freeze(void)
{
	return !write_file("mode", "freeze") && wait_for("mode", "freeze", 5000);
}

bool unfreeze(void)
{
	return !write_file("mode", "unfreeze") && wait_for("mode", "unfreeze", 5000);
}
