/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_MODULES_H
#define ONECLOCK_MODULES_H

/*
 * Inserts the kernel modules in /oneclock/modules, in the order of its file `list`: a name in each line (written by
 * guest/initramfs.ts). For kernels that do not have the guest's devices built in.
 */
void modules_insert(void);

#endif
