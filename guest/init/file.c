// SPDX-License-Identifier: MIT
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Characters of a path that an answer has. */
#define SHOWN "%.300s"

/* Ends an operation with an error of the kernel's, or, 0, with the text alone. */
static bool file_refuse(const struct request *request, struct outbox *outbox, int error, const char *what)
{
	outbox_refused(outbox, request->id, error, "%s " SHOWN, what, request->path);
	return false;
}

static const char *file_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	case S_IFIFO:
		return "a pipe";
	case S_IFSOCK:
		return "a socket";
	default:
		return "no regular file";
	}
}

/* Where the file is put: behind the links that lead to it, so that they stay. False: refused. */
static bool file_find_place(struct file *file, const struct request *request, struct outbox *outbox)
{
	struct stat status;
	char *name;

	if (!realpath(request->path, file->path)) {
		if (errno != ENOENT)
			return file_refuse(request, outbox, errno, "cannot put");
		strcpy(file->path, request->path);
	} else if (stat(file->path, &status) == 0 && !S_ISREG(status.st_mode)) {
		outbox_refused(outbox, request->id, 0, "cannot put " SHOWN ": it is %s", request->path,
			       file_kind(status.st_mode));
		return false;
	}
	name = strrchr(file->path, '/');
	name = name ? name + 1 : file->path;
	if (snprintf(file->part, sizeof(file->part), "%.*s.oneclock-put-%u", (int)(name - file->path), file->path,
		     file->id) >= (int)sizeof(file->part))
		return file_refuse(request, outbox, ENAMETOOLONG, "cannot put");
	return true;
}

bool file_begin_put(struct file *file, const struct request *request, struct outbox *outbox)
{
	file->id = request->id;
	file->mode = (mode_t)request->mode;
	if (!file_find_place(file, request, outbox))
		return false;
	/* Where there is one, somebody has put it there: it is not followed. */
	file->descriptor = open(file->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file->descriptor < 0)
		return file_refuse(request, outbox, errno, "cannot put");
	return true;
}

/* Takes back what is there of a file, and says why. */
static bool file_give_up(struct file *file, struct outbox *outbox, int error)
{
	if (file->descriptor >= 0)
		close(file->descriptor);
	unlink(file->part);
	outbox_refused(outbox, file->id, error, "cannot put " SHOWN, file->path);
	return true;
}

static int file_write(int descriptor, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t put = write(descriptor, bytes, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno;
		bytes += put;
		size -= (size_t)put;
	}
	return 0;
}

bool file_take(struct file *file, const struct request *request, struct outbox *outbox)
{
	int error = file_write(file->descriptor, request->bytes, request->size);

	if (!error && !request->end)
		return false;
	if (!error && fchmod(file->descriptor, file->mode))
		error = errno;
	if (error)
		return file_give_up(file, outbox, error);
	error = close(file->descriptor) ? errno : 0;
	file->descriptor = -1;
	if (!error && rename(file->part, file->path))
		error = errno;
	if (error)
		return file_give_up(file, outbox, error);
	outbox_done(outbox, file->id, file->mode);
	return true;
}

bool file_begin_get(struct file *file, const struct request *request, struct outbox *outbox)
{
	char self[sizeof("/proc/self/fd/") + 11];
	struct stat status = { 0 };
	/* A device may do something when it is opened: first it is looked at. */
	int found = open(request->path, O_PATH | O_CLOEXEC);

	file->id = request->id;
	file->credit = request->credit;
	file->part[0] = '\0';
	if (found < 0)
		return file_refuse(request, outbox, errno, "cannot get");
	if (fstat(found, &status) || !S_ISREG(status.st_mode)) {
		close(found);
		outbox_refused(outbox, request->id, 0, "cannot get " SHOWN ": it is %s", request->path,
			       file_kind(status.st_mode));
		return false;
	}
	file->mode = status.st_mode & 07777;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", found);
	file->descriptor = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	close(found);
	return file->descriptor >= 0 || file_refuse(request, outbox, errno, "cannot get");
}

bool file_may_send(const struct file *file, size_t room)
{
	return file->credit > 0 && room >= OUTBOX_DATA;
}

bool file_send(struct file *file, struct outbox *outbox)
{
	static uint8_t bytes[ONECLOCK_AGENT_MAX_DATA];
	size_t size = file->credit < sizeof(bytes) ? file->credit : sizeof(bytes);
	ssize_t got;

	do
		got = read(file->descriptor, bytes, size);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		file->credit -= (uint32_t)got;
		outbox_file_data(outbox, file->id, bytes, (size_t)got);
		return false;
	}
	if (got == 0)
		outbox_done(outbox, file->id, file->mode);
	else
		outbox_refused(outbox, file->id, errno, "cannot read on");
	close(file->descriptor);
	return true;
}

void file_cancel(struct file *file, struct outbox *outbox)
{
	close(file->descriptor);
	if (file->part[0])
		unlink(file->part);
	outbox_refused(outbox, file->id, ECANCELED, "given up");
}
