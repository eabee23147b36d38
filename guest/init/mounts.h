/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_MOUNTS_H
#define ONECLOCK_MOUNTS_H

#include <stdbool.h>

/* Mounts /proc, /sys, /dev and what belongs into it: all that init itself needs. */
void mounts_kernel(void);

/*
 * Mounts /run and /tmp; the root stays the initramfs. With `files`, here and below, what is in /oneclock/files is to be
 * found in /run/oneclock.
 */
void mounts_initramfs_root(bool files);

/*
 * Moves into the files of the machine that the guest runs on: they are read-only, what is written stays in the
 * guest's memory. /proc, /sys, /dev, /run and /tmp are the guest's own.
 */
void mounts_host_root(bool files);

#endif
