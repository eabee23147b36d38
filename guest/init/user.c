// SPDX-License-Identifier: MIT
#include "user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The files are read and not what /etc/nsswitch.conf names beside them: its modules cannot be loaded here. */

static void user_find_groups(struct user *user)
{
	FILE *file = fopen("/etc/group", "re");
	struct group *group;

	if (!file)
		return;
	while (user->group_count < USER_MAX_GROUPS && (group = fgetgrent(file))) {
		for (char **member = group->gr_mem; *member; member++) {
			if (strcmp(*member, user->name) || group->gr_gid == user->gid)
				continue;
			user->groups[user->group_count++] = group->gr_gid;
			break;
		}
	}
	fclose(file);
}

bool user_find(struct user *user, const char *name)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry;

	if (!file)
		return false;
	while ((entry = fgetpwent(file)))
		if (!strcmp(entry->pw_name, name))
			break;
	if (entry) {
		snprintf(user->name, sizeof(user->name), "%s", entry->pw_name);
		snprintf(user->home, sizeof(user->home), "%s", entry->pw_dir);
		user->uid = entry->pw_uid;
		user->gid = entry->pw_gid;
		user->groups[0] = entry->pw_gid;
		user->group_count = 1;
	}
	fclose(file);
	if (!entry)
		return false;
	user_find_groups(user);
	return true;
}

int user_become(const struct user *user)
{
	if (setgroups(user->group_count, user->groups) || setgid(user->gid) || setuid(user->uid))
		return errno;
	return 0;
}
