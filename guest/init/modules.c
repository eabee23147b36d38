// SPDX-License-Identifier: MIT
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fail.h"

#define MODULES_FOLDER "/oneclock/modules/"
#define MODULES_LIST MODULES_FOLDER "list"

static void modules_insert_one(const char *name)
{
	char path[512];
	int file;

	if (snprintf(path, sizeof(path), MODULES_FOLDER "%s", name) >= (int)sizeof(path))
		fail("the name of a module is too long: %s", name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		fail("cannot open %s: %s", path, strerror(errno));
	/* EEXIST: the kernel has it already. */
	if (syscall(SYS_finit_module, file, "", 0) && errno != EEXIST)
		fail("the kernel does not take the module %s: %s", name, strerror(errno));
	close(file);
}

void modules_insert(void)
{
	char name[256];
	FILE *list = fopen(MODULES_LIST, "re");

	if (!list)
		fail("cannot open " MODULES_LIST ": %s", strerror(errno));
	while (fgets(name, sizeof(name), list)) {
		name[strcspn(name, "\n")] = '\0';
		modules_insert_one(name);
	}
	fclose(list);
}
