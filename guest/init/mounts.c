// SPDX-License-Identifier: MIT
#include "mounts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"

#define MOUNTS_LOWER "/oneclock/lower"
#define MOUNTS_MEMORY "/oneclock/memory"
#define MOUNTS_UPPER MOUNTS_MEMORY "/upper"
#define MOUNTS_WORK MOUNTS_MEMORY "/work"
#define MOUNTS_ROOT "/oneclock/root"
#define MOUNTS_FILES "/oneclock/files"

static void mounts_directory(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		fail("cannot make the directory %s: %s", path, strerror(errno));
}

static void mounts_mount(const char *type, const char *path, unsigned long flags, const char *options)
{
	if (mount(type, path, type, flags, options))
		fail("cannot mount %s on %s: %s%s", type, path, strerror(errno),
		     errno == ENODEV ? " (the guest's kernel is built without it)" : "");
}

void mounts_kernel(void)
{
	mounts_directory("/proc");
	mounts_mount("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mounts_directory("/sys");
	mounts_mount("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mounts_directory("/dev");
	/* EBUSY: the kernel itself has mounted it (CONFIG_DEVTMPFS_MOUNT). */
	if (mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755") && errno != EBUSY)
		fail("cannot mount devtmpfs on /dev: %s", strerror(errno));
	/* A kernel without pseudo-terminals is good enough for most nodes. */
	mounts_directory("/dev/pts");
	if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5,ptmxmode=0666") &&
	    errno != ENODEV)
		fail("cannot mount devpts on /dev/pts: %s", strerror(errno));
	mounts_directory("/dev/shm");
	mounts_mount("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
}

static void mounts_volatile(const char *run, const char *tmp)
{
	mounts_directory(run);
	mounts_mount("tmpfs", run, MS_NOSUID | MS_NODEV, "mode=0755");
	mounts_directory(tmp);
	mounts_mount("tmpfs", tmp, MS_NOSUID | MS_NODEV, "mode=1777");
}

static void mounts_bind(const char *from, const char *to)
{
	mounts_directory(to);
	if (mount(from, to, NULL, MS_BIND, NULL))
		fail("cannot mount %s on %s: %s", from, to, strerror(errno));
}

void mounts_initramfs_root(const struct node *node)
{
	mounts_volatile("/run", "/tmp");
	if (node->files)
		mounts_bind(MOUNTS_FILES, "/run/oneclock");
}

static void mounts_move(const char *from, const char *to)
{
	mounts_directory(to);
	if (mount(from, to, NULL, MS_MOVE, NULL))
		fail("cannot move the mount %s to %s: %s", from, to, strerror(errno));
}

/* Where /var/run or /var/lock is a directory and no link to /run, it holds what belongs to a running system. */
static void mounts_hide(const char *path)
{
	struct stat status;

	if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode))
		mounts_mount("tmpfs", path, MS_NOSUID | MS_NODEV, "mode=0755");
}

/* Shows a folder of the host where the guest has one of its own. */
static void mounts_show(const char *path)
{
	char from[sizeof(MOUNTS_LOWER) + NODE_MAX_PATH];
	char to[sizeof(MOUNTS_ROOT) + NODE_MAX_PATH];

	snprintf(from, sizeof(from), MOUNTS_LOWER "%s", path);
	snprintf(to, sizeof(to), MOUNTS_ROOT "%s", path);
	for (char *at = to + sizeof(MOUNTS_ROOT); (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		mounts_directory(to);
	}
	mounts_bind(from, to);
}

void mounts_host_root(const struct node *node)
{
	mounts_directory(MOUNTS_LOWER);
	mounts_mount("hostfs", MOUNTS_LOWER, MS_RDONLY, NULL);
	mounts_directory(MOUNTS_MEMORY);
	mounts_mount("tmpfs", MOUNTS_MEMORY, 0, "mode=0755");
	mounts_directory(MOUNTS_UPPER);
	mounts_directory(MOUNTS_WORK);
	mounts_directory(MOUNTS_ROOT);
	mounts_mount("overlay", MOUNTS_ROOT, 0,
		     "lowerdir=" MOUNTS_LOWER ",upperdir=" MOUNTS_UPPER ",workdir=" MOUNTS_WORK);

	mounts_move("/proc", MOUNTS_ROOT "/proc");
	mounts_move("/sys", MOUNTS_ROOT "/sys");
	mounts_move("/dev", MOUNTS_ROOT "/dev");
	mounts_volatile(MOUNTS_ROOT "/run", MOUNTS_ROOT "/tmp");
	if (node->files)
		mounts_bind(MOUNTS_FILES, MOUNTS_ROOT "/run/oneclock");
	mounts_hide(MOUNTS_ROOT "/var/run");
	mounts_hide(MOUNTS_ROOT "/var/lock");
	for (unsigned int i = 0; i < node->shown_count; i++)
		mounts_show(node->shown[i]);

	if (chdir(MOUNTS_ROOT) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		fail("cannot move into the new root: %s", strerror(errno));
}
