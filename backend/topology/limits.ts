// SPDX-License-Identifier: MIT

/** Bytes of a command: what Linux takes as one argument (MAX_ARG_STRLEN), and guest/init with it. */
export const MAX_RUN = 32 * 4096 - 1;
/** Interfaces of a node, and addresses on all of them: the limits of guest/init/node.h. */
export const MAX_INTERFACES = 256;
export const MAX_ADDRESSES = 1024;
