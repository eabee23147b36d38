/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_USER_H
#define ONECLOCK_USER_H

#include <stdbool.h>
#include <sys/types.h>

#define USER_MAX_NAME 256
#define USER_MAX_HOME 1024
#define USER_MAX_GROUPS 64

/* Who a program runs as. */
struct user {
	char name[USER_MAX_NAME];
	char home[USER_MAX_HOME];
	uid_t uid;
	gid_t gid;
	gid_t groups[USER_MAX_GROUPS];
	size_t group_count;
};

/* Looks for `name` in /etc/passwd, and for its groups in /etc/group. False: it is not there. */
bool user_find(struct user *user, const char *name);

/* Makes this process one of the user's; for good. Returns 0 or an errno. */
int user_become(const struct user *user);

#endif
