// SPDX-License-Identifier: MIT

/** Bytes of a command: what Linux takes as one argument (MAX_ARG_STRLEN), and guest/init with it. */
export const MAX_RUN = 32 * 4096 - 1;
/** Interfaces of a node, and addresses on all of them: the limits of guest/init/node.h. */
export const MAX_INTERFACES = 256;
export const MAX_ADDRESSES = 1024;
/** GPIO lines of a node: the interrupt numbers that a guest's kernel has for them (UM_GPIO_IRQS). */
export const MAX_LINES = 64;
/** Characters in the name of a line that programs can see (GPIO_MAX_NAME_SIZE of linux/gpio.h, with its end). */
export const MAX_LINE_NAME = 31;
/** Serial lines and consoles of a guest: each takes one of its 64 interrupts. */
export const MAX_SERIAL = 16;
