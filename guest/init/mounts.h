/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_MOUNTS_H
#define ONECLOCK_MOUNTS_H

#include "node.h"

/* Mounts /proc, /sys, /dev and what belongs into it: all that init itself needs. */
void mounts_kernel(void);

/*
 * Mounts /run and /tmp; the root stays the initramfs. The files that the node has for itself are in /run/oneclock, here
 * and below.
 */
void mounts_initramfs_root(const struct node *node);

/*
 * Moves into the files of the machine that the guest runs on: they are read-only, what is written stays in the
 * guest's memory. /proc, /sys, /dev, /run and /tmp are the guest's own, but for what the node is to be shown of them.
 */
void mounts_host_root(const struct node *node);

#endif
