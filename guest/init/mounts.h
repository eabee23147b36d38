/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_MOUNTS_H
#define ONECLOCK_MOUNTS_H

/* Mounts /proc, /sys, /dev and what belongs into it: all that init itself needs. */
void mounts_kernel(void);

/* Mounts /run and /tmp; the root stays the initramfs. */
void mounts_initramfs_root(void);

/*
 * Moves into the files of the machine that the guest runs on: they are read-only, what is written stays in the
 * guest's memory. /proc, /sys, /dev, /run and /tmp are the guest's own.
 */
void mounts_host_root(void);

#endif
